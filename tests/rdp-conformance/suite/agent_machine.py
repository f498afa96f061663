"""Scenarios for agents: breakpoints, steps, forces, axes; SPEC 8.3 to 8.5."""

from .agent_kinds import SAMPLE
from .agent_link import agent
from .link import now
from .run import check, equal
from .session import PRINT
from .wire import registers_of


def at(address, id):
    return {"addr": address, "id": id}


def executed(peer):
    return peer.registers()["r0"] - 0x1000


# -- halt, resume -----------------------------------------------------------------------------------------------------

@agent("8.4 Halt: Done, then Stopped with reason 4 and the Halt's sequence")
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
    peer.rest(0.2)
    equal("instructions while stopped", executed(peer) - n, 0)


@agent("8.4 Halt of a stopped, Resume and Step of a running machine are WrongState")
def _(env):
    peer = env.peer()
    peer.refuse(10, "Resume")
    peer.refuse(10, "Step", {"count": 1, "trace": 0})
    peer.halt()
    peer.refuse(10, "Halt")
    n = executed(peer)
    peer.ask("Resume")
    equal("run state", peer.status()["run_state"], 1)
    peer.rest(0.1)
    peer.halt()
    check(executed(peer) > n, "nothing was executed after Resume")


# -- breakpoints ------------------------------------------------------------------------------------------------------

@agent("8.3 a breakpoint is met before its instruction, hits count, and it is not met again before the pc has moved")
def _(env):
    peer = env.peer()
    equal("BreakpointSet", {k: v for k, v in peer.ask("SetBreakpoint", at(0x20000110, 77)).items() if k != "request"}, {"id": 77, "slot": 0})
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
        equal("hits", [(b["id"], b["addr"], b["trap"], b["hits"]) for b in peer.ask("ListBreakpoints", at(0, 0))["breakpoints"]], [(77, 0x20000110, 0, hits)])
        equal("run state", peer.status()["run_state"], 2)
        peer.ask("Resume")
    peer.stopped(2, 0, 0)


@agent("8.3 a breakpoint at the pc is not met by Step or Resume from there")
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


@agent("8.3 ids: DuplicateId, UnknownId; clear by id and address, or id alone; then it is not met")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    for kind in ("SetBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint"):
        peer.refuse(16, kind, at(0x20000102, 1))
    peer.refuse(16, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=1))
    peer.refuse(17, "ClearBreakpoint", at(0, 2))
    peer.refuse(17, "ClearBreakpoint", at(0x20000102, 1))
    equal("breakpoints", peer.status()["breakpoints"], 1)
    peer.ask("ClearBreakpoint", at(0x20000100, 1))
    peer.refuse(17, "ClearBreakpoint", at(0, 1))
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.ask("ClearBreakpoint", at(0, 1))
    equal("breakpoints", peer.status()["breakpoints"], 0)
    peer.ask("Resume")
    peer.rest(0.2)
    check(not [e for e in peer.events if e.name == "Stopped"], "stopped at a cleared breakpoint")


@agent("8.3 addresses that cannot be: Unmapped")
def _(env):
    peer = env.peer()
    peer.halt()
    for i, address in enumerate((0x20000101, 0x20000140, 0x200000FE, 0, (1 << 64) - 2)):
        for kind in ("SetBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint"):
            peer.refuse(11, kind, at(address, 20 + i))
        peer.drain()
    equal("breakpoints", peer.status()["breakpoints"], 0)
    peer.ask("SetBreakpoint", at(0x2000013E, 1))


@agent("8.3 slots: hardware two at a time, all 8; from 0, the lowest free one first")
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
    peer.ask("ClearBreakpoint", at(0, 12))
    peer.ask("ClearBreakpoint", at(0, 10))
    equal("the lowest free slot", peer.ask("SetSoftwareBreakpoint", at(0x20000130, 40))["slot"], 2)
    equal("the next free slot", peer.ask("SetSoftwareBreakpoint", at(0x20000132, 41))["slot"], 4)


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


@agent("8.3 a watchpoint stops after the next instruction: reason 3, its id and the address below")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=9))
    for change in (dict(addr=0x20000014), dict(length=2), dict(access=1), dict(access=3)):
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


# -- steps ------------------------------------------------------------------------------------------------------------

@agent("8.4 Step with trace: a Stopped for each step, more until the last")
def _(env):
    peer = env.peer()
    peer.halt()
    regs = peer.registers()
    pc, r0 = regs["pc"], regs["r0"]
    sequence = peer.send("Step", {"count": 5, "trace": 1})
    peer.answer("Step", "Done", sequence)
    for i in range(5):
        f = peer.stopped(1, sequence, int(i < 4))
        pc = 0x20000100 + (pc + 2 - 0x20000100) % 0x40
        r0 += 1
        equal(f"step {i + 1}: pc, r0", (registers_of(f).get("pc"), registers_of(f).get("r0")), (pc, r0))
    peer.rest(0.1)
    check(not [e for e in peer.events if e.name == "Stopped"], "more Stopped than steps")
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    order = [m.name for m in peer.log if m.fields.get("request") == sequence]
    equal("Done first", order[0], "Done")


@agent("8.4 every traced step's Stopped comes, though there was no room for them", 5, ("5.3 time",))
def _(env):
    peer = env.peer()
    peer.halt()
    pc = peer.registers()["pc"]
    peer.rest(0.3)
    peer.link.windows = [0, 0]
    peer.link.accept_data = False
    peer.link.send_ack()
    peer.link.advertised = [len(peer.link.rx[0]), len(peer.link.rx[1])]
    sequence = peer.send("Step", {"count": 300, "trace": 1})
    peer.rest(0.7)
    peer.link.accept_data = True
    peer.link.windows = [8192, 8192]
    peer.link.send_ack()
    peer.answer("Step", "Done", sequence)
    for i in range(300):
        f = peer.stopped(1, sequence, int(i < 299), 8)
        pc = 0x20000100 + (pc + 2 - 0x20000100) % 0x40
        equal(f"pc of step {i + 1}", registers_of(f).get("pc"), pc)
    equal("run state", peer.status()["run_state"], 2)


@agent("8.4 Step without trace: one Stopped, for the last step")
def _(env):
    peer = env.peer()
    peer.halt()
    n = executed(peer)
    sequence = peer.send("Step", {"count": 40, "trace": 0})
    peer.answer("Step", "Done", sequence)
    peer.stopped(1, sequence, 0)
    equal("instructions", executed(peer) - n, 40)
    check(not [e for e in peer.events if e.name == "Stopped"], "more than one Stopped")


@agent("8.4 any stop for another reason ends the steps")
def _(env):
    peer = env.peer()
    peer.ask("SetBreakpoint", at(0x20000110, 3))
    peer.stopped(2)
    n = executed(peer)
    sequence = peer.send("Step", {"count": 100, "trace": 0})
    peer.answer("Step", "Done", sequence)
    f = peer.stopped(2, None, 0)
    equal("detail", f["detail"], 3)
    equal("instructions", executed(peer) - n, 32)
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    peer.ask("ClearBreakpoint", at(0, 3))
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=4))
    sequence = peer.send("Step", {"count": 100, "trace": 1})
    peer.answer("Step", "Done", sequence)
    peer.stopped(3, None, 0)
    equal("instructions", executed(peer) - n, 33)


@agent("8.4 while steps are under way: Busy but for Halt, Release and what is only read; Halt ends them", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", dict(at(0x20000100, 1)))
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.ask("Force", peer.force())
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.answer("Step", "Done", sequence)
    s = peer.status()
    equal("run state", s["run_state"], 3)
    check(s["steps_left"] > 0, "no steps left")
    for kind in ("SetBreakpoint", "ClearBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint", "SetWatchpoint", "Resume", "Step", "Force", "SetAxis",
                 "PushPolicy"):
        peer.refuse(21, kind, SAMPLE.get(kind))
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Release", SAMPLE["Release"])
    equal("released", (peer.status()["forces"], peer.read(0x20000020, 4)), (0, ORIGINAL))
    for kind in ("ListBreakpoints", "ReadMemory", "GetStatus", "ReadAxes", "ReadPlc", "ReadCursor", "ReadAudit", "ReadMetrics"):
        peer.ask(kind, SAMPLE.get(kind))
    later = peer.status()["steps_left"]
    peer.rest(0.2)
    check(peer.status()["steps_left"] < s["steps_left"] and later <= s["steps_left"], "steps do not count down")
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt)
    peer.stopped(4, halt, 0)
    s = peer.status()
    equal("run state, steps left", (s["run_state"], s["steps_left"]), (2, 0))
    n = executed(peer)
    peer.rest(0.1)
    equal("instructions after Halt", executed(peer) - n, 0)


@agent("8.4 Halt ends traced steps at once: commands that wait are handled before the next step begins", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    n = executed(peer)
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    for _ in range(5):
        equal("run state", peer.status()["run_state"], 3)
        peer.rest(0.1)
    halt = peer.send("Halt")
    peer.answer("Halt", "Done", halt, 2)
    steps = 0
    while True:
        f = peer.stopped()
        if f["reason"] == 4:
            break
        steps += 1
        equal("reason, request, more", (f["reason"], f["request"], f["more"]), (1, sequence, 1))
    equal("request and more of the last one", (f["request"], f["more"]), (halt, 0))
    equal("instructions", executed(peer) - n, steps)
    peer.rest(0.2)
    check(not [e for e in peer.events if e.name == "Stopped"], "Stopped after the Halt's")


@agent("8.4 traced steps over a slow line: commands are answered, Halt ends them, the heartbeat is not lost", 6, ("5.3 time", "4.3"))
def _(env):
    peer = env.peer()
    peer.halt()
    sequence = peer.send("Step", {"count": 0xFFFFFFFF, "trace": 1})
    peer.answer("Step", "Done", sequence)
    peer.link.auto_ack = False

    def slowly(done, seconds, what):
        # 40 ACKs a second, each with room for little more than one Stopped
        end = now() + seconds
        while not done():
            check(now() < end, f"8.4 {what}: not within {seconds} s")
            check(peer.bye is None, f"8.4 {what}: Bye {peer.bye}")
            peer.link.send_ack(windows=[120, 120])
            peer.rest(0.025)
    t = now()
    slowly(lambda: now() - t > 3.5, 5, "traced steps")
    status = peer.send("GetStatus")
    slowly(lambda: peer.answers, 6, "GetStatus while steps are traced")
    equal("run state", peer.answer("GetStatus", "Status", status).fields["run_state"], 3)
    halt = peer.send("Halt")
    slowly(lambda: peer.answers, 6, "Halt while steps are traced")
    peer.answer("Halt", "Done", halt)
    peer.link.auto_ack = True
    peer.until(lambda: peer.events and peer.events[-1].fields.get("reason") == 4, 4, "Stopped of the Halt")
    equal("its request", peer.events[-1].fields["request"], halt)


# -- forces -----------------------------------------------------------------------------------------------------------

ORIGINAL = bytes((32, 33, 34, 35))


@agent("8.5 a forced variable is held until Release, which gives the former bytes back")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    equal("forced", peer.read(0x2000001C, 12), bytes((28, 29, 30, 31)) + b"\xAA\xBB\xCC\xDD" + bytes((36, 37, 38, 39)))
    peer.ask("Resume")
    peer.rest(0.1)
    equal("forced, running", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), ORIGINAL)
    equal("forces", peer.status()["forces"], 0)


@agent("8.5 a force ends with its lease", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    t = now()
    peer.ask("Force", peer.force(lease=500))
    peer.ask("Force", peer.force(addr=0x20000024, lease=60000))
    if now() - t < 0.3:
        equal("within the lease", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")
    peer.rest(0.9)
    equal("after the lease", peer.read(0x20000020, 4), ORIGINAL)
    equal("forces", peer.status()["forces"], 1)
    equal("the other one", peer.read(0x20000024, 4), b"\xAA\xBB\xCC\xDD")


@agent("8.5 forcing again replaces value and lease, and Release still gives the first bytes back", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force(lease=500))
    peer.ask("Force", peer.force(value=b"WXYZ", lease=60000))
    peer.rest(0.9)
    equal("after the first lease", peer.read(0x20000020, 4), b"WXYZ")
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Force", peer.force(value=b"abcd", lease=400))
    peer.rest(0.8)
    equal("after the last lease", peer.read(0x20000020, 4), ORIGINAL)
    peer.ask("Force", peer.force())
    peer.ask("Force", peer.force(value=b"WXYZ"))
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), ORIGINAL)


@agent("8.5 Release of a variable that is not forced is Done, and recorded")
def _(env):
    peer = env.peer()
    peer.ask("Release", dict(SAMPLE["Release"], addr=0x20000024))
    peer.halt()
    peer.ask("Force", peer.force(lease=50))
    peer.rest(0.3)
    equal("forces", peer.status()["forces"], 0)
    peer.ask("Release", SAMPLE["Release"])
    f = peer.ask("ReadAudit", {"from": 0, "count": 9})
    equal("records", [(r["kind"], r["verdict"], r["addr"]) for r in f["records"]],
          [(0x1B, 0, 0x20000024), (0x10, 0, 0), (0x1A, 0, 0x20000020), (0x1B, 0, 0x20000020)])


@agent("8.5 four forces; where none can be: Unmapped; a lease of 0")
def _(env):
    peer = env.peer()
    peer.halt()
    for address in (0x2000001C, 0x20000022, 0x20000030, 0, 1 << 63):
        peer.refuse(11, "Force", peer.force(addr=address))
    peer.drain()
    for value in (b"a", b"ab", bytes(8), bytes(16)):
        peer.refuse(11, "Force", peer.force(value=value))
    for i in range(4):
        peer.ask("Force", peer.force(addr=0x20000020 + 4 * i, value=bytes([i] * 4)))
    equal("forces", peer.status()["forces"], 4)
    peer.ask("Force", peer.force(addr=0x20000020, value=b"\x09" * 4))
    peer.drain()
    peer.refuse(11, "Force", peer.force(addr=0x20000030))
    equal("memory", peer.read(0x20000020, 16), b"\x09" * 4 + b"\x01" * 4 + b"\x02" * 4 + b"\x03" * 4)
    peer.refuse(19, "Force", peer.force(lease=0), 0)


@agent("8.5 the interlock forbids a force while the machine runs, each time; never a Release")
def _(env):
    peer = env.peer()
    peer.refuse(14, "Force", peer.force())
    equal("forces", peer.status()["forces"], 0)
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("Resume")
    peer.refuse(14, "Force", peer.force(value=b"WXYZ"))
    equal("the first force stays", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), ORIGINAL)


@agent("8.5 another device's fingerprint: WrongDevice, nothing happens")
def _(env):
    peer = env.peer()
    peer.halt()
    other = PRINT[:-1] + b"2"
    peer.refuse(18, "Force", peer.force(fingerprint=other))
    peer.ask("Force", peer.force())
    peer.refuse(18, "Release", dict(SAMPLE["Release"], fingerprint=bytes(16)))
    equal("still forced", peer.read(0x20000020, 4), b"\xAA\xBB\xCC\xDD")
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=b"R" + PRINT[1:]))
    equal("axes", peer.ask("ReadAxes")["positions"][0], 1000000)


@agent("8.5 SetAxis: the interlock forbids it while the machine runs; Unmapped")
def _(env):
    peer = env.peer()
    peer.refuse(14, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse(14, "SetAxis", dict(SAMPLE["SetAxis"], axis=9))
    peer.halt()
    peer.ask("SetAxis", dict(axis=1, position=-123456789012, fingerprint=PRINT))
    peer.ask("SetAxis", dict(axis=2, position=7, fingerprint=PRINT))
    equal("axes", peer.ask("ReadAxes")["positions"], [1000000, -123456789012, 7])
    peer.refuse(11, "SetAxis", dict(axis=3, position=0, fingerprint=PRINT))
    peer.refuse(11, "SetAxis", dict(axis=255, position=0, fingerprint=PRINT))
    equal("axes in the next State", peer.next().state["axes"], [1000000, -123456789012, 7])
