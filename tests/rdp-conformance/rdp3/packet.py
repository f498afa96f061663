"""Packets and the payload of ACK (sections 3 and 4.3)."""

import enum
import struct
from dataclasses import dataclass

from .crc import crc16, crc32
from .rules import broken

OVERHEAD = 16
"""Bytes of a packet that are not payload."""

_HEADER = struct.Struct(">BBHIH")
_ACK = struct.Struct(">IHIHHHHBH")


class Type(enum.IntEnum):
    """Types of packets."""

    DATA = 1
    ACK = 2
    OPEN = 3
    ACCEPT = 4
    RESET = 5
    PROBE = 6


class Failure(enum.Enum):
    """What is wrong with a packet (3.1)."""

    FRAME = enum.auto()
    HEADER = enum.auto()
    LENGTH = enum.auto()
    CRC = enum.auto()


class PacketError(ValueError):
    """A packet that does not pass the checks of 3.1."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.name)
        self.failure = failure


@dataclass(frozen=True)
class Packet:
    """One packet. `type` and `flags` are as on the wire, because unknown ones are ignored later, not here."""

    type: int
    connection: int
    position: int
    payload: bytes = b""
    flags: int = 0

    @property
    def channel(self) -> int:
        """Channel of DATA."""
        return self.flags & 1

    @property
    def resent(self) -> int:
        """How often bytes of it have been sent before."""
        return self.flags >> 4

    def encode(self) -> bytes:
        """The packet's bytes, without framing."""
        header = _HEADER.pack(self.type, self.flags, self.connection, self.position & 0xFFFFFFFF, len(self.payload))
        body = header + struct.pack(">H", crc16(header)) + self.payload
        return body + struct.pack(">I", crc32(body))


def decode(data: bytes) -> Packet:
    """Reads a packet, with the checks of 3.1 in their order."""
    if len(data) < OVERHEAD:
        raise PacketError(Failure.FRAME)
    kind, flags, connection, position, length = _HEADER.unpack_from(data)
    if crc16(data[:10]) != int.from_bytes(data[10:12], "big") and not broken("header-check-ignored"):
        raise PacketError(Failure.HEADER)
    if length != len(data) - OVERHEAD and not broken("payload-length-ignored"):
        raise PacketError(Failure.LENGTH)
    if crc32(data[:-4]) != int.from_bytes(data[-4:], "big") and not broken("crc-ignored"):
        raise PacketError(Failure.CRC)
    return Packet(kind, connection, position, data[12:-4], flags)


GAP = (1, 2)
"""Nack bits: a gap on channel 0, on channel 1."""
NACK_HEADER = 4
NACK_CRC = 8


@dataclass
class Ack:
    """Payload of an ACK."""

    expected: tuple[int, int]
    window: tuple[int, int]
    intact: int = 0
    bulk_header: int = 0
    bulk_crc: int = 0
    nack: int = 0
    signal_failures: int = 0

    def encode(self) -> bytes:
        """The payload's bytes."""
        return _ACK.pack(
            self.expected[0] & 0xFFFFFFFF,
            self.window[0],
            self.expected[1] & 0xFFFFFFFF,
            self.window[1],
            self.intact & 0xFFFF,
            self.bulk_header & 0xFFFF,
            self.bulk_crc & 0xFFFF,
            self.nack,
            self.signal_failures & 0xFFFF,
        )


def decode_ack(payload: bytes) -> Ack | None:
    """Reads an ACK's payload; None if it is too short (section 10). What follows it is ignored."""
    if len(payload) < _ACK.size:
        return None
    first, room, second, space, intact, header, crc, nack, signal = _ACK.unpack_from(payload)
    return Ack((first, second), (room, space), intact, header, crc, nack, signal)
