"""What psycopg 3 can do, with nothing in the output that changes from run to run.

Where to connect comes from the environment (PGHOST, PGPORT, ...), as libpq reads it.
"""

import datetime
import decimal
import hashlib
import threading
import time
import uuid

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


def main():
    for step in (
        parameters, prepared, binary, large, rows_streamed, pipelines, cursors, copies, transactions, notices, notifies,
        cancels, authentication, startup,
    ):
        print("---", step.__name__)
        with psycopg.connect(autocommit=True) as connection:
            step(connection)


def shown(value):
    text = repr(value)
    return text if len(text) < 200 else f"{len(text)} characters, md5 {hashlib.md5(text.encode()).hexdigest()}"


def complaint(error):
    diag = error.diag
    return type(error).__name__, diag.sqlstate, diag.message_primary, diag.message_detail, diag.statement_position


def refused(what, connection, query, *args, **kwargs):
    try:
        connection.execute(query, *args, **kwargs)
        print(what, "was not refused")
    except psycopg.Error as error:
        print(what, complaint(error))


VALUES = [
    1, -(2**40), 2**62, True, None, "", "tëxt 漢字 🦀", b"\x00\xff", decimal.Decimal("-12345.6789"), 1.5, float("inf"),
    datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3, 4, 5, 678), datetime.timedelta(days=-1, seconds=3),
    uuid.UUID(int=42), [1, 2, None], ["a", None, 'q"\\'], Jsonb({"a": [1, None]}),
]


def parameters(connection):
    for value in VALUES:
        cursor = connection.execute("select %s as v", (value,))
        print(shown(cursor.fetchone()), cursor.description[0].type_display)
    row = connection.execute("select " + ",".join(["%s::int"] * 1000), range(1000)).fetchone()
    print(shown(row))
    refused("too few", connection, "select $1::int, $2::int", (), binary=True)
    refused("no int", connection, "select %s::int", ("abc",))
    refused("syntax", connection, "selec %s", (1,))
    print(connection.execute("").statusmessage, connection.execute("select 1; select 2").nextset())
    print(connection.execute("select 1").fetchall())


def prepared(connection):
    for n in range(12):
        print(connection.execute("select %s::int * 2, %s::text", (n, str(n)), prepare=n % 2 == 0).fetchone(), end=" ")
    print()
    connection.prepare_threshold = 0
    connection.prepared_max = 2
    # Pushes statements out of the cache: Close or DEALLOCATE.
    for n in range(8):
        print(connection.execute(sql.SQL("select {}::int, %s").format(sql.Literal(n % 4)), (n,)).fetchone(), end=" ")
    print()
    connection.execute("create temporary table p (a int)")
    for column in "b", "c":
        print(connection.execute("select * from p where a > %s", (0,)).description)
        connection.execute(f"alter table p add {column} text")
    # The prepared statement's result has changed: the server refuses, not the client.
    refused("changed", connection, "select * from p where a > %s", (0,))


def binary(connection):
    with connection.cursor(binary=True) as cursor:
        for value in VALUES:
            print(shown(cursor.execute("select %b", (value,)).fetchone() if value is not None else None))
        cursor.execute("select n, n::text, n::float8 / 3, case when n % 2 = 0 then n end from generate_series(1, 1000) n")
        print(shown(cursor.fetchall()))


def large(connection):
    blob = bytes(range(256)) * 4096
    text = "ä" * 500_000
    for is_binary in False, True:
        cursor = connection.cursor(binary=is_binary)
        row = cursor.execute("select %b, %t, %b", (blob, text, blob)).fetchone()
        print(row == (blob, text, blob))


def rows_streamed(connection):
    cursor = connection.cursor()
    print(sum(row[0] for row in cursor.stream("select n from generate_series(1, 3000) n")))
    try:
        for row in cursor.stream("select 1 / (5 - n) from generate_series(1, 9) n"):
            print(row, end=" ")
    except psycopg.Error as error:
        print(complaint(error))
    if psycopg.pq.version() >= 170000:
        print(sum(row[0] for row in cursor.stream("select n from generate_series(1, 3000) n", size=100)))


def pipelines(connection):
    with connection.pipeline() as pipeline:
        cursors = [connection.execute("select %s::int, repeat('x', %s::int)", (n, n)) for n in range(300)]
        pipeline.sync()
        print(shown([cursor.fetchone() for cursor in cursors]))
    libpq_pipeline()
    connection.execute("create temporary table many (a int, b text)")
    with connection.cursor() as cursor:
        cursor.executemany("insert into many values (%s, %s)", [(n, "x" * n) for n in range(500)])
        print(cursor.rowcount)
        cursor.executemany("select %s::int", [(n,) for n in range(3)], returning=True)
        while True:
            print(cursor.fetchone(), end=" ")
            if not cursor.nextset():
                break
    print(connection.execute("select count(*), sum(length(b)) from many").fetchone())


def libpq_pipeline():
    """psycopg reads what has arrived whenever it sends, so that an error is met sooner or later. libpq alone does not."""
    libpq = psycopg.pq.PGconn.connect(b"")
    libpq.enter_pipeline_mode()
    for text in b"select 'before'", b"select 1 / 0", b"select 'lost'":
        libpq.send_query_params(text, None)
    libpq.pipeline_sync()
    libpq.send_query_params(b"select $1::int + 1", [b"41"], result_format=1)
    libpq.send_flush_request()
    libpq.send_prepare(b"named", b"select $1::text")
    libpq.send_describe_prepared(b"named")
    libpq.send_query_prepared(b"named", [None])
    libpq.send_close_prepared(b"named")
    libpq.send_query_prepared(b"named", [b"gone"])
    libpq.pipeline_sync()
    while libpq.flush():
        pass
    syncs = 0
    while syncs < 2:
        # Each statement's results end with none.
        while result := libpq.get_result():
            status = psycopg.pq.ExecStatus(result.status).name
            print(status, result.get_value(0, 0) if result.ntuples else None, result.error_message.decode().split("\n")[0])
            if status == "PIPELINE_SYNC":
                syncs += 1
                break
    libpq.exit_pipeline_mode()
    libpq.finish()


def cursors(connection):
    with connection.transaction():
        with connection.cursor("named", scrollable=True) as cursor:
            cursor.execute("select n, n * n from generate_series(1, 100) n")
            print(cursor.fetchone(), cursor.fetchmany(3))
            cursor.scroll(50)
            print(cursor.fetchone())
            cursor.scroll(-10)
            print(cursor.fetchone(), len(cursor.fetchall()))
        with connection.cursor("streamed", binary=True) as cursor:
            cursor.itersize = 7
            cursor.execute("select n from generate_series(1, %s) n", (50,))
            print(sum(row[0] for row in cursor))


def copies(connection):
    connection.execute("create temporary table c (a int, b text, d bytea)")
    rows = [(n, "t%d" % n if n % 5 else None, bytes([n % 256]) * (n % 50)) for n in range(5000)]
    for options in "", "(format binary)", "(format csv)":
        connection.execute("truncate c")
        with connection.cursor() as cursor:
            if "csv" in options:
                with cursor.copy("copy c (a, b) from stdin " + options) as copy:
                    # In pieces that know nothing of lines.
                    data = b"".join(b"%d,x%d\n" % (n, n) for n in range(2000))
                    for at in range(0, len(data), 777):
                        copy.write(data[at : at + 777])
            else:
                with cursor.copy("copy c from stdin " + options) as copy:
                    if options:
                        copy.set_types(["int4", "text", "bytea"])
                    for row in rows:
                        copy.write_row(row)
            print(options, cursor.rowcount, cursor.statusmessage)
            with cursor.copy("copy (select * from c order by a) to stdout " + options) as copy:
                digest, count = hashlib.md5(), 0
                for block in copy:
                    digest.update(block)
                    count += len(block)
            print(count, digest.hexdigest())
    with connection.cursor() as cursor:
        with cursor.copy("copy c to stdout (format binary)") as copy:
            copy.set_types(["int4", "text", "bytea"])
            print(len(list(copy.rows())))
        with cursor.copy("copy c (b) from stdin") as copy:
            copy.write("z" * 3_000_000)
        print(cursor.rowcount)
    # The client gives up: CopyFail.
    try:
        with connection.cursor().copy("copy c from stdin") as copy:
            copy.write("1\tx\t\\\\x00\n")
            raise ValueError("given up")
    except ValueError as error:
        print(error, connection.info.transaction_status.name)
    # The server gives up, while the client goes on.
    try:
        with connection.cursor().copy("copy c (a) from stdin") as copy:
            for n in range(10000):
                copy.write("%d\n" % n if n != 50 else "not a number\n")
    except psycopg.Error as error:
        print(complaint(error))
    # The client does not want the rest: it cancels, and reads until the server has heard it.
    try:
        with connection.cursor().copy("copy (select n, repeat('x', 1000) from generate_series(1, 20000) n) to stdout") as copy:
            print(bytes(next(iter(copy)))[:3])
            raise ValueError("enough")
    except ValueError as error:
        print(error, connection.info.transaction_status.name)
    print(connection.execute("select 1").fetchone())


def transactions(connection):
    print(connection.info.transaction_status.name)
    with connection.transaction():
        print(connection.info.transaction_status.name)
        try:
            with connection.transaction("inner"):
                connection.execute("select 1 / 0")
        except psycopg.errors.DivisionByZero:
            print(connection.info.transaction_status.name)
        print(connection.execute("select 1").fetchone())
    connection.execute("begin")
    refused("in a transaction", connection, "select nothing")
    print(connection.info.transaction_status.name)
    refused("in a failed transaction", connection, "select 1")
    connection.rollback()
    connection.autocommit = False
    connection.execute("set local statement_timeout = 50")
    refused("timeout", connection, "select pg_sleep(10)")
    connection.rollback()
    connection.autocommit = True


def notices(connection):
    connection.add_notice_handler(lambda diag: print(diag.severity, diag.sqlstate, diag.message_primary, diag.message_hint))
    connection.execute("do $$ begin raise notice 'one'; raise warning 'two' using hint = 'h', errcode = '01XYZ'; end $$")
    connection.execute("drop table if exists nothing_there")


def notifies(connection):
    connection.execute("listen ch")
    with psycopg.connect(autocommit=True) as other:
        for n in range(5):
            other.execute("select pg_notify('ch', %s)", (str(n) * n,))
        other.execute("notify ch")
    for note in connection.notifies(timeout=10, stop_after=6):
        print(note.channel, note.payload, note.pid != connection.info.backend_pid)


def cancels(connection):
    for how in "cancel", "cancel_safe":
        began = time.monotonic()
        timer = threading.Timer(0.3, getattr(connection, how))
        timer.start()
        refused(how, connection, "select pg_sleep(30)")
        timer.join()
        print(time.monotonic() - began < 10, connection.execute("select 'alive'").fetchone())


def authentication(_connection):
    for user in "scramuser", "md5user", "plainuser", "trustuser":
        for password in "secret", "wrong", "":
            try:
                with psycopg.connect(user=user, password=password) as connection:
                    print(user, password, connection.execute("select current_user").fetchone())
            except psycopg.OperationalError as error:
                # The text names the address and, in some versions, the port.
                print(user, password, str(error).rsplit("FATAL:", 1)[-1].rsplit("failed: ", 1)[-1].strip())
    for user, dbname in ("nobody", "postgres"), ("postgres", "no_database"):
        try:
            psycopg.connect(user=user, dbname=dbname)
        except psycopg.OperationalError as error:
            print(user, dbname, str(error).rsplit("FATAL:", 1)[-1].strip())


def startup(_connection):
    options = '-c search_path="a\\ b",c -c work_mem=1MB'
    with psycopg.connect(options=options, application_name="tap ünï", client_encoding="LATIN1") as connection:
        print(connection.execute("select current_setting('search_path'), current_setting('work_mem')").fetchone())
        names = (
            "application_name", "client_encoding", "DateStyle", "integer_datetimes", "is_superuser", "server_encoding",
            "session_authorization", "standard_conforming_strings", "TimeZone", "in_hot_standby", "search_path",
        )
        print([(name, connection.info.parameter_status(name)) for name in names])
    for mode in "disable", "prefer", "require":
        try:
            with psycopg.connect(sslmode=mode) as connection:
                print(mode, connection.execute("select 1").fetchone())
        except psycopg.OperationalError as error:
            print(mode, str(error).rsplit(":", 1)[-1].strip())
    with psycopg.connect("replication=database", autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute("IDENTIFY_SYSTEM")
        print([column.name for column in cursor.description], cursor.fetchone()[3])
        cursor.execute("SHOW wal_level")
        print(cursor.fetchall())


main()
