"""Scenarios for hosts on serial lines: acknowledgement and sending; SPEC 4.3, 4.4."""

import random

from .host import serial
from .line import now
from .run import check, equal
from .wire import DATA, RESET

FORCE = "force 0x20000020 1000 000102030405060708090a0b0c0d0e0f"


def quiet(peer):
    """A request of the host on channel 1, while our ACKs are under our control."""
    peer.rest(0.3)
    peer.link.auto_ack = False
    t = now()
    peer.say("status")
    m = peer.expect("GetStatus")
    return t, m


def sent_again(peer, since, seconds):
    again = lambda: next((p for p in peer.link.of(DATA, since=since) if p.count and p.channel), None)
    return peer.until(again, seconds)


def finish(peer, m):
    peer.link.auto_ack = True
    peer.answer("Status", m.sequence, peer.status_fields(uptime=4))
    equal("uptime", peer.line("status")["uptime"], 4)


def first_of(peer, t):
    return next(p for p in peer.link.of(DATA, since=t) if p.channel)


@serial("4.3 an ACK whose number is not greater, and one of bytes never sent, is ignored", 3)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    for number in (peer.link.ack_number, peer.link.ack_number - 1):
        peer.link.send_ack(number=number)
    check(sent_again(peer, t, 1.2), "4.3 an ACK with an old number was taken")
    finish(peer, m)
    t, m = quiet(peer)
    peer.link.send_ack(expected=[len(peer.link.rx[0]), len(peer.link.rx[1]) + 1000])
    check(sent_again(peer, t, 1.2), "4.3 an ACK of bytes never sent was taken")
    finish(peer, m)


@serial("4.3 an ACK of less than one before it is ignored, and so is what else it says", 2)
def _(env):
    peer = env.peer()
    peer.alive()
    peer.rest(0.3)
    t, m = quiet(peer)
    end = len(peer.link.rx[1])
    t = now()
    peer.link.send_ack(expected=[len(peer.link.rx[0]), max(0, end - 40)], nack=2)
    peer.rest(0.1)
    again = [p for p in peer.link.of(DATA, since=t) if p.count and p.channel and p.t - t < 0.12]
    # The request itself is not acknowledged: a nack that counts would bring it again at once.
    check(not again, "4.3 an ACK that goes back was taken")
    finish(peer, m)


@serial("4.3 an ACK with a longer payload counts", 2)
def _(env):
    peer = env.peer()
    _, m = quiet(peer)
    peer.link.send_ack(extra=b"\1\2\3")
    check(not sent_again(peer, now() + 0.05, 0.7), "4.3 an ACK with a longer payload was not taken")
    finish(peer, m)


@serial("4.4 retransmission: 300 ms, doubled, everything from the first unacknowledged byte", 4)
def _(env):
    peer = env.peer()
    t, m = quiet(peer)
    first = first_of(peer, t)
    peer.rest(2.3)
    found = [p for p in peer.link.of(DATA, since=t) if p.position == first.position and p.count and p.channel]
    times = [first.t] + [p.t for p in found]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(len(gaps) >= 3, f"sent again {len(gaps)} times in 2.3 s")
    for got, want in zip(gaps, (0.3, 0.6, 1.2)):
        check(want * 0.8 <= got <= want * 1.25 + 0.15, f"sent again after {[round(g * 1000) for g in gaps]} ms")
    finish(peer, m)


@serial("4.4 no progress for 8 tries: RESET 5, closed", 18)
def _(env):
    peer = env.peer()
    t, _ = quiet(peer)
    first = first_of(peer, t)
    while not peer.link.resets and now() - first.t < 19 and not peer.link.closed:
        peer.link.send_ack(expected=[len(peer.link.rx[0]), first.position])
        peer.rest(0.2)
    check(peer.link.resets, "4.4 no RESET in 19 s without progress")
    equal("reason of RESET", peer.link.resets[0], 5)
    check(13 <= now() - first.t <= 18.5, f"RESET 5 after {now() - first.t:.1f} s")
    equal("4.4 tries", max(p.count for p in peer.link.of(DATA)), 8)
    peer.active = False
    peer.closed((0, 3))


def again(nack, name):
    @serial(f"4.4 an ACK that reports {name} brings retransmission at once, at most every 100 ms", 2)
    def _(env):
        peer = env.peer()
        good, most = 0, 0
        for _ in range(3):
            t, m = quiet(peer)
            at = first_of(peer, t).position
            t = now()
            for _ in range(5):
                peer.link.send_ack(expected=[len(peer.link.rx[0]), at], nack=nack)
                peer.rest(0.008)
            peer.rest(0.04)
            found = [p for p in peer.link.of(DATA, since=t) if p.count and p.channel and p.position == at]
            good += bool(found) and found[0].t - t < 0.15
            most = max(most, len(found) - (now() - t) / 0.1)
            finish(peer, m)
        check(good >= 2, f"4.4 nack {nack}: sent again at once {good} times of 3")
        check(most <= 1.5, f"4.4 sent again {most:.1f} times more than once in 100 ms")


again(2, "a gap")
again(4, "a header failure")
again(8, "a CRC failure")


def shut(peer, window):
    peer.rest(0.3)
    peer.link.windows = [8192, window]
    peer.link.deaf = {1}
    peer.link.send_ack()
    peer.rest(0.1)
    peer.link.advertised[1] = len(peer.link.rx[1]) + window


def reopen(peer):
    peer.link.deaf = set()
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    m = peer.expect("Force", 6)
    peer.answer("Done", m.sequence)
    equal("force", peer.line("force"), {"done": True})


@serial("4.4 window 0: packets of at most 16 bytes at each retransmission time", 4)
def _(env):
    peer = env.peer()
    peer.patience = 8
    shut(peer, 0)
    t = now()
    peer.say(FORCE)
    peer.rest(2.0)
    found = [p for p in peer.link.of(DATA, since=t) if p.channel]
    check(found, "4.4 nothing is sent into a window of 0")
    check(max(len(p.payload) for p in found) <= 16, "4.4 more than 16 bytes into a window of 0")
    check(len(found) <= 5, f"4.4 {len(found)} packets into a window of 0 in 2 s")
    peer.link.tolerated.add("5.6 time")
    reopen(peer)


@serial("4.4 no byte beyond the window", 2)
def _(env):
    peer = env.peer()
    shut(peer, 30)
    base = len(peer.link.rx[1])
    t = now()
    peer.say(FORCE)
    peer.rest(0.25)
    found = [p for p in peer.link.of(DATA, since=t) if p.channel]
    check(found, "4.4 nothing within the window")
    furthest = max(p.end for p in found)
    check(furthest <= base + 30, f"4.4 {furthest - base} bytes into a window of 30")
    peer.link.tolerated.add("5.6 time")
    reopen(peer)


@serial("4.4 the channel stays intact over a line that loses every third packet", 6, ("5.6 time", "5.7"))
def _(env):
    peer = env.peer()
    peer.patience = 8
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
