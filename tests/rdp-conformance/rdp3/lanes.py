"""Lanes: framing of packets on a line (section 2)."""

from dataclasses import dataclass
from typing import Protocol

from . import cobs
from .packet import OVERHEAD, Failure, Packet, PacketError, decode

UART_MTU = 64
SPI_MTU = 512


@dataclass
class LaneCounts:
    """What a lane counts for the metrics 0x1n0 to 0x1n5 (8.13)."""

    received: int = 0
    sent: int = 0
    header_failures: int = 0
    crc_failures: int = 0
    resent: int = 0
    overlong: int = 0


class Lane(Protocol):
    """One line. `closed` means that nothing more comes or goes."""

    counts: LaneCounts
    max_payload: int
    closed: bool

    def feed(self, data: bytes) -> list[Packet | Failure]:
        """Takes received bytes, and gives the packets and failures that they complete."""

    def encode(self, packet: Packet) -> bytes:
        """The bytes that carry a packet."""


class _Framed:
    """Counts and checks."""

    def __init__(self, max_packet: int) -> None:
        self.counts = LaneCounts()
        self.max_payload = max_packet - OVERHEAD
        self.closed = False
        self._buffer = bytearray()

    def _decode(self, data: bytes) -> Packet | Failure:
        try:
            packet = decode(data)
        except PacketError as error:
            return self._failed(error.failure)
        self.counts.received += 1
        return packet

    def _failed(self, failure: Failure) -> Failure:
        if failure is Failure.CRC:
            self.counts.crc_failures += 1
        else:
            self.counts.header_failures += 1
        return failure

    def _sent(self, packet: Packet) -> bytes:
        self.counts.sent += 1
        self.counts.resent += packet.resent > 0
        return packet.encode()


class SerialLane(_Framed):
    """A serial lane: COBS between zero bytes (section 2)."""

    def __init__(self, mtu: int = UART_MTU) -> None:
        longest = mtu - 3
        while longest + longest // cobs.LONGEST + 3 > mtu:
            longest -= 1
        super().__init__(longest)
        self._limit = mtu - 2
        self._overlong = False

    def feed(self, data: bytes) -> list[Packet | Failure]:
        """Cuts at the zero bytes."""
        out: list[Packet | Failure] = []
        *pieces, rest = data.split(b"\0")
        for piece in pieces:
            self._append(piece)
            if self._buffer and not self._overlong:
                out.append(self._piece(bytes(self._buffer)))
            self._buffer.clear()
            self._overlong = False
        self._append(rest)
        return out

    def encode(self, packet: Packet) -> bytes:
        """A packet between two zero bytes."""
        return b"\0" + cobs.encode(self._sent(packet)) + b"\0"

    def _append(self, piece: bytes) -> None:
        room = self._limit - len(self._buffer)
        self._buffer += piece[:room]
        if len(piece) > room and not self._overlong:
            self._overlong = True
            self.counts.overlong += 1

    def _piece(self, piece: bytes) -> Packet | Failure:
        try:
            return self._decode(cobs.decode(piece))
        except cobs.CobsError:
            return self._failed(Failure.FRAME)
