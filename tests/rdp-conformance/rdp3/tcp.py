"""A TCP connection that carries a line."""

import socket

from .line import Line

TICK = 0.01
"""Seconds between two looks at the timers."""
PORTION = 4096
SEND_BUFFER = 8192


class Port:
    """A socket and its line. One portion of the line's is under way at a time."""

    line: Line

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What the stack has taken is overtaken by nothing any more (5.1).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.ended = False
        """The peer has closed the connection."""
        self.pending = b""
        self._sock = sock

    def fileno(self) -> int:
        """For select."""
        return self._sock.fileno()

    def receive(self) -> bytes | None:
        """What has arrived; no bytes at the end, and None if there is nothing now."""
        try:
            return self._sock.recv(PORTION)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def send(self, now: int) -> None:
        """Sends what the line has."""
        while True:
            self.pending = self.pending or self.line.poll(now)
            if not self.pending:
                return
            try:
                sent = self._sock.send(self.pending)
            except BlockingIOError:
                return
            except (ConnectionError, OSError):
                self.pending = b""
                self.ended = True
                return
            self.pending = self.pending[sent:]

    def close(self) -> None:
        """Closes the connection; what was received is read before, so that what was sent is not lost."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
            while self._sock.recv(PORTION):
                pass
        except OSError:
            pass
        self._sock.close()
