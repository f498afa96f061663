#!/usr/bin/env bash
# The echo server against peers that share no code with it: every MUST of the RFC broken on a raw socket. And what the other programs owe
# peers on raw sockets. (Real clients and servers: ws_peers.sh.)
#
#   websocket.sh PROGRAMS    the folder of ws_echo, ws_client and ws_tunnel
#
# HALF_CLOSES (200): how often a peer half-closes in each way. SLOW_PEERS (8): how many of those that are slow come at once.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PROGRAMS=$(cd "$1" && pwd)
WORK=$(mktemp -d)
SERVER=

main() {
    trap finish EXIT
    violations
    violations --limit $((64 << 20)) --protocols chat,superchat
    violations --no-deflate
    load
    commands
    python3 "$REPO/tests/rig/ws_origins.py" "$PROGRAMS"
    python3 "$REPO/tests/rig/ws_ends.py" "$PROGRAMS"
    python3 "$REPO/tests/rig/ws_limits.py" "$PROGRAMS"
}

# The table of violations, against a server with these options: the script knows them by the same names.
violations() {
    start "$@"
    echo "violations ${*:-with the defaults}"
    python3 "$REPO/tests/rig/ws_violations.py" "127.0.0.1:$PORT" "$@"
    stop
}

# What clients that never end a message, or read nothing, cost: one thread serves all of them.
load() {
    TOKIO_WORKER_THREADS=1 start
    python3 "$REPO/tests/rig/ws_load.py" "127.0.0.1:$PORT" --pid "$SERVER"
    stop
}

# What the command-line client says and is told.
commands() {
    local said
    start --protocols chat
    for deflate in "" --deflate; do
        # shellcheck disable=SC2086 # no argument, if it is empty
        said=$("$PROGRAMS/ws_client" $deflate --protocol chat "ws://127.0.0.1:$PORT/a?b" \
            "text κόσμε; recv; binary 00ff7f; recv; ping abc; fill binary 300000; fill text 70000; recv 2; close 4001 bye" |
            sed -E 's/(x|0){100,}/.../')
        [ "$said" = "protocol chat
text κόσμε
binary 00ff7f
pong abc
binary ...... (600000 bytes)
text ...... (70000 bytes)
closed 4001 (private) bye" ] || die "ws_client $deflate: unexpected: $said"
    done
    stop
    start --no-deflate
    said=$("$PROGRAMS/ws_client" --require-deflate "ws://127.0.0.1:$PORT/" "recv" 2>/dev/null || true)
    [ "$said" = "closed 1010 (extension missing) permessage-deflate" ] || die "ws_client --require-deflate: unexpected: $said"
    stop
    echo "ws_client: text, binary, ping, close"
}

start() {
    start_listener "$WORK/echo" "$PROGRAMS/ws_echo" --quiet --listen 127.0.0.1:0 "$@"
    SERVER=$LISTENER
}

stop() {
    [ -n "$SERVER" ] || return 0
    kill "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || true
    SERVER=
}

finish() {
    stop
    rm -rf "$WORK"
}

main "$@"
