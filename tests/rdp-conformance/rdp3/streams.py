"""The two ends of one channel: a stream of bytes in each direction (sections 4.2 and 4.4)."""

from collections import deque
from dataclasses import dataclass

from .rules import broken

FIRST_WINDOW = 512
FIRST_TIME = 300
LONGEST_TIME = 2400
TRIES = 8
NACK_PAUSE = 100
WINDOW_PROBE = 16


def signed(value: int) -> int:
    """A difference modulo 2^32 as a signed number."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


@dataclass(frozen=True)
class Piece:
    """What one DATA packet carries."""

    position: int
    data: bytes
    resent: int


class SendStream:
    """The sending end: keeps every byte until it is acknowledged. Positions are kept without the modulus."""

    def __init__(self) -> None:
        self.base = 0
        self._data = bytearray()
        self._gone_back = 0
        """Times since the last progress."""
        self._next = 0
        self._high = 0
        self._window = FIRST_WINDOW
        self._timer: int | None = None
        self._time = FIRST_TIME
        self._tries = 0
        self._last_retransmission: int | None = None
        self._probe = False

    @property
    def queued(self) -> int:
        """Bytes that are not acknowledged yet, sent or not."""
        return len(self._data)

    @property
    def end(self) -> int:
        """Position behind the last byte written."""
        return self.base + len(self._data)

    def write(self, record: bytes) -> None:
        """Appends a message with its length before it."""
        data = len(record).to_bytes(2, "big") + record
        self._data += data

    def piece(self, now: int, max_payload: int) -> Piece | None:
        """The next bytes to send, as far as the window reaches."""
        reach = len(self._data) if broken("window-ignored") else min(self._window, len(self._data))
        if self._probe and not broken("window-probe-missing"):
            reach = max(reach, min(WINDOW_PROBE, len(self._data)))
        first, last = self._next, min(reach, self._next + max_payload)
        if first >= last:
            return None
        self._probe = False
        again = first < self._high and not broken("retransmissions-not-counted")
        self._next = last
        self._high = max(self._high, last)
        if self._timer is None:
            self._timer = now
        resent = min(max(self._gone_back, 1), 15) if again or broken("retransmissions-for-new-bytes") else 0
        return Piece(self.base + first, bytes(self._data[first:last]), resent)

    def never_sent(self, position: int) -> bool:
        """Whether an ACK's position acknowledges bytes that were never sent."""
        return signed(position - self.base) > self._high

    def acknowledge(self, position: int, window: int, now: int) -> None:
        """Takes what an ACK says of the channel. Positions that go back are ignored."""
        count = min(signed(position - self.base), len(self._data))
        if count < 0:
            return
        self._window = window
        if count == 0:
            return
        del self._data[:count]
        self.base += count
        self._next = max(0, self._next - count)
        self._high = max(0, self._high - count)
        self._timer = now if self._data else None
        self._time = FIRST_TIME
        self._tries = 0
        self._gone_back = 0
        self._probe = False

    def reported(self, now: int) -> None:
        """An ACK reports a gap or a failure: goes back, unless the last time is not long ago."""
        last = self._last_retransmission
        if self._next and (last is None or now - last >= NACK_PAUSE or broken("nack-without-pause")):
            self.go_back(now)

    def go_back(self, now: int) -> None:
        """Sends from the first unacknowledged byte on again."""
        if broken("no-retransmit"):
            return
        if self._next:
            self._last_retransmission = now
            self._gone_back += 1
        self._next = 0

    def expired(self, now: int) -> bool:
        """Whether a retransmission time has ended; if so, goes back and doubles it."""
        if not self._data:
            return False
        if self._timer is None and self._window == 0:
            self._timer = now
        if self._timer is None or now - self._timer < self._time:
            return False
        self._timer = now
        if not broken("no-backoff"):
            self._time = min(2 * self._time, LONGEST_TIME)
        self._tries += 1
        self._probe = self._window < len(self._data)
        self.go_back(now)
        return True

    @property
    def lost(self) -> bool:
        """No progress after all tries."""
        return self._tries > TRIES and not broken("never-gives-up")


class ReceiveStream:
    """The receiving end: takes bytes in order, and cuts them into messages."""

    def __init__(self, limit: int, messages: int) -> None:
        self.expected = 0
        self.limit = limit
        self.messages: deque[tuple[bytes, int]] = deque()
        """Complete messages, with the time at which the last byte came (5.6)."""
        self.failed = False
        """A record's length was 0 or above the limit."""
        self._data = bytearray()
        self._space = messages * (limit + 2)

    @property
    def queued(self) -> int:
        """Bytes that have been received and not been read."""
        return len(self._data) + sum(len(message) + 2 for message, _ in self.messages)

    @property
    def room(self) -> int:
        """The window."""
        return max(0, min(self._space - self.queued, 0xFFFF))

    def take(self, position: int, data: bytes, now: int) -> bool:
        """Takes the bytes of a DATA packet. False means a gap."""
        skip = signed(self.expected - position)
        if skip < 0 and not broken("gap-accepted"):
            return False
        known = skip >= len(data) and broken("dup-data-delivered")
        if known or broken("overlap-not-skipped") and 0 < skip < len(data):
            skip = 0
        new = data[max(skip, 0) :][: self.room]
        self._data += new
        self.expected += max(0, len(data) - max(skip, 0)) if broken("overflow-lost") else len(new)
        self._cut(now)
        return True

    def _cut(self, now: int) -> None:
        while len(self._data) >= 2 and not self.failed:
            length = int.from_bytes(self._data[:2], "big")
            if length == 0 and broken("empty-record-skipped"):
                del self._data[:2]
            elif length == 0 or (length > self.limit and not broken("record-limit-ignored")):
                self.failed = True
            elif len(self._data) < 2 + length:
                return
            else:
                self.messages.append((bytes(self._data[2 : 2 + length]), now))
                del self._data[: 2 + length]
