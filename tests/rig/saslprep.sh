#!/usr/bin/env bash
# SASLprep as real servers do it: each makes verifiers of random passwords, and ours has to come to the same keys.
#
#   saslprep.sh PORTS [MAJOR...]   PORTS is the file that `servers.sh start` wrote
#
# AUTH_VERIFIER is the program to test (target/release/examples/auth_verifier, of feedrate-pg). SASLPREP_COUNT (2000)
# is how many passwords, SASLPREP_SEED (0) which; with 0 each character that is normalized comes by itself, too.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

CHECK=${AUTH_VERIFIER:-$REPO/target/release/examples/auth_verifier}
COUNT=${SASLPREP_COUNT:-2000}
SEED=${SASLPREP_SEED:-0}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

ports=$1
shift
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(cut -d' ' -f1 "$ports")
for major in "$@"; do
    port=$(awk -v major="$major" '$1 == major { print $2 }' "$ports")
    [ -n "$port" ] || die "no server $major in $ports"
    "$RIGS/clients/venv/bin/python" "$REPO/tests/rig/saslprep.py" "$port" "$COUNT" "$SEED" >"$WORK/verifiers"
    printf 'saslprep, PostgreSQL %s: ' "$major"
    "$CHECK" check <"$WORK/verifiers" >"$WORK/out" || { cat "$WORK/out"; exit 1; }
    cat "$WORK/out"
done
