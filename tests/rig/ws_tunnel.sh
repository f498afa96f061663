#!/usr/bin/env bash
# Both protocols of the core in a WebSocket's binary messages, cut anywhere: clients that people use talk through two ws_tunnels, one on each
# side, and see what they see without them.
#
#   ws_tunnel.sh PORTS PROGRAMS   PORTS is the file that `servers.sh start` wrote, PROGRAMS the folder of ws_tunnel, ws_echo, rdp and rdp_sim
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$REPO/tests/rig/clients.sh"

PROGRAMS=$(cd "$2" && pwd)
WORK=$(mktemp -d)
STARTED=()
export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGPASSWORD=secret PGCONNECT_TIMEOUT=20
cd "$REPO/tests/rig/clients"

main() {
    local server direct
    trap finish EXIT
    server=$(awk '$1 == 15 { print $2 }' "$1")
    [ -n "$server" ] || die "no server 15 in $1"
    tunnel "$server"
    same "psql" "$server" "$PSQL18" -X -f work.sql
    same "a million rows" "$server" "$PSQL18" -XAtc "select i, repeat('x', i % 97) from generate_series(1, 1000000) i"
    seq 500000 >"$WORK/numbers"
    same "COPY in" "$server" "$PSQL18" -XAt -c "create temp table n(i int)" -c "\\copy n from '$WORK/numbers'" -c "select count(*), sum(i) from n"
    same "psycopg" "$server" "$PYTHON" work.py
    start "$PROGRAMS/rdp_sim" --listen 127.0.0.1:0
    direct=$PORT
    tunnel "$direct"
    timeout 60 "$PROGRAMS/rdp" --connect "tcp:127.0.0.1:$PORT" --token operator "halt; step 5; resume; audit" >"$WORK/rdp" ||
        die "rdp fails through the tunnel"
    grep -q 'Step *done *5 times' "$WORK/rdp" || die "rdp: no five steps in the audit log"
    echo "RDPv3: a session, five steps, the audit log"
    # Nothing comes from a server that has not got all of a request.
    start "$PROGRAMS/ws_echo" --listen 127.0.0.1:0
    start "$PROGRAMS/ws_tunnel" --listen ws:127.0.0.1:0 --to "tcp:127.0.0.1:$PORT"
    echo "text in a tunnel, which takes binary messages only:"
    python3 "$REPO/tests/rig/ws_violations.py" "127.0.0.1:$PORT" --accepts binary
    echo "6 passed, 0 failed"
}

# Two tunnels in front of a port; the outer one's port in PORT.
tunnel() {
    start "$PROGRAMS/ws_tunnel" --listen ws:127.0.0.1:0 --to "tcp:127.0.0.1:$1"
    start "$PROGRAMS/ws_tunnel" --listen tcp:127.0.0.1:0 --to "ws://127.0.0.1:$PORT/"
}

# Starts a program that says where it listens; leaves the port in PORT.
start() {
    start_listener "$WORK/${#STARTED[@]}" "$@"
    STARTED+=("$LISTENER")
}

# same NAME SERVER COMMAND...: the same output and success, directly and through the tunnels.
same() {
    local name=$1 server=$2
    shift 2
    PGPORT=$server timeout 120 "$@" >"$WORK/direct" 2>&1 || die "$name: fails without a tunnel"
    PGPORT=$PORT timeout 120 "$@" >"$WORK/tunnelled" 2>&1 || {
        tail -5 "$WORK/tunnelled" >&2
        die "$name: fails through the tunnel"
    }
    for file in "$WORK/direct" "$WORK/tunnelled"; do
        sed -i -e 's/process with PID [0-9]*/process with PID N/' -e "s/\\b\\($server\\|$PORT\\)\\b/PORT/g" "$file"
    done
    cmp "$WORK/direct" "$WORK/tunnelled" || die "$name: differs through the tunnel"
    echo "PostgreSQL: $name, $(stat -c %s "$WORK/direct") bytes, the same"
}

finish() {
    local pid
    for pid in "${STARTED[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$WORK"
}

main "$@"
