#!/usr/bin/env bash
# Connection strings, service files, the environment and files of passwords mean what they mean to a real libpq, and
# servers that misbehave are tried in the same order: the libpq of PostgreSQL 18 that `servers.sh install` has downloaded.
# No real server runs.
#
#   conninfo.sh PROGRAMS    the folder of the examples `conninfo` and `attempts`
#
# COUNT says how many are made up (of texts 8000, of rounds with servers 1500), SEED (1) which.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

LIBPQ=$RIGS/servers/18/lib/libpq.so.5
python3 "$REPO/tests/rig/conninfo.py" "$LIBPQ" "$1/conninfo"
python3 "$REPO/tests/rig/attempts.py" "$LIBPQ" "$1/attempts"
