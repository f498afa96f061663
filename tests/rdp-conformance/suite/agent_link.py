"""Scenarios for agents: SPEC 2 to 4 and 10."""

import random
import struct
from time import sleep

from .link import now
from .run import check, equal, scenario
from .session import PRINT
from .wire import ACCEPT, ACK, DATA, OPEN, PROBE, RESET, encode, framed, packet


def agent(name, seconds=1, tolerate=()):
    return scenario("agent", name, seconds, tolerate)


def record(session, kind, fields=None):
    """The bytes of one record with the next message, not sent."""
    session.sequence += 1
    m = session.message(encode(kind, **(fields or {})), session.sequence, session.clock, session.epoch)
    return session.sequence, struct.pack(">H", len(m)) + m


def as_sent(link, data, channel=0):
    """Notes bytes of ours that go over the line by other ways than write."""
    link.tx[channel] += data
    link.sent[channel] = link.most_sent[channel] = len(link.tx[channel])


# -- framing ----------------------------------------------------------------------------------------------------------

def closes(name, make):
    @agent(f"2.2 {name} closes the lane; another lane works")
    def _(env):
        peer = env.peer()
        peer.link.retransmit = False
        peer.link.send_raw(make(peer.link))
        peer.heartbeat = 0
        peer.link.until(lambda: peer.link.closed, 2, "the lane is closed")
        env.peer().status()


def stat(link, **wrong):
    return packet(DATA, link.connection, len(link.tx[0]), b"\0\x20abc", **wrong)


closes("length 15", lambda link: b"\0\x0f" + bytes(15))
closes("length 0", lambda link: b"\0\0" + bytes(15))
closes("length 1023", lambda link: framed(packet(DATA, link.connection, 0, bytes(1007))))
closes("length 65535", lambda link: b"\xff\xff" + bytes(1200))
closes("a wrong header check", lambda link: framed(stat(link, check=0x1234)))
closes("a payload length one less", lambda link: framed(stat(link, length=4)))
closes("a payload length one more", lambda link: framed(stat(link, length=6)))


@agent("2.2 packets cut anywhere in the TCP stream are read")
def _(env):
    peer = env.peer()
    sequence, data = record(peer, "GetStatus")
    raw = framed(packet(DATA, peer.link.connection, len(peer.link.tx[0]), data))
    as_sent(peer.link, data)
    for i in range(len(raw)):
        peer.link.send_raw(raw[i:i + 1])
        sleep(0.002)
    peer.answer("answer to GetStatus", "Status", sequence)
    a, da = record(peer, "ReadAxes")
    b, db = record(peer, "ReadCursor")
    at = len(peer.link.tx[0])
    peer.link.send_raw(framed(packet(DATA, peer.link.connection, at, da)) + framed(packet(DATA, peer.link.connection, at + len(da), db)))
    as_sent(peer.link, da + db)
    peer.answer("two packets at once", "Axes", a)
    peer.answer("two packets at once", "Cursor", b)


@agent("2.2 a packet with a wrong CRC is discarded, not executed, and the stream goes on", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics().get(0x103)
    sequence, data = record(peer, "GetStatus")
    peer.link.send_packet(DATA, len(peer.link.tx[0]), data, crc=0x12345678)
    peer.silent(0.5, "a request whose packet has a wrong CRC")
    peer.link.tx[0] += data
    peer.link.flush(0)
    peer.answer("the request sent again", "Status", sequence)
    after = peer.metrics().get(0x103)
    equal("metric 0x103, CRC failures of the signal lane", after, (before or 0) + 1)


def prompt(env, send, want, what):
    """An ACK comes at once, five times, not only when the 200 ms are over."""
    peer = env.peer()
    peer.heartbeat = 0
    good, seen = 0, []
    for _ in range(5):
        peer.rest(0.03)
        count = len(peer.link.of(ACK))
        peer.until(lambda: len(peer.link.of(ACK)) > count, 1, "4.3 an ACK every 200 ms")
        t = now()
        send(peer)
        p = peer.until(lambda: next((p for p in peer.link.of(ACK, since=t)), None), 1, f"an ACK after {what}")
        seen.append(p.ack)
        good += p.t - t < 0.12
        peer.rest(0.02)
    check(good >= 3, f"4.3 after {what} an ACK comes at once only {good} times of 5")
    for a in seen:
        want(peer, a)
    peer.until(lambda: False, 0.5)
    check(peer.link.of(ACK)[-1].ack["nack"] == 0, "4.3 nack is since the last ACK only")
    return peer, seen


@agent("4.3 a CRC failure is answered with an ACK at once, nack bit 3, and counted", 3)
def _(env):
    def want(peer, a):
        check(a["nack"] & 8, f"4.3 nack bit 3 after a CRC failure: nack is {a['nack']}")
        check(not a["nack"] & 5, f"4.3 nack {a['nack']} after a CRC failure")
    _, seen = prompt(env, lambda p: p.link.send_packet(DATA, len(p.link.tx[0]), b"zzz", crc=1), want, "a CRC failure")
    equal("4.3 signal lane: failures", [a["signal_failures"] for a in seen], [1, 2, 3, 4, 5])


@agent("4.3 DATA is answered with an ACK at once", 3)
def _(env):
    prompt(env, lambda p: p.send("Heartbeat", {"run_state": 0}), lambda p, a: equal("nack", a["nack"], 0), "DATA")


@agent("4.2 DATA behind a gap is discarded: ACK with nack bit 0 at once", 3)
def _(env):
    def want(peer, a):
        check(a["nack"] & 1, "4.3 nack bit 0 after a gap")
        equal("4.3 the next byte expected", a["expected0"], len(peer.link.tx[0]))
    peer, _ = prompt(env, lambda p: p.link.send_packet(DATA, len(p.link.tx[0]) + 7, b"zzz"), want, "a gap")
    peer.status()


@agent("4.2 DATA behind a gap on channel 1: nack bit 1", 3)
def _(env):
    def want(peer, a):
        check(a["nack"] & 2 and not a["nack"] & 1, f"4.3 nack bit 1 after a gap on channel 1: {a['nack']}")
        equal("4.3 the next byte expected", a["expected1"], 0)
    prompt(env, lambda p: p.link.send_packet(DATA, 1, b"zzz", 1), want, "a gap on channel 1")


@agent("4.2 DATA that is known is discarded, with an ACK at once; nothing is executed twice", 3)
def _(env):
    def again(peer):
        peer.link.send_packet(DATA, 0, bytes(peer.link.tx[0][:500]), 0x10)
    peer, _ = prompt(env, again, lambda p, a: equal("nack", a["nack"], 0), "known DATA")
    peer.silent(0.1, "known DATA")
    equal("metric 5, replayed", peer.metrics().get(5), 0)


@agent("4.2 of DATA that is known in part, the known bytes are skipped")
def _(env):
    peer = env.peer()
    sequence, data = record(peer, "GetStatus")
    at = len(peer.link.tx[0])
    as_sent(peer.link, data)
    peer.link.send_packet(DATA, at, data[:20])
    peer.rest(0.1)
    peer.link.send_packet(DATA, at + 8, b"\xee" * 12 + data[20:], 0x10)
    peer.answer("a request in overlapping packets", "Status", sequence)


@agent("4.2 records are cut into packets anywhere, and packets hold several records")
def _(env):
    peer = env.peer()
    peer.link.max_payload = 1
    a = peer.send("GetStatus")
    peer.answer("a request in packets of one byte", "Status", a)
    peer.link.max_payload = 1006
    parts = [record(peer, kind) for kind in ("ReadAxes", "GetStatus", "ReadCursor", "ReadAxes", "GetStatus", "ReadCursor")]
    peer.link.write(0, b"".join(d for _, d in parts))
    for (sequence, _), name in zip(parts, ("Axes", "Status", "Cursor") * 2):
        peer.answer("several records in a packet", name, sequence)


@agent("4.2 a gap that is filled by sending again costs nothing", 2)
def _(env):
    peer = env.peer()
    peer.link.lose = 1
    a = peer.send("ReadAxes")
    b = peer.send("ReadCursor")
    peer.answer("after a lost packet", "Axes", a)
    peer.answer("after a lost packet", "Cursor", b)


def record_fatal(name, length, active):
    @agent(f"4.2 a record of {name} is fatal: RESET 4")
    def _(env):
        peer = env.peer() if active else env.opened()
        peer.heartbeat = 0
        peer.link.retransmit = False
        peer.link.write(0, struct.pack(">H", length) + bytes(20))
        peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
        equal("4.2 reason of RESET", peer.link.resets[0], 4)
        peer.next().status()


record_fatal("length 0", 0, True)
record_fatal("length 0 before the handshake", 0, False)
record_fatal("length 513", 513, True)
record_fatal("length 513 before the handshake", 513, False)
record_fatal("length 65535", 65535, True)


@agent("4.2 a record of the longest length is read")
def _(env):
    peer = env.peer()
    sequence = peer.send_frame(b"GDBP\x01\x28" + bytes(512 - 19))
    m = peer.answer("a message of 512 bytes", "Error", sequence)
    equal("its code", m.fields["code"], 2)
    peer.status()


@agent("4.2 what there is no room for is left, and taken when it is sent again", 6, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.rest(0.2)
    peer.link.ignore_window = True
    parts = [record(peer, "ReadPlc", {"first": i % 8, "count": 1}) for i in range(400)]
    peer.link.write(0, b"".join(d for _, d in parts))
    for i, (sequence, _) in enumerate(parts):
        m = peer.answer(f"answer {i} of 400", "Plc", sequence, 8)
        equal("register", m.fields["registers"], [100 + i % 8])
    peer.silent(0.2, "more answers than commands")
    check(not peer.link.of(RESET), "RESET")


@agent("4.2 channels are independent: PushPolicy on channel 1")
def _(env):
    peer = env.peer()
    peer.ask("PushPolicy", {"version": 7, "enabled": 0, "rules": []}, channel=1)
    equal("policy version", peer.status()["policy_version"], 7)
    sequence, data = record(peer, "GetStatus")
    peer.link.write(0, data[:10])
    peer.ask("PushPolicy", {"version": 8, "enabled": 0, "rules": []}, channel=1)


# -- opening ----------------------------------------------------------------------------------------------------------

@agent("4.1 ACCEPT: cookie, generation 3, no bulk lane, a connection that is not 0")
def _(env):
    peer = env.opened(cookie=0xDEADBEEF)
    p = peer.accept
    equal("payload of ACCEPT", p.payload[:2], b"\x03\x01")
    check(p.connection != 0, "ACCEPT with connection 0")
    peer.handshake()


@agent("4.1 OPEN again before DATA: the same ACCEPT")
def _(env):
    peer = env.opened(cookie=0x01020304)
    for _ in range(3):
        t = now()
        peer.link.send_packet(OPEN, peer.cookie, b"\x03\x01", connection=0)
        p = peer.until(lambda: next(iter(peer.link.of(ACCEPT, since=t)), None), 2, "ACCEPT again")
        equal("connection, cookie, payload", (p.connection, p.position, p.payload), (peer.accept.connection, peer.cookie, peer.accept.payload))
    peer.handshake()


@agent("4.1 OPEN again after DATA is a late copy and ignored")
def _(env):
    peer = env.peer()
    t = now()
    for _ in range(3):
        peer.link.send_packet(OPEN, peer.cookie, b"\x03\x01", connection=0)
        peer.rest(0.1)
    check(not peer.link.of(ACCEPT, since=t), "a late OPEN was answered with ACCEPT")
    peer.status()


@agent("4.1 OPEN with another cookie: a new connection with another number")
def _(env):
    peer = env.peer()
    numbers = [peer.accept.connection]
    for _ in range(4):
        old, peer = peer, peer.next()
        numbers.append(peer.accept.connection)
        check(numbers[-1] != numbers[-2], f"4.1 connection {numbers[-1]} twice")
    check(peer.bye is None, "Bye in the new session")
    peer.status()


@agent("4.1 OPEN of another generation: RESET 2, connection 0, the cookie as position")
def _(env):
    link = env.lane()
    for generation in (2, 4, 0, 255):
        t = now()
        link.send_packet(OPEN, 0xCAFE0000 + generation, bytes([generation, 1]), connection=0)
        p = link.until(lambda: next(iter(link.of(RESET, ACCEPT, since=t)), None), 2, f"RESET 2 for generation {generation}")
        equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload), (RESET, 0, 0xCAFE0000 + generation, b"\x02"))


@agent("4.1 OPEN of another generation: a connection that exists goes on")
def _(env):
    peer = env.peer()
    for payload in (b"\x02\x01", b"\x03"):
        t = now()
        peer.link.send_packet(OPEN, 0xABCD, payload, connection=0)
        p = peer.until(lambda: next(iter(peer.link.of(RESET, since=t)), None), 2, "RESET 2")
        equal("connection, position, payload", (p.connection, p.position, p.payload), (0, 0xABCD, b"\x02"))
        peer.status()


@agent("4.1 OPEN with less than 2 bytes: RESET 2")
def _(env):
    link = env.lane()
    for payload in (b"", b"\x03"):
        t = now()
        link.send_packet(OPEN, 77, payload, connection=0)
        p = link.until(lambda: next(iter(link.of(RESET, ACCEPT, since=t)), None), 2, "RESET 2 for a short OPEN")
        equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload), (RESET, 0, 77, b"\x02"))


@agent("4.1 OPEN with a longer payload, and from a host with a bulk lane, is accepted")
def _(env):
    peer = env.opened(more=b"\x01\x02\x03")
    peer.handshake()
    other = type(peer)(peer.link)
    other.open(lanes=3)
    equal("lanes of ACCEPT", other.accept.payload[1], 1)
    other.handshake()
    other.read(0x20000000, 200)
    check(not other.link.of(PROBE), "PROBE without a bulk lane")


def stray(name, kind, payload):
    @agent(f"4.1 {name} of another connection: ignored and answered with RESET 3, at most once in 200 ms", 2, ("4.3 ACK 1 ",))
    def _(env):
        peer = env.peer()
        wrong = peer.link.connection ^ 0x1111 or 9
        before = peer.metrics().get(12, 0)
        t = now()
        for i in range(25):
            peer.link.send_packet(kind, 1 + i, payload, connection=wrong)
            peer.rest(0.02)
        elapsed = now() - t
        found = [p for p in peer.link.of(RESET, since=t)]
        check(found, "no RESET 3")
        for p in found:
            equal("RESET: connection, position, reason", (p.connection, p.position, p.payload), (wrong, 0, b"\x03"))
        check(len(found) <= elapsed / 0.2 + 1.5, f"{len(found)} RESETs in {elapsed:.2f} s")
        check(min((b.t - a.t for a, b in zip(found, found[1:])), default=1) > 0.15, "4.1 RESETs in less than 200 ms")
        equal("metric 12, stray packets", peer.metrics().get(12), before + 25)


stray("DATA", DATA, b"\0\x14" + bytes(20))
stray("ACK", ACK, bytes(21))


@agent("4.1 DATA before any OPEN: RESET 3")
def _(env):
    link = env.lane()
    link.send_packet(DATA, 0, b"\0\x14" + bytes(20), connection=4711)
    p = link.until(lambda: next(iter(link.of(RESET)), None), 2, "RESET 3")
    equal("connection, reason", (p.connection, p.payload), (4711, b"\x03"))


@agent("4.1 a RESET of another connection is ignored, and no stray RESET or PROBE is answered")
def _(env):
    peer = env.peer()
    t = now()
    for kind, payload in ((RESET, b"\x01"), (RESET, b"\x03"), (PROBE, b"")):
        peer.link.send_packet(kind, 0, payload, connection=peer.link.connection ^ 0x2222)
        peer.rest(0.25)
    check(not peer.link.of(RESET, since=t), "a stray RESET or PROBE was answered with RESET")
    peer.status()


@agent("4.1 a RESET ends the connection that it names")
def _(env):
    peer = env.peer()
    peer.link.send_packet(RESET, 0, b"\x01")
    peer.rest(0.2)
    t = now()
    peer.link.retransmit = False
    peer.send("GetStatus")
    peer.until(lambda: peer.link.resets, 2, "4.1 RESET 3 after the connection has ended")
    equal("reason", peer.link.resets[0], 3)
    peer.silent(0.2, "a request of a connection that has ended")
    check(not [p for p in peer.link.of(ACK) if p.t > t + 0.1], "4.3 ACKs after the connection has ended")
    peer.next().status()


@agent("3 unknown types, reserved flags, short ACKs and DATA without bytes are counted and ignored", 1, ("4.3 ACK",))
def _(env):
    peer = env.peer()
    before = peer.metrics().get(12, 0)
    at = len(peer.link.tx[0])
    sequence, data = record(peer, "GetStatus")
    odd = [(0, 0, b"x", 0), (7, 0, b"", 0), (255, 3, bytes(100), 0), (DATA, at, data, 2), (DATA, at, data, 4), (DATA, at, data, 8), (DATA, at, b"", 0),
           (ACK, 0x7000000, bytes(20), 0), (ACK, 0x7000001, b"", 0)]
    for kind, position, payload, flags in odd:
        peer.link.send_packet(kind, position, payload, flags)
    peer.silent(0.3, "DATA with a reserved flag")
    peer.link.tx[0] += data
    peer.link.flush(0)
    peer.answer("the request without the flag", "Status", sequence)
    equal("metric 12, unknown packets", peer.metrics().get(12), before + len(odd))


@agent("10 nonsense at line speed stops nothing", 3, ("4.3 ACK",))
def _(env):
    peer = env.peer()
    rng = random.Random(3)
    for _ in range(400):
        kind = rng.choice([0, 1, 2, 4, 6, 6, 7, 99])
        payload = rng.randbytes(rng.choice([0, 1, 5, 21, 40]))
        own = rng.random() < 0.3 and kind in (0, 6, 7, 99)
        peer.link.send_packet(kind, rng.getrandbits(32), payload, rng.choice([0, 0, 1, 0x10]) if kind == 1 else 0,
                              connection=peer.link.connection if own else peer.link.connection ^ rng.randrange(1, 65536))
    peer.link.send_packet(DATA, len(peer.link.tx[0]) + 100000, b"far away")
    peer.link.send_packet(DATA, len(peer.link.tx[0]) - 2 ** 31 & 0xFFFFFFFF, b"far away")
    peer.rest(0.3)
    peer.status()
    equal("fingerprint", peer.welcome["fingerprint"], PRINT)
