"""Scenarios for agents: ACKs and sending; SPEC 4.3, 4.4, 8.7."""

import random

from .agent_link import agent
from .link import now
from .run import check, equal
from .wire import ACK, DATA, RESET


# -- ACKs -------------------------------------------------------------------------------------------------------------

@agent("4.3 an ACK at least every 200 ms, before the handshake and in a session", 5)
def _(env):
    peer = env.opened()
    for phase in ("before the handshake", "in a session"):
        t = now()
        peer.rest(2.2)
        times = [p.t for p in peer.link.of(ACK, since=t)]
        check(len(times) >= 8, f"{len(times)} ACKs in 2.2 s {phase}")
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        check(gaps[len(gaps) // 2] < 0.26, f"the median between ACKs {phase} is {gaps[len(gaps) // 2] * 1000:.0f} ms")
        if peer.welcome is None:
            peer.handshake()
            peer.heartbeat = 0


@agent("4.3 ACK: numbered from 1, with a window")
def _(env):
    peer = env.peer()
    peer.until(lambda: peer.link.of(ACK), 1, "4.3 ACK")
    acks = peer.link.of(ACK)
    equal("number of the first ACK", acks[0].position, 1)
    check(all(len(p.payload) >= 21 for p in acks), "an ACK is too short")
    check(acks[-1].ack["window0"] >= 512, f"a window of {acks[-1].ack['window0']}")
    peer.status()
    peer.until(lambda: peer.link.peer_ack.ack["expected0"] == len(peer.link.tx[0]), 1, "4.3 all bytes acknowledged")


def quiet_answer(peer):
    """A request whose answer comes, while our ACKs are under our control. Returns when it came and up to where it goes."""
    peer.rest(0.3)
    peer.link.auto_ack = False
    t = now()
    peer.send("GetStatus")
    peer.answer("answer to GetStatus", "Status")
    return t


def sent_again(peer, since, seconds):
    return peer.until(lambda: next((p for p in peer.link.of(DATA, since=since) if p.count), None), seconds)


@agent("4.3 an ACK whose number is not greater is ignored", 2)
def _(env):
    peer = env.peer()
    t = quiet_answer(peer)
    for number in (peer.link.ack_number, peer.link.ack_number - 1):
        peer.link.send_ack(number=number)
    check(sent_again(peer, t, 1.2), "4.3 an ACK with an old number was taken")


@agent("4.3 an ACK of bytes never sent is ignored", 2)
def _(env):
    peer = env.peer()
    t = quiet_answer(peer)
    end = len(peer.link.rx[0])
    peer.link.send_ack(expected=[end + 1000, 0])
    check(sent_again(peer, t, 1.2), "4.3 an ACK of bytes never sent was taken")
    peer.link.auto_ack = True
    peer.status()


@agent("4.3 an ACK of less than one before it is ignored, and so is what else it says", 2, ("5.6",))
def _(env):
    peer = env.peer()
    peer.status()
    peer.rest(0.3)
    end = len(peer.link.rx[0])
    for expected in ([end - 1, 0], [0, 0], [(end - 0x70000000) & 0xFFFFFFFF, 0], [end, 0xFFFFFFFF]):
        peer.link.send_ack(expected=expected, nack=8)
        peer.rest(0.05)
        equal(f"epoch after an ACK of {expected}", (peer.status(), peer.log[-1].epoch)[1], 0)
        peer.rest(0.2)
        end = len(peer.link.rx[0])
    peer.link.send_ack(nack=8)
    peer.rest(0.05)
    equal("epoch after a good ACK", (peer.status(), peer.log[-1].epoch)[1], 1)


@agent("4.3 an ACK with a longer payload counts", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    quiet_answer(peer)
    peer.link.send_ack(extra=b"\1\2\3")
    t = now()
    check(not sent_again(peer, t + 0.05, 0.7), "4.3 an ACK with a longer payload was not taken")


# -- sending ----------------------------------------------------------------------------------------------------------

@agent("4.4 retransmission: 300 ms, doubled, everything from the first unacknowledged byte", 4)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    t = quiet_answer(peer)
    first = next(p for p in peer.link.of(DATA, since=t))
    peer.rest(2.3)
    times = [first.t] + [p.t for p in peer.link.of(DATA, since=t) if p.position == first.position and p.count]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(len(gaps) >= 3, f"sent again {len(gaps)} times in 2.3 s")
    for got, want in zip(gaps, (0.3, 0.6, 1.2)):
        check(want * 0.8 <= got <= want * 1.25 + 0.15, f"sent again after {[round(g * 1000) for g in gaps]} ms")
    peer.link.auto_ack = True
    peer.status()


@agent("4.4 no progress for 8 tries: RESET 5, which ends the session", 18)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.rest(0.3)
    peer.link.auto_ack = False
    t = now()
    peer.send("GetStatus")
    peer.answer("answer to GetStatus", "Status")
    first = next(p for p in peer.link.of(DATA, since=t))
    t = first.t
    while not peer.link.resets and now() - t < 19 and not peer.link.closed:
        peer.link.send_ack(expected=[first.position, 0])
        peer.rest(0.2)
    check(peer.link.resets, "4.4 no RESET in 19 s without progress")
    equal("reason of RESET", peer.link.resets[0], 5)
    elapsed = now() - t
    check(13 <= elapsed <= 18, f"RESET 5 after {elapsed:.1f} s")
    tries = max(p.count for p in peer.link.of(DATA))
    equal("4.4 tries", tries, 8)
    equal("forces after the end", peer.next().status()["forces"], 0)


@agent("4.4 an ACK that reports a gap brings retransmission at once, but at most every 100 ms", 2)
def _(env):
    again(env, 1)


@agent("4.4 an ACK that reports a header failure brings retransmission at once", 2)
def _(env):
    again(env, 4)


@agent("4.4 an ACK that reports a CRC failure brings retransmission at once", 2, ("5.6",))
def _(env):
    again(env, 8)


def again(env, nack):
    peer = env.peer()
    peer.heartbeat = 0
    good, most = 0, 0
    for _ in range(3):
        t = quiet_answer(peer)
        end = next(p for p in peer.link.of(DATA, since=t)).position
        t = now()
        for _ in range(5):
            peer.link.send_ack(expected=[end, 0], nack=nack)
            peer.rest(0.008)
        peer.rest(0.04)
        found = [p for p in peer.link.of(DATA, since=t) if p.count and p.position == end]
        good += bool(found) and found[0].t - t < 0.15
        most = max(most, len(found) - (now() - t) / 0.1)
        peer.link.auto_ack = True
        peer.rest(0.3)
    check(good >= 2, f"4.4 nack {nack}: sent again at once {good} times of 3")
    check(most <= 1.5, f"4.4 sent again {most:.1f} times more than once in 100 ms")
    peer.status()


@agent("4.4 nothing unacknowledged: a nack brings nothing")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.rest(0.4)
    t = now()
    for _ in range(5):
        peer.link.send_ack(nack=1)
        peer.rest(0.05)
    check(not [p for p in peer.link.of(DATA, since=t) if p.count], "4.4 sent again though all is acknowledged")


@agent("4.4 window 0: packets of at most 16 bytes at each retransmission time", 4, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.rest(0.4)
    peer.link.windows = [0, 0]
    peer.link.advertised = [len(peer.link.rx[0]), 0]
    peer.link.accept_data = False
    peer.link.send_ack()
    peer.rest(0.1)
    peer.link.advertised = [len(peer.link.rx[0]), 0]
    t = now()
    peer.send("ReadMemory", {"addr": 0x20000000, "length": 100})
    peer.rest(2.2)
    found = peer.link.of(DATA, since=t)
    check(found, "4.4 nothing is sent into a window of 0")
    check(all(len(p.payload) <= 16 for p in found), f"4.4 {max(len(p.payload) for p in found)} bytes into a window of 0")
    for channel in (0, 1):
        count = sum(p.channel == channel for p in found)
        check(count <= 4, f"4.4 {count} packets into a window of 0 in 2.2 s")
    peer.link.accept_data = True
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    peer.answer("once the window opens", "Memory")


@agent("4.4 no byte beyond the window", 3)
def _(env):
    peer = env.peer()
    peer.rest(0.4)
    base = len(peer.link.rx[0])
    peer.link.auto_ack = False
    peer.link.accept_data = False
    peer.link.advertised = [base, 0]
    peer.link.send_ack(windows=[50, 50])
    t = now()
    peer.rest(0.1)
    peer.send("ReadMemory", {"addr": 0x20000000, "length": 20})
    peer.send("ReadMemory", {"addr": 0x20000000, "length": 20})
    peer.rest(0.25)
    found = peer.link.of(DATA, since=t)
    check(found, "4.4 nothing within the window")
    check(max(p.end for p in found) <= base + 50, f"4.4 {max(p.end for p in found) - base} bytes into a window of 50")
    peer.link.accept_data = True
    peer.link.auto_ack = True
    peer.answer("first", "Memory")
    peer.answer("second", "Memory")


@agent("4.4 the channel stays intact over a line that loses every third packet", 5, ("5.3 time",))
def _(env):
    peer = env.peer()
    rng = random.Random(5)
    wanted = []
    for i in range(12):
        peer.link.lose += rng.random() < 0.4
        peer.link.accept_data = rng.random() < 0.6
        wanted.append(peer.send("ReadPlc", {"first": i % 8, "count": 1}))
        peer.rest(0.05)
    peer.link.accept_data = True
    peer.link.lose = 0
    for i, sequence in enumerate(wanted):
        m = peer.answer("over a lossy line", "Plc", sequence, 6)
        equal("register", m.fields["registers"], [100 + i % 8])
    check(peer.link.counted()[RESET] == 0, "RESET")


@agent("8.7 when there is no room for answers, commands wait: nothing is lost, nothing twice", 4, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.halt()
    peer.rest(0.3)
    peer.link.windows = [0, 0]
    peer.link.auto_ack = False
    peer.link.accept_data = False
    peer.link.send_ack()
    peer.link.advertised = [len(peer.link.rx[0]), len(peer.link.rx[1])]
    wanted = []
    for i in range(30):
        wanted.append((peer.send("ReadMemory", {"addr": 0x20000040 + i, "length": 200}), i))
    peer.rest(0.8)
    peer.link.accept_data = peer.link.auto_ack = True
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    for sequence, i in wanted:
        m = peer.answer(f"answer {i} of 30", "Memory", sequence, 8)
        equal("data", m.fields["data"], bytes((0x40 + i + k) % 251 for k in range(200)))
    peer.silent(0.3, "more answers than commands")
