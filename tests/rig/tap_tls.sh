#!/usr/bin/env bash
# pg_tap with TLS toward its clients, toward the server, both, and neither: what real clients print must be what they
# print when they talk to the server directly, and whoever has to be refused is refused with an error that says why.
#
#   tap_tls.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote; its servers are set to `ssl = on` for
#                                 a while. The logs stay in target/tap_tls/MAJOR
#
# PG_TAP is the program to test (target/release/examples/pg_tap).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$REPO/tests/rig/clients.sh"
# shellcheck source=tests/rig/tapped.sh
. "$REPO/tests/rig/tapped.sh"

# The libpq of the programs from PyPI knows no TLS; that of the server 18 does.
TLS18=(env "LD_PRELOAD=$RIGS/servers/18/lib/libpq.so.5")
PSQL18=("${TLS18[@]}" "$PSQL18")
PGBENCH18=("${TLS18[@]}" "$PGBENCH18")
WORK=$(mktemp -d)
ONE=(-X -A -t -c 'select 1')

main() {
    local ports=$1 data name
    shift
    need_command openssl openssl
    data=$(cat "$(dirname "$ports")/data")
    for name in tap server other; do certificate "$name"; done
    cat "$WORK/tap.crt" "$WORK/server.crt" >"$WORK/both.crt"
    trap 'stop_taps; switch_off; rm -rf "$WORK"' EXIT
    # shellcheck disable=SC2046 # a list
    [ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$ports")
    for MAJOR in "$@"; do
        SERVER=$(awk -v major="$MAJOR" '$1 == major { print $2 }' "$ports")
        [ -n "$SERVER" ] || die "no server $MAJOR in $ports"
        try_version "$data/$MAJOR"
    done
    [ "$FAILURES" = 0 ] || die "$FAILURES checks failed; see target/tap_tls"
}

# With both names, as libpq 15 and newer know addresses in certificates.
certificate() {
    quiet openssl req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj "/CN=$1" \
        -addext subjectAltName=DNS:db.example,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
        -keyout "$WORK/$1.key" -out "$WORK/$1.crt"
}

try_version() {
    local began=$SECONDS
    DATA=$1 LOG=$REPO/target/tap_tls/$MAJOR FAILED_HERE=0 CHECKS=0
    rm -rf "$LOG"
    mkdir -p "$LOG"
    check server-without-tls server_without_tls
    check prepare env PGPORT="$SERVER" "$PGBENCH15" -i -q -s 1 bench
    switch_on
    all_clients none prefer
    all_clients server prefer --server-tls require
    all_clients client require --tls-cert "$WORK/tap.crt" --tls-key "$WORK/tap.key"
    # Since PostgreSQL 11 there is channel binding, which no client can have here.
    [ "$MAJOR" = 10 ] || export PGCHANNELBINDING=disable
    all_clients both require --tls-cert "$WORK/tap.crt" --tls-key "$WORK/tap.key" \
        --server-tls verify-full --server-ca "$WORK/server.crt"
    unset PGCHANNELBINDING
    check client-verifies client_verifies
    check server-verified server_verified
    check direct direct
    check binding binding
    switch_off
    echo "PostgreSQL $MAJOR: $CHECKS checks, $FAILED_HERE failed, $((SECONDS - began)) s"
}

# The server reads its certificate when it is told to, and a moment later.
switch_on() {
    local owner
    owner=$(stat -c %U "$DATA")
    install -m 600 -o "$owner" "$WORK/server.crt" "$DATA/server.crt"
    install -m 600 -o "$owner" "$WORK/server.key" "$DATA/server.key"
    printf 'ssl = on\n' >"$DATA/postgresql.auto.conf"
    kill -HUP "$(head -1 "$DATA/postmaster.pid")"
    for _ in $(seq 50); do
        ! PGSSLMODE=require "$PSQL15" -p "$SERVER" "${ONE[@]}" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    die "the server $MAJOR does not take its certificate"
}

switch_off() {
    [ -n "${DATA:-}" ] || return 0
    : >"$DATA/postgresql.auto.conf"
    kill -HUP "$(head -1 "$DATA/postmaster.pid")" 2>/dev/null || true
}

# all_clients NAME SSLMODE OPTION...
all_clients() {
    local name=$1 mode=$2
    shift 2
    start_tap "$LOG/$name.tap" "127.0.0.1:$SERVER" "$@"
    export PGSSLMODE=$mode
    compare "$name.psql15" "$PSQL15" -X -f work.sql
    compare "$name.psql18" "${PSQL18[@]}" -X -f work18.sql
    case $name in
    none | server) compare "$name.psycopg" psycopg_in_clear ;;
    *) compare "$name.psycopg" "$PYTHON" work.py ;;
    esac
    # To it, `prefer` is the same as `require`, which is nearly `verify-full`.
    compare "$name.node" env PGSSLMODE="${mode/prefer/disable}" NODE_EXTRA_CA_CERTS="$WORK/both.crt" node work.js
    check "$name.pgbench15" transactions "$PGBENCH15" -M prepared
    check "$name.pgbench18" transactions "${PGBENCH18[@]}" -M extended
    check "$name.cancel15" cancelled "$PSQL15"
    check "$name.cancel18" cancelled "${PSQL18[@]}"
    check "$name.encrypted" encrypted "$name"
    unset PGSSLMODE
    stop_taps
}

# It asks for TLS in one place, which the server has and pg_tap has not.
psycopg_in_clear() { timeout "$PATIENCE" "$PYTHON" work.py | sed '/^require /d'; }

# Both sides say themselves whether they are encrypted.
encrypted() {
    local client server
    client=$(PGPORT=$TAP "$PSQL15" -X -c '\conninfo' | grep -c '^SSL connection' || true)
    server=$(PGPORT=$TAP "$PSQL15" -X -A -t -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    echo "client $client server $server"
    case $1 in
    none) [ "$client$server" = 0f ] ;;
    client) [ "$client$server" = 1f ] ;;
    server) [ "$client$server" = 0t ] ;;
    both) [ "$client$server" = 1t ] ;;
    esac
}

# psql sends a cancellation when it is interrupted: libpq 17 and newer encrypts it.
cancelled() {
    local began=$SECONDS
    PGPORT=$TAP timeout --foreground --signal=INT --kill-after=25 1 "$@" -X -c 'select pg_sleep(30)' 2>&1 |
        tee "$LOG/cancelled"
    [ $((SECONDS - began)) -lt 15 ] && grep -q 'canceling statement due to user request' "$LOG/cancelled"
}

# with_tap OPTION... -- COMMAND...: through a tap of its own.
with_tap() {
    local rc=0 options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    start_tap "$LOG/with.tap" "127.0.0.1:$SERVER" "${options[@]}"
    PGPORT=$TAP timeout 30 "$@" >"$LOG/with.out" 2>&1 || rc=$?
    stop_taps
    echo "$* (${options[*]}): $rc"
    cat "$LOG/with.out"
    return $rc
}

# fails PATTERN OPTION... -- COMMAND...: and says so.
fails() {
    local pattern=$1 rc=0
    shift
    with_tap "$@" || rc=$?
    [ "$rc" = 2 ] && grep -Eq -- "$pattern" "$LOG/with.out"
}

server_without_tls() {
    fails 'FATAL:  could not connect to 127.0.0.1:[0-9]*: the server does not encrypt' --server-tls require \
        -- "${PSQL18[@]}" "${ONE[@]}"
}

client_verifies() {
    local tap=(--tls-cert "$WORK/tap.crt" --tls-key "$WORK/tap.key") psql
    for psql in PSQL15 PSQL18; do
        local -n program=$psql
        with_tap "${tap[@]}" -- env PGSSLMODE=verify-full PGSSLROOTCERT="$WORK/tap.crt" "${program[@]}" "${ONE[@]}" &&
            fails 'certificate verify failed' "${tap[@]}" \
                -- env PGSSLMODE=verify-full PGSSLROOTCERT="$WORK/server.crt" "${program[@]}" "${ONE[@]}" &&
            fails 'server does not support SSL' -- env PGSSLMODE=require "${program[@]}" "${ONE[@]}" || return 1
    done
}

server_verified() {
    local verify=(--server-tls verify-full --server-ca)
    with_tap "${verify[@]}" "$WORK/server.crt" -- "$PSQL15" "${ONE[@]}" &&
        with_tap "${verify[@]}" "$WORK/server.crt" --server-name db.example -- "$PSQL15" "${ONE[@]}" &&
        fails 'FATAL:  could not connect to .*: TLS: invalid peer certificate' "${verify[@]}" "$WORK/other.crt" \
            -- "$PSQL15" "${ONE[@]}" &&
        fails 'not valid for name "evil.example"' "${verify[@]}" "$WORK/server.crt" --server-name evil.example \
            -- "$PSQL15" "${ONE[@]}"
}

# TLS from the first byte on: a client's, whatever the server is, and the server's since 17.
direct() {
    local tap=(--tls-cert "$WORK/tap.crt" --tls-key "$WORK/tap.key") server=(--server-tls require --server-direct)
    local psql=(env PGSSLMODE=verify-full PGSSLROOTCERT="$WORK/tap.crt" PGSSLNEGOTIATION=direct
        "${PSQL18[@]}" "${ONE[@]}")
    with_tap "${tap[@]}" -- "${psql[@]}" && fails 'closed|SSL|reset' -- "${psql[@]}" || return 1
    if [ "$MAJOR" -ge 17 ]; then
        with_tap "${server[@]}" -- "$PSQL15" "${ONE[@]}" &&
            with_tap "${tap[@]}" "${server[@]}" -- env PGCHANNELBINDING=disable "${psql[@]}"
    else
        fails 'FATAL:  could not connect to' "${server[@]}" -- "$PSQL15" "${ONE[@]}"
    fi
}

# SCRAM-SHA-256-PLUS passes only where both sides see one certificate. The default is `prefer`.
binding() {
    local client=(--tls-cert "$WORK/tap.crt" --tls-key "$WORK/tap.key") server=(--server-tls require) psql
    local own=(--tls-cert "$WORK/server.crt" --tls-key "$WORK/server.key" --server-tls require)
    for psql in PSQL15 PSQL18; do
        local -n program=$psql
        local insists=(env PGSSLMODE=require PGCHANNELBINDING=require "${program[@]}" "${ONE[@]}")
        local prefers=(env PGSSLMODE=require "${program[@]}" "${ONE[@]}")
        local rejects=(env PGSSLMODE=require PGCHANNELBINDING=disable "${program[@]}" "${ONE[@]}")
        with_tap "${client[@]}" -- "${prefers[@]}" &&
            fails 'channel binding (is )?required' "${client[@]}" -- "${insists[@]}" &&
            with_tap "${server[@]}" -- "${program[@]}" "${ONE[@]}" &&
            fails 'channel binding (is )?required' "${client[@]}" "${server[@]}" -- "${insists[@]}" &&
            with_tap "${client[@]}" "${server[@]}" -- "${rejects[@]}" &&
            with_tap "${own[@]}" -- "${prefers[@]}" || return 1
        if [ "$MAJOR" = 10 ]; then
            with_tap "${client[@]}" "${server[@]}" -- "${prefers[@]}" || return 1
        else
            fails 'HINT:  pg_tap ends TLS.*channel_binding=disable' "${client[@]}" "${server[@]}" -- "${prefers[@]}" &&
                with_tap "${own[@]}" -- "${insists[@]}" || return 1
        fi
    done
}

main "$@"
