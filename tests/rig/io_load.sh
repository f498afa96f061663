#!/usr/bin/env bash
# What the clients of ws_echo wait while as many others do their worst, and what connections hold that do nothing.
#
#   io_load.sh ECHO LOAD IDLE    the programs ws_echo, ws_load and idle
#
# LOAD_CLIENTS (400), LOAD_ROUNDS (3) and LOAD_SECONDS (6): how many clients, and how long each of two measurements a round is.
# IDLE_CONNECTIONS (2000) and IDLE_SECONDS (10): how many do nothing, and how long they are kept alive. At full size:
# LOAD_CLIENTS=5000 LOAD_SECONDS=10 IDLE_CONNECTIONS=10000 IDLE_SECONDS=60.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ECHO=$1 LOAD=$2 IDLE=$3
WORK=$(mktemp -d)
LISTENER=
trap '[ -z "$LISTENER" ] || kill "$LISTENER" 2>/dev/null || true; rm -rf "$WORK"' EXIT
ulimit -n "$(ulimit -Hn)"

"$IDLE" "${IDLE_CONNECTIONS:-2000}" "${IDLE_SECONDS:-10}"
TOKIO_WORKER_THREADS=1 start_listener "$WORK/echo" "$ECHO" --quiet --listen 127.0.0.1:0 --connections 6000 --limit 16384
"$LOAD" "127.0.0.1:$PORT" --clients "${LOAD_CLIENTS:-400}" --seconds "${LOAD_SECONDS:-6}" \
    --rounds "${LOAD_ROUNDS:-3}"
