"""Scenarios for agents: malformed frames, and what is only read; SPEC 6, 8.1, 8.13."""

import json
import os

from .agents import agent, both
from .frames import NAME, REGISTERS, channel_of, encode, frame
from .run import check, equal
from .samples import SAMPLE, at

VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vectors", "frames.json")


def vectors():
    with open(VECTORS, encoding="utf-8") as f:
        return json.load(f)["malformed"]


def malformed(effect, section):
    @agent(f"{section} frames.json: {effect}: each is answered with its Error", 2)
    def _(env):
        peer = env.peer()
        wrong, count = [], 0
        for v in vectors():
            raw = bytes.fromhex(v["frame"])
            if v["from"] != "host" or v["effect"] != effect or not v.get("codes"):
                continue
            count += 1
            sequence = peer.send_frame(raw, channel=channel_of(NAME.get(raw[5], "")))
            m = peer.answer(v["name"], None, sequence)
            if m.name != "Error" or m.fields["code"] not in v["codes"]:
                wrong.append(f"{v['name']}: Error {v['codes']} expected, {m.name} {m.fields.get('code', '')} came")
            elif v.get("detail") is not None and m.fields["code"] != 4 and m.fields["detail"] != v["detail"]:
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


@agent("6.2 every kind from 0x80 on is Unexpected, well formed or not; a run state that is none is Malformed")
def _(env):
    peer = env.peer()
    for kind, body in ((0x80, b"x"), (0x92, b""), (0xC2, b"12345"), (0xF0, b"")):
        for channel in (0, 1):
            sequence = peer.send_frame(frame(kind, body), channel=channel)
            peer.is_error(peer.answer(f"kind {kind}", None, sequence), 4, 0)
    beat = encode("Heartbeat", run_state=4, challenge=0)
    peer.is_error(peer.answer("a Heartbeat", None, peer.send_frame(beat, channel=0)), 2, 0x42)


# -- reading ---------------------------------------------------------------------------------------------------------

@both("6.4 Axes, Plc, Cursor of the reference machine")
def _(env):
    peer = env.peer()
    equal("axes", peer.ask("ReadAxes")["positions"], [1000000, -2000000, 3000000])
    f = peer.ask("ReadPlc", {"first": 0, "count": 8})
    equal("PLC", (f["first"], f["registers"]), (0, list(range(100, 108))))
    f = peer.ask("ReadPlc", {"first": 5, "count": 2})
    equal("PLC from 5", (f["first"], f["registers"]), (5, [105, 106]))
    f = peer.ask("ReadPlc", {"first": 6, "count": 9})
    equal("PLC from 6", (f["first"], f["registers"]), (6, [106, 107]))
    peer.refuse(11, "ReadPlc", {"first": 8, "count": 1})
    peer.refuse(11, "ReadPlc", {"first": 65535, "count": 1})
    f = peer.ask("ReadCursor")
    equal("cursor", (f["program"], f["line"], f["offset"]), (1000, 12, 345))


def paged(peer, kind, key, page):
    """All rows of a list that may take several answers."""
    rows, total = [], None
    while total is None or len(rows) < total:
        f = peer.ask(kind, {"from": len(rows)})
        total = f["total"]
        check(f[key], f"{kind} from {len(rows)} has none of {total}")
        rows += f[key]
    page.append(f)
    return rows


@both("6.4 Variables: all of them, from any number on, with the generation", 1)
def _(env):
    peer = env.peer()
    last = []
    rows = paged(peer, "ListVariables", "variables", last)
    names = ("addr", "type", "length", "flags", "name")
    equal("variables", [tuple(r[n] for n in names) for r in rows], [
        (0x20000010, 1, 4, 0, b"cycles"), (0x20000020, 2, 4, 1, b"setpoint"), (0x20000024, 1, 4, 1, b"override"),
        (0x20000028, 2, 4, 1, b"offset"), (0x2000002C, 1, 4, 1, b"limit")])
    equal("generation", last[0]["generation"], 1)
    f = peer.ask("ListVariables", {"from": 3})
    equal("from 3", (f["total"], [v["name"] for v in f["variables"]]), (5, [b"offset", b"limit"]))
    for start in (5, 6, 65535):
        f = peer.ask("ListVariables", {"from": start})
        equal(f"from {start}", (f["total"], f["variables"]), (5, []))


@both("6.4 Map: all regions in their order, from any number on", 1)
def _(env):
    peer = env.peer()
    rows = paged(peer, "ReadMap", "regions", [])
    equal("map", [(r["first"], r["last"], r["class"]) for r in rows], [
        (0x20000000, 0x200003FF, 0), (0x20000400, 0x200004FF, 2), (0x40000000, 0x400000FF, 1)])
    f = peer.ask("ReadMap", {"from": 2})
    equal("from 2", (f["total"], [r["first"] for r in f["regions"]]), (3, [0x40000000]))
    equal("from 9", peer.ask("ReadMap", {"from": 9})["regions"], [])


@agent("6.4 Registers: all of them, then those that differ")
def _(env):
    peer = env.peer()
    peer.halt()
    regs = peer.registers()
    equal("names", list(regs), REGISTERS)
    n = regs["r0"] - 0x1000
    equal("pc", regs["pc"], 0x20000100 + 2 * (n % 32))
    equal("cycles", int.from_bytes(peer.read(0x20000010, 4), "little"), n)
    rest = [(f"r{i}", 0x1000 + i) for i in range(1, 13)]
    for name, want in rest + [("sp", 0x20000400), ("lr", 0x20000101), ("xpsr", 0x01000000)]:
        equal(name, regs[name], want)
    equal("registers that differ, none", peer.ask("ReadRegisters", {"what": 1})["mask"], 0)
    peer.ask("Step", {"count": 1, "trace": 0})
    equal("Stopped: mask", peer.stopped(1)["mask"], 0x8001)
    equal("Registers after Stopped: mask", peer.ask("ReadRegisters", {"what": 1})["mask"], 0)
    equal("all asked for: mask", peer.ask("ReadRegisters", {"what": 0})["mask"], 0x1FFFF)


@agent("6.4 Stopped has the pc always, and all that was never sent in this session")
def _(env):
    peer = env.peer()
    f = peer.halt()
    equal("mask of the first Stopped", f["mask"], 0x1FFFF)
    peer.ask("Resume")
    f = peer.halt()
    check(f["mask"] & 1 << 15, "no pc in Stopped")
    check(f["mask"] & ~0x8001 == 0, f"mask 0x{f['mask']:X} has registers that have not changed")
    for trace in (0, 1):
        sequence = peer.send("Step", {"count": 32 - 31 * trace, "trace": trace})
        peer.answer("Step", "Done", sequence)
        equal("mask after a whole round", peer.stopped(1, sequence)["mask"], 0x8001)


@agent("6.4 captures with other registers have other numbers, and later ones greater numbers")
def _(env):
    peer = env.peer()
    captures = {}
    peer.halt()
    last = 0
    for _ in range(4):
        sequence = peer.send("Step", {"count": 1, "trace": 0})
        peer.answer("Step", "Done", sequence)
        a = peer.stopped(1)
        b = peer.ask("ReadRegisters", {"what": 0})
        check(a["capture"] > last, f"capture {a['capture']} after {last}")
        check(b["capture"] >= a["capture"], f"capture {b['capture']} after {a['capture']}")
        last = b["capture"]
        for f in (a, b):
            pc = f["values"][-4:] if f is a else f["values"][60:64]
            check(captures.setdefault(f["capture"], pc) == pc, f"capture {f['capture']} twice, different registers")
    equal("distinct captures", len(set(captures.values())), 4)


@both("6.4 Status: run state, counts, last reason, uptime in seconds", 2)
def _(env):
    peer = env.peer()
    a = peer.status()
    equal("status", {k: a[k] for k in a if k not in ("request", "uptime")},
          dict(run_state=1, breakpoints=0, forces=0, steps_left=0, policy_version=0, policy_enabled=0, modified=0,
               stuck=0, last_reason=0))
    peer.age(2000)
    b = peer.status()
    check(2 <= b["uptime"] - a["uptime"] <= 4, f"uptime moved by {b['uptime'] - a['uptime']} in 2 s")
    peer.halt()
    peer.ask("SetBreakpoint", SAMPLE["SetBreakpoint"])
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=2))
    peer.ask("Force", peer.force())
    b = peer.status()
    equal("run state, breakpoints, forces, reason of the last Stopped",
          (b["run_state"], b["breakpoints"], b["forces"], b["last_reason"]), (2, 2, 1, 4))
    peer.ask("ClearBreakpoint", at(0, 2))
    peer.ask("Step", {"count": 1, "trace": 0})
    peer.stopped(1)
    equal("reason of the last Stopped", peer.status()["last_reason"], 1)


@agent("6.4 Stopped tells whether the axes stand", 1)
def _(env):
    peer = env.peer()
    equal("axes", peer.halt()["axes"], 1)
    peer.ask("SetBreakpoint", at(0x20000110, 5))
    peer.ask("Resume")
    equal("axes", peer.stopped(2)["axes"], 1)


@agent("6.4 a program that stands while the axes move: Stopped with axes 2", 1)
def _(env):
    """Steps that the interlock ends because the axes have begun to move."""
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.knob("moving 1")
    equal("axes", peer.stopped(6)["axes"], 2)


@both("8.13 metrics: what there is, and commands executed and refused")
def _(env):
    peer = env.peer()
    a = peer.metrics()
    missing = [n for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15) if n not in a]
    check(not missing, f"metrics missing: {missing}")
    for _ in range(3):
        peer.ask("ReadAxes")
    for _ in range(2):
        peer.refuse(11, "ReadPlc", {"first": 99, "count": 1})
    b = peer.metrics()
    check(b[3] - a[3] in (3, 4), f"metric 3 moved by {b[3] - a[3]}")
    equal("metric 4", b[4] - a[4], 2)
    check(a[2] >= 1, "metric 2 is 0")
