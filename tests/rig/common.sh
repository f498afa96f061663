# shellcheck shell=bash
# What every rig shares: where things lie, how a package is installed, how a second run is instant.
# Sourced, never run. Safe to source twice and from anywhere.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# One folder for everything that is installed by hand, so that a CI can keep it and a developer can delete it.
RIGS=${FEEDRATE_RIGS:-$REPO/target/rigs}

# npm's advertisements are not errors.
export NPM_CONFIG_UPDATE_NOTIFIER=false

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Another apt may be at work (unattended upgrades, another rig): wait for its lock instead of failing.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# Installs only what is missing, so that a machine that has everything needs neither root nor network.
apt_install() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "apt-get install ${missing[*]}"
    # A fresh machine has no package lists, an old one has stale lists: both fail the first time.
    quiet apt_get install -y --no-install-recommends "${missing[@]}" 2>/dev/null || {
        quiet apt_get update
        quiet apt_get install -y --no-install-recommends "${missing[@]}"
    }
}

# Runs a talkative command: what it said is shown only when it fails.
quiet() {
    local said rc=0
    said=$("$@" 2>&1) || rc=$?
    [ $rc = 0 ] || printf '%s\n' "$said" | tail -30 >&2
    return $rc
}

# need_command COMMAND PACKAGE...: the command from wherever it comes, the packages only if there is none.
need_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null || apt_install "$@"
}

# installed NAME VERSION: is this rig there, in this version?
installed() { [ "$(cat "$RIGS/stamps/$1" 2>/dev/null)" = "$2" ]; }

stamp() {
    mkdir -p "$RIGS/stamps"
    printf '%s\n' "$2" >"$RIGS/stamps/$1"
}

# Two runs on one cache must not unpack into each other: the second waits, then finds the stamp.
# Taken by a script's `install` command and held until that process ends.
lock_rigs() {
    mkdir -p "$RIGS"
    exec 9>"$RIGS/lock"
    flock 9
}

# free_ports N: so many ports that were free a moment ago, one a line. All are held until the last is known,
# so that they differ.
free_ports() {
    python3 -c '
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets), sep="\n")' "$1"
}

# start_listener LOG COMMAND...: starts a program that says where it listens, and leaves its id in LISTENER and the port in PORT. What it says goes to
# LOG.out and LOG.err.
start_listener() {
    local log=$1
    shift
    # Made here: it is looked into at once, and must not say where the program before listened.
    : >"$log.out"
    "$@" >"$log.out" 2>"$log.err" &
    LISTENER=$!
    for _ in $(seq 100); do
        PORT=$(sed -n '1s/^listening .*:\([0-9][0-9]*\)$/\1/p' "$log.out")
        [ -z "$PORT" ] || return 0
        kill -0 "$LISTENER" 2>/dev/null || break
        sleep 0.1
    done
    kill "$LISTENER" 2>/dev/null || true
    cat "$log.out" "$log.err" >&2
    die "$1 does not say where it listens"
}
