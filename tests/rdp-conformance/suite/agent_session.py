"""Scenarios for agents: SPEC 5."""

import struct

from .agent_link import agent
from .link import now
from .run import check, equal
from .session import PRINT, ZERO
from .wire import RESET, crc32, encode, frame

# -- handshake --------------------------------------------------------------------------------------------------------


@agent("5.3 Welcome and State say what the reference machine is")
def _(env):
    peer = env.peer()
    w = dict(peer.welcome)
    check(w.pop("device_nonce") != ZERO, "device nonce is 0")
    equal("host nonce", w.pop("host_nonce"), peer.host)
    w.pop("capabilities")
    equal("Welcome", w, dict(version=3, fingerprint=PRINT, architecture=1, registers=17, axes=3, longest_message=512, breakpoints=8, read_memory=256, forces=4,
                             policy_rules=8, heartbeat=1000, loss=3000, tolerance=5000, authority=15, name=b"reference"))
    equal("capabilities", peer.welcome["capabilities"], 0x3F)
    equal("State", peer.state, dict(run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345))


@agent("5.3 sequence, time and epoch of Welcome are 0, State has sequence 1; tags have the right nonces; channel 0")
def _(env):
    peer = env.peer()
    welcome, state, done = peer.log[:3]
    equal("Welcome: sequence, time, epoch", (welcome.sequence, welcome.time, welcome.epoch), (0, 0, 0))
    equal("sequences of State and Done", (state.sequence, done.sequence), (1, 2))
    equal("channels", {m.channel for m in peer.log[:3]}, {0})
    check(state.time < 1000, f"time of State: {state.time}")
    equal("request of Done", done.fields["request"], 1)


@agent("5.3 tokens and authorities")
def _(env):
    for token, authority in ((b"observer", 1), (b"brief", 15), (b"operator", 15)):
        equal(f"authority of {token}", env.peer(token).welcome["authority"], authority)


def refused(name, code, detail=None, raw=None, **over):
    @agent(f"5.3 {name}: Error {code}, then RESET 1", 2)
    def _(env):
        for acked in (True, False):
            peer = env.opened()
            peer.link.auto_ack = acked
            t = now()
            if raw:
                peer.send_frame(raw(peer), sequence=0, time=0, epoch=0, nonces=(ZERO, ZERO))
            else:
                peer.hello(**over)
            m = peer.answer(name)
            peer.is_error(m, code, detail, name)
            equal("request", m.fields["request"], 0)
            check(raw or peer.tagged_with == (peer.host, ZERO), "5.4 the error is not tagged with the host nonce")
            peer.until(lambda: peer.link.resets, 2.2, "RESET 1")
            equal("reason of RESET", peer.link.resets[0], 1)
            check(acked or now() - t > 0.6, "RESET before the error was acknowledged, and before 1000 ms")
            check(not acked or now() - t < 0.9, "RESET only after 1000 ms though the error was acknowledged")
            peer.next().status()


refused("a token that is not known", 6, 1, token=b"nobody")
refused("an empty token", 6, 1, token=b"")
refused("versions 1 to 2", 7, 3, lowest_version=1, highest_version=2)
refused("versions 4 to 9", 7, 3, lowest_version=4, highest_version=9)
refused("a version before a token", 7, 3, lowest_version=4, highest_version=9, token=b"nobody")
refused("a malformed Hello", 2, 0x40, raw=lambda p: encode("Hello", **p.hello_fields()) + b"\0")


@agent("5.3 versions 1 to 255 are answered with version 3, and a long token is read")
def _(env):
    peer = env.opened()
    peer.hello(lowest_version=1, highest_version=255)
    equal("version", peer.answer("Welcome", "Welcome").fields["version"], 3)
    peer = env.opened()
    peer.hello(token=b"x" * 384)
    peer.is_error(peer.answer("a token of 384 bytes"), 6, 1)


@agent("5.3 a Hello whose longest message is below 512 is refused; 512 to 65535 is not")
def _(env):
    for limit in (0, 1, 511):
        peer = env.opened()
        peer.hello(longest_message=limit)
        peer.is_error(peer.answer(f"Hello with a longest message of {limit}"), (2, 19))
    for limit in (512, 4096, 65535):
        peer = env.opened()
        peer.hello(longest_message=limit)
        peer.answer(f"Hello with a longest message of {limit}", "Welcome")


def before_hello(kind, fields=None):
    @agent(f"5.3 {kind} in place of Hello: Error 4, tagged with zero nonces, then RESET 1", 2)
    def _(env):
        peer = env.opened()
        peer.send(kind, fields, sequence=0, time=0, nonces=(ZERO, ZERO))
        m = peer.answer(f"{kind} in place of Hello")
        peer.is_error(m, 4)
        equal("nonces of the tag", peer.tagged_with, (ZERO, ZERO))
        peer.until(lambda: peer.link.resets, 2.2, "RESET 1")
        equal("reason of RESET", peer.link.resets[0], 1)
        peer.next().status()


before_hello("GetStatus")
before_hello("Agree", {"crc": 0})
before_hello("Heartbeat", {"run_state": 0})
before_hello("Bye", {"reason": 1})
before_hello("Halt")


def before_agree(kind, fields=None, code=4):
    @agent(f"5.3 {kind} in place of Agree: Error {code}, then RESET 1; it is not executed", 2)
    def _(env):
        peer = env.opened()
        peer.hello()
        peer.answer("Welcome", "Welcome")
        peer.answer("State", "State")
        sequence = peer.send(kind, fields or (peer.hello_fields() if kind == "Hello" else None))
        m = peer.answer(f"{kind} in place of Agree", None, sequence)
        peer.is_error(m, code)
        peer.until(lambda: peer.link.resets, 2.2, "RESET 1")
        equal("reason of RESET", peer.link.resets[0], 1)
        equal("run state", peer.next().status()["run_state"], 1)


before_agree("GetStatus")
before_agree("Halt")
before_agree("Hello")
before_agree("Bye", {"reason": 1})
before_agree("Heartbeat", {"run_state": 0})
before_agree("Agree", {"crc": 1}, 23)


@agent("5.4 a wrong tag of Hello: no Welcome, closed", 2)
def _(env):
    for nonces in ((b"x" * 16, ZERO), (ZERO, b"x" * 16)):
        peer = env.opened()
        peer.send("Hello", peer.hello_fields(), sequence=0, time=0, nonces=nonces)
        peer.until(lambda: peer.answers or peer.link.resets, 1.5)
        check(not [m for m in peer.answers if m.name == "Welcome"], "Welcome to a Hello with a wrong tag")
        peer.next().status()


@agent("5.4 a wrong tag of Agree: closed, no Done", 3)
def _(env):
    peer = env.opened()
    peer.hello()
    peer.answer("Welcome", "Welcome")
    peer.state_body = peer.answer("State", "State").raw[6:]
    peer.agree(nonces=(peer.host, ZERO))
    peer.until(lambda: peer.link.resets, 2.5, "the link is ended")
    equal("reason of RESET", peer.link.resets[0], 1)
    check(not peer.answers, "an answer to Agree with a wrong tag")


@agent("5.3 Hello in a session: Error 4, and the session goes on")
def _(env):
    peer = env.peer()
    peer.refuse(4, "Hello", peer.hello_fields())
    peer.status()


@agent("5.2 the handshake ends after 5000 ms", 8)
def _(env):
    peer = env.opened()
    peer.hello()
    peer.answer("Welcome", "Welcome")
    peer.state_body = peer.answer("State", "State").raw[6:]
    peer.rest(4.0)
    check(not peer.link.resets, "the handshake ends after less than 4 s")
    peer.until(lambda: peer.link.resets, 3.5, "5.2 the handshake times out")
    equal("reason of RESET", peer.link.resets[0], 1)


@agent("5.3 device nonces are never used twice, not by a restarted agent either", 3)
def _(env):
    nonces = set()
    for _ in range(2):
        peer = env.peer()
        for _ in range(3):
            peer = peer.next()
            nonces.add(peer.device)
        env.close()
        env.worker.finish()
    equal("number of device nonces", len(nonces), 6)


@agent("5.3 the clock starts at the Welcome: times of answers", 3)
def _(env):
    peer = env.peer()
    for _ in range(3):
        peer.rest(0.7)
        peer.status()
        check(abs(peer.log[-1].time - peer.clock) < 500, f"time {peer.log[-1].time}, but it is {peer.clock}")


# -- tag --------------------------------------------------------------------------------------------------------------

def integrity(name, make):
    @agent(f"{name}: integrity lost, Bye 4, and what the session held is given back", 2)
    def _(env):
        peer = env.peer()
        peer.halt()
        peer.ask("Force", peer.force())
        peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1})
        make(peer, env)
        peer.wait_end(4, 2.5, name)
        peer.send("Bye", {"reason": 4})
        peer.until(lambda: peer.link.resets, 2.5, "RESET 1")
        equal("reason of RESET", peer.link.resets[0], 1)
        check(not peer.answers, "an answer")
        after = peer.next()
        s = after.status()
        equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
        equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))


integrity("5.4 a flipped bit in the tag", lambda p, e: p.send("GetStatus", change=lambda m: m[:-1] + bytes([m[-1] ^ 1])))
integrity("5.4 a flipped bit in the time", lambda p, e: p.send("GetStatus", change=lambda m: m[:7] + bytes([m[7] ^ 1]) + m[8:]))
integrity("5.4 a tag of the other direction", lambda p, e: p.send("GetStatus", direction=1))
integrity("5.4 a tag without the device nonce", lambda p, e: p.send("GetStatus", nonces=(p.host, ZERO)))
integrity("5.4 a tag without the host nonce", lambda p, e: p.send("GetStatus", nonces=(ZERO, p.device)))
integrity("5.4 a tag with the packet's CRC", lambda p, e: p.send("GetStatus", change=lambda m: m[:-4] + struct.pack(">I", crc32(p.host + p.device + b"\0" + m[:-4]))))
integrity("10 a message shorter than header, frame header and tag", lambda p, e: p.send("GetStatus", change=lambda m: m[:18]))
integrity("10 a message of one byte", lambda p, e: p.send("GetStatus", change=lambda m: m[:1]))
integrity("10 a frame of 5 bytes with a right tag", lambda p, e: p.send_frame(frame(0x28)[:5]))
integrity("10 a wrong magic with a right tag", lambda p, e: p.send_frame(frame(0x28, magic=b"GDBQ")))
integrity("10 a wrong magic and a wrong version", lambda p, e: p.send_frame(frame(0x28, magic=b"XXXX", version=2)))
integrity("5.6 an epoch two ahead", lambda p, e: p.send("GetStatus", epoch=2))
integrity("5.6 an epoch far away", lambda p, e: p.send("GetStatus", epoch=128))


@agent("5.4 a message of an earlier session is not taken", 2)
def _(env):
    first = env.peer()
    first.send("Halt")
    old = first.last_message
    first.answer("Halt", "Done")
    second = first.next()
    second.send_message(old)
    second.wait_end(4, 2.5, "a message of an earlier session")


# -- order, time, replay ----------------------------------------------------------------------------------------------

@agent("5.5 sequences go up by one, times do not go down", 2)
def _(env):
    peer = env.peer()
    for _ in range(12):
        peer.status()
    peer.rest(1.3)
    peer.status()
    got = [m.sequence for m in peer.log]
    equal("sequences", got, list(range(len(got))))


@agent("5.5 a replayed sequence is discarded and counted, not answered and not executed")
def _(env):
    peer = env.peer()
    peer.halt()
    before = peer.metrics()
    sequence = peer.send("Step", {"count": 1, "trace": 0})
    peer.answer("Step", "Done", sequence)
    peer.stopped(1, sequence)
    for _ in range(3):
        peer.send_message(peer.last_message)
    old = peer.send("GetStatus")
    m = peer.last_message
    peer.answer("GetStatus", "Status", old)
    peer.send_message(m)
    peer.send("ReadAxes", sequence=old)
    peer.silent(0.5, "a replayed sequence")
    check(not [e for e in peer.events if e.name == "Stopped"], "a replayed Step was executed")
    equal("metric 5", peer.metrics().get(5), before.get(5, 0) + 5)


@agent("5.5 sequence 0 and what is 64 or more behind is replayed; up to 63 behind is new")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.send("GetStatus", sequence=0)
    peer.silent(0.2, "sequence 0 again")
    t = peer.clock
    peer.ask("GetStatus", sequence=200, time=t)
    peer.ask("GetStatus", sequence=137, time=t)
    peer.ask("GetStatus", sequence=199, time=t)
    peer.ask("GetStatus", sequence=150, time=t)
    for sequence in (136, 135, 3, 137, 150, 199, 200):
        peer.send("GetStatus", sequence=sequence, time=t)
    peer.silent(0.4, "a replayed sequence")
    peer.ask("GetStatus", sequence=201, time=t)
    peer.send("GetStatus", sequence=138 - 1, time=t)
    peer.silent(0.2, "a sequence 64 behind")
    peer.ask("GetStatus", sequence=138, time=t)
    peer.sequence = 201
    equal("metric 5", peer.metrics().get(5), 9)


@agent("5.5 sequences may jump, up to 2^32 - 2")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for sequence in (100, 0x7FFFFFFF, 0x80000005, 0xFFFFFFFE):
        peer.ask("GetStatus", sequence=sequence)
    peer.send("GetStatus", sequence=100)
    peer.silent(0.3, "a replayed sequence")
    peer.ask("GetStatus", sequence=0xFFFFFFFD, time=0)
    peer.sequence = 0xFFFFFFF0


@agent("5.5 a greater sequence with a smaller time is disordered: Error 9, and the highest does not move", 2)
def _(env):
    peer = env.peer()
    peer.rest(0.7)
    peer.status()
    before = peer.metrics()
    top = peer.sequence
    peer.refuse(9, "GetStatus", sequence=top + 60, time=0)
    peer.ask("GetStatus", sequence=top + 1)
    peer.ask("GetStatus", sequence=top + 2)
    peer.sequence = top + 2
    equal("metric 6", peer.metrics().get(6), before.get(6, 0) + 1)


@agent("5.5 a smaller sequence with a greater time is disordered: Error 9", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    t = peer.clock
    peer.ask("GetStatus", sequence=50, time=t)
    peer.refuse(9, "GetStatus", sequence=40, time=t + 1)
    peer.send("GetStatus", sequence=40, time=t)
    peer.silent(0.3, "a disordered sequence again")
    peer.ask("GetStatus", sequence=41, time=t)


@agent("5.5 the same time, and a smaller time of a smaller sequence, is in order")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    t = peer.clock
    peer.ask("GetStatus", sequence=50, time=t)
    peer.ask("GetStatus", sequence=51, time=t)
    peer.ask("GetStatus", sequence=45, time=max(0, t - 1))


@agent("5.5 a time beyond the tolerance ahead is stale: Error 8 with the agent's clock, not executed; the highest moves", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics().get(6, 0)
    t = peer.clock
    peer.heartbeat = 0
    peer.sequence += 20
    f = peer.refuse(8, "Halt", time=t + 6500)
    check(abs(f["detail"] - t) < 700, f"detail {f['detail']}, but the clock is at {t}")
    peer.refuse(9, "GetStatus", time=t + 3000)
    peer.refuse(8, "GetStatus", time=t + 6600)
    s = peer.ask("GetStatus", sequence=peer.sequence - 10, time=t)
    equal("run state", s["run_state"], 1)
    peer.rest(0.1)
    s = peer.next()
    equal("run state", s.status()["run_state"], 1)
    equal("metric 6", s.metrics().get(6), before + 3)


@agent("5.5 a time within the tolerance ahead is taken", 1)
def _(env):
    peer = env.peer()
    peer.skew = 4300
    peer.status()
    peer.halt()


@agent("5.5 a time beyond the tolerance behind is stale: Error 8", 8)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    while peer.clock < 4400:
        peer.send("Heartbeat", {"run_state": 0}, time=0)
        peer.rest(0.7)
    peer.ask("GetStatus", time=0)
    while peer.clock < 5600:
        peer.rest(0.1)
    f = peer.refuse(8, "GetStatus", time=0)
    check(abs(f["detail"] - peer.clock) < 700, f"detail {f['detail']}, but the clock is at {peer.clock}")
    peer.send("Heartbeat", {"run_state": 0}, time=1)
    peer.silent(0.3, "a stale heartbeat")
    peer.status()


@agent("5.5 a disordered or stale heartbeat or Bye is counted, not answered", 2)
def _(env):
    peer = env.peer()
    peer.rest(0.5)
    peer.status()
    before = peer.metrics().get(6, 0)
    peer.send("Heartbeat", {"run_state": 0}, sequence=peer.sequence + 5, time=0)
    peer.send("Bye", {"reason": 1}, sequence=peer.sequence + 6, time=0)
    peer.send("Agree", {"crc": 0}, sequence=peer.sequence + 7, time=0)
    peer.silent(0.4, "a disordered heartbeat, Bye or Agree")
    check(peer.bye is None, "a disordered Bye was answered")
    equal("metric 6", peer.metrics().get(6), before + 3)


@agent("5.5 a command of column A below one that was accepted is disordered; others are not")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    t = peer.clock
    m = peer.call("Halt", sequence=50, time=t)
    equal("answer", m.name, "Done")
    peer.refuse(9, "SetBreakpoint", {"addr": 0x20000100, "id": 1}, sequence=49, time=t)
    peer.ask("GetStatus", sequence=48, time=t)
    peer.ask("ReadAxes", sequence=60, time=t)
    peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1}, sequence=55, time=t)
    peer.refuse(9, "Resume", sequence=54, time=t)
    peer.ask("Resume", sequence=56, time=t)


# -- epoch ------------------------------------------------------------------------------------------------------------

@agent("5.6 epochs: the newest, the one before and the one after are accepted", 2)
def _(env):
    peer = env.peer()
    for epoch in (0, 1, 0, 1, 2, 1, 2, 3):
        peer.ask("GetStatus", epoch=epoch)
    peer.send("GetStatus", epoch=1)
    peer.wait_end(4, 2.5, "an epoch two behind")


@agent("5.6 epochs go around after 255", 3)
def _(env):
    peer = env.peer()
    for epoch in list(range(1, 256)) + [0, 255, 1]:
        peer.send("Heartbeat", {"run_state": 0}, epoch=epoch)
    peer.ask("GetStatus", epoch=0)
    peer.send("GetStatus", epoch=255)
    peer.wait_end(4, 2.5, "an epoch two behind")


@agent("5.6 told of a CRC failure, the agent's epoch goes up by one, at most once in 1000 ms", 4)
def _(env):
    peer = env.peer()
    peer.status()
    equal("epoch at first", peer.log[-1].epoch, 0)
    peer.rest(0.3)
    moves = []
    for i in range(24):
        peer.link.send_ack(nack=8)
        peer.rest(0.05)
        peer.status()
        if not moves or peer.log[-1].epoch != moves[-1][1]:
            moves.append((now(), peer.log[-1].epoch))
        peer.rest(0.05)
    epochs = [e for _, e in moves]
    check(epochs and epochs[0] == 1, f"5.6 epoch after the first CRC failure: {epochs}")
    check(2 <= epochs[-1] <= 4, f"5.6 epochs in 2.6 s: {epochs}")
    for (a, _), (b, _) in zip(moves, moves[1:]):
        check(b - a > 0.85, f"5.6 two epochs within {b - a:.2f} s")


@agent("5.6 header failures and gaps do not change the epoch")
def _(env):
    peer = env.peer()
    for nack in (1, 2, 4, 7):
        peer.link.send_ack(nack=nack)
        peer.rest(0.05)
        peer.status()
        equal(f"epoch after nack {nack}", peer.log[-1].epoch, 0)


@agent("5.6 the epoch does not go up while bytes of the epoch before are unacknowledged", 5)
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    peer.link.send_ack(nack=8)
    peer.rest(0.05)
    held = len(peer.link.rx[0])
    peer.link.auto_ack = False
    peer.status()
    first = peer.log[-1].epoch
    equal("epoch", first, 1)
    t = now()
    while now() - t < 1.4:
        peer.link.send_ack(expected=[held, 0], nack=8)
        peer.rest(0.1)
    peer.status()
    second = peer.log[-1].epoch
    t = now()
    while now() - t < 1.4:
        peer.link.send_ack(expected=[held, 0], nack=8)
        peer.rest(0.1)
    peer.status()
    third = peer.log[-1].epoch
    check(second <= 2 and third <= 2, f"5.6 epochs {first}, {second}, {third}, though bytes of epoch 1 are unacknowledged")
    peer.link.auto_ack = True


# -- end --------------------------------------------------------------------------------------------------------------

@agent("5.7 a heartbeat when nothing was sent for 1000 ms, with the run state", 6)
def _(env):
    peer = env.peer()
    t = now()
    peer.rest(3.3)
    beats = [m for m in peer.log if m.name == "Heartbeat" and m.t > t]
    check(2 <= len(beats) <= 4, f"{len(beats)} heartbeats in 3.3 s")
    check(all(0.75 < b.t - a.t < 1.4 for a, b in zip(beats, beats[1:])), "the time between heartbeats is not 1000 ms")
    equal("run state, running", {m.fields["run_state"] for m in beats}, {1})
    peer.halt()
    t = now()
    peer.rest(1.4)
    beats = [m for m in peer.log if m.name == "Heartbeat" and m.t > t]
    equal("run state, stopped", {m.fields["run_state"] for m in beats}, {2})


@agent("5.7 no message for 3000 ms: Bye 2, forces released, breakpoints cleared, the machine stays stopped", 7)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1})
    peer.ask("Force", peer.force())
    peer.heartbeat = 0
    t = now()
    peer.wait_end(2, 5.5, "no heartbeat of the host")
    check(2.6 < now() - t < 4.6, f"heartbeat lost after {now() - t:.1f} s")
    peer.until(lambda: peer.link.resets, 2.5, "5.2 Disconnecting ends after 1000 ms, with RESET")
    equal("reason of RESET", peer.link.resets[0], 1)
    after = peer.next()
    s = after.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
    equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))


@agent("5.7 any message keeps the session", 6)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for _ in range(4):
        peer.rest(1.2)
        peer.status()
    check(peer.bye is None, "Bye though messages came")


@agent("5.7 Bye is answered with Bye, then RESET 1; nothing is executed after it")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", {"addr": 0x20000102, "id": 1})
    peer.active = False
    peer.send("Bye", {"reason": 1})
    peer.send("Resume")
    peer.until(lambda: peer.bye, 2, "5.7 Bye")
    peer.until(lambda: peer.link.resets, 2, "5.7 RESET 1 once Bye is acknowledged")
    equal("reason of RESET", peer.link.resets[0], 1)
    check(not peer.answers, "an answer after Bye")
    after = peer.next()
    s = after.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
    equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))
    equal("breakpoints", after.ask("ListBreakpoints", {"addr": 0, "id": 0})["breakpoints"], [])


def ends(name, how):
    @agent(f"5.7 {name} ends the session: forces released, breakpoints cleared, stopped stays stopped", 2)
    def _(env):
        peer = env.peer()
        peer.halt()
        peer.ask("SetHardwareBreakpoint", {"addr": 0x20000104, "id": 9})
        peer.ask("Force", peer.force())
        equal("forces", peer.status()["forces"], 1)
        how(peer)
        after = peer.next()
        s = after.status()
        equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
        equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))
        after.ask("SetHardwareBreakpoint", {"addr": 0x20000104, "id": 9})


ends("RESET by the host", lambda p: (p.link.send_packet(RESET, 0, b"\x01"), p.rest(0.1)))
ends("OPEN with another cookie", lambda p: None)
ends("a record of length 0", lambda p: (p.link.write(0, b"\0\0"), p.rest(0.2)))


@agent("5.7 the end of the session stops counting steps")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    equal("run state", peer.status()["run_state"], 3)
    after = peer.next()
    s = after.status()
    check(s["run_state"] != 3, "steps go on in the next session")
    equal("steps left", s["steps_left"], 0)


@agent("5.7 a running machine keeps running when the session ends")
def _(env):
    peer = env.peer()
    equal("run state", peer.next().status()["run_state"], 1)


@agent("8.8 metric 2 counts sessions, 7 wrong tags", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2.5, "a wrong tag")
    after = peer.next().metrics()
    equal("metric 2", after.get(2), before.get(2) + 1)
    equal("metric 7", after.get(7), before.get(7) + 1)
