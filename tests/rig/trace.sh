#!/usr/bin/env bash
# libpq can print every message it sends and receives (PQtrace), and PostgreSQL's own tests keep some such prints as golden
# files. pg_tap, which sees the same bytes from outside, must print the same lines, byte for byte.
#
#   trace.sh PORTS    PORTS is the file that `servers.sh start` wrote; the traces stay in target/trace
#
# Compared are: pg_tap with the golden file, and, for the tests that have none, with what libpq prints in this very run.
# The server must be new: the golden files hold notices that the tests' tables do not exist yet.
#
# When a message counts as sent or received is different inside a client and on the wire: libpq prints a query when it is put
# into a buffer, and an answer when it is taken out of one. So where whole files differ, each direction is compared by
# itself: for each line that is expected, the next line of its direction, until there are no more of either.
#
# PG_TAP is the program to test (target/release/examples/pg_tap).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PG_TAP=${PG_TAP:-$REPO/target/release/examples/pg_tap}
PIPELINE=$RIGS/libpq_pipeline
LOG=$REPO/target/trace
# As many rows as PostgreSQL's own 001_libpq_pipeline.pl inserts.
ROWS=700
PID=

main() {
    local server test golden=0 failures=0 count=0
    server=$(awk '$1 == 15 { print $2 }' "$1")
    [ -n "$server" ] || die "no server 15 in $1"
    rm -rf "$LOG"
    mkdir -p "$LOG"
    trap stop_tap EXIT
    for test in $("$PIPELINE/libpq_pipeline" tests); do
        count=$((count + 1))
        [ ! -e "$PIPELINE/traces/$test.trace" ] || golden=$((golden + 1))
        try "$test" "$server" || failures=$((failures + 1))
    done
    echo "$count traces, $golden of them PostgreSQL's own, $failures differ"
    [ "$failures" = 0 ] && [ "$golden" -ge 9 ]
}

try() {
    local test=$1 server=$2 want got
    start_tap "$test" "$server" || return 1
    if ! timeout 60 "$PIPELINE/libpq_pipeline" -r "$ROWS" -t "$LOG/$test.libpq" "$test" \
        "host=127.0.0.1 port=$TAP user=postgres password=secret dbname=postgres" >"$LOG/$test.log" 2>&1; then
        echo "FAILED: $test does not pass through pg_tap"
        tail -5 "$LOG/$test.log"
        stop_tap
        return 1
    fi
    stop_tap
    want=$PIPELINE/traces/$test.trace
    [ -e "$want" ] || want=$LOG/$test.libpq
    got=$LOG/$test.got
    from_the_start <"$LOG/$test.tap" >"$got"
    if cmp -s "$want" "$got"; then
        echo "same: $test"
    elif same "$test" F "$want" "$got" && same "$test" B "$want" "$got"; then
        echo "same, each direction by itself: $test"
    else
        return 1
    fi
}

# libpq_pipeline turns the trace on when it has connected and changed two settings: up to then, the server has been
# ready three times.
from_the_start() {
    awk -F '\t' 'ready >= 3; $1 == "B" && $3 == "ReadyForQuery" { ready++ }'
}

same() {
    local test=$1 direction=$2 want=$LOG/$1.$2.want got=$LOG/$1.$2.got
    grep -a "^$direction" "$3" >"$want" || true
    grep -a "^$direction" "$4" >"$got" || true
    if ! cmp -s "$want" "$got"; then
        echo "FAILED: $test, direction $direction: expected <, pg_tap >"
        diff -a "$want" "$got" | head -20
        return 1
    fi
}

start_tap() {
    start_listener "$LOG/$1" "$PG_TAP" --listen 127.0.0.1:0 --server "127.0.0.1:$2" --trace "$LOG/$1.tap" --trace-regress
    PID=$LISTENER TAP=$PORT
}

# On SIGTERM pg_tap waits for what is still on its way; only then is the trace complete.
stop_tap() {
    [ -n "$PID" ] || return 0
    kill -TERM "$PID" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$PID" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$PID" 2>/dev/null || true
    wait "$PID" 2>/dev/null || true
    PID=
}

main "$@"
