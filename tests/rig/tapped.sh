# shellcheck shell=bash
# What the rigs have in common that put pg_tap between a client and a server: sourced behind clients.sh, never run.
#
# PG_TAP is the program to test (target/release/examples/pg_tap). The rig sets LOG, a folder, SERVER, the real server's
# port, and MAJOR, its version.

PG_TAP=${PG_TAP:-$REPO/target/release/examples/pg_tap}
# No client needs a tenth of this: what takes longer hangs.
PATIENCE=120

export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGPASSWORD=secret PGCONNECT_TIMEOUT=20
unset PGPORT PGSERVICE PGOPTIONS PGSSLMODE PGCHANNELBINDING
cd "$REPO/tests/rig/clients"

FAILURES=0
FAILED_HERE=0
CHECKS=0
TAPS=()

# compare NAME COMMAND...: the same output and success, directly and through the tap.
compare() {
    local name=$1
    shift
    CHECKS=$((CHECKS + 1))
    outcome "$SERVER" "$@" >"$LOG/$name.direct"
    outcome "$TAP" "$@" >"$LOG/$name.tapped"
    if [ "$(tail -1 "$LOG/$name.direct")" != "exit 0" ]; then
        failed "$name" "fails without pg_tap too"
        tail -5 "$LOG/$name.direct"
    elif ! diff "$LOG/$name.direct" "$LOG/$name.tapped" >"$LOG/$name.diff"; then
        failed "$name" "differs through pg_tap"
        head -20 "$LOG/$name.diff"
    fi
}

# What a command prints and how it ends, without what must differ: process ids and ports.
outcome() {
    local port=$1 rc=0
    shift
    # A function cannot be given to `timeout`: it has its own.
    if declare -F "$1" >/dev/null; then
        PGPORT=$port "$@" >"$LOG/raw" 2>&1 || rc=$?
    else
        PGPORT=$port timeout "$PATIENCE" "$@" >"$LOG/raw" 2>&1 || rc=$?
    fi
    sed -e "s/process with PID [0-9]*/process with PID N/; s/\\b$port\\b/PORT/g" "$LOG/raw"
    echo "exit $rc"
}

# check NAME COMMAND...: it succeeds.
check() {
    local name=$1
    shift
    CHECKS=$((CHECKS + 1))
    if ! "$@" >"$LOG/$name.log" 2>&1; then
        failed "$name" "fails"
        tail -20 "$LOG/$name.log"
    fi
}

failed() {
    FAILURES=$((FAILURES + 1)) FAILED_HERE=$((FAILED_HERE + 1))
    echo "FAILED: PostgreSQL $MAJOR: $1 $2"
}

# start_tap LOG SERVER OPTION...: leaves its port in TAP.
start_tap() {
    local PORT LISTENER log=$1 server=$2
    shift 2
    start_listener "$log" "$PG_TAP" --listen 127.0.0.1:0 --server "$server" "$@"
    TAPS+=("$LISTENER") TAP=$PORT
}

stop_taps() {
    local pid
    for pid in "${TAPS[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    TAPS=()
}

transactions() {
    local report
    report=$(PGPORT=$TAP timeout "$PATIENCE" "$@" -n -c 4 -j 2 -t 100 bench 2>&1) || { echo "$report"; return 1; }
    echo "$report"
    grep -q '^number of transactions actually processed: 400/400$' <<<"$report" &&
        grep -q '^number of failed transactions: 0 ' <<<"$report"
}
