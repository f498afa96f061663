"""Checks and layers: SPEC 2, 3, 5.2, 5.5, 6."""

import struct
import zlib

HOST = bytes(range(0x10, 0x20))
DEVICE = bytes(range(0xA0, 0xB0))
ZERO = bytes(16)
PRINT = b"reference-mach01"


def crc16(data, crc=0xFFFF):
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def crc32(data):
    return zlib.crc32(data) & 0xFFFFFFFF


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x82F63B78 if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


assert crc16(b"123456789") == 0x29B1 and crc32(b"123456789") == 0xCBF43926 and crc32c(b"123456789") == 0xE3069283


def cobs(data):
    """Cut at zeros and after 254 bytes; a zero is imagined behind the end."""
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


def packet(kind, connection, position, payload, flags=0, length=None, check=None, crc=None):
    head = struct.pack(">BBHIH", kind, flags, connection, position, len(payload) if length is None else length)
    head += struct.pack(">H", crc16(head) if check is None else check)
    body = head + payload
    return body + struct.pack(">I", crc32(body) if crc is None else crc)


def serial(data):
    return b"\0" + cobs(data) + b"\0"


def tag(host, device, direction, channel, header, frame):
    return struct.pack(">I", crc32c(host + device + bytes([direction | channel << 1]) + header + frame))


def message(host, device, direction, channel, sequence, time, frame):
    header = struct.pack(">II", sequence, time)
    return header + frame + tag(host, device, direction, channel, header, frame)


def frame(kind, body=b"", magic=b"GDBP", version=1):
    return magic + bytes([version, kind]) + body


def examples():
    """SPEC 14 has bytes for all of this."""
    spec_device = bytes(range(0x80, 0x90))
    breakpoint = frame(1, struct.pack(">QI", 0x20000100, 7))
    m = message(HOST, spec_device, 0, 1, 2, 150, breakpoint)
    assert m.hex().endswith("d7750d64") and len(m) == 0x1E
    p = packet(1, 0x0102, 0x33, struct.pack(">H", len(m)) + m, 1)
    assert p[:12].hex() == "01010102000000330020faf8" and p.hex().endswith("bdde8d19")
    assert serial(p).hex().startswith("0005010101020101023304" + "20faf8021e") and serial(p).hex().endswith("8d1900")
    assert packet(3, 0, 0x12345678, b"\x04\x01").hex() == "03000000123456780002479304" + "0121af38c5"
    hello = frame(0x40, struct.pack(">BB16sHBHH", 3, 3, HOST, 512, 1, 0, 8) + b"operator")
    assert message(ZERO, ZERO, 0, 0, 0, 0, hello).hex().endswith("776d93b8")
    beat = frame(0x42, struct.pack(">BI", 1, 0xDECAFBAD))
    assert message(HOST, spec_device, 1, 0, 5, 200, beat).hex().endswith("c7851c20")
    echo = frame(0x42, struct.pack(">BI", 0, 0xDECAFBAD))
    assert message(HOST, spec_device, 0, 0, 3, 200, echo).hex().endswith("ef2745d7")


examples()
