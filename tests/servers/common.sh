# What the servers that tests run on have in common. Sourced by `./test`.
#
# Each has a file of its own here with two functions: NAME_find, which answers where its program is and installs it where
# it may, and NAME_start FOLDER PORT, which starts a private one there and exports its address. Nothing that they keep is
# to outlive the run, so that none of them waits for the disk.

# The process ids of the servers that were started.
servers=()

# Where programs are kept that were fetched, for the next time.
tools=${CARGO_TARGET_DIR:-target}/tools

# installs PACKAGE...: by the system's package manager, where that is Debian's and we may.
installs() {
    if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
        return 1
    fi
    echo "installing $*" >&2
    # The lists of a fresh machine are empty, and old ones name packages that are gone.
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# free_port: answers a port on which nobody listens, below those that systems give to connections that go out.
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# unprivileged USER COMMAND...: runs in this very process as the user, if we are root; some servers refuse to run as root.
unprivileged() {
    local user=$1
    shift
    if [[ $(id -u) -eq 0 ]]; then
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
    else
        exec "$@"
    fi
}

# waits_until SECONDS LOG COMMAND...: until the command succeeds; shows the server's log where it never does.
waits_until() {
    local until=$((SECONDS + $1)) log=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [[ $SECONDS -ge $until ]]; then
            echo "it does not answer:" >&2
            tail -n 20 "$log" >&2
            return 1
        fi
        sleep 0.1
    done
}

# A folder for what servers keep, in memory where there is room for it.
servers_folder() {
    local room=0
    if [[ -d /dev/shm && -w /dev/shm ]]; then
        room=$(df --output=avail -m /dev/shm | tail -n 1)
    fi
    if [[ $room -ge 4096 ]]; then
        mktemp -d /dev/shm/remex-servers-XXXXXX
    else
        mktemp -d "${TMPDIR:-/tmp}/remex-servers-XXXXXX"
    fi
}
