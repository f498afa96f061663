#!/usr/bin/env bash
# Runs the commands a document shows: every fence opened with ```sh test, from the repository's root, each in its own
# shell. Stops at the first that fails.
#
#   readme.sh README.md
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$REPO"
document=$1
[ -e "$document" ] || die "there is no $document"
fences=$(mktemp -d)
trap 'rm -rf "$fences"' EXIT
# One file for each fence, named after the line it starts at.
awk -v dir="$fences" '
    /^```sh test[ \t]*$/ { file = sprintf("%s/%05d", dir, NR); next }
    /^```/ { file = "" }
    file { print > file }' "$document"
for fence in "$fences"/*; do
    [ -e "$fence" ] || { echo "$document: no command to test"; break; }
    line=$((10#$(basename "$fence")))
    echo "$document:$line"
    bash -euo pipefail -x "$fence" </dev/null || die "$document:$line: the commands fail"
done
