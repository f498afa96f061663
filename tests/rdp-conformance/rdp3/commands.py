"""What the agent does with a command: the checks in their order, the audit, the effect (section 8)."""

from collections.abc import Callable
from dataclasses import dataclass

from . import machine as reference
from .audit import Audit
from .frames import Code, Fields, Kind, Malformed, Run, decode
from .machine import Breakpoint, Machine, Refused, Stop
from .policy import RULES, Policy
from .rules import broken

OBSERVE, CONTROL, FORCE, POLICY = 1, 2, 4, 8
MEMORY_LIMIT = 256
REGISTER_WIDTH = 4
ALL_REGISTERS = 0

AUTHORITY = {
    Kind.SET_BREAKPOINT: CONTROL,
    Kind.CLEAR_BREAKPOINT: CONTROL,
    Kind.LIST_BREAKPOINTS: OBSERVE,
    Kind.SET_HARDWARE_BREAKPOINT: CONTROL,
    Kind.SET_SOFTWARE_BREAKPOINT: CONTROL,
    Kind.SET_WATCHPOINT: CONTROL,
    Kind.HALT: CONTROL,
    Kind.RESUME: CONTROL,
    Kind.STEP: CONTROL,
    Kind.READ_REGISTERS: OBSERVE,
    Kind.READ_MEMORY: OBSERVE,
    Kind.FORCE: FORCE,
    Kind.RELEASE: FORCE,
    Kind.GET_STATUS: OBSERVE,
    Kind.SET_AXIS: FORCE,
    Kind.READ_AXES: OBSERVE,
    Kind.READ_PLC: OBSERVE,
    Kind.READ_CURSOR: OBSERVE,
    Kind.READ_AUDIT: OBSERVE,
    Kind.READ_METRICS: OBSERVE,
    Kind.PUSH_POLICY: POLICY,
}
"""Column D of 6.2."""

TOUCHING = {
    *(Kind.SET_BREAKPOINT, Kind.CLEAR_BREAKPOINT, Kind.SET_HARDWARE_BREAKPOINT, Kind.SET_SOFTWARE_BREAKPOINT),
    *(Kind.SET_WATCHPOINT, Kind.HALT, Kind.RESUME, Kind.STEP, Kind.FORCE, Kind.RELEASE, Kind.SET_AXIS, Kind.PUSH_POLICY),
}
"""Column A of 6.2."""

SETTING = set(reference.TRAPS)
NEVER_REFUSED = {Kind.HALT, Kind.RELEASE}
"""Not for authority that has expired, nor for a full log (8.4, 8.5)."""


@dataclass(frozen=True)
class Grant:
    """What the token's check says: who, what, and for how many milliseconds (8.2)."""

    operator: bytes
    authority: int
    duration: int


@dataclass(frozen=True)
class Command:
    """A command that has come through the session."""

    kind: Kind
    sequence: int
    time: int
    fields: Fields


@dataclass(frozen=True)
class Limits:
    """What the session allows: the longest answer, and which session it is in the audit log."""

    answer: int
    session: int


def read_body(kind: Kind, data: bytes) -> Fields:
    """Reads a request's body, with the fields' own rules (8.1)."""
    try:
        fields = decode(kind, data)
    except Malformed:
        raise Refused(Code.MALFORMED, kind) from None
    if not _values_are_known(kind, fields) and not broken("unknown-values-accepted"):
        raise Refused(Code.MALFORMED, kind)
    for value, limit in _counts(kind, fields):
        if value == 0 and not broken("zero-counts-accepted") or limit and value > limit and not broken("limits-ignored"):
            raise Refused(Code.LIMIT, limit)
    return fields


def _values_are_known(kind: Kind, fields: Fields) -> bool:
    match kind:
        case Kind.SET_WATCHPOINT:
            return fields["access"] in (1, 2, 3)
        case Kind.STEP:
            return fields["trace"] <= 1
        case Kind.READ_REGISTERS:
            return fields["what"] <= 1
        case Kind.FORCE:
            return 1 <= len(fields["value"]) <= 16
        case Kind.PUSH_POLICY:
            return fields["enabled"] <= 1 and all(rule["action"] <= 1 for rule in fields["rules"])
    return True


def _counts(kind: Kind, fields: Fields) -> list[tuple[int, int]]:
    """Counts and lengths that are 1 or more, and their limits; 0 where there is none."""
    match kind:
        case Kind.SET_WATCHPOINT:
            return [(fields["length"], 0)]
        case Kind.STEP | Kind.READ_AUDIT:
            return [(fields["count"], 0)]
        case Kind.READ_MEMORY:
            return [(fields["length"], MEMORY_LIMIT)]
        case Kind.FORCE:
            return [(fields["lease"], 0)]
        case Kind.PUSH_POLICY if len(fields["rules"]) > RULES:
            return [(len(fields["rules"]), RULES)]
    return []


class Commands:
    """Executes the commands of one session."""

    def __init__(
        self, machine: Machine, audit: Audit, policy: Policy, grant: Grant, limits: Limits, metrics: Callable[[int], Fields], now: int
    ) -> None:
        self._machine = machine
        self._audit = audit
        self._policy = policy
        self._grant = grant
        self._granted_at = now
        self._limits = limits
        self._metrics = metrics
        self._shown: list[int | None] = [None] * reference.REGISTERS

    def execute(self, command: Command, uptime: int, now: int) -> tuple[Kind, Fields, Stop | None]:
        """Checks and executes; gives the answer without its request, and the stop that follows it."""
        if broken("device-checked-first"):
            self._check_device(command)
        self._check_authority(command.kind, now)
        self._check_device(command)
        self._check_state(command)
        self._check_ids(command)
        self._check_policy(command)
        slot = self._slot(command)
        self._check_interlock(command.kind)
        if command.kind not in TOUCHING:
            return self._observe(command, uptime)
        early = self._touch(command, slot) if broken("audit-after-effect") else None
        record = self._audit.begin(self._record(command, uptime), command.kind not in NEVER_REFUSED)
        try:
            answer = early or self._touch(command, slot)
        except Refused as refused:
            self._audit.conclude(record, refused.code)
            if broken("target-refusal-not-recorded"):
                self._audit.drop(record)
            raise
        self._audit.conclude(record, 0)
        return answer

    def end(self) -> None:
        """The session has left Active: nothing of it stays in the machine (5.7)."""
        if not broken("forces-not-released-at-end"):
            for addr in list(self._machine.forces):
                self._machine.release(addr)
        if not broken("clear-breakpoints-not-at-end"):
            self._machine.breakpoints.clear()
        if not broken("steps-not-ended-at-end"):
            self._machine.end_steps()
        if self._machine.run is Run.STOPPED and broken("machine-resumed-at-end"):
            self._machine.resume()

    def stopped(self, stop: Stop) -> Fields:
        """Body of Stopped."""
        fields = {"request": stop.request, "reason": stop.reason, "more": stop.more, "detail": stop.detail}
        return fields | self._registers(always=0 if broken("stopped-without-pc") else 1 << reference.PC)

    def _check_authority(self, kind: Kind, now: int) -> None:
        granted = bool(self._grant.authority & AUTHORITY[kind]) or broken("authority-ignored")
        expired = now - self._granted_at >= self._grant.duration and not broken("authority-never-expires")
        excepted = kind in NEVER_REFUSED and not broken("halt-and-release-expire")
        if not granted or expired and not excepted:
            raise Refused(Code.DENIED)

    @staticmethod
    def _check_device(command: Command) -> None:
        fingerprint = command.fields.get("fingerprint", reference.FINGERPRINT)
        if fingerprint != reference.FINGERPRINT and not broken("wrong-device-accepted"):
            raise Refused(Code.WRONG_DEVICE)

    def _check_state(self, command: Command) -> None:
        run, kind = self._machine.run, command.kind
        excepted = kind is Kind.HALT or kind is Kind.RELEASE and not broken("release-busy")
        if run is Run.STEPPING and kind in TOUCHING and not excepted and not broken("busy-ignored"):
            raise Refused(Code.BUSY)
        must_run = kind is Kind.HALT
        must_stand = kind in (Kind.RESUME, Kind.STEP)
        wrong = must_run and run is Run.STOPPED or must_stand and run is Run.RUNNING
        if wrong and not broken("wrong-state-accepted"):
            raise Refused(Code.WRONG_STATE)

    def _check_ids(self, command: Command) -> None:
        fields = command.fields
        if command.kind in SETTING:
            if fields["id"] in self._machine.breakpoints and not broken("duplicate-id-accepted"):
                raise Refused(Code.DUPLICATE_ID)
        elif command.kind is Kind.CLEAR_BREAKPOINT and not broken("unknown-id-accepted"):
            known = self._machine.breakpoints.get(fields["id"])
            if known is None or fields["addr"] not in (0, known.addr):
                raise Refused(Code.UNKNOWN_ID)

    def _check_policy(self, command: Command) -> None:
        if command.kind in SETTING:
            if command.kind is not Kind.SET_WATCHPOINT or not broken("policy-not-for-watchpoints"):
                self._policy.check(command.fields["addr"])
        elif command.kind is Kind.PUSH_POLICY:
            self._policy.check_version(command.fields["version"])

    def _check_interlock(self, kind: Kind) -> None:
        """Forces and axes may be set while the machine stands; on this machine, that is."""
        asked = kind is Kind.FORCE and not broken("force-without-interlock") or kind is Kind.SET_AXIS and not broken("axis-without-interlock")
        if asked and self._machine.run is not Run.STOPPED:
            raise Refused(Code.INTERLOCK)

    def _slot(self, command: Command) -> int:
        return self._machine.free_slot(reference.TRAPS[command.kind]) if command.kind in SETTING else 0

    def _record(self, command: Command, uptime: int) -> Fields:
        fields = command.fields
        match command.kind:
            case Kind.FORCE:
                addr, value = fields["addr"], int.from_bytes(fields["value"][:8].ljust(8, b"\0"), "big")
            case Kind.SET_AXIS:
                addr, value = fields["axis"], fields["position"] & 0xFFFFFFFFFFFFFFFF
            case Kind.STEP:
                addr, value = 0, fields["count"]
            case Kind.PUSH_POLICY:
                addr, value = fields["version"], 0
            case _:
                addr, value = fields.get("addr", 0), fields.get("id", 0)
        if command.kind is Kind.CLEAR_BREAKPOINT and not addr and broken("audit-fills-in-address"):
            addr = self._machine.breakpoints[value].addr
        return {
            "session": self._limits.session,
            "sequence": command.sequence,
            "time": command.time,
            "uptime": uptime,
            "operator": self._grant.operator,
            "kind": command.kind,
            "addr": addr,
            "value": value,
        }

    def _touch(self, command: Command, slot: int) -> tuple[Kind, Fields, Stop | None]:
        """The effect of a command of column A."""
        machine, fields = self._machine, command.fields
        stop: Stop | None = None
        match command.kind:
            case Kind.CLEAR_BREAKPOINT:
                machine.breakpoints.pop(fields["id"], None)
            case Kind.HALT:
                stop = machine.halt(command.sequence)
            case Kind.RESUME:
                machine.resume()
            case Kind.STEP:
                machine.step(fields["count"], bool(fields["trace"]), command.sequence)
            case Kind.FORCE:
                machine.force(fields["addr"], fields["value"], fields["lease"])
            case Kind.RELEASE:
                machine.release(fields["addr"])
            case Kind.SET_AXIS:
                machine.set_axis(fields["axis"], fields["position"])
            case Kind.PUSH_POLICY:
                self._policy.replace(fields["version"], bool(fields["enabled"]), fields["rules"])
            case kind:
                new = Breakpoint(fields["id"], fields["addr"], reference.TRAPS[kind], slot)
                machine.set_breakpoint(new, fields.get("length", 0), fields.get("access", 0))
                return Kind.BREAKPOINT_SET, {"id": new.id, "slot": slot}, None
        return Kind.DONE, {}, stop

    def _observe(self, command: Command, uptime: int) -> tuple[Kind, Fields, None]:
        """The answer to a command that touches nothing."""
        machine, fields = self._machine, command.fields
        match command.kind:
            case Kind.LIST_BREAKPOINTS:
                return Kind.BREAKPOINTS, self._list(fields["id"]), None
            case Kind.READ_REGISTERS:
                if fields["what"] == ALL_REGISTERS or broken("registers-always-all"):
                    self._shown = [None] * reference.REGISTERS
                return Kind.REGISTERS, self._registers(), None
            case Kind.READ_MEMORY:
                room = self._room(14)
                data = machine.read(fields["addr"], min(fields["length"], room))
                return Kind.MEMORY, {"addr": fields["addr"], "data": data}, None
            case Kind.GET_STATUS:
                return Kind.STATUS, self._status(uptime), None
            case Kind.READ_AXES:
                return Kind.AXES, {"axes": [{"position": position} for position in machine.axes]}, None
            case Kind.READ_PLC:
                registers = machine.plc(fields["first"], min(fields["count"], self._room(8) // 2))
                return Kind.PLC, {"first": fields["first"], "registers": [{"value": value} for value in registers]}, None
            case Kind.READ_CURSOR:
                return Kind.CURSOR, dict(reference.CURSOR), None
            case Kind.READ_AUDIT:
                count = min(fields["count"], self._room(13) // 47)
                return Kind.AUDIT, self._audit.read(fields["first"], count, bool(self._grant.authority & CONTROL)), None
            case _:
                return Kind.METRICS, self._metrics(uptime), None

    def _room(self, fixed: int) -> int:
        """Bytes of a list in an answer, behind its fixed fields."""
        return self._limits.answer - 19 - fixed

    def _list(self, lowest: int) -> Fields:
        ids = sorted(id for id in self._machine.breakpoints if id >= lowest or broken("list-from-ignored"))
        fits = self._room(6) // 17
        chosen = [self._machine.breakpoints[id] for id in ids[:fits]]
        if broken("list-not-sorted"):
            chosen.reverse()
        rows = [{"id": one.id, "addr": one.addr, "trap": one.trap, "hits": one.hits} for one in chosen]
        return {"more": len(ids) > fits, "breakpoints": rows}

    def _status(self, uptime: int) -> Fields:
        machine, policy = self._machine, self._policy
        return {
            "run": machine.run,
            "breakpoints": len(machine.breakpoints),
            "forces": len(machine.forces),
            "steps": machine.steps,
            "policy": policy.version,
            "enabled": policy.enabled,
            "uptime": uptime,
        }

    def _registers(self, always: int = 0) -> Fields:
        capture, registers = self._machine.capture()
        mask, values = 0, b""
        for index, (value, shown) in enumerate(zip(registers, self._shown)):
            if value != shown or always >> index & 1:
                mask |= 1 << index
                values += value.to_bytes(REGISTER_WIDTH, "big")
        self._shown = list(registers)
        return {"capture": capture, "mask": mask, "values": values}
