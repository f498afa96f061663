"""messages.json and records.json: SPEC 4.2, 5.1, 5.2, 5.5 to 5.7."""

import struct

from .build import DEVICE, HOST, ZERO, crc32, frame, message, tag
from .frames import state_body, welcome_body


def make_messages():
    out = tags()
    return {"messages": out, "order": orders(), "challenges": challenges()}


def tags():
    out = []

    def add(name, host, device, direction, channel, sequence, time, fr, change=None, result="ok"):
        raw = message(host, device, direction, channel, sequence, time, fr)
        if change:
            raw = change(raw)
        entry = {"name": name, "host_nonce": host.hex(), "device_nonce": device.hex(), "direction": direction,
                 "channel": channel, "message": raw.hex(), "tag": result}
        if result == "ok":
            entry.update(sequence=sequence, time=time, frame=fr.hex())
        out.append(entry)

    hello = frame(0x40, struct.pack(">BB16sHBHH", 3, 3, HOST, 512, 1, 0, 8) + b"operator")
    refused = lambda code, detail: frame(0xFF, struct.pack(">IHI", 0, code, detail))
    add("Hello: both nonces zero", ZERO, ZERO, 0, 0, 0, 0, hello)
    add("Welcome: device nonce zero", HOST, ZERO, 1, 0, 0, 0, frame(0xC0, welcome_body()))
    add("State", HOST, DEVICE, 1, 0, 1, 0, frame(0xC1, state_body()))
    add("Hello refused: host nonce, device nonce zero", HOST, ZERO, 1, 0, 0, 0, refused(6, 1))
    add("Error in place of Hello: both zero", ZERO, ZERO, 1, 0, 0, 0, refused(4, 0))
    add("SealRecord: both zero", ZERO, ZERO, 0, 0, 0, 0, frame(0x44, struct.pack(">H", 7) + b"e"))
    add("command on channel 1", HOST, DEVICE, 0, 1, 2, 123, frame(0x28))
    add("answer on channel 1", HOST, DEVICE, 1, 1, 3, 124, frame(0x80, struct.pack(">I", 2)))
    add("Halt on channel 0", HOST, DEVICE, 0, 0, 3, 124, frame(0x10))
    add("answer on channel 0", HOST, DEVICE, 1, 0, 4, 125, frame(0x80, struct.pack(">I", 3)))
    add("largest header", HOST, DEVICE, 0, 1, 0xFFFFFFFE, 0xFFFFFFFF, frame(0x11))
    add("Heartbeat", HOST, DEVICE, 1, 0, 4, 200, frame(0x42, struct.pack(">BI", 1, 0xDECAFBAD)))
    step = frame(0x12, struct.pack(">IB", 3, 1))
    for offset, what in ((0, "sequence"), (7, "time"), (8, "magic"), (13, "kind"), (17, "body"), (-1, "tag"),
                         (-4, "tag's first byte")):
        def flip(raw, offset=offset):
            raw = bytearray(raw)
            raw[offset] ^= 0x01
            return bytes(raw)
        add(f"bit flipped in {what}", HOST, DEVICE, 0, 1, 5, 100, step, flip, "wrong")

    def other(host, device, direction, channel):
        return lambda raw: raw[:-4] + tag(host, device, direction, channel, raw[:8], raw[8:-4])
    for name, change in (
            ("another host nonce", other(DEVICE, DEVICE, 0, 1)), ("another device nonce", other(HOST, HOST, 0, 1)),
            ("the nonces zero", other(ZERO, ZERO, 0, 1)), ("the other direction", other(HOST, DEVICE, 1, 1)),
            ("the other channel", other(HOST, DEVICE, 0, 0)), ("no device nonce", other(HOST, ZERO, 0, 1)),
            ("the packet's polynomial",
             lambda raw: raw[:-4] + struct.pack(">I", crc32(HOST + DEVICE + b"\2" + raw[:-4]))),
            ("little-endian", lambda raw: raw[:-4] + raw[:-5:-1])):
        add(f"tag: {name}", HOST, DEVICE, 0, 1, 5, 100, step, change, "wrong")
    add("tag: the other channel, on channel 0", HOST, DEVICE, 0, 0, 5, 100, frame(0x10), other(HOST, DEVICE, 0, 1),
        "wrong")
    for size in (17, 13, 8, 4, 1):
        add(f"{size} bytes", HOST, DEVICE, 0, 1, 5, 100, frame(0x11), lambda raw, size=size: raw[:size], "short")
    add("frame of 5 bytes, its tag right", HOST, DEVICE, 0, 1, 5, 100, frame(0x11)[:5], None, "short")
    return out


def orders():
    """Steps: channel, sequence, time, clock at arrival, clock at execution, kind, verdict."""
    out = []
    keys = ("channel", "sequence", "time", "arrived", "executed", "kind", "verdict")

    def order(name, *steps, tolerance=5000):
        out.append({"name": name, "tolerance": tolerance, "steps": [dict(zip(keys, s)) for s in steps]})
    n, r, s, d = "new", "replay", "stale", "disordered"
    get, touch, halt, release, force, renew = "GetStatus", "Resume", "Halt", "Release", "Force", "Renew"
    order("one after another", (1, 2, 10, 12, 12, get, n), (1, 3, 10, 13, 13, touch, n), (0, 4, 20, 21, 21, halt, n))
    order("sequences may leave some out", (1, 5, 0, 0, 0, get, n), (1, 1000, 0, 0, 0, get, n),
          (0, 7, 0, 0, 0, "Heartbeat", n), (0, 0x80000000, 0, 0, 0, "Heartbeat", n), (1, 0xFFFFFFFE, 0, 0, 0, get, n))
    order("the same again", (1, 2, 10, 12, 12, touch, n), (1, 2, 10, 12, 12, touch, r), (1, 3, 10, 12, 12, touch, n),
          (1, 2, 10, 12, 12, touch, r), (1, 3, 10, 12, 12, get, r))
    order("Hello's and Agree's sequences are taken on channel 0", (0, 0, 0, 0, 0, "Heartbeat", r),
          (0, 1, 0, 0, 0, "Heartbeat", r), (0, 2, 0, 0, 0, "Heartbeat", n))
    order("one below the last is a replay, seen or not", (1, 100, 0, 0, 0, get, n), (1, 99, 0, 0, 0, get, r),
          (1, 101, 0, 0, 0, get, n))
    order("each channel by itself", (0, 50, 0, 0, 0, "Heartbeat", n), (1, 2, 0, 0, 0, get, n),
          (1, 49, 0, 0, 0, touch, n), (0, 49, 0, 0, 0, "Heartbeat", r), (1, 50, 0, 0, 0, get, n))
    order("a time may be smaller than one before", (1, 2, 100, 100, 100, get, n), (1, 3, 90, 100, 100, touch, n))
    order("tolerance", (1, 2, 100, 600, 600, get, n), (1, 3, 100, 601, 601, get, s), (1, 4, 101, 601, 601, touch, n),
          (0, 5, 100, 601, 601, halt, s), (0, 6, 101, 601, 601, halt, n))
    order("a tolerance of 1 s", (1, 2, 0, 100, 100, get, n), (1, 3, 0, 101, 101, get, s), tolerance=1000)
    order("nothing is from the future", (1, 2, 101, 100, 100, get, s), (1, 3, 100, 100, 101, get, n),
          (0, 4, 101, 100, 100, halt, s), (0, 5, 5, 4, 400, "Heartbeat", s))
    order("at execution too", (1, 2, 100, 600, 601, get, s), (1, 3, 100, 599, 600, get, n),
          (1, 4, 100, 300, 601, touch, s))
    order("Halt and Release are judged at arrival alone", (0, 2, 100, 600, 9000, halt, n),
          (0, 3, 100, 600, 9000, release, n), (0, 4, 100, 601, 601, release, s))
    order("a Heartbeat is judged as well", (0, 2, 100, 601, 601, "Heartbeat", s),
          (0, 3, 100, 600, 601, "Heartbeat", s),
          (0, 4, 100, 600, 600, "Heartbeat", n))
    order("a stale one is the last all the same", (1, 70, 0, 600, 600, get, s), (1, 69, 600, 600, 600, get, r),
          (1, 71, 600, 600, 600, get, n))
    order("Halt overtakes what touches the machine", (0, 10, 0, 0, 0, halt, n), (1, 5, 0, 0, 0, touch, d),
          (1, 6, 0, 0, 0, get, n), (1, 7, 0, 0, 0, force, d), (1, 9, 0, 0, 0, "SetAxis", d),
          (1, 11, 0, 0, 0, touch, n))
    order("a disordered one is the last all the same", (0, 10, 0, 0, 0, halt, n), (1, 5, 0, 0, 0, touch, d),
          (1, 5, 0, 0, 0, get, r), (1, 4, 0, 0, 0, get, r))
    order("Release overtakes Force and Renew alone", (0, 10, 0, 0, 0, release, n), (1, 5, 0, 0, 0, force, d),
          (1, 6, 0, 0, 0, renew, d), (1, 7, 0, 0, 0, touch, n), (1, 8, 0, 0, 0, get, n), (1, 11, 0, 0, 0, force, n),
          (1, 12, 0, 0, 0, renew, n))
    order("a stale Halt or Release overtakes nothing", (0, 10, 0, 600, 600, halt, s),
          (0, 11, 0, 600, 600, release, s),
          (1, 5, 600, 600, 600, touch, n), (1, 6, 600, 600, 600, force, n))
    order("a replayed Halt overtakes nothing more", (0, 10, 0, 0, 0, halt, n), (1, 11, 0, 0, 0, touch, n),
          (0, 10, 0, 0, 0, halt, r), (1, 12, 0, 0, 0, touch, n))
    order("replay before stale before disordered", (0, 10, 0, 0, 0, halt, n), (1, 5, 0, 600, 600, touch, s),
          (1, 5, 0, 600, 600, touch, r), (1, 6, 600, 600, 600, touch, d))
    return out


def challenges():
    """Steps: what the agent sends with the clock, or what comes back on channel 0 and passed the checks of 5.6."""
    out = []

    def case(name, *steps, agreed=0):
        rows = []
        for what, challenge, number in steps:
            names = ("sent", "clock") if what == "sent" else ("echo", "heard")
            rows.append(dict(zip(names, (challenge, number))))
        out.append({"name": name, "agreed": agreed, "steps": rows})
    case("each one comes back", ("sent", 7, 100), ("echo", 7, 100), ("sent", 8, 200), ("echo", 8, 200))
    case("at first: Agree's time", ("echo", 7, 12), agreed=12)
    case("one that was never sent", ("sent", 7, 100), ("echo", 8, 0), ("echo", 0, 0), ("echo", 7, 100))
    case("one counts once", ("sent", 7, 100), ("echo", 7, 100), ("sent", 8, 200), ("echo", 7, 100), ("echo", 8, 200))
    case("older ones are forgotten", ("sent", 1, 100), ("sent", 2, 200), ("sent", 3, 300), ("echo", 2, 200),
         ("echo", 1, 200), ("echo", 3, 300))
    case("the last four are kept", *[("sent", i, 100 * i) for i in range(1, 6)], ("echo", 1, 0), ("echo", 2, 200),
         ("echo", 5, 500), ("echo", 4, 500))
    case("the oldest of four", *[("sent", i, 100 * i) for i in range(1, 5)], ("echo", 1, 100), ("echo", 4, 400))
    return out


def make_records():
    one = message(HOST, DEVICE, 0, 1, 2, 123, frame(0x28))
    two = message(HOST, DEVICE, 0, 0, 3, 123, frame(0x10))
    lost = {"lost": True}
    streams, serial = [], []

    def rec(channel, m):
        return struct.pack(">H", channel << 15 | len(m)) + m

    def seen(channel, m):
        return {"channel": channel, "message": m.hex()}

    def stream(name, data, results, limits=(512, 512), end=False):
        streams.append({"name": name, "limit_0": limits[0], "limit_1": limits[1], "stream": data.hex(), "end": end,
                        "results": results})
    stream("nothing", b"", [])
    stream("nothing, and the end", b"", [], end=True)
    for channel in (0, 1):
        where = f" on channel {channel}"
        stream("one record" + where, rec(channel, one), [seen(channel, one)])
        stream("one record and the end" + where, rec(channel, one), [seen(channel, one)], end=True)
        stream("length 18, the least" + where, rec(channel, bytes(18)) + rec(0, two),
               [seen(channel, bytes(18)), seen(0, two)])
        for length in (0, 1, 17):
            stream(f"length {length}" + where, rec(0, two) + rec(channel, bytes(length)) + rec(0, two),
                   [seen(0, two), lost])
        stream("length 512" + where, rec(channel, b"\xa5" * 512), [seen(channel, b"\xa5" * 512)])
        stream("length 513" + where, rec(1, one) + rec(channel, b"\xa5" * 513), [seen(1, one), lost])
        stream("length 513, its bytes have not come" + where, rec(channel, b"\xa5" * 513)[:2], [lost])
        stream("length 32767" + where, rec(0, two) + struct.pack(">H", channel << 15 | 32767), [seen(0, two), lost])
    stream("both channels", rec(1, one) + rec(0, two) + rec(1, two), [seen(1, one), seen(0, two), seen(1, two)])
    stream("limit of channel 1 alone is larger", rec(1, b"\x5a" * 600) + rec(0, two),
           [seen(1, b"\x5a" * 600), seen(0, two)], (512, 600))
    stream("limit of channel 1 exceeded", rec(1, b"\x5a" * 601), [lost], (512, 600))
    stream("channel 0 has 512 whatever channel 1 has", rec(0, b"\x5a" * 513), [lost], (512, 600))
    stream("4096 on channel 1", rec(1, b"\x5a" * 4096), [seen(1, b"\x5a" * 4096)], (512, 4096))
    stream("a record whose end has not come", rec(1, one) + rec(0, two)[:-1], [seen(1, one)])
    stream("a length whose end has not come", rec(1, one) + b"\0", [seen(1, one)])
    stream("the end inside a record", rec(1, one) + rec(0, two)[:-1], [seen(1, one), lost], end=True)
    stream("the end inside a length", rec(1, one) + b"\0", [seen(1, one), lost], end=True)
    stream("the end behind a length", rec(1, one) + b"\0\x20", [seen(1, one), lost], end=True)

    def line(name, limit, data, results):
        serial.append({"name": name, "limit": limit, "stream": data.hex(), "results": results})
    plain = lambda m: struct.pack(">H", len(m)) + m
    of = lambda m: {"message": m.hex()}
    line("two records", 512, plain(one) + plain(two), [of(one), of(two)])
    line("end has not come", 512, plain(one) + plain(two)[:-1], [of(one)])
    line("length 0", 512, plain(one) + b"\0\0" + plain(two), [of(one), {"reset": 4}])
    line("length 1", 512, plain(b"\x07") + plain(two), [of(b"\x07"), of(two)])
    line("length 512", 512, plain(bytes(512)), [of(bytes(512))])
    line("length 513", 512, plain(one) + b"\x02\x01" + bytes(4), [of(one), {"reset": 4}])
    line("length 513 of 600", 600, plain(b"\x01" * 513), [of(b"\x01" * 513)])
    line("length 65535", 512, b"\xff\xff", [{"reset": 4}])
    line("bit 15 is length here", 512, b"\x80\x1e" + one, [{"reset": 4}])
    return {"streams": streams, "serial": serial}
