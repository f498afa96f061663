#!/usr/bin/env bash
# The oracle for single stepping: GDB steps the firmware through the emulator's own stub, which needs nothing of the
# firmware for it.
#
#   firmware_trace.sh ELF FUNCTION CALL STEPS [STATE]
#
# Runs ELF from reset to the CALLth call of FUNCTION, puts the registers and the memory of STATE there, if there is
# such a file ({"registers": [r0, ...], "memory": [[address, "hexadecimal"], ...]}), and prints the registers there,
# "r0 to r12, sp, lr, pc, xpsr" in hexadecimal; then STEPS program counters, each after one more instruction; then the
# registers again. Interrupts are masked while it steps. The cycle is started at the panel before.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# = 4 ] || [ $# = 5 ] || die "usage: firmware_trace.sh ELF FUNCTION CALL STEPS [STATE]"

need_command qemu-system-arm qemu-system-arm
need_command gdb-multiarch gdb-multiarch

LOG=$(mktemp "${TMPDIR:-/tmp}/feedrate-gdb.XXXXXX")
trap 'rm -f "$LOG"' EXIT
# GDB starts the emulator as its own child, talks to it through a pipe, and ends it. What it says itself goes to the
# log.
exec 3>&1
STUB="qemu-system-arm -cpu cortex-m3 -machine lm3s6965evb -display none -monitor none"
STUB+=" -serial null -serial null -serial null -S -gdb stdio"
ELF=$1 FUNCTION=$2 CALL=$3 STEPS=$4 STATE=${5:-} timeout 300 gdb-multiarch -q -nx -batch \
    -iex 'set confirm off' -iex 'set pagination off' "$1" \
    -ex 'set architecture armv7-m' -ex 'set remotetimeout 30' \
    -ex "target remote | exec $STUB -kernel '$1' 2>/dev/null" \
    -x "$REPO/tests/rig/firmware_trace.py" >"$LOG" 2>&1 || {
    tail -20 "$LOG" >&2
    die "GDB failed"
}
