#!/usr/bin/env bash
# Connection strings, service files, the environment and files of passwords mean what they mean to a real libpq: that of
# PostgreSQL 18 which `servers.sh install` has downloaded. No server runs.
#
#   conninfo.sh PROGRAM    PROGRAM is the example `conninfo`
#
# COUNT (8000) says how many texts are made, SEED (1) which.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

exec python3 "$REPO/tests/rig/conninfo.py" "$RIGS/servers/18/lib/libpq.so.5" "$1"
