"""Scenarios for agents: policy, audit, and the order of checks; SPEC 8.1, 8.3, 8.6."""

from .agent_kinds import SAMPLE
from .agent_link import agent
from .agent_machine import at
from .run import check, equal
from .session import PRINT
from .wire import NUMBER, frame


def rule(first, last, action):
    return {"first": first, "last": last, "action": action}


def policy(version, enabled, *rules):
    return {"version": version, "enabled": enabled, "rules": list(rules)}


# -- policy -----------------------------------------------------------------------------------------------------------

@agent("8.3 policy: the first rule that contains the address decides; an address in no rule is allowed")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000110, 1))
    peer.ask("PushPolicy", policy(5, 1, rule(0x20000108, 0x2000010A, 1), rule(0x20000104, 0x20000112, 0), rule(0x20000110, 0x20000114, 1)))
    for address, allowed in ((0x20000102, 1), (0x20000104, 0), (0x20000106, 0), (0x20000108, 1), (0x2000010A, 1), (0x2000010C, 0), (0x20000112, 0),
                             (0x20000114, 1), (0x20000116, 1)):
        for kind in ("SetBreakpoint", "SetSoftwareBreakpoint", "SetHardwareBreakpoint"):
            if allowed:
                peer.ask(kind, at(address, 2))
                peer.ask("ClearBreakpoint", at(0, 2))
                peer.drain()
            else:
                peer.refuse(20, kind, at(address, 2), 5)
    equal("breakpoints that were set before", peer.status()["breakpoints"], 1)
    peer.ask("Resume")
    equal("it is met", peer.stopped(2)["detail"], 1)
    s = peer.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (5, 1))


@agent("8.3 policy: a version that is not greater is refused; a new one takes the whole place")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("PushPolicy", policy(5, 1, rule(0x20000100, 0x20000110, 0)))
    for version in (5, 4, 0):
        peer.refuse(20, "PushPolicy", policy(version, 0), 5)
    peer.refuse(20, "SetBreakpoint", at(0x20000104, 1), 5)
    peer.ask("PushPolicy", policy(6, 1, rule(0x20000120, 0x20000130, 0)))
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.refuse(20, "SetBreakpoint", at(0x20000120, 2), 6)
    peer.ask("PushPolicy", policy(0x80000000, 0, rule(0x20000120, 0x20000130, 0)))
    peer.ask("SetBreakpoint", at(0x20000120, 2))
    s = peer.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (0x80000000, 0))
    peer.refuse(20, "PushPolicy", policy(7, 1), 0x80000000)
    peer.ask("PushPolicy", policy(0xFFFFFFFF, 1))
    peer.ask("SetBreakpoint", at(0x20000122, 3))


@agent("8.3 policy: watchpoints too, by their first address; it goes on in the next session")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=8))
    peer.ask("PushPolicy", policy(3, 1, rule(0x2000000F, 0x20000010, 0), rule(0x20000104, 0x20000104, 0)))
    equal("breakpoints", peer.status()["breakpoints"], 1)
    peer.refuse(20, "SetWatchpoint", SAMPLE["SetWatchpoint"], 3)
    peer.refuse(20, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], addr=0x2000000F), 3)
    peer.ask("PushPolicy", policy(4, 1, rule(0x20000011, 0x20000020, 0), rule(0x20000104, 0x20000104, 0)))
    peer.ask("SetWatchpoint", SAMPLE["SetWatchpoint"])
    other = peer.next()
    s = other.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (4, 1))
    other.refuse(20, "SetBreakpoint", at(0x20000104, 1), 4)
    other.refuse(20, "PushPolicy", policy(4, 0), 4)


@agent("8.3 policy: a rule whose first address is above its last contains none")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("PushPolicy", policy(1, 1, rule(0x20000110, 0x20000104, 0), rule(0x20000106, 0x20000106, 0)))
    for i, address in enumerate((0x20000104, 0x20000108, 0x20000110)):
        peer.ask("SetBreakpoint", at(address, i))
    peer.refuse(20, "SetBreakpoint", at(0x20000106, 9), 1)


@agent("8.3 policy: 16 rules, and not one more")
def _(env):
    peer = env.peer()
    peer.halt()
    rules = [rule(0x20000100 + 2 * i, 0x20000100 + 2 * i, 1) for i in range(15)] + [rule(0, (1 << 64) - 1, 0)]
    peer.ask("PushPolicy", policy(1, 1, *rules))
    peer.ask("SetBreakpoint", at(0x2000011C, 1))
    peer.refuse(20, "SetBreakpoint", at(0x2000011E, 2), 1)
    peer.refuse(19, "PushPolicy", policy(2, 1, rule(0, 1, 0), *rules), 16)
    equal("version", peer.status()["policy_version"], 1)


# -- audit ------------------------------------------------------------------------------------------------------------

def log(peer, start=0, count=16):
    """All records from `start`, in as many answers as it takes; nothing is released."""
    f = peer.ask("ReadAudit", {"from": start, "count": count})
    return f


@agent("8.6 every command of column A is recorded with all its fields", 2)
def _(env):
    peer = env.peer()
    wanted = []

    def act(kind, fields=None, addr=0, value=0, error=None):
        t = peer.clock
        if error:
            peer.refuse(error, kind, fields, time=t)
        else:
            peer.ask(kind, fields, time=t)
        wanted.append((peer.sequence, t, kind, error or 0, addr, value))
    act("Halt")
    peer.stopped(4)
    act("SetBreakpoint", at(0x20000102, 3), 0x20000102, 3)
    act("SetHardwareBreakpoint", at(0x20000104, 4), 0x20000104, 4)
    act("SetSoftwareBreakpoint", at(0x20000106, 5), 0x20000106, 5)
    act("ClearBreakpoint", at(0x20000104, 4), 0x20000104, 4)
    act("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=6), 0x20000010, 6)
    act("ClearBreakpoint", at(0, 6), 0, 6)
    act("Step", {"count": 1, "trace": 1}, 0, 1)
    peer.stopped()
    act("Force", peer.force(value=b"\1\2\3\4"), 0x20000020, 0x0102030400000000)
    act("Force", peer.force(addr=0x20000022), 0x20000022, 0xAABBCCDD00000000, 11)
    act("Release", SAMPLE["Release"], 0x20000020, 0)
    act("SetAxis", dict(axis=1, position=77, fingerprint=PRINT), 1, 77)
    act("PushPolicy", policy(9, 0), 9, 0)
    act("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=7, length=2), 0x20000010, 7, 3)
    act("Resume")
    records = []
    while len(records) < len(wanted):
        f = peer.ask("ReadAudit", {"from": 0, "count": 255} if not records else {"from": len(records), "count": 255})
        equal("next", f["next"], len(wanted))
        check(f["records"], "no records")
        equal("first index", f["records"][0]["index"], len(records))
        records += f["records"]
    up = [r["uptime"] for r in records]
    equal("uptimes in order", up, sorted(up))
    check(abs(up[-1] - peer.status()["uptime"]) < 1000, "uptime of the last record")
    for i, (r, (sequence, t, kind, verdict, addr, value)) in enumerate(zip(records, wanted)):

        want = dict(index=i, session=int.from_bytes(peer.device[-4:], "big"), sequence=sequence, time=t, operator=b"operator", kind=NUMBER[kind],
                    verdict=verdict, addr=addr, value=value)
        equal(f"record of {kind}", {k: r[k] for k in want}, want)


@agent("8.6 what is refused before the audit check is not recorded; reading is not recorded")
def _(env):
    peer = env.peer()
    peer.refuse(10, "Resume")
    peer.refuse(14, "Force", peer.force())
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)))
    peer.refuse(17, "ClearBreakpoint", at(0, 5))
    peer.refuse(19, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], length=0))
    for kind in ("ReadAxes", "GetStatus", "ListBreakpoints", "ReadMemory", "ReadRegisters", "ReadMetrics", "ReadAudit"):
        peer.ask(kind, SAMPLE.get(kind))
    f = log(peer)
    equal("oldest, next, records", (f["oldest"], f["next"], f["records"]), (0, 0, []))


def fill(peer, leave=0):
    """Commands until the log of 16 has room for so many more. The machine is stopped then."""
    peer.halt()
    n = log(peer)["next"]
    i = n
    while i < 16 - leave:
        peer.ask("SetAxis", dict(axis=0, position=i, fingerprint=PRINT))
        i += 1


@agent("8.6 a full log refuses, but Halt and Release, which are executed without a record", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    for i in range(13):
        peer.ask("SetAxis", dict(axis=0, position=i, fingerprint=PRINT))
    peer.ask("Resume")
    for kind in ("SetBreakpoint", "SetWatchpoint", "SetHardwareBreakpoint", "PushPolicy"):
        peer.refuse(15, kind, SAMPLE.get(kind))
    peer.halt()
    for kind in ("Resume", "Step", "Force", "SetAxis"):
        peer.refuse(15, kind, SAMPLE.get(kind))
    equal("axis", peer.ask("ReadAxes")["positions"][0], 12)
    equal("run state", peer.status()["run_state"], 2)
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), bytes((32, 33, 34, 35)))
    equal("next index", log(peer)["next"], 16)


@agent("8.6 reading releases the records before `from`; from 0 releases nothing", 2)
def _(env):
    peer = env.peer()
    fill(peer)
    step = ("SetAxis", dict(axis=1, position=1, fingerprint=PRINT))
    peer.refuse(15, *step)
    f = log(peer, 0)
    check(f["records"] and f["oldest"] == 0, "no records from 0")
    equal("indices", [r["index"] for r in f["records"]], list(range(len(f["records"]))))
    peer.refuse(15, *step)
    f = log(peer, 3)
    equal("index of the first record", f["records"][0]["index"], 3)
    for _ in range(3):
        peer.ask(*step)
    peer.refuse(15, *step)
    f = log(peer, 3, 1)
    equal("oldest, next", (f["oldest"], f["next"]), (3, 19))
    equal("one record", [r["index"] for r in f["records"]], [3])
    for start in (19, 0xFFFFFFFF):
        f = log(peer, start)
        equal("records from the next one, or one that is still to come", f["records"], [])
        for _ in range(16):
            peer.ask(*step)
        peer.refuse(15, *step)


@agent("6.3 reading the log without the authority to control releases nothing", 2)
def _(env):
    peer = env.peer()
    fill(peer)
    observer = peer.next(b"observer")
    for start in (5, 16, 0xFFFFFFFF):
        f = log(observer, start)
        equal("next", f["next"], 16)
    peer = observer.next()
    peer.refuse(15, "SetAxis", SAMPLE["SetAxis"])
    log(peer, 16)
    peer.ask("SetAxis", SAMPLE["SetAxis"])


@agent("8.6 the log goes on into the next session, with each session's name")
def _(env):
    peer = env.peer()
    peer.halt()
    other = peer.next()
    other.ask("SetAxis", SAMPLE["SetAxis"])
    f = log(other)
    equal("sessions", [r["session"] for r in f["records"]], [int.from_bytes(p.device[-4:], "big") for p in (peer, other)])
    brief = other.next(token=b"brief")
    brief.ask("Resume")
    f = log(brief.next(), 2)
    equal("operator", f["records"][0]["operator"], b"brief\0\0\0")


# -- order of checks --------------------------------------------------------------------------------------------------

def order(name, seconds=1):
    return agent("8.1 order: " + name, seconds)


@order("version of the frame, kind, body")
def _(env):
    peer = env.peer()
    for raw, code in ((frame(0x7F, version=2), 24), (frame(0x10, b"x", version=2), 24), (frame(0x7F, b"x"), 1)):
        peer.is_error(peer.answer(raw.hex(), None, peer.send_frame(raw)), code, None, raw.hex())


@order("body and limits before authority")
def _(env):
    peer = env.peer(b"observer")
    sequence = peer.send_frame(frame(0x10, b"x"))
    peer.is_error(peer.answer("malformed Halt", None, sequence), 2)
    peer.refuse(2, "Step", dict(count=1, trace=2))
    peer.refuse(19, "Step", dict(count=0, trace=0))
    peer.refuse(19, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], length=0))


@order("session (Disordered, Stale) before authority")
def _(env):
    peer = env.peer(b"observer")
    peer.heartbeat = 0
    peer.rest(0.4)
    peer.status()
    peer.refuse(9, "Halt", time=0)
    peer.refuse(8, "Halt", time=peer.clock + 7000)


@order("authority before fingerprint and state")
def _(env):
    peer = env.peer(b"observer")
    peer.refuse(5, "Force", peer.force(fingerprint=bytes(16)))
    peer.refuse(5, "Release", dict(SAMPLE["Release"], fingerprint=bytes(16)))
    peer.refuse(5, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)))
    peer.refuse(5, "Resume")
    peer.refuse(5, "ClearBreakpoint", at(0, 99))


@order("fingerprint before state and interlock")
def _(env):
    peer = env.peer()
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)))
    peer.refuse(18, "Force", peer.force(fingerprint=bytes(16)))
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    for kind in ("Force", "Release", "SetAxis"):
        peer.refuse(18, kind, dict(SAMPLE[kind], fingerprint=bytes(16)))


@order("state before ids")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetSoftwareBreakpoint", at(0x20000100, 1))
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.ask("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=1))
    peer.ask("ClearBreakpoint", at(0, 1))
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.refuse(21, "ClearBreakpoint", at(0, 1))


@order("ids before policy, slots and audit")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    peer.ask("PushPolicy", policy(1, 1, rule(0, (1 << 64) - 1, 0)))
    peer.refuse(16, "SetBreakpoint", at(0x20000102, 1))
    peer.refuse(20, "SetBreakpoint", at(0x20000102, 2), 1)
    for i in range(13):
        peer.ask("SetAxis", SAMPLE["SetAxis"])
    peer.refuse(15, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse(16, "SetBreakpoint", at(0x20000102, 1))
    peer.refuse(17, "ClearBreakpoint", at(0, 5))
    peer.refuse(20, "SetBreakpoint", at(0x20000102, 2), 1)
    peer.refuse(20, "PushPolicy", policy(1, 0), 1)
    peer.refuse(10, "Halt")
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)))


@order("policy before slots, slots before audit")
def _(env):
    peer = env.peer()
    peer.halt()
    for i in range(8):
        peer.ask("SetSoftwareBreakpoint", at(0x20000100 + 2 * i, i))
    peer.ask("PushPolicy", policy(1, 1, rule(0x20000120, 0x20000120, 0)))
    peer.refuse(20, "SetSoftwareBreakpoint", at(0x20000120, 50), 1)
    peer.refuse(13, "SetSoftwareBreakpoint", at(0x20000122, 50), 8)
    for i in range(6):
        peer.ask("SetAxis", SAMPLE["SetAxis"])
    peer.refuse(15, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse(20, "SetSoftwareBreakpoint", at(0x20000120, 50), 1)
    peer.refuse(13, "SetSoftwareBreakpoint", at(0x20000122, 50), 8)


@order("interlock before audit, audit before the target")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Resume")
    while log(peer, 0, 1)["next"] < 16:
        peer.ask("PushPolicy", policy(peer.sequence, 0))
    peer.refuse(14, "Force", peer.force())
    peer.refuse(14, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse(15, "SetBreakpoint", at(0x20000101, 1))
    peer.halt()
    peer.refuse(15, "Force", peer.force(addr=0x20000022))
    peer.refuse(15, "SetAxis", dict(SAMPLE["SetAxis"], axis=9))


@order("interlock before the target: a force where none can be, while the machine runs")
def _(env):
    peer = env.peer()
    peer.refuse(14, "Force", peer.force(addr=0x20000022))
