"""A TCP connection as a signal lane."""

import select
import socket
import time
from collections.abc import Sequence
from typing import Any, Protocol

TICK = 0.01
"""Seconds between two looks at the timers."""
PORTION = 4096


def now_ms() -> int:
    """Milliseconds of a clock that never goes back."""
    return time.monotonic_ns() // 1_000_000


class Endpoint(Protocol):
    """An agent or a host."""

    def feed(self, data: bytes, now: int) -> None:
        """Takes received bytes."""

    def poll(self, now: int) -> bytes:
        """Gives one packet to send, or nothing."""

    def lane_closed(self, now: int) -> None:
        """Takes that the connection is gone."""

    @property
    def finished(self) -> bool:
        """The connection is to be closed."""


class Port:
    """A socket. The lane is free when all that was polled has been sent."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._out = b""

    def pump(self, endpoint: Endpoint, others: Sequence[Any] = ()) -> Sequence[Any]:
        """Moves what can be moved; waits for one tick at most. Gives the others that can be read."""
        try:
            self._send(endpoint)
            readable, _, _ = select.select([self._sock, *others], [self._sock] if self._out else [], [], TICK)
            if self._sock in readable:
                self._receive(endpoint)
            self._send(endpoint)
        except ConnectionError:
            endpoint.lane_closed(now_ms())
            return []
        return [other for other in others if other in readable]

    def _receive(self, endpoint: Endpoint) -> None:
        data = self._sock.recv(PORTION)
        if data:
            endpoint.feed(data, now_ms())
        else:
            endpoint.lane_closed(now_ms())

    def _send(self, endpoint: Endpoint) -> None:
        while True:
            self._out = self._out or endpoint.poll(now_ms())
            if not self._out:
                return
            try:
                sent = self._sock.send(self._out)
            except BlockingIOError:
                return
            self._out = self._out[sent:]
