"""Scenarios for agents on serial lines: lanes, packets and streams; SPEC 2, 3, 4.2, 4.3, 10."""

import random
import struct
from time import sleep

from .agents import serial
from .frames import channel_of, encode, frame
from .line import now
from .run import check, equal
from .wire import ACK, DATA, RESET, framed, packet, stuffed

HEADER_FAILURES, CRC_FAILURES, OVERLONG = 0x102, 0x103, 0x105


def record(peer, kind, fields=None):
    """The bytes of one record with the next message, not sent."""
    channel = channel_of(kind)
    peer.sequence += 1
    m = peer.message(encode(kind, **(fields or {})), peer.sequence, peer.own_time(), channel)
    peer.sent_on[peer.sequence] = channel
    return peer.sequence, struct.pack(">H", len(m)) + m


def as_packet(peer, data, channel=1, **wrong):
    """DATA with the next bytes of the channel, not sent and not noted."""
    return packet(DATA, peer.link.connection, len(peer.link.tx[channel]), data, channel, **wrong)


# -- lanes -----------------------------------------------------------------------------------------------------------

@serial("2 packets cut anywhere in the byte stream, and one zero between two, are read")
def _(env):
    peer = env.peer()
    sequence, data = record(peer, "GetStatus")
    raw = framed(as_packet(peer, data))
    peer.link.noted(1, data)
    for byte in raw:
        peer.link.send_raw(bytes([byte]))
        sleep(0.002)
    peer.answer("answer to GetStatus", "Status", sequence)
    a, first = record(peer, "ReadAxes")
    pa = as_packet(peer, first)
    peer.link.noted(1, first)
    b, second = record(peer, "ReadCursor")
    pb = as_packet(peer, second)
    peer.link.noted(1, second)
    peer.link.send_raw(b"\0" + stuffed(pa) + b"\0" + stuffed(pb) + b"\0")
    peer.answer("two packets with one zero between", "Axes", a)
    peer.answer("two packets with one zero between", "Cursor", b)


def noise(name, data, header=0, overlong=0):
    @serial(f"2 {name}: the next packet is found, and what is counted", 1, ("3.1", "4.3"))
    def _(env):
        peer = env.peer()
        before = peer.metrics()
        sequence, good = record(peer, "GetStatus")
        peer.link.send_raw(data + framed(as_packet(peer, good)))
        peer.link.noted(1, good)
        peer.answer(name, "Status", sequence)
        after = peer.metrics()
        for metric, want in ((HEADER_FAILURES, header), (OVERLONG, overlong), (CRC_FAILURES, 0)):
            equal(f"metric 0x{metric:X}", after.get(metric, 0) - before.get(metric, 0), want)


noise("zeros alone", bytes(40))
noise("noise before a packet", b"\x55\xaa\x13", 1)
noise("two pieces of noise", b"\x05\x41\0\x01\x07", 2)
noise("62 bytes of noise", b"\0" + b"\x3f" * 62 + b"\0", 1)
noise("63 bytes of noise, longer than the MTU", b"\0" + b"\x3f" * 63 + b"\0", 0, 1)
noise("1000 bytes without a zero", b"\0" + b"\x11" * 1000 + b"\0", 0, 1)
noise("a packet of 15 bytes", b"\0" + stuffed(bytes(range(1, 16))) + b"\0", 1)


def header_failure(name, make):
    @serial(f"3.1 {name}: header failure, nack bit 2 at once, not executed", 1)
    def _(env):
        peer = env.peer()
        before = peer.metrics()
        sequence, data = record(peer, "GetStatus")
        peer.rest(0.1)
        t = now()
        peer.link.send_raw(make(peer, data))
        p = peer.until(lambda: next((p for p in peer.link.of(ACK, since=t) if p.ack["nack"]), None), 1, "4.3 an ACK")
        equal("nack", p.ack["nack"] & 12, 4)
        peer.silent(0.1, name)
        peer.link.put(1, data)
        peer.answer("the request sent again", "Status", sequence)
        after = peer.metrics()
        equal("metric 0x102, header failures", after[HEADER_FAILURES] - before[HEADER_FAILURES], 1)
        equal("metric 0x103, CRC failures", after[CRC_FAILURES] - before[CRC_FAILURES], 0)


def flip(raw, bit):
    out = bytearray(raw)
    out[bit // 8] ^= 0x80 >> bit % 8
    return bytes(out)


header_failure("a wrong header check", lambda p, d: framed(as_packet(p, d, check=0x1234)))
header_failure("a flipped bit of the type", lambda p, d: framed(flip(as_packet(p, d), 6)))
header_failure("a flipped bit of the position", lambda p, d: framed(flip(as_packet(p, d), 60)))
header_failure("a payload length one less", lambda p, d: framed(as_packet(p, d, length=len(d) - 1)))
header_failure("a payload length one more", lambda p, d: framed(as_packet(p, d, length=len(d) + 1)))
header_failure("a header check and a CRC that are wrong", lambda p, d: framed(as_packet(p, d, check=1, crc=1)))
header_failure("COBS that is not valid", lambda p, d: b"\0" + stuffed(as_packet(p, d))[:-2] + b"\0")


@serial("3.1 a packet with a wrong CRC is discarded, not executed, counted, and the next one is found")
def _(env):
    peer = env.peer()
    before = peer.metrics()
    sequence, data = record(peer, "GetStatus")
    peer.link.send_raw(framed(as_packet(peer, data, crc=0x12345678)))
    peer.silent(0.2, "a request whose packet has a wrong CRC")
    peer.link.put(1, data)
    peer.answer("the request sent again", "Status", sequence)
    after = peer.metrics()
    equal("metric 0x103, CRC failures", after[CRC_FAILURES] - before[CRC_FAILURES], 1)
    equal("metric 0x102, header failures", after[HEADER_FAILURES] - before[HEADER_FAILURES], 0)


@serial("8.13 the metrics of a serial line: packets, the signal lane, and each moves")
def _(env):
    peer = env.peer()
    a = peer.metrics()
    missing = [n for n in [12] + list(range(0x100, 0x106)) if n not in a]
    check(not missing, f"metrics missing: {missing}")
    peer.status()
    b = peer.metrics()
    check(b[0x100] > a[0x100] and b[0x101] > a[0x101], "metrics 0x100 and 0x101 do not move")


# -- ACKs ------------------------------------------------------------------------------------------------------------

def prompt(env, send, want, what, rounds=4):
    """An ACK comes at once, not only when the 200 ms are over."""
    peer = env.peer()
    good, seen = 0, []
    for _ in range(rounds):
        peer.rest(0.03)
        count = len(peer.link.of(ACK))
        peer.until(lambda: len(peer.link.of(ACK)) > count, 1, "4.3 an ACK every 200 ms")
        t = now()
        send(peer)
        p = peer.until(lambda: next((p for p in peer.link.of(ACK, since=t)), None), 1, f"an ACK after {what}")
        seen.append(p.ack)
        good += p.t - t < 0.12
        peer.rest(0.02)
    check(good >= rounds - 2, f"4.3 after {what} an ACK comes at once only {good} times of {rounds}")
    for a in seen:
        want(peer, a)
    peer.rest(0.5)
    check(peer.link.of(ACK)[-1].ack["nack"] == 0, "4.3 nack is since the last ACK only")
    return peer, seen


@serial("4.3 a CRC failure is answered with an ACK at once, nack bit 3, and counted", 2)
def _(env):
    def want(_, a):
        check(a["nack"] & 8, f"4.3 nack bit 3 after a CRC failure: nack is {a['nack']}")
        check(not a["nack"] & 7, f"4.3 nack {a['nack']} after a CRC failure")
    _, seen = prompt(env, lambda p: p.link.send_raw(framed(as_packet(p, b"zzz", crc=1))), want, "a CRC failure")
    equal("4.3 signal lane: failures", [a["signal_failures"] for a in seen], [1, 2, 3, 4])


@serial("4.3 DATA is answered with an ACK at once", 2)
def _(env):
    prompt(env, lambda p: p.beat(0), lambda p, a: equal("nack", a["nack"], 0), "DATA")


def gap(channel):
    @serial(f"4.2 DATA behind a gap on channel {channel} is discarded: ACK with nack bit {channel} at once", 2)
    def _(env):
        def want(peer, a):
            equal("4.3 nack after a gap", a["nack"], 1 << channel)
            equal("4.3 the next byte expected", a[f"expected{channel}"], len(peer.link.tx[channel]))
        behind = lambda p: p.link.send_packet(DATA, len(p.link.tx[channel]) + 7, b"zzz", channel)
        peer, _ = prompt(env, behind, want, "a gap")
        peer.status()


gap(0)
gap(1)


@serial("4.2 DATA that is known is discarded, with an ACK at once; nothing is executed twice", 2)
def _(env):
    def again(peer):
        peer.link.send_packet(DATA, 0, bytes(peer.link.tx[0][:45]), 0x10)
    peer, _ = prompt(env, again, lambda p, a: equal("nack", a["nack"], 0), "known DATA")
    peer.silent(0.1, "known DATA")
    equal("metric 5, replayed", peer.metrics().get(5), 0)


@serial("4.2 of DATA that is known in part, the known bytes are skipped")
def _(env):
    peer = env.peer()
    sequence, data = record(peer, "GetStatus")
    at = len(peer.link.tx[1])
    peer.link.noted(1, data)
    peer.link.send_packet(DATA, at, data[:15], 1)
    peer.rest(0.1)
    peer.link.send_packet(DATA, at + 3, b"\xee" * 12 + data[15:], 0x11)
    peer.answer("a request in overlapping packets", "Status", sequence)


@serial("4.2 records are cut into packets anywhere, and packets hold several records")
def _(env):
    peer = env.peer()
    peer.link.max_payload = 1
    peer.answer("a request in packets of one byte", "Status", peer.send("GetStatus"))
    peer.link.max_payload = 45
    parts = [record(peer, kind) for kind in ("ReadAxes", "GetStatus", "ReadCursor", "ReadAxes")]
    peer.link.put(1, b"".join(d for _, d in parts))
    for (sequence, _), name in zip(parts, ("Axes", "Status", "Cursor", "Axes")):
        peer.answer("several records in a packet", name, sequence)


@serial("4.2 a gap that is filled by sending again costs nothing", 2)
def _(env):
    peer = env.peer()
    peer.link.lose = 1
    a = peer.send("ReadAxes")
    b = peer.send("ReadCursor")
    peer.answer("after a lost packet", "Axes", a)
    peer.answer("after a lost packet", "Cursor", b)


def record_fatal(name, length, active, channel=0):
    @serial(f"4.2 a record of {name} is fatal: RESET 4, and the session has ended")
    def _(env):
        peer = env.peer() if active else env.opened()
        peer.echo = False
        peer.link.retransmit = False
        peer.link.put(channel, struct.pack(">H", length) + bytes(20))
        peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
        equal("4.2 reason of RESET", peer.link.resets[0], 4)
        peer.active = False
        peer.next().status()


record_fatal("length 0", 0, True)
record_fatal("length 0 on channel 1", 0, True, 1)
record_fatal("length 0 before the handshake", 0, False)
record_fatal("length 513", 513, True)
record_fatal("length 513 on channel 1", 513, True, 1)
record_fatal("length 513 before the handshake", 513, False)
record_fatal("length 65535", 65535, True)


@serial("4.2 a record of the longest length is read, on each channel", 2)
def _(env):
    peer = env.peer()
    for channel, kind in ((1, 0x28), (0, 0x10)):
        sequence = peer.send_frame(frame(kind) + bytes(512 - 18), channel=channel)
        m = peer.answer("a message of 512 bytes", "Error", sequence)
        equal("its code", m.fields["code"], 2)
    peer.status()


@serial("4.2 what there is no room for is left, and taken when it is sent again; more commands than the credit wait",
        5, ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.clock_tolerance = 800
    peer.link.ignore_window = True
    parts = [record(peer, "ReadPlc", {"first": i % 8, "count": 1}) for i in range(120)]
    peer.link.put(1, b"".join(d for _, d in parts))
    for i, (sequence, _) in enumerate(parts):
        m = peer.answer(f"answer {i} of 120", None, sequence, 8)
        check(m.name == "Plc" or m.fields.get("code") == 8, f"answer {i}: {m.name}")
    peer.silent(0.2, "more answers than commands")
    check(not peer.link.of(RESET), "RESET")


@serial("4.2 channels are independent: one in the middle of a record does not stop the other")
def _(env):
    peer = env.peer()
    sequence, data = record(peer, "GetStatus")
    peer.link.put(1, data[:10])
    peer.halt()
    peer.link.put(1, data[10:])
    peer.answer("the command in the middle", "Status", sequence)
    halt, data = record(peer, "Halt")
    peer.link.put(0, data[:5])
    peer.status()
    peer.link.put(0, data[5:])
    peer.answer("Halt in the middle", "Done", halt)


@serial("3 unknown types, reserved flags, short ACKs and DATA without bytes are counted as stray and ignored", 1,
        ("4.3 ACK",))
def _(env):
    peer = env.peer()
    before = peer.metrics().get(12, 0)
    at = len(peer.link.tx[1])
    sequence, data = record(peer, "GetStatus")
    odd = [(0, 0, b"x", 0), (7, 0, b"", 0), (255, 3, bytes(40), 0), (DATA, at, data, 3), (DATA, at, data, 5),
           (DATA, at, data, 9), (DATA, at, b"", 1), (ACK, 0x7000000, bytes(20), 0), (ACK, 0x7000001, b"", 0)]
    for kind, position, payload, flags in odd:
        peer.link.send_packet(kind, position, payload, flags)
    peer.silent(0.3, "DATA with a reserved flag")
    peer.link.put(1, data)
    peer.answer("the request without the flag", "Status", sequence)
    equal("metric 12, stray packets", peer.metrics().get(12), before + len(odd))


@serial("10 nonsense at line speed stops nothing", 3, ("4.3 ACK",))
def _(env):
    peer = env.peer()
    rng = random.Random(3)
    for _ in range(300):
        kind = rng.choice([0, 1, 2, 4, 6, 6, 7, 99])
        payload = rng.randbytes(rng.choice([0, 1, 5, 21, 40]))
        own = rng.random() < 0.3 and kind in (0, 6, 7, 99)
        number = peer.link.connection if own else peer.link.connection ^ rng.randrange(1, 65536)
        peer.link.send_packet(kind, rng.getrandbits(32), payload, rng.choice([0, 0, 1, 0x10]) if kind == 1 else 0,
                              connection=number)
        if rng.random() < 0.2:
            peer.link.send_raw(bytes(rng.choice(b"\0\1\2\x40\xff") for _ in range(rng.randrange(90))) + b"\0")
    peer.link.send_packet(DATA, len(peer.link.tx[0]) + 100000, b"far away")
    peer.link.send_packet(DATA, len(peer.link.tx[0]) - 2 ** 31 & 0xFFFFFFFF, b"far away")
    peer.rest(0.3)
    peer.status()
    peer.halt()


@serial("4.3 an ACK at least every 200 ms, before the handshake and in a session", 4)
def _(env):
    peer = env.opened()
    for phase in ("before the handshake", "in a session"):
        t = now()
        peer.rest(1.7)
        times = [p.t for p in peer.link.of(ACK, since=t)]
        check(len(times) >= 6, f"{len(times)} ACKs in 1.7 s {phase}")
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        middle = gaps[len(gaps) // 2]
        check(middle < 0.26, f"the median between ACKs {phase} is {middle * 1000:.0f} ms")
        if peer.welcome is None:
            peer.handshake()
            peer.echo = False


@serial("4.3 ACK: numbered from 1, with windows")
def _(env):
    peer = env.peer()
    peer.until(lambda: peer.link.of(ACK), 1, "4.3 ACK")
    acks = peer.link.of(ACK)
    equal("number of the first ACK", acks[0].position, 1)
    check(all(len(p.payload) >= 21 for p in acks), "an ACK is too short")
    for c in (0, 1):
        check(acks[-1].ack[f"window{c}"] >= 512, f"channel {c}: a window of {acks[-1].ack[f'window{c}']}")
    peer.status()
    for c in (0, 1):
        done = lambda c=c: peer.link.peer_ack.ack[f"expected{c}"] == len(peer.link.tx[c])
        peer.until(done, 1, f"4.3 all bytes of channel {c} acknowledged")
