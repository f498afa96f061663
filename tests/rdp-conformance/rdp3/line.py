"""Lines: what one host is at the other end of (section 1). A byte stream (5.1), or a serial line with its link."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from .link import Ended, Link, Opened, Reset
from .rules import broken
from .seal import SHORTEST

LIMIT = 512
"""Bytes of a message that this side accepts, on both channels (4.2)."""
CHANNEL = 0x8000


@dataclass(frozen=True)
class Arrived:
    """A message, and when its last byte came."""

    data: bytes
    at: int


class Line(Protocol):
    """What a session sees of its line. `events` tell of the beginning and the end of what carries one session."""

    events: deque[Opened | Ended]
    link: Link | None
    closed: bool
    """Nothing comes or goes any more: what carries the line is to be closed."""
    full: bool
    """What has arrived waits; nothing more is to be read."""

    def feed(self, data: bytes, now: int) -> None:
        """Takes bytes that have arrived."""

    def poll(self, now: int) -> bytes:
        """The next bytes to send, or nothing."""

    def take(self, channel: int, now: int) -> Arrived | None:
        """The next message of a channel."""

    def waiting(self, channel: int) -> bool:
        """Whether there is one."""

    def send(self, channel: int, message: bytes) -> None:
        """Sends a message."""

    def queues(self) -> tuple[int, int, int, int]:
        """Bytes in the receive queues of both channels and in the send queues."""

    def mark(self) -> object:
        """A mark behind all that was sent."""

    def passed(self, mark: object) -> bool:
        """Whether all before a mark is acknowledged (serial), or sent (byte stream)."""

    def close(self, now: int) -> None:
        """Ends what carries the session, in order."""

    def gone(self, now: int) -> None:
        """The line has ended."""


class ByteStream:
    """Records one behind the other (5.1)."""

    link = None

    def __init__(self, credit: int) -> None:
        self.events: deque[Opened | Ended] = deque([Opened()])
        self.closed = False
        self._credit = credit
        self._input = bytearray()
        self._ended = False
        self._last = False
        self._received: tuple[deque[Arrived], deque[Arrived]] = (deque(), deque())
        self._out: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
        self._written = [0, 0]
        self._sent = [0, 0]

    @property
    def full(self) -> bool:
        """More commands than the credit wait on the line (section 10)."""
        return len(self._input) >= 4 * (LIMIT + 2)

    def feed(self, data: bytes, now: int) -> None:
        """Takes bytes that have arrived."""
        if not self._ended and not self._last:
            self._input += data
            self._cut(now)

    def _cut(self, now: int) -> None:
        while len(self._input) >= 2 and not self._ended:
            word = int.from_bytes(self._input[:2], "big")
            channel, length = word // CHANNEL, word % CHANNEL
            short = length < SHORTEST and not broken("short-record-accepted")
            if short or length > LIMIT and not broken("stream-limit-ignored"):
                if broken("bad-record-skipped"):
                    del self._input[:2]
                    continue
                self._end("a record's length is wrong")
                self.closed = True
                return
            if len(self._input) < 2 + length:
                return
            if channel and len(self._received[1]) >= self._credit and not broken("credit-not-kept"):
                return
            message = bytes(self._input[2 : 2 + length])
            del self._input[: 2 + length]
            self._received[0 if broken("channels-not-told-apart") else channel].append(Arrived(message, now))

    def poll(self, now: int) -> bytes:
        """The next record; one of channel 0 goes first."""
        order = (1, 0) if broken("channel-1-first") else (0, 1)
        for channel in order:
            if self._out[channel] and not self.closed:
                record = self._out[channel].popleft()
                self._sent[channel] += 1
                return record
        if self._last:
            self.closed = True
        return b""

    def take(self, channel: int, now: int) -> Arrived | None:
        """The next message of a channel."""
        if not self._received[channel]:
            return None
        arrived = self._received[channel].popleft()
        self._cut(now)
        return arrived

    def waiting(self, channel: int) -> bool:
        """Whether there is a message."""
        return bool(self._received[channel])

    def send(self, channel: int, message: bytes) -> None:
        """Sends a message."""
        if not self._ended:
            channel_bit = 0 if broken("stream-channel-bit-missing") else CHANNEL * channel
            self._out[channel].append((channel_bit | len(message)).to_bytes(2, "big") + message)
            self._written[channel] += 1

    def queues(self) -> tuple[int, int, int, int]:
        """Bytes in the receive queues of both channels and in the send queues."""
        first, second = (sum(len(one.data) + 2 for one in queue) for queue in self._received)
        return first, second, sum(map(len, self._out[0])), sum(map(len, self._out[1]))

    def mark(self) -> object:
        """A mark behind all that was sent."""
        return tuple(self._written)

    def passed(self, mark: object) -> bool:
        """Whether all before a mark is sent."""
        return self._ended or tuple(self._sent) >= mark  # type: ignore[operator]

    def close(self, now: int) -> None:
        """Closes the stream once all is sent."""
        self._last = True

    def gone(self, now: int) -> None:
        """The stream has ended."""
        self._end("the stream has ended")
        self.closed = True

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self.events.append(Ended(why))


class SerialLine:
    """A serial line: the link carries the records (sections 2 to 4)."""

    full = False

    def __init__(self, link: Link) -> None:
        self.link = link
        self.events = link.events
        self.closed = False

    def feed(self, data: bytes, now: int) -> None:
        """Takes bytes that have arrived."""
        self.link.feed(data, now)

    def poll(self, now: int) -> bytes:
        """The next packet."""
        return self.link.poll(now)

    def take(self, channel: int, now: int) -> Arrived | None:
        """The next message of a channel."""
        message = self.link.message(channel, now)
        return None if message is None else Arrived(*message)

    def waiting(self, channel: int) -> bool:
        """Whether there is a message."""
        connection = self.link.connection
        return connection is not None and bool(connection.receive[channel].messages)

    def send(self, channel: int, message: bytes) -> None:
        """Sends a message."""
        if self.link.connection is not None:
            self.link.connection.send[channel].write(message)

    def queues(self) -> tuple[int, int, int, int]:
        """Bytes in the receive queues of both channels and in the send queues."""
        connection = self.link.connection
        if connection is None:
            return 0, 0, 0, 0
        one, two = connection.receive
        three, four = connection.send
        return one.queued, two.queued, three.queued, four.queued

    def mark(self) -> object:
        """A mark behind all that was sent."""
        connection = self.link.connection
        return connection, connection and connection.ends

    def passed(self, mark: object) -> bool:
        """Whether all before a mark is acknowledged."""
        connection, ends = mark  # type: ignore[misc]
        if connection is None or connection is not self.link.connection:
            return True
        return all(base >= end for base, end in zip(connection.acknowledged, ends))

    def close(self, now: int) -> None:
        """Ends the connection with RESET, reason 1."""
        if not broken("no-reset-after-end"):
            self.link.close(Reset.CLOSED, now)

    def gone(self, now: int) -> None:
        """The signal lane is gone."""
        self.link.lane_closed()
        self.closed = True
