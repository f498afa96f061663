"""Scenarios for agents: SPEC 5."""

import struct

from .agent_link import agent
from .link import now
from .run import check, equal
from .session import PRINT, ZERO
from .wire import crc32, encode, frame

# -- handshake --------------------------------------------------------------------------------------------------------


@agent("5.3 Welcome and State say what the reference machine is")
def _(env):
    peer = env.peer()
    w = dict(peer.welcome)
    check(w.pop("device_nonce") != ZERO, "device nonce is 0")
    equal("host nonce", w.pop("host_nonce"), peer.host)
    w.pop("capabilities")
    equal("Welcome", w, dict(version=3, fingerprint=PRINT, architecture=1, registers=17, axes=3, longest_message=512, breakpoints=8, read_memory=256, forces=8,
                             policy_rules=16, heartbeat=1000, loss=3000, tolerance=5000, authority=15, name=b"reference"))
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


def refused(name, code, detail=None, raw=None, at=(0, 0, 0), either=False, **over):
    @agent(f"5.3 {name}: Error {code}, then RESET 1", 2)
    def _(env):
        for acked in (True, False):
            peer = env.opened()
            peer.link.auto_ack = acked
            t = now()
            if raw:
                peer.send_frame(raw(peer), sequence=at[0], time=at[1], epoch=at[2], nonces=(ZERO, ZERO))
            else:
                peer.send("Hello", peer.hello_fields(**over), sequence=at[0], time=at[1], epoch=at[2], nonces=(ZERO, ZERO))
            m = peer.answer(name)
            peer.is_error(m, code, detail, name)
            equal("request", m.fields["request"], at[0])
            equal("sequence, time, epoch of the Error", (m.sequence, m.time, m.epoch), (0, 0, 0))
            if not either:
                equal("5.4 nonces of the Error's tag", peer.tagged_with, (ZERO if raw else peer.host, ZERO))
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
refused("a longest message of 511 before a token that is too long", 2, 0x40, either=True, longest_message=511, token=b"x" * 385)
refused("a token of 385 bytes before versions", 19, 384, lowest_version=4, highest_version=9, token=b"x" * 385)
refused("a Hello with sequence 7", 4, at=(7, 0, 0))
refused("a Hello with time 5", 4, at=(0, 5, 0))
refused("a Hello with epoch 1", 4, at=(0, 0, 1))
refused("an unknown kind in place of Hello", 1, 0x7F, raw=lambda p: frame(0x7F, b"abc"), at=(3, 0, 0))
refused("a frame of another version in place of Hello", 24, 2, raw=lambda p: frame(0x40, b"", version=2))
refused("a kind of the agent in place of Hello", 4, raw=lambda p: frame(0x80, bytes(4)))


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
        peer.is_error(peer.answer(f"Hello with a longest message of {limit}"), 2, 0x40)
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


def frame_before_agree(name, raw, code, detail):
    @agent(f"5.3 {name} in place of Agree: Error {code}, then RESET 1", 2)
    def _(env):
        peer = env.opened()
        peer.hello()
        peer.answer("Welcome", "Welcome")
        peer.answer("State", "State")
        sequence = peer.send_frame(raw)
        peer.is_error(peer.answer(name, None, sequence), code, detail)
        peer.until(lambda: peer.link.resets, 2.2, "RESET 1")
        equal("reason of RESET", peer.link.resets[0], 1)


frame_before_agree("an unknown kind", frame(0x7F), 1, 0x7F)
frame_before_agree("a malformed Agree", frame(0x41, bytes(5)), 2, 0x41)
frame_before_agree("an Agree of another frame version", frame(0x41, bytes(4), version=7), 24, 7)


@agent("5.3 a stale or replayed Agree is discarded and counted; the next one is taken", 2)
def _(env):
    first = env.peer()
    before = first.metrics()
    peer = type(first)(first.link)
    peer.open()
    peer.hello()
    peer.answer("Welcome", "Welcome")
    peer.state_body = peer.answer("State", "State").raw[6:]
    peer.agree(sequence=0)
    later = peer.clock + 5600
    peer.agree(time=later)
    peer.agree(time=0)
    peer.silent(0.9, "a replayed, stale or disordered Agree")
    check(not peer.link.resets, "RESET after a stale Agree")
    peer.agree(time=later)
    peer.answer("the last Agree", "Done", peer.sequence)
    peer.active = True
    peer.heartbeat = 0
    after = {m["metric"]: m["value"] for m in peer.ask("ReadMetrics", time=later)["metrics"]}
    equal("metrics 5 and 6", (after[5], after[6]), (before[5] + 1, before[6] + 2))


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


@agent("5.3 the handshake's 5000 ms begin with the connection, not with Hello", 8)
def _(env):
    peer = env.opened()
    t = now()
    peer.rest(3.2)
    peer.hello()
    peer.answer("Welcome", "Welcome")
    peer.answer("State", "State")
    peer.until(lambda: peer.link.resets, t + 6.8 - now(), "5.3 RESET 1 about 5000 ms after ACCEPT")
    check(now() - t > 4.3, f"RESET after {now() - t:.1f} s")
    equal("reason of RESET", peer.link.resets[0], 1)


@agent("5.3 no Hello for 5000 ms: RESET 1", 8)
def _(env):
    peer = env.opened()
    t = now()
    peer.until(lambda: peer.link.resets, 7.5, "5.3 RESET 1 without a Hello")
    check(now() - t > 4.3, f"RESET after {now() - t:.1f} s")
    equal("reason of RESET", peer.link.resets[0], 1)
    peer.next().status()


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
    peer.refuse(9, "GetStatus", sequence=top + 60, time=0)
    peer.ask("GetStatus", sequence=top + 1)
    peer.ask("GetStatus", sequence=top + 2)
    peer.ask("GetStatus", sequence=top + 60)
    peer.sequence = top + 60
    equal("metric 6", peer.metrics().get(6), before.get(6, 0) + 2)


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
    t = peer.clock
    while peer.clock < t + 3600:
        peer.send("Heartbeat", {"run_state": 0}, time=t)
        peer.rest(0.5)
    peer.ask("GetStatus", time=t)
    while peer.clock < t + 5600:
        peer.rest(0.1)
    f = peer.refuse(8, "GetStatus", time=t)
    check(abs(f["detail"] - peer.clock) < 700, f"detail {f['detail']}, but the clock is at {peer.clock}")
    peer.send("Heartbeat", {"run_state": 0}, time=t)
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


@agent("5.5 no message while one whose sequence is lower by 63 or more is unacknowledged", 3, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.rest(0.3)
    held, count = len(peer.link.rx[0]), len(peer.log)
    peer.link.auto_ack = False
    peer.link.send_ack(windows=[60000, 60000])
    wanted = [peer.send("Release", {"addr": 0x20000020, "fingerprint": PRINT}) for _ in range(100)]
    t = now()
    while now() - t < 1.2:
        peer.link.send_ack(expected=[held, 0], windows=[60000, 60000])
        peer.rest(0.1)
    got = [m.sequence for m in peer.log[count:]]
    check(got, "no answer")
    check(got[-1] - got[0] < 63, f"5.5 message {got[-1]}, while message {got[0]} is not acknowledged")
    peer.link.auto_ack = True
    for sequence in wanted:
        peer.answer("one of 100", None, sequence, 6)


@agent("5.5 errors of the frame itself come before Stale and Disordered")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.rest(0.4)
    peer.status()
    for over in (dict(time=0), dict(time=peer.clock + 7000)):
        for raw, code in ((frame(0x7F), 1), (frame(0x28, b"x"), 2), (frame(0x28, version=3), 24), (frame(0x80, bytes(4)), 4)):
            sequence = peer.send_frame(raw, **over)
            peer.is_error(peer.answer(raw.hex(), None, sequence), code, None, raw.hex())


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
