"""Scenarios for agents: the kinds, their answers and their errors; SPEC 6, 8.2, 8.7, 8.8."""

import json
import os
import random

from .agent_link import agent
from .run import check, equal
from .session import ANSWERS, PRINT
from .wire import NUMBER, REGISTERS, frame

VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vectors", "frames.json")
COLUMN_A = ("SetBreakpoint", "ClearBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint", "SetWatchpoint", "Halt", "Resume", "Step", "Force", "Release",
            "SetAxis", "PushPolicy")
SAMPLE = {"SetBreakpoint": dict(addr=0x20000100, id=1), "ClearBreakpoint": dict(addr=0, id=1), "ListBreakpoints": dict(addr=0, id=0),
          "SetHardwareBreakpoint": dict(addr=0x20000100, id=1), "SetSoftwareBreakpoint": dict(addr=0x20000100, id=1),
          "SetWatchpoint": dict(addr=0x20000010, id=1, length=4, access=2), "Step": dict(count=1, trace=0), "ReadRegisters": dict(what=0),
          "ReadMemory": dict(addr=0x20000000, length=4), "Force": dict(addr=0x20000020, lease=1000, fingerprint=PRINT, value=b"abcd"),
          "Release": dict(addr=0x20000020, fingerprint=PRINT), "SetAxis": dict(axis=0, position=5, fingerprint=PRINT), "ReadPlc": dict(first=0, count=8),
          "ReadAudit": {"from": 0, "count": 4}, "PushPolicy": dict(version=1, enabled=0, rules=[])}


def vectors():
    with open(VECTORS, encoding="utf-8") as f:
        return json.load(f)["malformed"]


def malformed(effect, section):
    @agent(f"{section} frames.json: {effect}: each is answered with its Error", 3)
    def _(env):
        peer = env.peer()
        wrong, count = [], 0
        for v in vectors():
            raw = bytes.fromhex(v["frame"])
            if v["from"] != "host" or v["effect"] != effect or len(raw) > 490 or not v.get("codes"):
                continue
            count += 1
            sequence = peer.send_frame(raw)
            m = peer.answer(v["name"], None, sequence)
            if m.name != "Error" or m.fields["code"] not in v["codes"]:
                wrong.append(f"{v['name']}: Error {v['codes']} expected, {m.name} {m.fields.get('code', '')} came")
            elif v.get("detail") is not None and m.fields["detail"] != v["detail"]:
                wrong.append(f"{v['name']}: detail {v['detail']} expected, {m.fields['detail']} came")
        check(count, "no vectors")
        check(not wrong, "; ".join(wrong[:5]))
        equal("run state", peer.status()["run_state"], 1)
        equal("next index of the log", peer.ask("ReadAudit", {"from": 0, "count": 1})["next"], 0)


malformed("malformed", "6.3")
malformed("limit", "8.1")
malformed("unknown", "6.2")
malformed("unexpected", "6.2")
malformed("version", "6.2")


@agent("8.7 any frame with a right tag is answered exactly once, in order", 4)
def _(env):
    peer = env.peer()
    rng = random.Random(11)
    kinds = [k for k in range(256) if k not in (0x42, 0x43, 0x10, 0x12)]
    for _ in range(20):
        wanted = []
        for _ in range(10):
            kind = rng.choice(kinds)
            wanted.append(peer.send_frame(frame(kind, rng.randbytes(rng.choice([0, 1, 4, 5, 12, 13, 17, 30, 60])))))
        for sequence in wanted:
            peer.answer("a random frame", None, sequence, 6)
    peer.silent(0.2, "more answers than frames")
    peer.status()


@agent("8.7 answers come in the order of the commands", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    rng = random.Random(2)
    wanted = []
    for _ in range(40):
        kind = rng.choice(["ReadAxes", "GetStatus", "ReadCursor", "ReadPlc", "SetBreakpoint", "ReadMemory"])
        fields = dict(SAMPLE.get(kind) or {})
        wanted.append((peer.send(kind, fields), kind))
    for sequence, kind in wanted:
        m = peer.answer("one of many", None, sequence, 6)
        check(m.name in (ANSWERS[kind], "Error"), f"{kind} is answered with {m.name}")


# -- reading ----------------------------------------------------------------------------------------------------------

@agent("6.4 Axes, Plc, Cursor of the reference machine")
def _(env):
    peer = env.peer()
    equal("axes", peer.ask("ReadAxes")["positions"], [1000000, -2000000, 3000000])
    f = peer.ask("ReadPlc", {"first": 0, "count": 8})
    equal("PLC", (f["first"], f["registers"]), (0, list(range(100, 108))))
    f = peer.ask("ReadPlc", {"first": 5, "count": 2})
    equal("PLC from 5", (f["first"], f["registers"]), (5, [105, 106]))
    f = peer.ask("ReadPlc", {"first": 6, "count": 9})
    equal("PLC from 6", (f["first"], f["registers"]), (6, [106, 107]))
    f = peer.ask("ReadPlc", {"first": 3, "count": 0})
    equal("none of the PLC", (f["first"], f["registers"]), (3, []))
    peer.refuse(11, "ReadPlc", {"first": 8, "count": 1})
    peer.refuse(11, "ReadPlc", {"first": 65535, "count": 1})
    f = peer.ask("ReadCursor")
    equal("cursor", (f["program"], f["line"], f["offset"]), (1000, 12, 345))


@agent("6.4 Memory: bytes, shorter at the end, Unmapped, the limit")
def _(env):
    peer = env.peer()
    peer.halt()
    f = peer.ask("ReadMemory", {"addr": 0x20000014, "length": 256})
    equal("addr", f["addr"], 0x20000014)
    equal("data", f["data"], bytes((0x14 + i) % 251 for i in range(256)))
    equal("the last byte", peer.read(0x200003FF, 1), bytes([1023 % 251]))
    equal("over the end", peer.read(0x200003F8, 100), bytes((0x3F8 + i) % 251 for i in range(8)))
    for addr in (0x20000400, 0x1FFFFFFF, 0, (1 << 64) - 1, 0x120000000):
        peer.refuse(11, "ReadMemory", {"addr": addr, "length": 4})
    peer.refuse(19, "ReadMemory", {"addr": 0x20000000, "length": 257}, 256)
    peer.refuse(19, "ReadMemory", {"addr": 0x20000000, "length": 0}, 256)


@agent("6.4 Registers: all of them, then those that differ")
def _(env):
    peer = env.peer()
    peer.halt()
    regs = peer.registers()
    equal("names", list(regs), REGISTERS)
    n = regs["r0"] - 0x1000
    equal("pc", regs["pc"], 0x20000100 + 2 * (n % 32))
    equal("cycles", int.from_bytes(peer.read(0x20000010, 4), "little"), n)
    for name, want in [(f"r{i}", 0x1000 + i) for i in range(1, 13)] + [("sp", 0x20000400), ("lr", 0x20000101), ("xpsr", 0x01000000)]:
        equal(name, regs[name], want)
    equal("registers that differ, none", peer.ask("ReadRegisters", {"what": 1})["mask"], 0)
    peer.ask("Step", {"count": 1, "trace": 0})
    f = peer.stopped(1)
    equal("Stopped: mask", f["mask"], 0x8001)
    equal("Registers after Stopped: mask", peer.ask("ReadRegisters", {"what": 1})["mask"], 0)
    f = peer.ask("ReadRegisters", {"what": 0})
    equal("all asked for: mask", f["mask"], 0x1FFFF)


@agent("6.4 Stopped has the pc always, and all that was never sent in this session")
def _(env):
    peer = env.peer()
    f = peer.halt()
    equal("mask of the first Stopped", f["mask"], 0x1FFFF)
    peer.ask("Resume")
    f = peer.halt()
    check(f["mask"] & 1 << 15, "no pc in Stopped")
    check(f["mask"] & ~0x8001 == 0, f"mask 0x{f['mask']:X} has registers that have not changed")
    peer = peer.next()
    peer.ask("ReadRegisters", {"what": 1})
    f = peer.next().ask("ReadRegisters", {"what": 1})
    equal("mask in a new session", f["mask"], 0x1FFFF)


@agent("6.4 Stopped has the pc although it has not changed")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.registers()
    for trace in (0, 1):
        sequence = peer.send("Step", {"count": 32 - 31 * trace, "trace": trace})
        peer.answer("Step", "Done", sequence)
        equal("mask after a whole round", peer.stopped(1, sequence)["mask"], 0x8001)


@agent("6.4 captures with other registers have other numbers")
def _(env):
    peer = env.peer()
    captures = {}
    peer.halt()
    for _ in range(4):
        sequence = peer.send("Step", {"count": 1, "trace": 0})
        peer.answer("Step", "Done", sequence)
        a = peer.stopped(1)
        b = peer.ask("ReadRegisters", {"what": 0})
        for f in (a, b):
            pc = f["values"][-4:] if f is a else f["values"][60:64]
            check(captures.setdefault(f["capture"], pc) == pc, f"capture {f['capture']} twice with different registers")
    equal("distinct captures", len(set(captures.values())), 4)


@agent("6.4 Status: run state, counts, uptime", 2)
def _(env):
    peer = env.peer()
    a = peer.status()
    equal("status", {k: a[k] for k in a if k not in ("request", "uptime")},
          dict(run_state=1, breakpoints=0, forces=0, steps_left=0, policy_version=0, policy_enabled=0))
    peer.rest(0.5)
    b = peer.status()
    check(350 < b["uptime"] - a["uptime"] < 1000, f"uptime moved by {b['uptime'] - a['uptime']} in 500 ms")
    peer.halt()
    peer.ask("SetBreakpoint", SAMPLE["SetBreakpoint"])
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=2))
    peer.ask("Force", peer.force())
    b = peer.status()
    equal("run state, breakpoints, forces", (b["run_state"], b["breakpoints"], b["forces"]), (2, 2, 1))


@agent("8.8 metrics: what there is, and commands executed and refused")
def _(env):
    peer = env.peer()
    a = peer.metrics()
    missing = [n for n in list(range(1, 13)) + [0x100, 0x101, 0x102, 0x103, 0x104] if n not in a]
    check(not missing, f"metrics missing: {missing}")
    for _ in range(3):
        peer.ask("ReadAxes")
    for _ in range(2):
        peer.refuse(11, "ReadPlc", {"first": 99, "count": 1})
    b = peer.metrics()
    check(b[3] - a[3] in (3, 4), f"metric 3 moved by {b[3] - a[3]}")
    equal("metric 4", b[4] - a[4], 2)
    check(b[0x100] > a[0x100] and b[0x101] > a[0x101], "metrics 0x100 and 0x101 do not move")
    equal("metric 2", a[2] >= 1, True)


# -- authority --------------------------------------------------------------------------------------------------------

@agent("8.2 an observer observes, and every command that needs more is Denied and not executed")
def _(env):
    peer = env.peer(b"observer")
    for kind in ANSWERS:
        if kind not in COLUMN_A:
            peer.ask(kind, SAMPLE.get(kind))
    for kind in COLUMN_A:
        peer.refuse(5, kind, SAMPLE.get(kind))
    s = peer.status()
    equal("run state, breakpoints, policy", (s["run_state"], s["breakpoints"], s["policy_version"]), (1, 0, 0))
    equal("next index of the log", peer.ask("ReadAudit", {"from": 0, "count": 1})["next"], 0)


@agent("8.2 after the token has expired everything is Denied but Halt and Release", 2)
def _(env):
    peer = env.peer(b"brief")
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("Resume")
    peer.rest(0.75)
    for kind in ANSWERS:
        if kind not in ("Halt", "Release"):
            peer.refuse(5, kind, SAMPLE.get(kind))
    peer.halt()
    peer.ask("Release", SAMPLE["Release"])
    peer.refuse(5, "Resume")
    peer.refuse(5, "GetStatus")
    other = peer.next()
    equal("run state", other.status()["run_state"], 2)


@agent("8.2 a token is good until it expires; an expired one does not end the session", 3)
def _(env):
    peer = env.peer(b"brief")
    peer.status()
    peer.rest(2.0)
    peer.refuse(5, "GetStatus")
    check(peer.bye is None, "Bye after the token has expired")


def needs(bit, kinds):
    @agent(f"6.2 column D: {bit}")
    def _(env):
        peer = env.peer(b"observer")
        for kind in kinds:
            if bit == "observe":
                peer.ask(kind, SAMPLE.get(kind))
            else:
                peer.refuse(5, kind, SAMPLE.get(kind))


needs("observe", [k for k in ANSWERS if k not in COLUMN_A])
needs("control", COLUMN_A[:8])
needs("force", ("Force", "Release", "SetAxis"))
needs("policy", ("PushPolicy",))
assert all(k in NUMBER for k in COLUMN_A)
