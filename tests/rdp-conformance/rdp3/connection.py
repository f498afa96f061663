"""One connection of the link: channels, acknowledgements, and the choice of the lane (sections 4.2 to 4.4)."""

from collections import Counter
from collections.abc import Sequence

from .lanes import Lane
from .metrics import Metric
from .packet import GAP, NACK_CRC, NACK_HEADER, Ack, Failure, Packet, Type, decode_ack
from .rules import broken
from .streams import ReceiveStream, SendStream, signed

ACK_TIME = 200
PROBE_TIME = 250
PROBES = 4
SIGNAL, BULK = 0, 1
LIMIT = 512
"""Bytes of a message (4.2)."""
QUEUE = 2
"""Messages that a receive queue has room for."""


class Connection:
    """What is kept from OPEN to RESET."""

    def __init__(
        self,
        number: int,
        cookie: int,
        lanes: Sequence[Lane],
        bulk: bool,
        credit: int,
        metrics: Counter[Metric],
        now: int,
    ) -> None:
        self.number = number
        self.cookie = cookie
        self.send = (SendStream(), SendStream())
        self.receive = (ReceiveStream(LIMIT, QUEUE), ReceiveStream(LIMIT, max(credit, QUEUE)))
        self.data_arrived = False
        self._metrics = metrics
        self._lanes = lanes
        self._bulk = bulk
        self._well = bulk
        self._intact = 0
        self._failures_before = [(lane.counts.header_failures, lane.counts.crc_failures) for lane in lanes]
        self._ack_number = 0
        self._ack_due = False
        # The last packet on the signal lane was an ACK: DATA goes before the next one (4.3).
        self._ack_last = False
        self._ack_time = now
        self._nack = 0
        self._last_ack_number = 0
        self._last_ack = Ack((0, 0), (0, 0))
        self._intact_at_damage = 0
        self._probe_time = now

    @property
    def lost(self) -> bool:
        """8 tries without progress (4.4)."""
        return any(stream.lost for stream in self.send)

    @property
    def acknowledged(self) -> tuple[int, int]:
        """Position before which all is acknowledged, of each channel."""
        return self.send[0].base, self.send[1].base

    @property
    def ends(self) -> tuple[int, int]:
        """Position behind the last byte written, of each channel."""
        return self.send[0].end, self.send[1].end

    @property
    def bulk_well(self) -> bool:
        """Whether channel 1 goes over the bulk lane now."""
        return self._well

    def failure(self, failure: Failure) -> None:
        """A packet on any lane failed its checks."""
        if failure is Failure.CRC:
            self._nack |= 0 if broken("crc-not-reported") else NACK_CRC
        else:
            self._nack |= NACK_HEADER
        self._ack_due = True

    def packet(self, packet: Packet, lane: int, now: int) -> bool:
        """Takes a packet of this connection. False means that it is none that this side knows."""
        self._intact += lane == BULK
        if packet.type == Type.DATA and packet.payload:
            self._data(packet, now)
        elif packet.type == Type.ACK and lane == SIGNAL:
            ack = decode_ack(packet.payload)
            if ack is None:
                return False
            self._acknowledge(packet.position, ack, now)
        else:
            return packet.type == Type.PROBE
        return True

    def _data(self, packet: Packet, now: int) -> None:
        self.data_arrived = True
        taken = self.receive[packet.channel].take(packet.position, packet.payload, now)
        if not taken and not broken("gap-not-reported"):
            self._nack |= GAP[packet.channel]
        self._ack_due = True

    def _acknowledge(self, number: int, ack: Ack, now: int) -> None:
        if signed(number - self._last_ack_number) <= 0 and not broken("old-ack-accepted"):
            return
        if any(map(SendStream.never_sent, self.send, ack.expected)) and not broken("ack-of-unsent-accepted"):
            return
        back = any(signed(position - stream.base) < 0 for stream, position in zip(self.send, ack.expected))
        if back and not broken("ack-going-back-taken"):
            return
        self._last_ack_number = number
        for stream, position, window in zip(self.send, ack.expected, ack.window):
            stream.acknowledge(position, window, now)
        for stream, gap in zip(self.send, GAP):
            if ack.nack & (gap | NACK_HEADER | NACK_CRC) and not broken("nack-ignored"):
                stream.reported(now)
        self._judge_bulk(ack, now)
        self._last_ack = ack

    def _judge_bulk(self, ack: Ack, now: int) -> None:
        last = self._last_ack
        if (ack.bulk_header, ack.bulk_crc) != (last.bulk_header, last.bulk_crc):
            self._damaged(ack.intact, now)
        elif self._bulk and (ack.intact - self._intact_at_damage) & 0xFFFF >= PROBES:
            self._well = True

    def _damaged(self, intact: int, now: int) -> None:
        self._intact_at_damage = intact
        if self._well:
            self._well = False
            self._metrics[Metric.DAMAGED] += 1
            self._probe_time = now - PROBE_TIME
            self.send[1].go_back(now)

    def tick(self, now: int) -> None:
        """Lets retransmission times end."""
        self.send[0].expired(now)
        if self.send[1].expired(now) and self._well:
            self._damaged(self._last_ack.intact, now)

    def next_packet(self, lane: int, now: int) -> Packet | None:
        """The packet that is to go over a free lane."""
        if lane == BULK:
            return self._data_packet(1, lane, now) if self._well else self._probe(now)
        due = self.ack_is_due(now)
        if due and not self._ack_last:
            return self.ack(now)
        self._ack_last = False
        packet = self._data_packet(0, lane, now)
        if packet is None and not self._well:
            packet = self._data_packet(1, lane, now)
        return self.ack(now) if packet is None and due else packet

    def ack_is_due(self, now: int) -> bool:
        """Whether an ACK has to go now (4.3)."""
        quiet = now - self._ack_time
        if broken("ack-late"):
            return quiet >= 3 * ACK_TIME
        prompt = self._ack_due and not broken("ack-not-prompt")
        return prompt or quiet >= ACK_TIME and not broken("no-periodic-ack")

    def ack(self, now: int) -> Packet:
        """The next ACK."""
        counts = [
            (lane.counts.header_failures - header, lane.counts.crc_failures - crc)
            for lane, (header, crc) in zip(self._lanes, self._failures_before)
        ]
        bulk = counts[BULK] if self._bulk else (0, 0)
        ack = Ack(
            (self.receive[0].expected, self.receive[1].expected),
            (self.receive[0].room, self.receive[1].room),
            self._intact,
            *bulk,
            self._nack,
            0 if broken("failures-not-counted") else sum(counts[SIGNAL]),
        )
        self._ack_number += not (broken("ack-number-stuck") and self._ack_number)
        self._ack_due = False
        self._ack_last = True
        self._ack_time = now
        self._nack &= 0xFF if broken("nack-not-cleared") else 0
        return Packet(Type.ACK, self.number, self._ack_number, ack.encode())

    def _data_packet(self, channel: int, lane: int, now: int) -> Packet | None:
        piece = self.send[channel].piece(now, self._lanes[lane].max_payload)
        if piece is None:
            return None
        return Packet(Type.DATA, self.number, piece.position, piece.data, channel | piece.resent << 4)

    def _probe(self, now: int) -> Packet | None:
        if not self._bulk or now - self._probe_time < PROBE_TIME:
            return None
        self._probe_time = now
        return Packet(Type.PROBE, self.number, 0)
