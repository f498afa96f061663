"""Scenarios for agents: the handshake and the tag; SPEC 5.4, 5.5."""

import struct

from .agents import agent, both, serial
from .frames import encode, frame
from .line import now
from .run import check, equal
from .session import PRINT, ZERO
from .wire import crc32, crc32c

WELCOME = dict(
    version=3, fingerprint=PRINT, architecture=1, registers=17, axes=3, capabilities=0xFF, generation=1,
    longest_message=512, credit=4, breakpoints=8, read_memory=256, forces=8, policy_rules=16, longest_lease=60000,
    heartbeat=1000, loss=3000, tolerance=5000, stall=500, halt=1, trap=1, on_loss=2, authority=31, expires=3600,
    audit_version=1, audit=1, audit_lost=0, lifecycle=0, suite=0, suites=[0], name=b"reference")
STATE = dict(
    run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345,
    modified=0, stuck=0, last_reason=0, last_detail=0, cause=0, ended=[])


@both("5.4 Welcome and State say what the reference machine is")
def _(env):
    peer = env.peer()
    w = dict(peer.welcome)
    check(w.pop("device_nonce") != ZERO, "device nonce is 0")
    equal("host nonce", w.pop("host_nonce"), peer.host)
    w.pop("boot")
    equal("Welcome", w, WELCOME)
    equal("State", peer.state, STATE)


@both("5.4 sequence and time of Welcome are 0, State has sequence 1, Done 2; all of it on channel 0")
def _(env):
    peer = env.peer()
    welcome, state, done = peer.log[:3]
    equal("Welcome: sequence, time", (welcome.sequence, welcome.time), (0, 0))
    equal("sequences of State and Done", (state.sequence, done.sequence), (1, 2))
    equal("channels", {m.channel for m in peer.log[:3]}, {0})
    check(state.time < 100, f"time of State: {state.time}")
    equal("request of Done", done.fields["request"], 1)


@agent("5.4 tokens, authorities, and for how long", 2)
def _(env):
    for token, authority, expires in ((b"observer", 1, None), (b"brief", 31, 1), (b"operator", 31, 3600),
                                      (b"control", 3, 3600)):
        w = env.peer(token).welcome
        env.lines[-1].gone()
        env.lines.pop()
        equal(f"authority of {token}", w["authority"], authority)
        if expires is not None:
            check(0 <= expires - w["expires"] <= 1, f"{token} expires in {w['expires']} s")


@agent("5.4 the number of the boot is one more with each start of the agent")
def _(env):
    boots = []
    for _ in range(3):
        boots.append(env.peer().welcome["boot"])
        env.lines[-1].gone()
    equal("boots", boots, [boots[0] + i for i in range(3)])


def ended(peer, seconds, what):
    """RESET 1 on a serial line; a closed stream."""
    peer.until(lambda: peer.link.resets or peer.link.closed, seconds, what)
    if peer.link.serial:
        equal("reason of RESET", peer.link.resets[:1], [1])


def refused(name, code, detail=None, raw=None, at=(0, 0), channel=0, **over):
    def play(env):
        peer = env.opened()
        peer.sequence = 0
        if raw:
            peer.send_frame(raw(peer), sequence=at[0], time=at[1], nonces=(ZERO, ZERO), channel=channel)
        else:
            peer.send("Hello", peer.hello_fields(**over), sequence=at[0], time=at[1], nonces=(ZERO, ZERO),
                      channel=channel)
        m = peer.answer(name)
        peer.is_error(m, code, detail, name)
        equal("request", m.fields["request"], at[0])
        equal("sequence, time, channel of the Error", (m.sequence, m.time, m.channel), (0, 0, channel))
        equal("5.5 nonces of the Error's tag", peer.tagged_with, (ZERO if raw else peer.host, ZERO))
        ended(peer, 2.2, f"5.4 {name}: the line's end")
        check(len(peer.log) == 1, "more than the Error")
        return peer

    @agent(f"5.4 {name}: Error {code}, then the stream is closed")
    def _(env):
        play(env)
        env.peer().status()
    return play


REFUSED = [
    refused("a token that is not known", 6, 1, token=b"nobody"),
    refused("an empty token", 6, 1, token=b""),
    refused("versions 1 to 2", 7, 3, lowest_version=1, highest_version=2),
    refused("versions 4 to 9", 7, 3, lowest_version=4, highest_version=9),
    refused("a version before a token", 7, 3, lowest_version=4, highest_version=9, token=b"nobody"),
    refused("a malformed Hello", 2, 0x40, raw=lambda p: encode("Hello", **p.hello_fields()) + b"\0"),
    refused("a token of 385 bytes before versions", 19, 384, lowest_version=4, highest_version=9, token=b"x" * 385),
    refused("a Hello with time 5", 4, at=(0, 5)),
    refused("a Hello with sequence 7", 4, at=(7, 0)),
    refused("a Hello on channel 1", 4, channel=1),
    refused("an unknown kind in place of Hello", 1, 0x7F, raw=lambda p: frame(0x7F, b"abc"), at=(3, 0)),
    refused("a frame of another version in place of Hello", 24, 2, raw=lambda p: frame(0x40, b"", version=2)),
    refused("a kind of the agent in place of Hello", 4, raw=lambda p: frame(0x80, bytes(4))),
    refused("GetStatus in place of Hello, on channel 0", 4, raw=lambda p: frame(0x28)),
    refused("GetStatus in place of Hello, on channel 1", 4, raw=lambda p: frame(0x28), channel=1),
    refused("Halt in place of Hello", 4, raw=lambda p: frame(0x10)),
    refused("Agree in place of Hello", 4, raw=lambda p: encode("Agree", crc=0)),
    refused("Heartbeat in place of Hello", 4, raw=lambda p: encode("Heartbeat", run_state=0, challenge=0)),
    refused("Bye in place of Hello", 4, raw=lambda p: encode("Bye", reason=1)),
    refused("a SealRecord of a suite that is not known", 26, 0,
            raw=lambda p: encode("SealRecord", suite=7, record=b"e")),
]


def refused_serial(name, play):
    @serial(f"5.4 {name}: RESET 1 once the Error is acknowledged, or after 1000 ms", 3)
    def _(env):
        t = now()
        play(env)
        check(now() - t < 0.9, "RESET only after 1000 ms though the error was acknowledged")
        peer = env.opened()
        peer.link.auto_ack = False
        t = now()
        peer.sequence = 0
        peer.send("Hello", peer.hello_fields(token=b"nobody"), sequence=0, time=0, nonces=(ZERO, ZERO))
        peer.is_error(peer.answer(name), 6)
        ended(peer, 2.2, "RESET 1")
        check(now() - t > 0.6, "RESET before the error was acknowledged, and before 1000 ms")


refused_serial("a token that is not known", REFUSED[0])


@agent("5.4 a longest message below 512 is refused, before a token that is too long; 512 to 65535 is not", 2)
def _(env):
    for limit, token in ((0, b"x"), (511, b"operator"), (511, b"x" * 385)):
        peer = env.opened()
        peer.hello(longest_message=limit, token=token)
        peer.is_error(peer.answer(f"Hello with a longest message of {limit}"), 2, 0x40)
        ended(peer, 1.5, "the stream's end")
    for limit in (512, 4096, 65535):
        peer = env.opened()
        peer.hello(longest_message=limit)
        peer.answer(f"Hello with a longest message of {limit}", "Welcome")


@agent("5.4 versions 1 to 255 are answered with version 3, and a token of 384 bytes is read")
def _(env):
    peer = env.opened()
    peer.hello(lowest_version=1, highest_version=255)
    equal("version", peer.answer("Welcome", "Welcome").fields["version"], 3)
    peer = env.opened()
    peer.hello(token=b"x" * 384)
    peer.is_error(peer.answer("a token of 384 bytes"), 6, 1)


@agent("5.4 a host may offer other suites, or none that the agent has: suite 0 is in use", 1)
def _(env):
    for suites in ([], [0, 7, 65535], [9]):
        peer = env.opened()
        peer.hello(suites=suites)
        w = peer.answer("Welcome", "Welcome").fields
        equal("suite, suites", (w["suite"], w["suites"]), (0, [0]))


def before_agree(name, make, code, detail=None, channel=0):
    @agent(f"5.4 {name} in place of Agree: Error {code}, then the stream is closed; it is not executed")
    def _(env):
        peer = env.opened().welcomed()
        peer.journal()
        sequence = peer.send_frame(make(peer), channel=channel)
        m = peer.answer(f"{name} in place of Agree", None, sequence)
        peer.is_error(m, code, detail)
        ended(peer, 2.2, "the stream's end")
        equal("what was done", env.knob("journal")["journal"], [])


before_agree("GetStatus", lambda p: frame(0x28), 4, channel=1)
before_agree("Halt", lambda p: frame(0x10), 4)
before_agree("Hello", lambda p: encode("Hello", **p.hello_fields()), 4)
before_agree("Bye", lambda p: encode("Bye", reason=1), 4)
before_agree("Heartbeat", lambda p: encode("Heartbeat", run_state=0, challenge=0), 4)
before_agree("SealRecord", lambda p: encode("SealRecord", suite=0, record=b""), (4, 26))
before_agree("Agree with another CRC", lambda p: encode("Agree", crc=1), 23)
before_agree("Agree on channel 1", lambda p: encode("Agree", crc=crc32(p.state_body)), 4, channel=1)
before_agree("an unknown kind", lambda p: frame(0x7F), 1, 0x7F)
before_agree("a malformed Agree", lambda p: frame(0x41, bytes(5)), 2, 0x41)
before_agree("an Agree of another frame version", lambda p: frame(0x41, bytes(4), version=7), 24, 7)


@agent("5.6 a replayed or stale Agree is discarded and counted, not answered; the next one is taken", 2)
def _(env):
    peer = env.opened().welcomed()
    peer.agree(sequence=0)
    peer.agree(sequence=1, time=5000)
    peer.silent(0.4, "a replayed or stale Agree")
    check(not peer.link.closed, "the stream is closed after a stale Agree")
    peer.sequence = 1
    peer.agree()
    peer.answer("the last Agree", "Done", peer.sequence)
    peer.active = True
    m = peer.metrics()
    equal("metrics 5 and 6", (m[5], m[6]), (1, 1))


@agent("5.5 a wrong tag of Hello: no Welcome, closed", 2)
def _(env):
    for nonces, over in (((b"x" * 16, ZERO), {}), ((ZERO, b"x" * 16), {}), ((ZERO, ZERO), {"tag_channel": 1}),
                         ((ZERO, ZERO), {"direction": 1})):
        peer = env.opened()
        peer.send("Hello", peer.hello_fields(), sequence=0, time=0, nonces=nonces, **over)
        peer.until(lambda: peer.answers or peer.link.closed, 2)
        check(not [m for m in peer.answers if m.name == "Welcome"], "Welcome to a Hello with a wrong tag")
        check(peer.link.closed, "the stream is not closed")


@agent("5.5 a wrong tag of Agree: closed, no Done", 2)
def _(env):
    peer = env.opened().welcomed()
    peer.agree(nonces=(peer.host, ZERO))
    ended(peer, 2.5, "the stream's end")
    check(not peer.answers, "an answer to Agree with a wrong tag")


@agent("5.4 Hello in a session: Error 4, and the session goes on")
def _(env):
    peer = env.peer()
    peer.refuse(4, "Hello", peer.hello_fields())
    peer.refuse(4, "Agree", {"crc": 0})
    peer.refuse(4, "SealRecord", {"suite": 0, "record": b"x"})
    peer.status()


def timeout(name, prepare):
    @both(f"5.4 {name}: the line ends 5000 ms after it began", 3)
    def _(env):
        peer = env.opened()
        prepare(peer)
        for _ in range(8):
            env.knob("clock 400", peer)
            peer.skew += 400
            peer.rest(0.02)
        check(not peer.link.resets and not peer.link.closed, "ended after less than 4 s")
        for _ in range(6):
            env.knob("clock 400", peer)
            peer.skew += 400
            peer.rest(0.02)
        ended(peer, 2.5, "5.4 the handshake times out")
        check(not [m for m in peer.log if m.name == "Error"], "an Error")


timeout("no Hello", lambda p: None)
timeout("no Agree", lambda p: p.welcomed())


@agent("5.4 the handshake's 5000 ms begin with the line, not with Hello", 3)
def _(env):
    peer = env.opened()
    for _ in range(8):
        env.knob("clock 400", peer)
        peer.rest(0.02)
    peer.welcomed()
    for _ in range(6):
        env.knob("clock 400", peer)
        peer.skew += 400
        peer.rest(0.02)
    ended(peer, 2, "5.4 the handshake times out")


@agent("5.4 device nonces are never used twice, not by a restarted agent either", 2)
def _(env):
    nonces = set()
    for _ in range(2):
        for _ in range(3):
            nonces.add(env.peer().device)
            env.lines[-1].gone()
        env.worker.drop(env.variant)
    equal("number of device nonces", len(nonces), 6)


@agent("5.4 the session clock starts at the Welcome, in units of 10 ms", 3)
def _(env):
    peer = env.peer()
    for _ in range(3):
        peer.rest(0.6)
        peer.status()
        check(abs(peer.log[-1].time - peer.clock) < 40, f"time {peer.log[-1].time}, but it is {peer.clock}")


# -- tag -------------------------------------------------------------------------------------------------------------

def integrity(name, make):
    @agent(f"{name}: integrity lost, Bye 4, and what the session held is taken back", 1)
    def _(env):
        peer = env.peer()
        peer.halt()
        peer.ask("Force", peer.force())
        peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1})
        peer.journal()
        make(peer)
        peer.wait_end(4, 2, name)
        equal("journal", env.knob("journal")["journal"], ["react", "release 536870944", "clear 536871168"])
        peer.finish_end(0.8)
        check(not peer.answers, "an answer")


def flipped(at):
    return lambda m: m[:at] + bytes([m[at] ^ 1]) + m[at + 1:]


integrity("5.5 a flipped bit in the tag", lambda p: p.send("GetStatus", change=flipped(17)))
integrity("5.5 a flipped bit in the time", lambda p: p.send("GetStatus", change=flipped(7)))
integrity("5.5 a flipped bit in the sequence", lambda p: p.send("GetStatus", change=flipped(1)))
integrity("5.5 a tag of the other direction", lambda p: p.send("GetStatus", direction=1))
integrity("5.5 a message moved to the other channel", lambda p: p.send("GetStatus", channel=0, tag_channel=1))
integrity("5.5 a Halt moved to channel 1", lambda p: p.send("Halt", channel=1, tag_channel=0))
integrity("5.5 a tag without the device nonce", lambda p: p.send("GetStatus", nonces=(p.host, ZERO)))
integrity("5.5 a tag without the host nonce", lambda p: p.send("GetStatus", nonces=(ZERO, p.device)))
integrity("5.5 a tag with the packet's CRC", lambda p: p.send(
    "GetStatus", change=lambda m: m[:-4] + struct.pack(">I", crc32(p.host + p.device + b"\2" + m[:-4]))))
integrity("5.5 a tag without the channel", lambda p: p.send(
    "GetStatus", change=lambda m: m[:-4] + struct.pack(">I", crc32c(p.host + p.device + b"\0" + m[:-4]))))
integrity("10 a wrong magic with a right tag", lambda p: p.send_frame(frame(0x28, magic=b"GDBQ"), channel=1))
integrity("10 a wrong magic and a wrong version", lambda p: p.send_frame(frame(0x28, magic=b"XXXX", version=2)))


def short(name, make):
    @serial(f"10 {name} on a serial line: integrity lost, Bye 4", 1)
    def _(env):
        peer = env.peer()
        make(peer)
        peer.wait_end(4, 2, name)


short("a message shorter than header, frame header and tag", lambda p: p.send("GetStatus", change=lambda m: m[:17]))
short("a message of one byte", lambda p: p.send("GetStatus", change=lambda m: m[:1]))
short("a frame of 5 bytes with a right tag", lambda p: p.send_frame(frame(0x28)[:5], channel=1))


@serial("5.5 a message of an earlier session on the same line is not taken", 2)
def _(env):
    first = env.peer()
    first.send("Halt")
    old = first.last_message
    first.answer("Halt", "Done")
    second = first.next()
    second.send_message(old, 0)
    second.wait_end(4, 2.5, "a message of an earlier session")
