"""Scenarios for agents: the interlock, asked before each act; SPEC 8.3."""

from .agents import agent, both
from .run import check, equal
from .samples import ORIGINAL, SAMPLE, at
from .session import PRINT

SETS = ("SetBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint", "SetWatchpoint")


def nothing(peer, what):
    equal(f"{what}: what was done to the machine", peer.journal()["journal"], [])


def refuses(knob, act, kinds, running, standing=False):
    @agent(f"8.3 {act} is refused by the interlock ({knob}): nothing is done", 1)
    def _(env):
        peer = env.peer()
        for run in ([True] if running else []) + ([False] if standing else []):
            if not run:
                peer.halt()
            peer.knob(knob)
            peer.journal()
            for kind in kinds:
                peer.refuse(14, kind, SAMPLE.get(kind))
            nothing(peer, act)
            peer.knob(knob[:-1] + "0")
            for kind in kinds[:1]:
                peer.ask(kind, SAMPLE.get(kind))


for _knob in ("interlock 1", "moving 1"):
    refuses(_knob, "arm, running", SETS, True)
    refuses(_knob, "arm, standing", SETS, False, True)
    refuses(_knob, "halt", ("Halt",), True)
    refuses(_knob, "force", ("Force",), False, True)
    refuses(_knob, "write", ("WriteMemory", "WriteRegister"), False, True)
    refuses(_knob, "resume", ("Resume",), False, True)
    refuses(_knob, "axis", ("SetAxis",), False, True)


@agent("8.3 step is refused by the interlock before the first one", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    n = peer.registers()["r0"]
    for knob in ("interlock", "moving"):
        peer.knob(f"{knob} 1")
        for kind in ("Step", "StepRange"):
            m = peer.call(kind, SAMPLE[kind])
            if m.name == "Done":
                peer.stopped(6)
            else:
                peer.is_error(m, 14)
        peer.knob(f"{knob} 0")
    equal("instructions", peer.registers()["r0"] - n, 0)


@agent("8.3 of the reference machine: force, write and axis need a program that stands", 1)
def _(env):
    peer = env.peer()
    peer.journal()
    peer.refuse(14, "Force", peer.force())
    peer.refuse(14, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse((10, 14), "WriteMemory", SAMPLE["WriteMemory"])
    nothing(peer, "a running program")
    equal("forces", peer.status()["forces"], 0)


@both("8.3 a refusal of hold ends all forces, one of keep armed all traps: the reaction first; cause 18", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("Force", peer.force(addr=0x20000024))
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.journal()
    peer.knob("interlock 1")
    peer.rest(0.15)
    j = peer.journal()
    acts = [t.split()[0] for t in j["journal"]]
    equal("the reaction, once and first, then forces, then traps", acts, ["react", "release", "release", "clear"])
    equal("forces and traps that are left", (j["forces"], j["traps"]), ({}, 0))
    equal("memory", peer.read(0x20000020, 4), ORIGINAL)
    ends = [(r["cause"], r["verdict"]) for r in peer.log_from() if r["kind"] == 0xE0]
    equal("records of the ends", ends, [(18, 0), (18, 0)])
    peer.knob("interlock 0")
    peer.ask("Force", peer.force())
    check(peer.bye is None, f"Bye {peer.bye}")


@both("8.3 axes that begin to move end traps, which this machine does not keep armed; forces and session stay", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.journal()
    peer.knob("moving 1")
    peer.rest(0.15)
    j = peer.journal()
    equal("journal", j["journal"], ["react", "clear 536871172"])
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (1, 0))
    peer.knob("moving 0")
    peer.rest(0.05)
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    check(peer.bye is None, f"Bye {peer.bye}")


@agent("8.3 axes that begin to move do not end a force: hold is not refused for that by this machine", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    peer.knob("moving 1")
    peer.rest(0.1)
    nothing(peer, "hold")
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Release", SAMPLE["Release"])


@agent("8.3 Resume and Step under a force are asked for as well: refused while the interlock refuses", 1)
def _(env):
    """The order of commands is no way around the interlock: forced while it stood, then resumed."""
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.knob("moving 1")
    peer.journal()
    peer.refuse(14, "Resume")
    m = peer.call("Step", {"count": 3, "trace": 0})
    check(m.name == "Done" or m.fields.get("code") == 14, f"Step: {m.name}")
    equal("run state", peer.status()["run_state"], 2)
    peer.knob("moving 0")
    check(not [t for t in peer.journal()["journal"] if t in ("resume", "step")], "Resume or Step")
    peer.ask("Resume")


@agent("8.3 Release, Clear and Renew are not asked for", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.knob("moving 1")
    peer.ask("Renew", dict(SAMPLE["Renew"], lease=60000))
    peer.ask("Release", SAMPLE["Release"])
    peer.refuse(17, "ClearBreakpoint", at(0, 1))
    equal("fingerprint", peer.welcome["fingerprint"], PRINT)
