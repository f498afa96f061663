"""Scenarios for agents on serial lines: acknowledgement and sending; SPEC 4.3, 4.4, 5.6, 8.13."""

import random

from .agents import serial
from .line import now
from .run import check, equal
from .wire import DATA, RESET


def quiet_answer(peer):
    """A request whose answer comes on channel 1, while our ACKs are under our control. Returns when it was sent."""
    peer.rest(0.3)
    peer.link.auto_ack = False
    t = now()
    sequence = peer.send("GetStatus")
    peer.answer("answer to GetStatus", "Status", sequence)
    return t


def sent_again(peer, since, seconds):
    again = lambda: next((p for p in peer.link.of(DATA, since=since) if p.count and p.channel), None)
    return peer.until(again, seconds)


@serial("4.3 an ACK whose number is not greater is ignored", 2)
def _(env):
    peer = env.peer()
    t = quiet_answer(peer)
    for number in (peer.link.ack_number, peer.link.ack_number - 1):
        peer.link.send_ack(number=number)
    check(sent_again(peer, t, 1.2), "4.3 an ACK with an old number was taken")


@serial("4.3 an ACK of bytes never sent is ignored", 2)
def _(env):
    peer = env.peer()
    t = quiet_answer(peer)
    peer.link.send_ack(expected=[len(peer.link.rx[0]), len(peer.link.rx[1]) + 1000])
    check(sent_again(peer, t, 1.2), "4.3 an ACK of bytes never sent was taken")
    peer.link.auto_ack = True
    peer.status()


@serial("4.3 an ACK of less than one before it is ignored, and so is what else it says", 2)
def _(env):
    """A gap that such an ACK reports brings no retransmission."""
    peer = env.peer()
    peer.status()
    peer.rest(0.3)
    t = quiet_answer(peer)
    end = len(peer.link.rx[1])
    t = now()
    for back in (30, 31, 32):
        peer.link.send_ack(expected=[len(peer.link.rx[0]), end - 60 - back], nack=2)
    peer.rest(0.1)
    check(not [p for p in peer.link.of(DATA, since=t) if p.count and p.channel and p.t - t < 0.12],
          "4.3 an ACK that goes back was taken")
    peer.link.auto_ack = True
    peer.status()


@serial("4.3 an ACK with a longer payload counts", 2)
def _(env):
    peer = env.peer()
    quiet_answer(peer)
    peer.link.send_ack(extra=b"\1\2\3")
    t = now()
    check(not sent_again(peer, t + 0.05, 0.7), "4.3 an ACK with a longer payload was not taken")


@serial("4.4 retransmission: 300 ms, doubled, everything from the first unacknowledged byte", 4)
def _(env):
    peer = env.peer()
    t = quiet_answer(peer)
    first = next(p for p in peer.link.of(DATA, since=t) if p.channel)
    peer.rest(2.3)
    again = [p for p in peer.link.of(DATA, since=t) if p.position == first.position and p.count and p.channel]
    times = [first.t] + [p.t for p in again]
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(len(gaps) >= 3, f"sent again {len(gaps)} times in 2.3 s")
    for got, want in zip(gaps, (0.3, 0.6, 1.2)):
        check(want * 0.8 <= got <= want * 1.25 + 0.15, f"sent again after {[round(g * 1000) for g in gaps]} ms")
    equal("3 retransmissions", [p.count for p in again[:3]], [1, 2, 3])
    peer.link.auto_ack = True
    peer.status()


@serial("4.4 no progress for 8 tries: RESET 5, which ends the session", 6)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    t = quiet_answer(peer)
    first = next(p for p in peer.link.of(DATA, since=t) if p.channel)
    passed = 0
    while not peer.link.resets and passed < 22000:
        # Channel 0 goes on, so that the host is not lost; channel 1 is not acknowledged.
        peer.link.send_ack(expected=[len(peer.link.rx[0]), first.position])
        peer.clock_jump(300)
        peer.link.send_ack(expected=[len(peer.link.rx[0]), first.position])
        peer.rest(0.04)
        passed += 340
    check(peer.link.resets, "4.4 no RESET in 22 s without progress")
    equal("reason of RESET", peer.link.resets[0], 5)
    check(13000 <= passed <= 20500, f"RESET 5 after {passed} ms")
    equal("4.4 tries", max(p.count for p in peer.link.of(DATA) if p.channel), 8)
    peer.active = False
    j = peer.journal()
    equal("the force is released, the reaction comes first", j["journal"], ["react", "release 536870944"])
    equal("forces after the end", peer.next().status()["forces"], 0)


def again(nack, name):
    @serial(f"4.4 an ACK that reports {name} brings retransmission at once, but at most every 100 ms", 2)
    def _(env):
        peer = env.peer()
        good, most = 0, 0
        for _ in range(3):
            t = quiet_answer(peer)
            at = next(p for p in peer.link.of(DATA, since=t) if p.channel).position
            t = now()
            for _ in range(5):
                peer.link.send_ack(expected=[len(peer.link.rx[0]), at], nack=nack)
                peer.rest(0.008)
            peer.rest(0.04)
            found = [p for p in peer.link.of(DATA, since=t) if p.count and p.channel and p.position == at]
            good += bool(found) and found[0].t - t < 0.15
            most = max(most, len(found) - (now() - t) / 0.1)
            peer.link.auto_ack = True
            peer.rest(0.3)
        check(good >= 2, f"4.4 nack {nack}: sent again at once {good} times of 3")
        check(most <= 1.5, f"4.4 sent again {most:.1f} times more than once in 100 ms")
        peer.status()


again(2, "a gap")
again(4, "a header failure")
again(8, "a CRC failure")


@serial("4.4 nothing unacknowledged, or a gap on the other channel: a nack brings nothing")
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    t = now()
    for _ in range(5):
        peer.link.send_ack(nack=15)
        peer.rest(0.03)
    check(not [p for p in peer.link.of(DATA, since=t) if p.count], "4.4 sent again though all is acknowledged")
    t = quiet_answer(peer)
    at = next(p for p in peer.link.of(DATA, since=t) if p.channel).position
    t = now()
    peer.link.send_ack(expected=[len(peer.link.rx[0]), at], nack=1)
    peer.rest(0.1)
    again = [p for p in peer.link.of(DATA, since=t) if p.count and p.channel]
    check(not again, "4.4 a gap on channel 0 brings channel 1 again")
    peer.link.auto_ack = True


def close_windows(peer, window=0):
    """From here on nothing is taken, and there is so much room."""
    peer.rest(0.4)
    peer.link.windows = [window, window]
    peer.link.accept_data = False
    peer.link.send_ack()
    peer.rest(0.1)
    peer.link.advertised = [len(peer.link.rx[0]) + window, len(peer.link.rx[1]) + window]


def open_windows(peer):
    peer.link.accept_data = peer.link.auto_ack = True
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()


@serial("4.4 window 0: packets of at most 16 bytes at each retransmission time", 4, ("5.6 time",))
def _(env):
    peer = env.peer()
    close_windows(peer)
    t = now()
    sequence = peer.send("ReadMemory", {"addr": 0x20000000, "length": 100})
    peer.rest(2.0)
    found = peer.link.of(DATA, since=t)
    check([p for p in found if p.channel], "4.4 nothing is sent into a window of 0")
    most = max(len(p.payload) for p in found)
    check(most <= 16, f"4.4 {most} bytes into a window of 0")
    for channel in (0, 1):
        count = sum(p.channel == channel for p in found)
        check(count <= 5, f"4.4 {count} packets into a window of 0 in 2 s")
    open_windows(peer)
    peer.answer("once the window opens", "Memory", sequence)


@serial("4.4 no byte beyond the window", 3, ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.rest(0.4)
    base = len(peer.link.rx[1])
    peer.link.auto_ack = peer.link.accept_data = False
    peer.link.advertised = [len(peer.link.rx[0]) + 50, base]
    peer.link.send_ack(windows=[50, 50])
    t = now()
    peer.rest(0.1)
    for _ in range(2):
        peer.send("ReadMemory", {"addr": 0x20000000, "length": 20})
    peer.rest(0.25)
    found = [p for p in peer.link.of(DATA, since=t) if p.channel]
    check(found, "4.4 nothing within the window")
    furthest = max(p.end for p in found)
    check(furthest <= base + 50, f"4.4 {furthest - base} bytes into a window of 50")
    open_windows(peer)
    peer.answer("first", "Memory")
    peer.answer("second", "Memory")


@serial("4.4 the channel stays intact over a line that loses every third packet", 5, ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.clock_tolerance = 800
    peer.patience = 8
    rng = random.Random(5)
    for i in range(12):
        peer.link.lose += rng.random() < 0.4
        peer.link.accept_data = rng.random() < 0.6
        sequence = peer.send("ReadPlc", {"first": i % 8, "count": 1})
        peer.rest(0.05)
        peer.link.accept_data = True
        m = peer.answer("over a lossy line", "Plc", sequence, 6)
        equal("register", m.fields["registers"], [100 + i % 8])
    check(not peer.link.of(RESET), "RESET")


@serial("5.6 answers that find no room on channel 1 wait, and Halt does not: it is answered and Stopped comes", 4,
        ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.clock_tolerance, peer.patience = 800, 8
    peer.rest(0.3)
    held = len(peer.link.rx[1])
    # Channel 1 is shut: what comes on it is lost on its way. Channel 0 stays open.
    peer.link.deaf = {1}
    peer.link.windows = [8192, 0]
    peer.link.send_ack()
    wanted = [peer.send("ReadMemory", {"addr": 0x20000040 + i, "length": 256}) for i in range(4)]
    peer.rest(0.3)
    t = now()
    peer.halt()
    check(now() - t < 0.3, f"Halt took {now() - t:.2f} s behind answers on channel 1")
    equal("bytes taken on channel 1", len(peer.link.rx[1]), held)
    peer.link.deaf = set()
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    for i, sequence in enumerate(wanted):
        m = peer.answer(f"answer {i} of 4", "Memory", sequence, 8)
        equal("data", m.fields["data"], bytes((0x40 + i + k) % 251 for k in range(256)))
    peer.silent(0.2, "more answers than commands")


@serial("8.4 traced steps over a slow line: every Stopped comes, Halt ends them", 5, ("5.6 time", "4.3"))
def _(env):
    peer = env.peer()
    peer.clock_tolerance, peer.patience = 800, 8
    peer.halt()
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    peer.link.auto_ack = False
    t = now()
    while now() - t < 1.5:
        # 40 ACKs a second, each with room for little more than one Stopped.
        peer.link.send_ack(windows=[120, 120])
        peer.rest(0.025)
    check(peer.bye is None, f"8.4 Bye {peer.bye}")
    halt = peer.send("Halt")
    peer.link.auto_ack = True
    peer.answer("Halt", "Done", halt)
    steps = 0
    while True:
        f = peer.stopped()
        if f["reason"] == 4:
            break
        steps += 1
        equal("reason, request, more", (f["reason"], f["request"], f["more"]), (1, sequence, 1))
    equal("its request, more", (f["request"], f["more"]), (halt, 0))
    check(steps > 5, f"{steps} steps")


def stepping_slowly(env):
    """Traced steps are under way, and what comes on channel 1 is lost on its way from now on."""
    peer = env.peer()
    peer.clock_tolerance, peer.patience = 800, 8
    peer.halt()
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    return peer


@serial("8.4 no step begins as long as an answer on channel 1 has not been acknowledged", 3, ("5.6 time",))
def _(env):
    peer = stepping_slowly(env)
    peer.rest(0.1)
    peer.link.deaf = {1}
    sequence = peer.send("GetStatus")
    peer.rest(0.3)
    peer.journal()
    peer.rest(0.4)
    equal("steps behind an answer that is not acknowledged", peer.journal()["journal"], [])
    peer.link.deaf = set()
    peer.answer("GetStatus", "Status", sequence)
    peer.rest(0.2)
    check("step" in peer.journal()["journal"], "no steps once it is acknowledged")
    peer.halt_steps()


@serial("8.4 no command of channel 1 is executed while a Stopped that is due has found no room", 3, ("5.6 time",))
def _(env):
    peer = stepping_slowly(env)
    peer.rest(0.1)
    peer.link.deaf = {0}
    peer.link.windows = [0, 8192]
    peer.link.send_ack()
    # Stopped fill what room there is on channel 0.
    peer.rest(0.8)
    sequence = peer.send("GetStatus")
    peer.silent(0.4, "a command of channel 1 before a Stopped that is due")
    peer.link.deaf = set()
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    peer.answer("GetStatus once there is room", "Status", sequence, 6)
    peer.halt_steps()


@serial("5.6 four commands on channel 0 find room for their answers, whatever Heartbeats and Stopped take", 3,
        ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.clock_tolerance, peer.patience = 800, 8
    peer.halt()
    addresses = [0x20000020 + 4 * i for i in range(4)]
    for addr in addresses:
        peer.ask("Force", peer.force(addr=addr))
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    peer.link.deaf = {0}
    peer.link.windows = [0, 8192]
    peer.link.send_ack()
    peer.rest(0.8)
    peer.journal()
    wanted = [peer.send("Release", {"addr": addr, "fingerprint": b"reference-mach01"}) for addr in addresses]
    peer.rest(0.4)
    done = [x for x in peer.journal()["journal"] if x != "step"]
    equal("what was executed while nothing leaves on channel 0", done, [f"release {addr}" for addr in addresses])
    peer.link.deaf = set()
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    for sequence in wanted:
        peer.answer("a command on channel 0", "Done", sequence, 6)
    peer.halt_steps()
