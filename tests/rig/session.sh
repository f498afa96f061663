#!/usr/bin/env bash
# A client's session on real servers: a driver, random conversations, long pipelines, cancels.
#
#   session.sh PORTS MAJOR...   PORTS is the file that `servers.sh start` wrote
#
# SESSION_RANDOM (300 conversations, of each of three seeds), SESSION_BINDS (20000), SESSION_CANCELS (300) set the size.
# At full size: SESSION_RANDOM=3000 SESSION_BINDS=100000 SESSION_CANCELS=10000.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PROGRAMS=$REPO/target/release/examples
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

main() {
    local ports=$1 major port connection seed
    shift
    cat >"$WORK/expected" <<'DRIVER'
[[Some("alice"), Some("42")], [Some("bob"), None]]
ERROR: division by zero (SQLSTATE 22012)
ERROR: canceling statement due to user request (SQLSTATE 57014)
[[Some("still here")]]
DRIVER
    for major in "$@"; do
        port=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
        [ -n "$port" ] || die "no server $major in $ports"
        connection="host=127.0.0.1 port=$port user=postgres password=secret dbname=postgres sslmode=disable"
        echo "PostgreSQL $major"
        timeout 60 "$PROGRAMS/pg_driver" "$connection" | diff "$WORK/expected" -
        for seed in 1 2 3; do
            timeout 600 "$PROGRAMS/pg_stress" random "$connection" "${SESSION_RANDOM:-300}" $seed
        done
    done
    timeout 300 "$PROGRAMS/pg_stress" pipeline "$connection" "${SESSION_BINDS:-20000}"
    timeout 900 "$PROGRAMS/pg_stress" cancel "$connection" "${SESSION_CANCELS:-300}"
}

main "$@"
