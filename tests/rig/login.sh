#!/usr/bin/env bash
# Logging in to real servers, by every method, sslmode and version of the protocol: pg_client beside libpq 18.
#
#   login.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote; the servers' settings are changed
#
# Every connection string goes to psql 18 and to pg_client: both get in or neither does, with the same TLS, and where they
# are refused, pg_client says why. What libpq cannot show (a downgrade, clear bytes behind `S`) is in
# crates/feedrate-io/tests.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/rig/clients.sh
. "$(dirname "${BASH_SOURCE[0]}")/clients.sh"

# The libpq of the psql from PyPI knows no TLS; that of the server 18 does.
LIBPQ=(env "LD_PRELOAD=$RIGS/servers/18/lib/libpq.so.5" "$PSQL18" -XAtq)
CLIENT=${PG_CLIENT:-$REPO/target/release/examples/pg_client}
NAME=db.example
WORK=$(mktemp -d)
chmod 755 "$WORK"
trap 'rm -rf "$WORK"' EXIT
CHECKS=0
FAILURES=0
export HOME=$WORK PGCONNECT_TIMEOUT=10
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSSLMODE 2>/dev/null || true

SQL="select coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false), current_user"

main() {
    local ports=$1 major port data
    shift
    need_command openssl openssl
    data=$(cat "$(dirname "$ports")/data")
    # shellcheck disable=SC2046 # a list
    [ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$ports")
    certificates
    for major in "$@"; do
        port=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
        [ -n "$port" ] || die "no server $major in $ports"
        server "$major" "$port" "$data/$major"
        say "login, PostgreSQL $major: $CHECKS checks so far, $FAILURES failed"
    done
    echo "login: $CHECKS checks, $FAILURES failed"
    [ "$FAILURES" = 0 ]
}

# An authority, the server's certificate, one of another authority, and a client's.
certificates() {
    authority ca
    authority other
    issue server ca "$NAME" "subjectAltName=DNS:$NAME"
    issue client ca certuser "extendedKeyUsage=clientAuth"
}

authority() {
    quiet openssl req -x509 -nodes -days 2 -newkey rsa:2048 -sha256 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -keyout "$WORK/$1.key" -out "$WORK/$1.crt"
}

# issue NAME AUTHORITY SUBJECT EXTENSION
issue() {
    quiet openssl req -nodes -newkey rsa:2048 -sha256 -subj "/CN=$3" -keyout "$WORK/$1.key" -out "$WORK/$1.csr"
    printf '%s\n' "$4" >"$WORK/$1.ext"
    quiet openssl x509 -req -days 2 -sha256 -in "$WORK/$1.csr" -CA "$WORK/$2.crt" -CAkey "$WORK/$2.key" \
        -CAcreateserial -extfile "$WORK/$1.ext" -out "$WORK/$1.crt"
    chmod 600 "$WORK/$1.key"
}

server() {
    local major=$1 port=$2 data=$3 owner hba
    owner=$(stat -c %U "$data")
    install -m 600 -o "$owner" "$WORK/server.crt" "$data/server.crt"
    install -m 600 -o "$owner" "$WORK/server.key" "$data/server.key"
    install -m 600 -o "$owner" "$WORK/ca.crt" "$data/root.crt"
    cp -p "$data/pg_hba.conf" "$WORK/hba.kept"
    BASE="hostaddr=127.0.0.1 port=$port dbname=postgres host=$NAME"

    settings "$data" "" $'host all all 127.0.0.1/32 scram-sha-256\n'
    wait_for "$port" disable
    without_tls "$major"

    hba=$'hostssl all certuser 127.0.0.1/32 cert\n'
    hba+=$'hostssl all tlsuser 127.0.0.1/32 scram-sha-256\nhostnossl all tlsuser 127.0.0.1/32 reject\n'
    hba+=$'hostssl all clearuser 127.0.0.1/32 reject\nhostnossl all clearuser 127.0.0.1/32 scram-sha-256\n'
    hba+=$'host all md5user 127.0.0.1/32 md5\nhost all plainuser 127.0.0.1/32 password\n'
    hba+=$'host all trustuser 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n'
    settings "$data" "ssl = on
ssl_ca_file = 'root.crt'" "$hba"
    wait_for "$port" require
    for role in certuser tlsuser clearuser; do
        # Which of the attempts made it does not matter.
        "${LIBPQ[@]}" "$BASE user=postgres password=secret sslmode=require" \
            -c "create role $role login password 'secret'" >/dev/null 2>&1 || true
    done
    methods "$major"
    modes "$major"
    versions "$major"
    bindings "$major"
    identities "$major"
    strings "$major" "$port"

    cp -p "$WORK/hba.kept" "$data/pg_hba.conf"
    settings "$data" "" "$(cat "$WORK/hba.kept")"$'\n'
}

# settings DATA CONFIGURATION HBA
settings() {
    printf '%s\n' "$2" >"$1/postgresql.auto.conf"
    printf '%s' "$3" >"$1/pg_hba.conf"
    kill -HUP "$(head -1 "$1/postmaster.pid")"
}

# The server reads its settings a moment later.
wait_for() {
    for _ in $(seq 50); do
        ! "${LIBPQ[@]}" "$BASE user=postgres password=secret sslmode=$2" -c 'select 1' >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    die "the server on port $1 is not there with sslmode=$2"
}

# both WHAT SETTINGS: libpq and pg_client come to the same end.
both() {
    local what="$1: $2" theirs=0 ours=0
    CHECKS=$((CHECKS + 1))
    "${LIBPQ[@]}" "$BASE $2" -c "$SQL" >"$WORK/theirs" 2>"$WORK/theirs.err" </dev/null || theirs=$?
    "$CLIENT" "$BASE $2" "$SQL" >"$WORK/table" 2>"$WORK/ours.err" </dev/null || ours=$?
    # Of the aligned table, as psql -At has it.
    sed -n '3s/^ *\([tf]\) *| *\([^ ]*\) *$/\1|\2/p' "$WORK/table" >"$WORK/ours"
    if [ "$theirs" != "$ours" ] || ! cmp -s "$WORK/theirs" "$WORK/ours"; then
        failed "$what: libpq $theirs $(cat "$WORK/theirs") $(cat "$WORK/theirs.err"); pg_client $ours $(cat "$WORK/table" "$WORK/ours.err")"
    elif [ "$ours" != 0 ] && ! grep -q '[a-z]' "$WORK/ours.err"; then
        failed "$what: pg_client does not say why it failed"
    fi
}

# refused WHAT SETTINGS PATTERN: and pg_client says why.
refused() {
    both "$1" "$2"
    grep -qE -- "$3" "$WORK/ours.err" || failed "$1: $2: expected $3, found $(cat "$WORK/ours" "$WORK/ours.err")"
}

# accepted WHAT SETTINGS EXPECTED
accepted() {
    both "$1" "$2"
    [ "$(cat "$WORK/ours")" = "$3" ] || failed "$1: $2: expected $3, found $(cat "$WORK/ours" "$WORK/ours.err")"
}

failed() {
    FAILURES=$((FAILURES + 1))
    say "FAILED: $1"
}

MODES="disable allow prefer require verify-ca verify-full"

without_tls() {
    local mode
    for mode in $MODES; do
        both "$1 without TLS" "user=postgres password=secret sslmode=$mode sslrootcert=$WORK/ca.crt"
    done
    [ "$1" -lt 17 ] || both "$1 without TLS" "user=postgres password=secret sslmode=require sslnegotiation=direct"
}

methods() {
    local mode user
    for mode in disable require; do
        for user in postgres scramuser md5user plainuser trustuser; do
            both "$1" "user=$user password=secret sslmode=$mode"
            [ $user = trustuser ] && continue
            refused "$1, wrong" "user=$user password=wrong sslmode=$mode" 'password authentication failed'
            refused "$1, none" "user=$user sslmode=$mode" 'password'
        done
        refused "$1" "user=nobody password=secret sslmode=$mode" 'password authentication failed'
    done
    for user in postgres md5user plainuser trustuser; do
        for method in scram-sha-256 md5 password none '!none' '!password,!md5' 'scram-sha-256,md5'; do
            both "$1" "user=$user password=secret sslmode=require require_auth='$method'"
        done
    done
    refused "$1, downgrade" "user=plainuser password=secret sslmode=require require_auth=scram-sha-256" 'asks for password, expected'
}

modes() {
    local mode user root
    for mode in $MODES; do
        for user in postgres tlsuser clearuser; do
            for root in "" "sslrootcert=$WORK/ca.crt" "sslrootcert=$WORK/other.crt"; do
                both "$1" "user=$user password=secret sslmode=$mode $root"
            done
        done
        [ "$1" -lt 17 ] ||
            both "$1" "user=postgres password=secret sslmode=$mode sslrootcert=$WORK/ca.crt sslnegotiation=direct"
    done
    # Another name than the certificate's.
    for mode in verify-ca verify-full; do
        both "$1" "user=postgres password=secret sslmode=$mode sslrootcert=$WORK/ca.crt host=evil.example"
    done
}

versions() {
    local version
    for version in 3.0 3.2 latest; do
        both "$1" "user=postgres password=secret sslmode=require max_protocol_version=$version"
        both "$1" "user=postgres password=secret sslmode=disable min_protocol_version=$version"
    done
}

bindings() {
    local binding user mode
    for binding in disable prefer require; do
        for user in postgres md5user plainuser trustuser; do
            for mode in disable require; do
                both "$1" "user=$user password=secret sslmode=$mode channel_binding=$binding"
            done
        done
    done
    refused "$1" "user=postgres password=secret sslmode=disable channel_binding=require" 'channel binding|channel_binding'
}

identities() {
    local mine="sslcert=$WORK/client.crt sslkey=$WORK/client.key"
    accepted "$1, certificate" "user=certuser sslmode=require $mine" 't|certuser'
    both "$1, no certificate" "user=certuser sslmode=require"
    both "$1, certificate of another" "user=postgres password=wrong sslmode=require $mine"
}

# The same through a URI, a service file, .pgpass and the environment.
strings() {
    local port=$2
    cat >"$WORK/.pg_service.conf" <<SERVICE
[here]
hostaddr=127.0.0.1
port=$port
dbname=postgres
user=scramuser
password=secret
SERVICE
    printf '127.0.0.1:%s:postgres:postgres:secret\n' "$port" >"$WORK/.pgpass"
    chmod 600 "$WORK/.pgpass"
    BASE="service=here" accepted "$1, service" "sslmode=disable" 'f|scramuser'
    BASE="host=127.0.0.1 port=$port" accepted "$1, .pgpass" "dbname=postgres user=postgres sslmode=disable" 'f|postgres'
    BASE="host=nowhere.invalid,127.0.0.1 port=1,$port" accepted "$1, two hosts" \
        "dbname=postgres user=postgres password=secret sslmode=disable" 'f|postgres'
    BASE="host=127.0.0.1 port=$port dbname=postgres user=postgres password=secret sslmode=disable" \
        accepted "$1, read-write" target_session_attrs=read-write 'f|postgres'
    BASE="host=127.0.0.1 port=$port dbname=postgres user=postgres password=secret sslmode=disable" \
        both "$1, standby" target_session_attrs=standby
    BASE="host=127.0.0.1 port=$port dbname=postgres user=postgres password=secret sslmode=disable" \
        accepted "$1, prefer-standby" target_session_attrs=prefer-standby 'f|postgres'
    rm "$WORK/.pgpass" "$WORK/.pg_service.conf"
}

main "$@"
