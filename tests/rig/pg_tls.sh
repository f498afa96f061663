#!/usr/bin/env bash
# PostgreSQL's TLS, with real peers: our client's side with real servers, and psql with our server's side.
#
#   pg_tls.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote; its servers are set to `ssl = on`
#
# PG_TLS_PEER is the program to test (target/release/examples/pg_tls_peer, of feedrate-io with the feature `pg-tls`).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$(dirname "${BASH_SOURCE[0]}")/clients.sh"

# The libpq of the psql from PyPI knows no TLS; that of the server 18 does.
PSQL18_TLS=(env "LD_PRELOAD=$RIGS/servers/18/lib/libpq.so.5" "$PSQL18")
PEER=${PG_TLS_PEER:-$REPO/target/release/examples/pg_tls_peer}
NAME=db.example
WORK=$(mktemp -d)
SERVING=
trap 'end_serving; rm -rf "$WORK"' EXIT
FAILURES=0
CHECKS=0
export PGPASSWORD=secret PGUSER=scramuser PGDATABASE=postgres PGCONNECT_TIMEOUT=10

main() {
    local ports=$1 major port data kind
    shift
    need_command openssl openssl
    data=$(cat "$(dirname "$ports")/data")
    # shellcheck disable=SC2046 # a list
    [ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$ports")
    certificate rsa -newkey rsa:2048 -sha256
    certificate ecdsa -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384
    certificate rsa512 -newkey rsa:2048 -sha512
    certificate ed25519 -newkey ed25519
    for major in "$@"; do
        port=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
        [ -n "$port" ] || die "no server $major in $ports"
        try_in_clear "$major" "$port"
        for kind in rsa ecdsa rsa512 ed25519; do
            switch_on "$data/$major" "$kind" "$port"
            try_our_client "$major" "$port" "$kind"
        done
        for kind in rsa ecdsa ed25519; do try_our_server "$major" "$port" "$kind"; done
        switch_off "$data/$major"
    done
    echo "pg_tls: $CHECKS checks, $FAILURES failed"
    [ "$FAILURES" = 0 ]
}

# certificate KIND KEY-OPTION...
certificate() {
    local kind=$1
    shift
    quiet openssl req -x509 -nodes -days 2 -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME" \
        -addext basicConstraints=critical,CA:FALSE -keyout "$WORK/$kind.key" -out "$WORK/$kind.crt" "$@"
}

# check WHAT EXPECTED-PATTERN FILE
check() {
    CHECKS=$((CHECKS + 1))
    grep -qE -- "$2" "$3" && return
    FAILURES=$((FAILURES + 1))
    say "FAILED: $1; expected $2, found:"
    cat "$3" >&2
}

# switch_on DATA KIND PORT: the server reads its certificate when it is told to, and a moment later.
switch_on() {
    local owner
    owner=$(stat -c %U "$1")
    install -m 600 -o "$owner" "$WORK/$2.crt" "$1/server.crt"
    install -m 600 -o "$owner" "$WORK/$2.key" "$1/server.key"
    printf 'ssl = on\n' >"$1/postgresql.auto.conf"
    kill -HUP "$(head -1 "$1/postmaster.pid")"
    for _ in $(seq 50); do
        ! query "127.0.0.1:$3" "$NAME" "$2" require trustuser 'select 1' || return 0
        sleep 0.1
    done
    die "the server does not take its certificate: $(cat "$WORK/err")"
}

switch_off() {
    : >"$1/postgresql.auto.conf"
    kill -HUP "$(head -1 "$1/postmaster.pid")"
}

# query ADDRESS NAME KIND MODE USER SQL
query() { "$PEER" query "$1" "$2" "$WORK/$3.crt" "$4" "$5" "$6" >"$WORK/out" 2>"$WORK/err"; }

SSL='select ssl from pg_stat_ssl where pid = pg_backend_pid()'

try_in_clear() {
    query "127.0.0.1:$2" "$NAME" rsa prefer scramuser "$SSL" || true
    check "$1: a client that prefers goes on in clear" '^f$' "$WORK/out"
    query "127.0.0.1:$2" "$NAME" rsa require scramuser "$SSL" || true
    check "$1: a client that insists does not" 'does not encrypt' "$WORK/err"
}

try_our_client() {
    local major=$1 address=127.0.0.1:$2 kind=$3 mode modes=(prefer require)
    [ "$major" -lt 17 ] || modes+=(direct)
    for mode in "${modes[@]}"; do
        query "$address" "$NAME" "$kind" "$mode" scramuser "$SSL" || cat "$WORK/err" >&2
        check "$major, $kind, $mode: encrypted" '^t$' "$WORK/out"
        # Of Ed25519 there is no hash.
        # Since PostgreSQL 11 there is channel binding.
        if [ "$kind" = ed25519 ] || [ "$major" = 10 ]; then
            check "$major, $kind, $mode: not bound to the certificate" '^SCRAM-SHA-256$' "$WORK/err"
        else
            check "$major, $kind, $mode: bound to the certificate" '^SCRAM-SHA-256-PLUS$' "$WORK/err"
        fi
        query "$address" "$NAME" "$kind" "$mode" trustuser \
            "select repeat('x', 1000) from generate_series(1, 3000)" || cat "$WORK/err" >&2
        sort "$WORK/out" | uniq -c | awk '{ print $1, length($2) }' >"$WORK/rows"
        check "$major, $kind, $mode: three thousand rows" '^3000 1000$' "$WORK/rows"
    done
    query "$address" evil.example "$kind" require trustuser "$SSL" || true
    check "$major, $kind: another name is refused" 'not valid for name' "$WORK/err"
    [ "$major" -ge 17 ] || {
        query "$address" "$NAME" "$kind" direct trustuser "$SSL" || true
        check "$major: it knows no direct TLS" 'error|Error|eof|reset' "$WORK/err"
    }
}

try_our_server() {
    local major=$1 kind=$3 port psql version
    rm -f "$WORK/port"
    "$PEER" serve "127.0.0.1:$2" "$WORK/$kind.crt" "$WORK/$kind.key" >"$WORK/port" 2>"$WORK/served" &
    SERVING=$!
    for _ in $(seq 50); do
        [ ! -s "$WORK/port" ] || break
        sleep 0.1
    done
    port=$(cat "$WORK/port")
    for psql in psql15 psql18; do
        ask $psql "$port" sslmode=require "$major, $kind"
        ask $psql "$port" "sslmode=verify-full sslrootcert=$WORK/$kind.crt" "$major, $kind"
        ask $psql "$port" sslmode=disable "$major, $kind"
    done
    ask psql18 "$port" "sslmode=verify-full sslrootcert=$WORK/$kind.crt sslnegotiation=direct" "$major, $kind"
    # Cancelling is a connection of its own, which libpq 17 and newer encrypts as well.
    timeout -s INT 2 "$BASH" -c '"$@"' - "${PSQL18_TLS[@]}" "host=$NAME hostaddr=127.0.0.1 port=$port sslmode=require" \
        -Atc 'select pg_sleep(15)' >"$WORK/out" 2>&1 || true
    check "$major, $kind: a cancel request arrives" 'canceling statement due to user request' "$WORK/out"
    end_serving
    check "$major, $kind: TLS was served" '^TLS$' "$WORK/served"
    check "$major, $kind: and clear" '^clear$' "$WORK/served"
    if grep error: "$WORK/served" >&2; then FAILURES=$((FAILURES + 1)); fi
}

psql15() { "$PSQL15" "$@"; }
psql18() { "${PSQL18_TLS[@]}" "$@"; }

# ask PSQL PORT OPTIONS WHAT: psql has what it asked for, and says that it is encrypted if it is to be.
ask() {
    local what="$1 through $4: $3" encrypted='SSL connection|SSL Connection.*true'
    [ "$3" != sslmode=disable ] || encrypted='connected to database|SSL Connection.*false'
    "$1" "host=$NAME hostaddr=127.0.0.1 port=$2 $3" -At -c '\conninfo' \
        -c "select count(*), sum(n) from generate_series(1, 200000) n" -c "select length(repeat('x', 100000))" \
        -c "select repeat('x', 1000) from generate_series(1, 3000)" >"$WORK/all" 2>&1 || true
    grep -v '^x*$' "$WORK/all" >"$WORK/out" || true
    grep -c '^x\{1000\}$' "$WORK/all" >>"$WORK/out" || true
    check "$what: an answer" '^200000\|20000100000$' "$WORK/out"
    check "$what: a long answer" '^3000$' "$WORK/out"
    check "$what: how it is connected" "$encrypted" "$WORK/out"
}

end_serving() {
    [ -n "$SERVING" ] || return 0
    kill "$SERVING" 2>/dev/null || true
    wait "$SERVING" 2>/dev/null || true
    SERVING=
}

main "$@"
