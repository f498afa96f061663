"""Scenarios for agents on byte streams: records, and one line, one session; SPEC 5.1, 5.3, 10."""

import struct
from time import sleep

from .agents import agent
from .frames import frame
from .line import now
from .run import check, equal
from .wire import record


@agent("5.1 records cut anywhere in the stream, and several at once, are read")
def _(env):
    peer = env.peer()
    sequence = peer.sequence + 1
    m = peer.message(frame(0x28), sequence, peer.own_time(), 1)
    for byte in record(1, m):
        peer.link.send_raw(bytes([byte]))
        sleep(0.003)
    peer.answer("a record byte by byte", "Status", sequence)
    many = [(sequence + 1, 1, 0x2A), (sequence + 2, 1, 0x2C), (sequence + 3, 0, 0x10), (sequence + 4, 1, 0x28)]
    peer.link.send_raw(b"".join(record(c, peer.message(frame(k), s, peer.own_time(), c)) for s, c, k in many))
    got = [peer.answer("four records at once").fields["request"] for _ in many]
    equal("answers", sorted(got), [s for s, _, _ in many])
    peer.stopped(4, sequence + 3)


def fatal(name, data, active=True):
    where = "" if active else " before the handshake"
    @agent(f"5.1 {name}{where}: the stream is closed at once, and the session has ended", 1)
    def _(env):
        if active:
            peer = env.peer()
            peer.halt()
            peer.ask("Force", peer.force())
            peer.journal()
        else:
            peer = env.opened()
        peer.echo = False
        t = now()
        peer.link.send_raw(data)
        peer.link.until(lambda: peer.link.closed, 2, "the stream is closed")
        check(now() - t < 0.8, f"closed after {now() - t:.1f} s")
        check(not peer.answers and peer.bye is None, "an answer, or Bye")
        if active:
            equal("journal", env.knob("journal")["journal"], ["react", "release 536870944"])
        env.peer().status()


for _channel in (0, 1):
    for _length in (0, 1, 17, 513, 32767):
        fatal(f"a record of {_length} on channel {_channel}", struct.pack(">H", _channel << 15 | _length) + bytes(8))
fatal("a record of 17", b"\0\x11" + bytes(17), False)
fatal("a record of 513", b"\x02\x01", False)
fatal("a record of 513 on channel 1", b"\x82\x01", False)


@agent("5.1 the longest record is read, on each channel", 2)
def _(env):
    peer = env.peer()
    for channel, kind in ((1, 0x28), (0, 0x10)):
        sequence = peer.send_frame(frame(kind) + bytes(512 - 18), channel=channel)
        m = peer.answer("a message of 512 bytes", "Error", sequence)
        equal("its code", m.fields["code"], 2)
    peer.status()


def ends(name, data):
    @agent(f"5.1 the end of the stream {name} ends the session")
    def _(env):
        peer = env.peer()
        peer.halt()
        peer.ask("SetBreakpoint", {"addr": 0x20000104, "id": 9})
        peer.ask("Force", peer.force())
        peer.journal()
        peer.link.send_raw(data)
        peer.link.gone()
        peer.link.closed = True
        peer.active = False
        j = []
        peer.until(lambda: j.extend(env.knob("journal")["journal"]) or len(j) >= 3, 2, "force and trap taken back")
        equal("journal", j, ["react", "release 536870944", "clear 536871172"])
        env.peer().status()


ends("between records", b"")
ends("inside a record", b"\x80\x1e\0\0")
ends("inside a length", b"\x80")


# -- one line, one session -------------------------------------------------------------------------------------------

@agent("5.3 a second stream in a session is closed at once, and the session does not notice", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    for hello in (False, True):
        other = env.on(env.line())
        if hello:
            other.hello()
        other.until(lambda: other.link.closed, 1.5, "5.3 the second stream is closed")
        check(not other.log, "the second stream got an answer")
    equal("forces", peer.status()["forces"], 1)
    equal("forced", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")
    peer.rest(1.2)
    check(peer.bye is None and not peer.link.closed, "the session has ended")


@agent("5.3 a second stream while Disconnecting is closed at once", 2)
def _(env):
    peer = env.peer()
    peer.send("GetStatus", nonces=(bytes(16), bytes(16)))
    peer.wait_end(4, 2, "a wrong tag")
    other = env.on(env.line())
    other.until(lambda: other.link.closed, 0.6, "5.3 the second stream is closed")
    check(not peer.link.closed, "the first stream is closed as well")
    peer.finish_end()
    env.peer().status()


def yields(name, prepare):
    @agent(f"5.3 a stream {name} is closed when a newer one comes", 1)
    def _(env):
        old = env.opened()
        prepare(old)
        new = env.on(env.line())
        old.until(lambda: old.link.closed, 1.5, "5.3 the older stream is closed")
        new.handshake()
        new.status()


yields("without Hello", lambda p: None)
yields("in the middle of Hello", lambda p: p.link.send_raw(b"\0\x40" + bytes(20)))
yields("between Hello and Agree", lambda p: p.welcomed())


@agent("5.3 a new connection inherits nothing: no message, no time, no force, no step of the last session", 3)
def _(env):
    first = env.peer()
    first.halt()
    first.ask("Force", first.force())
    first.send("SetAxis", {"axis": 0, "position": 5, "fingerprint": b"reference-mach01"})
    old = first.last_message
    first.answer("SetAxis", "Done")
    beat = first.until(lambda: next((e for e in first.events if e.name == "Heartbeat"), None), 2, "a Heartbeat")
    first.link.gone()
    first.link.closed = True
    second = env.peer()
    s = second.status()
    equal("run state, forces", (s["run_state"], s["forces"]), (1, 0))
    check(second.welcome["boot"] == first.welcome["boot"] + 1, "the boot's number")
    second.beat(beat.fields["challenge"])
    second.status()
    second.send_message(old)
    second.wait_end(4, 2.5, "a message of an earlier session")


@agent("5.3 the takeover: messages of a session on a stream of their own, without a token, get nothing", 1)
def _(env):
    victim = env.peer()
    victim.status()
    other = env.on(env.line())
    other.host, other.device = victim.host, victim.device
    try:
        other.send("Halt", sequence=50, time=victim.heard)
    finally:
        other.until(lambda: other.link.closed, 1.5, "5.3 the second stream is closed")
    check(not other.log, "an answer")
    equal("run state", victim.status()["run_state"], 1)
    victim.link.gone()
    victim.link.closed = True
    late = env.on(env.line())
    late.host, late.device = victim.host, victim.device
    late.send("Halt", sequence=51, time=victim.heard)
    late.link.tolerated.add("5.5")
    late.until(lambda: late.link.closed, 6.5, "a stream that begins with a command is closed")
    check("halt" not in env.knob("journal")["journal"], "Halt was executed")


# -- recovery --------------------------------------------------------------------------------------------------------

@agent("8.12 before the target has recovered from a reset a Hello waits", 2)
def _(env):
    env.line()
    env.knob("recovery-fails 1")
    env.lines[-1].gone()
    peer = env.opened()
    peer.hello()
    peer.silent(0.5, "a Hello before the recovery")
    check(not peer.link.closed, "the stream is closed")
    env.knob("recovery-fails 0", peer)
    peer.answer("once the target has recovered", "Welcome")


@agent("8.12 a recovery that does not succeed does not keep a line beyond the handshake's 5000 ms", 3)
def _(env):
    env.line()
    env.knob("recovery-fails 1")
    env.lines[-1].gone()
    peer = env.opened()
    peer.hello()
    for _ in range(14):
        env.knob("clock 400", peer)
        peer.rest(0.02)
    peer.until(lambda: peer.link.closed, 2, "5.4 the handshake times out")
    check(not peer.log, "an answer")
