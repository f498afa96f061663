#!/usr/bin/env bash
# Many clients of pg_tap, half of them malicious: how long the others wait for them, and what an idle connection holds.
#
#   tap_load.sh [PG_TAP PG_LOAD]   the programs to test (target/release/examples/pg_tap and pg_load; the latter is an
#                                  example of feedrate-io, with the features `pg`, `socket` and `tokio`)
#
# TAP_LOAD (1000) clients in all, TAP_ROUNDS (3) times TAP_SECONDS (5) without the malicious ones and with them, and
# TAP_IDLE (1000) idle ones. Behind pg_tap is a server made with our encoder, which costs little.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

TAP=${1:-$REPO/target/release/examples/pg_tap}
LOAD=${2:-$REPO/target/release/examples/pg_load}
CLIENTS=${TAP_LOAD:-1000}
IDLE=${TAP_IDLE:-1000}
WORK=$(mktemp -d)
PIDS=()
trap 'end' EXIT

end() {
    local pid
    for pid in "${PIDS[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$WORK"
}

status() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$PID/status"; }

main() {
    local before idle
    # Two for each connection.
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge $((CLIENTS * 2 + 500)) ] ||
        ulimit -n $((CLIENTS * 2 + 500)) || die "$CLIENTS clients need $((CLIENTS * 2 + 500)) descriptors (ulimit -n)"
    start_listener "$WORK/server" "$LOAD" serve
    PIDS+=("$LISTENER")
    start_listener "$WORK/tap" "$TAP" --quiet --listen 127.0.0.1:0 --server "127.0.0.1:$PORT" --starting "$CLIENTS"
    PIDS+=("$LISTENER")
    PID=$LISTENER

    before=$(status VmRSS)
    mkfifo "$WORK/hold"
    "$LOAD" idle "127.0.0.1:$PORT" "$IDLE" <"$WORK/hold" >"$WORK/idle" &
    idle=$!
    PIDS+=("$idle")
    exec 8>"$WORK/hold"
    for _ in $(seq 300); do
        [ ! -s "$WORK/idle" ] || break
        kill -0 "$idle" || die "the idle clients have ended"
        sleep 0.1
    done
    echo "$IDLE idle connections: $((($(status VmRSS) - before) * 1024 / IDLE)) bytes each, $(status Threads) threads"
    exec 8>&-
    wait "$idle"

    "$LOAD" measure "127.0.0.1:$PORT" $((CLIENTS / 2)) $((CLIENTS / 2)) "${TAP_ROUNDS:-3}" "${TAP_SECONDS:-5}"
    echo "afterwards pg_tap holds $(($(status VmRSS) / 1024)) MiB, at most it was $(($(status VmHWM) / 1024)) MiB"
    grep -c '^pg_tap: connection' "$WORK/tap.err" | sed 's/$/ connections were dropped/'
}

main
