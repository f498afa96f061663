#!/usr/bin/env bash
# Connections over a network that dies: two hosts in namespaces of their own, and the link between them is cut, so that
# nobody is told.
#
#   dead_network.sh [PROGRAM]    target/release/examples/dead_network, an example of feedrate-io
#
# DEAD_CONNECTIONS (200) talk in each of five ways: PostgreSQL with a limit for silence, PostgreSQL with one for
# progress, WebSocket with pings, TCP's own means alone, RDPv3. First the link stays cut: each connection has to end by
# its own limit, in its time, on both ends, and no socket may be left. Then it is cut for two seconds: nothing ends, and
# no message is lost or comes twice. Needs root.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PROGRAM=${1:-$REPO/target/release/examples/dead_network}
COUNT=${DEAD_CONNECTIONS:-200}
A=feedrate-a-$$ B=feedrate-b-$$
WORK=$(mktemp -d)
PIDS=()
trap finish EXIT

finish() {
    local pid
    for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
    ip netns del "$A" 2>/dev/null || true
    ip netns del "$B" 2>/dev/null || true
    rm -rf "$WORK"
}

on() { ip netns exec "$@"; }

# Two hosts, and a link.
make_network() {
    ip netns add "$A" && ip netns add "$B" || exit 77
    ip link add name "fa$$" type veth peer name "fb$$"
    ip link set "fa$$" netns "$A"
    ip link set "fb$$" netns "$B"
    on "$A" ip address add 10.77.0.1/24 dev "fa$$"
    on "$B" ip address add 10.77.0.2/24 dev "fb$$"
    on "$A" ip link set "fa$$" up
    on "$B" ip link set "fb$$" up
    # Otherwise the neighbour is looked for, and not found, which the system tells.
    on "$A" ip neighbour replace 10.77.0.2 lladdr "$(address "$B" "fb$$")" dev "fa$$" nud permanent
    on "$B" ip neighbour replace 10.77.0.1 lladdr "$(address "$A" "fa$$")" dev "fb$$" nud permanent
}

address() { on "$1" cat "/sys/class/net/$2/address"; }

# Packets go to a link-layer address that nobody has: no error, no carrier lost, no answer.
cut_link() {
    on "$A" ip neighbour replace 10.77.0.2 lladdr 02:00:00:00:00:99 dev "fa$$" nud permanent
    on "$B" ip neighbour replace 10.77.0.1 lladdr 02:00:00:00:00:98 dev "fb$$" nud permanent
}

mend_link() {
    on "$A" ip neighbour replace 10.77.0.2 lladdr "$(address "$B" "fb$$")" dev "fa$$" nud permanent
    on "$B" ip neighbour replace 10.77.0.1 lladdr "$(address "$A" "fa$$")" dev "fb$$" nud permanent
}

wait_for() { # PID FILE WORD
    for _ in $(seq 600); do
        if grep -q "^$3" "$2"; then return; fi
        kill -0 "$1" 2>/dev/null || break
        sleep 0.05
    done
    cat "$WORK"/*.out >&2
    die "no \"$3\" in time"
}

try() {
    local server client rc=0
    mkfifo "$WORK/server.in" "$WORK/client.in"
    on "$A" "$PROGRAM" serve 10.77.0.1:7000 "$COUNT" "$1" <"$WORK/server.in" >"$WORK/server.out" 2>&1 &
    server=$!
    exec 7>"$WORK/server.in"
    PIDS=("$server")
    wait_for "$server" "$WORK/server.out" listening
    on "$B" "$PROGRAM" connect 10.77.0.1:7000 "$COUNT" "$1" <"$WORK/client.in" >"$WORK/client.out" 2>&1 &
    client=$!
    exec 8>"$WORK/client.in"
    PIDS+=("$client")
    wait_for "$client" "$WORK/client.out" talking
    wait_for "$server" "$WORK/server.out" talking
    sleep 1
    cut_link
    echo dead >&7
    echo dead >&8
    if [ "$1" = returns ]; then
        sleep 2
        mend_link
    fi
    wait "$server" || rc=1
    wait "$client" || rc=1
    PIDS=()
    exec 7>&- 8>&-
    mend_link
    sed "s/^/$1: /" "$WORK/server.out" "$WORK/client.out"
    rm -f "$WORK"/*
    return $rc
}

[ "$(id -u)" = 0 ] || { say "needs root"; exit 77; }
need_command ip iproute2
ulimit -n "$(ulimit -Hn)"
make_network
try dies || die "a connection over a dead network did not end as it should"
try returns || die "a connection did not survive a network that came back"
