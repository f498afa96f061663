"""Scenarios for hosts: SPEC 2 to 4 and 10."""

import random
import struct
from time import sleep

from .host_commands import host
from .link import now
from .run import check, equal
from .wire import ACCEPT, ACK, DATA, OPEN, PROBE, RESET, encode, frame, framed, packet

COOKIES = {}


def stat(peer, **wrong):
    return packet(DATA, peer.link.connection, len(peer.link.tx[0]), b"\0\x20abc", **wrong)


def closes(name, make):
    @host(f"2.2 {name} closes the lane; the program says so and ends", 2)
    def _(env):
        peer = env.peer()
        peer.link.retransmit = peer.link.auto_ack = False
        peer.heartbeat = 0
        peer.link.send_raw(make(peer))
        peer.link.until(lambda: peer.link.closed, 2.5, "the lane is closed")
        peer.closed((0, 3), 3)


closes("length 15", lambda p: b"\0\x0f" + bytes(15))
closes("length 1023", lambda p: framed(packet(DATA, p.link.connection, 0, bytes(1007))))
closes("a wrong header check", lambda p: framed(stat(p, check=0x1234)))
closes("a payload length one less", lambda p: framed(stat(p, length=4)))
closes("a payload length one more", lambda p: framed(stat(p, length=6)))


def raw_answer(peer, m, uptime=5):
    """A record with the answer to a GetStatus, not sent, but counted as sent."""
    peer.sequence += 1
    raw = peer.message(encode("Status", **peer.status_fields(uptime=uptime), request=m.sequence), peer.sequence, peer.clock, peer.epoch)
    data = struct.pack(">H", len(raw)) + raw
    at = len(peer.link.tx[0])
    return at, data


def sent(peer, data, channel=0):
    link = peer.link
    link.tx[channel] += data
    link.sent[channel] = link.most_sent[channel] = len(link.tx[channel])


def asked(env):
    peer = env.peer()
    peer.say("status")
    return peer, peer.expect("GetStatus")


@host("2.2 packets cut anywhere in the TCP stream are read")
def _(env):
    peer, m = asked(env)
    at, data = raw_answer(peer, m)
    sent(peer, data)
    for byte in framed(packet(DATA, peer.link.connection, at, data)):
        peer.link.send_raw(bytes([byte]))
        sleep(0.002)
    equal("uptime", peer.line("status")["uptime"], 5)


@host("2.2 a packet with a wrong CRC is discarded, and the stream goes on", 2)
def _(env):
    peer, m = asked(env)
    at, data = raw_answer(peer, m)
    peer.link.send_packet(DATA, at, data, crc=0x12345678)
    peer.no_line(0.4, "an answer whose packet has a wrong CRC")
    sent(peer, data)
    peer.link.send_packet(DATA, at, data, 0x10)
    equal("uptime", peer.line("status")["uptime"], 5)
    check(peer.link.peer_ack.ack["signal_failures"] == 1, "4.3 signal lane: failures")


def prompt(env, send, want, what):
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


@host("4.3 a CRC failure is answered with an ACK at once, nack bit 3, and counted", 3)
def _(env):
    def want(peer, a):
        check(a["nack"] & 8 and not a["nack"] & 5, f"4.3 nack after a CRC failure is {a['nack']}")
    _, seen = prompt(env, lambda p: p.link.send_packet(DATA, len(p.link.tx[0]), b"zzz", crc=1), want, "a CRC failure")
    equal("4.3 signal lane: failures", [a["signal_failures"] for a in seen], [1, 2, 3, 4, 5])


@host("4.3 DATA is answered with an ACK at once", 3)
def _(env):
    prompt(env, lambda p: p.send("Heartbeat", {"run_state": 1}), lambda p, a: equal("nack", a["nack"], 0), "DATA")


@host("4.2 DATA behind a gap is discarded: ACK with nack bit 0 or 1 at once", 3)
def _(env):
    for channel in (0, 1):
        def want(peer, a, channel=channel):
            equal("4.3 nack after a gap", a["nack"] & 3, 1 << channel)
            equal("4.3 the next byte expected", a[f"expected{channel}"], len(peer.link.tx[channel]))
        peer, _ = prompt(env, lambda p, c=channel: p.link.send_packet(DATA, len(p.link.tx[c]) + 7, b"zzz", c), want, "a gap")
        peer.alive()


@host("4.2 DATA that is known is discarded, with an ACK at once", 3)
def _(env):
    peer, _ = prompt(env, lambda p: p.link.send_packet(DATA, 0, bytes(p.link.tx[0][:500]), 0x10), lambda p, a: equal("nack", a["nack"], 0), "known DATA")
    peer.alive()


@host("4.2 of DATA that is known in part, the known bytes are skipped")
def _(env):
    peer, m = asked(env)
    at, data = raw_answer(peer, m)
    sent(peer, data)
    peer.link.send_packet(DATA, at, data[:20])
    peer.rest(0.1)
    peer.link.send_packet(DATA, at + 8, b"\xee" * 12 + data[20:], 0x10)
    equal("uptime", peer.line("status")["uptime"], 5)


@host("4.2 records are cut into packets anywhere")
def _(env):
    peer = env.peer()
    peer.link.max_payload = 1
    peer.alive()
    peer.link.max_payload = 1006
    peer.say("status")
    m = peer.expect("GetStatus")
    at, data = raw_answer(peer, m, 5)
    beat = peer.message(encode("Heartbeat", run_state=1), peer.sequence + 1, peer.clock, 0)
    peer.sequence += 1
    data += struct.pack(">H", len(beat)) + beat
    sent(peer, data)
    peer.link.send_packet(DATA, at, data)
    equal("uptime", peer.line("status")["uptime"], 5)
    peer.alive()


@host("4.2 what there is no room for is left, and taken when it is sent again", 5, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.rest(0.2)
    peer.heartbeat = 0
    peer.link.ignore_window = True
    raw = b""
    for i in range(20):
        peer.sequence += 1
        m = peer.message(frame(0xF0, bytes(470)), peer.sequence, peer.clock, peer.epoch)
        raw += struct.pack(">H", len(m)) + m
    peer.link.write(0, raw)
    peer.until(lambda: peer.link.acked[0] == len(peer.link.tx[0]), 8, "4.2 all bytes taken")
    peer.link.ignore_window = False
    peer.heartbeat = 0.5
    peer.alive()


def record_fatal(name, data):
    @host(f"4.2 a record of {name} is fatal: RESET 4")
    def _(env):
        peer = env.peer()
        peer.heartbeat = 0
        peer.link.retransmit = False
        peer.link.write(0, data(peer))
        peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
        equal("reason of RESET", peer.link.resets[0], 4)
        peer.closed((0, 3, 4))


record_fatal("length 0", lambda p: bytes(20))
record_fatal("a length above the host's limit", lambda p: struct.pack(">H", min(65535, p.hello["longest_message"] + 1)) + bytes(20))


@host("4.2 a record above 512 before the handshake is fatal: RESET 4")
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
    peer.link.retransmit = False
    peer.link.write(0, struct.pack(">H", 513) + bytes(600))
    peer.link.until(lambda: peer.link.resets, 2, "4.2 RESET 4")
    equal("reason of RESET", peer.link.resets[0], 4)
    peer.closed(None)


# -- opening ----------------------------------------------------------------------------------------------------------

@host("4.1 OPEN: generation 3, no bulk lane, connection 0, a cookie that is not always the same; every 250 ms", 3)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.rest(1.6)
    opens = peer.link.of(OPEN)
    check(6 <= len(opens) <= 9, f"{len(opens)} OPENs in 1.6 s")
    check(all(p.payload[:2] == b"\x03\x01" and p.connection == 0 for p in opens), "payload or connection of OPEN")
    equal("cookies", len({p.position for p in opens}), 1)
    check(opens[0].position not in COOKIES, "4.1 the cookie is not random")
    COOKIES[opens[0].position] = True
    gaps = [b.t - a.t for a, b in zip(opens, opens[1:])]
    check(all(0.15 < g < 0.45 for g in gaps), f"4.1 OPENs after {[round(g * 1000) for g in gaps]} ms")
    peer.handshake()
    peer.alive()


@host("4.1 no answer: at most 20 OPENs, then closed", 8)
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


@host("4.1 an ACCEPT with another cookie, or too short, is ignored", 2)
def _(env):
    peer = env.started()
    p = peer.wait_open()
    t = now()
    peer.link.send_packet(ACCEPT, p.position ^ 1, b"\x03\x01", connection=0x1234)
    peer.link.send_packet(ACCEPT, p.position, b"\x03", connection=0x1235)
    peer.rest(0.6)
    check(not peer.link.of(DATA, since=t), "4.1 a wrong ACCEPT was taken")
    check(peer.link.of(OPEN, since=t + 0.1), "4.1 no further OPEN")
    peer.handshake()
    equal("connection", {q.connection for q in peer.link.of(DATA)}, {0x4242})


@host("4.1 ACCEPT with a longer payload, and from an agent with a bulk lane; the same ACCEPT twice")
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.link.connection = 77
    peer.link.send_packet(ACCEPT, peer.cookie, b"\x03\x03\x55\x55")
    peer.link.send_packet(ACCEPT, peer.cookie, b"\x03\x03\x55\x55")
    peer.session()
    peer.link.send_packet(ACCEPT, peer.cookie, b"\x03\x03")
    peer.alive()
    check(not peer.link.of(PROBE), "PROBE without a bulk lane")
    check(not peer.link.of(RESET), "RESET")


@host("4.1 packets of another connection are ignored, and not answered", 2)
def _(env):
    peer, m = asked(env)
    at, data = raw_answer(peer, m, 5)
    peer.sequence -= 1
    t = now()
    for kind, position, payload in ((DATA, at, data), (ACK, 0x7000000, bytes(21)), (RESET, 0, b"\x01"), (RESET, 0, b"\x03"), (ACCEPT, 1, b"\x03\x01")):
        peer.link.send_packet(kind, position, payload, connection=peer.link.connection ^ 0x0F0F)
    peer.no_line(0.5, "an answer of another connection")
    check(not peer.link.of(RESET, since=t), "4.1 a host answers a stray packet with RESET")
    peer.answer("Status", m.sequence, peer.status_fields(uptime=9))
    equal("uptime", peer.line("status")["uptime"], 9)


@host("4.1 a RESET ends the connection that it names: closed", 2)
def _(env):
    peer = env.peer()
    peer.link.send_packet(RESET, 0, b"\x01")
    peer.closed((0, 1, 3))


@host("4.1 RESET 2 instead of ACCEPT: the session cannot be opened", 8)
def _(env):
    peer = env.started()
    p = peer.wait_open()
    for _ in range(40):
        peer.link.send_packet(RESET, p.position, b"\x02", connection=0)
        peer.rest(0.2)
        value = peer.try_line()
        if value:
            break
    check(value and "closed" in value, f"no closed after RESET 2: {value}")


@host("3 unknown types, reserved flags, short ACKs and DATA without bytes are ignored")
def _(env):
    peer, m = asked(env)
    at, data = raw_answer(peer, m, 5)
    odd = [(0, 0, b"x", 0), (7, 0, b"", 0), (255, 3, bytes(100), 0), (DATA, at, data, 2), (DATA, at, data, 4), (DATA, at, data, 8), (DATA, at, b"", 0),
           (ACK, 0x7000000, bytes(20), 0), (ACK, 0x7000001, b"", 0)]
    for kind, position, payload, flags in odd:
        peer.link.send_packet(kind, position, payload, flags)
    peer.no_line(0.4, "DATA with a reserved flag")
    sent(peer, data)
    peer.link.send_packet(DATA, at, data)
    equal("uptime", peer.line("status")["uptime"], 5)


@host("10 nonsense at line speed stops nothing", 2)
def _(env):
    peer = env.peer()
    rng = random.Random(4)
    for _ in range(300):
        kind = rng.choice([0, 1, 2, 4, 5, 6, 7, 99])
        own = rng.random() < 0.3 and kind in (0, 6, 7, 99)
        peer.link.send_packet(kind, rng.getrandbits(32), rng.randbytes(rng.choice([0, 1, 5, 21, 40])), 0,
                              connection=peer.link.connection if own else peer.link.connection ^ rng.randrange(1, 65536))
    peer.alive()


# -- ACKs and sending -------------------------------------------------------------------------------------------------

@host("4.3 an ACK at least every 200 ms, numbered from 1, before the handshake and in a session", 5)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    for phase in ("before the handshake", "in a session"):
        t = now()
        peer.rest(2.0)
        times = [p.t for p in peer.link.of(ACK, since=t)]
        check(len(times) >= 7, f"{len(times)} ACKs in 2 s {phase}")
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        check(gaps[len(gaps) // 2] < 0.26, f"the median between ACKs {phase} is {gaps[len(gaps) // 2] * 1000:.0f} ms")
        if not peer.active:
            equal("number of the first ACK", peer.link.of(ACK)[0].position, 1)
            peer.session()


def quiet(peer):
    """A request of the host, while our ACKs are under our control."""
    peer.rest(0.3)
    peer.link.auto_ack = False
    t = now()
    peer.say("status")
    m = peer.expect("GetStatus")
    return t, m


def sent_again(peer, since, seconds):
    return peer.until(lambda: next((p for p in peer.link.of(DATA, since=since) if p.count), None), seconds)


def finish(peer, m):
    peer.link.auto_ack = True
    peer.answer("Status", m.sequence, peer.status_fields(uptime=4))
    equal("uptime", peer.line("status")["uptime"], 4)


@host("4.3 an ACK whose number is not greater, and one of bytes never sent, is ignored", 3)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    for number in (peer.link.ack_number, peer.link.ack_number - 1):
        peer.link.send_ack(number=number)
    check(sent_again(peer, t, 1.2), "4.3 an ACK with an old number was taken")
    finish(peer, m)
    t, m = quiet(peer)
    peer.link.send_ack(expected=[len(peer.link.rx[0]) + 1000, 0])
    check(sent_again(peer, t, 1.2), "4.3 an ACK of bytes never sent was taken")
    finish(peer, m)


@host("4.3 an ACK of less than one before it is ignored, and so is what else it says", 2, ("5.6",))
def _(env):
    peer = env.peer()
    peer.alive()
    peer.rest(0.3)
    for back in (1, 20):
        peer.link.send_ack(expected=[len(peer.link.rx[0]) - back, 0], nack=8)
        peer.rest(0.05)
        peer.alive()
        equal(f"epoch after an ACK of {back} less", peer.log[-1].epoch, 0)
        peer.rest(0.2)
    peer.link.send_ack(nack=8)
    peer.rest(0.05)
    peer.alive()
    equal("epoch after a good ACK", peer.log[-1].epoch, 1)


@host("4.3 an ACK with a longer payload counts", 2)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    peer.link.send_ack(extra=b"\1\2\3")
    check(not sent_again(peer, now() + 0.05, 0.7), "4.3 an ACK with a longer payload was not taken")
    finish(peer, m)


@host("4.4 retransmission: 300 ms, doubled, everything from the first unacknowledged byte", 4)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    first = next(p for p in peer.link.of(DATA, since=t))
    peer.rest(2.3)
    times = [first.t] + [p.t for p in peer.link.of(DATA, since=t) if p.position == first.position and p.count]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(len(gaps) >= 3, f"sent again {len(gaps)} times in 2.3 s")
    for got, want in zip(gaps, (0.3, 0.6, 1.2)):
        check(want * 0.8 <= got <= want * 1.25 + 0.15, f"sent again after {[round(g * 1000) for g in gaps]} ms")
    finish(peer, m)


@host("4.4 no progress for 8 tries: RESET 5, closed", 18)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    first = next(p for p in peer.link.of(DATA, since=t))
    while not peer.link.resets and now() - first.t < 19 and not peer.link.closed:
        peer.link.send_ack(expected=[first.position, 0])
        peer.rest(0.2)
    check(peer.link.resets, "4.4 no RESET in 19 s without progress")
    equal("reason of RESET", peer.link.resets[0], 5)
    check(13 <= now() - first.t <= 18, f"RESET 5 after {now() - first.t:.1f} s")
    equal("4.4 tries", max(p.count for p in peer.link.of(DATA)), 8)
    peer.closed((0, 3))


def again(nack, name, tolerate=()):
    @host(f"4.4 an ACK that reports {name} brings retransmission at once, at most every 100 ms", 2, tolerate)
    def _(env):
        peer = env.peer()
        good, most = 0, 0
        for _ in range(3):
            t, m = quiet(peer)
            at = next(p for p in peer.link.of(DATA, since=t)).position
            t = now()
            for _ in range(5):
                peer.link.send_ack(expected=[at, 0], nack=nack)
                peer.rest(0.008)
            peer.rest(0.04)
            found = [p for p in peer.link.of(DATA, since=t) if p.count and p.position == at]
            good += bool(found) and found[0].t - t < 0.15
            most = max(most, len(found) - (now() - t) / 0.1)
            finish(peer, m)
        check(good >= 2, f"4.4 nack {nack}: sent again at once {good} times of 3")
        check(most <= 1.5, f"4.4 sent again {most:.1f} times more than once in 100 ms")


again(1, "a gap")
again(4, "a header failure")
again(8, "a CRC failure")


@host("4.4 window 0: packets of at most 16 bytes at each retransmission time", 4, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    peer.link.windows = [0, 0]
    peer.link.accept_data = False
    peer.link.send_ack()
    peer.rest(0.1)
    peer.link.advertised = [len(peer.link.rx[0]), 0]
    t = now()
    peer.say("force 0x20000020 1000 000102030405060708090a0b0c0d0e0f")
    peer.rest(2.0)
    found = peer.link.of(DATA, since=t)
    check(found, "4.4 nothing is sent into a window of 0")
    check(all(len(p.payload) <= 16 for p in found), f"4.4 {max(len(p.payload) for p in found)} bytes into a window of 0")
    check(len(found) <= 5, f"4.4 {len(found)} packets into a window of 0 in 2 s")
    peer.link.accept_data = True
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    m = peer.expect("Force")
    peer.answer("Done", m.sequence)
    equal("force", peer.line("force"), {"done": True})


@host("4.4 no byte beyond the window", 2)
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    base = len(peer.link.rx[0])
    peer.link.auto_ack = peer.link.accept_data = False
    peer.link.advertised = [base, 0]
    peer.link.send_ack(windows=[30, 30])
    peer.rest(0.1)
    t = now()
    peer.say("force 0x20000020 1000 000102030405060708090a0b0c0d0e0f")
    peer.rest(0.25)
    found = peer.link.of(DATA, since=t)
    check(found, "4.4 nothing within the window")
    check(max(p.end for p in found) <= base + 30, f"4.4 {max(p.end for p in found) - base} bytes into a window of 30")
    peer.link.accept_data = peer.link.auto_ack = True
    m = peer.expect("Force")
    peer.answer("Done", m.sequence)
    peer.line("force")


@host("4.4 the channel stays intact over a line that loses every third packet", 6, ("5.3 time",))
def _(env):
    peer = env.peer()
    rng = random.Random(6)
    for i in range(10):
        peer.link.accept_data = rng.random() < 0.6
        peer.say("status")
        peer.rest(0.15)
        peer.link.accept_data = True
        m = peer.expect("GetStatus")
        peer.link.lose += rng.random() < 0.4
        peer.answer("Status", m.sequence, peer.status_fields(uptime=i))
        equal("uptime", peer.line("status")["uptime"], i)
    peer.link.lose = 0
    check(not peer.link.of(RESET), "RESET")
