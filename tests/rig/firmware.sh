#!/usr/bin/env bash
# The debug agent as firmware, in the emulator.
#
#   firmware.sh install               what the rest of it needs, from Debian's packages
#   firmware.sh build                 builds examples/firmware and looks at what was built; says where it is
#   firmware.sh sizes [LEVEL...]      how much flash and RAM it takes, at each level of optimisation (s)
#   firmware.sh run                   runs it until it is interrupted; says where its lines are
#   firmware.sh demo                  runs it, and debugs it with the host tool
#   firmware.sh test                  everything it is there for, asserted
#   firmware.sh emulator DIR ARGS...  the emulator, in this process, with its lines in DIR (for the others)
#
# That it links is the proof that no panic is reachable in it (examples/firmware/src/main.rs).
set -euo pipefail
# shellcheck source=tests/rig/toolchains.sh
. "$(dirname "${BASH_SOURCE[0]}")/toolchains.sh"

TARGET=thumbv7m-none-eabi
# The host tool is built where everything else is.
HOST_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target/firmware}
ELF=$CARGO_TARGET_DIR/$TARGET/release/firmware

main() {
    case ${1:-} in
    install)
        lock_rigs
        install
        ;;
    build)
        build
        check
        echo "$ELF"
        ;;
    sizes)
        shift
        sizes "${@:-s}"
        ;;
    emulator)
        shift
        emulator "$@"
        ;;
    run) run ;;
    demo) demo ;;
    test)
        build
        check
        host_tool
        PYTHONDONTWRITEBYTECODE=1 \
            python3 "$REPO/tests/rig/firmware_test.py" "$ELF" "$HOST_TARGET_DIR/debug/examples/rdp"
        ;;
    *) die "usage: firmware.sh install|build|sizes|run|demo|test" ;;
    esac
}

install() {
    install_thumb
    need_command qemu-system-arm qemu-system-arm
    need_command gdb-multiarch gdb-multiarch
    need_command arm-none-eabi-nm binutils-arm-none-eabi
    need_command python3 python3
}

# What the demonstration cannot do without, and how to get it.
need_all() {
    local missing=()
    command -v qemu-system-arm >/dev/null ||
        missing+=("qemu-system-arm, the emulator     apt install qemu-system-arm, brew install qemu, ...")
    command -v python3 >/dev/null || missing+=("python3                          apt install python3, ...")
    command -v cargo >/dev/null || missing+=("cargo                            https://rustup.rs")
    has_target "$TARGET" || [ -d /usr/lib/rustlib/src ] ||
        missing+=("Rust for $TARGET     rustup target add $TARGET")
    [ ${#missing[@]} = 0 ] && return
    say "missing:"
    printf '    %s\n' "${missing[@]}" >&2
    say "On Debian, \"tests/rig/firmware.sh install\" gets all of it but cargo."
    exit 1
}

host_tool() {
    (cd "$REPO" && CARGO_TARGET_DIR=$HOST_TARGET_DIR cargo build -q -p feedrate-examples --example rdp >&2)
}

build() {
    local linker
    # Debian's compiler has no linker of its own for this target.
    if command -v ld.lld >/dev/null; then linker=ld.lld; else linker=rust-lld; fi
    (
        cd "$REPO/examples/firmware"
        CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER=$linker thumb_cargo "$TARGET" build --release --locked >&2
    ) || die "the firmware does not link. If a_panic_is_reachable is undefined, a panic can be reached."
}

# A trap can be patched into RAM only: the machine's program must not leave it.
check() {
    # shellcheck disable=SC2046 # two addresses
    arm-none-eabi-objdump -d -j .machine "$ELF" |
        python3 "$REPO/tests/rig/firmware_check.py" $(arm-none-eabi-nm "$ELF" |
            awk '$3 == "__machine_start" || $3 == "__machine_code_end" { print $1 }' | sort) >&2
}

sizes() {
    local level
    echo "level  code  constants  flash   RAM"
    for level in "$@"; do
        (
            export CARGO_PROFILE_RELEASE_OPT_LEVEL=$level CARGO_TARGET_DIR=$CARGO_TARGET_DIR/sizes-$level
            ELF=$CARGO_TARGET_DIR/$TARGET/release/firmware
            build 2>/dev/null
            arm-none-eabi-size -A "$ELF" | awk -v level="$level" '
                $1 == ".vector_table" || $1 == ".rodata" { constants += $2 }
                $1 == ".text" { code = $2 }
                $1 == ".data" || $1 == ".machine" { both += $2 }
                $1 == ".bss" || $1 == ".machine_stack" { ram += $2 }
                END { printf "%-5s %6d %9d %7d %6d\n", level, code, constants, code + constants + both, both + ram }'
        )
    done
}

# The panel and the monitor are for whoever plays with it.
emulator() {
    local dir=$1 line arguments=()
    shift
    for line in signal bulk panel; do arguments+=(-serial "unix:$dir/$line,server=on,wait=off"); done
    exec qemu-system-arm -cpu cortex-m3 -machine lm3s6965evb -display none \
        -monitor "unix:$dir/monitor,server=on,wait=off" "${arguments[@]}" -kernel "$ELF" "$@" >"$dir/said" 2>&1
}

# In the background, with its lines in $LINES_DIR. It ends when this script does.
start() {
    LINES_DIR=$(mktemp -d "${TMPDIR:-/tmp}/feedrate-firmware.XXXXXX")
    emulator "$LINES_DIR" &
    EMULATOR=$!
    trap 'kill $EMULATOR 2>/dev/null; wait $EMULATOR 2>/dev/null; rm -rf "$LINES_DIR"' EXIT
    for _ in $(seq 100); do
        [ -S "$LINES_DIR/monitor" ] && return
        sleep 0.1
    done
    die "the emulator does not start: $(cat "$LINES_DIR/said")"
}

# Keys of the panel. It takes them once the machine has come through its reset.
press() {
    sleep 1
    python3 -c 'import socket, sys
panel = socket.socket(socket.AF_UNIX)
panel.connect(sys.argv[1])
panel.send(sys.argv[2].encode())' "$LINES_DIR/panel" "$1"
    sleep 0.2
}

run() {
    need_all
    build
    start
    cat <<END
The signal lane: $LINES_DIR/signal
The bulk lane:   $LINES_DIR/bulk
The panel:       $LINES_DIR/panel      s start the cycle, h feed hold, r release it, o open the door, c close it,
                                       a automatic (nothing is forced), u set-up
The emulator:    $LINES_DIR/monitor    system_reset, quit, ...

    cargo run -q -p feedrate-examples --example rdp -- --token firmware-demo --symbols $ELF \\
        --connect serial:$LINES_DIR/signal --bulk serial:$LINES_DIR/bulk
    python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("$LINES_DIR/panel"); s.send(b"s")'
END
    trap exit INT TERM
    wait $EMULATOR
}

demo() {
    # Whoever steps or resumes waits until the axes stand.
    local commands="variables, break set axis_update, wait, regs, read MACHINE 4"
    commands+=", sleep 400, step 20, break clear 1, sleep 400, resume, status, audit"
    need_all
    say "Building the firmware, and the host tool ..."
    quiet build
    host_tool
    start
    cat <<END
The firmware runs in the emulator. Somebody starts the cycle at the panel, and its loop moves three axes; it stops
where the next one is moved.

\$ cargo run -q -p feedrate-examples --example rdp -- --connect serial:SIGNAL --bulk serial:BULK \\
      --token firmware-demo --symbols ${ELF#"$REPO/"} "$commands"
END
    press s
    "$HOST_TARGET_DIR/debug/examples/rdp" --connect "serial:$LINES_DIR/signal" --bulk "serial:$LINES_DIR/bulk" \
        --token firmware-demo --symbols "$ELF" "$commands" | tee "$LINES_DIR/shown"
    echo
    PYTHONDONTWRITEBYTECODE=1 python3 "$REPO/tests/rig/firmware_demo.py" "$LINES_DIR/shown"
}

main "$@"
