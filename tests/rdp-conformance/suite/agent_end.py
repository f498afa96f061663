"""Scenarios for agents: the end of a session; SPEC 5.3, 5.8, 8.7, 8.11."""

from .agents import agent, both, serial
from .line import now
from .run import check, equal
from .samples import ORIGINAL, SAMPLE, at
from .session import ZERO
from .wire import RESET

TAKEN_BACK = ["react", "release 536870944", "clear 536871170"]


def holding(env):
    """A session that holds a force and a trap at a machine that stands."""
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", at(0x20000102, 1))
    peer.journal()
    return peer


@both("5.8 Bye is answered with Bye, then the line's connection ends; nothing is executed after it", 1)
def _(env):
    peer = holding(env)
    peer.active = False
    peer.send("Bye", {"reason": 1})
    peer.send("Resume")
    peer.until(lambda: peer.bye, 2, "5.8 Bye")
    equal("reason", peer.bye, 1)
    peer.until(lambda: peer.link.resets or peer.link.closed, 0.9, "5.8 RESET 1, or the end of the stream")
    check(not peer.answers, "an answer after Bye")
    equal("the reaction once, then the force, then the trap", env.knob("journal")["journal"], TAKEN_BACK)
    if env.serial:
        equal("reason of RESET", peer.link.resets[0], 1)
        after = peer.next()
        s = after.status()
        equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
        equal("the forced bytes", after.read(0x20000020, 4), ORIGINAL)
        equal("breakpoints", after.ask("ListBreakpoints", at(0, 0))["breakpoints"], [])
        equal("State: cause, ended", (after.state["cause"], after.state["ended"]), (1, [0x20000020]))


@agent("5.8 the answering Bye repeats the reason", 2)
def _(env):
    for reason in (1, 2, 4, 6):
        peer = env.peer()
        peer.active = False
        peer.send("Bye", {"reason": reason})
        peer.until(lambda: peer.bye is not None, 2, "5.8 Bye")
        equal("reason of Bye", peer.bye, reason)
        peer.until(lambda: peer.link.closed, 1, "the end of the stream")


@both("5.8 what arrives in Disconnecting is discarded, whatever its tag", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.journal()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2, "a wrong tag")
    peer.send("Resume")
    peer.send("Halt")
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.send("GetStatus", change=lambda m: m[:-1] if env.serial else m[:-1] + bytes([m[-1] ^ 1]))
    peer.silent(0.3, "a command in Disconnecting")
    check(not peer.link.resets and not peer.link.closed, "5.8 a wrong tag in Disconnecting ends the line")
    peer.finish_end(0.8)
    check("resume" not in env.knob("journal")["journal"], "Resume was executed")


@both("5.3 Bye that is not answered: the line's connection ends after 1000 ms", 2)
def _(env):
    peer = env.peer()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2, "a wrong tag")
    t = now()
    peer.until(lambda: peer.link.resets or peer.link.closed, 2.5, "5.3 the end after 1000 ms")
    check(0.7 < now() - t < 1.6, f"the end after {now() - t:.2f} s")


@agent("5.8 the agent that said Bye first leaves the stream open for the host to close, for 1000 ms", 2)
def _(env):
    peer = env.peer()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2, "a wrong tag")
    peer.send("Bye", {"reason": 4})
    peer.rest(0.4)
    check(not peer.link.closed, "the stream is closed at once")
    peer.until(lambda: peer.link.closed, 2, "the end after 1000 ms")


def ends(name, how, cause):
    @serial(f"5.8 {name} ends the session at once: reaction, force, trap; State tells the cause", 2)
    def _(env):
        peer = holding(env)
        how(peer)
        peer.active = False
        peer.rest(0.1)
        equal("journal", env.knob("journal")["journal"], TAKEN_BACK)
        after = peer.next()
        s = after.status()
        equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
        equal("State: cause, ended", (after.state["cause"], after.state["ended"]), (cause, [0x20000020]))
        equal("the forced bytes", after.read(0x20000020, 4), ORIGINAL)
        after.ask("SetHardwareBreakpoint", at(0x20000104, 9))


ends("RESET by the host", lambda p: p.link.send_packet(RESET, 0, b"\x01"), 3)
ends("a record of length 0", lambda p: (p.link.put(0, b"\0\0"), p.rest(0.2)), 3)


@both("5.8 a session that holds nothing ends without the stop reaction", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("Release", SAMPLE["Release"])
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.journal()
    peer.close()
    equal("journal", env.knob("journal")["journal"], [])


@both("5.8 a session that holds a trap alone, or a force alone, ends with the stop reaction", 2)
def _(env):
    for kind, fields, want in (("SetBreakpoint", at(0x20000104, 1), "clear 536871172"),
                               ("Force", SAMPLE["Force"], "release 536870944")):
        peer = env.peer()
        peer.halt()
        peer.ask(kind, dict(fields, lease=60000) if kind == "Force" else fields)
        peer.journal()
        peer.close()
        equal("journal", env.knob("journal")["journal"], ["react", want])
        env.lines[-1].gone()


@both("5.8 the end of the session stops counting steps, and leaves a stopped machine stopped", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    equal("run state", peer.status()["run_state"], 3)
    peer.close()
    env.knob("journal")
    peer.link.rest(0.15)
    equal("journal", env.knob("journal")["journal"], [])
    if env.serial:
        s = peer.next().status()
        equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))


@serial("5.8 a running machine keeps running when the session ends", 1)
def _(env):
    peer = env.peer()
    equal("run state", peer.next().status()["run_state"], 1)


@both("5.8 the host's Bye while steps are under way: it is answered before the next one begins", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    peer.rest(0.1)
    peer.close()
    env.knob("journal")
    peer.link.rest(0.1)
    check("step" not in env.knob("journal")["journal"], "steps after the end")


# -- the program's generation ----------------------------------------------------------------------------------------

@both("8.11 when the program has changed the session ends: Bye 8, and what it held is taken back", 1)
def _(env):
    peer = holding(env)
    peer.knob("generation 2")
    peer.wait_end(8, 1.5, "another generation")
    equal("journal", env.knob("journal")["journal"], TAKEN_BACK)
    if env.serial:
        after = peer.finish_end().next()
        equal("generation, cause", (after.welcome["generation"], after.state["cause"]), (2, 8))
        equal("generation of the variables", after.ask("ListVariables", {"from": 0})["generation"], 2)


@agent("8.11 a command of column A to a program that has changed: ProgramChanged, not executed, and recorded", 2)
def _(env):
    """The command has arrived when the generation changes, in a stall; the command or the run notices first."""
    peer = env.peer()
    peer.halt()
    peer.journal()
    peer.stall(300)
    sequence = peer.send("Resume")
    peer.said("generation 7")
    peer.wait_end(8, 2, "another generation")
    m = next((m for m in peer.answers if m.fields.get("request") == sequence), None)
    if m:
        peer.is_error(m, 28, 7, "Resume")
    check("resume" not in env.knob("journal")["journal"], "Resume was executed")


@agent("8.11 a Halt of a program that has changed is executed, and a Release is ProgramChanged", 2)
def _(env):
    """Both have arrived, in a stall, when the generation changes: commands of channel 0 come before all else."""
    peer = env.peer()
    peer.journal()
    peer.stall(300)
    halt = peer.send("Halt")
    release = peer.send("Release", SAMPLE["Release"])
    peer.said("generation 7")
    peer.wait_end(8, 2, "another generation")
    found = {m.fields.get("request"): m for m in peer.answers}
    check(halt in found and found[halt].name == "Done", f"the answer to Halt: {found.get(halt)}")
    check(release in found, "no answer to Release")
    peer.is_error(found[release], 28, 7, "Release")
    check("halt" in env.knob("journal")["journal"], "Halt was not executed")


@both("8.13 metric 2 counts sessions, 7 wrong tags", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics()
    equal("metric 7", before[7], 0)
    if not env.serial:
        return
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2.5, "a wrong tag")
    after = peer.finish_end().next().metrics()
    equal("metric 2", after.get(2), before.get(2) + 1)
    equal("metric 7", after.get(7), before.get(7) + 1)


