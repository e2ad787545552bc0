# MariaDB. Sourced by `./test`.

# Answers the path of its server.
mariadb_find() {
    local program
    for _ in 1 2; do
        for program in "$(command -v mariadbd || true)" /usr/sbin/mariadbd; do
            if [[ -x $program ]] && command -v mariadb-install-db >/dev/null; then
                echo "$program"
                return
            fi
        done
        installs mariadb-server || break
    done
    echo "MariaDB is missing: install it (on Debian: apt-get install mariadb-server), or set REMEX_TEST_MYSQL_URL" >&2
    return 1
}

# mariadb_start FOLDER PORT
mariadb_start() {
    local folder=$1/mariadb port=$2 program log=$1/mariadb.log
    program=$(mariadb_find) || return 1
    mkdir -p "$folder"
    mariadb-install-db --no-defaults --datadir="$folder/data" --user="$(id -un)" --skip-test-db \
        --auth-root-authentication-method=normal >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    "$program" --no-defaults --datadir="$folder/data" --user="$(id -un)" --bind-address=127.0.0.1 --port="$port" \
        --socket="$folder/socket" --pid-file="$folder/pid" --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
        --innodb-flush-method=nosync --sync-frm=0 --max-connections=300 --max-prepared-stmt-count=100000 >>"$log" 2>&1 &
    servers+=($!)
    waits_until 60 "$log" mariadb --no-defaults --host=127.0.0.1 --port="$port" --user=root --execute="SELECT 1" ||
        return 1
    mariadb --no-defaults --host=127.0.0.1 --port="$port" --user=root --execute="CREATE DATABASE remex" || return 1
    # By its socket: over TCP the driver waits for 40 ms wherever it forgets a statement, which is often where each test has
    # tables of its own.
    export REMEX_TEST_MYSQL_URL="mysql://root@127.0.0.1:$port/remex?socket=$folder/socket"
    "$program" --version
}
