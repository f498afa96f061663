#!/usr/bin/env bash
# Compilers other than the one in use: thumb targets, the minimum supported Rust version, the fuzzer's.
#
#   toolchains.sh install thumb|msrv|fuzz|valgrind
#   . toolchains.sh
#   thumb_cargo TARGET ARGS...   cargo ARGS --target TARGET, for a bare-metal target
#   msrv_cargo ARGS...           cargo ARGS, with the minimum supported Rust version
#   fuzz_cargo ARGS...           cargo fuzz ARGS
#
# Rustup's targets and toolchains are used when they are there and never downloaded; otherwise Debian's packages serve.
# Sourcing this sets functions and variables and does nothing else. The functions run cargo in the caller's folder.
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

MSRV=1.85
MSRV_DEBIAN=1.85.0+dfsg3-1~deb12u3
FUZZ_VERSION=0.13.1

# --- thumb: `core` for a target without an operating system

has_target() {
    local libdir
    libdir=$(rustc --print target-libdir --target "$1" 2>/dev/null) && compgen -G "$libdir/libcore-*.rlib" >/dev/null
}

# Debian's compiler builds `core` and `alloc` for any target from its own source package.
install_thumb() {
    apt_install binutils-arm-none-eabi
    if has_target thumbv6m-none-eabi && has_target thumbv7m-none-eabi && has_target thumbv7em-none-eabi; then return; fi
    apt_install lld
    # heapless 0.9 needs Rust 1.88. A machine whose package lists are old is offered Debian's first version.
    if ! dpkg --compare-versions "$(dpkg-query -W -f='${Version}' rustc-web 2>/dev/null || true)" ge 1.88; then
        say "apt-get install rustc-web"
        quiet apt_get update
        quiet apt_get install -y --no-install-recommends rustc-web cargo-web rust-web-src
    fi
    apt_install rustc-web cargo-web rust-web-src
}

thumb_cargo() {
    local target=$1
    shift
    if has_target "$target"; then
        cargo "$@" --target "$target"
    else
        # A separate target folder: two compilers in one would rebuild each other's work for ever.
        PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target/thumb} \
            /usr/bin/cargo "$@" -Zbuild-std=core,alloc --target "$target"
    fi
}

# --- msrv

has_rustup_msrv() { rustup toolchain list 2>/dev/null | grep -q "^$MSRV"; }

install_msrv() {
    has_rustup_msrv && return
    installed msrv "$MSRV_DEBIAN" && return
    local v=$MSRV_DEBIAN dir deb
    dir=$RIGS/msrv
    rm -rf "$dir"
    mkdir -p "$dir/root"
    (
        cd "$dir"
        # Beside the machine's own compiler, which is a newer version of the same packages.
        download "rustc-web=$v" "cargo-web=$v" "libstd-rust-web-$MSRV=$v" "libstd-rust-web-dev=$v" libllvm19 libpcre3
        for deb in *.deb; do
            dpkg -x "$deb" root
            rm "$deb"
        done
    )
    apt_install gcc libc6-dev
    stamp msrv "$MSRV_DEBIAN"
}

download() {
    say "apt-get download $*"
    quiet apt-get download "$@" 2>/dev/null || { quiet apt_get update && quiet apt-get download "$@"; }
}

msrv_cargo() {
    local root=$RIGS/msrv/root
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$REPO/target/msrv}
    if has_rustup_msrv; then
        cargo "+$MSRV" "$@"
        return
    fi
    # The libraries are only for this compiler: no other program may see them.
    PATH=$root/usr/bin:$PATH RUSTC=$root/usr/bin/rustc \
        LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/usr/lib:$root/lib/x86_64-linux-gnu:$root/usr/lib/llvm-19/lib \
        "$root/usr/bin/cargo" "$@"
}

# --- fuzz

install_fuzz() {
    # An installed one will do, whatever its version.
    command -v cargo-fuzz >/dev/null && return
    installed fuzz "$FUZZ_VERSION" && return
    need_command g++ g++
    say "cargo install cargo-fuzz $FUZZ_VERSION"
    quiet cargo install --locked --root "$RIGS/fuzz" --version "$FUZZ_VERSION" cargo-fuzz
    stamp fuzz "$FUZZ_VERSION"
}

# The sanitizer needs unstable flags: a nightly compiler, or leave for the stable one to use them.
fuzz_cargo() {
    local nightly
    nightly=$(rustup toolchain list 2>/dev/null | sed -n 's/^\(nightly[^ ]*\).*/\1/p' | head -1)
    if [ -n "$nightly" ]; then
        PATH=$RIGS/fuzz/bin:$PATH cargo "+$nightly" fuzz "$@"
    else
        PATH=$RIGS/fuzz/bin:$PATH RUSTC_BOOTSTRAP=1 cargo fuzz "$@"
    fi
}

install_valgrind() { apt_install valgrind; }

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    case "${1:-} ${2:-}" in
    "install thumb" | "install msrv" | "install fuzz" | "install valgrind")
        lock_rigs
        "install_$2"
        ;;
    *) die "usage: toolchains.sh install thumb|msrv|fuzz|valgrind" ;;
    esac
fi
