#!/usr/bin/env bash
# SCRAM-SHA-256-PLUS: the server's half, bound to TLS, with libpq 15 and 18.
#
#   pg_plus.sh
#
# PG_PLUS_SERVER is the program to test (target/release/examples/pg_plus_server, of feedrate-io with `pg-tls`).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$(dirname "${BASH_SOURCE[0]}")/clients.sh"

SERVER=${PG_PLUS_SERVER:-$REPO/target/release/examples/pg_plus_server}
WORK=$(mktemp -d)
SERVING=
trap 'end_serving; rm -rf "$WORK"' EXIT
FAILURES=0
CHECKS=0
export PGCONNECT_TIMEOUT=20

main() {
    local kind
    need_command openssl openssl
    certificate rsa -newkey rsa:2048 -sha256
    certificate ecdsa -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384
    certificate rsa512 -newkey rsa:2048 -sha512
    for kind in rsa ecdsa rsa512; do
        "$SERVER" "$WORK/$kind.crt" "$WORK/$kind.key" >"$WORK/port" 2>"$WORK/log" &
        SERVING=$!
        until [ -s "$WORK/port" ]; do sleep 0.05; done
        # The libpq of the psql from PyPI knows no TLS; that of the server 18 does.
        clients "$kind 15" "$PSQL15"
        clients "$kind 18" env "LD_PRELOAD=$RIGS/servers/18/lib/libpq.so.5" "$PSQL18"
        end_serving
        : >"$WORK/port"
    done
    echo "pg_plus: $CHECKS checks, $FAILURES failed"
    [ "$FAILURES" = 0 ]
}

end_serving() {
    [ -z "$SERVING" ] || { kill "$SERVING" && wait "$SERVING"; } 2>/dev/null || true
    SERVING=
}

# certificate KIND KEY-OPTION...
certificate() {
    local kind=$1
    shift
    quiet openssl req -x509 -nodes -days 2 -subj "/CN=db.example" -addext basicConstraints=critical,CA:FALSE \
        -keyout "$WORK/$kind.key" -out "$WORK/$kind.crt" "$@"
}

# clients WHAT PSQL...
clients() {
    local what=$1
    shift
    try "$what" 'open sesame' 'sslmode=require channel_binding=require' '^SELECT 0$' bound "$@"
    try "$what" 'open sesame' 'sslmode=require channel_binding=prefer' '^SELECT 0$' bound "$@"
    try "$what" 'open sesame' 'sslmode=require channel_binding=disable' '^SELECT 0$' - "$@"
    try "$what" 'wrong' 'sslmode=require channel_binding=require' 'password authentication failed' bound "$@"
    try "$what" 'open sesame' 'sslmode=disable channel_binding=prefer' '^SELECT 0$' - "$@"
    try "$what" 'open sesame' 'sslmode=disable channel_binding=require' 'channel binding' - "$@"
}

# try WHAT PASSWORD OPTIONS EXPECTED-PATTERN bound|- PSQL...
try() {
    local what=$1 password=$2 options=$3 expected=$4 bound=$5
    shift 5
    : >"$WORK/log"
    PGPASSWORD=$password "$@" "host=127.0.0.1 port=$(cat "$WORK/port") user=alice dbname=x $options" \
        -XAtc 'select' >"$WORK/out" 2>&1 || true
    CHECKS=$((CHECKS + 1))
    if grep -qE -- "$expected" "$WORK/out"; then
        if [ "$bound" = - ]; then ! grep -q '^bound$' "$WORK/log" && return; else grep -q '^bound$' "$WORK/log" && return; fi
    fi
    FAILURES=$((FAILURES + 1))
    say "FAILED: $what '$password' $options; expected $expected, $bound, found:"
    cat "$WORK/out" "$WORK/log" >&2
}

main
