#!/usr/bin/env bash
# Real WebSocket peers, as their users have them, each with compression and without, in clear and over TLS: npm `ws`,
# Python `websockets` and headless Chromium against the echo server (curl too, in clear), and the command-line client
# against npm `ws` and Python `websockets`.
#
#   ws_peers.sh install                   installs them into the cache (Chromium, curl, openssl: the system's packages)
#   ws_peers.sh test PROGRAM_ECHO CLIENT  runs all of them; ends with `N passed, N failed`
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/ws_peers
PYTHON_PACKAGES="websockets==17.4"
NODE_PACKAGES="ws@8.23.0"
WS_PEERS="$PYTHON_PACKAGES $NODE_PACKAGES"
# For each peer and mode.
DEADLINE=120

install() {
    lock_rigs
    need_command curl curl
    need_command openssl openssl
    need_command chromium chromium
    installed ws_peers "$WS_PEERS" && return
    need_command python3 python3
    need_command npm nodejs npm
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    rm -rf "$RIGS/ws_peers"
    mkdir -p "$RIGS/ws_peers"
    say "installing $WS_PEERS"
    python3 -m venv "$RIGS/ws_peers/venv"
    # shellcheck disable=SC2086 # lists
    "$RIGS/ws_peers/venv/bin/pip" install --quiet --disable-pip-version-check $PYTHON_PACKAGES
    # shellcheck disable=SC2086
    npm install --loglevel=error --no-audit --no-fund --prefix "$RIGS/ws_peers" $NODE_PACKAGES >/dev/null
    stamp ws_peers "$WS_PEERS"
}

# Starts the echo server with the options given; sets SERVER (its id) and PORT.
start() {
    start_listener "$WORK/server" nice -n 10 "$ECHO" --listen 127.0.0.1:0 --limit $((64 << 20)) --protocols feedrate,chat "$@"
    SERVER=$LISTENER
}

# A CA, a certificate of its own for 127.0.0.1, and the hash of its key.
make_certificates() {
    local new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    (
        cd "$WORK"
        openssl req -x509 "${new[@]}" -days 30 -subj "/CN=the rig's CA" -addext "keyUsage=critical,keyCertSign" \
            -keyout ca.key -out ca.pem
        openssl req "${new[@]}" -subj "/CN=127.0.0.1" -keyout server.key -out server.csr
        printf '%s\n' subjectAltName=IP:127.0.0.1 basicConstraints=CA:FALSE extendedKeyUsage=serverAuth >extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
            -out server.pem
        openssl pkey -in server.key -pubout -outform der | openssl dgst -sha256 -binary | openssl base64 >key
    ) >"$WORK/openssl" 2>&1 || die "openssl: $(tail -n 3 "$WORK/openssl")"
}

stop() {
    [ -n "$SERVER" ] || return 0
    kill "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || true
    SERVER=
}

count() {
    PASSED=$((PASSED + $1))
    FAILED=$((FAILED + $2))
}

# peer NAME COMMAND...: a program whose last line is `N passed, N failed`.
peer() {
    local name=$1 said=$WORK/said rc=0 begun=$SECONDS last
    shift
    nice -n 10 timeout -k 5 "$DEADLINE" "$@" >"$said" 2>&1 || rc=$?
    last=$(tail -n 1 "$said")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] && [ $((rc != 0)) = $((BASH_REMATCH[2] != 0)) ]; then
        count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
        head -n -1 "$said"
    else
        count 0 1
        tail -n 20 "$said"
        last="FAILED $name: exit code $rc"
    fi
    echo "$name: $last ($((SECONDS - begun)) s)"
}

# head_of NAME REGEX... -- CURL_ARGUMENTS: each expression must match a line of the answer's head; with `!` before it,
# none may.
head_of() {
    local name=$1 bad='' expression wanted=()
    shift
    while [ "$1" != -- ]; do
        wanted+=("$1")
        shift
    done
    shift
    # A connection that is upgraded stays open: the deadline ends it, and that is no error.
    curl --silent --show-error --include --no-buffer --http1.1 --noproxy '*' --max-time 1 "$@" \
        "http://127.0.0.1:$PORT/chat" >"$WORK/head" 2>"$WORK/error" || true
    for expression in "${wanted[@]}"; do
        if [ "${expression:0:1}" = '!' ]; then
            ! tr -d '\r' <"$WORK/head" | grep -aqiE "${expression:1}" || bad=$expression
        else
            tr -d '\r' <"$WORK/head" | grep -aqiE "$expression" || bad=$expression
        fi
    done
    if [ -z "$bad" ]; then
        count 1 0
    else
        count 0 1
        echo "FAILED curl, $name: no $bad in: $(tr '\r\n' '  ' <"$WORK/head" | cut -c 1-300) $(head -1 "$WORK/error")"
    fi
}

curl_checks() {
    local deflate=$1 before=$PASSED broken=$FAILED big extensions
    local host=(-H 'Connection: Upgrade' -H 'Upgrade: websocket') v13=(-H 'Sec-WebSocket-Version: 13')
    local key=(-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
    local all=("${host[@]}" "${v13[@]}" "${key[@]}")
    local accepted=('^HTTP/1.1 101 ' '^Upgrade: websocket$' '^Connection: Upgrade$'
        '^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$' '!^Content-Length:' '!^Transfer-Encoding:')
    extensions='!^Sec-WebSocket-Extensions:'
    [ "$deflate" = off ] || extensions='^Sec-WebSocket-Extensions: permessage-deflate'
    head_of 'the sample of the RFC' "${accepted[@]}" '!^Sec-WebSocket-(Extensions|Protocol):' -- "${all[@]}"
    head_of 'an offer' "${accepted[@]}" "$extensions" -- "${all[@]}" -H 'Sec-WebSocket-Extensions: permessage-deflate'
    head_of 'a subprotocol' "${accepted[@]}" '^Sec-WebSocket-Protocol: chat$' -- \
        "${all[@]}" -H 'Sec-WebSocket-Protocol: zzz, chat'
    head_of 'an unknown subprotocol' "${accepted[@]}" '!^Sec-WebSocket-Protocol:' -- \
        "${all[@]}" -H 'Sec-WebSocket-Protocol: zzz'
    head_of 'a plain GET' '^HTTP/1.1 4(00|26) ' --
    head_of 'POST' '^HTTP/1.1 40[05] ' -- "${all[@]}" --data body
    head_of 'HEAD' '^HTTP/1.1 40[05] ' -- "${all[@]}" --head
    head_of 'version 12' '^HTTP/1.1 426 ' '^Sec-WebSocket-Version: 13$' -- \
        "${host[@]}" "${key[@]}" -H 'Sec-WebSocket-Version: 12'
    head_of 'no version' '^HTTP/1.1 4(00|26) ' -- "${host[@]}" "${key[@]}"
    head_of 'no key' '^HTTP/1.1 400 ' -- "${host[@]}" "${v13[@]}"
    head_of 'a short key' '^HTTP/1.1 400 ' -- "${host[@]}" "${v13[@]}" -H 'Sec-WebSocket-Key: c2hvcnQ='
    head_of 'no Upgrade' '^HTTP/1.1 4(00|26) ' -- "${v13[@]}" "${key[@]}" -H 'Connection: Upgrade'
    head_of 'no Host' '^HTTP/1.1 400 ' -- "${all[@]}" -H 'Host:'
    head_of 'HTTP/1.0' '^HTTP/1.1 (400|505) ' -- "${all[@]}" --http1.0
    big=$(printf '%0100000d' 0)
    head_of 'a field of 100 kB' '^HTTP/1.1 431 ' -- "${all[@]}" -H "X-Big: $big"
    echo "curl, permessage-deflate $deflate: $((PASSED - before)) passed, $((FAILED - broken)) failed"
}

# client NAME EXPECTED COMMANDS OPTION...: what the command-line client prints, with what is long shortened.
client() {
    local name=$1 expected=$2 commands=$3 said
    shift 3
    said=$(timeout 20 "$CLIENT" --protocol chat "$@" "$SCHEME://127.0.0.1:$PORT/chat" "$commands" 2>&1 | sed -E 's/(x|0){100,}/.../') || true
    if [ "$said" = "$expected" ]; then
        count 1 0
    else
        count 0 1
        echo "FAILED ws_client, $name: $said"
    fi
}

# our_client NAME OPTION...: the command-line client with a server of somebody else's, which is started with its options.
our_client() {
    local name=$1 before=$PASSED broken=$FAILED
    shift
    client "$name, messages" "protocol chat
text κόσμε
binary 00ff7f
pong abc
binary ...... (600000 bytes)
text ...... (70000 bytes)
closed 4001 (private) bye" \
        "text κόσμε; recv; binary 00ff7f; recv; ping abc; fill binary 300000; fill text 70000; recv 2; close 4001 bye" \
        "$@"
    client "$name, the server leaves" "protocol chat
closed 4002 (private) left
ws_client: the connection is closed" "text leave; recv" "$@"
    client "$name, the server is cut off" "protocol chat
ws_client: the stream ended between two messages, expected a close frame" "text cut; recv" "$@"
    if [ "$SCHEME" = wss ]; then
        client "$name, whom nobody believes" "ws_client: TLS: invalid peer certificate: UnknownIssuer" "text hello"
    fi
    echo "$name: $((PASSED - before)) passed, $((FAILED - broken)) failed"
}

run() {
    local deflate
    ECHO=$1 CLIENT=$2
    [ -x "$ECHO" ] || die "$ECHO: no such program"
    [ -x "$CLIENT" ] || die "$CLIENT: no such program"
    installed ws_peers "$WS_PEERS" || die "first: ws_peers.sh install"
    export NODE_PATH=$RIGS/ws_peers/node_modules
    WORK=$(mktemp -d)
    SERVER='' PASSED=0 FAILED=0
    trap 'stop; rm -rf "$WORK"' EXIT
    make_certificates
    for SCHEME in ws wss; do
        for deflate in on off; do
            peers $deflate
            servers $deflate
        done
    done
    echo "$PASSED passed, $FAILED failed"
    [ $FAILED = 0 ]
}

# Everybody's clients with our server.
peers() {
    local deflate=$1 how="$SCHEME, permessage-deflate $1" options=() ca=() key=()
    [ "$deflate" = on ] || options+=(--no-deflate)
    if [ "$SCHEME" = wss ]; then
        options+=(--tls-cert "$WORK/server.pem" --tls-key "$WORK/server.key")
        ca=("$WORK/ca.pem")
        key=("$(cat "$WORK/key")")
    fi
    start "${options[@]}"
    [ "$SCHEME" = wss ] || curl_checks "$deflate"
    peer "npm ws, $how" node "$HERE/npm.js" "$PORT" "$deflate" "${ca[@]}"
    peer "Python websockets, $how" "$RIGS/ws_peers/venv/bin/python3" "$HERE/peer.py" "$PORT" "$deflate" "${ca[@]}"
    peer "Chromium, $how" node "$HERE/browser.js" chromium "$PORT" "$deflate" "${key[@]}"
    kill -0 "$SERVER" 2>/dev/null || {
        count 0 1
        echo "FAILED: the server ended: $(tail -n 3 "$WORK/server.err")"
    }
    stop
}

# Our client with everybody's servers.
servers() {
    local deflate=$1 how="$SCHEME, permessage-deflate $1" certificate=() options=()
    if [ "$SCHEME" = wss ]; then
        certificate=("$WORK/server.pem" "$WORK/server.key")
        options=(--ca "$WORK/ca.pem")
    fi
    [ "$deflate" = off ] || options+=(--deflate)
    start_listener "$WORK/server" node "$HERE/echo.js" "$deflate" "${certificate[@]}"
    SERVER=$LISTENER
    our_client "ws_client with npm ws, $how" "${options[@]}"
    stop
    start_listener "$WORK/server" "$RIGS/ws_peers/venv/bin/python3" "$HERE/echo.py" "$deflate" "${certificate[@]}"
    SERVER=$LISTENER
    our_client "ws_client with Python websockets, $how" "${options[@]}"
    stop
}

case ${1:-} in
    install) install ;;
    test) run "${2:?usage: ws_peers.sh test PROGRAM_ECHO CLIENT}" "${3:?usage: ws_peers.sh test PROGRAM_ECHO CLIENT}" ;;
    *) die "usage: ws_peers.sh install | test PROGRAM_ECHO CLIENT" ;;
esac
