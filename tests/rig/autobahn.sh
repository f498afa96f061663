#!/usr/bin/env bash
# The Autobahn|Testsuite for WebSocket, without a container.
#
#   autobahn.sh install                          downloads the suite, and a Python old enough for it, into the cache
#   autobahn.sh server PROGRAM [CASES...]        the suite as a client of PROGRAM --listen 127.0.0.1:0
#   autobahn.sh client PROGRAM [CASES...]        the suite as a server for PROGRAM suite ws://127.0.0.1:PORT
#   autobahn.sh sample server|client PROGRAM     one case of each kind of compression
#   autobahn.sh all SERVER CLIENT [--write]      every case in both roles; --write keeps the counts in tests/autobahn.txt
#
# CASES are numbers or patterns (7.1.6, 6.*); those without compression if there are none. autobahn.py says what passes.
# The reports, with a page for each case, stay in target/autobahn until the next run of the same role.
# JOBS (2) is how many parts of `all` run at a time, AUTOBAHN_PATIENCE (1800) how many seconds one may take.
# AUTOBAHN_MIRROR is an archive of Debian to use instead of the one this machine's packages come from.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SUITE=25.10.1
AUTOBAHN=$RIGS/autobahn
OUT=$REPO/target/autobahn
GATE=$REPO/tests/rig/autobahn.py
SUMMARY=$REPO/tests/autobahn.txt
# The number is for changes of this script that make an installation another.
VERSION="2: $SUITE"

PLAIN=('1.*' '2.*' '3.*' '4.*' '5.*' '6.*' '7.*' '9.*' '10.*')
SAMPLE=(12.{1..5}.1 13.{1..7}.1)
# `all` in parts: that many processes share the work, and none holds the wire logs of everything.
COMPRESSED=(12.{1..5}.'*' 13.{1..7}.'*')

# Seconds until PROGRAM or the suite listens, and until a part is over: several times what a slow machine needs.
START=60
PATIENCE=${AUTOBAHN_PATIENCE:-1800}

# ---- Installation -------------------------------------------------------------------------------------------------------

# The suite is for Python 2.7 alone, whose last release in Debian is the one of bullseye: unpacked, never installed.
PYTHON2=(python2.7 python2.7-minimal python2.7-dev libpython2.7 libpython2.7-minimal libpython2.7-stdlib libpython2.7-dev
    libffi7 libssl1.1)
# The last that run on it.
WHEELS=(pip==20.3.4 setuptools==44.1.1 wheel==0.37.1)

install() {
    lock_rigs
    installed autobahn "$VERSION" && return
    need_command gcc gcc libc6-dev
    need_command python3 python3
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
    [ -e "$KEYRING" ] || apt_install debian-archive-keyring
    say "installing the Autobahn|Testsuite $SUITE"
    local dir
    # What an interrupted installation left behind.
    rm -rf "$AUTOBAHN"
    mkdir -p "$AUTOBAHN"
    dir=$(mktemp -d "$AUTOBAHN/new.XXXXXX")
    (cd "$dir" && unpack_python && build_suite)
    mv "$dir"/{python,site,wstest,wstest.py,versions,known} "$AUTOBAHN/"
    rm -rf "$dir"
    stamp autobahn "$VERSION"
}

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Lists and caches of its own: the machine's stay as they are, and nobody has to be root.
unpack_python() {
    local deb apt=(-q -o Dir::Etc::sourcelist="$PWD/apt/bullseye.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=root)
    mkdir -p apt/lists/partial apt/cache/archives/partial debs python
    echo "deb [signed-by=$KEYRING] $(debian_mirror) bullseye main" >apt/bullseye.list
    quiet apt-get "${apt[@]}" update
    (cd debs && quiet apt-get "${apt[@]}" download "${PYTHON2[@]}")
    for deb in debs/*.deb; do dpkg-deb -x "$deb" python; done
}

# The first archive of Debian (not of its security updates, nor of another publisher) that /etc/apt names.
debian_mirror() {
    local mirror=${AUTOBAHN_MIRROR:-}
    [ -n "$mirror" ] || mirror=$(
        {
            cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *//p' | tr ' ' '\n'
            cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
                sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\).*/\2/p'
        } | grep -m 1 '/debian/*$' || true
    )
    [ -n "$mirror" ] || die "/etc/apt names no archive of Debian: set AUTOBAHN_MIRROR"
    echo "$mirror"
}

build_suite() {
    local wheel lib multiarch
    multiarch=$(gcc -print-multiarch)
    lib=python/usr/lib/$multiarch
    quiet python3 -m pip download --no-deps -d wheels --python-version 2.7 --implementation py --only-binary=:all: "${WHEELS[@]}"
    for wheel in wheels/*.whl; do python3 -m zipfile -e "$wheel" python/usr/lib/python2.7/dist-packages; done
    (
        unset PYTHONPATH PYTHONHOME
        export LD_LIBRARY_PATH=$PWD/$lib PYTHONNOUSERSITE=1
        export CFLAGS="-I$PWD/python/usr/include -I$PWD/python/usr/include/python2.7" LDFLAGS="-L$PWD/$lib"
        quiet python/usr/bin/python2.7 -m pip install --no-cache-dir --no-build-isolation --target site "autobahntestsuite==$SUITE"
    )
    # A namespace package, which --target leaves without what makes it one.
    touch site/zope/__init__.py
    # What the suite cannot be asked for: to listen on the loopback alone, to say so, and to report once more when it is told to
    # end, because a client can ask for the reports before the suite has seen the end of its last case.
    cat >wstest.py <<'WSTEST'
import sys
from autobahntestsuite import case, fuzzing, wstest
from twisted.internet import reactor, task

def listen(factory, context):
    port = listen_ws(factory, context, interface="127.0.0.1")
    reactor.addSystemEventTrigger("before", "shutdown", task.deferLater, reactor, 1, factory.createReports)
    print "listening on 127.0.0.1:%d" % port.getHost().port
    sys.stdout.flush()
    return port

if sys.argv[1:] == ["cases"]:
    for one in case.Cases:
        print one.__name__[len(case.CaseBasename):].replace("_", ".")
else:
    listen_ws, fuzzing.listenWS = fuzzing.listenWS, listen
    wstest.run()
WSTEST
    cat >wstest <<WSTEST
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
unset PYTHONHOME
export LD_LIBRARY_PATH="\$here/python/usr/lib/$multiarch" PYTHONPATH="\$here/site" PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1
exec "\$here/python/usr/bin/python2.7" "\$here/wstest.py" "\$@"
WSTEST
    chmod +x wstest
    ./wstest -a >versions
    ./wstest cases >known
}

# ---- Runs ---------------------------------------------------------------------------------------------------------------

# Cases in processes of their own. Both functions end only what they started.
#
# part_server PROGRAM DIR CASE...
part_server() {
    local program=$1 dir=$2 port
    shift 2
    # The largest messages of group 9.
    start "$dir" program "$program" --listen 127.0.0.1:0 --limit $((16 << 20))
    port=$(listening "$dir" program) || exit 1
    spec "$dir" '"servers": [{"agent": "server", "url": "ws://127.0.0.1:'"$port"'"}]' "$@"
    start "$dir" suite "$AUTOBAHN/wstest" -m fuzzingclient -s spec.json
    ended "$dir" suite
    kill -0 "${PIDS[0]}" 2>/dev/null || fail "$dir" program "ended before it was told to"
}

# part_client PROGRAM DIR CASE...
part_client() {
    local program=$1 dir=$2 port options=()
    shift 2
    port=$(free_ports 1)
    spec "$dir" '"url": "ws://127.0.0.1:'"$port"'"' "$@"
    # 0 is for no web server.
    start "$dir" suite "$AUTOBAHN/wstest" -m fuzzingserver -u 0 -s spec.json
    port=$(listening "$dir" suite) || exit 1
    case " $*" in *' 12.'* | *' 13.'*) options=(--deflate) ;; esac
    start "$dir" program "$program" suite "ws://127.0.0.1:$port" --agent client "${options[@]}"
    ended "$dir" program
    kill "${PIDS[0]}"
    wait "${PIDS[0]}" || true
}

# spec DIR MEMBER CASE...: what the suite is to do.
spec() {
    local dir=$1 member=$2 cases
    shift 2
    printf -v cases '"%s", ' "$@"
    printf '{"outdir": "reports", %s, "cases": [%s], "exclude-cases": [], "exclude-agent-cases": {}}\n' \
        "$member" "${cases%, }" >"$dir/spec.json"
}

# start DIR NAME COMMAND...: in DIR, with its output in DIR/NAME.out; nothing outlives PATIENCE.
start() {
    local dir=$1 name=$2
    shift 2
    # Made here: it is looked into at once.
    : >"$dir/$name.out"
    (cd "$dir" && exec timeout -k 10 "$PATIENCE" "$@" >"$name.out" 2>&1 </dev/null 8>&-) &
    PIDS+=($!)
}

# listening DIR NAME: the port of what was started last, once it is open.
listening() {
    local deadline=$((SECONDS + START)) port
    while true; do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$1/$2.out" | head -1)
        [ -z "$port" ] || break
        kill -0 "${PIDS[-1]}" 2>/dev/null || fail "$1" "$2" "ended before it listened"
        [ $SECONDS -lt $deadline ] || fail "$1" "$2" "does not say what it listens on"
        sleep 0.1
    done
    echo "$port"
}

# ended DIR NAME: waits for what was started last.
ended() {
    local rc=0
    wait "${PIDS[-1]}" || rc=$?
    case $rc in
    0) ;;
    124 | 137) fail "$1" "$2" "took more than $PATIENCE seconds" ;;
    *) fail "$1" "$2" "ended with $rc" ;;
    esac
}

fail() {
    tail -n 20 "$1/$2.out" | cut -c -300 >&2
    die "$2 $3; see $1"
}

# end PID...: those, all of them children of this shell.
end() {
    [ $# = 0 ] || kill "$@" 2>/dev/null || true
    wait
}

# run ROLE PROGRAM PATTERNS...: one part for each argument, which is a list of patterns; then the gate over all of them.
run() {
    local role=$1 program running=0 rc=0 part dir patterns list cases=()
    program=$(command -v -- "$2") || die "no program $2"
    program=$(realpath -- "$program")
    shift 2
    mkdir -p "$OUT"
    exec 8>"$OUT/$role.lock"
    flock -n 8 || die "another run writes to $OUT/$role"
    rm -rf "${OUT:?}/$role"
    PARTS=()
    trap 'end "${PARTS[@]}"' EXIT
    trap 'exit 143' TERM INT HUP
    for part in "$@"; do
        read -ra patterns <<<"$part"
        list=$(python3 "$GATE" cases "$AUTOBAHN/known" "${patterns[@]}") || exit 1
        mapfile -t list <<<"$list"
        cases+=("${list[@]}")
        # Named after its first pattern.
        dir=${patterns[0]%'.*'}
        dir=$OUT/$role/${dir//'*'/all}
        mkdir -p "$dir"
        if [ $running -ge "$JOBS" ]; then
            wait -n || rc=1
            running=$((running - 1))
        fi
        (
            PIDS=()
            trap 'end "${PIDS[@]}"' EXIT
            trap 'exit 143' TERM
            "part_$role" "$program" "$dir" "${list[@]}"
        ) &
        PARTS+=($!)
        running=$((running + 1))
    done
    while [ $running -gt 0 ]; do
        wait -n || rc=1
        running=$((running - 1))
    done
    PARTS=()
    python3 "$GATE" gate "$role" "$OUT/$role" "${cases[@]}" || rc=1
    return $rc
}

every() {
    local server=$1 client=$2 write=${3:-} rc=0
    run server "$server" "${PLAIN[*]}" "${COMPRESSED[@]}" || rc=1
    run client "$client" "${PLAIN[*]}" "${COMPRESSED[@]}" || rc=1
    summary >"$OUT/summary"
    if [ "$write" = --write ]; then cp "$OUT/summary" "$SUMMARY"; else cat "$OUT/summary"; fi
    return $rc
}

# Nothing in it that another run would find different.
summary() {
    local version
    version=$(cargo pkgid --manifest-path "$REPO/Cargo.toml" -p feedrate-ws 2>/dev/null | sed 's/.*[#@]//') || version='?'
    echo "feedrate-ws $version, $(sed -n 's/^AutobahnTestSuite /Autobahn|Testsuite /p' "$AUTOBAHN/versions")"
    echo
    echo "    tests/rig/autobahn.sh all target/release/examples/ws_echo target/release/examples/ws_client --write"
    echo
    python3 "$GATE" summary "$AUTOBAHN/known" server "$OUT/server" client "$OUT/client"
}

usage() { die "usage: autobahn.sh install | server|client PROGRAM [CASES...] | sample server|client PROGRAM | all SERVER CLIENT [--write]"; }

JOBS=${JOBS:-2}
command=${1:-}
[ $# = 0 ] || shift
[ "$command" = install ] || installed autobahn "$VERSION" || die "autobahn.sh install has not been run"
case $command:$# in
install:0) install ;;
server:0 | client:0) usage ;;
server:1 | client:1) run "$command" "$1" "${PLAIN[*]}" ;;
server:* | client:*) run "$command" "$1" "${*:2}" ;;
sample:2)
    case $1 in server | client) run "$1" "$2" "${SAMPLE[*]}" ;; *) usage ;; esac
    ;;
all:2) every "$1" "$2" ;;
all:3)
    [ "$3" = --write ] || usage
    every "$@"
    ;;
*) usage ;;
esac
