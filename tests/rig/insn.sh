#!/usr/bin/env bash
# Real programs for three architectures, and objdump as the oracle for what feedrate-insn says of their instructions.
#
#   insn.sh install               downloads the programs into the cache
#   insn.sh check [ARCH...]       compares every instruction (all, or these of x86, aarch64, thumb)
#
# INSN_SIZE (all) leaves out programs of that size: 10M takes half of the time, without OpenBLAS and x265.
#
# For each architecture two comparisons: a million or more instructions of real programs, and every opcode with many operands and
# prefixes. What could not be compared is counted and named in the report (crates/feedrate-insn/examples/objdump_check.rs says how).
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Compilers' code; SSE to AVX-512 by hand; kernels for processors with FMA4 and XOP.
X86="libc6 libstdc++6 libssl3 libdav1d6 libx264-164 libx265-199 libopenblas0-pthread"
AARCH64="libc6-arm64-cross libstdc++6-arm64-cross libasan8-arm64-cross libgfortran5-arm64-cross"
# Of the C library for bare metal, which is linked whole, the Thumb builds: every M profile, and an A and R profile for NEON.
THUMB="libnewlib-arm-none-eabi libasan8-armhf-cross"
NEWLIB="v6-m/nofp v7-m/nofp v7e-m/nofp v7e-m+fp/hard v7e-m+dp/hard v8-m.base/nofp v8-m.main/nofp v8-m.main+fp/hard
    v8-m.main+dp/hard v7-r+fp.sp/hard v7-a+simd/hard v7ve+simd/hard"
VERSION="2: $X86 $AARCH64 $THUMB $NEWLIB"
LEAST=1000000

install() {
    local build patterns=()
    lock_rigs
    apt_install binutils binutils-aarch64-linux-gnu binutils-arm-none-eabi
    installed insn "$VERSION" && return
    rm -rf "$RIGS/insn"
    mkdir -p "$RIGS/insn"/{x86,aarch64,thumb}
    # shellcheck disable=SC2086 # lists
    {
        unpack x86 '*.so*' $X86
        unpack aarch64 '*.so*' $AARCH64
        unpack thumb '*.so*' libasan8-armhf-cross
        for build in $NEWLIB; do patterns+=("*/newlib/thumb/$build/lib[cm].a"); done
        unpack newlib "${patterns[*]}" libnewlib-arm-none-eabi
    }
    link_newlib
    stamp insn "$VERSION"
}

# unpack FOLDER PATTERNS PACKAGE...: the files of these packages that match, without installing them.
unpack() {
    local folder=$RIGS/insn/$1 patterns tmp deb
    read -ra patterns <<<"$2"
    shift 2
    tmp=$(mktemp -d "$RIGS/insn/new.XXXXXX")
    mkdir -p "$folder"
    say "apt-get download $*"
    (
        cd "$tmp"
        quiet apt-get download "$@" 2>/dev/null || { quiet apt_get update && quiet apt-get download "$@"; }
    )
    for deb in "$tmp"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar x -C "$folder" --wildcards "${patterns[@]}"
    done
    rm -rf "$tmp"
}

# An archive's calls have no targets before they are linked.
link_newlib() {
    local build dir
    for build in $NEWLIB; do
        dir=$RIGS/insn/newlib/usr/lib/arm-none-eabi/newlib/thumb/$build
        # What the C library wants of an operating system is missing, and that is all the same here.
        quiet arm-none-eabi-ld -Ttext=0x8000 -e 0 --whole-archive "$dir/libc.a" "$dir/libm.a" --no-whole-archive \
            --unresolved-symbols=ignore-all --allow-multiple-definition -o "$RIGS/insn/thumb/${build/\//-}.elf"
    done
    rm -rf "$RIGS/insn/newlib"
}

# The programs of an architecture, each once and no links.
programs() { find "$RIGS/insn/$1" -type f -size "-${INSN_SIZE:-1000000k}" \( -name '*.so*' -o -name '*.elf' \) ! -name '*.py' -print0 | sort -z; }

check() {
    local architecture
    [ $# -gt 0 ] || set -- x86 aarch64 thumb
    installed insn "$VERSION" || die "insn.sh install has not been run"
    TMP=$(mktemp -d "${TMPDIR:-/tmp}/feedrate-insn.XXXXXX")
    trap 'rm -rf "$TMP"' EXIT
    cargo build --quiet --release --manifest-path "$REPO/Cargo.toml" -p feedrate-insn --example objdump_check
    CHECK=${CARGO_TARGET_DIR:-$REPO/target}/release/examples/objdump_check
    for architecture in "$@"; do "check_$architecture"; done
}

# A near branch with an operand-size prefix is what Intel says it is: a distance of four bytes.
check_x86() { compare x86 i386:x86-64 objdump -M intel64; }
check_aarch64() { compare aarch64 aarch64 aarch64-linux-gnu-objdump; }
check_thumb() { compare thumb arm arm-none-eabi-objdump; }

# compare ARCH MACHINE OBJDUMP...
compare() {
    local architecture=$1 machine=$2 raw=()
    shift 2
    echo "real programs"
    programs "$architecture" | xargs -0 "$@" -d -w | "$CHECK" "$architecture" --least $LEAST
    echo "every opcode"
    # There are no mapping symbols in a raw file.
    [ "$architecture" != thumb ] || raw=(-M force-thumb)
    "$CHECK" generate "$architecture" >"$TMP/opcodes"
    "$@" "${raw[@]}" -D -w -b binary -m "$machine" "$TMP/opcodes" | "$CHECK" "$architecture" --every 32
}

case ${1:-} in
install) install ;;
check)
    shift
    check "$@"
    ;;
*) die "usage: insn.sh install | check [x86|aarch64|thumb ...]" ;;
esac
