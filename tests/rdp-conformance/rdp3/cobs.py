"""Consistent Overhead Byte Stuffing (section 2)."""

LONGEST = 254
"""Bytes of the longest part."""


class CobsError(ValueError):
    """The bytes are not valid COBS."""


def encode(data: bytes) -> bytes:
    """Encodes a packet; the result holds no zero byte."""
    out = bytearray()
    parts = data.split(b"\0")
    for index, part in enumerate(parts):
        while len(part) > LONGEST:
            out.append(0xFF)
            out += part[:LONGEST]
            part = part[LONGEST:]
        out.append(len(part) + 1)
        out += part
        if len(part) == LONGEST and index + 1 < len(parts):
            out.append(1)
    return bytes(out)


def decode(data: bytes) -> bytes:
    """Decodes what lies between two zero bytes."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        part = data[at + 1 : at + code]
        if code == 0 or len(part) != code - 1 or 0 in part:
            raise CobsError
        out += part
        at += code
        if code != 0xFF and at < len(data):
            out.append(0)
    return bytes(out)
