"""Scenarios for agents: who may do what; SPEC 6.2 column D, 8.2."""

from .agents import agent, both, observed
from .run import check, equal
from .samples import BIT, NEEDS, SAMPLE, at


def done(peer):
    return peer.journal()["journal"]


@both("8.2 an observer observes, and every command that needs more is Denied and not executed", 2)
def _(env):
    peer = env.peer(b"observer")
    peer.journal()
    equal("authority", peer.welcome["authority"], 1)
    for authority, kinds in NEEDS.items():
        for kind in kinds:
            if authority == "observe":
                peer.ask(kind, SAMPLE.get(kind))
            else:
                peer.refuse(5, kind, SAMPLE.get(kind), BIT[authority])
    s = peer.status()
    equal("run state, breakpoints, policy", (s["run_state"], s["breakpoints"], s["policy_version"]), (1, 0, 0))
    equal("what was done", done(peer), [])


def with_control(kind, allowed):
    @agent(f"6.2 with observe and control alone, {kind} is {'done' if allowed else 'Denied'}", 1)
    def _(env):
        peer = env.peer(b"control")
        if kind in ("Resume", "Step", "StepRange"):
            peer.halt()
        if kind == "ClearBreakpoint":
            peer.ask("SetBreakpoint", SAMPLE["SetBreakpoint"])
        if allowed:
            peer.ask(kind, SAMPLE.get(kind))
        else:
            peer.halt()
            peer.journal()
            peer.refuse(5, kind, SAMPLE.get(kind), next(BIT[a] for a, kinds in NEEDS.items() if kind in kinds))
            equal("what was done", done(peer), [])


for _authority, _kinds in NEEDS.items():
    if _authority != "observe":
        for _kind in _kinds:
            with_control(_kind, _authority == "control")


@agent("8.2 an observer whose grant would be older can neither Halt nor Release, whatever the local permission", 1)
def _(env):
    peer = env.peer(b"observer")
    for bits in (31, 6, 0):
        peer.knob(f"permit {bits}")
        peer.rest(0.03)
        peer.refuse(5, "Halt", None, 2)
        peer.refuse(5, "Release", SAMPLE["Release"], 4)


@agent("8.2 the local permission is asked for at every run, and what is not granted is not permitted by it", 1)
def _(env):
    peer = env.peer(b"control")
    peer.halt()
    peer.knob("permit 31")
    peer.refuse(5, "Force", peer.force(), 4)
    for bits, good in ((29, False), (31, True), (1, False), (3, True)):
        peer.knob(f"permit {bits}")
        peer.rest(0.05)
        if good:
            peer.ask("SetBreakpoint", at(0x20000100, bits))
            peer.ask("ClearBreakpoint", at(0, bits))
        else:
            peer.refuse(5, "SetBreakpoint", at(0x20000100, bits), 2)


# -- an observers' listener ------------------------------------------------------------------------------------------

@observed("8.2 observers have sessions of their own beside the operator's, with nonces and times of their own", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    watcher = env.observer()
    check(watcher.device != peer.device, "the same device nonce")
    equal("boot", watcher.welcome["boot"], peer.welcome["boot"])
    equal("State: run state", watcher.state["run_state"], 2)
    peer.ask("Force", peer.force())
    seen = watcher.status()["forces"], watcher.read(0x20000020, 4)
    equal("what an observer sees", seen, (1, b"\xAA\xBB\xCC\xDD"))
    for _ in range(3):
        peer.rest(0.4)
        watcher.rest(0.4)
        watcher.status()
        peer.status()


@observed("8.2 on an observers' line every command that needs more is Denied, whatever the token grants", 2)
def _(env):
    peer = env.peer()
    peer.journal()
    for token in (b"operator", b"control", b"observer"):
        watcher = env.observer(token)
        for authority, kinds in NEEDS.items():
            for kind in kinds:
                if authority != "observe":
                    watcher.refuse(5, kind, SAMPLE.get(kind))
        for kind in NEEDS["observe"]:
            watcher.ask(kind, SAMPLE.get(kind))
        watcher.close()
    s = peer.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (1, 0, 0))
    equal("what was done", done(peer), [])


@observed("8.11 an observer's session ends, too, when the program changes: Bye 8", 2)
def _(env):
    env.peer()
    watcher = env.observer()
    env.knob("generation 2")
    watcher.wait_end(8, 2, "the program has changed")


@observed("8.2 there are no Stopped events on an observers' line; Status tells the last reason", 2)
def _(env):
    peer = env.peer()
    watcher = env.observer()
    peer.halt()
    peer.ask("Step", {"count": 3, "trace": 1})
    for _ in range(3):
        peer.stopped(1)
    watcher.no_stopped(0.2, "on an observers' line")
    equal("last reason", watcher.status()["last_reason"], 1)


@observed("8.2 an observer's session begins and ends without anything in the machine changing", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.journal()
    watcher = env.observer()
    watcher.status()
    watcher.close()
    lost = env.observer()
    lost.link.gone()
    lost.link.closed = True
    wrong = env.observer()
    wrong.send("GetStatus", nonces=(bytes(16), bytes(16)))
    wrong.wait_end(4, 2, "a wrong tag of an observer")
    peer.rest(0.2)
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (1, 1))
    equal("journal", peer.journal()["journal"], [])
    check(peer.bye is None, "the operator's session has ended")


@observed("8.2 the operator's end does not end an observer, who sees it", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    watcher = env.observer()
    peer.close()
    watcher.rest(0.1)
    s = watcher.status()
    equal("run state, forces", (s["run_state"], s["forces"]), (2, 0))
    rows = watcher.log_from()
    equal("records of the end: forces first", [(r["kind"], r["cause"]) for r in rows if r["kind"] >= 0xE0],
          [(0xE0, 1), (0xE3, 1)])


@observed("8.2 one line, one session holds for each listener", 2)
def _(env):
    peer = env.peer()
    watcher = env.observer()
    second = env.on(env.line(True), b"observer")
    second.until(lambda: second.link.closed, 1.5, "5.3 the second stream of observers is closed")
    third = env.on(env.line())
    third.until(lambda: third.link.closed, 1.5, "5.3 the second stream of operators is closed")
    watcher.status()
    peer.status()


@observed("8.2 an operator's session does not wait for an observer's commands", 2)
def _(env):
    peer = env.peer()
    watcher = env.observer()
    for _ in range(5):
        wanted = [watcher.send("ReadMemory", {"addr": 0x20000040, "length": 256}) for _ in range(4)]
        sequence = peer.send("Halt")
        peer.answer("Halt", "Done", sequence)
        peer.stopped(4)
        peer.ask("Resume")
        for sequence in wanted:
            watcher.answer("an observer's command", "Memory", sequence)


@observed("8.2 refusals of an observer are in the log, in a quarter of it", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    watcher = env.observer()
    for kind in ("Halt", "Resume", "Force", "SetAxis", "PushPolicy", "Step", "WriteRegister"):
        watcher.refuse(5, kind, SAMPLE.get(kind))
    rows = peer.log_from()
    denied = [r for r in rows if r["verdict"] == 5]
    equal("refusals that are kept", len(denied), 4)
    equal("who", {r["operator"] for r in denied}, {b"observer"})
    equal("session", {r["session"] for r in denied}, {int.from_bytes(watcher.device[-4:], "big")})
    peer.ask("SetAxis", SAMPLE["SetAxis"])


@observed("8.8 the end of a session without control is not recorded, nor is a handshake that was refused", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    for _ in range(2):
        env.observer().close()
    wrong = env.on(env.line(True), b"nobody")
    wrong.hello()
    wrong.is_error(wrong.answer("a token that is not known"), 6)
    equal("records", [r["kind"] for r in peer.log_from()], [0x10])
