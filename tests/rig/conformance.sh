#!/usr/bin/env bash
# The RDPv3 conformance suite: conformance.sh DIR, where DIR has the programs rdp and rdp_sim.
#
# Both implementations as agent and as host, all four pairings of them, and rules of the specification broken on purpose.
set -euo pipefail
programs=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../rdp-conformance"
# Compiled modules are kept for the many programs that are started, but outside of the tree.
PYTHONPYCACHEPREFIX=$(mktemp -d)
export PYTHONPYCACHEPREFIX
trap 'rm -rf "$PYTHONPYCACHEPREFIX"' EXIT

rust_agent="$programs/rdp_sim --reference --listen 127.0.0.1:0"
rust_host="$programs/rdp --json"
python_agent="python3 -m rdp3.agent --listen 127.0.0.1:0"
python_host="python3 -m rdp3.host"

run() {
    printf '+ %s\n' "$*" >&2
    "$@"
}

run python3 runner.py vectors
run python3 selftest.py
# shellcheck disable=SC2086 # commands with arguments
{
    run python3 runner.py agent -- $rust_agent
    run python3 runner.py host -- $rust_host
}
run python3 pairings.py --agent "rust=$rust_agent" --agent "python=$python_agent" --host "rust=$rust_host" --host "python=$python_host"
# Runs both roles of the Python implementation unbroken first. RDP_MUTATIONS=2: every second rule is broken, beginning
# with another one at each commit.
run python3 mutations.py --every "${RDP_MUTATIONS:-2}" --first "$(git rev-list --count HEAD 2>/dev/null || echo 0)"
