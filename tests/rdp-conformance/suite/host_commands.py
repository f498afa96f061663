"""Scenarios for hosts: every line of the README, what it becomes, and what is printed."""

from .frames import encode, frame
from .host import ACTIVE, REGS, both, host
from .run import check, equal
from .session import PRINT

DONE = {"done": True}
TOP = (1 << 64) - 1


@both("README: the first line says what Welcome and State said", 2)
def _(env):
    equal("the first line", env.peer().active_line, ACTIVE)
    peer = env.started()
    peer.welcome_over = dict(fingerprint=bytes(range(16)), capabilities=9, authority=3, generation=0xFFFFFFFF,
                             credit=1, name="Größe".encode(), axes=0, expires=86400, suites=[0, 77])
    peer.state_over = dict(run_state=2, axes=[], plc=[], program=0xFFFFFFFF, line=0, offset=1, modified=1, stuck=3,
                           last_reason=3, last_detail=9 << 32 | 5, cause=21, ended=[1, TOP])
    peer.handshake()
    equal("the first line", peer.active_line, dict(
        active=True, fingerprint=bytes(range(16)).hex(), architecture=1, capabilities=9, authority=3,
        generation=0xFFFFFFFF, credit=1, name="Größe",
        state=dict(run=2, axes=[], plc=[], program=0xFFFFFFFF, line=0, offset=1, modified=1, stuck=3, last=3,
                   last_detail=9 << 32 | 5, cause=21, ended=[1, TOP])))


def command(text, request, fields, answer, given, printed):
    """One line of the README: the request's fields, the answer's, the printed line."""
    @host(f"README {text.split()[0]}: {text}"[:90])
    def _(env):
        peer = env.peer()
        got = peer.serve(text, request, answer, given)
        equal(f"{text}: the request", peer.served.fields, fields)
        equal(f"{text}: the line", got, printed)
        peer.alive()


command("status", "GetStatus", {}, "Status",
        dict(run_state=3, breakpoints=1, forces=2, steps_left=4000000000, policy_version=5, policy_enabled=1,
             modified=1, stuck=2, last_reason=6, uptime=99),
        dict(run=3, breakpoints=1, forces=2, steps=4000000000, policy=5, enabled=1, modified=1, stuck=2, last=6,
             uptime=99))
command("read 0x20000000 5", "ReadMemory", dict(addr=0x20000000, length=5), "Memory",
        dict(addr=0x20000000, data=b"\0\1\2\3\xff"), dict(addr=0x20000000, data="00010203ff"))
command("read 536870912 256", "ReadMemory", dict(addr=0x20000000, length=256), "Memory",
        dict(addr=0x20000000, data=bytes(range(256))), dict(addr=0x20000000, data=bytes(range(256)).hex()))
command("break 0x20000110 7", "SetBreakpoint", dict(addr=0x20000110, id=7), "BreakpointSet", dict(id=7, slot=3),
        dict(id=7, slot=3))
command("hbreak 0xffffffffffffffff 4294967295", "SetHardwareBreakpoint", dict(addr=TOP, id=0xFFFFFFFF),
        "BreakpointSet", dict(id=0xFFFFFFFF, slot=65535), dict(id=0xFFFFFFFF, slot=65535))
command("sbreak 2 0x3", "SetSoftwareBreakpoint", dict(addr=2, id=3), "BreakpointSet", dict(id=3, slot=0),
        dict(id=3, slot=0))
command("watch 0x20000010 9 4 2", "SetWatchpoint", dict(addr=0x20000010, id=9, length=4, access=2), "BreakpointSet",
        dict(id=9, slot=1), dict(id=9, slot=1))
command("clear 7", "ClearBreakpoint", dict(addr=0, id=7), "Done", {}, DONE)
command("halt", "Halt", {}, "Done", {}, DONE)
command("resume", "Resume", {}, "Done", {}, DONE)
command("step 4000000000 1", "Step", dict(count=4000000000, trace=1), "Done", {}, DONE)
command("range 0x20000100 0x20000107 1", "StepRange", dict(first=0x20000100, last=0x20000107, over=1), "Done",
        {}, DONE)
command("range 0 18446744073709551615 0", "StepRange", dict(first=0, last=TOP, over=0), "Done", {}, DONE)
command("force 0x20000020 60000 aabbccdd", "Force",
        dict(addr=0x20000020, lease=60000, fingerprint=PRINT, value=b"\xAA\xBB\xCC\xDD", safe=b""), "Done", {}, DONE)
command("force 0x20000024 1 aabb 0001", "Force",
        dict(addr=0x20000024, lease=1, fingerprint=PRINT, value=b"\xAA\xBB", safe=b"\0\1"), "Done", {}, DONE)
command("release 0x20000020", "Release", dict(addr=0x20000020, fingerprint=PRINT), "Done", {}, DONE)
command("renew 0x20000020 5000", "Renew", dict(addr=0x20000020, lease=5000, fingerprint=PRINT), "Done", {}, DONE)
command("write 0x20000080 0102ff", "WriteMemory", dict(addr=0x20000080, fingerprint=PRINT, data=b"\1\2\xff"), "Done",
        {}, DONE)
command("setreg 3 0xdeadbeef", "WriteRegister", dict(register=3, value=0xDEADBEEF, fingerprint=PRINT), "Done",
        {}, DONE)
command("setaxis 1 -123456789012", "SetAxis", dict(axis=1, position=-123456789012, fingerprint=PRINT), "Done",
        {}, DONE)
command("axes", "ReadAxes", {}, "Axes", dict(positions=[1, -(1 << 63), (1 << 63) - 1]),
        dict(axes=[1, -(1 << 63), (1 << 63) - 1]))
command("plc 2 3", "ReadPlc", dict(first=2, count=3), "Plc", dict(first=2, registers=[7, 0, 65535]),
        dict(first=2, registers=[7, 0, 65535]))
command("cursor", "ReadCursor", {}, "Cursor", dict(program=1, line=2, offset=0xFFFFFFFF),
        dict(program=1, line=2, offset=0xFFFFFFFF))
RECORD = dict(version=1, index=3, boot=8, session=0xFFFFFFFE, sequence=5, time=6, uptime=1 << 40,
              operator=b"operator", suite=9, kind=0x1A, cause=0, verdict=0xFFFF, count=2, addr=0x20000020,
              value=0xFF02030400000000)
EVENT = dict(RECORD, index=4, kind=0xE0, cause=17, verdict=11, count=65535)


def printed_record(record):
    return {k: v.hex() if k == "operator" else v for k, v in record.items() if k != "version"}


command("audit 3 10", "ReadAudit", {"from": 3, "count": 10}, "Audit",
        dict(oldest=3, next=9, lost=4, records=[RECORD, EVENT]),
        dict(oldest=3, next=9, lost=4, records=[printed_record(RECORD), printed_record(EVENT)]))
command("release-audit 16 0xcbf43926", "ReleaseAudit", dict(upto=16, crc=0xCBF43926), "Done", {}, DONE)
command("policy 5 4 1 0x20000100 0x2000010F 0 0 18446744073709551615 1", "PushPolicy",
        dict(version=5, replaces=4, enabled=1,
             rules=[dict(first=0x20000100, last=0x2000010F, action=0), dict(first=0, last=TOP, action=1)]),
        "Done", {}, DONE)
command("policy 6 0 0", "PushPolicy", dict(version=6, replaces=0, enabled=0, rules=[]), "Done", {}, DONE)
command("regs", "ReadRegisters", dict(what=0), "Registers",
        dict(capture=7, mask=0x1FFFF, values=b"".join(v.to_bytes(4, "big") for v in REGS.values())),
        dict(capture=7, registers=REGS))


@host("README metrics; 8.13 numbers that are not known are ignored")
def _(env):
    peer = env.peer()
    rows = [(1, 99), (0x112, 5), (0x7777, 1), (14, 3), (15, 0xFFFFFFFF)]
    got = peer.serve("metrics", "ReadMetrics", "Metrics", dict(metrics=[dict(metric=m, value=v) for m, v in rows]))
    equal("metrics", got["metrics"], {str(m): v for m, v in rows if m != 0x7777})
    peer.alive()


@host("README errors: code and detail, for every command", 2)
def _(env):
    peer = env.peer()
    code = 0
    for text, request in (
            ("status", "GetStatus"), ("regs", "ReadRegisters"), ("read 0 1", "ReadMemory"),
            ("break 0 1", "SetBreakpoint"), ("watch 0 1 4 2", "SetWatchpoint"), ("clear 1", "ClearBreakpoint"),
            ("breakpoints", "ListBreakpoints"), ("halt", "Halt"), ("resume", "Resume"), ("step 1 0", "Step"),
            ("range 0 1 0", "StepRange"), ("force 0 1 00", "Force"), ("release 0", "Release"), ("renew 0 1", "Renew"),
            ("write 0 00", "WriteMemory"), ("setreg 0 0", "WriteRegister"), ("variables", "ListVariables"),
            ("map", "ReadMap"), ("release-audit 1 2", "ReleaseAudit"), ("setaxis 0 1", "SetAxis"),
            ("axes", "ReadAxes"), ("plc 0 1", "ReadPlc"), ("cursor", "ReadCursor"), ("audit 0 1", "ReadAudit"),
            ("metrics", "ReadMetrics"), ("policy 1 0 0", "PushPolicy")):
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
    equal("none", peer.serve("breakpoints", "ListBreakpoints", "Breakpoints", dict(more=0, breakpoints=[])),
          {"breakpoints": []})


@host("6.4 Variables and Map: the host asks on until it has all of them", 1)
def _(env):
    peer = env.peer()
    rows = [dict(addr=16 * i, type=i % 5, length=i + 1, flags=i & 1, name=f"var {i} ü") for i in range(5)]
    wire = [dict(r, name=r["name"].encode()) for r in rows]
    peer.say("variables")
    for start, stop in ((0, 2), (2, 3), (3, 5)):
        m = peer.expect("ListVariables")
        equal("from", m.fields["from"], start)
        peer.answer("Variables", m.sequence, dict(generation=9, total=5, variables=wire[start:stop]))
    equal("variables", peer.line("variables"), {"generation": 9, "variables": rows})
    none = dict(generation=1, total=0, variables=[])
    equal("none", peer.serve("variables", "ListVariables", "Variables", none), {"generation": 1, "variables": []})
    regions = [dict([("first", i), ("last", TOP - i), ("class", i % 3)]) for i in range(4)]
    peer.say("map")
    for start, stop in ((0, 3), (3, 4)):
        m = peer.expect("ReadMap")
        equal("from", m.fields["from"], start)
        peer.answer("Map", m.sequence, dict(total=4, regions=regions[start:stop]))
    equal("map", peer.line("map"), {"regions": regions})
    peer.alive()


def shown(**over):
    return dict(dict(request=0, reason=4, more=0, axes=1, detail=0, pc=REGS["pc"], registers=REGS), **over)


@both("README stopped: waits; registers as known then, from differing sets")
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
    equal("stopped", peer.line("stopped"), shown(request=m.sequence))
    peer.stopped(dict(r0=0x2000, pc=0x20000102), 0, 2, 0, 77, 2, axes=2)
    peer.stopped(dict(pc=0x20000104), 0, 3, 1, 9 << 32 | 0x20000010, 3, axes=0)
    known.update(r0=0x2000, pc=0x20000102)
    peer.say("stopped")
    equal("stopped at once", peer.line("stopped"),
          shown(reason=2, axes=2, detail=77, pc=0x20000102, registers=known))
    known.update(pc=0x20000104)
    peer.say("stopped")
    equal("the next one", peer.line("stopped"), shown(
        reason=3, more=1, axes=0, detail=9 << 32 | 0x20000010, pc=0x20000104, registers=known))


def all_registers(values, capture):
    return dict(capture=capture, mask=0x1FFFF, values=b"".join(v.to_bytes(4, "big") for v in values.values()))


@host("6.4 regs after Stopped: all of them, whatever is left out")
def _(env):
    peer = env.peer()
    peer.serve("regs", "ReadRegisters", "Registers", all_registers(REGS, 1))
    peer.stopped(dict(sp=5, pc=6), 0, 2, 0, 1, 2)
    peer.say("regs")
    m = peer.expect("ReadRegisters")
    known = dict(REGS, sp=5, pc=6)
    peer.registers(m.sequence, known if m.fields["what"] == 0 else {}, 3)
    equal("regs", peer.line("regs"), dict(capture=3, registers=known))


@host("6.4 a register keeps the value of the later capture, in whatever order captures arrive")
def _(env):
    peer = env.peer()
    peer.serve("regs", "ReadRegisters", "Registers", all_registers(REGS, 1))
    # Capture 5 overtakes capture 4 on the other channel: its pc and r1 are newer, r2 comes from capture 4.
    peer.stopped(dict(r1=0x51, pc=0x55), 0, 2, 0, 1, 5)
    peer.stopped(dict(r1=0x41, r2=0x42, pc=0x45), 0, 2, 0, 1, 4)
    peer.stopped(dict(pc=0x65), 0, 2, 0, 1, 6)
    for _ in range(2):
        peer.say("stopped")
        peer.line("stopped")
    peer.say("stopped")
    got = peer.line("stopped")
    equal("registers", got["registers"], dict(REGS, r1=0x51, r2=0x42, pc=0x65))


@host("8.13 events between command and answer, and before it on the other channel")
def _(env):
    peer = env.peer()
    peer.say("step 2 1")
    m = peer.expect("Step")
    peer.stopped(REGS, 0, 2, 0, 1)
    peer.beat()
    peer.stopped(dict(pc=2), m.sequence, 1, 1, capture=2)
    peer.answer("Done", m.sequence)
    equal("step", peer.line("step"), DONE)
    peer.stopped(dict(pc=4), m.sequence, 1, 0, capture=3)
    for request, reason, more, pc in ((0, 2, 0, REGS["pc"]), (m.sequence, 1, 1, 2), (m.sequence, 1, 0, 4)):
        peer.say("stopped")
        got = peer.line("stopped")
        equal("stopped", (got["request"], got["reason"], got["more"], got["pc"]), (request, reason, more, pc))


@both("6.3 a message of the longest length that the host accepts is taken")
def _(env):
    peer = env.peer(read_memory=4000)
    size = min(peer.hello["longest_message"], 4096) - 18 - 14
    got = peer.serve(f"read 0 {size}", "ReadMemory", "Memory", dict(addr=0, data=b"\x5a" * size))
    equal("length of the data", len(got["data"]) // 2, size)
    peer.alive()


@host("README wait: the session goes on meanwhile", 3)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0.3
    count = len(peer.log)
    peer.say("wait 2500")
    peer.no_line(2.0, "wait 2500")
    equal("wait", peer.line("wait"), {"waited": 2500})
    answered = [m for m in peer.log[count:] if m.name == "Heartbeat"]
    check(len(answered) >= 5, f"5.7 {len(answered)} Heartbeats answered while waiting")
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


@both("README bye: Bye 1, then {\"closed\": 1}")
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.say_bye(1)
    equal("the line", peer.closed(1)["closed"], 1)


@host("README the end of the input is bye")
def _(env):
    peer = env.peer()
    peer.alive()
    peer.program.process.stdin.close()
    peer.say_bye(1)
    peer.closed(1)
