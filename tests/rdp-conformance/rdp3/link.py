"""The link: opening and ending of connections (section 4). `AgentLink` and `HostLink` differ in the opening."""

import enum
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .connection import BULK, SIGNAL, Connection
from .lanes import Lane
from .metrics import Metric
from .packet import Failure, Packet, Type
from .rules import broken

GENERATION = 4
OPEN_TIME = 250
OPEN_TRIES = 20
STRAY_TIME = 200
RESERVED_FLAGS = 0x0E
TYPES = frozenset(Type)


class Reset(enum.IntEnum):
    """Reasons of RESET (4.6)."""

    CLOSED = 1
    GENERATION = 2
    NO_CONNECTION = 3
    RECORD = 4
    NO_PROGRESS = 5
    BUSY = 6


class Opened:
    """What carries a session has begun."""


@dataclass(frozen=True)
class Ended:
    """What carries a session has ended, and not by this side's `close`."""

    why: str


RESET_BY_PEER = "the peer has reset the connection"
BAD_RECORD = "a record's length is wrong"
NO_PROGRESS = "no progress"
LANE_GONE = "the lane is closed"
REPLACED = "another host has come"
NO_ANSWER = "nobody answers"
BUSY = "busy: another host has a session"
OTHER_GENERATION = "the peer speaks another generation of the protocol"


class Link:
    """What both sides have in common. Lane 0 is the signal lane, lane 1, if there is one, the bulk lane."""

    def __init__(self, lanes: Sequence[Lane], metrics: Counter[Metric], credit: int) -> None:
        self.lanes = lanes
        self.connection: Connection | None = None
        self.events: deque[Opened | Ended] = deque()
        self._metrics = metrics
        self._credit = credit
        self._out: deque[Packet] = deque()

    @property
    def idle(self) -> bool:
        """Nothing but data is left to send."""
        return not self._out

    def feed(self, data: bytes, now: int, lane: int = SIGNAL) -> None:
        """Takes bytes that a lane has received."""
        for result in self.lanes[lane].feed(data):
            if isinstance(result, Failure):
                if self.connection is not None:
                    self.connection.failure(result)
            else:
                self._packet(result, lane, now)
        if self.lanes[lane].closed and lane == SIGNAL:
            self.lane_closed()

    def poll(self, now: int, lane: int = SIGNAL) -> bytes:
        """One packet for a lane that is free, or nothing."""
        self._tick(now)
        packet = self._out.popleft() if lane == SIGNAL and self._out else None
        if packet is None and self.connection is not None:
            packet = self.connection.next_packet(lane, now)
        return b"" if packet is None else self.lanes[lane].encode(packet)

    def lane_closed(self) -> None:
        """The signal lane is gone, and the connection with it."""
        self._end(LANE_GONE)

    def close(self, reason: Reset, now: int) -> None:
        """Ends the connection with RESET; what is received by now is acknowledged before."""
        connection = self.connection
        if connection is None:
            return
        if connection.ack_is_due(now):
            self._out.append(connection.ack(now))
        self._out.append(Packet(Type.RESET, connection.number, 0, bytes([reason])))
        self.connection = None

    def message(self, channel: int, now: int) -> tuple[bytes, int] | None:
        """The next message of a channel, and when its last byte came."""
        if self.connection is None:
            return None
        stream = self.connection.receive[channel]
        return stream.messages.popleft() if stream.messages else None

    def _tick(self, now: int) -> None:
        connection = self.connection
        if connection is not None and any(stream.failed for stream in connection.receive):
            self.close(Reset.RECORD, now)
            self.events.append(Ended(BAD_RECORD))
        elif connection is not None:
            connection.tick(now)
            if connection.lost:
                self.close(Reset.NO_PROGRESS, now)
                self.events.append(Ended(NO_PROGRESS))

    def _begin(self, connection: Connection) -> None:
        self.connection = connection
        self.events.append(Opened())

    def _end(self, why: str) -> None:
        if self.connection is not None:
            self.connection = None
            self.events.append(Ended(why))

    def _lanes_bits(self) -> int:
        return 1 | (len(self.lanes) > 1) << 1

    def _greeting(self) -> bytes:
        return bytes([GENERATION, self._lanes_bits()])

    def _connect(self, number: int, cookie: int, peer_lanes: int, now: int) -> Connection:
        bulk = bool(self._lanes_bits() & peer_lanes & 1 << BULK)
        return Connection(number, cookie, self.lanes, bulk, self._credit, self._metrics, now)

    def _packet(self, packet: Packet, lane: int, now: int) -> None:
        if packet.type not in TYPES or packet.flags & RESERVED_FLAGS and not broken("reserved-flags-accepted"):
            self._metrics[Metric.STRAY] += 1
            if broken("unknown-packet-fatal"):
                self.close(Reset.NO_CONNECTION, now)
                self.events.append(Ended(RESET_BY_PEER))
        elif lane == BULK and packet.type in (Type.OPEN, Type.ACCEPT, Type.RESET):
            self._metrics[Metric.STRAY] += 1
        elif packet.type in (Type.OPEN, Type.ACCEPT):
            if not self._opening(packet, now):
                self._metrics[Metric.STRAY] += 1
        elif self.connection is None or self._is_other(packet):
            self._stray(packet, now)
        elif packet.type == Type.RESET:
            if not broken("reset-ignored"):
                self._end(RESET_BY_PEER)
        elif not self.connection.packet(packet, lane, now):
            self._metrics[Metric.STRAY] += 1

    def _is_other(self, packet: Packet) -> bool:
        other = self.connection is None or packet.connection != self.connection.number
        return other and not broken("connection-ignored")

    def _opening(self, packet: Packet, now: int) -> bool:
        raise NotImplementedError

    def _stray(self, packet: Packet, now: int) -> None:
        self._metrics[Metric.STRAY] += 1


class AgentLink(Link):
    """The side that answers OPEN."""

    def __init__(
        self, lanes: Sequence[Lane], metrics: Counter[Metric], credit: int, busy: Callable[[], bool], number: int
    ) -> None:
        super().__init__(lanes, metrics, credit)
        self._busy = busy
        self.number = number
        """That of the last connection."""
        self._stray_time: int | None = None
        self._busy_time: int | None = None

    def _opening(self, packet: Packet, now: int) -> bool:
        if packet.type != Type.OPEN:
            return False
        cookie, payload = packet.position, packet.payload
        if len(payload) < 2 or payload[0] != GENERATION and not broken("generation-ignored"):
            self._out.append(Packet(Type.RESET, 0, cookie, bytes([Reset.GENERATION])))
            if broken("generation-ends-connection"):
                self._end(OTHER_GENERATION)
            return True
        present = self.connection
        if present is None or present.cookie != cookie:
            if self._busy() and not broken("open-takes-over"):
                self._refuse(cookie, now)
                return True
            if present is not None and broken("new-open-ignored"):
                return True
            self._end(REPLACED)
            if not (broken("connection-reused") and self.number):
                self.number = self.number % 0xFFFF + 1
            present = self._connect(self.number, cookie, payload[1], now)
            self._begin(present)
        elif present.data_arrived and not broken("late-open-accepted"):
            return True
        cookie ^= broken("cookie-not-repeated")
        self._out.append(Packet(Type.ACCEPT, present.number, cookie, self._greeting()))
        return True

    def _refuse(self, cookie: int, now: int) -> None:
        """Tells another host that this one is busy, at most once in 200 ms."""
        recent = self._busy_time is not None and now - self._busy_time < STRAY_TIME
        if broken("busy-not-answered") or recent and not broken("busy-answered-always"):
            return
        self._busy_time = now
        named = 0 if broken("busy-without-cookie") else cookie
        self._out.append(Packet(Type.RESET, 0, named, bytes([Reset.BUSY])))
        if broken("busy-ends-session"):
            self._end(REPLACED)

    def _stray(self, packet: Packet, now: int) -> None:
        super()._stray(packet, now)
        if packet.type not in (Type.DATA, Type.ACK) or broken("stray-not-answered"):
            return
        if self._stray_time is None or now - self._stray_time >= STRAY_TIME or broken("stray-answered-always"):
            self._stray_time = now
            self._out.append(Packet(Type.RESET, packet.connection, 0, bytes([Reset.NO_CONNECTION])))


class HostLink(Link):
    """The side that opens."""

    def __init__(self, lanes: Sequence[Lane], metrics: Counter[Metric], credit: int, cookie: int) -> None:
        super().__init__(lanes, metrics, credit)
        self._cookie = cookie
        self._opening_now = True
        self._tries = 0
        self._busy = 0
        self._open_time = 0

    def lane_closed(self) -> None:
        """The signal lane is gone."""
        self._give_up(LANE_GONE)
        super().lane_closed()

    def _give_up(self, why: str) -> None:
        if self._opening_now:
            self._opening_now = False
            self.events.append(Ended(why))

    def _tick(self, now: int) -> None:
        super()._tick(now)
        if not self._opening_now or self._tries and now - self._open_time < OPEN_TIME:
            return
        if self._tries and broken("host-opens-once"):
            return
        if self._tries == OPEN_TRIES and not broken("host-opens-forever"):
            self._give_up(BUSY if self._busy >= self._tries else NO_ANSWER)
            return
        self._tries += 1
        self._open_time = now
        self._out.append(Packet(Type.OPEN, 0, self._cookie, self._greeting()))

    def _opening(self, packet: Packet, now: int) -> bool:
        if packet.type != Type.ACCEPT or len(packet.payload) < 2:
            return False
        if self._opening_now and (packet.position == self._cookie or broken("host-accepts-wrong-cookie")):
            self._opening_now = False
            self._begin(self._connect(packet.connection, self._cookie, packet.payload[1], now))
        return True

    def _stray(self, packet: Packet, now: int) -> None:
        refused = packet.type == Type.RESET and packet.connection == 0 and packet.position == self._cookie
        if refused and packet.payload[:1] == bytes([Reset.BUSY]):
            self._busy += 1
            if broken("host-gives-up-when-busy"):
                self._give_up(BUSY)
        elif refused:
            self._give_up(OTHER_GENERATION)
        else:
            super()._stray(packet, now)
