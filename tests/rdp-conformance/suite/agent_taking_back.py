"""Scenarios for agents: what cannot be taken back, stops without a session, withdrawal; SPEC 8.2, 8.3, 8.7."""

from .agents import agent, both, serial
from .frames import ANSWERS
from .line import now
from .run import check, equal
from .samples import ORIGINAL, SAMPLE, TOUCHING, at


def holding(env, trap=True):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    if trap:
        peer.ask("SetBreakpoint", at(0x20000102, 1))
    peer.journal()
    return peer


# -- stuck -----------------------------------------------------------------------------------------------------------

@both("8.7 a force that cannot be released: it stays listed, the fail-safe, one record, Status; tried again", 2)
def _(env):
    peer = holding(env)
    peer.knob("release-fails 1")
    m = peer.call("Release", SAMPLE["Release"])
    equal("Release is answered with the target's error", m.name, "Error")
    peer.rest(0.3)
    s = peer.status()
    equal("forces, stuck", (s["forces"], s["stuck"]), (1, 1))
    j = peer.journal()
    equal("fail-safe", j["journal"].count("fail-safe"), 1)
    equal("still forced", list(j["forces"]), ["536870944"])
    stuck = [r for r in peer.log_from() if r["kind"] == 0xE1]
    equal("records: addr, cause", [(r["addr"], r["cause"]) for r in stuck], [(0x20000020, 16)])
    equal("its verdict, value", (stuck[0]["verdict"], stuck[0]["value"]), (m.fields["code"], 0xAABBCCDD00000000))
    peer.knob("release-fails 0")
    peer.rest(0.2)
    s = peer.status()
    equal("forces, stuck, once it could be let go", (s["forces"], s["stuck"]), (0, 0))
    equal("memory", peer.read(0x20000020, 4), ORIGINAL)
    equal("journal", peer.journal()["journal"][-1], "release 536870944")
    ends = [(r["addr"], r["cause"], r["session"], r["operator"]) for r in peer.log_from() if r["kind"] == 0xE0]
    equal("its end, of no session", ends, [(0x20000020, 16, 0, bytes(8))])


@both("8.7 a force whose lease has ended and that cannot be released is tried at every run", 2)
def _(env):
    peer = holding(env, False)
    peer.ask("Force", peer.force(addr=0x20000024, lease=300))
    peer.journal()
    peer.knob("release-fails 1")
    peer.rest(0.6)
    s = peer.status()
    equal("forces, stuck", (s["forces"], s["stuck"]), (2, 1))
    j = peer.journal()["journal"]
    equal("the reaction and the fail-safe, once each", (j.count("react"), j.count("fail-safe")), (1, 1))
    equal("records of what is stuck", [(r["addr"], r["cause"]) for r in peer.log_from() if r["kind"] == 0xE1],
          [(0x20000024, 17)])
    peer.knob("release-fails 0")
    peer.rest(0.2)
    s = peer.status()
    equal("forces, stuck", (s["forces"], s["stuck"]), (1, 0))


@serial("8.7 while a force is stuck a Hello with control is refused (Stuck); an observer is not; then it works", 3)
def _(env):
    peer = holding(env)
    peer.knob("release-fails 1")
    peer.close()
    j = env.knob("journal")
    equal("reaction, fail-safe", (j["journal"].count("react"), j["journal"].count("fail-safe")), (1, 1))
    check("clear 536871170" in j["journal"], "the trap is not cleared")
    equal("still forced", list(j["forces"]), ["536870944"])
    for token in (b"operator", b"control"):
        other = peer.successor(token)
        other.open()
        other.hello()
        other.is_error(other.answer("a Hello with control"), 27)
        other.until(lambda: other.link.resets, 2, "RESET 1")
    observer = peer.successor(b"observer")
    observer.open()
    observer.handshake()
    equal("State, Status: stuck", (observer.state["stuck"], observer.status()["stuck"]), (1, 1))
    observer.close()
    peer.knob("release-fails 0")
    peer.link.rest(0.2)
    after = peer.next()
    equal("stuck", (after.state["stuck"], after.status()["forces"]), (0, 0))


@both("8.7 while a force is stuck Renew and column A but Halt, Release, ClearBreakpoint are refused (Stuck)", 2)
def _(env):
    peer = holding(env)
    peer.ask("Force", peer.force(addr=0x20000024, lease=60000))
    peer.knob("release-fails 1")
    peer.call("Release", SAMPLE["Release"])
    peer.rest(0.2)
    for kind in TOUCHING + ("Renew",):
        if kind not in ("Halt", "Release", "ClearBreakpoint"):
            peer.refuse(27, kind, SAMPLE.get(kind))
    for kind in ANSWERS:
        if kind not in TOUCHING + ("Renew",):
            peer.ask(kind, SAMPLE.get(kind))
    peer.ask("Halt")
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.knob("release-fails 0")
    peer.rest(0.2)
    peer.ask("Renew", dict(SAMPLE["Renew"], addr=0x20000024))
    peer.ask("Resume")


@agent("8.1 order: fingerprint before Stuck, Stuck before the state, ids, map and interlock", 1)
def _(env):
    peer = holding(env)
    peer.knob("release-fails 1")
    peer.call("Release", SAMPLE["Release"])
    peer.rest(0.2)
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)))
    peer.refuse(27, "SetBreakpoint", at(0x20000400, 1))
    peer.refuse(27, "Force", peer.force(addr=0x20000400))
    peer.knob("release-fails 0")


# -- a stop without a session ----------------------------------------------------------------------------------------

@serial("8.7 a stop when no session is Active gets the stop reaction and a record; State tells it", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000102, 1))
    peer.ask("Step", {"count": 40, "trace": 0})
    peer.stopped()
    pc = peer.registers()["pc"]
    peer.close()
    env.knob("journal")
    env.knob("trap")
    peer.link.rest(0.15)
    equal("journal", env.knob("journal")["journal"], ["react"])
    after = peer.next()
    equal("State: run state, reason", (after.state["run_state"], after.state["last_reason"]), (2, 2))
    rows = [r for r in after.log_from() if r["kind"] == 0xE2]
    equal("record: addr, value", [(r["addr"], r["value"]) for r in rows], [(pc, 2)])


# -- withdrawal ------------------------------------------------------------------------------------------------------

@both("8.2 when force is no longer permitted, forces are withdrawn: cause 19; the session and traps go on", 2)
def _(env):
    peer = holding(env)
    peer.knob("permit 27")
    peer.rest(0.15)
    j = peer.journal()
    equal("journal", j["journal"], ["react", "release 536870944"])
    equal("traps", j["traps"], 1)
    for kind in ("Force", "WriteMemory", "WriteRegister", "SetAxis", "Renew"):
        peer.refuse(5, kind, SAMPLE[kind], 4)
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (0, 1))
    ends = [(r["kind"], r["cause"]) for r in peer.log_from() if r["kind"] == 0xE0]
    equal("record of the end", ends, [(0xE0, 19)])
    peer.ask("Resume")
    peer.knob("permit 31")
    peer.rest(0.05)
    peer.stopped(2)
    peer.ask("Force", peer.force())
    check(peer.bye is None, f"Bye {peer.bye}")


@both("8.2 when control is no longer permitted, traps are withdrawn and steps end; the session and forces go on", 2)
def _(env):
    peer = holding(env)
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.ask("SetBreakpoint", at(0x20000104, 2))
    peer.knob("permit 29")
    peer.rest(0.15)
    j = peer.journal()
    check(j["journal"][-2:] == ["react", "clear 536871172"], f"journal: {j['journal']}")
    for kind in ("SetBreakpoint", "Resume", "Step", "StepRange"):
        peer.refuse(5, kind, SAMPLE.get(kind), 2)
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (1, 0))


@agent("8.2 steps under way end when control is withdrawn", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.knob("permit 29")
    f = peer.stopped(None, None, 0)
    check(f["reason"] in (6, 1), f"Stopped with reason {f['reason']}")
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    peer.journal()
    peer.rest(0.1)
    equal("journal", peer.journal()["journal"], [])


@both("8.2 Halt and Release need no local permission", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Resume")
    peer.knob("permit 0")
    peer.rest(0.05)
    peer.halt()
    peer.ask("Release", SAMPLE["Release"])
    peer.refuse(5, "GetStatus", None, 1)
    peer.refuse(5, "Resume", None, 2)
    peer.knob("permit 31")
    peer.rest(0.05)
    peer.ask("Resume")


# -- expiry ----------------------------------------------------------------------------------------------------------

@both("8.2 when the grant expires forces and traps are withdrawn: cause 20; all but Halt, Release is Denied", 3)
def _(env):
    peer = env.peer(b"brief")
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", at(0x20000102, 1))
    peer.journal()
    peer.rest(0.7)
    equal("journal", peer.journal()["journal"], ["react", "release 536870944", "clear 536871170"])
    for kind in ("GetStatus", "ReadAudit", "SetBreakpoint", "Force", "Renew", "ReadMap", "ReleaseAudit",
                 "PushPolicy"):
        peer.refuse(5, kind, SAMPLE.get(kind))
    peer.ask("Release", SAMPLE["Release"])
    peer.ask("Halt")
    check(peer.bye is None, "Bye when the grant has expired")
    if env.serial:
        peer.close()
        after = peer.next()
        ends = [(r["kind"], r["cause"]) for r in after.log_from() if r["kind"] == 0xE0]
        equal("record of the end", ends, [(0xE0, 20)])


@agent("8.2 steps under way end when the grant expires", 2)
def _(env):
    peer = env.peer(b"brief")
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    f = peer.stopped(None, None, 0)
    check(f["reason"] in (6, 1), f"Stopped with reason {f['reason']}")
    peer.journal()
    peer.rest(0.1)
    equal("journal", peer.journal()["journal"], [])
    peer.refuse(5, "GetStatus")


@agent("8.2 Halt is executed though the grant has expired", 2)
def _(env):
    peer = env.peer(b"brief")
    peer.rest(0.7)
    peer.refuse(5, "GetStatus")
    peer.halt()
    peer.refuse(5, "Resume")


@agent("8.2 Halt needs control, also when the grant has expired", 1)
def _(env):
    peer = env.peer(b"glimpse")
    peer.refuse(5, "Halt", None, 2)
    peer.rest(0.7)
    peer.refuse(5, "GetStatus")
    peer.refuse(5, "Halt", None, 2)


@agent("8.2 an expired grant stays expired, and the session ends 60 s later: Bye 9", 5)
def _(env):
    peer = env.peer(b"brief")
    peer.age(800)
    peer.refuse(5, "GetStatus")
    t = now()
    passed = 0
    while peer.bye is None and passed < 66000 and now() - t < 20:
        peer.clock_jump(1500)
        passed += 1500
        peer.rest(0.03)
        if passed == 30000:
            peer.refuse(5, "GetStatus")
    peer.wait_end(9, 1, "the grant has expired")
    check(57000 <= passed + 1000 * (now() - t) <= 65000, f"after {passed} ms")
