"""Scenarios for hosts on serial lines: SPEC 2 to 4.3, 4.6, 10."""

import random
import struct
from time import sleep

from .frames import encode, frame
from .host import serial
from .line import now
from .run import check, equal
from .wire import ACCEPT, ACK, DATA, OPEN, PROBE, RESET, framed, packet, stuffed

COOKIES = {}


def raw_answer(peer, m, uptime=5):
    """A record with the answer to a GetStatus, not sent."""
    peer.sequence += 1
    raw = encode("Status", **peer.status_fields(uptime=uptime), request=m.sequence)
    time = peer.own_time()
    peer.greatest = max(peer.greatest, time)
    peer.sent_times.append((now(), peer.greatest))
    peer.unanswered.discard(m.sequence)
    message = peer.message(raw, peer.sequence, time, 1)
    return struct.pack(">H", len(message)) + message


def as_packet(peer, data, **wrong):
    return packet(DATA, peer.link.connection, len(peer.link.tx[1]), data, 1, **wrong)


def asked(env):
    peer = env.peer()
    peer.say("status")
    return peer, peer.expect("GetStatus")


@serial("2 packets cut anywhere in the byte stream, and one zero between two, are read")
def _(env):
    peer, m = asked(env)
    data = raw_answer(peer, m)
    raw = framed(as_packet(peer, data[:20]))
    peer.link.noted(1, data[:20])
    for byte in raw:
        peer.link.send_raw(bytes([byte]))
        sleep(0.002)
    half = len(data) - 10
    first = as_packet(peer, data[20:half])
    peer.link.noted(1, data[20:half])
    second = as_packet(peer, data[half:])
    peer.link.noted(1, data[half:])
    peer.link.send_raw(b"\0" + stuffed(first) + b"\0" + stuffed(second) + b"\0")
    equal("uptime", peer.line("status")["uptime"], 5)


def noise(name, data):
    @serial(f"2 {name}: the next packet is found", 1, ("3.1", "4.3"))
    def _(env):
        peer, m = asked(env)
        answer = raw_answer(peer, m)
        peer.link.send_raw(data + framed(as_packet(peer, answer[:40])))
        peer.link.noted(1, answer[:40])
        peer.link.put(1, answer[40:])
        equal("uptime", peer.line("status")["uptime"], 5)


noise("zeros alone", bytes(40))
noise("noise before a packet", b"\x55\xaa\x13\0\x05\x41\0")
noise("63 bytes of noise, longer than the MTU", b"\0" + b"\x3f" * 63 + b"\0")
noise("1000 bytes without a zero", b"\0" + b"\x11" * 1000 + b"\0")


def discarded(name, bit, make):
    @serial(f"3.1 {name}: discarded, nack bit {bit} at once, counted, and the stream goes on", 2)
    def _(env):
        peer, m = asked(env)
        data = raw_answer(peer, m)
        before = peer.link.peer_ack.ack["signal_failures"] if peer.link.peer_ack else 0
        peer.rest(0.1)
        t = now()
        peer.link.send_raw(make(peer, data[:40]))
        p = peer.until(lambda: next((p for p in peer.link.of(ACK, since=t) if p.ack["nack"]), None), 1, "4.3 an ACK")
        equal("nack", p.ack["nack"] & 12, 1 << bit)
        equal("4.3 signal lane: failures", p.ack["signal_failures"], before + 1)
        peer.no_line(0.1, name)
        peer.link.put(1, data)
        equal("uptime", peer.line("status")["uptime"], 5)


discarded("a wrong header check", 2, lambda p, d: framed(as_packet(p, d, check=0x1234)))
discarded("a payload length one less", 2, lambda p, d: framed(as_packet(p, d, length=len(d) - 1)))
discarded("a payload length one more", 2, lambda p, d: framed(as_packet(p, d, length=len(d) + 1)))
discarded("COBS that is not valid", 2, lambda p, d: b"\0" + stuffed(as_packet(p, d))[:-2] + b"\0")
discarded("a wrong CRC", 3, lambda p, d: framed(as_packet(p, d, crc=0x12345678)))


def prompt(env, send, want, what, rounds=4):
    peer = env.peer()
    peer.heartbeat = 0
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
    peer.heartbeat = 0.7
    return peer


@serial("4.3 DATA is answered with an ACK at once", 3)
def _(env):
    prompt(env, lambda p: p.beat(), lambda p, a: equal("nack", a["nack"], 0), "DATA")


def gap(channel):
    @serial(f"4.2 DATA behind a gap on channel {channel} is discarded: ACK with nack bit {channel} at once", 3)
    def _(env):
        def want(peer, a):
            equal("4.3 nack after a gap", a["nack"], 1 << channel)
            equal("4.3 the next byte expected", a[f"expected{channel}"], len(peer.link.tx[channel]))
        behind = lambda p: p.link.send_packet(DATA, len(p.link.tx[channel]) + 7, b"zzz", channel)
        prompt(env, behind, want, "a gap").alive()


gap(0)
gap(1)


@serial("4.2 DATA that is known is discarded, with an ACK at once", 3)
def _(env):
    again = lambda p: p.link.send_packet(DATA, 0, bytes(p.link.tx[0][:45]), 0x10)
    prompt(env, again, lambda p, a: equal("nack", a["nack"], 0), "known DATA").alive()


@serial("4.2 of DATA that is known in part, the known bytes are skipped")
def _(env):
    peer, m = asked(env)
    data = raw_answer(peer, m)
    at = len(peer.link.tx[1])
    peer.link.noted(1, data)
    peer.link.send_packet(DATA, at, data[:20], 1)
    peer.rest(0.1)
    peer.link.send_packet(DATA, at + 8, b"\xee" * 12 + data[20:40], 0x11)
    peer.link.send_packet(DATA, at + 40, data[40:], 1)
    equal("uptime", peer.line("status")["uptime"], 5)


@serial("4.2 records are cut into packets anywhere, and packets hold several records")
def _(env):
    peer = env.peer()
    peer.link.max_payload = 1
    peer.alive()
    peer.link.max_payload = 45
    peer.alive()
    peer.link.put(0, b"")
    first, second = (peer.message(encode("Heartbeat", run_state=1, challenge=c), peer.sequence + n, peer.clock, 0)
                     for n, c in ((1, 11), (2, 12)))
    peer.sequence += 2
    peer.beats.update({11: now(), 12: now()})
    peer.greatest = max(peer.greatest, peer.clock)
    peer.sent_times.append((now(), peer.greatest))
    peer.link.put(0, b"".join(struct.pack(">H", len(b)) + b for b in (first, second)))
    peer.until(lambda: not peer.beats, 2, "5.7 both Heartbeats answered")
    peer.alive()


@serial("4.2 what there is no room for is left, and taken when it is sent again", 5, ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.link.ignore_window = True
    raw = b""
    for i in range(20):
        peer.sequence += 1
        m = peer.message(frame(0xF0, bytes(470)), peer.sequence, peer.greatest, 1)
        raw += struct.pack(">H", len(m)) + m
    peer.link.put(1, raw)
    peer.until(lambda: peer.link.acked[1] == len(peer.link.tx[1]), 8, "4.2 all bytes taken")
    peer.link.ignore_window = False
    peer.alive()


def record_fatal(name, channel, data):
    @serial(f"4.2 a record of {name} is fatal: RESET 4")
    def _(env):
        peer = env.peer()
        peer.active = False
        peer.link.retransmit = False
        peer.link.put(channel, data(peer))
        peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
        equal("reason of RESET", peer.link.resets[0], 4)
        peer.closed((0, 3, 4))


def above(peer):
    return struct.pack(">H", min(65535, peer.hello["longest_message"] + 1)) + bytes(20)


record_fatal("length 0", 0, lambda p: bytes(20))
record_fatal("length 0 on channel 1", 1, lambda p: bytes(20))
record_fatal("a length above the host's limit, on channel 1", 1, above)
record_fatal("length 513 on channel 0", 0, lambda p: b"\x02\x01" + bytes(20))


@serial("4.2 a record above 512 before the handshake is fatal: RESET 4")
def _(env):
    peer = env.started().said_hello()
    peer.link.retransmit = False
    peer.link.put(0, struct.pack(">H", 513) + bytes(600))
    peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
    equal("reason of RESET", peer.link.resets[0], 4)
    peer.closed(None)


# -- opening ---------------------------------------------------------------------------------------------------------

@serial("4.1 OPEN: generation 4, no bulk lane, connection 0, a random cookie; every 250 ms", 3)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.rest(1.6)
    opens = peer.link.of(OPEN)
    check(6 <= len(opens) <= 9, f"{len(opens)} OPENs in 1.6 s")
    check(all(p.payload[:2] == b"\x04\x01" and p.connection == 0 for p in opens), "payload or connection of OPEN")
    equal("cookies", len({p.position for p in opens}), 1)
    check(opens[0].position not in COOKIES, "4.1 the cookie is not random")
    COOKIES[opens[0].position] = True
    gaps = [b.t - a.t for a, b in zip(opens, opens[1:])]
    check(all(0.15 < g < 0.45 for g in gaps), f"4.1 OPENs after {[round(g * 1000) for g in gaps]} ms")
    peer.handshake()
    peer.alive()


@serial("4.1 no answer: at most 20 OPENs, then closed", 8)
def _(env):
    peer = env.started()
    opened = peer.wait_open()
    value = peer.line("closed", 12)
    check("closed" in value, f"{value}")
    count = len(peer.link.of(OPEN))
    check(18 <= count <= 20, f"{count} OPENs")
    check(now() - opened.t > 4.3, "4.1 closed before the 20th OPEN was unanswered")
    check(opened.position not in COOKIES, "4.1 the cookie is not random")
    COOKIES[opened.position] = True


def busy(peer, seconds):
    """Answers each OPEN with RESET 6, for so long or until the program says something."""
    seen, end = 0, now() + seconds
    while now() < end:
        opens = peer.link.of(OPEN)
        if len(opens) > seen:
            seen = len(opens)
            peer.link.send_packet(RESET, opens[-1].position, b"\x06", connection=0)
        value = peer.until(peer.try_line, 0.05)
        if value:
            return value
    return None


@serial("4.1 RESET 6 is busy: the host goes on sending OPEN for longer than the loss time, and is accepted then", 5)
def _(env):
    peer = env.started()
    peer.wait_open()
    value = busy(peer, 3.4)
    check(value is None, f"4.1 the host gives up: {value}")
    t = now()
    peer.rest(0.4)
    check(peer.link.of(OPEN, since=t), "4.1 no further OPEN after busy")
    peer.handshake()
    peer.alive()


@serial("4.1 all tries are answered with busy: closed", 8)
def _(env):
    peer = env.started()
    peer.wait_open()
    value = busy(peer, 9)
    check(value and "closed" in value, f"closed expected, {value} came")
    count = len(peer.link.of(OPEN))
    check(18 <= count <= 20, f"{count} OPENs")


@serial("4.1 RESET 6 and RESET 2 with another cookie are ignored", 2)
def _(env):
    peer = env.started()
    p = peer.wait_open()
    for reason in (b"\x06", b"\x02"):
        peer.link.send_packet(RESET, p.position ^ 1, reason, connection=0)
    peer.rest(0.6)
    peer.handshake()
    peer.alive()


@serial("4.1 an ACCEPT with another cookie, or too short, is ignored", 2)
def _(env):
    peer = env.started()
    p = peer.wait_open()
    t = now()
    peer.link.send_packet(ACCEPT, p.position ^ 1, b"\x04\x01", connection=0x1234)
    peer.link.send_packet(ACCEPT, p.position, b"\x04", connection=0x1235)
    peer.rest(0.6)
    check(not peer.link.of(DATA, since=t), "4.1 a wrong ACCEPT was taken")
    check(peer.link.of(OPEN, since=t + 0.1), "4.1 no further OPEN")
    peer.handshake()
    equal("connection", {q.connection for q in peer.link.of(DATA)}, {0x4242})


@serial("4.1 ACCEPT with a longer payload, and from an agent with a bulk lane; the same ACCEPT twice")
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.link.fresh()
    peer.link.connection = 77
    for _ in range(2):
        peer.link.send_packet(ACCEPT, peer.cookie, b"\x04\x03\x55\x55")
    peer.opened = lambda: peer
    peer.handshake()
    peer.link.send_packet(ACCEPT, peer.cookie, b"\x04\x03")
    peer.alive()
    check(not peer.link.of(PROBE), "PROBE without a bulk lane")
    check(not peer.link.of(RESET), "RESET")


@serial("4.1 packets of another connection are ignored, and not answered", 2)
def _(env):
    peer, m = asked(env)
    data = raw_answer(peer, m, 5)
    peer.unanswered.add(m.sequence)
    peer.sequence -= 1
    t = now()
    wrong = peer.link.connection ^ 0x0F0F
    for kind, position, payload, flags in (
            (DATA, len(peer.link.tx[1]), data[:40], 1), (ACK, 0x7000000, bytes(21), 0), (RESET, 0, b"\x01", 0),
            (RESET, 0, b"\x03", 0), (ACCEPT, 1, b"\x04\x01", 0)):
        peer.link.send_packet(kind, position, payload, flags, connection=wrong)
    peer.no_line(0.5, "an answer of another connection")
    check(not peer.link.of(RESET, since=t), "4.1 a host answers a stray packet with RESET")
    peer.answer("Status", m.sequence, peer.status_fields(uptime=9))
    equal("uptime", peer.line("status")["uptime"], 9)


@serial("4.1 a RESET ends the connection that it names: closed", 2)
def _(env):
    peer = env.peer()
    peer.active = False
    peer.link.send_packet(RESET, 0, b"\x01")
    peer.closed((0, 1, 3))


@serial("4.1 RESET 2 instead of ACCEPT: the session cannot be opened", 8)
def _(env):
    peer = env.started()
    p = peer.wait_open()
    value = None
    for _ in range(40):
        peer.link.send_packet(RESET, p.position, b"\x02", connection=0)
        peer.rest(0.2)
        value = peer.try_line()
        if value:
            break
    check(value and "closed" in value, f"no closed after RESET 2: {value}")


@serial("3 unknown types, reserved flags, short ACKs and DATA without bytes are ignored")
def _(env):
    peer, m = asked(env)
    data = raw_answer(peer, m, 5)
    at = len(peer.link.tx[1])
    odd = [(0, 0, b"x", 0), (7, 0, b"", 0), (255, 3, bytes(40), 0), (DATA, at, data[:40], 3),
           (DATA, at, data[:40], 5), (DATA, at, data[:40], 9), (DATA, at, b"", 1), (ACK, 0x7000000, bytes(20), 0),
           (ACK, 0x7000001, b"", 0)]
    for kind, position, payload, flags in odd:
        peer.link.send_packet(kind, position, payload, flags)
    peer.no_line(0.4, "DATA with a reserved flag")
    peer.link.put(1, data)
    equal("uptime", peer.line("status")["uptime"], 5)


@serial("10 nonsense at line speed stops nothing", 2)
def _(env):
    peer = env.peer()
    rng = random.Random(4)
    for _ in range(300):
        kind = rng.choice([0, 1, 2, 4, 5, 6, 7, 99])
        own = rng.random() < 0.3 and kind in (0, 6, 7, 99)
        number = peer.link.connection if own else peer.link.connection ^ rng.randrange(1, 65536)
        peer.link.send_packet(kind, rng.getrandbits(32), rng.randbytes(rng.choice([0, 1, 5, 21, 40])), 0,
                              connection=number)
        if rng.random() < 0.2:
            peer.link.send_raw(bytes(rng.choice(b"\0\1\2\x40\xff") for _ in range(rng.randrange(90))) + b"\0")
    peer.alive()


@serial("4.3 an ACK at least every 200 ms, numbered from 1, before the handshake and in a session", 5)
def _(env):
    peer = env.started()
    peer.opened()
    for phase in ("before the handshake", "in a session"):
        t = now()
        peer.rest(1.7)
        times = [p.t for p in peer.link.of(ACK, since=t)]
        check(len(times) >= 6, f"{len(times)} ACKs in 1.7 s {phase}")
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        middle = gaps[len(gaps) // 2]
        check(middle < 0.26, f"the median between ACKs {phase} is {middle * 1000:.0f} ms")
        if not peer.active:
            equal("number of the first ACK", peer.link.of(ACK)[0].position, 1)
            peer.opened = lambda: peer
            peer.handshake()
