#!/usr/bin/env python3
"""Peers that are silent, slow, or read nothing: each is dropped at its limit, not before, and what they make a program
hold has a bound.

ws_limits.py PROGRAMS    the folder of ws_echo, ws_tunnel and ws_client

SLOW_PEERS (8) is how many of each kind come at once.
"""

import contextlib
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time

from full import full
from ws_ends import Program, Server, echo, serve
from ws_load import memory
from ws_wire import BINARY, CLOSE, PONG, TEXT, Bad, Conn, frame, request

PEERS = int(os.environ.get("SLOW_PEERS", "8"))
# Long against a busy machine's pauses, short against a minute.
LIMIT = 1.5
LIMITS = "--handshake", str(LIMIT), "--progress", str(LIMIT)
MIB = 1 << 20


def drip(connection, data, stop):
    """One byte every 50 ms: something moves all the time."""
    with contextlib.suppress(OSError):
        for byte in data:
            if stop.wait(0.05):
                return
            connection.send(bytes([byte]))


def ended(connection, patience=10):
    """Seconds until the peer has dropped the connection, whatever it says before."""
    began = time.monotonic()
    connection.settimeout(patience)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return patience
    return time.monotonic() - began


def in_time(name, times, least=LIMIT * 0.7, most=LIMIT + 3):
    """Says how long it took, and whether that was wrong."""
    good = all(least <= taken <= most for taken in times)
    taken = f"{min(times):.1f} to {max(times):.1f} s"
    print(f"{name}: dropped after {taken}, the limit is {LIMIT} s" + ("" if good else ": WRONG"))
    return not good


def unfinished(name, address):
    """Handshakes that never end: nothing, half a request, a request that drips."""
    whole = request("%s:%d" % address, X_Long="x" * 10_000)
    stop, peers = threading.Event(), []
    for i in range(PEERS):
        peer = socket.create_connection(address)
        peers.append(peer)
        if i % 3 == 1:
            peer.sendall(whole[:40])
        elif i % 3 == 2:
            threading.Thread(target=drip, args=(peer, whole, stop), daemon=True).start()
    began, times = time.monotonic(), []
    for peer in peers:
        ended(peer)
        times.append(time.monotonic() - began)
        peer.close()
    stop.set()
    return in_time(f"{name}, {PEERS} handshakes that do not end", times)


def flood(conn, data, until):
    """Sends as long as anything is taken, and reads nothing. Gives when the peer had dropped the connection."""
    conn.socket.setblocking(False)
    at = 0
    while time.monotonic() < until:
        try:
            at = (at + conn.socket.send(data[at:])) % len(data)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return time.monotonic()
    return until


def deaf(name, address, pid, message, most):
    """Clients that send, and read nothing. Others are served meanwhile."""
    before, held = memory(pid), 0
    conns = [Conn(address).open() for _ in range(PEERS)]
    began, ends = time.monotonic(), []
    threads = [
        threading.Thread(target=lambda conn=conn: ends.append(flood(conn, message, began + 15))) for conn in conns
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        held = max(held, memory(pid))
        with Conn(address) as other:
            other.open()
            other.send(frame(BINARY, b"there"))
            assert other.read() == (BINARY, b"there")
        time.sleep(0.1)
    for conn in conns:
        conn.socket.close()
    wrong = in_time(f"{name}, {PEERS} clients that read nothing", [end - began for end in ends], most=LIMIT + 6)
    # The allocator gives back when it likes; the connections' own share is what is bounded.
    print(f"{name}: {before:.1f} MiB before, {held:.1f} MiB beside {PEERS} of them, at most {before + most} allowed")
    return wrong or held > before + most


def waiting(at, name, sent, more=b""):
    """A client that reads nothing. It sends no more than this, or what needs no answer."""
    held = lambda: len(os.listdir(f"/proc/{at.pid}/fd"))
    before = held()
    with Conn(at.address) as conn:
        conn.open()
        conn.socket.sendall(sent)
        began = time.monotonic()
        while held() > before and time.monotonic() - began < 10:
            with contextlib.suppress(OSError):
                conn.socket.send(more)
            time.sleep(0.02)
        return in_time(name, [time.monotonic() - began])


def take(connection, count, pace=None):
    """Reads so many bytes, and so many in a second at most."""
    began, got = time.monotonic(), 0
    while got < count:
        data = connection.recv(min(count - got, 1 << 16))
        if not data:
            raise Bad("dropped")
        got += len(data)
        if pace:
            time.sleep(max(got / pace - (time.monotonic() - began), 0))


def patient(address):
    """A client that is idle, or slow but reads, is none of these."""
    message, times = b"x" * 900_000, 16
    with Conn(address) as conn:
        conn.open()
        time.sleep(LIMIT * 1.5)
        sender = threading.Thread(target=conn.socket.sendall, args=(frame(BINARY, message) * times,))
        sender.start()
        take(conn.socket, 12 * len(message), pace=4 * len(message))
        take(conn.socket, 4 * len(message))
        sender.join()
    print(f"a client that is idle for {LIMIT * 1.5} s, and then reads slowly for 3 s, is served")


# So much in a second is slow, and still something in each part of one: the system tells of room a third of its own
# buffer at a time, which is nearly a megabyte.
SLOWLY = 2_500_000
MUCH = int(2 * LIMIT * SLOWLY)


def slow(address):
    """A client that takes longer than the limit for each message, and takes some of it all the time."""
    message, times = b"x" * 2 * SLOWLY, 4
    with Conn(address) as conn:
        conn.open()
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        sender = threading.Thread(target=conn.socket.sendall, args=(frame(BINARY, message) * times,))
        sender.start()
        take(conn.socket, 3 * len(message), SLOWLY)
        take(conn.socket, len(message))
        sender.join()
    print(f"a client that takes 2 s for a message is served, the limit is {LIMIT} s")


def silent(connection):
    """A server that says nothing."""
    with connection, contextlib.suppress(ConnectionError):
        while connection.recv(1 << 16):
            pass


def dripping(connection):
    with connection:
        drip(connection, b"HTTP/1.1 101 Switching Protocols\r\nX-Long: " + b"x" * 10_000, threading.Event())


def client(name, command):
    """How long ws_client tries."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    wrong = in_time(f"ws_client, {name}", [time.monotonic() - began], most=LIMIT + 8)
    # It says which limit.
    return wrong or not done.returncode or "(limit `" not in done.stderr


def main():
    programs, wrong = sys.argv[1], []
    limited = f"{programs}/ws_echo", "--quiet", "--listen", "127.0.0.1:0", *LIMITS
    with Program(*limited) as at:
        wrong.append(unfinished("ws_echo", at.address))
        message = frame(BINARY, b"x" * 900_000)
        # A message that has come, and one in the queue, each up to the limit of 1 MiB.
        wrong.append(deaf("ws_echo", at.address, at.pid, message, 3.0 * (PEERS + 1)))
        # Short ones, which are answered by themselves.
        short = frame(TEXT, b"x" * 100) * 1000
        wrong.append(deaf("ws_echo, short messages", at.address, at.pid, short, 3.0 * (PEERS + 1)))
        patient(at.address)
    with Program(*limited, "--limit", str(32 * MIB)) as at:
        # Not so much that the queue is full.
        some = frame(BINARY, b"x" * 900_000) * 16
        wrong.append(waiting(at, "ws_echo, a client that stops", some))
        wrong.append(waiting(at, "ws_echo, a client that talks on", some, frame(PONG)))
    with Program(*limited, "--limit", str(5 * MIB)) as at:
        slow(at.address)
    # More than there may be: they wait until one has left.
    with Program(*limited, "--connections", "2") as at:
        wrong.append(crowd(at.address))
    with Program(*limited, "--connections", "1") as at:
        gone(at.address)
    with Program(*limited) as at:
        few_files(at)

    tunnel = f"{programs}/ws_tunnel"
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(echo)}", *LIMITS) as at:
        wrong.append(unfinished("ws_tunnel", at.address))
        message = frame(BINARY, b"x" * 900_000)
        wrong.append(deaf("ws_tunnel", at.address, at.pid, message, 3.0 * (PEERS + 1)))
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(asleep)}", *LIMITS) as at:
        wrong.append(plain_side(at.address, message, "reads nothing"))
        wrong.append(plain_side(at.address, frame(BINARY, b"hello"), "does not end"))
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(fountain)}", *LIMITS) as at:
        wrong.append(waiting(at, "ws_tunnel, a client that takes nothing", b""))
        slow_client(at.address)
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(sink)}", *LIMITS) as at:
        slow_plain_side(at.address)
    with Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{serve(talker)}", *LIMITS) as at:
        talking_plain_side(at.address)
    wrong.append(unreachable(tunnel))
    for what, behave in (("silent", silent), ("slow", dripping)):
        server = f"ws://127.0.0.1:{serve(behave)}/"
        with Program(tunnel, "--listen", "tcp:127.0.0.1:0", "--to", server, *LIMITS) as at:
            with socket.create_connection(at.address) as plain:
                wrong.append(in_time(f"ws_tunnel, a {what} server", [ended(plain)]))
        wrong.append(client(f"a {what} server", [f"{programs}/ws_client", *LIMITS, server, "recv"]))
    server = f"ws://127.0.0.1:{Server(b'', deaf=True).port}/"
    fill = "fill binary 60000000"
    wrong.append(client("a server that reads nothing", [f"{programs}/ws_client", *LIMITS, server, fill]))
    return any(wrong)


def unreachable(tunnel):
    """The other side cannot be reached: the client is told by the end of its connection."""
    with full() as port, Program(tunnel, "--listen", "ws:127.0.0.1:0", "--to", f"tcp:127.0.0.1:{port}", *LIMITS) as at:
        with Conn(at.address) as conn:
            conn.open()
            return in_time("ws_tunnel, a side that cannot be reached", [ended(conn.socket)])


def asleep(connection):
    """A plain side that neither reads nor ends."""
    with connection:
        time.sleep(30)


def plain_side(address, data, what):
    with Conn(address) as conn:
        conn.open()
        began = time.monotonic()
        # It reads, so that nothing waits for this side.
        reader = threading.Thread(target=ended, args=(conn.socket,))
        reader.start()
        with contextlib.suppress(OSError):
            conn.socket.send(data)
            if len(data) < 100:
                conn.socket.shutdown(socket.SHUT_WR)
            while reader.is_alive() and len(data) >= 100:
                conn.socket.send(data)
        reader.join()
        return in_time(f"ws_tunnel, a plain side that {what}", [time.monotonic() - began], most=LIMIT + 6)


def fountain(connection):
    """A plain side that says more than anybody takes."""
    with connection, contextlib.suppress(OSError):
        while True:
            connection.sendall(bytes(1 << 16))


def slow_client(address):
    with Conn(address) as conn:
        conn.open()
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        take(conn.socket, MUCH, SLOWLY)
    print(f"ws_tunnel, a client that reads slowly for {2 * LIMIT} s is served")

def sink(connection):
    """A plain side that reads slowly, and says when it has all."""
    with connection, contextlib.suppress(OSError, Bad):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        take(connection, MUCH, SLOWLY)
        connection.sendall(b"done")


def slow_plain_side(address):
    with Conn(address) as conn:
        conn.open()
        conn.socket.sendall(frame(BINARY, bytes(MUCH)))
        if conn.read() != (BINARY, b"done"):
            raise Bad("not all has come")
    print(f"ws_tunnel, a plain side that reads slowly for {2 * LIMIT} s is served")


def talker(connection):
    """A plain side that talks, and takes nothing meanwhile; and at the end of what it is sent again."""

    def talk():
        until = time.monotonic() + 1.5 * LIMIT
        while time.monotonic() < until:
            connection.sendall(b"x")
            time.sleep(0.05)

    with connection, contextlib.suppress(OSError):
        talk()
        while connection.recv(1 << 16):
            pass
        talk()


def talking_plain_side(address):
    with Conn(address) as conn:
        conn.open()
        conn.socket.sendall(frame(BINARY, bytes(MUCH)))
        conn.socket.shutdown(socket.SHUT_WR)
        while (answer := conn.read())[0] == BINARY:
            pass
        if answer != (CLOSE, 1000, b""):
            raise Bad(f"{answer} at the end")
    print(f"ws_tunnel, a plain side that takes nothing, and then does not end, but talks for {1.5 * LIMIT} s each time "
          "is served")


def gone(address):
    """Clients that are gone without a goodbye, wherever they were, leave their place to the next."""
    whole = request("%s:%d" % address)
    for sent in b"", whole[:50], whole, whole + frame(TEXT, b"x" * 100)[:50], whole + frame(BINARY, bytes(100_000)) * 9:
        for _ in range(5):
            with socket.create_connection(address) as client:
                client.sendall(sent)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with Conn(address) as conn:
            conn.open()
    print("one client after the other is served, though many reset the connection")


def few_files(at):
    """When no more files can be opened, clients wait until others have left."""
    held = len(os.listdir(f"/proc/{at.pid}/fd"))
    resource.prlimit(at.pid, resource.RLIMIT_NOFILE, (held + 2, held + 2))
    many = [socket.create_connection(at.address) for _ in range(5)]
    time.sleep(0.3)
    for one in many:
        one.close()
    with Conn(at.address) as conn:
        conn.open()
    print("ws_echo, more clients than files: served when those have left")


def crowd(address):
    """Two silent clients are all that may be there: a third is served when they have been dropped."""
    silent_ones = [socket.create_connection(address) for _ in range(2)]
    began = time.monotonic()
    with Conn(address) as conn:
        conn.open()
        taken = time.monotonic() - began
    for one in silent_ones:
        one.close()
    print(f"ws_echo, a third client of two: served after {taken:.1f} s")
    return not LIMIT * 0.7 <= taken <= LIMIT + 3


if __name__ == "__main__":
    sys.exit(main())
