"""Scenarios for agents: Halt, Resume, breakpoints, watchpoints; SPEC 8.4, 8.5."""

from .agents import agent, both
from .frames import registers_of
from .run import check, equal
from .samples import SAMPLE, at

SETS = ("SetBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint")


def executed(peer):
    return peer.registers()["r0"] - 0x1000


# -- halt, resume ----------------------------------------------------------------------------------------------------

@both("8.4 Halt: Done, then Stopped with reason 4 and the Halt's sequence")
def _(env):
    peer = env.peer()
    sequence = peer.send("Halt")
    peer.answer("Halt", "Done", sequence)
    f = peer.stopped(4, sequence, 0)
    equal("detail", f["detail"], 0)
    kinds = [m.name for m in peer.log if m.name in ("Done", "Stopped")]
    equal("order", kinds[-2:], ["Done", "Stopped"])
    regs = registers_of(f)
    equal("pc", regs["pc"], 0x20000100 + 2 * ((regs["r0"] - 0x1000) % 32))
    n = executed(peer)
    peer.rest(0.15)
    equal("instructions while stopped", executed(peer) - n, 0)


@both("8.4 Halt of a program that stands is Done, has no effect, and brings no Stopped", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.journal()
    for _ in range(3):
        peer.ask("Halt")
    peer.no_stopped(0.2, "Halt of a program that stands")
    equal("journal", peer.journal()["journal"], [])
    equal("run state", peer.status()["run_state"], 2)
    for knob in ("interlock", "moving"):
        peer.knob(f"{knob} 1")
        peer.ask("Halt")
        peer.knob(f"{knob} 0")
    peer.ask("Resume")
    peer.rest(0.05)
    peer.halt()


@agent("8.4 a Halt while one is under way is Done: one Stopped, with the last one's sequence or the first one's", 1)
def _(env):
    peer = env.peer()
    first = peer.send("Halt")
    second = peer.send("Halt")
    peer.answer("Halt", "Done", first)
    peer.answer("Halt again", "Done", second)
    f = peer.stopped(4)
    check(f["request"] in (first, second), f"request {f['request']}")
    peer.no_stopped(0.2, "a second Stopped")


@both("8.4 Resume, Step, StepRange and writes of a program that runs are WrongState")
def _(env):
    peer = env.peer()
    for kind in ("Resume", "Step", "StepRange", "WriteMemory", "WriteRegister"):
        peer.refuse(10, kind, SAMPLE.get(kind))
    peer.halt()
    n = executed(peer)
    peer.ask("Resume")
    equal("run state", peer.status()["run_state"], 1)
    peer.rest(0.1)
    peer.halt()
    check(executed(peer) > n, "nothing was executed after Resume")


# -- breakpoints -----------------------------------------------------------------------------------------------------

@both("8.5 a breakpoint is met before its instruction, hits count, and it is not met again at the pc", 1)
def _(env):
    peer = env.peer()
    f = peer.ask("SetBreakpoint", at(0x20000110, 77))
    equal("BreakpointSet", (f["id"], f["slot"]), (77, 0))
    last = None
    for hits in (1, 2, 3):
        f = peer.stopped(2, 0, 0)
        equal("detail", f["detail"], 77)
        regs = peer.registers()
        equal("pc", regs["pc"], 0x20000110)
        n = regs["r0"] - 0x1000
        equal("instructions before the breakpoint", n % 32, 8)
        if last is not None:
            equal("instructions between two hits", n - last, 32)
        last = n
        rows = peer.ask("ListBreakpoints", at(0, 0))["breakpoints"]
        equal("hits", [(b["id"], b["addr"], b["trap"], b["hits"]) for b in rows], [(77, 0x20000110, 0, hits)])
        equal("run state", peer.status()["run_state"], 2)
        peer.ask("Resume")
    peer.stopped(2, 0, 0)


@agent("8.4 a breakpoint at the pc is not met by Resume, Step or StepRange before its instruction is executed", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    pc = peer.registers()["pc"]
    peer.ask("SetBreakpoint", at(pc, 5))
    sequence = peer.send("Step", {"count": 1, "trace": 0})
    peer.answer("Step", "Done", sequence)
    peer.stopped(1, sequence)
    n = executed(peer)
    peer.ask("Resume")
    equal("detail", peer.stopped(2, 0)["detail"], 5)
    equal("instructions until it is met", executed(peer) - n, 31)
    sequence = peer.send("StepRange", {"first": pc, "last": pc, "over": 0})
    peer.answer("StepRange", "Done", sequence)
    peer.stopped(1, sequence)
    equal("instructions of StepRange from the breakpoint", executed(peer) - n, 32)
    peer.ask("Resume")
    equal("detail", peer.stopped(2, 0)["detail"], 5)
    peer.ask("Resume")
    equal("detail", peer.stopped(2, 0)["detail"], 5)
    equal("hits", peer.ask("ListBreakpoints", at(0, 0))["breakpoints"][0]["hits"], 3)


@agent("8.5 a breakpoint that is set at the pc of a program that stands is met only after its instruction", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    pc = peer.registers()["pc"]
    n = executed(peer)
    peer.ask("SetBreakpoint", at(pc, 5))
    peer.ask("Resume")
    peer.stopped(2, 0)
    equal("instructions until it is met", executed(peer) - n, 32)


@both("8.5 ids: DuplicateId with the id, UnknownId; clear by id and address, or id alone; then it is not met", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    for kind in SETS:
        peer.refuse(16, kind, at(0x20000102, 1), 1)
    peer.refuse(16, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=1), 1)
    peer.refuse(17, "ClearBreakpoint", at(0, 2))
    peer.refuse(17, "ClearBreakpoint", at(0x20000102, 1))
    equal("breakpoints", peer.status()["breakpoints"], 1)
    peer.ask("ClearBreakpoint", at(0x20000100, 1))
    peer.refuse(17, "ClearBreakpoint", at(0, 1))
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.ask("ClearBreakpoint", at(0, 1))
    equal("breakpoints", peer.status()["breakpoints"], 0)
    peer.ask("Resume")
    peer.no_stopped(0.15, "a cleared breakpoint")


@agent("8.5 one breakpoint at an address, in hardware or not: DuplicateId with the present one's id", 2)
def _(env):
    for first in SETS:
        peer = env.peer()
        peer.halt()
        peer.ask(first, at(0x20000104, 31))
        for kind in SETS:
            peer.refuse(16, kind, at(0x20000104, 32), 31)
        equal("breakpoints", peer.status()["breakpoints"], 1)
        peer.ask("ClearBreakpoint", at(0, 31))
        peer.ask("SetSoftwareBreakpoint", at(0x20000104, 32))
        env.lines[-1].gone()


@agent("8.5 one watchpoint at an address; a watchpoint and a breakpoint are of different classes", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=9))
    peer.refuse(16, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=10), 9)
    peer.refuse((11, 25), "SetBreakpoint", at(0x20000010, 11))
    equal("breakpoints", peer.status()["breakpoints"], 1)


@agent("8.5 addresses that cannot be: Unmapped", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for i, address in enumerate((0x20000101, 0x20000140, 0x200000FE, 0, (1 << 64) - 2)):
        for kind in SETS:
            peer.refuse(11, kind, at(address, 20 + i))
    equal("breakpoints", peer.status()["breakpoints"], 0)
    peer.ask("SetBreakpoint", at(0x2000013E, 1))


@agent("8.5 slots: hardware two at a time, all 8; from 0, the lowest free one first", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    equal("slot", peer.ask("SetHardwareBreakpoint", at(0x20000100, 1))["slot"], 0)
    equal("slot", peer.ask("SetHardwareBreakpoint", at(0x20000102, 2))["slot"], 1)
    f = peer.refuse(13, "SetHardwareBreakpoint", at(0x20000104, 3))
    check(f["detail"] in (0, 2), f"NoSlot with detail {f['detail']}")
    for i in range(6):
        equal("slot", peer.ask("SetSoftwareBreakpoint", at(0x20000104 + 2 * i, 10 + i))["slot"], 2 + i)
    peer.refuse(13, "SetSoftwareBreakpoint", at(0x20000120, 30), 8)
    peer.refuse(13, "SetBreakpoint", at(0x20000120, 30), 8)
    equal("breakpoints", peer.status()["breakpoints"], 8)


@agent("8.5 the lowest free slot is given first", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for i in range(4):
        equal("slot", peer.ask("SetSoftwareBreakpoint", at(0x20000104 + 2 * i, 10 + i))["slot"], i)
    peer.ask("ClearBreakpoint", at(0, 12))
    peer.ask("ClearBreakpoint", at(0, 10))
    equal("the lowest free slot", peer.ask("SetSoftwareBreakpoint", at(0x20000130, 40))["slot"], 0)
    equal("the next free slot", peer.ask("SetSoftwareBreakpoint", at(0x20000132, 41))["slot"], 2)
    equal("the next free slot", peer.ask("SetSoftwareBreakpoint", at(0x20000134, 42))["slot"], 4)


@agent("6.1 ListBreakpoints: rising ids from the lowest that is wanted, their kinds of trap")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetSoftwareBreakpoint", at(0x20000106, 900))
    peer.ask("SetHardwareBreakpoint", at(0x20000104, 5))
    peer.ask("SetBreakpoint", at(0x20000102, 0xFFFFFFFF))
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=6))
    want = [(5, 0x20000104, 1), (6, 0x20000010, 3), (900, 0x20000106, 2), (0xFFFFFFFF, 0x20000102, 0)]
    for lowest in (0, 5, 6, 7, 901, 0xFFFFFFFF):
        got, more, start = [], 1, lowest
        while more:
            f = peer.ask("ListBreakpoints", at(0, start))
            got += [(b["id"], b["addr"], b["trap"]) for b in f["breakpoints"]]
            more = f["more"]
            check(not more or f["breakpoints"], "more without any")
            start = got[-1][0] + 1 if got else 0
        equal(f"breakpoints from {lowest}", got, [w for w in want if w[0] >= lowest])


@both("8.5 a watchpoint stops after the next instruction: reason 3, its id and the address below", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=9))
    for change in (dict(addr=0x20000014), dict(length=2, addr=0x20000030), dict(access=1, addr=0x20000034)):
        peer.refuse(3, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=10, **change))
    for _ in range(2):
        n = executed(peer)
        peer.ask("Resume")
        f = peer.stopped(3, 0, 0)
        equal("detail", f["detail"], 9 << 32 | 0x20000010)
        equal("instructions", executed(peer) - n, 1)
    peer.ask("ClearBreakpoint", at(0, 9))
    peer.ask("Resume")
    peer.rest(0.1)
    equal("run state", peer.status()["run_state"], 1)
