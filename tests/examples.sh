#!/usr/bin/env bash
# Runs the examples as the README says on every store there is, sends what they print to be pasted, and holds the answers
# of each store against those of memory: another store is another URL, and nothing else.
#
# REMEX_TEST_POSTGRES_URL, REMEX_TEST_MYSQL_URL and REMEX_TEST_MONGODB_URL name servers whose databases are empty, as
# `./test` starts them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
program=

# shellcheck source=/dev/null
. tests/servers/common.sh
for tool in curl jq; do
    command -v "$tool" >/dev/null || installs "$tool" || { echo "$tool is missing: install it" >&2; exit 1; }
done

# alike: JSON with its names in order and without nulls, since null and absent are one and names have no order.
alike() {
    local line
    while IFS= read -r line; do
        case $line in
            "{"* | "["*) jq -cS 'walk(if type == "object" then with_entries(select(.value != null)) else . end)' <<<"$line" ;;
            *) echo "$line" ;;
        esac
    done
}

stop() {
    if [[ -n $program ]]; then
        kill -9 "$program" 2>/dev/null || true
        wait "$program" 2>/dev/null || true
        program=
    fi
}
finish() {
    stop
    rm -rf "$folder"
}
trap finish EXIT

target=${CARGO_TARGET_DIR:-target}
cargo build --locked --example quickstart --example blog

# starts EXAMPLE URL LOG: until it says where it listens; sets `port`.
starts() {
    DATABASE_URL=$2 "$target/debug/examples/$1" --port 0 >"$3" 2>&1 &
    program=$!
    local until=$((SECONDS + 60))
    until port=$(grep -oE '(127\.0\.0\.1|localhost):[1-9][0-9]*/' "$3" | head -n 1 | tr -dc '0-9:/' | sed 's/.*:\([0-9]*\).*/\1/') &&
        [[ -n $port ]] && curl -s -o /dev/null "localhost:$port/"; do
        if [[ $SECONDS -ge $until ]] || ! kill -0 "$program" 2>/dev/null; then
            cat "$3" >&2
            echo "$1 does not start on ${2%%:*}" >&2
            return 1
        fi
        sleep 0.1
    done
}

# pastes LOG: runs the lines that begin with curl, and prints what is sent and what comes back.
pastes() {
    local line
    # A line that ends in a backslash goes on in the next one.
    sed -e ':a' -e '/\\$/{N' -e 's/\\\n *//' -e 'ba' -e '}' "$1" | grep -E '^ *curl ' | while IFS= read -r line; do
        # What differs from run to run: the port, tokens, and the time.
        {
            echo "$line" | sed -E "s/:$port/:PORT/g"
            eval "${line%%  #*} -s -S -w '\n%{http_code}\n'"
        } | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/"access_token":"[^"]*"/"access_token":"TOKEN"/g' | alike
    done
}

# tries EXAMPLE STORE URL: leaves the answers in a file of the store's name.
tries() {
    local example=$1 store=$2 url=$3 answers=$folder/$1.$2
    starts "$example" "$url" "$folder/log"
    pastes "$folder/log" >"$answers"
    stop
    if grep -qE '^(5[0-9][0-9]|000)$' "$answers"; then
        cat "$answers" >&2
        echo "$example on $store: a request failed" >&2
        return 1
    fi
    if ! diff "$folder/$example.memory" "$answers" >&2; then
        echo "$example on $store: other answers than in memory" >&2
        return 1
    fi
    echo "$example on $store: $(grep -c '^curl\|^ *curl' "$answers") requests, the same answers as in memory"
}

failed=0
for example in quickstart blog; do
    touch "$folder/$example.memory"
    starts "$example" memory: "$folder/log"
    pastes "$folder/log" >"$folder/$example.memory"
    stop
    if [[ $(grep -cE '^2[0-9][0-9]$' "$folder/$example.memory") -lt 5 ]]; then
        cat "$folder/$example.memory" >&2
        echo "$example: it prints nothing to paste, or what it prints does not work" >&2
        exit 1
    fi
    tries "$example" sqlite "sqlite://$folder/$example.db" || failed=1
    if [[ -n ${REMEX_TEST_POSTGRES_URL:-} ]]; then
        tries "$example" postgres "$REMEX_TEST_POSTGRES_URL" || failed=1
    fi
    if [[ -n ${REMEX_TEST_MYSQL_URL:-} ]]; then
        tries "$example" mariadb "$REMEX_TEST_MYSQL_URL" || failed=1
    fi
    if [[ -n ${REMEX_TEST_MONGODB_URL:-} ]]; then
        tries "$example" mongodb "$REMEX_TEST_MONGODB_URL" || failed=1
    fi
done

# What was changed is there when the program is started again after it was killed.
starts quickstart "sqlite://$folder/quickstart.db" "$folder/log"
curl -sS -o /dev/null "localhost:$port/cities" -H 'content-type: application/json' -d '{"name":"Here","country_code":"XX"}'
stop
starts quickstart "sqlite://$folder/quickstart.db" "$folder/log"
curl -sS "localhost:$port/cities/_count" | grep -qF '{"count":4801}' || {
    echo "quickstart on sqlite: a city that was acknowledged is gone" >&2
    failed=1
}
stop
exit "$failed"
