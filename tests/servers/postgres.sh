# PostgreSQL. Sourced by `./test`.

# Answers the folder of its programs, the newest where there are several.
postgres_find() {
    local folder
    for _ in 1 2; do
        folder=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
        folder=${folder:-$(command -v postgres || true)}
        if [[ -n $folder ]]; then
            dirname "$folder"
            return
        fi
        installs postgresql || break
    done
    echo "PostgreSQL is missing: install it (on Debian: apt-get install postgresql), or set REMEX_TEST_POSTGRES_URL" >&2
    return 1
}

# postgres_start FOLDER PORT
postgres_start() {
    local folder=$1/postgres port=$2 programs log=$1/postgres.log user=postgres
    programs=$(postgres_find) || return 1
    mkdir -p "$folder"
    if [[ $(id -u) -eq 0 ]]; then
        chown "$user" "$folder"
        chmod 755 "$1"
    fi
    (cd "$folder" && unprivileged "$user" "$programs/initdb" -D "$folder/data" -U remex --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync) >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    (cd "$folder" && unprivileged "$user" "$programs/postgres" -D "$folder/data" -p "$port" -k "$folder" \
        -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c synchronous_commit=off \
        -c max_connections=300) >>"$log" 2>&1 &
    servers+=($!)
    waits_until 60 "$log" "$programs/psql" -h 127.0.0.1 -p "$port" -U remex -d postgres -c "SELECT 1" || return 1
    export REMEX_TEST_POSTGRES_URL="postgres://remex@127.0.0.1:$port/postgres"
    "$programs/postgres" --version
}
