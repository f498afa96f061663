"""Scenarios for agents on serial lines: opening, who may take a line, RESET; SPEC 4.1, 4.5, 4.6, 5.3, 8.12."""

from .agents import serial
from .line import now
from .run import check, equal
from .wire import ACCEPT, ACK, DATA, OPEN, PROBE, RESET


def answer_to(link, since, *kinds, what):
    return link.until(lambda: next(iter(link.of(*kinds, since=since)), None), 2, what)


@serial("4.1 ACCEPT: cookie, generation 4, no bulk lane, a connection that is not 0")
def _(env):
    peer = env.opened(cookie=0xDEADBEEF)
    p = peer.accept
    equal("payload of ACCEPT", p.payload[:2], b"\x04\x01")
    check(p.connection != 0, "ACCEPT with connection 0")
    peer.handshake()


@serial("4.1 OPEN again before DATA: the same ACCEPT")
def _(env):
    peer = env.opened(cookie=0x01020304)
    for _ in range(3):
        t = now()
        peer.link.send_packet(OPEN, peer.cookie, b"\x04\x01", connection=0)
        p = answer_to(peer.link, t, ACCEPT, what="ACCEPT again")
        equal("connection, cookie, payload", (p.connection, p.position, p.payload),
              (peer.accept.connection, peer.cookie, peer.accept.payload))
    peer.handshake()


@serial("4.1 OPEN again after DATA is a late copy and ignored")
def _(env):
    peer = env.peer()
    t = now()
    for _ in range(3):
        peer.link.send_packet(OPEN, peer.cookie, b"\x04\x01", connection=0)
        peer.rest(0.1)
    check(not peer.link.of(ACCEPT, RESET, since=t), "a late OPEN was answered")
    peer.status()


@serial("4.1 each connection has another number", 3)
def _(env):
    peer = env.peer()
    numbers = [peer.accept.connection]
    for _ in range(4):
        peer = peer.next()
        numbers.append(peer.accept.connection)
        check(numbers[-1] != numbers[-2], f"4.1 connection {numbers[-1]} twice")
    check(peer.bye is None, "Bye in the new session")
    peer.status()


@serial("4.1 OPEN of another generation: RESET 2, connection 0, the cookie as position")
def _(env):
    link = env.line()
    for generation in (3, 5, 0, 255):
        t = now()
        link.send_packet(OPEN, 0xCAFE0000 + generation, bytes([generation, 1]), connection=0)
        p = answer_to(link, t, RESET, ACCEPT, what=f"RESET 2 for generation {generation}")
        equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload),
              (RESET, 0, 0xCAFE0000 + generation, b"\x02"))


@serial("4.1 OPEN of another generation, or too short: a connection that exists goes on")
def _(env):
    peer = env.peer()
    for payload in (b"\x03\x01", b"\x04", b""):
        t = now()
        peer.link.send_packet(OPEN, 0xABCD, payload, connection=0)
        p = answer_to(peer.link, t, RESET, what="RESET 2")
        equal("connection, position, payload", (p.connection, p.position, p.payload), (0, 0xABCD, b"\x02"))
        peer.status()


@serial("4.1 OPEN with less than 2 bytes: RESET 2")
def _(env):
    link = env.line()
    for payload in (b"", b"\x04"):
        t = now()
        link.send_packet(OPEN, 77, payload, connection=0)
        p = answer_to(link, t, RESET, ACCEPT, what="RESET 2 for a short OPEN")
        equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload),
              (RESET, 0, 77, b"\x02"))


@serial("4.1 OPEN with a longer payload, and from a host with a bulk lane, is accepted")
def _(env):
    peer = env.opened(more=b"\x01\x02\x03")
    peer.handshake()
    other = peer.next(lanes=3)
    equal("lanes of ACCEPT", other.accept.payload[1], 1)
    other.read(0x20000000, 200)
    check(not other.link.of(PROBE), "PROBE without a bulk lane")


# -- busy ------------------------------------------------------------------------------------------------------------

@serial("4.1 a foreign OPEN in a session: RESET 6 with connection 0 and its cookie, and the session goes on", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1})
    t = now()
    peer.link.send_packet(OPEN, 0xBAD0CAFE, b"\x04\x01", connection=0)
    p = answer_to(peer.link, t, RESET, ACCEPT, what="RESET 6")
    equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload),
          (RESET, 0, 0xBAD0CAFE, b"\x06"))
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (1, 1))
    equal("forced", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")


@serial("4.1 foreign OPENs in a session are answered at most once in 200 ms", 2)
def _(env):
    peer = env.peer()
    t = now()
    for i in range(30):
        peer.link.send_packet(OPEN, 0xBAD00000 + i, b"\x04\x01", connection=0)
        peer.rest(0.02)
    elapsed = now() - t
    found = peer.link.of(RESET, since=t)
    check(found, "no RESET 6")
    equal("reasons", {p.payload for p in found}, {b"\x06"})
    check(len(found) <= elapsed / 0.2 + 1.5, f"{len(found)} RESETs in {elapsed:.2f} s")
    check(min((b.t - a.t for a, b in zip(found, found[1:])), default=1) > 0.15, "4.1 RESETs in less than 200 ms")
    check(not peer.link.of(ACCEPT, since=t), "ACCEPT")
    peer.status()


@serial("4.1 a foreign OPEN while Disconnecting: RESET 6; when the session is over: ACCEPT", 3)
def _(env):
    peer = env.peer()
    peer.send("GetStatus", nonces=(bytes(16), bytes(16)))
    peer.wait_end(4, 2, "a wrong tag")
    t = now()
    peer.link.send_packet(OPEN, 0xBAD0CAFE, b"\x04\x01", connection=0)
    p = answer_to(peer.link, t, RESET, ACCEPT, what="RESET 6")
    equal("type, payload", (p.kind, p.payload), (RESET, b"\x06"))
    peer.finish_end()
    peer.successor().open()


def yields(name, prepare):
    @serial(f"4.1 {name} yields to a foreign OPEN: a new connection, and the old one is gone", 2)
    def _(env):
        old = env.opened()
        prepare(old)
        was = old.link.connection
        new = old.successor()
        new.open()
        check(new.link.connection != was, f"4.1 connection {was} twice")
        t = now()
        new.link.send_packet(DATA, 0, b"\0\x20", connection=was)
        p = answer_to(new.link, t, RESET, what="RESET 3")
        equal("connection, reason", (p.connection, p.payload), (was, b"\x03"))
        new.handshake()
        new.status()
        new.halt()


yields("a connection without Hello", lambda p: None)
yields("a connection between Hello and Agree", lambda p: p.welcomed())


@serial("5.3 a new connection inherits nothing: no message, no force, no breakpoint, no step of the last session", 3)
def _(env):
    first = env.peer()
    first.halt()
    first.ask("Force", first.force())
    first.ask("SetBreakpoint", {"addr": 0x20000104, "id": 9})
    first.send("Halt")
    old = first.last_message
    first.answer("Halt", "Done")
    first.link.send_packet(RESET, 0, b"\x01")
    first.active = False
    first.rest(0.1)
    second = first.next()
    s = second.status()
    equal("run state, forces, breakpoints", (s["run_state"], s["forces"], s["breakpoints"]), (2, 0, 0))
    equal("the forced bytes", second.read(0x20000020, 4), bytes((32, 33, 34, 35)))
    second.ask("Resume")
    second.send_message(old, 0)
    second.wait_end(4, 2.5, "a message of an earlier session")
    equal("run state", second.finish_end().next().status()["run_state"], 1)


@serial("8.12 before the target has recovered from a reset an OPEN is answered with RESET 6", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    peer.knob("recovery-fails 1")
    peer.active = False
    peer.link.connection = None
    peer.knob("reset")
    peer.link.rest(0.1)
    for _ in range(2):
        t = now()
        peer.link.send_packet(OPEN, 0x11223344, b"\x04\x01", connection=0)
        p = answer_to(peer.link, t, RESET, ACCEPT, what="RESET 6")
        equal("type, connection, position, payload", (p.kind, p.connection, p.position, p.payload),
              (RESET, 0, 0x11223344, b"\x06"))
        peer.link.rest(0.25)
    peer.knob("recovery-fails 0")
    peer.link.rest(0.1)
    after = peer.next()
    s = after.status()
    equal("run state, forces", (s["run_state"], s["forces"]), (1, 0))
    j = after.journal()
    check("recover" in j["journal"], f"no recovery: {j['journal']}")
    equal("forces", j["forces"], {})


# -- stray, RESET ----------------------------------------------------------------------------------------------------

def stray(name, kind, payload):
    @serial(f"4.1 {name} of another connection: ignored, and RESET 3 at most once in 200 ms", 2, ("4.3 ACK 1 ",))
    def _(env):
        peer = env.peer()
        wrong = peer.link.connection ^ 0x1111 or 9
        before = peer.metrics().get(12, 0)
        t = now()
        for i in range(25):
            peer.link.send_packet(kind, 1 + i, payload, connection=wrong)
            peer.rest(0.02)
        elapsed = now() - t
        found = [p for p in peer.link.of(RESET, since=t)]
        check(found, "no RESET 3")
        for p in found:
            equal("RESET: connection, position, reason", (p.connection, p.position, p.payload), (wrong, 0, b"\x03"))
        check(len(found) <= elapsed / 0.2 + 1.5, f"{len(found)} RESETs in {elapsed:.2f} s")
        check(min((b.t - a.t for a, b in zip(found, found[1:])), default=1) > 0.15, "4.1 RESETs in less than 200 ms")
        equal("metric 12, stray packets", peer.metrics().get(12), before + 25)


stray("DATA", DATA, b"\0\x14" + bytes(20))
stray("ACK", ACK, bytes(21))


@serial("4.1 DATA before any OPEN: RESET 3")
def _(env):
    link = env.line()
    link.send_packet(DATA, 0, b"\0\x14" + bytes(20), connection=4711)
    p = link.until(lambda: next(iter(link.of(RESET)), None), 2, "RESET 3")
    equal("connection, reason", (p.connection, p.payload), (4711, b"\x03"))


@serial("4.1 a RESET of another connection is ignored, and no stray RESET or PROBE is answered")
def _(env):
    peer = env.peer()
    t = now()
    for kind, payload in ((RESET, b"\x01"), (RESET, b"\x03"), (PROBE, b"")):
        peer.link.send_packet(kind, 0, payload, connection=peer.link.connection ^ 0x2222)
        peer.rest(0.25)
    check(not peer.link.of(RESET, since=t), "a stray RESET or PROBE was answered with RESET")
    peer.status()


@serial("4.1 a RESET ends the connection that it names, and with it the session")
def _(env):
    peer = env.peer()
    peer.link.send_packet(RESET, 0, b"\x01")
    peer.rest(0.2)
    t = now()
    peer.link.retransmit = False
    peer.send("GetStatus")
    peer.until(lambda: peer.link.resets, 2, "4.1 RESET 3 after the connection has ended")
    equal("reason", peer.link.resets[0], 3)
    peer.silent(0.2, "a request of a connection that has ended")
    check(not [p for p in peer.link.of(ACK) if p.t > t + 0.1], "4.3 ACKs after the connection has ended")
    peer.active = False
    peer.next().status()


@serial("4.5 the end of the signal lane ends the session: force and trap are taken back, the reaction comes first", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", {"addr": 0x20000104, "id": 9})
    peer.ask("Force", peer.force())
    peer.journal()
    peer.link.gone()
    peer.link.closed = True
    j = []
    peer.until(lambda: j.extend(env.knob("journal")["journal"]) or len(j) >= 3, 2, "force and trap taken back")
    equal("journal", j, ["react", "release 536870944", "clear 536871172"])
