#!/usr/bin/env bash
# The server's half of authentication, with libpq 15 and 18: every method, right and wrong, known and unknown.
#
#   auth.sh
#
# AUTH_SERVER is the program to test (target/release/examples/auth_server, of feedrate-pg).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$(dirname "${BASH_SOURCE[0]}")/clients.sh"

SERVER=${AUTH_SERVER:-$REPO/target/release/examples/auth_server}
WORK=$(mktemp -d)
SERVING=
trap 'end_serving; rm -rf "$WORK"' EXIT
FAILURES=0
CHECKS=0
DENIED='FATAL:  password authentication failed'
export PGCONNECT_TIMEOUT=20

main() {
    local psql
    "$SERVER" >"$WORK/port" 2>"$WORK/log" &
    SERVING=$!
    until [ -s "$WORK/port" ]; do sleep 0.05; done
    PORT=$(cat "$WORK/port")
    for psql in "$PSQL15" "$PSQL18"; do
        passwords "$psql"
        policies "$psql"
    done
    # The libpq of the server 18 and that of PyPI's psql 18.
    for libpq in "$RIGS/servers/18/lib/libpq.so.5" "$(dirname "$PSQL18")/../lib/libpq.so.5"; do bearer "$libpq"; done
    echo "auth: $CHECKS checks, $FAILURES failed"
    [ "$FAILURES" = 0 ]
}

end_serving() {
    [ -z "$SERVING" ] || { kill "$SERVING" && wait "$SERVING"; } 2>/dev/null || true
}

passwords() {
    local psql=$1 user
    for user in trust_alice clear_alice md5_alice scram_alice scram_1 scram_100000; do
        try "$psql" "$user" 'open sesame' '' '^1$'
    done
    try "$psql" trust_alice wrong '' '^1$'
    for user in clear_alice md5_alice scram_alice scram_1 scram_100000; do
        try "$psql" "$user" 'Open sesame' '' "$DENIED"
    done
    for user in clear_eve md5_eve scram_eve; do
        try "$psql" "$user" 'open sesame' '' "$DENIED"
    done
    try "$psql" scram_alice '' '' 'no password supplied'
}

policies() {
    local psql=$1
    try "$psql" scram_alice 'open sesame' channel_binding=disable '^1$'
    try "$psql" scram_alice 'open sesame' channel_binding=require 'channel binding'
    [ "$psql" != "$PSQL15" ] || return 0
    try "$psql" scram_alice 'open sesame' require_auth=scram-sha-256 '^1$'
    try "$psql" scram_1 'open sesame' 'require_auth=!md5,!password' '^1$'
    try "$psql" md5_alice 'open sesame' require_auth=md5 '^1$'
    try "$psql" md5_alice 'open sesame' require_auth=scram-sha-256 'auth.* method.*requirement'
    try "$psql" clear_alice 'open sesame' 'require_auth=!password' 'auth.* method.*requirement'
    try "$psql" trust_alice 'open sesame' require_auth=none '^1$'
    try "$psql" trust_alice 'open sesame' require_auth=scram-sha-256 'auth.* method.*requirement'
}

# try PSQL USER PASSWORD OPTIONS EXPECTED-PATTERN
try() {
    PGPASSWORD=$3 "$1" "host=127.0.0.1 port=$PORT user=$2 dbname=x $4" -XAtwc 'select 1' >"$WORK/out" 2>&1 || true
    check "$(basename "$(dirname "$(dirname "$1")")") $2 '$3' $4" "$5"
}

bearer() {
    python3 "$REPO/tests/rig/auth_oauth.py" "$1" "$PORT" token_alice open-sesame >"$WORK/out" 2>&1 || true
    check "$1: the token" '^row: 1$'
    check "$1: where to get one" '^asked: https://localhost:1/.well-known/openid-configuration openid$'
    python3 "$REPO/tests/rig/auth_oauth.py" "$1" "$PORT" token_alice another >"$WORK/out" 2>&1 || true
    check "$1: another token" 'FATAL:  bearer authentication failed'
    python3 "$REPO/tests/rig/auth_oauth.py" "$1" "$PORT" token_alice 'no token' >"$WORK/out" 2>&1 || true
    check "$1: what is no token" 'FATAL:  .*expected auth=Bearer and a token at byte 4'
    python3 "$REPO/tests/rig/auth_oauth.py" "$1" "$PORT" scram_alice open-sesame >"$WORK/out" 2>&1 || true
    check "$1: another method" 'auth.* method.*requirement|server requested.*'
}

# check WHAT EXPECTED-PATTERN
check() {
    CHECKS=$((CHECKS + 1))
    grep -qE -- "$2" "$WORK/out" && return
    FAILURES=$((FAILURES + 1))
    say "FAILED: $1; expected $2, found:"
    cat "$WORK/out" >&2
}

main
