#!/usr/bin/env bash
# The real thing: clients that people use talk to servers that people run, through pg_tap, which decodes, encodes again and
# forwards. What a client prints must be what it prints when it talks to the server directly, and pg_tap must find
# no difference between the bytes it read and the bytes it made.
#
#   tap.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote; the logs stay in target/tap/MAJOR
#
# PG_TAP is the program to test (target/release/examples/pg_tap).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$REPO/tests/rig/clients.sh"
# shellcheck source=tests/rig/tapped.sh
. "$REPO/tests/rig/tapped.sh"

# 11 and 13 speak as 10 and 12 do.
TESTED="10 12 14 15 16 17 18"

main() {
    local ports=$1 major port
    shift
    # shellcheck disable=SC2086 # a list
    [ $# -gt 0 ] || set -- $TESTED
    trap 'stop_taps' EXIT
    for major in "$@"; do
        port=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
        [ -n "$port" ] || die "no server $major in $ports"
        try_version "$major" "$port"
    done
    [ "$FAILURES" = 0 ] || die "$FAILURES comparisons failed; see target/tap"
}

try_version() {
    local began=$SECONDS
    MAJOR=$1 SERVER=$2 LOG=$REPO/target/tap/$1 FAILED_HERE=0 CHECKS=0
    rm -rf "$LOG"
    mkdir -p "$LOG"
    start_tap "$LOG/tap" "127.0.0.1:$SERVER" --reencode --check

    compare psql15 "$PSQL15" -X -f work.sql
    compare psql18 "$PSQL18" -X -f work.sql
    compare psql18-extended "$PSQL18" -X -f work18.sql
    # Before 18 this is the negotiation: NegotiateProtocolVersion.
    compare psql18-3.2 env PGMAXPROTOCOLVERSION=3.2 "$PSQL18" -X -f work.sql
    compare psycopg "$PYTHON" work.py
    compare psycopg-3.2 env PGMAXPROTOCOLVERSION=3.2 "$PYTHON" work.py
    compare node node work.js
    compare logical logical_replication
    check pgbench15 bench "$PGBENCH15"
    check pgbench18 bench "$PGBENCH18"
    check pipeline transactions "$PGBENCH18" -M prepared -f pipeline.pgbench
    check basebackup base_backup
    check dump dump
    check psql-cancel cancelled 3.0
    check psql-cancel-3.2 cancelled 3.2
    [ "$MAJOR" != 18 ] || check protocol-3.2 long_key
    check peers bad_peers
    check dead-server dead_server
    check port-in-use port_in_use
    check still-alive env PGPORT="$TAP" "$PSQL15" -X -c 'select 1'

    stop_taps
    check summary no_differences
    check expected nothing_unexpected
    echo "PostgreSQL $MAJOR: $CHECKS checks, $FAILED_HERE failed, $((SECONDS - began)) s; $(grep -o 'connections=.*' "$LOG/tap.err")"
}

# --- pg_tap itself

no_differences() {
    cat "$LOG/tap.err"
    # Many more have been there; a tap that counts none has not looked.
    grep -Eq '^pg_tap: connections=[0-9]{2,} messages=[0-9]+ differences=0$' "$LOG/tap.err"
}

# What clients and servers sent could come where it came, and at their ends all connections were in step. Those that were
# cut while something was owed are no exception: what is owed is known.
nothing_unexpected() {
    grep -E '^unexpected' "$LOG/tap.out" && return 1
    grep -E '^connection [0-9]+:' "$LOG/tap.out" | grep -v 'in step yes$' && return 1
    [ "$(grep -cE '^connection [0-9]+: [0-9]+ messages, 0 unexpected, owed [0-9]+\.\.[0-9]+, in step yes$' "$LOG/tap.out")" -ge 10 ]
}

dead_server() {
    local mine=$TAP dead pid rc=0
    dead=$(free_ports 1)
    start_tap "$LOG/dead" "127.0.0.1:$dead" --reencode
    pid=${TAPS[-1]}
    for _ in 1 2; do
        rc=0
        PGPORT=$TAP timeout 30 "$PSQL18" -X -c 'select 1' || rc=$?
        # 2: psql could not connect.
        [ $rc = 2 ] || { echo "psql ended with $rc"; rc=bad; break; }
    done
    kill -0 "$pid" || rc=gone
    kill -TERM "$pid"
    wait "$pid" || true
    unset 'TAPS[-1]'
    TAP=$mine
    [ "$rc" = 2 ]
}

# Through a tap of their own: what they send cannot be parsed, and pg_tap counts it as a difference.
bad_peers() {
    local mine=$TAP rc=0
    start_tap "$LOG/peers" "127.0.0.1:$SERVER" --reencode
    PGPORT=$TAP "$PYTHON" peers.py && PGPORT=$TAP "$PSQL15" -X -c 'select 1' || rc=$?
    kill -TERM "${TAPS[-1]}"
    wait "${TAPS[-1]}" || true
    unset 'TAPS[-1]'
    TAP=$mine
    return $rc
}

port_in_use() {
    local rc=0
    timeout 10 "$PG_TAP" --listen "127.0.0.1:$TAP" --server "127.0.0.1:$SERVER" >"$LOG/in-use.out" 2>"$LOG/in-use.err" || rc=$?
    echo "ended with $rc and said: $(cat "$LOG/in-use.err")"
    [ $rc != 0 ] && [ $rc != 124 ] && [ -s "$LOG/in-use.err" ]
}

# --- clients that need more than one command

# bench PGBENCH: its own tables, made with COPY, then its transactions in every query mode.
bench() {
    local mode
    PGPORT=$TAP timeout "$PATIENCE" "$1" -i -q -s 1 bench || return 1
    for mode in simple extended prepared; do
        transactions "$1" -M "$mode" || return 1
    done
}

# CopyBoth: a change stream, up to a place.
logical_replication() {
    local place psql=("$PSQL18" -X -q -A -t)
    local receive=(timeout "$PATIENCE" "$PG_RECVLOGICAL" -d postgres --slot tap)
    "${receive[@]}" --create-slot -P test_decoding || return 1
    "${psql[@]}" <<'SQL'
create table stream (id int primary key, v text);
insert into stream select n, 'v' || n from generate_series(1, 500) n;
insert into stream values (1000, repeat('x', 100000));
update stream set v = 'new' where id < 4;
delete from stream where id = 5;
drop table stream;
SQL
    place=$("${psql[@]}" -c 'select pg_current_wal_lsn()')
    "${receive[@]}" --start -o include-xids=0 -o skip-empty-xacts=1 --endpos "$place" --no-loop --status-interval=1 -f - || return 1
    "${receive[@]}" --drop-slot
}

# CopyOut and, on a second connection, physical replication.
base_backup() {
    PGPORT=$TAP timeout "$PATIENCE" "$PG_BASEBACKUP" -D "$LOG/base" -X stream -c fast &&
        [ "$(cat "$LOG/base/PG_VERSION")" = "$MAJOR" ]
    local rc=$?
    rm -rf "$LOG/base"
    return $rc
}

dump() {
    PGPORT=$TAP timeout "$PATIENCE" "$PG_DUMP" postgres >"$LOG/dump.sql" && grep -q 'PostgreSQL database dump complete' "$LOG/dump.sql"
}

# psql sends a cancellation when it is interrupted, as by Ctrl-C.
cancelled() {
    local began=$SECONDS
    # `timeout` is told to stay in the foreground, for in a script an asynchronous psql would ignore the signal.
    PGMAXPROTOCOLVERSION=$1 PGPORT=$TAP timeout --foreground --signal=INT --kill-after=25 1 \
        "$PSQL18" -X -c 'select pg_sleep(30)' 2>&1 | tee "$LOG/cancelled"
    [ $((SECONDS - began)) -lt 15 ] && grep -q 'canceling statement due to user request' "$LOG/cancelled"
}

# 18 accepts 3.2, whose BackendKeyData has a secret key of 32 bytes: with the length and the process id, 40.
long_key() {
    local version
    version=$(PGPORT=$TAP PGMINPROTOCOLVERSION=3.2 PGMAXPROTOCOLVERSION=3.2 "$PSQL18" -X -A -t -c '\conninfo') || return 1
    echo "$version"
    grep -Eq 'Protocol Version\|3\.2' <<<"$version" || return 1
    grep -E 'B[[:space:]]+40[[:space:]]+BackendKeyData' "$LOG/tap.out"
}

main "$@"
