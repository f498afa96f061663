"""Scenarios for agents: the audit log; SPEC 6.5, 8.8."""

from .agents import agent, both, serial
from .frames import NUMBER, record_bytes
from .run import check, equal
from .samples import SAMPLE, TOUCHING, at, policy
from .session import PRINT
from .wire import crc32

ROOM = 12           # records that have to be released
REFUSAL = 255       # the cause that marks a refusal


def step_axis(position, axis=0):
    return dict(axis=axis, position=position, fingerprint=PRINT)


def fill(peer, leave=0):
    """Commands until there is room for so many more; the machine stands then."""
    peer.halt()
    for i in range(ROOM - leave - 1):
        peer.ask("SetAxis", step_axis(i))


def release(peer, upto, rows=None):
    """ReleaseAudit's fields with the right CRC: that of the last record below, which is no refusal."""
    rows = peer.log_from() if rows is None else rows
    last = [r for r in rows if r["index"] < upto and r["cause"] != REFUSAL][-1]
    return dict(upto=upto, crc=crc32(record_bytes(last)))


def session_of(peer):
    return int.from_bytes(peer.device[-4:], "big")


class Wanted:
    """Commands, and the records that they have to leave."""

    def __init__(self, peer):
        self.peer, self.rows = peer, []

    def act(self, kind, fields=None, addr=0, value=0, error=None):
        t = self.peer.own_time()
        if error:
            self.peer.refuse(error, kind, fields, time=t)
        else:
            self.peer.ask(kind, fields, time=t)
        self.rows.append(dict(version=1, boot=self.peer.welcome["boot"], session=session_of(self.peer),
                              sequence=self.peer.sequence, time=t, operator=b"operator", suite=0, kind=NUMBER[kind],
                              cause=0, verdict=error or 0, count=1, addr=addr, value=value))

    def compare(self, start=0):
        got = self.peer.log_from(start)
        equal("indices", [r["index"] for r in got], list(range(start, start + len(self.rows))))
        for r, want in zip(got, self.rows):
            names = {number: name for name, number in NUMBER.items()}
            equal(f"record of {names[want['kind']]}", {k: r[k] for k in want}, want)
        up = [r["uptime"] for r in got]
        equal("uptimes in order", up, sorted(up))
        return got


@both("8.8 every command of column A is recorded with all its fields", 2)
def _(env):
    peer = env.peer()
    peer.age(3000)
    w = Wanted(peer)
    w.act("Halt")
    peer.stopped(4)
    w.act("SetBreakpoint", at(0x20000102, 3), 0x20000102, 3)
    w.act("SetHardwareBreakpoint", at(0x20000104, 4), 0x20000104, 4)
    w.act("ClearBreakpoint", at(0x20000104, 4), 0x20000104, 4)
    w.act("SetWatchpoint", dict(SAMPLE["SetWatchpoint"], id=6), 0x20000010, 6)
    w.act("ClearBreakpoint", at(0, 6), 0, 6)
    w.act("Step", {"count": 1, "trace": 1}, 0, 1)
    peer.stopped()
    w.act("StepRange", dict(first=0x20000100, last=0x20000101, over=1), 0x20000100, 0x20000101)
    peer.stopped()
    w.act("WriteRegister", dict(register=4, value=0x11223344, fingerprint=PRINT), 4, 0x11223344)
    w.act("Force", peer.force(value=b"\1\2\3\4"), 0x20000020, 0x0102030400000000)
    w.act("Release", SAMPLE["Release"], 0x20000020, 0)
    got = w.compare()
    check(abs(got[-1]["uptime"] / 1000 - peer.status()["uptime"]) < 1.5, "uptime of the last record")


@agent("8.8 more of column A: writes, axis, policy, resume, and what the target refuses", 2)
def _(env):
    peer = env.peer()
    w = Wanted(peer)
    w.act("Halt")
    peer.stopped(4)
    w.act("SetSoftwareBreakpoint", at(0x20000106, 5), 0x20000106, 5)
    w.act("WriteMemory", dict(addr=0x20000080, fingerprint=PRINT, data=bytes(range(1, 11))), 0x20000080,
          0x0102030405060708)
    w.act("WriteMemory", dict(addr=0x20000080, fingerprint=PRINT, data=b"\x77"), 0x20000080, 0x77 << 56)
    w.act("SetAxis", step_axis(-77, 1), 1, (1 << 64) - 77)
    w.act("PushPolicy", policy(9, 0, 0), 9, 0)
    w.act("SetWatchpoint", dict(addr=0x20000030, id=7, length=2, access=2), 0x20000030, 7, 3)
    w.act("SetAxis", step_axis(0, 9), 9, 0, 11)
    w.act("Resume")
    w.compare()


@both("8.8 refusals of column A are recorded, from the session's checks on; reading is not", 2)
def _(env):
    peer = env.peer()
    rows = []

    def refused(code, kind, fields=None, addr=0, value=0, **over):
        peer.refuse(code, kind, fields, **over)
        rows.append((NUMBER[kind], REFUSAL, code, addr, value, peer.sequence, 1))
    refused(10, "Resume")
    refused(14, "Force", peer.force(), 0x20000020, 0xAABBCCDD00000000)
    refused(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=bytes(16)), 0, 5)
    refused(17, "ClearBreakpoint", at(0, 5), 0, 5)
    for kind in ("ReadAxes", "GetStatus", "ListBreakpoints", "ReadMemory", "ReadRegisters", "ReadMetrics",
                 "ReadAudit", "ReadMap", "ListVariables"):
        peer.ask(kind, SAMPLE.get(kind))
    peer.refuse(19, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], length=0))
    peer.refuse(11, "ReadMemory", {"addr": 0, "length": 4})
    names = ("kind", "cause", "verdict", "addr", "value", "sequence", "count")
    got = [tuple(r[n] for n in names) for r in peer.log_from()]
    equal("records", got, rows)


def recorded(name, prepare, code, kind, fields):
    @agent(f"8.8 a refusal by {name} is recorded", 1)
    def _(env):
        peer = env.peer()
        peer.halt()
        prepare(peer)
        m = peer.call(kind, fields)
        peer.is_error(m, code, None, kind)
        sequence = m.fields["request"]
        r = peer.log_from()[-1]
        got = tuple(r[n] for n in ("kind", "verdict", "cause", "sequence", "count"))
        equal("kind, verdict, cause, sequence, count", got, (NUMBER[kind], code, REFUSAL, sequence, 1))


def slots(peer):
    for i in range(8):
        peer.ask("SetSoftwareBreakpoint", at(0x20000100 + 2 * i, i))


recorded("Busy", lambda p: p.ask("Step", dict(count=0xFFFFFFFF, trace=0)), 21, "SetAxis", step_axis(1))
recorded("DuplicateId", lambda p: p.ask("SetBreakpoint", at(0x20000100, 1)), 16, "SetBreakpoint", at(0x20000102, 1))
recorded("UnknownId", lambda p: None, 17, "ClearBreakpoint", at(0, 9))
recorded("Unmapped", lambda p: None, 11, "SetBreakpoint", at(0x30000000, 1))
recorded("Protected", lambda p: None, 25, "SetBreakpoint", at(0x20000400, 1))
recorded("Policy", lambda p: p.ask("PushPolicy", policy(1, 0, 0)), 20, "PushPolicy", policy(2, 0, 0))
recorded("NoSlot", slots, 13, "SetSoftwareBreakpoint", at(0x20000120, 9))
recorded("Interlock", lambda p: p.knob("moving 1"), 14, "Resume", None)
recorded("AuditFull", lambda p: [p.ask("SetAxis", step_axis(i)) for i in range(ROOM - 1)], 15, "Resume", None)
recorded("AuditMismatch", lambda p: None, 29, "ReleaseAudit", dict(upto=1, crc=0))
recorded("WrongDevice", lambda p: None, 18, "Release", dict(SAMPLE["Release"], fingerprint=bytes(16)))


@serial("8.8 an event that finds no room is counted as lost", 2)
def _(env):
    """The end of the session, in a full log."""
    peer = env.peer()
    fill(peer)
    equal("lost", peer.next().welcome["audit_lost"], 1)


@agent("8.8 Stale, Disordered, Unexpected of column A are recorded as well", 1)
def _(env):
    peer = env.peer()
    peer.refuse(8, "Resume", time=peer.clock + 300)
    peer.refuse(4, "Halt", channel=1)
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt", "Done", sequence)
    peer.refuse(9, "SetBreakpoint", at(0x20000100, 1), sequence=20)
    peer.sequence = 100
    equal("records", [(r["kind"], r["verdict"], r["cause"]) for r in peer.log_from()],
          [(0x11, 8, REFUSAL), (0x10, 4, REFUSAL), (0x10, 0, 0), (1, 9, REFUSAL)])


@agent("8.8 Protected and Denied are recorded of any command", 1)
def _(env):
    peer = env.peer()
    peer.refuse(25, "ReadMemory", {"addr": 0x20000404, "length": 4})
    peer.knob("permit 30")
    peer.rest(0.05)
    peer.refuse(5, "ReadAxes")
    peer.knob("permit 31")
    peer.rest(0.05)
    rows = peer.log_from()
    equal("records", [(r["kind"], r["verdict"], r["cause"]) for r in rows], [(0x19, 25, REFUSAL), (0x2A, 5, REFUSAL)])
    equal("address of what was Protected", rows[0]["addr"], 0x20000404)


@agent("8.8 a refusal that is equal to the last record raises its count", 2)
def _(env):
    peer = env.peer()
    first = None
    for _ in range(5):
        peer.refuse(10, "Resume")
        first = first or peer.sequence
    peer.refuse(10, "Step", {"count": 1, "trace": 0})
    peer.refuse(10, "Step", {"count": 2, "trace": 0})
    peer.refuse(10, "Resume")
    rows = peer.log_from()
    equal("kind, value, count", [(r["kind"], r["value"], r["count"]) for r in rows],
          [(0x11, 0, 5), (0x12, 1, 1), (0x12, 2, 1), (0x11, 0, 1)])
    equal("indices", [r["index"] for r in rows], [0, 1, 2, 3])


@both("8.8 refusals take a quarter of the log: the oldest make room for new ones, and are counted as lost", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    for i in range(10):
        peer.refuse(18, "SetAxis", dict(axis=0, position=i, fingerprint=bytes(16)))
    rows = peer.log_from()
    kept = [r["value"] for r in rows if r["verdict"] == 18]
    equal("the newest four refusals", kept, [6, 7, 8, 9])
    equal("Halt's record is there", [r["kind"] for r in rows][:1], [0x10])
    equal("lost", peer.lost_records, 6)
    for i in range(ROOM - 1):
        peer.ask("SetAxis", step_axis(i))
    peer.refuse(15, "SetAxis", step_axis(99))


@serial("8.8 the number of records that were lost is in Welcome", 2)
def _(env):
    peer = env.peer()
    equal("lost", peer.welcome["audit_lost"], 0)
    for i in range(7):
        peer.refuse(18, "SetAxis", dict(axis=0, position=i, fingerprint=bytes(16)))
    equal("lost", peer.next().welcome["audit_lost"], 3)


@both("8.8 a full log refuses, but Halt, Release and ReleaseAudit", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    index = 2
    while peer.call("SetAxis", step_axis(index)).name == "Done":
        index += 1
        check(index < 20, "the log is never full")
    for kind in TOUCHING:
        if kind in ("Halt", "Release", "ReleaseAudit", "ClearBreakpoint"):
            continue
        peer.refuse(15, kind, SAMPLE.get(kind))
    equal("axis", peer.ask("ReadAxes")["positions"][0], index - 1)
    peer.log_from()
    lost = peer.lost_records
    peer.ask("Halt")
    peer.ask("Release", SAMPLE["Release"])
    peer.log_from()
    equal("lost: both, as there is room for the end of the force alone", peer.lost_records, lost + 2)
    equal("released", peer.read(0x20000020, 4), bytes((32, 33, 34, 35)))
    equal("run state", peer.status()["run_state"], 2)
    rows = peer.log_from()
    equal("records, when there has to be room for the end of the force", index, ROOM - 1)
    peer.ask("ReleaseAudit", release(peer, rows[-1]["index"] + 1, rows))
    peer.ask("SetAxis", step_axis(77))


@agent("8.8 Halt of a running machine is executed though the log is full", 2)
def _(env):
    peer = env.peer()
    version = 0
    while True:
        m = peer.call("PushPolicy", policy(version + 1, version, 0))
        if m.name != "Done":
            break
        version += 1
    peer.is_error(m, 15)
    equal("records", version, ROOM)
    peer.log_from()
    lost = peer.lost_records
    peer.halt()
    peer.log_from()
    equal("lost: the Halt's record", peer.lost_records, lost + 1)
    equal("run state", peer.status()["run_state"], 2)


@agent("8.8 Force is refused when there would be no room for the ends of all forces", 2)
def _(env):
    peer = env.peer()
    fill(peer, 3)
    # Room for 3: the Force's own record and one end, but not two more.
    peer.ask("Force", peer.force())
    peer.refuse(15, "Force", peer.force(addr=0x20000024))
    peer.ask("Release", SAMPLE["Release"])


@both("8.8 reading releases nothing", 2)
def _(env):
    peer = env.peer()
    fill(peer)
    for start, count in ((0, 255), (5, 1), (ROOM, 1), (0xFFFFFFFF, 255)):
        peer.ask("ReadAudit", {"from": start, "count": count})
        peer.refuse(15, "SetAxis", step_axis(1000 + start % 1000))
    rows = peer.log_from()
    equal("the first records are there", [r["index"] for r in rows[:3]], [0, 1, 2])
    f = peer.ask("ReadAudit", {"from": 3, "count": 2})
    equal("count", [r["index"] for r in f["records"]], [3, 4])
    equal("oldest", f["oldest"], 0)
    f = peer.ask("ReadAudit", {"from": 0xFFFFFFFF, "count": 9})
    equal("none", f["records"], [])


@both("8.8 ReleaseAudit: the CRC of the last record below; then there is room, and it is recorded itself", 2)
def _(env):
    peer = env.peer()
    fill(peer)
    rows = peer.log_from()
    good = release(peer, 5, rows)
    for wrong in (dict(good, crc=good["crc"] ^ 1), dict(good, upto=4), dict(good, upto=6), dict(good, upto=0),
                  dict(upto=1000, crc=good["crc"]), dict(upto=0, crc=0)):
        peer.refuse(29, "ReleaseAudit", wrong)
    peer.refuse(15, "SetAxis", step_axis(500))
    peer.ask("ReleaseAudit", good)
    r = peer.log_from(ROOM)[-1]
    equal("its record: kind, verdict, value", (r["kind"], r["verdict"], r["value"]), (0x35, 0, 5))
    done = 0
    while peer.call("SetAxis", step_axis(600 + done)).name == "Done":
        done += 1
    equal("commands that there is room for", done, 4)


@agent("8.8 ReleaseAudit needs an authority of its own", 1)
def _(env):
    peer = env.peer(b"control")
    peer.halt()
    rows = peer.log_from()
    peer.refuse(5, "ReleaseAudit", release(peer, 1, rows), 16)


@agent("8.8 the CRC in ReleaseAudit is that of the last record below the index that is no refusal", 2)
def _(env):
    """Refusals may be gone, or counted up meanwhile: they prove nothing."""
    peer = env.peer()
    peer.halt()
    for i in range(7):
        peer.refuse(18, "SetAxis", dict(axis=0, position=i, fingerprint=bytes(16)))
    rows = peer.log_from()
    equal("indices", [r["index"] for r in rows], [0, 4, 5, 6, 7])
    peer.refuse(29, "ReleaseAudit", dict(upto=8, crc=crc32(record_bytes(rows[-1]))))
    peer.ask("ReleaseAudit", dict(upto=8, crc=crc32(record_bytes(rows[0]))))


@agent("8.8 ReleaseAudit of an index that has not come yet: AuditMismatch", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    rows = peer.log_from()
    behind = rows[-1]["index"] + 1
    peer.refuse(29, "ReleaseAudit", release(peer, behind + 1, rows))
    peer.ask("ReleaseAudit", release(peer, behind, rows))


@agent("8.8 a refusal that is counted up while the log is read does not keep it from being released", 2)
def _(env):
    peer = env.peer()
    fill(peer)
    rows = peer.log_from()
    for _ in range(3):
        peer.refuse(15, "SetAxis", step_axis(500))
    peer.ask("ReleaseAudit", release(peer, rows[-1]["index"] + 1, rows))
    peer.ask("SetAxis", step_axis(501))


@serial("8.8 the log goes on into the next session, with each session's name; each session's end is recorded", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    other = peer.next()
    other.ask("SetAxis", SAMPLE["SetAxis"])
    rows = other.log_from()
    equal("kind, cause, session", [(r["kind"], r["cause"], r["session"]) for r in rows],
          [(0x10, 0, session_of(peer)), (0xE3, 1, session_of(peer)), (0x29, 0, session_of(other))])
    brief = other.next(b"brief")
    brief.ask("Resume")
    rows = brief.next().log_from()
    equal("operator", [r["operator"] for r in rows if r["kind"] == 0x11], [b"brief\0\0\0"])
    equal("causes of the ends", [r["cause"] for r in rows if r["kind"] == 0xE3], [1, 1, 1])


@serial("8.8 ends of forces: by Release none, by the session's end one each, its cause, the Force's sequence", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    first = peer.sequence
    peer.ask("Force", peer.force(addr=0x20000024, value=b"abcd"))
    second = peer.sequence
    for _ in range(2):
        peer.ask("Renew", dict(SAMPLE["Renew"], addr=0x20000024, lease=60000))
    peer.ask("Force", peer.force(addr=0x20000028))
    peer.ask("Release", dict(SAMPLE["Release"], addr=0x20000028))
    peer.close()
    after = peer.next()
    rows = [r for r in after.log_from() if r["kind"] in (0xE0, 0xE3)]
    ends = sorted((r["addr"], r["cause"], r["sequence"], r["value"], r["count"], r["session"]) for r in rows
                  if r["kind"] == 0xE0)
    equal("ends", ends, [(0x20000020, 1, first, 0xAABBCCDD00000000, 0, session_of(peer)),
                         (0x20000024, 1, second, 0x6162636400000000, 2, session_of(peer))])
    equal("the session's end comes, behind the forces'", [(r["kind"], r["cause"]) for r in rows][-1], (0xE3, 1))


@serial("8.8 the audit's numbers begin at each boot; a log in memory is gone with a reset", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    boot = peer.welcome["boot"]
    peer.close()
    peer.knob("reset")
    peer.link.rest(0.1)
    after = peer.next()
    equal("boot", after.welcome["boot"], boot + 1)
    equal("log", after.ask("ReadAudit", {"from": 0, "count": 9})["next"], 0)
