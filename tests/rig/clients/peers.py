"""Peers that do not speak PostgreSQL, or speak it badly, while a good connection through the same proxy goes on.

Each must be let go of in good time: the proxy, or the server behind it, closes the connection. Says what went wrong and
exits with 1, or says nothing. Where to connect comes from the environment (PGHOST, PGPORT, ...).
"""

import os
import random
import socket
import struct
import sys

import psycopg

SECONDS = 20


def main():
    failures = []
    with psycopg.connect(autocommit=True) as good:
        good.execute("listen alive")
        for name, data in peers():
            complaint = visit(data)
            if complaint:
                failures.append(f"{name}: {complaint}")
            try:
                if good.execute("select %s::int", (42,)).fetchone() != (42,):
                    failures.append(f"{name}: the good connection got a wrong answer")
            except psycopg.Error as error:
                failures.append(f"{name}: the good connection broke: {error}")
                break
    print(*failures, sep="\n", end="\n" if failures else "")
    sys.exit(bool(failures))


def peers():
    yield "an HTTP client", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield "a TLS client without SSLRequest", bytes.fromhex("160301020001000101fc0303") + bytes(500)
    yield "an SSH client", b"SSH-2.0-OpenSSH_9.2\r\n"
    yield "one who says nothing", b""
    yield "one byte", b"\x00"
    yield "half a length", b"\x00\x00"
    for length in 0, 4, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 10001:
        yield f"a startup packet of {length} bytes", struct.pack("!II", length, 0x00030000)
    yield "a startup cut short", startup(b"user\0postgres\0\0")[:-5]
    yield "a startup without a terminator", startup(b"user\0postgres\0")
    yield "a startup without a user", startup(b"\0")
    yield "protocol 2", struct.pack("!II", 8, 0x00020000)
    yield "protocol 4", struct.pack("!II", 8, 0x00040000)
    yield "protocol 3.99", startup(b"user\0trustuser\0database\0postgres\0\0", 0x00030063) + b"X\0\0\0\4"
    yield "an unknown request code", struct.pack("!II", 8, 80877199)
    yield "SSLRequest, then silence", struct.pack("!II", 8, 80877103)
    yield "GSSENCRequest, then garbage", struct.pack("!II", 8, 80877104) + b"\xff" * 50
    yield "a cancellation of nobody", struct.pack("!IIII", 16, 80877102, 1, 2)
    yield "a cancellation with a long key", struct.pack("!III", 44, 80877102, 1) + bytes(32)
    yield "a cancellation cut short", struct.pack("!III", 16, 80877102, 1)
    yield "a message of no known type", logged_in(b"\x01\0\0\0\4")
    yield "a message too short for its length", logged_in(b"Q\0\0\0\3")
    yield "a message of 2 GiB", logged_in(b"Q\x7f\xff\xff\xff" + b"x" * 1000)
    yield "a Query without its terminator", logged_in(b"Q\0\0\0\x0cselect 1")
    yield "a Bind that promises too much", logged_in(b"B\0\0\0\x0a\0\0\x7f\xff\0\0")
    yield "a backend's message", logged_in(b"Z\0\0\0\5I")
    yield "one who leaves in the middle of a result", logged_in(query(b"select generate_series(1, 1000000)"))
    yield "one who leaves in the middle of a message", logged_in(query(b"select 1")[:-3])
    chance = random.Random(42)
    for n in range(30):
        data = chance.randbytes(chance.randrange(1, 3000))
        yield f"garbage {n}", data
        # A small length makes the server read on; the type bytes are then as good as random.
        yield f"garbage {n} after a startup", logged_in(data)


def startup(body, version=0x00030000):
    return struct.pack("!II", 8 + len(body), version) + body


def logged_in(data):
    return startup(b"user\0trustuser\0database\0postgres\0\0") + data


def query(text):
    return b"Q" + struct.pack("!I", 5 + len(text)) + text + b"\0"


def visit(data):
    address = os.environ["PGHOST"], int(os.environ["PGPORT"])
    with socket.create_connection(address, timeout=SECONDS) as peer:
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            read = 0
            while (got := len(peer.recv(65536))) and read < 1_000_000:
                read += got
        except TimeoutError:
            return f"still connected after {SECONDS} s"
        except ConnectionError:
            pass
    return None


main()
