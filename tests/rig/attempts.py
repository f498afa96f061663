#!/usr/bin/env python3
"""The example `attempts` tries the same servers in the same way as a real libpq does, whatever the servers do.

    attempts.py LIBPQ PROGRAM

Three servers on 127.0.0.1 that misbehave at random, and a port where nobody listens, are offered to both: once each for
every random connection string. What the servers see has to be the same, and so has the end. COUNT (1500) says how many,
SEED (1) which. There is no TLS in the program, so every handshake fails.
"""
import ctypes
import os
import random
import socket
import struct
import subprocess
import sys
import threading

LIBPQ, PROGRAM = sys.argv[1:]
COUNT = int(os.environ.get("COUNT", "1500"))
RANDOM = random.Random(int(os.environ.get("SEED", "1")))
SSL_REQUEST = 80877103
# No client's.
LAST = 7

pq = ctypes.CDLL(LIBPQ)
pq.PQconnectdb.restype = ctypes.c_void_p
for function, result in ((pq.PQstatus, ctypes.c_int), (pq.PQport, ctypes.c_char_p), (pq.PQfinish, None)):
    function.argtypes = [ctypes.c_void_p]
    function.restype = result


def message(tag, body):
    return tag + struct.pack(">i", len(body) + 4) + body


def error(state):
    return message(b"E", b"SFATAL\0VFATAL\0C" + state + b"\0Mno\0\0")


AUTHENTICATED = message(b"R", struct.pack(">i", 0))
READY = message(b"K", struct.pack(">ii", 1, 2)) + message(b"Z", b"I")
# Without it libpq takes the server for one before 9.0, in which nothing is a standby.
VERSION = message(b"S", b"server_version\x0013.0\0")
CLOSE = b""


class Script:
    """What a server does in one round."""

    def __init__(self):
        self.ssl = RANDOM.choice([b"N", b"N", b"N", b"S", b"S", b"E", b"?", CLOSE, error(b"53300")])
        states = [b"28000", b"28P01", b"57P03", b"57P03", b"53300", b"3D000"]
        bad = [error(RANDOM.choice(states)) for _ in range(4)]
        bad += [CLOSE, b"Etoo many\n\0", message(b"N", b"\0"), b"HTTP"]
        bad += [AUTHENTICATED + error(b"3D000"), AUTHENTICATED + CLOSE, AUTHENTICATED + error(b"57P03")]
        self.plain = None if RANDOM.random() < 0.6 else RANDOM.choice(bad)
        self.facts = b"".join(
            message(b"S", name + b"\0" + RANDOM.choice([b"on", b"off"]) + b"\0")
            for name in (b"in_hot_standby", b"default_transaction_read_only")
            if RANDOM.random() < 0.5
        )
        self.answer = RANDOM.choice([b"on", b"off", b"t", b"f", b"error", b"none", b"close"])

    def __repr__(self):
        return f"ssl {self.ssl}, plain {self.plain}, facts {self.facts}, answer {self.answer}"


class Server(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.script = None
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            events = []
            LOG.append((self.port, events))
            try:
                with connection:
                    self.serve(connection, events)
            except OSError:
                events.append("reset")

    def serve(self, connection, events):
        def read(n):
            data = b""
            while len(data) < n:
                more = connection.recv(n - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        try:
            while True:
                head = read(1)
                if head == b"\x16":
                    events.append("direct")
                    return
                head += read(3)
                length = struct.unpack(">i", head)[0]
                (code,) = struct.unpack(">i", read(4))
                if code == LAST:
                    events.append("last")
                    return
                if code != SSL_REQUEST:
                    break
                events.append("ssl")
                connection.sendall(self.script.ssl)
                if self.script.ssl == b"S":
                    # A handshake that fails: what comes is the client's hello, or nothing.
                    return
                if self.script.ssl != b"N":
                    return
            events.append(f"startup {code & 0xffff}")
            read(length - 8)
            if self.script.plain is not None:
                connection.sendall(self.script.plain)
                return
            connection.sendall(AUTHENTICATED + VERSION + self.script.facts + READY)
            while True:
                tag = read(1)
                body = read(struct.unpack(">i", read(4))[0] - 4)
                events.append(tag.decode() + body.decode())
                if tag == b"X":
                    return
                answer = self.script.answer
                if answer == b"close":
                    return
                if answer in (b"error", b"none"):
                    refused = error(b"42501").replace(b"FATAL", b"ERROR")
                    rows = refused if answer == b"error" else message(b"C", b"SHOW\0")
                else:
                    column = b"x\0" + struct.pack(">ihihih", 0, 0, 25, -1, -1, 0)
                    rows = message(b"T", struct.pack(">h", 1) + column)
                    rows += message(b"D", struct.pack(">hi", 1, len(answer)) + answer) + message(b"C", b"SHOW\0")
                connection.sendall(rows + message(b"Z", b"I"))
        except EOFError:
            return


LOG = []


def watched(client, servers):
    """What the servers see of a client, and its end."""
    LOG.clear()
    end = client()
    # Each has dealt with all that came before when it closes this one.
    for server in servers:
        with socket.create_connection(("127.0.0.1", server.port)) as last:
            last.sendall(struct.pack(">ii", 8, LAST))
            last.recv(1)
    return [(port, *events) for port, events in LOG if events != ["last"]], end


def libpq(text):
    connection = pq.PQconnectdb(text.encode())
    port = int(pq.PQport(connection)) if pq.PQstatus(connection) == 0 else None
    pq.PQfinish(connection)
    return port


def ours(text):
    run = subprocess.run([PROGRAM, text], capture_output=True, check=False)
    if b"panicked" in run.stderr:
        sys.exit(run.stderr.decode())
    return int(run.stdout.rsplit(b":", 1)[1]) if run.returncode == 0 else None


def main():
    servers = [Server() for _ in range(3)]
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    failures, connected, attempts, longest = 0, 0, 0, 0
    for _ in range(COUNT):
        ports = RANDOM.choices([server.port for server in servers] + [closed], k=RANDOM.choice([1, 2, 3, 3]))
        mode = RANDOM.choice(["disable", "allow", "allow", "prefer", "prefer", "prefer", "require"])
        target = RANDOM.choice(["any", "any", "read-write", "read-only", "primary", "standby", "prefer-standby"])
        hosts = ",".join(["127.0.0.1"] * len(ports))
        text = f"hostaddr={hosts} port={','.join(map(str, ports))} user=a sslmode={mode} target_session_attrs={target}"
        if mode == "require" and RANDOM.random() < 0.3:
            text += " sslnegotiation=direct"
        for server in servers:
            server.script = Script()
        theirs, mine = (watched(lambda: client(text), servers) for client in (libpq, ours))
        # Whether a client that closes says so first, and what of a failed handshake arrives, is not compared.
        for log, _ in (theirs, mine):
            log[:] = [tuple(e for e in events if e not in ("X", "reset", "direct")) for events in log]
        connected += theirs[1] is not None
        attempts += len(theirs[0])
        longest = max(longest, len(theirs[0]))
        if mine != theirs:
            failures += 1
            if failures <= 10:
                print(f"{text}\n  libpq {theirs}\n  ours  {mine}")
                print(*(f"  {server.port} {server.script}" for server in servers), sep="\n")
    print(f"{COUNT} compared with libpq {pq.PQlibVersion() / 10000:.4f}: {attempts} connections, up to {longest} each;")
    print(f"{connected} ended with a server, {failures} differ")
    return 1 if failures or not COUNT / 5 < connected < COUNT * 4 / 5 else 0


sys.exit(main())
