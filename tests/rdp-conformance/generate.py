#!/usr/bin/env python3
"""Writes vectors/*.json. Everything here is built by hand with `struct` from SPEC.md; nothing of rdp3/ or suite/ is used."""

import json
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "vectors")


# -- checks -----------------------------------------------------------------------------------------------------------

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


# -- layers -----------------------------------------------------------------------------------------------------------

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


def stream(data, length=None):
    return struct.pack(">H", len(data) if length is None else length) + data


def tag(host, device, direction, header, frame):
    return struct.pack(">I", crc32c(host + device + bytes([direction]) + header + frame))


def message(host, device, direction, sequence, time, epoch, frame):
    header = struct.pack(">IIB", sequence, time, epoch)
    return header + frame + tag(host, device, direction, header, frame)


def frame(kind, body=b"", magic=b"GDBP", version=1):
    return magic + bytes([version, kind]) + body


# -- cobs.json --------------------------------------------------------------------------------------------------------

def make_cobs():
    run = bytes(range(1, 255))
    cases = [
        ("the SPEC's example", bytes.fromhex("11220033")), ("one zero", b"\0"), ("two zeros", b"\0\0"), ("one byte", b"\x01"),
        ("zero in front", b"\0\x01"), ("zero behind", b"\x01\0"), ("ff", b"\xff\xff\xff"),
        ("253 bytes", run[:253]), ("254 bytes", run), ("254 bytes and a zero", run + b"\0"), ("254 bytes and a one", run + b"\x01"),
        ("zero and 254 bytes", b"\0" + run), ("253 bytes and a zero", run[:253] + b"\0"), ("255 bytes", run + b"\xff"),
        ("254 bytes, zero, 254 bytes", run + b"\0" + run), ("507 bytes", run + run[:253]), ("507 zeros", bytes(507)),
        ("507 of ff", b"\xff" * 507),
    ]
    valid = [{"name": n, "packet": p.hex(), "encoded": cobs(p).hex()} for n, p in cases]
    accepted = [
        {"name": "254 bytes with the further code byte", "encoded": (b"\xff" + run + b"\x01").hex(), "packet": run.hex()},
        {"name": "zero and 254 bytes with the further code byte", "encoded": (b"\x01\xff" + run + b"\x01").hex(), "packet": (b"\0" + run).hex()},
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


# -- packets.json -----------------------------------------------------------------------------------------------------

def seen(kind, connection, position, payload, flags=0, **more):
    out = {"type": kind, "channel": flags & 1, "retransmissions": flags >> 4, "connection": connection, "position": position,
           "payload": payload.hex()}
    if kind == 2 and len(payload) >= 21:
        names = ["expected_0", "window_0", "expected_1", "window_1", "bulk_intact", "bulk_header_failures", "bulk_crc_failures", "nack",
                 "signal_failures"]
        out["ack"] = dict(zip(names, struct.unpack(">IHIHHHHBH", payload[:21])))
    if kind in (3, 4) and len(payload) >= 2:
        out["open"] = {"generation": payload[0], "lanes": payload[1]}
    if kind == 5 and payload:
        out["reset"] = payload[0]
    out.update(more)
    return {"packet": out}


ACK = struct.pack(">IHIHHHHBH", 1000, 2048, 0xFFFFFFF0, 4096, 7, 1, 2, 0b1101, 65535)


def make_packets():
    good = [
        ("DATA", (1, 7, 0, b"\x00\x16hello", 0)), ("DATA on channel 1", (1, 7, 0x01020304, b"\0\0\0", 1)),
        ("DATA sent again 3 times", (1, 7, 100, b"x", 0x30)), ("DATA sent again 15 times on channel 1", (1, 65535, 0xFFFFFFFF, b"abc", 0xF1)),
        ("ACK", (2, 7, 1, ACK, 0)), ("ACK with a longer payload", (2, 7, 2, ACK + b"\x01\x02", 0)),
        ("OPEN", (3, 0, 0xDEADBEEF, b"\x03\x01", 0)), ("OPEN with a bulk lane", (3, 0, 1, b"\x03\x03", 0)),
        ("OPEN with a longer payload", (3, 0, 0, b"\x03\x01\x00", 0)), ("ACCEPT", (4, 1, 0xDEADBEEF, b"\x03\x03", 0)),
        ("RESET closed", (5, 7, 0, b"\x01", 0)), ("RESET generation", (5, 0, 0xDEADBEEF, b"\x02", 0)), ("PROBE", (6, 7, 9, b"", 0)),
    ]
    odd = [  # counted and ignored
        ("type 0", (0, 7, 0, b"", 0)), ("type 7", (7, 7, 0, b"zz", 0)), ("type 255", (255, 7, 0, b"", 0)),
        ("reserved flag 1", (1, 7, 0, b"a", 0x02)), ("reserved flag 2", (1, 7, 0, b"a", 0x04)), ("reserved flag 3", (2, 7, 0, ACK, 0x08)),
        ("DATA without bytes", (1, 7, 0, b"", 0)), ("ACK too short", (2, 7, 3, ACK[:20], 0)), ("ACCEPT too short", (4, 1, 5, b"\x03", 0)),
    ]
    cases = []

    def case(name, framing, mtu, data, results):
        cases.append({"name": name, "framing": framing, "mtu": mtu, "input": data.hex(), "results": results})

    def pack(spec):
        kind, connection, position, payload, flags = spec
        return packet(kind, connection, position, payload, flags)

    def look(spec, **more):
        kind, connection, position, payload, flags = spec
        return seen(kind, connection, position, payload, flags, **more)

    for name, spec in good:
        case(name, "serial", 64, serial(pack(spec)), [look(spec)])
        case(name, "stream", 1024, stream(pack(spec)), [look(spec)])
    for name, spec in odd:
        case(name, "serial", 64, serial(pack(spec)), [look(spec, ignored=True)])
        case(name, "stream", 1024, stream(pack(spec)), [look(spec, ignored=True)])

    a, b = good[0][1], good[4][1]
    pa, pb = pack(a), pack(b)
    header, frame_error, length_error, crc_error, over = ({"error": e} for e in ("Header", "Frame", "Length", "Crc", "Overlong"))
    # serial
    case("nothing", "serial", 64, b"", [])
    case("zeros alone", "serial", 64, bytes(9), [])
    case("one zero between two packets", "serial", 64, b"\0" + cobs(pa) + b"\0" + cobs(pb) + b"\0", [look(a), look(b)])
    case("many zeros between two packets", "serial", 64, serial(pa) + bytes(5) + serial(pb), [look(a), look(b)])
    case("packet whose end has not come", "serial", 64, serial(pa) + b"\0" + cobs(pb), [look(a)])
    case("noise before", "serial", 64, b"\x55\xaa\x13" + serial(pa), [frame_error, look(a)])
    case("noise between", "serial", 64, serial(pa) + b"\x02\x41\x03" + serial(pb), [look(a), frame_error, look(b)])
    case("two pieces of noise between", "serial", 64, serial(pa) + b"\x05\x41" + b"\0" + b"\x01" + serial(pb), [look(a), frame_error, frame_error, look(b)])
    case("noise after", "serial", 64, serial(pa) + b"\x07\x07\0", [look(a), frame_error])
    case("15 bytes", "serial", 64, serial(pa[:15]), [frame_error])
    case("16 bytes of zeros", "serial", 64, serial(bytes(16)), [header])
    case("end cut off, next packet follows", "serial", 64, serial(pa)[:12] + serial(pb), [frame_error, look(b)])
    case("a byte lost", "serial", 64, serial(pa[:14] + pa[15:]) + serial(pb), [length_error, look(b)])
    case("a byte inserted", "serial", 64, serial(pa[:14] + b"!" + pa[14:]) + serial(pb), [length_error, look(b)])
    case("a zero among the bytes", "serial", 64, b"\0" + cobs(pb)[:20] + b"\0" + cobs(pb)[21:] + b"\0" + serial(pa), None)
    for bit in (0, 7, 8, 31, 40, 79, 80, 95):
        bad = bytearray(pb)
        bad[bit // 8] ^= 0x80 >> bit % 8
        case(f"header bit {bit} flipped", "serial", 64, serial(bad) + serial(pa), [header, look(a)])
    for bit in (96, 100, 8 * len(pb) - 32, 8 * len(pb) - 1):
        bad = bytearray(pb)
        bad[bit // 8] ^= 0x80 >> bit % 8
        case(f"bit {bit} flipped", "serial", 64, serial(bad) + serial(pa), [crc_error, look(a)])
    case("length one less", "serial", 64, serial(packet(1, 7, 0, b"abcd", length=3)), [length_error])
    case("length one more", "serial", 64, serial(packet(1, 7, 0, b"abcd", length=5)), [length_error])
    case("header check before length", "serial", 64, serial(packet(1, 7, 0, b"abcd", length=5, check=0)), [header])
    case("length before CRC", "serial", 64, serial(packet(1, 7, 0, b"abcd", length=5, crc=0)), [length_error])
    case("header check of zero initial value", "serial", 64, serial(packet(1, 7, 0, b"abcd", check=crc16(struct.pack(">BBHIH", 1, 0, 7, 0, 4), 0))), [header])
    longest = (1, 7, 0, bytes(range(1, 46)), 0)
    case("longest packet, UART", "serial", 64, serial(pack(longest)), [look(longest)])
    case("62 bytes of noise, UART", "serial", 64, b"\0" + b"\x3f" * 62 + b"\0" + serial(pa), [frame_error, look(a)])
    case("63 bytes of noise, UART", "serial", 64, b"\0" + b"\x3f" * 63 + b"\0" + serial(pa), [over, look(a)])
    case("packet too long for UART", "serial", 64, serial(packet(1, 7, 0, bytes(range(1, 49)))) + serial(pa), [over, look(a)])
    case("200 bytes of noise, UART", "serial", 64, b"\x11" * 200 + serial(pa), [over, look(a)])
    spi = (1, 7, 0, bytes((i * 7) % 255 + 1 for i in range(491)), 1)
    case("longest packet, SPI", "serial", 512, serial(pack(spi)) + serial(pa), [look(spi), look(a)])
    case("511 bytes of noise, SPI", "serial", 512, b"\0" + b"\x11" * 511 + b"\0" + serial(pa), [over, look(a)])
    tail = (1, 7, 0, bytes(i % 255 + 1 for i in range(238)), 0)  # may end right after a part of 254 bytes
    case("packet of 254 bytes", "serial", 512, serial(pack(tail)), [look(tail)])
    # stream
    case("nothing", "stream", 1024, b"", [])
    case("two packets", "stream", 1024, stream(pa) + stream(pb), [look(a), look(b)])
    case("packet whose end has not come", "stream", 1024, stream(pa) + stream(pb)[:-1], [look(a)])
    case("length whose end has not come", "stream", 1024, stream(pa) + b"\0", [look(a)])
    tcp = (1, 7, 0, bytes(i % 256 for i in range(1006)), 0)
    case("longest packet, TCP", "stream", 1024, stream(pack(tcp)) + stream(pb), [look(tcp), look(b)])
    bad = bytearray(pa)
    bad[-1] ^= 1
    case("CRC wrong, stream goes on", "stream", 1024, stream(bytes(bad)) + stream(pb), [crc_error, look(b)])
    bad = bytearray(pa)
    bad[12] ^= 0x10
    case("payload bit flipped, stream goes on", "stream", 1024, stream(bytes(bad)) + stream(pb), [crc_error, look(b)])
    closed = {"closed": True}
    case("length 15", "stream", 1024, stream(pa) + stream(pa[:15]) + stream(pb), [look(a), closed])
    case("length 0", "stream", 1024, b"\0\0" + stream(pb), [closed])
    case("length 1023", "stream", 1024, stream(packet(1, 7, 0, bytes(1007))), [closed])
    case("length 65535", "stream", 1024, stream(pb) + b"\xff\xff" + bytes(64), [look(b), closed])
    bad = bytearray(pa)
    bad[4] ^= 1
    case("header check wrong", "stream", 1024, stream(bytes(bad)) + stream(pb), [closed])
    case("payload length contradicts, less", "stream", 1024, stream(packet(1, 7, 0, b"abcd", length=3)) + stream(pb), [closed])
    case("payload length contradicts, more", "stream", 1024, stream(packet(1, 7, 0, b"abcd", length=5)) + stream(pb), [closed])
    for c in cases:
        if c["results"] is None:
            c["results"] = halves(bytes.fromhex(c["input"]), look(a))
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
            out.append({"error": "Header" if crc16(bytes(body[:10])) != int.from_bytes(body[10:12], "big") else "Length"})
    return out + [last]


# -- messages.json ----------------------------------------------------------------------------------------------------

HOST = bytes(range(0x10, 0x20))
DEVICE = bytes(range(0xA0, 0xB0))
ZERO = bytes(16)
PRINT = b"reference-mach01"


def make_messages():
    out = []

    def add(name, host, device, direction, sequence, time, epoch, fr, change=None, result="ok"):
        raw = message(host, device, direction, sequence, time, epoch, fr)
        if change:
            raw = change(raw)
        entry = {"name": name, "host_nonce": host.hex(), "device_nonce": device.hex(), "direction": direction, "message": raw.hex(), "tag": result}
        if result == "ok":
            entry.update(sequence=sequence, time=time, epoch=epoch, frame=fr.hex())
        out.append(entry)

    hello = frame(0x40, struct.pack(">BB16sHH", 3, 3, HOST, 512, 8) + b"operator")
    add("Hello: both nonces zero", ZERO, ZERO, 0, 0, 0, 0, hello)
    add("Welcome: device nonce zero", HOST, ZERO, 1, 0, 0, 0, frame(0xC0, welcome_body()))
    add("State", HOST, DEVICE, 1, 1, 0, 0, frame(0xC1, struct.pack(">BBBIII", 1, 0, 0, 1, 2, 3)))
    add("Hello refused: host nonce, device nonce zero", HOST, ZERO, 1, 0, 0, 0, frame(0xFF, struct.pack(">IHI", 0, 6, 1)))
    add("Error in place of Hello: both zero", ZERO, ZERO, 1, 0, 0, 0, frame(0xFF, struct.pack(">IHI", 0, 4, 0)))
    add("command", HOST, DEVICE, 0, 2, 1234, 0, frame(0x28))
    add("answer", HOST, DEVICE, 1, 3, 1240, 0, frame(0x80, struct.pack(">I", 2)))
    add("largest header", HOST, DEVICE, 0, 0xFFFFFFFE, 0xFFFFFFFF, 255, frame(0x10))
    add("epoch 1", HOST, DEVICE, 1, 4, 2000, 1, frame(0x42, b"\x01"))
    step = frame(0x12, struct.pack(">IB", 3, 1))
    for offset, what in ((0, "sequence"), (7, "time"), (8, "epoch"), (9, "magic"), (14, "kind"), (18, "body"), (-1, "tag"), (-4, "tag's first byte")):
        def flip(raw, offset=offset):
            raw = bytearray(raw)
            raw[offset] ^= 0x01
            return bytes(raw)
        add(f"bit flipped in {what}", HOST, DEVICE, 0, 5, 100, 0, step, flip, "wrong")

    def other(host, device, direction):
        return lambda raw: raw[:-4] + tag(host, device, direction, raw[:9], raw[9:-4])
    add("tag of another host nonce", HOST, DEVICE, 0, 5, 100, 0, step, other(DEVICE, DEVICE, 0), "wrong")
    add("tag of another device nonce", HOST, DEVICE, 0, 5, 100, 0, step, other(HOST, HOST, 0), "wrong")
    add("tag with the nonces zero", HOST, DEVICE, 0, 5, 100, 0, step, other(ZERO, ZERO, 0), "wrong")
    add("tag of the other direction", HOST, DEVICE, 0, 5, 100, 0, step, other(HOST, DEVICE, 1), "wrong")
    add("tag with the packet's polynomial", HOST, DEVICE, 0, 5, 100, 0, step,
        lambda raw: raw[:-4] + struct.pack(">I", crc32(HOST + DEVICE + b"\0" + raw[:-4])), "wrong")
    add("tag little-endian", HOST, DEVICE, 0, 5, 100, 0, step, lambda raw: raw[:-4] + raw[:-5:-1], "wrong")
    for size in (18, 13, 9, 4, 1):
        add(f"{size} bytes", HOST, DEVICE, 0, 5, 100, 0, frame(0x10), lambda raw, size=size: raw[:size], "short")
    add("frame of 5 bytes, its tag right", HOST, DEVICE, 0, 5, 100, 0, frame(0x10)[:5], None, "short")

    records = []
    one, two = bytes.fromhex(out[5]["message"]), bytes.fromhex(out[6]["message"])

    def stream_case(name, limit, data, results):
        records.append({"name": name, "limit": limit, "stream": data.hex(), "results": results})
    rec = lambda m: struct.pack(">H", len(m)) + m
    stream_case("two records", 512, rec(one) + rec(two), [{"message": one.hex()}, {"message": two.hex()}])
    stream_case("end has not come", 512, rec(one) + rec(two)[:-1], [{"message": one.hex()}])
    stream_case("length 0", 512, rec(one) + b"\0\0" + rec(two), [{"message": one.hex()}, {"reset": 4}])
    stream_case("length 512", 512, rec(bytes(512)), [{"message": bytes(512).hex()}])
    stream_case("length 513", 512, rec(one) + b"\x02\x01" + bytes(4), [{"message": one.hex()}, {"reset": 4}])
    stream_case("length 513 of 600", 600, rec(b"\x01" * 513), [{"message": (b"\x01" * 513).hex()}])
    stream_case("length 65535", 512, b"\xff\xff", [{"reset": 4}])

    orders = []

    def order(name, tolerance, steps):
        """Steps: sequence, time, own clock, touches the machine, verdict."""
        keys = ("sequence", "time", "clock", "touches", "verdict")
        orders.append({"name": name, "tolerance": tolerance, "steps": [dict(zip(keys, s)) for s in steps]})
    N, R, D, S = "new", "replayed", "disordered", "stale"
    order("one after another", 5000, [(1, 10, 12, False, N), (2, 10, 13, True, N), (3, 20, 21, True, N)])
    order("the same again", 5000, [(1, 10, 12, True, N), (1, 10, 12, True, R), (2, 10, 12, True, N), (1, 10, 12, True, R), (2, 10, 12, True, R)])
    order("Hello's sequence is taken", 5000, [(0, 0, 0, False, R)])
    order("window of 64", 5000, [(100, 10, 10, False, N), (37, 10, 10, False, N), (36, 10, 10, False, R), (37, 10, 10, False, R), (38, 10, 10, False, N),
                                 (101, 10, 10, False, N), (37, 10, 10, False, R), (38, 10, 10, False, R), (39, 10, 10, False, N)])
    order("a jump above the window", 5000, [(5, 0, 0, False, N), (1000, 0, 0, False, N), (5, 0, 0, False, R), (936, 0, 0, False, R), (937, 0, 0, False, N)])
    order("order of time, above", 5000, [(5, 100, 100, False, N), (6, 99, 100, False, D), (6, 100, 100, False, N), (6, 100, 100, False, R), (7, 100, 100, False, N)])
    order("order of time, below", 5000, [(5, 100, 100, False, N), (4, 101, 100, False, D), (4, 100, 100, False, R), (3, 100, 100, False, N)])
    order("a disordered one does not move the highest", 5000, [(5, 100, 100, False, N), (200, 50, 100, False, D), (200, 99, 100, False, D), (6, 100, 100, False, N), (4, 100, 100, False, N)])
    order("tolerance behind", 5000, [(1, 1000, 6000, False, N), (2, 1000, 6001, False, S)])
    order("tolerance ahead", 5000, [(1, 6000, 1000, False, N), (2, 6002, 1001, False, S), (3, 6002, 1002, False, N)])
    order("a stale one moves the highest", 5000, [(1, 1000, 1000, False, N), (70, 9000, 1000, False, S), (6, 1000, 1000, False, R), (7, 1000, 1000, False, N),
                                                 (71, 2000, 2000, False, D), (72, 9000, 9000, False, N)])
    order("order of commands", 5000, [(5, 0, 0, True, N), (4, 0, 0, True, D), (3, 0, 0, False, N), (4, 0, 0, True, R), (6, 0, 0, False, N), (7, 0, 0, True, N)])
    order("order before tolerance", 1000, [(5, 9000, 9000, False, N), (6, 100, 9000, False, D)])
    order("the largest sequence", 5000, [(0xFFFFFFFE, 0, 0, False, N), (0xFFFFFFFD, 0, 0, False, N), (0xFFFFFFFE, 0, 0, False, R)])

    epochs = []

    def epoch(name, steps):
        epochs.append({"name": name, "steps": [{"epoch": e, "accepted": a} for e, a in steps]})
    epoch("same and next", [(0, True), (1, True), (0, True), (1, True), (2, True), (1, True), (0, False)])
    epoch("two ahead", [(0, True), (2, False)])
    epoch("two behind", [(1, True), (2, True), (0, False)])
    epoch("far", [(128, False)])
    epoch("around", [(e, True) for e in range(1, 256)] + [(0, True), (255, True), (1, True), (255, False)])
    return {"messages": out, "records": records, "order": orders, "epochs": epochs}


# -- frames.json ------------------------------------------------------------------------------------------------------

NAMES = {0x01: "SetBreakpoint", 0x02: "ClearBreakpoint", 0x03: "ListBreakpoints", 0x04: "SetHardwareBreakpoint", 0x05: "SetSoftwareBreakpoint",
         0x06: "SetWatchpoint", 0x10: "Halt", 0x11: "Resume", 0x12: "Step", 0x18: "ReadRegisters", 0x19: "ReadMemory", 0x1A: "Force", 0x1B: "Release",
         0x28: "GetStatus", 0x29: "SetAxis", 0x2A: "ReadAxes", 0x2B: "ReadPlc", 0x2C: "ReadCursor", 0x30: "ReadAudit", 0x31: "ReadMetrics",
         0x32: "PushPolicy", 0x40: "Hello", 0x41: "Agree", 0x42: "Heartbeat", 0x43: "Bye", 0x80: "Done", 0x81: "BreakpointSet", 0x83: "Breakpoints",
         0x92: "Stopped", 0x98: "Registers", 0x99: "Memory", 0xA8: "Status", 0xAA: "Axes", 0xAB: "Plc", 0xAC: "Cursor", 0xB0: "Audit", 0xB1: "Metrics",
         0xC0: "Welcome", 0xC1: "State", 0xFF: "Error"}


def welcome_body(name=b"reference", version=3):
    return struct.pack(">B16s16s16sHBBIHHHBBHHHBB", version, HOST, DEVICE, PRINT, 1, 17, 3, 0x3F, 512, 8, 256, 4, 8, 1000, 3000, 5000, 15, len(name)) + name


def record_bytes(index, session, sequence, time, uptime, operator, kind, verdict, addr, value):
    return struct.pack(">IIIII8sBHQQ", index, session, sequence, time, uptime, operator, kind, verdict, addr, value)


def instances():
    """kind, name, body, fields. Bodies are written out field by field, not derived from the fields' table."""
    p = struct.pack
    top = (1 << 64) - 1
    for kind in (1, 2, 3, 4, 5):
        yield kind, "usual", p(">QI", 0x20000110, 7), dict(addr=0x20000110, id=7)
        yield kind, "largest", p(">QI", top, 0xFFFFFFFF), dict(addr=top, id=0xFFFFFFFF)
        yield kind, "zero", p(">QI", 0, 0), dict(addr=0, id=0)
    yield 6, "usual", p(">QIIB", 0x20000010, 9, 4, 2), dict(addr=0x20000010, id=9, length=4, access=2)
    yield 6, "read", p(">QIIB", 0x0123456789ABCDEF, 1, 1, 1), dict(addr=0x0123456789ABCDEF, id=1, length=1, access=1)
    yield 6, "both", p(">QIIB", 8, 2, 0xFFFFFFFF, 3), dict(addr=8, id=2, length=0xFFFFFFFF, access=3)
    for kind in (0x10, 0x11, 0x28, 0x2A, 0x2C, 0x31):
        yield kind, "empty", b"", {}
    yield 0x12, "once", p(">IB", 1, 0), dict(count=1, trace=0)
    yield 0x12, "traced", p(">IB", 0xFFFFFFFF, 1), dict(count=0xFFFFFFFF, trace=1)
    yield 0x18, "all", b"\0", dict(what=0)
    yield 0x18, "differing", b"\x01", dict(what=1)
    yield 0x19, "usual", p(">QH", 0x20000000, 16), dict(addr=0x20000000, length=16)
    yield 0x19, "one", p(">QH", top, 1), dict(addr=top, length=1)
    yield 0x1A, "usual", p(">QI16sB", 0x20000020, 1000, PRINT, 4) + b"\x01\x02\x03\x04", \
        dict(addr=0x20000020, lease=1000, fingerprint=PRINT.hex(), value="01020304")
    yield 0x1A, "one byte", p(">QI16sB", 1, 1, PRINT, 1) + b"\0", dict(addr=1, lease=1, fingerprint=PRINT.hex(), value="00")
    yield 0x1A, "16 bytes", p(">QI16sB", 1, 0xFFFFFFFF, bytes(16), 16) + HOST, dict(addr=1, lease=0xFFFFFFFF, fingerprint=bytes(16).hex(), value=HOST.hex())
    yield 0x1B, "usual", p(">Q16s", 0x20000020, PRINT), dict(addr=0x20000020, fingerprint=PRINT.hex())
    yield 0x29, "usual", p(">Bq16s", 1, 123456789, PRINT), dict(axis=1, position=123456789, fingerprint=PRINT.hex())
    yield 0x29, "negative", p(">Bq16s", 255, -1, PRINT), dict(axis=255, position=-1, fingerprint=PRINT.hex())
    yield 0x29, "lowest", p(">Bq16s", 0, -(1 << 63), PRINT), dict(axis=0, position=-(1 << 63), fingerprint=PRINT.hex())
    yield 0x2B, "usual", p(">HH", 2, 5), dict(first=2, count=5)
    yield 0x30, "usual", p(">IB", 0, 10), dict(**{"from": 0}, count=10)
    yield 0x30, "largest", p(">IB", 0xFFFFFFFF, 255), dict(**{"from": 0xFFFFFFFF}, count=255)
    yield 0x32, "no rules", p(">IBB", 1, 0, 0), dict(version=1, enabled=0, rules=[])
    yield 0x32, "two rules", p(">IBBQQBQQB", 0x01020304, 1, 2, 0x20000100, 0x2000010F, 0, 0, top, 1), \
        dict(version=0x01020304, enabled=1, rules=[dict(first=0x20000100, last=0x2000010F, action=0), dict(first=0, last=top, action=1)])
    yield 0x40, "usual", p(">BB16sHH", 3, 3, HOST, 512, 8) + b"operator", \
        dict(lowest_version=3, highest_version=3, host_nonce=HOST.hex(), longest_message=512, token=b"operator".hex())
    yield 0x40, "no token", p(">BB16sHH", 1, 255, HOST, 4096, 0), \
        dict(lowest_version=1, highest_version=255, host_nonce=HOST.hex(), longest_message=4096, token="")
    yield 0x40, "longest token", p(">BB16sHH", 3, 4, HOST, 65535, 384) + b"\xab" * 384, \
        dict(lowest_version=3, highest_version=4, host_nonce=HOST.hex(), longest_message=65535, token="ab" * 384)
    yield 0x41, "usual", p(">I", 0xCBF43926), dict(crc=0xCBF43926)
    yield 0x42, "host's", b"\0", dict(run_state=0)
    yield 0x42, "agent's", b"\x02", dict(run_state=2)
    for reason in (1, 7):
        yield 0x43, f"reason {reason}", bytes([reason]), dict(reason=reason)
    yield 0x80, "usual", p(">I", 0xFFFFFFFE), dict(request=0xFFFFFFFE)
    yield 0x81, "usual", p(">IIH", 4, 7, 1), dict(request=4, id=7, slot=1)
    yield 0x81, "largest", p(">IIH", 4, 0xFFFFFFFF, 65535), dict(request=4, id=0xFFFFFFFF, slot=65535)
    yield 0x83, "none", p(">IBB", 5, 0, 0), dict(request=5, more=0, breakpoints=[])
    yield 0x83, "four", p(">IBB", 5, 1, 4) + b"".join(p(">IQBI", i, 0x20000100 + i, i, 1000 * i) for i in range(4)), \
        dict(request=5, more=1, breakpoints=[dict(id=i, addr=0x20000100 + i, trap=i, hits=1000 * i) for i in range(4)])
    yield 0x92, "halted", p(">IBBQIQ", 6, 4, 0, 0, 3, 1 << 15) + p(">I", 0x20000104), \
        dict(request=6, reason=4, more=0, detail=0, capture=3, mask=1 << 15, values="20000104")
    yield 0x92, "watch", p(">IBBQIQ", 0, 3, 0, 9 << 32 | 0x20000010, 4, 0x8001) + p(">II", 0x1001, 0x20000106), \
        dict(request=0, reason=3, more=0, detail=9 << 32 | 0x20000010, capture=4, mask=0x8001, values="0000100120000106")
    yield 0x92, "step of more", p(">IBBQIQ", 8, 1, 1, 0, 0xFFFFFFFF, 0x8001) + p(">II", 0xFFFFFFFF, 0), \
        dict(request=8, reason=1, more=1, detail=0, capture=0xFFFFFFFF, mask=0x8001, values="ffffffff00000000")
    yield 0x98, "none", p(">IIQ", 7, 1, 0), dict(request=7, capture=1, mask=0, values="")
    yield 0x98, "all", p(">IIQ", 7, 1, 0x1FFFF) + b"".join(p(">I", 0x1000 + i) for i in range(17)), \
        dict(request=7, capture=1, mask=0x1FFFF, values="".join("%08x" % (0x1000 + i) for i in range(17)))
    yield 0x99, "usual", p(">IQH", 8, 0x20000000, 5) + bytes(range(5)), dict(request=8, addr=0x20000000, data="0001020304")
    yield 0x99, "empty", p(">IQH", 8, 0x200003FF, 0), dict(request=8, addr=0x200003FF, data="")
    yield 0xA8, "usual", p(">IBHHIIBI", 9, 1, 2, 3, 4, 5, 1, 123456), \
        dict(request=9, run_state=1, breakpoints=2, forces=3, steps_left=4, policy_version=5, policy_enabled=1, uptime=123456)
    yield 0xA8, "largest", p(">IBHHIIBI", 9, 3, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF), \
        dict(request=9, run_state=3, breakpoints=65535, forces=65535, steps_left=0xFFFFFFFF, policy_version=0xFFFFFFFF, policy_enabled=0, uptime=0xFFFFFFFF)
    yield 0xAA, "three", p(">IBqqq", 10, 3, 1000000, -2000000, 3000000), dict(request=10, positions=[1000000, -2000000, 3000000])
    yield 0xAA, "none", p(">IB", 10, 0), dict(request=10, positions=[])
    yield 0xAB, "eight", p(">IHH8H", 11, 0, 8, *range(100, 108)), dict(request=11, first=0, registers=list(range(100, 108)))
    yield 0xAB, "none", p(">IHH", 11, 65535, 0), dict(request=11, first=65535, registers=[])
    yield 0xAC, "usual", p(">IIII", 12, 1000, 12, 345), dict(request=12, program=1000, line=12, offset=345)
    rec = [(3, 0xACADAEAF, 5, 1234, 5678, b"operator", 0x1A, 0, 0x20000020, 0x0102030400000000),
           (4, 0xACADAEAF, 6, 1300, 5800, b"brief\0\0\0", 0x29, 0xFFFF, 1, (1 << 64) - 2000000)]
    names = ("index", "session", "sequence", "time", "uptime", "operator", "kind", "verdict", "addr", "value")
    yield 0xB0, "two", p(">IIIB", 13, 3, 5, 2) + b"".join(record_bytes(*r) for r in rec), \
        dict(request=13, oldest=3, next=5, records=[dict(zip(names, [x.hex() if isinstance(x, bytes) else x for x in r])) for r in rec])
    yield 0xB0, "none", p(">IIIB", 13, 0, 0, 0), dict(request=13, oldest=0, next=0, records=[])
    yield 0xB1, "three", p(">IBHIHIHI", 14, 3, 1, 99, 0x112, 0xFFFFFFFF, 0xFFFF, 1), \
        dict(request=14, metrics=[dict(metric=1, value=99), dict(metric=0x112, value=0xFFFFFFFF), dict(metric=0xFFFF, value=1)])
    base = dict(version=3, host_nonce=HOST.hex(), device_nonce=DEVICE.hex(), fingerprint=PRINT.hex(), architecture=1, registers=17, axes=3,
                capabilities=0x3F, longest_message=512, breakpoints=8, read_memory=256, forces=4, policy_rules=8, heartbeat=1000, loss=3000,
                tolerance=5000, authority=15)
    yield 0xC0, "usual", welcome_body(), dict(base, name="reference")
    yield 0xC0, "no name", welcome_body(b""), dict(base, name="")
    yield 0xC0, "longest name", welcome_body("Größe 32 Bytes abcdefghijklmno".encode()), dict(base, name="Größe 32 Bytes abcdefghijklmno")
    yield 0xC1, "usual", p(">BBqqqB8HIII", 1, 3, 1000000, -2000000, 3000000, 8, *range(100, 108), 1000, 12, 345), \
        dict(run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345)
    yield 0xC1, "nothing", p(">BBBIII", 2, 0, 0, 0, 0, 0xFFFFFFFF), dict(run_state=2, axes=[], plc=[], program=0, line=0, offset=0xFFFFFFFF)
    yield 0xFF, "usual", p(">IHI", 15, 19, 256), dict(request=15, code=19, detail=256)
    yield 0xFF, "largest", p(">IHI", 0xFFFFFFFF, 65535, 0xFFFFFFFF), dict(request=0xFFFFFFFF, code=65535, detail=0xFFFFFFFF)


def make_frames():
    assert len("Größe 32 Bytes abcdefghijklmno".encode()) == 32
    valid, bad = [], []
    chosen = {}
    for kind, name, body, fields in instances():
        side = "both" if kind in (0x42, 0x43) else "host" if kind < 0x80 else "agent"
        valid.append({"name": f"{NAMES[kind]}: {name}", "kind": kind, "from": side, "frame": frame(kind, body).hex(), "fields": fields})
        if kind not in chosen or len(body) > len(chosen[kind]) and len(body) < 300:
            chosen[kind] = body

    def add(name, raw, what, codes=None, detail=None, side=None):
        kind = raw[5] if len(raw) > 5 else 0
        side = side or ("agent" if kind >= 0x80 else "host")
        entry = {"name": name, "from": side, "frame": raw.hex(), "effect": what}
        if side == "host" and codes:
            entry["codes"] = codes
            if detail is not None:
                entry["detail"] = detail
        bad.append(entry)

    def malformed(name, kind, body, codes=(2,)):
        add(f"{NAMES[kind]}: {name}", frame(kind, body), "malformed", list(codes), kind if tuple(codes) == (2,) else None)

    def limit(name, kind, body, detail=None, codes=(19,)):
        add(f"{NAMES[kind]}: {name}", frame(kind, body), "limit", list(codes), detail)

    for kind, body in chosen.items():
        if body:
            malformed("one byte short", kind, body[:-1])
            if len(body) > 1:
                malformed("no body", kind, b"")
        malformed("one byte more", kind, body + b"\0")
    p = struct.pack
    for access in (0, 4, 255):
        malformed(f"access {access}", 6, p(">QIIB", 0x20000010, 9, 4, access))
    limit("length 0", 6, p(">QIIB", 0x20000010, 9, 0, 2), 0)
    malformed("trace 2", 0x12, p(">IB", 1, 2))
    limit("count 0", 0x12, p(">IB", 0, 0), 0)
    malformed("trace before count", 0x12, p(">IB", 0, 2), (2, 19))
    malformed("what 2", 0x18, b"\x02")
    limit("length 0", 0x19, p(">QH", 0x20000000, 0), 256)
    limit("length 257", 0x19, p(">QH", 0x20000000, 257), 256)
    limit("length 65535", 0x19, p(">QH", 0x20000000, 65535), 256)
    malformed("no bytes", 0x1A, p(">QI16sB", 0x20000020, 1000, PRINT, 0))
    malformed("17 bytes", 0x1A, p(">QI16sB", 0x20000020, 1000, PRINT, 17) + bytes(17))
    malformed("length 3 with 4 bytes", 0x1A, p(">QI16sB", 0x20000020, 1000, PRINT, 3) + bytes(4))
    malformed("length 5 with 4 bytes", 0x1A, p(">QI16sB", 0x20000020, 1000, PRINT, 5) + bytes(4))
    limit("lease 0", 0x1A, p(">QI16sB", 0x20000020, 0, PRINT, 4) + bytes(4), 0)
    limit("count 0", 0x30, p(">IB", 0, 0), 0)
    rule = p(">QQB", 0x20000100, 0x2000010F, 0)
    malformed("enabled 2", 0x32, p(">IBB", 1, 2, 1) + rule)
    malformed("action 2", 0x32, p(">IBB", 1, 1, 1) + p(">QQB", 0, 1, 2))
    malformed("action 2 in the second rule", 0x32, p(">IBB", 1, 1, 2) + rule + p(">QQB", 0, 1, 2))
    malformed("count 2 with one rule", 0x32, p(">IBB", 1, 1, 2) + rule)
    malformed("count 0 with one rule", 0x32, p(">IBB", 1, 1, 0) + rule)
    limit("17 rules", 0x32, p(">IBB", 1, 1, 17) + rule * 17, 16)
    hello = p(">BB16s", 3, 3, HOST)
    malformed("token length 8 with 7 bytes", 0x40, hello + p(">HH", 512, 8) + bytes(7))
    malformed("token length 8 with 9 bytes", 0x40, hello + p(">HH", 512, 8) + bytes(9))
    limit("token of 385 bytes", 0x40, hello + p(">HH", 512, 385) + bytes(385), codes=(2, 4, 19))
    # answers and events
    malformed("count 2 with one", 0x83, p(">IBB", 5, 0, 2) + p(">IQBI", 1, 2, 0, 3))
    malformed("count 0 with one", 0x83, p(">IBB", 5, 0, 0) + p(">IQBI", 1, 2, 0, 3))
    malformed("value without its bit", 0x92, p(">IBBQIQ", 6, 4, 0, 0, 3, 1 << 15) + p(">II", 1, 2))
    malformed("bit without its value", 0x92, p(">IBBQIQ", 6, 4, 0, 0, 3, 3 << 15) + p(">I", 1))
    malformed("bit beyond the registers", 0x98, p(">IIQ", 7, 1, 1 << 17) + p(">I", 1))
    malformed("length 4 with 5 bytes", 0x99, p(">IQH", 8, 0x20000000, 4) + bytes(5))
    malformed("length 6 with 5 bytes", 0x99, p(">IQH", 8, 0x20000000, 6) + bytes(5))
    malformed("count 2 with three", 0xAA, p(">IBqqq", 10, 2, 1, 2, 3))
    malformed("count 9 with eight", 0xAB, p(">IHH8H", 11, 0, 9, *range(8)))
    malformed("count 1 with none", 0xB0, p(">IIIB", 13, 0, 1, 1))
    malformed("count 2 with one", 0xB1, p(">IBHI", 14, 2, 1, 1))
    malformed("name of 33 bytes", 0xC0, welcome_body(b"x" * 33))
    malformed("name length 9 with 8 bytes", 0xC0, welcome_body()[:-1])
    malformed("axes 2 with 3", 0xC1, p(">BBqqqBIII", 1, 2, 1, 2, 3, 0, 1, 2, 3))
    malformed("PLC 33", 0xC1, p(">BBB33HIII", 1, 0, 33, *range(33), 1, 2, 3))
    malformed("axes 17", 0xC1, p(">BB17qBIII", 1, 17, *range(17), 0, 1, 2, 3))
    # the frame's header
    for kind in (0x00, 0x07, 0x0F, 0x13, 0x1C, 0x2D, 0x33, 0x44, 0x7F):
        add(f"kind 0x{kind:02X}", frame(kind), "unknown", [1], kind)
    add("kind 0x07 with a body", frame(7, bytes(12)), "unknown", [1], 7)
    for kind in (0x82, 0x90, 0xC2, 0xFE):
        add(f"kind 0x{kind:02X}", frame(kind), "unknown", side="agent")
    for kind in (0x80, 0x81, 0xA8, 0xFF):
        add(f"{NAMES[kind]} from the host", frame(kind, chosen[kind]), "unexpected", [4], None, "host")
    for version in (0, 2, 255):
        add(f"version {version}", frame(0x28, version=version), "version", [24], version)
        add(f"version {version}, unknown kind", frame(0x7F, version=version), "version", [24], version)
    add("version 2, wrong body", frame(0x10, b"\0", version=2), "version", [24], 2)
    for magic in (b"GDBQ", b"PBDG", b"gdbp", b"GDB3", bytes(4)):
        add(f"magic {magic.hex()}", frame(0x28, magic=magic), "integrity")
        add(f"magic {magic.hex()} from the agent", frame(0x80, bytes(4), magic=magic), "integrity", side="agent")
    add("wrong magic before wrong version", frame(0x28, magic=b"XXXX", version=9), "integrity")
    add("5 bytes", frame(0x28)[:5], "integrity", side="host")
    add("no bytes", b"", "integrity", side="host")
    add("5 bytes from the agent", frame(0x80)[:5], "integrity", side="agent")
    return {"valid": valid, "malformed": bad}


# -- registers.json ---------------------------------------------------------------------------------------------------

def make_registers():
    architectures = [
        {"number": 1, "name": "Cortex-M", "width": 4, "pc": 15, "registers": [f"r{i}" for i in range(13)] + ["sp", "lr", "pc", "xpsr"]},
        {"number": 2, "name": "AArch64", "width": 8, "pc": 32, "registers": [f"x{i}" for i in range(31)] + ["sp_el0", "elr_el1", "spsr_el1"]},
        {"number": 3, "name": "x86-64", "width": 8, "pc": 16,
         "registers": ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] + [f"r{i}" for i in range(8, 16)] + ["rip", "rflags"]},
    ]
    assert [len(a["registers"]) for a in architectures] == [17, 34, 18]
    sets, bad, deltas = [], [], []
    for a in architectures:
        n, width, names = len(a["registers"]), a["width"], a["registers"]
        fmt = ">I" if width == 4 else ">Q"
        value = lambda i: (0x0102030405060708 * (i + 1)) & ((1 << 8 * width) - 1)
        for mask in (0, 1, 1 << a["pc"], 1 << n - 1, 1 | 1 << a["pc"] | 1 << n - 1, 0x5555555555555555 & (1 << n) - 1, (1 << n) - 1):
            chosen = [i for i in range(n) if mask >> i & 1]
            sets.append({"architecture": a["number"], "mask": mask, "values": b"".join(struct.pack(fmt, value(i)) for i in chosen).hex(),
                         "registers": {names[i]: value(i) for i in chosen}})
        for name, mask, size in (("bit beyond", 1 << n, width), ("bit 63", 1 << 63 | 1, 2 * width), ("a byte less", 3, 2 * width - 1), ("a byte more", 3, 2 * width + 1),
                                 ("a value less", 7, 2 * width), ("a value more", 1, 2 * width), ("value without bits", 0, width)):
            bad.append({"name": name, "architecture": a["number"], "mask": mask, "values": bytes(size).hex()})
        known, steps = {}, []
        for change in ({i: value(i) for i in range(n)}, {0: 1, a["pc"]: 2}, {a["pc"]: 4}, {n - 1: 0}):
            known.update(change)
            steps.append({"mask": sum(1 << i for i in change), "values": b"".join(struct.pack(fmt, change[i]) for i in sorted(change)).hex(),
                          "registers": {names[i]: v for i, v in sorted(known.items())}})
        deltas.append({"architecture": a["number"], "steps": steps})
    return {"architectures": architectures, "sets": sets, "malformed": bad, "deltas": deltas}


# -- writing ----------------------------------------------------------------------------------------------------------

def write(name, data):
    """One entry a line, so that a difference can be read."""
    lines = ["{"]
    for number, (key, value) in enumerate(data.items()):
        comma = "" if number == len(data) - 1 else ","
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in value)
            lines.append(f" {json.dumps(key)}: [\n{rows}\n ]{comma}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}{comma}")
    lines.append("}")
    with open(os.path.join(OUT, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, make in (("cobs", make_cobs), ("packets", make_packets), ("messages", make_messages), ("frames", make_frames),
                       ("registers", make_registers)):
        data = make()
        write(name + ".json", data)
        print(name + ".json:", ", ".join(f"{len(v)} {k}" for k, v in data.items() if isinstance(v, list)))


if __name__ == "__main__":
    main()
