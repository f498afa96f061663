"""What the agent does with a command that has passed the session: checks, audit, effect (section 8)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import memory
from . import machine as reference
from .checks import Checks
from .frames import RECORD_SIZE, Code, Fields, Kind, Reason, Run
from .holdings import Held
from .kinds import CONTROL, TABLE, URGENT
from .machine import Breakpoint, Failed, Stop
from .memory import Refused
from .rules import broken
from .seal import SHORTEST
from .steps import Steps

if TYPE_CHECKING:
    from .device import Device
    from .station import Station

REGISTER_WIDTH = 4
ALL_REGISTERS = 0
FIRST_LIMIT = 512


@dataclass(frozen=True)
class Command:
    """A command that has come through the session."""

    kind: Kind
    sequence: int
    time: int
    fields: Fields


class Commands:
    """Executes the commands of one session."""

    def __init__(self, device: "Device", station: "Station", limit: int) -> None:
        self._device = device
        self._station = station
        self._checks = Checks(device, station)
        self._limit = limit
        self._shown: list[int | None] = [None] * reference.REGISTERS

    def execute(self, command: Command, now: int) -> tuple[Kind, Fields, Stop | None]:
        """Checks and executes; gives the answer without its request, and the stop that follows it."""
        slot = self._checks.all(command.kind, command.fields)
        if command.kind is Kind.RELEASE_AUDIT:
            return self._release_audit(command, now)
        if not TABLE[command.kind].touches:
            return self._observe(command, now)
        early = self._touch(command, slot, now) if broken("audit-after-effect") else None
        record = self._record(command, now)
        try:
            answer = early or self._touch(command, slot, now)
        except Refused as refused:
            self._device.audit.conclude(record, refused.code)
            if broken("target-refusal-not-recorded"):
                self._device.audit.drop(record)
            refused.recorded = True  # type: ignore[attr-defined]
            raise
        self._device.audit.conclude(record, 0)
        return answer

    def stopped(self, stop: Stop) -> Fields:
        """Body of Stopped."""
        moving = self._device.world.moving
        axes = 0 if broken("axes-not-told") else 2 if moving else 1
        if broken("axes-always-stand"):
            axes = 1
        fields = {"request": stop.request, "reason": stop.reason, "more": stop.more, "detail": stop.detail}
        fields["axes"] = axes
        return fields | self._registers(always=0 if broken("stopped-without-pc") else 1 << reference.PC)

    def _record(self, command: Command, now: int) -> Fields | None:
        """Check 14: the record before the effect (8.8)."""
        device, kind = self._device, command.kind
        held = len(device.holdings.forces)
        reserved = held
        needed = 0
        if kind in URGENT:
            needed = -1
        elif kind is Kind.FORCE:
            reserved = 0
            needed = held + (command.fields["addr"] not in device.holdings.forces)
            if broken("force-without-room-for-its-end"):
                needed = 0
        row = device.command_record(self._station, command.kind, command.sequence, command.time, command.fields, now)
        return device.audit.command(row, needed, reserved)

    def _release_audit(self, command: Command, now: int) -> tuple[Kind, Fields, None]:
        """ReleaseAudit is recorded after it has made room."""
        audit, upto = self._device.audit, command.fields["upto"]
        audit.check_release(upto, command.fields["crc"])
        if not broken("release-audit-needs-room-first"):
            audit.release(upto)
        elif audit.room < 1:
            raise Refused(Code.AUDIT_FULL)
        if not broken("release-audit-not-recorded"):
            row = self._device.command_record(
                self._station, command.kind, command.sequence, command.time, command.fields, now
            )
            audit.conclude(audit.command(row, -1, len(self._device.holdings.forces)), 0)
        audit.release(upto)
        return Kind.DONE, {}, None

    def _touch(self, command: Command, slot: int, now: int) -> tuple[Kind, Fields, Stop | None]:
        """The effect of a command of column A."""
        device, machine, fields = self._device, self._device.machine, command.fields
        match command.kind:
            case Kind.CLEAR_BREAKPOINT:
                machine.clear(fields["id"])
            case Kind.HALT:
                return Kind.DONE, {}, self._halt(command)
            case Kind.RESUME:
                machine.resume()
            case Kind.STEP:
                device.begin(Steps(machine, command.sequence, fields["count"], bool(fields["trace"])))
            case Kind.STEP_RANGE:
                over = bool(fields["over"])
                device.begin(Steps.through(machine, command.sequence, fields["first"], fields["last"], over))
            case Kind.FORCE:
                self._force(command, now)
            case Kind.RELEASE:
                self._release(fields["addr"])
            case Kind.WRITE_MEMORY:
                machine.write(fields["addr"], fields["data"])
            case Kind.WRITE_REGISTER:
                machine.write_register(fields["register"], fields["value"])
            case Kind.SET_AXIS:
                machine.set_axis(fields["axis"], fields["position"])
            case Kind.PUSH_POLICY:
                device.policy.replace(fields["version"], bool(fields["enabled"]), fields["rules"])
            case kind:
                new = Breakpoint(fields["id"], fields["addr"], reference.TRAPS[kind], slot, command.sequence)
                machine.arm(new, fields.get("length", 0), fields.get("access", 0))
                return Kind.BREAKPOINT_SET, {"id": new.id, "slot": slot}, None
        return Kind.DONE, {}, None

    def _halt(self, command: Command) -> Stop | None:
        """A program that stands stays so, without a Stopped (8.4)."""
        machine, steps = self._device.machine, self._device.steps
        stepping = machine.run is Run.STEPPING
        if machine.run is Run.STOPPED and not broken("halt-of-standing-stops"):
            return None
        machine.halt()
        if not (stepping and broken("halt-keeps-steps")):
            self._device.steps = None
        elif steps is not None:
            machine.run = Run.STEPPING
        request = command.sequence
        if steps is not None and broken("halt-names-step"):
            request = steps.request
        return Stop(Reason.STEP if broken("halt-wrong-reason") else Reason.HALTED, request=request)

    def _force(self, command: Command, now: int) -> None:
        device, fields = self._device, command.fields
        addr = fields["addr"]
        device.machine.force(addr, fields["value"])
        old = device.holdings.forces.get(addr)
        until = now + fields["lease"]
        safe = fields["safe"]
        if old is not None:
            until = old.until if broken("lease-not-replaced") else until
            safe = old.safe if broken("safe-not-replaced") else safe
        who = self._station.operator, self._station.number
        device.holdings.forces[addr] = Held(addr, fields["value"], safe, until, command.sequence, *who)

    def _release(self, addr: int) -> None:
        if addr not in self._device.holdings.forces and broken("release-needs-force"):
            raise Refused(Code.UNKNOWN_ID)
        try:
            self._device.holdings.release(addr)
        except Failed as failed:
            raise Refused(failed.code) from None

    def _renew(self, fields: Fields, now: int) -> None:
        held = self._device.holdings.forces.get(fields["addr"])
        if held is None:
            return
        held.renewals += 1
        if broken("renew-adds"):
            held.until += fields["lease"]
        elif not broken("renew-ignored"):
            held.until = now + fields["lease"]

    def _observe(self, command: Command, now: int) -> tuple[Kind, Fields, None]:
        """The answer to a command that touches nothing."""
        device, machine, fields = self._device, self._device.machine, command.fields
        answer = TABLE[command.kind].answer
        match command.kind:
            case Kind.RENEW:
                self._renew(fields, now)
                if broken("renewals-recorded"):
                    self._record(command, now)
                return answer, {}, None
            case Kind.LIST_BREAKPOINTS:
                return answer, self._list(fields["id"]), None
            case Kind.READ_REGISTERS:
                if fields["what"] == ALL_REGISTERS or broken("registers-always-all"):
                    self._shown = [None] * reference.REGISTERS
                return answer, self._registers(), None
            case Kind.READ_MEMORY:
                length = memory.readable(fields["addr"], fields["length"], self._may_control())
                data = machine.read(fields["addr"], min(length, self._room(14)))
                return answer, {"addr": fields["addr"], "data": data}, None
            case Kind.GET_STATUS:
                return answer, device.status(now), None
            case Kind.READ_AXES:
                return answer, {"axes": [{"position": position} for position in machine.axes]}, None
            case Kind.READ_PLC:
                registers = machine.plc(fields["first"], min(fields["count"], self._room(8) // 2))
                rows = [{"value": value} for value in registers]
                return answer, {"first": fields["first"], "registers": rows}, None
            case Kind.READ_CURSOR:
                return answer, dict(reference.CURSOR), None
            case Kind.READ_AUDIT:
                count = min(fields["count"], self._room(17) // RECORD_SIZE)
                return answer, device.audit.read(fields["first"], count), None
            case Kind.LIST_VARIABLES:
                return answer, self._variables(fields["first"]), None
            case Kind.READ_MAP:
                return answer, self._map(fields["first"]), None
            case _:
                return answer, device.metric_fields(now), None

    def _may_control(self) -> bool:
        """Regions with side effects are read only with control (8.6)."""
        return bool(self._station.authority & self._device.world.permission & CONTROL)

    def _room(self, fixed: int) -> int:
        """Bytes of a list in an answer, behind its fixed fields."""
        return self._limit - SHORTEST - fixed + broken("answers-too-long") * 700

    def _list(self, lowest: int) -> Fields:
        traps = self._device.machine.traps
        ids = sorted(id for id in traps if id >= lowest or broken("list-from-ignored"))
        fits = self._room(6) // 17
        chosen = [traps[id] for id in ids[:fits]]
        if broken("list-not-sorted"):
            chosen.reverse()
        rows = [{"id": one.id, "addr": one.addr, "trap": one.trap, "hits": one.hits} for one in chosen]
        return {"more": len(ids) > fits, "breakpoints": rows}

    def _variables(self, first: int) -> Fields:
        first = 0 if broken("variables-from-ignored") else first
        room, rows = self._room(11), []
        for variable in memory.VARIABLES[first:255]:
            room -= 12 + len(variable["name"])
            if room < 0:
                break
            rows.append(variable)
        generation = 0 if broken("variables-without-generation") else self._device.world.generation
        return {"generation": generation, "total": len(memory.VARIABLES), "variables": rows}

    def _map(self, first: int) -> Fields:
        first = 0 if broken("map-from-ignored") else first
        regions = memory.MAP[first : first + self._room(7) // 17]
        rows = [{"first": one.first, "last": one.last, "class": one.class_} for one in regions]
        return {"total": len(memory.MAP), "regions": rows}

    def _registers(self, always: int = 0) -> Fields:
        capture, registers = self._device.machine.capture()
        mask, values = 0, b""
        for index, (value, shown) in enumerate(zip(registers, self._shown)):
            if value != shown or always >> index & 1:
                mask |= 1 << index
                values += value.to_bytes(REGISTER_WIDTH, "big")
        self._shown = list(registers)
        return {"capture": capture, "mask": mask, "values": values}
