"""Scenarios for agents: Step, StepRange, and what may come between steps; SPEC 8.3, 8.4."""

from .agent_machine import executed
from .agents import agent, both, serial
from .frames import ANSWERS, channel_of, record_bytes, registers_of
from .run import check, equal
from .samples import ORIGINAL, SAMPLE, TOUCHING, at
from .session import PRINT
from .wire import crc32

BEGIN, END = 0x20000100, 0x2000013E


def begin(peer, kind="Step", **fields):
    """Steps are under way."""
    sequence = peer.send(kind, fields)
    peer.answer(kind, "Done", sequence)
    return sequence


@both("8.4 Step with trace: a Stopped for each step, more until the last", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    regs = peer.registers()
    pc, r0 = regs["pc"], regs["r0"]
    sequence = begin(peer, count=5, trace=1)
    for i in range(5):
        f = peer.stopped(1, sequence, int(i < 4))
        pc = BEGIN + (pc + 2 - BEGIN) % 0x40
        r0 += 1
        equal(f"step {i + 1}: pc, r0", (registers_of(f).get("pc"), registers_of(f).get("r0")), (pc, r0))
    peer.no_stopped(0.1, "more Stopped than steps")
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    order = sorted((m.sequence, m.name) for m in peer.log if m.fields.get("request") == sequence)
    equal("Done first, by sequence", order[0][1], "Done")


@both("8.4 Step without trace: one Stopped, for the last step")
def _(env):
    peer = env.peer()
    peer.halt()
    n = executed(peer)
    sequence = begin(peer, count=40, trace=0)
    peer.stopped(1, sequence, 0)
    equal("instructions", executed(peer) - n, 40)
    peer.no_stopped(0, "more than one Stopped")


@agent("8.4 many traced steps: every one's Stopped comes, in order", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    pc = peer.registers()["pc"]
    sequence = begin(peer, count=150, trace=1)
    for i in range(150):
        f = peer.stopped(1, sequence, int(i < 149), 8)
        pc = BEGIN + (pc + 2 - BEGIN) % 0x40
        equal(f"pc of step {i + 1}", registers_of(f).get("pc"), pc)
    equal("run state", peer.status()["run_state"], 2)


@agent("8.4 any stop for another reason ends the steps", 1)
def _(env):
    peer = env.peer()
    peer.ask("SetBreakpoint", at(0x20000110, 3))
    peer.stopped(2)
    n = executed(peer)
    begin(peer, count=100, trace=0)
    f = peer.stopped(2, None, 0)
    equal("detail", f["detail"], 3)
    equal("instructions", executed(peer) - n, 32)
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    peer.ask("ClearBreakpoint", at(0, 3))
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=4))
    begin(peer, count=100, trace=1)
    peer.stopped(3, None, 0)
    equal("instructions", executed(peer) - n, 33)


@both("8.4 while steps are under way: Busy but for Halt, Release, Renew and what has no A; Halt ends them", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.ask("Force", peer.force())
    begin(peer, count=0xFFFFFFFF, trace=0)
    s = peer.status()
    equal("run state", s["run_state"], 3)
    check(s["steps_left"] > 0, "no steps left")
    for kind in TOUCHING:
        if channel_of(kind):
            peer.refuse(21, kind, SAMPLE.get(kind))
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Renew", dict(SAMPLE["Renew"], lease=60000))
    peer.ask("Release", SAMPLE["Release"])
    equal("released", (peer.status()["forces"], peer.read(0x20000020, 4)), (0, ORIGINAL))
    for kind in ANSWERS:
        if kind not in TOUCHING and kind not in ("Renew", "ReadRegisters"):
            peer.ask(kind, SAMPLE.get(kind))
    later = peer.status()["steps_left"]
    peer.rest(0.1)
    check(peer.status()["steps_left"] < s["steps_left"] and later <= s["steps_left"], "steps do not count down")
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt)
    peer.stopped(4, halt, 0)
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    n = executed(peer)
    peer.rest(0.1)
    equal("instructions after Halt", executed(peer) - n, 0)


def halt_traced(peer, sequence, n):
    """Halt, and every Stopped up to its own."""
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt, 3)
    steps = 0
    while True:
        f = peer.stopped()
        if f["reason"] == 4:
            break
        steps += 1
        equal("reason, request, more", (f["reason"], f["request"], f["more"]), (1, sequence, 1))
    equal("request and more of the last one", (f["request"], f["more"]), (halt, 0))
    # The Halt's Stopped may be that of an instruction which was being executed.
    check(executed(peer) - n in (steps, steps + 1), f"{executed(peer) - n} instructions, {steps} Stopped of steps")
    peer.no_stopped(0.1, "Stopped after the Halt's")


@serial("8.4 Halt ends traced steps at once: commands that wait are handled before the next step begins", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    n = executed(peer)
    sequence = begin(peer, count=0xFFFFFFFF, trace=1)
    for _ in range(3):
        equal("run state", peer.status()["run_state"], 3)
        peer.rest(0.05)
    halt_traced(peer, sequence, n)


@agent("8.4 Halt ends traced steps on a byte stream", 2, ("5.6 time",))
def _(env):
    """A stream has room for megabytes of Stopped, so these are not many steps, and they may be over before Halt."""
    peer = env.peer()
    peer.halt()
    n = executed(peer)
    sequence = begin(peer, count=20000, trace=1)
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt, 6)
    steps, f = 0, dict(more=1)
    while f["more"]:
        f = peer.stopped(seconds=6)
        steps += 1
        equal("request", f["request"], halt if f["reason"] == 4 else sequence)
    check(executed(peer) - n in (steps - 1, steps), f"{executed(peer) - n} instructions, {steps} Stopped")
    peer.no_stopped(0.1, "Stopped after the last one")
    equal("run state", peer.status()["run_state"], 2)


@agent("8.4 a second Halt that ends steps: one Stopped, and the machine stands", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    begin(peer, count=0xFFFFFFFF, trace=0)
    first, second = peer.send("Halt"), peer.send("Halt")
    peer.answer("Halt", "Done", first)
    peer.answer("Halt", "Done", second)
    peer.stopped(4, None, 0)
    peer.no_stopped(0.1, "a second Stopped")


# -- StepRange -------------------------------------------------------------------------------------------------------

def ranged(peer, first, last, over=0):
    """The pc behind a StepRange, and how many instructions it took."""
    n = executed(peer)
    sequence = begin(peer, "StepRange", first=first, last=last, over=over)
    f = peer.stopped(1, sequence, 0)
    return registers_of(f)["pc"], executed(peer) - n


def to_pc(peer, pc):
    """Steps until the pc is there."""
    here = peer.registers()["pc"]
    count = ((pc - here) % 0x40) // 2
    if count:
        begin(peer, count=count, trace=0)
        peer.stopped(1)


@both("8.4 StepRange steps on while the pc is in first to last: one Stopped, that of the first step outside", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    to_pc(peer, 0x20000104)
    equal("from 104, 100 to 10F: pc, instructions", ranged(peer, 0x20000100, 0x2000010F), (0x20000110, 6))
    equal("from 110, 110 to 110", ranged(peer, 0x20000110, 0x20000110), (0x20000112, 1))
    equal("from 112, a range elsewhere: one instruction at least", ranged(peer, 0, 1), (0x20000114, 1))
    equal("from 114, a range that is upside down", ranged(peer, 0x2000013E, 0x20000100), (0x20000116, 1))
    equal("from 116, into a range: it steps on", ranged(peer, 0x20000118, 0x2000011F), (0x20000120, 5))
    equal("from 120, over", ranged(peer, 0x20000120, 0x2000012F, 1), (0x20000130, 8))
    equal("from 130, around to 100", ranged(peer, 0x20000130, 0x2000013F), (0x20000100, 8))


@agent("8.4 StepRange over: a step out of the range into a call is followed until the call has returned", 2)
def _(env):
    """The link register says that the step out of the range was a call, from 106, that returns to 10A."""
    peer = env.peer()
    peer.halt()
    for over, lr, want in ((0, 0x2000010B, 0x20000108), (1, 0x2000010B, 0x2000010A), (1, 0x2000010A, 0x2000010A),
                           (1, 0x2000010D, 0x20000108), (1, 0x20000101, 0x20000108), (1, 0x20000109, 0x20000108)):
        peer.ask("WriteRegister", dict(register=14, value=lr, fingerprint=PRINT))
        to_pc(peer, 0x20000104)
        pc, _ = ranged(peer, 0x20000100, 0x20000107, over)
        equal(f"over {over}, link register {lr:#x}: pc", pc, want)
        rows = peer.log_from()
        last = [r for r in rows if r["cause"] != 255][-1]
        peer.ask("ReleaseAudit", dict(upto=last["index"] + 1, crc=crc32(record_bytes(last))))


@agent("8.4 StepRange without an end: Status says 0xFFFFFFFF steps left; Halt ends it; a breakpoint ends it", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    begin(peer, "StepRange", first=0, last=(1 << 64) - 1, over=0)
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (3, 0xFFFFFFFF))
    peer.refuse(21, "Resume")
    peer.refuse(21, "StepRange", SAMPLE["StepRange"])
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt)
    peer.stopped(4, halt, 0)
    to_pc(peer, 0x20000100)
    peer.ask("SetBreakpoint", at(0x20000120, 8))
    begin(peer, "StepRange", first=0, last=(1 << 64) - 1, over=0)
    f = peer.stopped(2, None, 0)
    equal("detail, pc", (f["detail"], registers_of(f)["pc"]), (8, 0x20000120))


@agent("8.3 a step that the interlock refuses ends the series: Stopped with reason 6", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for kind, fields in (("Step", dict(count=0xFFFFFFFF, trace=0)),
                         ("StepRange", dict(first=0, last=(1 << 64) - 1, over=0))):
        begin(peer, kind, **fields)
        peer.knob("interlock 1")
        f = peer.stopped(6, None, 0)
        equal("detail", f["detail"], 0)
        n = executed(peer)
        peer.rest(0.1)
        equal("instructions after it", executed(peer) - n, 0)
        s = peer.status()
        equal("run state, steps left, last reason", (s["run_state"], s["steps_left"], s["last_reason"]), (2, 0, 6))
        peer.knob("interlock 0")
