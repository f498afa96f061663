#!/usr/bin/env python3
"""What a WebSocket echo server holds for clients that never end a message, and how long others wait for clients that
read nothing, or little.

ws_load.py HOST:PORT --pid PID [--most MIB] [--slow N] [--report]

The first is a limit on the process's memory (VmRSS), and fails. The second is told as ratios of the same run without
those clients, and fails only where the others are not served. `--report` measures for longer.
"""

import argparse
import socket
import statistics
import sys
import threading
import time
import zlib

from ws_wire import BINARY, CONT, TEXT, Conn, deflate, frame, request

OFFER = "permessage-deflate; client_max_window_bits"
# What a server's limit of 1 MiB lets through: 64 KiB that become 64 MiB, and so would be too long.
BOMB = 64 << 20


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def connect(address):
    conn = Conn(address)
    conn.send(request(conn.host, Sec_WebSocket_Extensions=OFFER))
    conn.accepted([OFFER])
    return conn


def unfinished(address, pid, most):
    """Twelve messages of 64 KiB that do not end: the server holds little more than it got."""
    bomb = deflate(bytes(BOMB))[: 64 << 10]
    before = memory(pid)
    kinds = {"in one frame": [frame(BINARY, bomb, fin=False, rsv=4)]}
    half = len(bomb) // 2
    kinds["in two"] = [frame(TEXT, bomb[:half], fin=False, rsv=4), frame(CONT, bomb[half:], fin=False)]
    for name, frames in kinds.items():
        conns = [connect(address) for _ in range(12)]
        for conn in conns:
            conn.send(b"".join(frames))
        # A ping behind it is answered once all before it has been taken.
        for conn in conns:
            conn.send(frame(9, b"there"))
            assert conn.take(7, "a pong") == b"\x8a\x05there"
        held = memory(pid)
        print(f"12 unfinished messages of 64 KiB, {name}: {held:.1f} MiB in all, {before:.1f} MiB before")
        for conn in conns:
            conn.socket.close()
        if held > most:
            return f"expected at most {most} MiB"
    return None


def round_trips(address, seconds):
    conn, times = connect(address), []
    message = frame(TEXT, b"x" * 20)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        conn.send(message)
        conn.take(22, "an echo")
        times.append(time.perf_counter() - began)
        time.sleep(0.001)
    conn.socket.close()
    return sorted(times)


def silent(address, limit):
    """A client, and messages for it to send."""
    conn = connect(address)
    conn.socket.setblocking(False)
    # Not noise alone: something to work on.
    text = b"".join(b"%x" % (i * 2654435761 % 2**32) for i in range(limit // 8))
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    payload = (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    return conn, frame(TEXT, payload, rsv=4) * 4, 0


def feed(clients, read, stop):
    """Sends what is taken, and reads so many bytes each millisecond."""
    while not stop.wait(0.001):
        for i, (conn, data, at) in enumerate(clients):
            try:
                at = (at + conn.socket.send(data[at : at + (1 << 20)])) % len(data)
                clients[i] = conn, data, at
            except OSError:
                pass
            try:
                _ = read and conn.socket.recv(read)
            except OSError:
                pass


def latency(address, slow, read, seconds, length, settle=2):
    """Percentiles of others' round trips, beside slow clients, against those without."""
    alone = round_trips(address, seconds)
    clients = [silent(address, length) for _ in range(slow)]
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(clients, read, stop))
    feeder.start()
    time.sleep(settle)
    beside = round_trips(address, seconds)
    stop.set()
    feeder.join()
    told = []
    for name, at in (("median", 0.5), ("99th", 0.99), ("longest", 1.0)):
        a, b = (times[min(int(len(times) * at), len(times) - 1)] for times in (alone, beside))
        told.append(f"{name} {b / a:.1f}")
    how = f"read {read} bytes each millisecond" if read else "do not read"
    print(f"round trips beside {slow} clients that {how}, against those without: " + ", ".join(told))
    for conn, *_ in clients:
        conn.socket.close()
    return "others are not served" if statistics.median(beside) > 1 else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", type=lambda v: (v.rpartition(":")[0], int(v.rpartition(":")[2])))
    parser.add_argument("--pid", type=int, required=True, help="the server's process")
    parser.add_argument("--most", type=float, default=16, help="MiB that it may hold")
    parser.add_argument("--slow", type=int, default=2, help="clients that read nothing, or little")
    parser.add_argument("--message", type=int, default=1 << 20, help="length of their messages")
    parser.add_argument("--report", action="store_true", help="measures for longer")
    options = parser.parse_args()
    socket.setdefaulttimeout(10)
    problem = unfinished(options.address, options.pid, options.most)
    for read in (0, 4096):
        seconds = 10 if options.report else 2
        problem = problem or latency(options.address, options.slow, read, seconds, options.message)
    return problem


if __name__ == "__main__":
    sys.exit(main())
