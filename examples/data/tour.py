"""The client in tour.capture. To record it anew, with PostgreSQL 18 and psycopg 3 (libpq 18):

    cargo run --release --example pg_tap -- --listen 127.0.0.1:6432 --server 127.0.0.1:5432 \
        --record examples/data/tour.capture
    PGHOST=127.0.0.1 PGPORT=6432 PGUSER=postgres PGDATABASE=postgres PGPASSWORD=... python3 examples/data/tour.py

then save what the tour prints to tests/tour.expected.
"""

import threading
import time

import psycopg

with psycopg.connect("max_protocol_version=3.2", autocommit=True) as session:
    # Simple queries, one of them with a notice.
    session.execute("create temp table birds (id int primary key, name text)")
    session.execute("do $$ begin raise notice 'birds are %', 'animals'; end $$")

    # Extended queries: parameters, and results in binary.
    session.execute("insert into birds values (%s, %s), (%s, %s)", (1, "great tit", 2, None))
    session.execute("select id, name from birds where id < %b", (10,), binary=True).fetchall()

    # COPY in both directions.
    with session.cursor().copy("copy birds from stdin") as copy:
        copy.write_row((3, "rook"))
        copy.write_row((4, "möwe"))
    with session.cursor().copy("copy birds to stdout") as copy:
        list(copy)

    # An error.
    try:
        session.execute("select wings from birds")
    except psycopg.errors.UndefinedColumn:
        pass

    # A notification.
    session.execute("listen nest")
    session.execute("notify nest, 'egg'")

    # A cancellation, on a connection of its own.
    canceller = threading.Thread(target=lambda: (time.sleep(0.3), session.cancel_safe()))
    canceller.start()
    try:
        session.execute("select pg_sleep(60)")
    except psycopg.errors.QueryCanceled:
        pass
    canceller.join()
