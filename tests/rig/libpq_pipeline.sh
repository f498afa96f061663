#!/usr/bin/env bash
# PostgreSQL's own test program for pipelined queries, with the traces that libpq itself is expected to write.
#
#   libpq_pipeline.sh install   leaves $RIGS/libpq_pipeline/libpq_pipeline and $RIGS/libpq_pipeline/traces/*.trace
set -euo pipefail
# shellcheck source=tests/rig/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The version whose traces were looked at; when the archive has it no more, any of the same major does.
SOURCE=15.18-0+deb12u1

install() {
    lock_rigs
    installed libpq_pipeline "$SOURCE" && return
    apt_install gcc libc6-dev libpq-dev postgresql-server-dev-15 dpkg-dev
    say "building libpq_pipeline $SOURCE"
    local dir
    mkdir -p "$RIGS/libpq_pipeline"
    dir=$(mktemp -d "$RIGS/libpq_pipeline/new.XXXXXX")
    (cd "$dir" && fetch && build)
    rm -rf "$RIGS/libpq_pipeline/traces"
    mv "$dir"/postgresql-15-*/src/test/modules/libpq_pipeline/{libpq_pipeline,traces} "$RIGS/libpq_pipeline/"
    rm -rf "$dir"
    stamp libpq_pipeline "$SOURCE"
}

# The source lists are private to this folder: the machine's own stay as they are.
fetch() {
    local apt=(-q -o Dir::Etc::sourcelist="$PWD/src.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$PWD/lists" -o APT::Sandbox::User=root)
    mkdir -p lists/partial
    debian_sources >src.list
    quiet apt-get "${apt[@]}" update
    quiet apt-get "${apt[@]}" source "postgresql-15=$SOURCE" || quiet apt-get "${apt[@]}" source postgresql-15
}

# The `deb-src` lines for whatever archives this machine's packages come from.
debian_sources() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p'
    # deb822: stanzas of `URIs:`, `Suites:`, `Components:`.
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '
        function flush(  i, n, suites) {
            n = split(s, suites, " ")
            for (i = 1; i <= n; i++) if (u != "") print "deb-src", k == "" ? "" : "[signed-by=" k "]", u, suites[i], c
            u = s = c = k = ""
        }
        /^URIs:/ { u = $2 }
        /^Suites:/ { s = substr($0, 8) }
        /^Components:/ { c = substr($0, 12) }
        /^Signed-By: *\// { k = $2 }
        /^$/ { flush() }
        END { flush() }' || true
}

build() {
    cd postgresql-15-*/src/test/modules/libpq_pipeline
    gcc -O1 -w -I/usr/include/postgresql -I/usr/include/postgresql/15/server -I/usr/include/postgresql/internal \
        libpq_pipeline.c -o libpq_pipeline -lpq -L/usr/lib/postgresql/15/lib -lpgcommon -lpgport -lm
}

[ "${1:-}" = install ] || die "usage: libpq_pipeline.sh install"
install
