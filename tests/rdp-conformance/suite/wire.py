"""Checks, packets, COBS, records, tags: SPEC 2, 3, 5.1, 5.5."""

import struct
import zlib
from collections import namedtuple

DATA, ACK, OPEN, ACCEPT, RESET, PROBE = range(1, 7)
GENERATION = 4
MTU = 64
PAYLOAD = 45


def _table(poly):
    out = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ poly if i & 1 else i >> 1
        out.append(i)
    return out


_C = _table(0x82F63B78)
_X = []
for _i in range(256):
    _v = _i << 8
    for _ in range(8):
        _v = (_v << 1 ^ 0x1021 if _v & 0x8000 else _v << 1) & 0xFFFF
    _X.append(_v)


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ _X[crc >> 8 ^ byte]
    return crc


def crc32(data):
    return zlib.crc32(data)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _C[crc & 0xFF ^ byte]
    return crc ^ 0xFFFFFFFF


def tag(host, device, direction, channel, header, frame):
    return struct.pack(">I", crc32c(host + device + bytes([direction | channel << 1]) + header + frame))


# -- serial lanes ----------------------------------------------------------------------------------------------------

def stuffed(data):
    """COBS, without the zeros around it."""
    out = bytearray()
    parts = bytes(data).split(b"\0")
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        while len(part) >= 254:
            out += b"\xff" + part[:254]
            part = part[254:]
            if not part and last:
                return bytes(out)
        out += bytes([len(part) + 1]) + part
    return bytes(out)


def unstuffed(data):
    """COBS; None if it is not valid."""
    out = bytearray()
    while data:
        code, part, data = data[0], data[1:data[0]], data[data[0]:]
        if code == 0 or len(part) != code - 1 or 0 in part:
            return None
        out += part + (b"\0" if code != 255 and data else b"")
    return bytes(out)


def framed(raw):
    return b"\0" + stuffed(raw) + b"\0"


def packet(kind, connection, position, payload=b"", flags=0, length=None, check=None, crc=None):
    length = len(payload) if length is None else length
    head = struct.pack(">BBHIH", kind, flags, connection, position & 0xFFFFFFFF, length)
    head += struct.pack(">H", crc16(head) if check is None else check)
    return head + payload + struct.pack(">I", crc32(head + payload) if crc is None else crc)


ACK_FIELDS = ("expected0", "window0", "expected1", "window1", "bulk_intact", "bulk_header", "bulk_crc", "nack",
              "signal_failures")


class Packet(namedtuple("Packet", "t kind flags connection position payload")):
    @property
    def channel(self):
        return self.flags & 1

    @property
    def count(self):
        return self.flags >> 4

    @property
    def end(self):
        return self.position + len(self.payload)

    @property
    def ack(self):
        return dict(zip(ACK_FIELDS, struct.unpack(">IHIHHHHBH", self.payload[:21])))


def parse(raw, t=0.0):
    """A packet, or the name of what is wrong."""
    if not 16 <= len(raw) <= 1022:
        return "Frame"
    kind, flags, connection, position, length, check = struct.unpack(">BBHIHH", raw[:12])
    if crc16(raw[:10]) != check:
        return "Header"
    if length != len(raw) - 16:
        return "Length"
    if crc32(raw[:-4]) != int.from_bytes(raw[-4:], "big"):
        return "Crc"
    return Packet(t, kind, flags, connection, position, raw[12:-4])


def record(channel, message, length=None):
    """A record of a byte stream."""
    return struct.pack(">H", channel << 15 | (len(message) if length is None else length)) + message
