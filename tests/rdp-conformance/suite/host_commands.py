"""Scenarios for hosts: every line of the README, what it becomes, and what is printed."""

from .host import ACTIVE, REGS
from .run import check, equal, scenario
from .session import PRINT
from .wire import encode, frame


def host(name, seconds=1, tolerate=()):
    return scenario("host", name, seconds, tolerate)


@host("5.3 the first line says what Welcome and State said")
def _(env):
    peer = env.peer()
    equal("the first line", peer.active_line, ACTIVE)
    peer = env.started()
    peer.welcome_over = dict(fingerprint=bytes(range(16)), architecture=1, capabilities=9, authority=3, name="Größe".encode(), axes=0)
    peer.state_over = dict(run_state=2, axes=[], plc=[], program=0xFFFFFFFF, line=0, offset=1)
    peer.handshake()
    equal("the first line", peer.active_line,
          dict(active=True, fingerprint=bytes(range(16)).hex(), architecture=1, capabilities=9, authority=3, name="Größe",
               state=dict(run=2, axes=[], plc=[], program=0xFFFFFFFF, line=0, offset=1)))


def command(text, request, fields, answer, given, printed):
    """One line of the README: the request's fields, the answer's, the printed line."""
    @host(f"README {text.split()[0]}: {text}"[:90])
    def _(env):
        peer = env.peer()
        got = peer.serve(text, request, answer, given)
        equal(f"{text}: the request", peer.last.fields, fields)
        equal(f"{text}: the line", got, printed)
        peer.alive()


DONE = {"done": True}
command("status", "GetStatus", {}, "Status", dict(run_state=3, breakpoints=1, forces=2, steps_left=4000000000, policy_version=5, policy_enabled=1, uptime=99),
        dict(run=3, breakpoints=1, forces=2, steps=4000000000, policy=5, enabled=1, uptime=99))
command("read 0x20000000 5", "ReadMemory", dict(addr=0x20000000, length=5), "Memory", dict(addr=0x20000000, data=b"\0\1\2\3\xff"),
        dict(addr=0x20000000, data="00010203ff"))
command("read 536870912 256", "ReadMemory", dict(addr=0x20000000, length=256), "Memory", dict(addr=0x20000000, data=bytes(range(256))),
        dict(addr=0x20000000, data=bytes(range(256)).hex()))
command("break 0x20000110 7", "SetBreakpoint", dict(addr=0x20000110, id=7), "BreakpointSet", dict(id=7, slot=3), dict(id=7, slot=3))
command("hbreak 0xffffffffffffffff 4294967295", "SetHardwareBreakpoint", dict(addr=(1 << 64) - 1, id=0xFFFFFFFF), "BreakpointSet",
        dict(id=0xFFFFFFFF, slot=65535), dict(id=0xFFFFFFFF, slot=65535))
command("sbreak 2 0x3", "SetSoftwareBreakpoint", dict(addr=2, id=3), "BreakpointSet", dict(id=3, slot=0), dict(id=3, slot=0))
command("watch 0x20000010 9 4 2", "SetWatchpoint", dict(addr=0x20000010, id=9, length=4, access=2), "BreakpointSet", dict(id=9, slot=1), dict(id=9, slot=1))
command("clear 7", "ClearBreakpoint", dict(addr=0, id=7), "Done", {}, DONE)
command("halt", "Halt", {}, "Done", {}, DONE)
command("resume", "Resume", {}, "Done", {}, DONE)
command("step 4000000000 1", "Step", dict(count=4000000000, trace=1), "Done", {}, DONE)
command("force 0x20000020 60000 aabbccdd", "Force", dict(addr=0x20000020, lease=60000, fingerprint=PRINT, value=b"\xAA\xBB\xCC\xDD"), "Done", {}, DONE)
command("release 0x20000020", "Release", dict(addr=0x20000020, fingerprint=PRINT), "Done", {}, DONE)
command("setaxis 1 -123456789012", "SetAxis", dict(axis=1, position=-123456789012, fingerprint=PRINT), "Done", {}, DONE)
command("axes", "ReadAxes", {}, "Axes", dict(positions=[1, -(1 << 63), (1 << 63) - 1]), dict(axes=[1, -(1 << 63), (1 << 63) - 1]))
command("plc 2 3", "ReadPlc", dict(first=2, count=3), "Plc", dict(first=2, registers=[7, 0, 65535]), dict(first=2, registers=[7, 0, 65535]))
command("cursor", "ReadCursor", {}, "Cursor", dict(program=1, line=2, offset=0xFFFFFFFF), dict(program=1, line=2, offset=0xFFFFFFFF))
RECORD = dict(index=3, session=0xFFFFFFFE, sequence=5, time=6, uptime=7, operator=b"operator", kind=0x1A, verdict=0xFFFF, addr=0x20000020,
              value=0xFF02030400000000)
command("audit 3 10", "ReadAudit", {"from": 3, "count": 10}, "Audit", dict(oldest=3, next=9, records=[RECORD, dict(RECORD, index=4, verdict=11)]),
        dict(oldest=3, next=9, records=[dict(RECORD, operator=b"operator".hex()), dict(RECORD, index=4, verdict=11, operator=b"operator".hex())]))
command("policy 5 1 0x20000100 0x2000010F 0 0 18446744073709551615 1", "PushPolicy",
        dict(version=5, enabled=1, rules=[dict(first=0x20000100, last=0x2000010F, action=0), dict(first=0, last=(1 << 64) - 1, action=1)]), "Done", {}, DONE)
command("policy 6 0", "PushPolicy", dict(version=6, enabled=0, rules=[]), "Done", {}, DONE)
command("regs", "ReadRegisters", dict(what=0), "Registers",
        dict(capture=7, mask=0x1FFFF, values=b"".join(v.to_bytes(4, "big") for v in REGS.values())), dict(capture=7, registers=REGS))


@host("README metrics; 8.8 numbers that are not known are ignored")
def _(env):
    peer = env.peer()
    got = peer.serve("metrics", "ReadMetrics", "Metrics", dict(metrics=[dict(metric=1, value=99), dict(metric=0x112, value=5), dict(metric=0x7777, value=1),
                                                                        dict(metric=7, value=0xFFFFFFFF)]))
    known = {k: v for k, v in got["metrics"].items() if k != str(0x7777)}
    equal("metrics", known, {"1": 99, str(0x112): 5, "7": 0xFFFFFFFF})
    check(str(0x7777) not in got["metrics"], "8.8 a metric that is not known is shown")
    peer.alive()


@host("README errors: code and detail, for every command")
def _(env):
    peer = env.peer()
    code = 0
    for text, request in (("status", "GetStatus"), ("regs", "ReadRegisters"), ("read 0 1", "ReadMemory"), ("break 0 1", "SetBreakpoint"),
                          ("watch 0 1 4 2", "SetWatchpoint"), ("clear 1", "ClearBreakpoint"), ("breakpoints", "ListBreakpoints"), ("halt", "Halt"),
                          ("resume", "Resume"), ("step 1 0", "Step"), ("force 0 1 00", "Force"), ("release 0", "Release"), ("setaxis 0 1", "SetAxis"),
                          ("axes", "ReadAxes"), ("plc 0 1", "ReadPlc"), ("cursor", "ReadCursor"), ("audit 0 1", "ReadAudit"), ("metrics", "ReadMetrics"),
                          ("policy 1 0", "PushPolicy")):
        code += 1
        got = peer.serve(text, request, "Error", dict(code=code, detail=code * 1000))
        equal(f"{text}: the line", got, {"error": code, "detail": code * 1000})
    got = peer.serve("status", "GetStatus", "Error", dict(code=99, detail=0xFFFFFFFF))
    equal("an unknown code", got, {"error": 99, "detail": 0xFFFFFFFF})


@host("6.4 Breakpoints with `more`: the host asks on, from the next id")
def _(env):
    peer = env.peer()
    rows = [dict(id=i, addr=0x20000100 + 2 * i, trap=i % 4, hits=i) for i in (1, 5, 6, 0xFFFFFFFF)]
    peer.say("breakpoints")
    m = peer.expect("ListBreakpoints")
    equal("the lowest id, addr", (m.fields["id"], m.fields["addr"]), (0, 0))
    peer.answer("Breakpoints", m.sequence, dict(more=1, breakpoints=rows[:2]))
    m = peer.expect("ListBreakpoints")
    equal("the next id", m.fields["id"], 6)
    peer.answer("Breakpoints", m.sequence, dict(more=0, breakpoints=rows[2:]))
    equal("the line", peer.line("breakpoints"), {"breakpoints": rows})
    equal("none", peer.serve("breakpoints", "ListBreakpoints", "Breakpoints", dict(more=0, breakpoints=[])), {"breakpoints": []})


@host("README stopped: waits; registers as known then, from differing sets")
def _(env):
    peer = env.peer()
    known = dict(REGS)
    peer.say("halt")
    m = peer.expect("Halt")
    peer.answer("Done", m.sequence)
    equal("halt", peer.line("halt"), DONE)
    peer.say("stopped")
    peer.no_line(0.4, "no Stopped yet")
    peer.stopped(REGS, m.sequence, 4, 0, 0, 1)
    equal("stopped", peer.line("stopped"), dict(request=m.sequence, reason=4, more=0, detail=0, pc=REGS["pc"], registers=known))
    peer.stopped(dict(r0=0x2000, pc=0x20000102), 0, 2, 0, 77, 2)
    peer.stopped(dict(pc=0x20000102), 0, 3, 0, 9 << 32 | 0x20000010, 3)
    known.update(r0=0x2000, pc=0x20000102)
    peer.say("stopped")
    equal("stopped at once", peer.line("stopped"), dict(request=0, reason=2, more=0, detail=77, pc=0x20000102, registers=known))
    peer.say("stopped")
    equal("the next one", peer.line("stopped"), dict(request=0, reason=3, more=0, detail=9 << 32 | 0x20000010, pc=0x20000102, registers=known))


@host("6.4 regs after Stopped: all of them, whatever is left out")
def _(env):
    peer = env.peer()
    peer.serve("regs", "ReadRegisters", "Registers", dict(capture=1, mask=0x1FFFF, values=b"".join(v.to_bytes(4, "big") for v in REGS.values())))
    peer.stopped(dict(sp=5, pc=6), 0, 2, 0, 1, 2)
    peer.say("regs")
    m = peer.expect("ReadRegisters")
    known = dict(REGS, sp=5, pc=6)
    if m.fields["what"] == 0:
        peer.registers(m.sequence, known, 3)
    else:
        peer.registers(m.sequence, {}, 3)
    equal("regs", peer.line("regs"), dict(capture=3, registers=known))


@host("8.7 events between command and answer")
def _(env):
    peer = env.peer()
    peer.say("step 2 1")
    m = peer.expect("Step")
    peer.stopped(REGS, 0, 2, 0, 1)
    peer.send("Heartbeat", {"run_state": 3})
    peer.answer("Done", m.sequence)
    equal("step", peer.line("step"), DONE)
    peer.stopped(dict(pc=2), m.sequence, 1, 1)
    peer.stopped(dict(pc=4), m.sequence, 1, 0)
    for request, reason, more, pc in ((0, 2, 0, REGS["pc"]), (m.sequence, 1, 1, 2), (m.sequence, 1, 0, 4)):
        peer.say("stopped")
        got = peer.line("stopped")
        equal("stopped", (got["request"], got["reason"], got["more"], got["pc"]), (request, reason, more, pc))


@host("4.5 long answers on channel 1 are taken")
def _(env):
    peer = env.peer()
    for _ in range(3):
        got = peer.serve("read 0x20000000 200", "ReadMemory", "Memory", dict(addr=0x20000000, data=bytes(range(200))), channel=1)
        equal("data", got["data"], bytes(range(200)).hex())
        peer.alive()


@host("5.3 a message of the longest length that the host accepts is taken")
def _(env):
    peer = env.peer(read_memory=4096)
    size = min(peer.hello["longest_message"], 4096) - 19 - 14
    got = peer.serve(f"read 0 {size}", "ReadMemory", "Memory", dict(addr=0, data=b"\x5a" * size))
    equal("length of the data", len(got["data"]) // 2, size)
    peer.link.limit = 4096
    peer.alive()


@host("README wait: the session goes on meanwhile", 3)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0.3
    count = len(peer.log)
    peer.say("wait 2500")
    peer.no_line(2.0, "wait 2500")
    equal("wait", peer.line("wait"), {"waited": 2500})
    check([m for m in peer.log[count:] if m.name == "Heartbeat"], "5.7 no heartbeat while waiting")
    peer.alive()


@host("6.2 kinds that the host does not know are ignored")
def _(env):
    peer = env.peer()
    for kind in (0x82, 0x90, 0xC2, 0xFE, 0xF0):
        peer.send_frame(frame(kind, b"12345678"))
    peer.alive()
    peer.say("status")
    m = peer.expect("GetStatus")
    peer.send_frame(frame(0xA9, m.sequence.to_bytes(4, "big")))
    peer.answer("Status", m.sequence, peer.status_fields(uptime=5))
    equal("uptime", peer.line("status")["uptime"], 5)


@host("6.2 other versions and malformed bodies are ignored")
def _(env):
    peer = env.peer()
    peer.send_frame(frame(0x80, b"abc"))
    peer.send_frame(frame(0xA8, bytes(80)))
    peer.send_frame(frame(0x92, bytes(9)))
    peer.alive()
    peer.say("status")
    m = peer.expect("GetStatus")
    good = encode("Status", **peer.status_fields(uptime=66), request=m.sequence)
    peer.send_frame(frame(0xA8, good[6:], version=2))
    peer.send_frame(frame(0xA8, good[6:] + b"x"))
    peer.no_line(0.3, "an answer of another version, or a malformed one")
    peer.answer("Status", m.sequence, peer.status_fields(uptime=5))
    equal("uptime", peer.line("status")["uptime"], 5)


@host("README bye: Bye 1, then {\"closed\": 1}")
def _(env):
    peer = env.peer()
    peer.say("bye")
    m = peer.until(lambda: peer.bye is not None and next(e for e in peer.events if e.name == "Bye"), 3, "Bye")
    equal("reason", m.fields["reason"], 1)
    peer.active = False
    peer.send("Bye", {"reason": 1})
    equal("the line", peer.closed(1)["closed"], 1)


@host("README the end of the input is bye")
def _(env):
    peer = env.peer()
    peer.alive()
    peer.program.process.stdin.close()
    peer.until(lambda: peer.bye is not None, 3, "Bye")
    equal("reason", peer.bye, 1)
    peer.active = False
    peer.send("Bye", {"reason": 1})
    peer.closed(1)
