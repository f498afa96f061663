#!/usr/bin/env bash
# A task of embassy, in the emulator.
#
#   embassy.sh build      builds examples/embassy; says where it is
#   embassy.sh test       runs it, sends lines to it, and compares the answers
#
# `firmware.sh install` gets what it needs.
set -euo pipefail
# shellcheck source=tests/rig/toolchains.sh
. "$(dirname "${BASH_SOURCE[0]}")/toolchains.sh"

TARGET=thumbv7m-none-eabi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target/firmware}
ELF=$CARGO_TARGET_DIR/$TARGET/release/embassy

main() {
    case ${1:-} in
    build)
        build
        echo "$ELF"
        ;;
    test)
        build
        PYTHONDONTWRITEBYTECODE=1 python3 "$REPO/tests/rig/embassy_test.py" "$ELF"
        ;;
    *) die "usage: embassy.sh build|test" ;;
    esac
}

build() {
    local linker
    # Debian's compiler has no linker of its own for this target.
    if command -v ld.lld >/dev/null; then linker=ld.lld; else linker=rust-lld; fi
    (
        cd "$REPO/examples/embassy"
        CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER=$linker thumb_cargo "$TARGET" build --release --locked >&2
    )
}

main "$@"
