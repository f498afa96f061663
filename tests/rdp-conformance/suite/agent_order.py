"""Scenarios for agents: channels, sequences, times, the order of commands, credit; SPEC 5.6, 8.13."""

import random

from .agents import agent, both, serial
from .frames import ANSWERS, channel_of, frame
from .run import check, equal
from .samples import SAMPLE, TOUCHING
from .session import PRINT


@both("5.6 sequences go up by one over both channels, times do not go down", 2)
def _(env):
    peer = env.peer()
    for _ in range(4):
        peer.status()
        peer.halt()
        peer.ask("Resume")
    peer.rest(1.1)
    peer.status()
    equal("sequences", sorted(m.sequence for m in peer.log), list(range(len(peer.log))))


@agent("5.6 a command on the wrong channel: Error 4 on that channel, not executed", 2)
def _(env):
    peer = env.peer()
    peer.journal()
    for kind in ANSWERS:
        peer.refuse(4, kind, SAMPLE.get(kind), channel=1 - channel_of(kind))
    s = peer.status()
    equal("run state, breakpoints", (s["run_state"], s["breakpoints"]), (1, 0))
    peer.send("Bye", {"reason": 1}, channel=1)
    peer.is_error(peer.answer("Bye on channel 1"), 4)
    check(peer.bye is None, "Bye on channel 1 was answered with Bye")
    equal("what was done", peer.journal()["journal"], [])


@agent("5.6 a Heartbeat on channel 1 is not taken for one", 1)
def _(env):
    peer = env.peer()
    before = peer.metrics()[14]
    peer.echo = False
    beat = peer.until(lambda: next((e for e in peer.events if e.name == "Heartbeat"), None), 2, "a Heartbeat")
    peer.beat(beat.fields["challenge"], channel=1)
    peer.is_error(peer.answer("a Heartbeat on channel 1"), 4)
    equal("metric 14", peer.metrics()[14], before)


# -- sequence --------------------------------------------------------------------------------------------------------

@both("5.6 a replayed sequence is discarded and counted, not answered and not executed", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    halt = peer.last_message
    before = peer.metrics()
    sequence = peer.send("Step", {"count": 1, "trace": 0})
    step = peer.last_message
    peer.answer("Step", "Done", sequence)
    peer.stopped(1, sequence)
    for _ in range(3):
        peer.send_message(step)
    old = peer.send("GetStatus")
    status = peer.last_message
    peer.answer("GetStatus", "Status", old)
    peer.send_message(status)
    peer.send("ReadAxes", sequence=old)
    peer.send_message(halt, 0)
    peer.silent(0.3, "a replayed sequence")
    peer.no_stopped(0, "a replayed Step or Halt")
    equal("metric 5", peer.metrics().get(5), before.get(5, 0) + 6)


@agent("5.6 a sequence below the last one on its channel is a replay, seen or not")
def _(env):
    peer = env.peer()
    peer.ask("GetStatus", sequence=200)
    for sequence in (199, 150, 2, 0, 200):
        peer.send("GetStatus", sequence=sequence)
    peer.silent(0.3, "a sequence that is not above the last one")
    peer.ask("GetStatus", sequence=201)
    peer.sequence = 201
    equal("metric 5", peer.metrics().get(5), 5)


@agent("5.6 each channel has an order of its own: the other's sequences do not matter")
def _(env):
    peer = env.peer()
    peer.echo = False
    peer.ask("ReadAxes", sequence=500)
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt with a smaller sequence than channel 1 had", "Done", sequence)
    peer.stopped(4, sequence)
    peer.ask("Resume", sequence=501)
    sequence = peer.send("Halt", sequence=900)
    peer.answer("Halt", "Done", sequence)
    peer.ask("GetStatus", sequence=502)
    peer.send("Halt", sequence=900)
    peer.send("Halt", sequence=899)
    peer.silent(0.2, "a replay on channel 0")


@agent("5.6 sequences may leave out any number, up to 2^32 - 2")
def _(env):
    peer = env.peer()
    peer.echo = False
    for sequence in (100, 0x7FFFFFFF, 0x80000005, 0xFFFFFFFE):
        peer.ask("GetStatus", sequence=sequence)
    peer.send("GetStatus", sequence=100)
    peer.send("GetStatus", sequence=5)
    peer.silent(0.2, "a replayed sequence")
    check(peer.bye is None, f"Bye {peer.bye}")


# -- time ------------------------------------------------------------------------------------------------------------

@both("5.6 a time from the future is stale: Error 8 with the agent's clock, not executed, counted", 1)
def _(env):
    peer = env.peer()
    before = peer.metrics().get(6, 0)
    peer.age(2000)
    for kind in ("Halt", "GetStatus", "Release"):
        f = peer.refuse(8, kind, SAMPLE.get(kind), time=peer.clock + 300)
        check(abs(f["detail"] - peer.clock) < 100, f"detail {f['detail']}, but the clock is at {peer.clock}")
    equal("run state", peer.status()["run_state"], 1)
    equal("metric 6", peer.metrics().get(6), before + 3)


@both("5.6 a time older than the tolerance is stale: Error 8; as old as the tolerance is not", 2)
def _(env):
    peer = env.peer()
    peer.age(2000)
    peer.until(lambda: peer.events and peer.heard >= 200, 2, "a Heartbeat")
    peer.status()
    peer.age(2000)
    peer.rest(0.1)
    peer.status()
    peer.age(1600)
    peer.rest(0.1)
    peer.status()
    now = peer.log[-1].time
    check(now > 560, f"the clock is at {now}")
    for kind in ("GetStatus", "Halt", "Release", "Resume"):
        peer.refuse(8, kind, SAMPLE.get(kind), time=now - 520)
    peer.ask("GetStatus", time=now - 450)
    peer.ask("GetStatus", time=now - 480)
    peer.halt()
    peer.refuse(8, "Resume", time=now - 560)
    peer.ask("Resume", time=now - 440)


@agent("5.6 a stale sequence is the last one all the same")
def _(env):
    peer = env.peer()
    peer.refuse(8, "GetStatus", time=peer.clock + 300, sequence=70)
    peer.send("GetStatus", sequence=69)
    peer.send("GetStatus", sequence=70)
    peer.silent(0.2, "a sequence that is not above a stale one")
    peer.ask("GetStatus", sequence=71)


@agent("5.6 a stale Heartbeat or Bye is counted and ignored", 1)
def _(env):
    peer = env.peer()
    before = peer.metrics().get(6, 0)
    late = peer.clock + 300
    peer.beat(0, time=late)
    peer.send("Bye", {"reason": 1}, time=late)
    peer.silent(0.3, "a stale Heartbeat or Bye")
    check(peer.bye is None, "a stale Bye was answered")
    equal("metric 6", peer.metrics().get(6), before + 2)


@agent("5.6 a stale Agree in a session is counted and ignored", 1)
def _(env):
    peer = env.peer()
    before = peer.metrics().get(6, 0)
    peer.send("Agree", {"crc": 0}, time=peer.clock + 300)
    peer.silent(0.3, "a stale Agree")
    equal("metric 6", peer.metrics().get(6), before + 1)


@agent("5.6 in time at arrival and too old at execution: stale, but for Halt and Release", 2)
def _(env):
    peer = env.peer()
    peer.age(4800)
    peer.status()
    old = peer.heard - 460
    peer.stall(700)
    get = peer.send("GetStatus", time=old)
    halt = peer.send("Halt", time=old)
    release = peer.send("Release", SAMPLE["Release"], time=old)
    got = {}
    for _ in range(3):
        m = peer.answer("answers after the stall", seconds=3)
        got[m.fields["request"]] = m
    equal("Halt and Release that arrived in time", (got[halt].name, got[release].name), ("Done", "Done"))
    peer.is_error(got[get], 8, None, "GetStatus that was executed too late")
    peer.stopped(4, halt)


@serial("5.6 a command that waits for room until it is too old is stale", 4, ("5.6 time",))
def _(env):
    peer = env.peer()
    peer.clock_tolerance, peer.patience = 800, 20
    peer.rest(0.3)
    peer.link.deaf = {1}
    peer.link.windows = [8192, 0]
    peer.link.send_ack()
    wanted = [peer.send("ReadMemory", {"addr": 0x20000040, "length": 256}) for _ in range(30)]
    peer.rest(0.2)
    peer.age(5600)
    check(peer.bye is None, f"Bye {peer.bye}")
    peer.link.deaf = set()
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    names = []
    for sequence in wanted:
        m = peer.answer("one of 30", None, sequence, 8)
        names.append(m.name if m.name == "Memory" else m.fields.get("code"))
    check(names[-1] == 8 and set(names) <= {"Memory", 8}, f"answers: {names}")


# -- order of commands -----------------------------------------------------------------------------------------------

@both("5.6 Halt overtakes every command of column A that was sent before: Error 9; others are executed", 2)
def _(env):
    peer = env.peer()
    peer.echo = False
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt", "Done", sequence)
    peer.stopped(4, sequence)
    at = 2
    for kind in TOUCHING:
        if channel_of(kind):
            peer.refuse(9, kind, SAMPLE.get(kind), sequence=at)
            at += 1
    for kind in ANSWERS:
        if kind not in TOUCHING and channel_of(kind) and kind != "Renew":
            peer.ask(kind, SAMPLE.get(kind), sequence=at)
            at += 1
    equal("run state", peer.ask("GetStatus", sequence=at)["run_state"], 2)
    peer.ask("Resume", sequence=101)
    peer.sequence = 101
    check(peer.metrics().get(6) >= len([k for k in TOUCHING if channel_of(k)]), "metric 6")


@both("5.6 Release overtakes Force and Renew that were sent before: Error 9; others are executed", 1)
def _(env):
    peer = env.peer()
    peer.echo = False
    peer.halt()
    force = peer.force()
    peer.ask("Force", force)
    sequence = peer.send("Release", SAMPLE["Release"], sequence=100)
    peer.answer("Release", "Done", sequence)
    peer.refuse(9, "Force", force, sequence=20)
    peer.refuse(9, "Renew", SAMPLE["Renew"], sequence=21)
    peer.ask("SetAxis", SAMPLE["SetAxis"], sequence=22)
    peer.ask("Resume", sequence=23)
    equal("forces", peer.ask("GetStatus", sequence=24)["forces"], 0)
    peer.sequence = 100
    peer.halt()
    peer.ask("Force", force)


@agent("5.6 a stale Halt or Release overtakes nothing")
def _(env):
    peer = env.peer()
    peer.echo = False
    peer.refuse(8, "Halt", sequence=100, time=peer.clock + 300)
    peer.refuse(8, "Release", SAMPLE["Release"], sequence=101, time=peer.clock + 300)
    peer.ask("SetBreakpoint", SAMPLE["SetBreakpoint"], sequence=20)
    m = peer.call("Force", peer.force(), sequence=21)
    check(m.fields.get("code") != 9, "Force is disordered behind a stale Release")


@agent("5.6 a disordered sequence is the last one all the same, and is refused once only")
def _(env):
    peer = env.peer()
    peer.echo = False
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt", "Done", sequence)
    peer.refuse(9, "SetBreakpoint", SAMPLE["SetBreakpoint"], sequence=20)
    for kind in ("SetBreakpoint", "GetStatus"):
        peer.send(kind, SAMPLE.get(kind), sequence=20)
        peer.send(kind, SAMPLE.get(kind), sequence=19)
    peer.silent(0.2, "a replay of what was disordered")
    peer.ask("GetStatus", sequence=21)


@agent("5.6 errors of the frame itself come before Stale and Disordered")
def _(env):
    peer = env.peer()
    peer.echo = False
    for over in (dict(), dict(time=peer.clock + 400)):
        for raw, code in ((frame(0x7F), 1), (frame(0x28, b"x"), 2), (frame(0x28, version=3), 24),
                          (frame(0x80, bytes(4)), 4)):
            sequence = peer.send_frame(raw, channel=1, **over)
            peer.is_error(peer.answer(raw.hex(), None, sequence), code, None, raw.hex())
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt", "Done", sequence)
    sequence = peer.send_frame(frame(0x11, b"x"), channel=1)
    peer.is_error(peer.answer("a malformed Resume that was overtaken", None, sequence), 2)


@agent("5.1 records of channel 0 go in front of those of channel 1 that wait", 2)
def _(env):
    """Commands for both channels arrive in a stall; the watcher knows the order."""
    peer = env.peer()
    for _ in range(3):
        peer.stall(250)
        read = peer.send("ReadMemory", {"addr": 0x20000000, "length": 200})
        halt = peer.send("Halt")
        first = peer.answer("the answer that comes first", seconds=3)
        second = peer.answer("the other one", seconds=3)
        equal("answers", {first.fields["request"], second.fields["request"]}, {read, halt})
        equal("the channel of the first one", first.channel, 0)
        peer.stopped(4)
        peer.ask("Resume")


# -- credit, answers -------------------------------------------------------------------------------------------------

@both("5.6 so many commands as the credit says, of any length, are taken at once", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    credit = peer.welcome["credit"]
    for _ in range(2):
        wanted = [peer.send("WriteMemory", dict(addr=0x20000100, fingerprint=PRINT, data=bytes([i] * 256)))
                  for i in range(credit)]
        for sequence in wanted:
            peer.answer("one of a credit", "Done", sequence)
        equal("written", peer.read(0x20000100, 4), bytes([credit - 1] * 4))
        wanted = [peer.send("ReadMemory", {"addr": 0x20000040 + i, "length": 256}) for i in range(credit)]
        for sequence in wanted:
            peer.answer("one of a credit", "Memory", sequence)


@both("10 more commands on channel 1 than the credit wait on the line; Halt does not", 3)
def _(env):
    peer = env.peer()
    wanted = [peer.send("ReadPlc", {"first": i % 8, "count": 1}) for i in range(60)]
    halt = peer.send("Halt")
    got = []
    while len(got) < 61:
        got.append(peer.answer("61 answers", seconds=6).fields["request"])
    equal("answers on channel 1 in order", [r for r in got if r != halt], wanted)
    peer.stopped(4, halt)
    peer.silent(0.1, "more answers than commands")


@agent("8.13 any frame with a right tag is answered exactly once, in order", 3)
def _(env):
    peer = env.peer()
    peer.echo = False
    rng = random.Random(11)
    kinds = [k for k in range(256) if k not in (0x42, 0x43, 0x10, 0x12, 0x13)]
    for _ in range(12):
        wanted = []
        for _ in range(4):
            raw = frame(rng.choice(kinds), rng.randbytes(rng.choice([0, 1, 4, 5, 12, 13, 17, 30, 60])))
            wanted.append(peer.send_frame(raw, channel=1))
        for sequence in wanted:
            peer.answer("a random frame", None, sequence, 6)
    peer.silent(0.2, "more answers than frames")
    peer.status()


@both("8.13 answers come in the order of the commands", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    rng = random.Random(2)
    for _ in range(10):
        wanted = []
        for _ in range(4):
            kind = rng.choice(["ReadAxes", "GetStatus", "ReadCursor", "ReadPlc", "SetBreakpoint", "ReadMemory"])
            wanted.append((peer.send(kind, SAMPLE.get(kind)), kind))
        for sequence, kind in wanted:
            m = peer.answer("one of many", None, sequence, 6)
            check(m.name in (ANSWERS[kind], "Error"), f"{kind} is answered with {m.name}")
