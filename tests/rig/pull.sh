#!/usr/bin/env bash
# pg_pull, which pulls its messages from a connection on tokio, against real servers: rows, long values, errors, logins.
#
#   pull.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote
#
# PG_PULL is the program to test (target/release/examples/pg_pull).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PG_PULL=${PG_PULL:-$REPO/target/release/examples/pg_pull}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
FAILURES=0

main() {
    local ports=$1 major
    shift
    # shellcheck disable=SC2046 # a list
    [ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$ports")
    for major in "$@"; do
        SERVER=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
        [ -n "$SERVER" ] || die "no server $major in $ports"
        MAJOR=$major CHECKS=0
        try_version
        echo "PostgreSQL $major: $CHECKS checks of pg_pull"
    done
    [ "$FAILURES" = 0 ] || die "$FAILURES checks of pg_pull failed"
}

try_version() {
    seq 100000 | sed 's/.*/"&"\tNULL/' >"$WORK/rows"
    pull 0 trustuser "select n, null from generate_series(1, 100000) n"
    same "a hundred thousand rows" "$WORK/out" "$WORK/rows"
    said "their number" '"SELECT 100000"'

    # Longer than what one read brings, twice in a row, and a short one behind it.
    pull 0 trustuser "select repeat('x', 1 << 20), repeat('yz', 1 << 19), 'end'"
    { printf '"%s"\t"%s"\t"end"\n' "$(printf 'x%.0s' $(seq 1048576))" "$(printf 'yz%.0s' $(seq 524288))"; } >"$WORK/long"
    same "values of 1 MiB" "$WORK/out" "$WORK/long"

    pull 0 trustuser "select null, '', E'a\\tb\\n', '\"', 'möbel'"
    printf '%s\n' 'NULL	""	"a\tb\n"	"\""	"möbel"' >"$WORK/expected"
    same "NULL and what has to be escaped" "$WORK/out" "$WORK/expected"

    pull 0 trustuser "do \$\$ begin raise notice 'mind the gap'; end \$\$"
    said "a notice" 'M "mind the gap"'
    pull 0 trustuser "copy (select 'copied') to stdout"
    printf 'copied\n' >"$WORK/expected"
    same "COPY out" "$WORK/out" "$WORK/expected"
    pull 0 trustuser " "
    pull 0 trustuser "select 1; select 2"
    printf '"1"\n"2"\n' >"$WORK/expected"
    same "two queries in one" "$WORK/out" "$WORK/expected"

    pull 1 trustuser "select * from no_such_table"
    said "a query that fails" 'C "42P01"'
    said "where it fails" 'P "15"'
    pull 1 trustuser "select 12 / (10 - n) from generate_series(1, 20) n"
    said "a query that fails halfway" 'C "22012"'
    pull 1 trustuser "create temp table t (i int); copy t from stdin"
    said "COPY in, which there is no data for" 'pg_pull has no data'
    pull 1 trustuser --database no_such_database "select 1"
    said "a database that is not there" 'C "3D000"'

    pull 0 plainuser --password secret "select current_user"
    printf '"plainuser"\n' >"$WORK/expected"
    same "a password in clear" "$WORK/out" "$WORK/expected"
    pull 1 plainuser --password wrong "select 1"
    said "a wrong password" 'C "28P01"'
    pull 1 plainuser "select 1"
    said "no password" 'the server asks for a password'
    pull 1 scramuser --password secret "select 1"
    said "SCRAM" 'the server asks for SASL .*SCRAM-SHA-256.*, and pg_pull has only passwords in clear'
    pull 1 md5user --password secret "select 1"
    said "MD5" 'the server asks for an MD5 password, and pg_pull has only passwords in clear'
    pull 2 "" "select 1"
    said "no user" '^usage: '
    SERVER=$(free_ports 1) pull 1 trustuser "select 1"
    said "no server" 'Connection refused'
}

# pull EXIT USER ARGUMENT...: leaves what it printed in $WORK/out and $WORK/err.
pull() {
    local expected=$1 user=$2 rc=0
    shift 2
    [ "$1" = --database ] || set -- --database postgres "$@"
    CHECKS=$((CHECKS + 1))
    timeout 60 "$PG_PULL" --server "127.0.0.1:$SERVER" --user "$user" "$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
    [ "$rc" = "$expected" ] || failed "$* ends with $rc instead of $expected"
}

said() {
    CHECKS=$((CHECKS + 1))
    grep -q -- "$2" "$WORK/err" || failed "$1: no $2"
}

same() {
    CHECKS=$((CHECKS + 1))
    cmp "$2" "$3" || failed "$1 differ"
}

failed() {
    FAILURES=$((FAILURES + 1))
    echo "FAILED: PostgreSQL $MAJOR: $(cut -c1-300 <<<"$1")"
    head -c 600 "$WORK/err"
}

main "$@"
