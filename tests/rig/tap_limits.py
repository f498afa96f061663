#!/usr/bin/env python3
"""Clients of pg_tap that do not begin, and connections of which one side has ended: neither keeps others out, and
nothing is held for them in the end. The server is one of this script's own; its client's user name says what it does.

tap_limits.py PG_TAP

TAP_CLIENTS (200) is how many do not begin, TAP_PAIRS (25) how many connections half end.
"""

import os
import resource
import socket
import subprocess
import sys
import threading
import time

from full import full

CLIENTS = int(os.environ.get("TAP_CLIENTS", "200"))
PAIRS = int(os.environ.get("TAP_PAIRS", "25"))
LIMIT = 1.5
# Descriptors: fewer than clients, and more than pairs, which have four each.
FILES = 128
OK = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
QUERY = b"Q\0\0\0\x0dselect 1\0"
ROW = b"D\0\0\0\x0b\0\x01\0\0\0\x011"
READY = b"Z\0\0\0\x05I"
TERMINATE = b"X\0\0\0\x04"


def startup(user):
    body = b"\0\x03\0\0user\0" + user.encode() + b"\0\0"
    return (len(body) + 4).to_bytes(4, "big") + body


class Server:
    """Logs everybody in, and then does as the user's name says."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.over = threading.Event()
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                user = connection.recv(4096)[13:].partition(b"\0")[0].decode()
                connection.sendall(OK)
                getattr(self, user)(connection)
            except (OSError, AttributeError):
                pass

    def closes(self, _):
        """At once."""

    def stays(self, _):
        """Whatever happens."""
        self.over.wait(60)

    def answers(self, connection):
        while data := connection.recv(4096):
            if data.startswith(b"Q"):
                connection.sendall(ROW + READY)

    def slow(self, connection):
        """Says most of it when the client has ended, and takes longer than the limit in all."""
        while connection.recv(4096):
            pass
        for _ in range(6):
            time.sleep(LIMIT / 3)
            connection.sendall(ROW)

    def floods(self, connection):
        for _ in range(2000):
            connection.sendall(ROW * 1000)


class Tap:
    def __init__(self, program, address):
        limits = "--startup", str(LIMIT), "--linger", str(LIMIT)
        command = [program, "--quiet", "--listen", "127.0.0.1:0", "--server", address, *limits]
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=few
        )
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def connect(self, sent=b""):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(sent)
        return client

    def held(self):
        """Descriptors and threads."""
        return tuple(len(os.listdir(f"/proc/{self.process.pid}/{what}")) for what in ("fd", "task"))


def all_of(client, what=b""):
    """All that comes."""
    try:
        while data := client.recv(1 << 16):
            what += data
    except (ConnectionError, TimeoutError):
        pass
    return what


def settled(tap, baseline, within):
    """Seconds until nothing more is held than before."""
    began = time.monotonic()
    while tap.held() != baseline and time.monotonic() - began < within:
        time.sleep(0.02)
    return time.monotonic() - began


def lockout(tap, baseline):
    """Clients of one byte, every other one with another byte now and then."""
    clients = [tap.connect(b"\0") for _ in range(CLIENTS)]
    stop = threading.Event()

    def drip():
        while not stop.wait(0.2):
            for client in clients[::2]:
                try:
                    client.send(b"\0")
                except OSError:
                    pass

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    newcomer = tap.connect(startup("answers") + QUERY + TERMINATE)
    got = all_of(newcomer)
    taken = time.monotonic() - began
    # All that are there are dropped at once, and then those that have waited.
    rounds = CLIENTS // (FILES - 10) + 1
    rest = settled(tap, baseline, LIMIT * 3)
    stop.set()
    for client in [*clients, newcomer]:
        client.close()
    print(f"{CLIENTS} clients that do not begin: a newcomer is served after {taken:.1f} s, and {rest:.1f} s later "
          f"{tap.held()} descriptors and threads are held, {baseline} before")
    return got != OK + ROW + READY or taken > rounds * LIMIT + 3 or tap.held() != baseline


def half_ended(tap, baseline, name, user, half_close):
    clients = [tap.connect(startup(user)) for _ in range(PAIRS)]
    for client in clients:
        while len(client.recv(len(OK), socket.MSG_PEEK)) < len(OK):
            pass
        if half_close:
            client.shutdown(socket.SHUT_WR)
    taken = settled(tap, baseline, LIMIT + 6)
    # The other side is still there.
    held = tap.held()
    for client in clients:
        client.close()
    print(f"{PAIRS} connections, {name}: after {taken:.1f} s {held} descriptors and threads are held, {baseline} before")
    return held != baseline or taken < LIMIT * 0.5


def patient(tap):
    """A client that says no more still hears all, as long as something comes."""
    client = tap.connect(startup("slow"))
    client.shutdown(socket.SHUT_WR)
    got = all_of(client)
    client.close()
    print(f"a client that half-closes has heard {len(got)} bytes of {len(OK) + 6 * len(ROW)}")
    return got != OK + ROW * 6


def unreachable(program):
    """The time to reach the server is a part of the client's."""
    with full() as port:
        tap = Tap(program, f"127.0.0.1:{port}")
        try:
            began = time.monotonic()
            client = tap.connect(startup("answers"))
            all_of(client)
            taken = time.monotonic() - began
            client.close()
        finally:
            tap.process.kill()
            tap.process.wait()
    print(f"a server that cannot be reached: its client is dropped after {taken:.1f} s, the limit is {LIMIT} s")
    return not LIMIT * 0.7 <= taken <= LIMIT + 3


def main():
    server = Server()
    tap, wrong = Tap(sys.argv[1], server.address), []
    try:
        served = tap.connect(startup("answers") + QUERY + TERMINATE)
        wrong.append(all_of(served) != OK + ROW + READY)
        served.close()
        settled(tap, (0, 0), 0.5)
        baseline = tap.held()
        wrong.append(lockout(tap, baseline))
        wrong.append(half_ended(tap, baseline, "the server closes, the client stays", "closes", False))
        wrong.append(half_ended(tap, baseline, "the client half-closes, the server stays", "stays", True))
        wrong.append(half_ended(tap, baseline, "the client half-closes and reads nothing", "floods", True))
        wrong.append(patient(tap))
    finally:
        server.over.set()
        tap.process.kill()
        tap.process.wait()
    wrong.append(unreachable(sys.argv[1]))
    return any(wrong)


if __name__ == "__main__":
    sys.exit(main())
