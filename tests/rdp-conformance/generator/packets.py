"""cobs.json and packets.json: SPEC 2 and 3. All on serial lanes: a byte stream has no packets."""

import struct

from .build import cobs, crc16, packet, serial


def make_cobs():
    run = bytes(range(1, 255))
    cases = [
        ("the SPEC's example", bytes.fromhex("11220033")), ("one zero", b"\0"), ("two zeros", b"\0\0"),
        ("one byte", b"\x01"), ("zero in front", b"\0\x01"), ("zero behind", b"\x01\0"), ("ff", b"\xff\xff\xff"),
        ("253 bytes", run[:253]), ("254 bytes", run), ("254 bytes and a zero", run + b"\0"),
        ("254 bytes and a one", run + b"\x01"), ("zero and 254 bytes", b"\0" + run),
        ("253 bytes and a zero", run[:253] + b"\0"), ("255 bytes", run + b"\xff"),
        ("254 bytes, zero, 254 bytes", run + b"\0" + run), ("507 bytes", run + run[:253]),
        ("507 zeros", bytes(507)), ("507 of ff", b"\xff" * 507),
    ]
    valid = [{"name": n, "packet": p.hex(), "encoded": cobs(p).hex()} for n, p in cases]
    accepted = [
        {"name": "254 bytes with the further code byte", "encoded": (b"\xff" + run + b"\x01").hex(),
         "packet": run.hex()},
        {"name": "zero and 254 bytes with the further code byte", "encoded": (b"\x01\xff" + run + b"\x01").hex(),
         "packet": (b"\0" + run).hex()},
    ]
    invalid = [
        {"name": "code beyond the end by one", "encoded": "0311"},
        {"name": "code beyond the end", "encoded": "05112233"},
        {"name": "second code beyond the end", "encoded": "0311220433"},
        {"name": "ff with 253 bytes", "encoded": (b"\xff" + run[:253]).hex()},
        {"name": "ff alone", "encoded": "ff"},
        {"name": "02 alone", "encoded": "02"},
        {"name": "a zero within", "encoded": "03110002"},
    ]
    return {"valid": valid, "accepted": accepted, "invalid": invalid}


def seen(kind, connection, position, payload, flags=0, **more):
    out = {"type": kind, "channel": flags & 1, "retransmissions": flags >> 4, "connection": connection,
           "position": position, "payload": payload.hex()}
    if kind == 2 and len(payload) >= 21:
        names = ["expected_0", "window_0", "expected_1", "window_1", "bulk_intact", "bulk_header_failures",
                 "bulk_crc_failures", "nack", "signal_failures"]
        out["ack"] = dict(zip(names, struct.unpack(">IHIHHHHBH", payload[:21])))
    if kind in (3, 4) and len(payload) >= 2:
        out["open"] = {"generation": payload[0], "lanes": payload[1]}
    if kind == 5 and payload:
        out["reset"] = payload[0]
    out.update(more)
    return {"packet": out}


ACK = struct.pack(">IHIHHHHBH", 1000, 2048, 0xFFFFFFF0, 4096, 7, 1, 2, 0b1101, 65535)
GOOD = [
    ("DATA", (1, 7, 0, b"\x00\x16hello", 0)), ("DATA on channel 1", (1, 7, 0x01020304, b"\0\0\0", 1)),
    ("DATA sent again 3 times", (1, 7, 100, b"x", 0x30)),
    ("DATA sent again 15 times on channel 1", (1, 65535, 0xFFFFFFFF, b"abc", 0xF1)),
    ("ACK", (2, 7, 1, ACK, 0)), ("ACK with a longer payload", (2, 7, 2, ACK + b"\x01\x02", 0)),
    ("OPEN", (3, 0, 0xDEADBEEF, b"\x04\x01", 0)), ("OPEN with a bulk lane", (3, 0, 1, b"\x04\x03", 0)),
    ("OPEN with a longer payload", (3, 0, 0, b"\x04\x01\x00", 0)),
    ("OPEN of generation 3", (3, 0, 7, b"\x03\x01", 0)), ("ACCEPT", (4, 1, 0xDEADBEEF, b"\x04\x03", 0)),
    ("RESET closed", (5, 7, 0, b"\x01", 0)), ("RESET generation", (5, 0, 0xDEADBEEF, b"\x02", 0)),
    ("RESET busy", (5, 0, 0xDEADBEEF, b"\x06", 0)), ("PROBE", (6, 7, 9, b"", 0)),
]
STRAY = [  # counted and ignored
    ("type 0", (0, 7, 0, b"", 0)), ("type 7", (7, 7, 0, b"zz", 0)), ("type 255", (255, 7, 0, b"", 0)),
    ("reserved flag 1", (1, 7, 0, b"a", 0x02)), ("reserved flag 2", (1, 7, 0, b"a", 0x04)),
    ("reserved flag 3", (2, 7, 0, ACK, 0x08)), ("DATA without bytes", (1, 7, 0, b"", 0)),
    ("ACK too short", (2, 7, 3, ACK[:20], 0)), ("ACCEPT too short", (4, 1, 5, b"\x04", 0)),
]
HEADER, FRAME, LENGTH, CRC, OVER = ({"error": e} for e in ("Header", "Frame", "Length", "Crc", "Overlong"))


def pack(spec):
    kind, connection, position, payload, flags = spec
    return packet(kind, connection, position, payload, flags)


def look(spec, **more):
    kind, connection, position, payload, flags = spec
    return seen(kind, connection, position, payload, flags, **more)


def make_packets():
    cases = []

    def case(name, mtu, data, results):
        cases.append({"name": name, "framing": "serial", "mtu": mtu, "input": data.hex(), "results": results})

    def flipped(data, bit):
        bad = bytearray(data)
        bad[bit // 8] ^= 0x80 >> bit % 8
        return serial(bytes(bad))

    for name, spec in GOOD:
        case(name, 64, serial(pack(spec)), [look(spec)])
    for name, spec in STRAY:
        case(name, 64, serial(pack(spec)), [look(spec, ignored=True)])
    a, b = GOOD[0][1], GOOD[4][1]
    pa, pb = pack(a), pack(b)
    sa, sb = serial(pa), serial(pb)
    case("nothing", 64, b"", [])
    case("zeros alone", 64, bytes(9), [])
    case("one zero between two packets", 64, b"\0" + cobs(pa) + b"\0" + cobs(pb) + b"\0", [look(a), look(b)])
    case("many zeros between two packets", 64, sa + bytes(5) + sb, [look(a), look(b)])
    case("packet whose end has not come", 64, sa + b"\0" + cobs(pb), [look(a)])
    case("noise before", 64, b"\x55\xaa\x13" + sa, [FRAME, look(a)])
    case("noise between", 64, sa + b"\x02\x41\x03" + sb, [look(a), FRAME, look(b)])
    case("two pieces of noise between", 64, sa + b"\x05\x41" + b"\0" + b"\x01" + sb,
         [look(a), FRAME, FRAME, look(b)])
    case("noise after", 64, sa + b"\x07\x07\0", [look(a), FRAME])
    case("15 bytes", 64, serial(pa[:15]), [FRAME])
    case("16 bytes of zeros", 64, serial(bytes(16)), [HEADER])
    case("end cut off, next packet follows", 64, sa[:12] + sb, [FRAME, look(b)])
    case("a byte lost", 64, serial(pa[:14] + pa[15:]) + sb, [LENGTH, look(b)])
    case("a byte inserted", 64, serial(pa[:14] + b"!" + pa[14:]) + sb, [LENGTH, look(b)])
    middle = b"\0" + cobs(pb)[:20] + b"\0" + cobs(pb)[21:] + b"\0" + sa
    case("a zero among the bytes", 64, middle, halves(middle, look(a)))
    for bit in (0, 7, 8, 31, 40, 79, 80, 95):
        case(f"header bit {bit} flipped", 64, flipped(pb, bit) + sa, [HEADER, look(a)])
    for bit in (96, 100, 8 * len(pb) - 32, 8 * len(pb) - 1):
        case(f"bit {bit} flipped", 64, flipped(pb, bit) + sa, [CRC, look(a)])
    case("length one less", 64, serial(packet(1, 7, 0, b"abcd", length=3)), [LENGTH])
    case("length one more", 64, serial(packet(1, 7, 0, b"abcd", length=5)), [LENGTH])
    case("header check before length", 64, serial(packet(1, 7, 0, b"abcd", length=5, check=0)), [HEADER])
    case("length before CRC", 64, serial(packet(1, 7, 0, b"abcd", length=5, crc=0)), [LENGTH])
    zero_start = crc16(struct.pack(">BBHIH", 1, 0, 7, 0, 4), 0)
    case("header check of zero initial value", 64, serial(packet(1, 7, 0, b"abcd", check=zero_start)), [HEADER])
    longest = (1, 7, 0, bytes(range(1, 46)), 0)
    case("longest packet, UART", 64, serial(pack(longest)), [look(longest)])
    case("62 bytes of noise, UART", 64, b"\0" + b"\x3f" * 62 + b"\0" + sa, [FRAME, look(a)])
    case("63 bytes of noise, UART", 64, b"\0" + b"\x3f" * 63 + b"\0" + sa, [OVER, look(a)])
    case("packet too long for UART", 64, serial(packet(1, 7, 0, bytes(range(1, 49)))) + sa, [OVER, look(a)])
    case("200 bytes of noise, UART", 64, b"\x11" * 200 + sa, [OVER, look(a)])
    spi = (1, 7, 0, bytes((i * 7) % 255 + 1 for i in range(491)), 1)
    case("longest packet, SPI", 512, serial(pack(spi)) + sa, [look(spi), look(a)])
    case("511 bytes of noise, SPI", 512, b"\0" + b"\x11" * 511 + b"\0" + sa, [OVER, look(a)])
    tail = (1, 7, 0, bytes(i % 255 + 1 for i in range(238)), 0)  # may end right after a part of 254 bytes
    case("packet of 254 bytes", 512, serial(pack(tail)), [look(tail)])
    most = (1, 7, 0, bytes(i % 255 + 1 for i in range(1006)), 0)
    case("longest packet of all, 1022 bytes", 1030, serial(pack(most)) + sa, [look(most), look(a)])
    more = (1, 7, 0, bytes(i % 255 + 1 for i in range(1007)), 0)
    case("1023 bytes", 1030, serial(pack(more)) + sa, [FRAME, look(a)])
    return {"ack": ACK.hex(), "cases": cases}


def halves(data, last):
    """A zero in the middle makes two pieces; neither may pass as a packet."""
    first, second = [p for p in data.split(b"\0") if p][:2]
    out = []
    for piece in (first, second):
        body, i, ok = bytearray(), 0, True
        while i < len(piece):
            code = piece[i]
            part = piece[i + 1:i + code]
            ok &= len(part) == code - 1
            body += part
            i += code
            if code != 255 and i < len(piece):
                body += b"\0"
        if not ok or len(body) < 16:
            out.append({"error": "Frame"})
        else:
            out.append({"error": "Header" if crc16(bytes(body[:10])) != int.from_bytes(body[10:12], "big")
                        else "Length"})
    return out + [last]
