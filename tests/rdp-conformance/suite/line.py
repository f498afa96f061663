"""One end of a line over TCP: what all lines have, and the byte stream of SPEC 5.1, which it watches."""

import select
import socket
import time
from collections import deque

from .wire import record

now = time.monotonic


class Failure(Exception):
    """The other side did not do what it must."""


class Line:
    serial = False

    def __init__(self, sock, agent_side):
        self.sock, self.agent_side = sock, agent_side
        sock.setblocking(True)
        sock.settimeout(5)
        self.raw = b""
        self.closed = False             # by whatever side
        self.closed_at = None
        self.violations = []
        self.tolerated = set()          # beginnings of violations that a scenario provokes
        self.limits = [512, 512]        # of messages that come in
        self.inbox = deque()            # (channel, message)
        self.resets = []

    def violation(self, text):
        if any(text.startswith(t) for t in self.tolerated):
            return
        if text not in self.violations and len(self.violations) < 20:
            self.violations.append(text)

    def send_raw(self, data):
        if self.closed:
            return
        try:
            self.sock.sendall(data)
        except OSError:
            self.close()

    def close(self):
        if not self.closed:
            self.closed, self.closed_at = True, now()

    def received(self, seconds):
        """Whatever arrives within the time is in `raw`."""
        ready, _, _ = select.select([self.sock], [], [], max(0.0, seconds))
        if ready:
            try:
                data = self.sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.close()
            self.raw += data

    def gone(self):
        """The scenario is over: the line ends, and the other side has noticed."""
        if self.closed:
            self.sock.close()
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(0.5)
            end = now() + 2
            while self.sock.recv(65536) and now() < end:
                pass
        except OSError:
            pass
        self.sock.close()

    def until(self, condition, seconds, what=None):
        """Pumps until the condition is true. With `what`, it is a failure if it does not become so."""
        end = now() + seconds
        while True:
            value = condition()
            if value:
                return value
            left = end - now()
            if left <= 0:
                if what:
                    ended = (", the line is closed" if self.closed else "")
                    ended += f", RESET {self.resets}" if self.resets else ""
                    raise Failure(f"{what}: not within {seconds:g} s{ended}")
                return None
            self.pump(min(left, 0.05))

    def rest(self, seconds):
        self.until(lambda: False, seconds)


class Stream(Line):
    """Records, one behind the other."""

    def __init__(self, sock, agent_side):
        super().__init__(sock, agent_side)
        self.reading = True

    def write(self, channel, message):
        self.send_raw(record(channel, message))

    def pump(self, seconds=0.02):
        if self.closed or not self.reading:
            time.sleep(min(seconds, 0.02))
            return
        self.received(seconds)
        while len(self.raw) >= 2:
            word = int.from_bytes(self.raw[:2], "big")
            channel, length = word >> 15, word & 0x7FFF
            if not 18 <= length <= self.limits[channel]:
                self.violation(f"5.1 a record of {length} on channel {channel}")
                self.close()
                return
            if len(self.raw) < 2 + length:
                break
            self.inbox.append((channel, self.raw[2:2 + length]))
            self.raw = self.raw[2 + length:]
        if self.closed and self.raw:
            self.violation("5.1 the stream ends inside a record")
