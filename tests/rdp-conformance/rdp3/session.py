"""The session: what both sides have in common of section 5. The handshake is its owner's."""

import enum
from collections import Counter
from collections.abc import Callable

from . import frames
from .frames import Fields, Kind
from .line import Arrived, Line
from .metrics import Metric
from .rules import broken
from .seal import SHORTEST, Direction, Message, Nonces, seal, unseal

UNIT = 10
"""Milliseconds of one unit of time (5.2)."""
DISCONNECTING_TIME = 1000
HANDSHAKE_TIME = 5000
LAST_SEQUENCE = 0xFFFFFFFE
LAST_TIME = 0xFFFFFFFF


class Phase(enum.Enum):
    """States of a session (5.3)."""

    IDLE = enum.auto()
    CONNECTING = enum.auto()
    ACTIVE = enum.auto()
    DISCONNECTING = enum.auto()
    CLOSED = enum.auto()


class End(enum.IntEnum):
    """Reasons of Bye (5.8), and 0 for none."""

    NONE = 0
    ASKED = 1
    HOST_LOST = 2
    LINE = 3
    INTEGRITY = 4
    TARGET = 5
    SEQUENCES = 6
    PROGRAM = 8
    EXPIRED = 9
    CLOCK = 10


class IntegrityLost(Exception):
    """The bytes are not those of this session (5.5)."""


class Received:
    """A message that belongs to the session, its frame not looked into yet."""

    def __init__(self, message: Message, channel: int, arrived: int) -> None:
        self.sequence = message.sequence
        self.time = message.time
        self.channel = channel
        self.arrived = arrived
        """The session clock when its last byte came."""
        _, self.version, self.kind, self.body = frames.split(message.frame)


class Session:
    """Sequences, times, tags and the end of a session."""

    def __init__(self, line: Line, direction: Direction, metrics: Counter[Metric]) -> None:
        self.phase = Phase.IDLE
        self.nonces = Nonces()
        self.reason = int(End.NONE)
        self.on_leave: Callable[[int, int], None] = lambda reason, now: None
        """Called at once when the session leaves Active (5.8)."""
        self.heard_time = 0
        """Host: the greatest time that it has received (5.6)."""
        self.line = line
        self._direction = direction
        self._metrics = metrics
        self._start: int | None = None
        self._sequence = 0
        self._last = [-1, -1]
        self._bye_first = False
        self._deadline = 0
        self._mark: object | None = None

    @property
    def is_agent(self) -> bool:
        """Whose side this is."""
        return self._direction is Direction.FROM_AGENT

    def start_clock(self, now: int) -> None:
        """The agent's clock starts when it queues Welcome (5.4)."""
        self._start = 0 if broken("clock-not-started") else now

    def clock(self, now: int) -> int:
        """Units of 10 ms since Welcome, rounded down."""
        if self._start is None:
            return 0
        unit = 1 if broken("time-in-ms") else UNIT
        return max(0, now - self._start) // unit

    def activate(self) -> None:
        """The handshake is done."""
        self.phase = Phase.ACTIVE

    def send(self, kind: Kind, fields: Fields, now: int, channel: int = 0) -> int:
        """Sends a message, and gives its sequence."""
        return self.send_body(kind, frames.body(kind, fields), now, channel)

    def send_body(self, kind: Kind, body: bytes, now: int, channel: int = 0) -> int:
        """Sends a message whose body is encoded."""
        if self._sequence >= LAST_SEQUENCE and kind != Kind.BYE:
            self.bye(End.SEQUENCES, now)
            return LAST_SEQUENCE
        sequence = self._sequence
        message = Message(sequence, self._header_time(now), frames.frame(kind, body))
        self._sequence += 2 if broken("sequence-skips") and sequence else 1
        nonces = Nonces(self.nonces.host) if broken("device-nonce-not-used") else self.nonces
        self.line.send(channel, seal(message, nonces, self._direction, channel))
        return sequence

    def _header_time(self, now: int) -> int:
        if self.is_agent:
            return 0 if broken("agent-time-stuck") else min(self.clock(now), LAST_TIME)
        if broken("host-own-clock"):
            return self.clock(now)
        return 0 if broken("host-time-stuck") else self.heard_time

    def first(self, arrived: Arrived, nonces: Nonces, channel: int) -> Message | None:
        """Reads a message before the session's nonces are agreed on; None if its tag is wrong."""
        if len(arrived.data) < SHORTEST:
            raise IntegrityLost
        message = unseal(arrived.data, nonces, 1 - self._direction, channel)
        if message is not None:
            if frames.split(message.frame)[0] != frames.MAGIC:
                raise IntegrityLost
            self._last[channel] = max(self._last[channel], message.sequence)
        return message

    def receive(self, arrived: Arrived, channel: int, now: int) -> Received | None:
        """Reads a message of the session; None if it is a replay (5.6, 1)."""
        if len(arrived.data) < SHORTEST:
            raise IntegrityLost
        message = unseal(arrived.data, self.nonces, 1 - self._direction, channel)
        if message is None:
            self._metrics[Metric.WRONG_TAG] += 1
            raise IntegrityLost
        if frames.split(message.frame)[0] != frames.MAGIC and not broken("magic-ignored"):
            raise IntegrityLost
        place = 0 if broken("order-over-both-channels") else channel
        if message.sequence <= self._last[place] and not broken("replay-accepted"):
            same = message.sequence == self._last[place]
            if not (broken("repeat-accepted") and same) and not (broken("older-accepted") and not same):
                self._metrics[Metric.REPLAYED] += 1
                return None
        self._last[place] = max(self._last[place], message.sequence)
        late = broken("arrival-is-execution")
        if broken("host-echoes-last-time"):
            self.heard_time = message.time
        self.heard_time = max(self.heard_time, message.time)
        return Received(message, channel, self.clock(now if late else arrived.at))

    def forget(self, received: Received) -> None:
        """Lets a sequence come again: only a broken rule does so."""
        self._last[received.channel] = received.sequence - 1

    def bye(self, reason: int, now: int) -> None:
        """Ends an active session, as the side that says it first."""
        if self.phase is Phase.ACTIVE:
            self._bye_first = True
            self._leave(reason, now)

    def bye_received(self, reason: int, now: int) -> None:
        """Takes the other side's Bye."""
        if self.phase is Phase.ACTIVE:
            if broken("bye-not-answered"):
                return
            self._leave(End.ASKED if broken("bye-reason-not-repeated") else reason, now)
            self._mark = self.line.mark()
        elif self.phase is Phase.DISCONNECTING and self._bye_first:
            self.phase = Phase.CLOSED

    def integrity_lost(self, now: int) -> None:
        """The bytes are not those of this session (5.5)."""
        if broken("wrong-tag-ignored"):
            return
        if self.phase is Phase.ACTIVE:
            if broken("integrity-without-bye"):
                self.abort(End.INTEGRITY, now)
            self.bye(End.INTEGRITY, now)
        elif self.phase is not Phase.DISCONNECTING or broken("disconnecting-listens"):
            self.abort(End.INTEGRITY, now)

    def refuse(self, now: int) -> None:
        """Ends the handshake behind an Error, once that is acknowledged or sent (5.4)."""
        self.phase = Phase.CLOSED
        self._mark = self.line.mark()
        self._deadline = now + DISCONNECTING_TIME

    def abort(self, reason: int, now: int) -> None:
        """Closes without a word: in the handshake, or because the line is lost."""
        if self.phase is not Phase.CLOSED:
            was_active = self.phase is Phase.ACTIVE
            self.phase = Phase.CLOSED
            self.reason = self.reason or reason
            self._mark = None
            self._bye_first = False
            if was_active:
                self.on_leave(reason, now)

    def poll(self, now: int) -> None:
        """Lets the time of Disconnecting end."""
        if self.phase is Phase.DISCONNECTING:
            passed = now >= self._deadline and not broken("disconnecting-endless")
            if passed or self._mark is not None and self.line.passed(self._mark):
                self.phase = Phase.CLOSED

    def line_may_end(self, now: int) -> bool:
        """The session is closed, and nothing of it has to be waited for."""
        if self.phase is not Phase.CLOSED:
            return False
        if now >= self._deadline:
            return True
        if self._bye_first and self.line.link is None:
            return broken("bye-first-closes-at-once")
        return self._mark is None or self.line.passed(self._mark)

    def _leave(self, reason: int, now: int) -> None:
        self.phase = Phase.DISCONNECTING
        self.reason = reason
        self._deadline = now + DISCONNECTING_TIME
        self.on_leave(reason, now)
        self.send(Kind.BYE, {"reason": reason}, now)
