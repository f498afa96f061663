"""The session: what both sides have in common of section 5."""

import enum
from collections import Counter, deque

from . import frames
from .connection import Connection
from .frames import Fields, Kind
from .metrics import Metric
from .order import Order, Verdict
from .rules import broken
from .seal import SHORTEST, Direction, Message, Nonces, seal, unseal

DISCONNECTING_TIME = 1000
HANDSHAKE_TIME = 5000
EPOCH_TIME = 1000
LAST_SEQUENCE = 0xFFFFFFFF
AHEAD = 63
"""A message this much above one that is not acknowledged is out of the receiver's window (5.5)."""
SPARE = 4
"""Sequences that are left for an event behind an answer, and for Bye."""


class Phase(enum.Enum):
    """States of a session (5.2)."""

    IDLE = enum.auto()
    CONNECTING = enum.auto()
    ACTIVE = enum.auto()
    DISCONNECTING = enum.auto()
    CLOSED = enum.auto()


class End(enum.IntEnum):
    """Reasons of Bye (5.7), and 0 for none."""

    NONE = 0
    ASKED = 1
    HEARTBEAT = 2
    LINK = 3
    INTEGRITY = 4
    TARGET = 5
    SEQUENCES = 6
    REPLACED = 7


class IntegrityLost(Exception):
    """The streams are not those of this session (5.4)."""


class Received:
    """A message that belongs to the session, its frame not looked into yet."""

    def __init__(self, message: Message, verdict: Verdict) -> None:
        self.sequence = message.sequence
        self.time = message.time
        self.verdict = verdict
        _, self.version, self.kind, self.body = frames.split(message.frame)


class Session:
    """Sequences, times, epochs, tags, heartbeats and the end of a session; the handshake is its owner's."""

    def __init__(self, connection: Connection, direction: Direction, metrics: Counter[Metric]) -> None:
        self.phase = Phase.IDLE
        self.nonces = Nonces()
        self.reason = int(End.NONE)
        self.interval = 1000
        self.loss = 3000
        self.tolerance = 5000
        self.heartbeat_run = frames.Run.NONE
        self._connection = connection
        self._direction = direction
        self._metrics = metrics
        self._start: int | None = None
        self._sequence = 0
        self._order = Order()
        self._unacknowledged: deque[tuple[int, int, int]] = deque()
        """Sequence, channel and end of the messages under way."""
        self._last_sent = 0
        self._last_heard = 0
        self._epoch = 0
        self._epoch_wanted = False
        self._epoch_time: int | None = None
        self._epoch_ends = (0, 0)
        self._peer_epoch = 0
        self._bye_first = False
        self._deadline = 0
        self._until_acknowledged: tuple[int, int] | None = None

    def start_clock(self, now: int) -> None:
        """Both clocks start at the Welcome (5.3)."""
        self._start = 0 if broken("clock-not-started") else now

    def clock(self, now: int) -> int:
        """Milliseconds since the session's start."""
        return 0 if self._start is None else (now - self._start) & 0xFFFFFFFF

    def activate(self, now: int) -> None:
        """The handshake is done."""
        self.phase = Phase.ACTIVE
        self._last_sent = self._last_heard = now

    def send(self, kind: Kind, fields: Fields, now: int, channel: int = 0) -> int:
        """Sends a message, and gives its sequence."""
        return self.send_body(kind, frames.body(kind, fields), now, channel)

    def send_body(self, kind: Kind, body: bytes, now: int, channel: int = 0) -> int:
        """Sends a message whose body is encoded."""
        if self._sequence >= LAST_SEQUENCE - 1 and kind != Kind.BYE:
            self.bye(End.SEQUENCES, now)
            return LAST_SEQUENCE
        self._next_epoch(now)
        sequence = self._sequence
        message = Message(sequence, self.clock(now), self._epoch, frames.frame(kind, body))
        self._sequence += 2 if broken("sequence-skips") and sequence else 1
        nonces = Nonces(self.nonces.host) if broken("device-nonce-not-used") else self.nonces
        self._connection.send[channel].write(seal(message, nonces, self._direction))
        self._unacknowledged.append((sequence, channel, self._connection.ends[channel]))
        self._last_sent = now
        return sequence

    @property
    def may_send(self) -> bool:
        """No message that is not acknowledged is so old that the next ones would be out of the receiver's window."""
        waiting, acknowledged = self._unacknowledged, self._connection.acknowledged
        while waiting and acknowledged[waiting[0][1]] >= waiting[0][2]:
            waiting.popleft()
        return not waiting or self._sequence + SPARE - waiting[0][0] < AHEAD or broken("sequences-run-ahead")

    def first(self, data: bytes, nonces: Nonces) -> Message | None:
        """Reads a message before the session's nonces are agreed on; None if its tag is wrong."""
        if len(data) < SHORTEST:
            raise IntegrityLost
        message = unseal(data, nonces, Direction(1 - self._direction))
        if message is not None and frames.split(message.frame)[0] != frames.MAGIC:
            raise IntegrityLost
        return message

    def receive(self, data: bytes, now: int) -> Received | None:
        """Reads a message of the session. None if it is replayed."""
        if len(data) < SHORTEST:
            raise IntegrityLost
        message = unseal(data, self.nonces, Direction(1 - self._direction))
        if message is None or not self._epoch_accepted(message.epoch):
            self._metrics[Metric.WRONG_TAG] += 1
            raise IntegrityLost
        if frames.split(message.frame)[0] != frames.MAGIC and not broken("magic-ignored"):
            raise IntegrityLost
        self._last_heard = now
        agent = self._direction is Direction.FROM_AGENT or broken("host-refuses-late")
        verdict = self._order.check(message.sequence, message.time, self.clock(now), self.tolerance if agent else None)
        if verdict is Verdict.REPLAYED:
            self._metrics[Metric.REPLAYED] += 1
            return Received(message, Verdict.DISORDERED) if broken("replayed-answered") else None
        if verdict is not Verdict.GOOD:
            self._metrics[Metric.DISORDERED] += 1
        return Received(message, verdict)

    def bye(self, reason: int, now: int) -> None:
        """Ends an active session, as the side that says it first."""
        if self.phase is Phase.ACTIVE:
            self._leave(reason, now)
            self._bye_first = True

    def bye_received(self, reason: int, now: int) -> None:
        """Takes the other side's Bye."""
        if self.phase is Phase.ACTIVE:
            if broken("bye-not-answered"):
                return
            self._leave(End.ASKED if broken("bye-reason-not-repeated") else reason, now)
            self._until_acknowledged = self._connection.ends
        elif self.phase is Phase.DISCONNECTING and self._bye_first:
            self.phase = Phase.CLOSED

    def integrity_lost(self, now: int) -> None:
        """The streams are not those of this session (5.4)."""
        if broken("wrong-tag-ignored"):
            return
        if self.phase is Phase.ACTIVE:
            self.bye(End.INTEGRITY, now)
        elif self.phase is not Phase.DISCONNECTING or broken("disconnecting-listens"):
            self.abort(End.INTEGRITY)

    def refuse(self, now: int) -> None:
        """Ends the handshake behind an Error, once that is acknowledged (5.3)."""
        self.phase = Phase.CLOSED
        self._until_acknowledged = self._connection.ends
        self._deadline = now + DISCONNECTING_TIME

    def abort(self, reason: int) -> None:
        """Closes without a word: in the handshake, or because the link is lost."""
        if self.phase is not Phase.CLOSED:
            self.phase = Phase.CLOSED
            self.reason = self.reason or reason
            self._until_acknowledged = None

    def poll(self, now: int) -> None:
        """Lets timers end."""
        if self.phase is Phase.ACTIVE:
            if now - self._last_heard >= self.loss and not broken("heartbeat-loss-ignored"):
                self.bye(End.HEARTBEAT, now)
            elif now - self._last_sent >= self.interval and self.may_send and not broken("no-heartbeat"):
                self.send(Kind.HEARTBEAT, {"run": self.heartbeat_run}, now)
        elif self.phase is Phase.DISCONNECTING and (now >= self._deadline and not broken("disconnecting-endless") or self._acknowledged()):
            self.phase = Phase.CLOSED

    def link_may_end(self, now: int) -> bool:
        """The session is closed, and nothing of it has to be waited for."""
        if self.phase is not Phase.CLOSED:
            return False
        return self._until_acknowledged is None or self._acknowledged() or now >= self._deadline

    def _leave(self, reason: int, now: int) -> None:
        self.phase = Phase.DISCONNECTING
        self.reason = reason
        self._deadline = now + DISCONNECTING_TIME
        self.send(Kind.BYE, {"reason": reason}, now)

    def _acknowledged(self) -> bool:
        ends = self._until_acknowledged
        return ends is not None and all(base >= end for base, end in zip(self._connection.acknowledged, ends))

    def _next_epoch(self, now: int) -> None:
        self._epoch_wanted |= self._connection.crc_reported
        self._connection.crc_reported = False
        if not self._epoch_wanted or self._start is None or broken("epoch-stuck"):
            return
        early = self._epoch_time is not None and now - self._epoch_time < EPOCH_TIME and not broken("epoch-too-often")
        under_way = any(base < end for base, end in zip(self._connection.acknowledged, self._epoch_ends))
        if early or under_way and not broken("epoch-while-under-way"):
            return
        self._epoch = (self._epoch + 1) & 0xFF
        self._epoch_wanted = False
        self._epoch_time = now
        self._epoch_ends = self._connection.ends

    def _epoch_accepted(self, epoch: int) -> bool:
        step = (epoch - self._peer_epoch) & 0xFF
        if broken("any-epoch-accepted") and 1 < step < 0xFF:
            return True
        if step == 1:
            if broken("next-epoch-refused"):
                return False
            self._peer_epoch = epoch
        return step in (0, 1, 0xFF)
