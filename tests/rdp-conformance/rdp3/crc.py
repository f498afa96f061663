"""The three checks of the protocol: CRC-16 and CRC-32 of packets (section 3), CRC-32C of messages (5.5)."""

from binascii import crc_hqx
from zlib import crc32 as _crc32


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740, the header check."""
    return crc_hqx(data, 0xFFFF)


def crc32(data: bytes) -> int:
    """CRC-32/ISO-HDLC, the packet's CRC and the digest in Agree."""
    return _crc32(data)


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CASTAGNOLI = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), the tag of suite 0."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CASTAGNOLI[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
