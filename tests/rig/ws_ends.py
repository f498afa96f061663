#!/usr/bin/env python3
"""Peers that send no more, and still read: what they are owed must come. They close their sending half right behind
their last frame, so the end of input is there as soon as the frame is.

ws_ends.py PROGRAMS    the folder of ws_echo, ws_tunnel and ws_client

HALF_CLOSES (200) is how often each case is tried.
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ws_wire import BINARY, CLOSE, PING, PONG, TEXT, Bad, Conn, accept_of, close, frame, request

TIMES = int(os.environ.get("HALF_CLOSES", "200"))


class Program:
    """A program that says where it listens."""

    def __init__(self, *command):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        self.address, self.pid = ("127.0.0.1", int(line.rpartition(":")[2])), self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def complaints(self):
        """What it has said on standard error. It goes on writing where it is, so that must not be moved."""
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode()


def serve(handle):
    """A TCP server of its own; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def loop():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


def echo(connection):
    with connection, contextlib.suppress(ConnectionError):
        while data := connection.recv(1 << 16):
            connection.sendall(data)


class Slow:
    """A TCP server that takes its time, and speaks before it reads."""

    def __init__(self):
        self.read, self.done = 0, threading.Event()
        self.port = serve(self.handle)

    def handle(self, connection):
        with connection:
            time.sleep(0.1)
            try:
                connection.sendall(b"x" * 50_000)
                time.sleep(0.1)
                while data := connection.recv(1 << 16):
                    self.read += len(data)
            except ConnectionError:
                self.read = -1
        self.done.set()


def ask(address, sent, *expected, at_once=False):
    """Sends, and closes the sending half; then so much must come, and the end. `at_once`: the handshake is not waited
    for."""
    with Conn(address) as conn:
        if at_once:
            conn.send(request(conn.host) + sent)
        else:
            conn.open()
            conn.send(sent)
        conn.socket.shutdown(socket.SHUT_WR)
        if at_once:
            conn.accepted()
        for answer in expected:
            got = conn.read()
            if got != answer:
                raise Bad(f"{str(got)[:60]} instead of {str(answer)[:60]}")
        conn.end()


def unframe(frames):
    """The frames that a client has sent, up to 125 bytes each."""
    found = []
    while frames:
        length = frames[1] & 0x7F
        key, data = frames[2:6], frames[6 : 6 + length]
        found.append((frames[0] & 15, bytes(a ^ key[i % 4] for i, a in enumerate(data))))
        frames = frames[6 + length :]
    return found


class Server:
    """A WebSocket server that says one thing, closes its sending half, and keeps what it is told. `last`: it waits for
    the client's Close before. `deaf`: it reads nothing behind the handshake, and does not end. `resets`: it ends at
    once, and without grace."""

    def __init__(self, says, last=False, deaf=False, resets=False):
        self.says, self.last, self.deaf, self.resets = says, last, deaf, resets
        self.told, self.done = None, threading.Event()
        self.port = serve(self.handle)

    def handle(self, connection):
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            head, _, told = head.partition(b"\r\n\r\n")
            nonce = next(line for line in head.decode().split("\r\n") if line.lower().startswith("sec-websocket-key"))
            answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            answer += accept_of(nonce.partition(":")[2].strip()) + "\r\n\r\n"
            # What comes first may come with the answer.
            with_it = b"" if self.last or self.deaf else self.says
            connection.sendall(answer.encode() + with_it)
            if self.deaf:
                time.sleep(30)
            while self.last and (CLOSE, NORMAL) not in unframe(told):
                told += connection.recv(4096)
            connection.sendall(self.says[len(with_it) :])
            if self.resets:
                # It has been read by then, and is lost otherwise.
                time.sleep(0.1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            connection.shutdown(socket.SHUT_WR)
            try:
                while data := connection.recv(1 << 16):
                    told += data
            except ConnectionError as error:
                told = str(error)
            self.told = told
            self.done.set()

    def expect(self, *frames):
        if not self.done.wait(10):
            raise Bad("no end of what the client says")
        got = self.told if isinstance(self.told, str) else unframe(self.told)
        if got != list(frames):
            raise Bad(f"{got} instead of {frames}")


def unmasked(opcode, payload=b""):
    return frame(opcode, payload, key=None)


def client(program, says, commands, *expected):
    """A server that half-closes; the client's exit code does not matter."""
    server = Server(says)
    command = [program, f"ws://127.0.0.1:{server.port}/", commands]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)
    server.expect(*expected)


def attempt(name, times, case):
    """Tries it so often, some at a time, and says how often it failed."""

    def once(_):
        try:
            case()
        except (Bad, OSError, subprocess.TimeoutExpired) as error:
            return str(error) or repr(error)
        return None

    with ThreadPoolExecutor(4) as pool:
        failures = [failure for failure in pool.map(once, range(times)) if failure]
    print(f"{name}: {times} times, {len(failures)} failed" + (f", the first with: {failures[0]}" if failures else ""))
    return len(failures)


NORMAL, LONG = b"\3\xe8", b"x" * 300_000


def main():
    programs, failed = sys.argv[1], 0
    with Program(f"{programs}/ws_echo", "--quiet", "--listen", "127.0.0.1:0") as server:
        at = server.address
        hello, goodbye = frame(TEXT, b"hello"), close(1000)
        cases = {
            "a message and Close": (hello + goodbye, (TEXT, b"hello"), (CLOSE, 1000, b"")),
            "three messages": (hello * 3, *[(TEXT, b"hello")] * 3),
            "Ping": (frame(PING, b"there"), (PONG, b"there")),
            "a violation": (hello + frame(3), (TEXT, b"hello"), (CLOSE, 1002, b"")),
        }
        for name, (sent, *expected) in cases.items():
            failed += attempt(f"ws_echo, {name}", TIMES, lambda: ask(at, sent, *expected))
            failed += attempt(f"ws_echo, {name}, at once", TIMES, lambda: ask(at, sent, *expected, at_once=True))
        # More than the system keeps: it is written while the client reads.
        long = frame(BINARY, LONG) * 4 + goodbye, *[(BINARY, LONG)] * 4, (CLOSE, 1000, b"")
        failed += attempt("ws_echo, long messages and Close", max(TIMES // 10, 1), lambda: ask(at, *long))

    tunnel = f"{programs}/ws_tunnel"
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(echo)}") as server:
        at = server.address
        # What has gone to the plain side comes back, and its end is a Close.
        sent, back = frame(BINARY, b"hello"), [(BINARY, b"hello"), (CLOSE, 1000, b"")]
        failed += attempt("ws_tunnel, a message", TIMES, lambda: ask(at, sent, *back))
        failed += attempt("ws_tunnel, a message, at once", TIMES, lambda: ask(at, sent, *back, at_once=True))
        failed += attempt("ws_tunnel, Close", TIMES, lambda: ask(at, close(1000), (CLOSE, 1000, b"")))
        failed += attempt("ws_tunnel, a violation", TIMES, lambda: ask(at, frame(3), (CLOSE, 1002, b"")))

    def taken():
        """What was sent before Close is not taken back from a plain side that was not heard any more."""
        server = Slow()
        with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{server.port}") as at:
            with Conn(at.address) as conn:
                conn.open()
                conn.send(frame(BINARY, LONG) + close(1000))
                conn.socket.shutdown(socket.SHUT_WR)
                if not server.done.wait(10) or server.read != len(LONG):
                    raise Bad(f"{server.read} of {len(LONG)} bytes")

    failed += attempt("ws_tunnel, a message to a slow plain side", max(TIMES // 10, 1), taken)

    def outer(says, *expected, sends=b"", gets=b""):
        """A tunnel to a WebSocket that half-closes; whoever connects to the tunnel makes it connect, and may
        half-close too."""
        server = Server(says, last=bool(sends))
        with Program(tunnel, "--listen", "tcp:127.0.0.1:0", "--to", f"ws://127.0.0.1:{server.port}/") as at:
            with socket.create_connection(at.address, timeout=10) as plain:
                if sends:
                    plain.sendall(sends)
                    plain.shutdown(socket.SHUT_WR)
                got = b""
                while data := plain.recv(1 << 16):
                    got += data
                server.expect(*expected)
                if got != gets:
                    raise Bad(f"{got} instead of {gets}")

    goodbye = unmasked(CLOSE, NORMAL)
    failed += attempt("ws_tunnel to a server, Close", TIMES, lambda: outer(goodbye, (CLOSE, NORMAL)))

    answer = unmasked(BINARY, b"late") + goodbye
    told = (BINARY, b"hello"), (CLOSE, NORMAL)
    late = lambda: outer(answer, *told, sends=b"hello", gets=b"late")
    failed += attempt("ws_tunnel to a server, an answer before its Close", max(TIMES // 10, 1), late)

    program = f"{programs}/ws_client"
    for name, says, commands, *expected in (
        ("Close", goodbye, "recv", (CLOSE, NORMAL)),
        ("a message and Close", unmasked(TEXT, b"hi") + goodbye, "recv; recv", (CLOSE, NORMAL)),
        ("Ping", unmasked(PING, b"there"), "recv", (PONG, b"there")),
        ("a violation", unmasked(3), "recv", (CLOSE, b"\3\xea")),
    ):
        failed += attempt(f"ws_client, {name}", TIMES, lambda: client(program, says, commands, *expected))

    def reset():
        """Both have said goodbye: how the connection ends is no news."""
        command = f"{programs}/ws_client", f"ws://127.0.0.1:{Server(goodbye, last=True, resets=True).port}/", "close"
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode or done.stderr:
            raise Bad(done.stderr)

    failed += attempt("ws_client, a reset behind Close", max(TIMES // 10, 1), reset)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
