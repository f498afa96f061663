"""The checks of a command in their order (8.1), from the authority on."""

from typing import TYPE_CHECKING

from . import bodies, memory
from . import machine as reference
from .frames import Code, Fields, Kind, Run
from .kinds import CONTROL, FORCE, OBSERVE, SETTING, TABLE, URGENT, WRITING
from .memory import Refused
from .rules import broken

if TYPE_CHECKING:
    from .device import Device
    from .station import Station

ASKED = {
    Kind.FORCE: "force",
    Kind.WRITE_MEMORY: "write",
    Kind.WRITE_REGISTER: "write",
    Kind.RESUME: "resume",
    Kind.STEP: "step",
    Kind.STEP_RANGE: "step",
    Kind.SET_AXIS: "axis",
    Kind.HALT: "halt",
    **dict.fromkeys(SETTING, "arm"),
}
"""Acts that the interlock is asked for (8.3)."""


class Checks:
    """The checks of one session's commands. A fault of a check is a `Refused`."""

    def __init__(self, device: "Device", station: "Station") -> None:
        self._device = device
        self._station = station

    def all(self, kind: Kind, fields: Fields) -> int:
        """Checks 4 to 13; gives the slot."""
        if broken("device-checked-first"):
            self._fingerprint(fields)
        if broken("interlock-before-state"):
            self._interlock(kind)
        self.authority(kind)
        self._fingerprint(fields)
        self._generation(kind)
        self._state(kind)
        if broken("map-before-ids"):
            self._map(kind, fields)
        self._ids(kind, fields)
        self._map(kind, fields)
        self._policy(kind, fields)
        slot = self._slots(kind, fields)
        self._interlock(kind)
        return slot

    def authority(self, kind: Kind) -> None:
        """Check 4: grant and local permission (8.2)."""
        station, permission = self._station, self._device.world.permission
        need = TABLE[kind].authority
        granted = station.authority
        if broken("permission-ignored"):
            permission = 31
        if kind in URGENT:
            if broken("halt-and-release-need-permission"):
                granted &= permission
            if broken("expired-controller-denied-halt") and station.expired and kind is Kind.HALT:
                granted = 0
            if broken("expired-denied-release") and station.expired and kind is Kind.RELEASE:
                granted = 0
            if broken("expired-observer-may-halt") and station.expired or broken("observer-may-halt"):
                granted |= CONTROL if kind is Kind.HALT else 0
            if broken("observer-may-release"):
                granted |= FORCE if kind is Kind.RELEASE else 0
            if broken("release-with-control-alone") and kind is Kind.RELEASE and granted & CONTROL:
                granted |= FORCE
        else:
            granted &= permission
            if broken("observing-needs-no-permission") and need == OBSERVE:
                granted |= OBSERVE
            if station.expired and not (broken("expired-may-observe") and need == OBSERVE):
                granted = 0 if not broken("grant-never-expires") else granted
        if not granted & need and not broken("authority-ignored"):
            raise Refused(Code.DENIED, 0 if broken("denied-without-detail") else need)

    @staticmethod
    def _fingerprint(fields: Fields) -> None:
        fingerprint = fields.get("fingerprint", reference.FINGERPRINT)
        if fingerprint != reference.FINGERPRINT and not broken("wrong-device-accepted"):
            raise Refused(Code.WRONG_DEVICE)

    def _generation(self, kind: Kind) -> None:
        """Check 7 (8.11). A Halt is done whatever the program is."""
        generation = self._device.world.generation
        excepted = kind is Kind.HALT and not broken("changed-program-refuses-halt")
        changed = generation != self._station.generation and not broken("generation-not-checked")
        if TABLE[kind].touches and changed and not excepted:
            raise Refused(Code.PROGRAM_CHANGED, generation)

    def _state(self, kind: Kind) -> None:
        """Check 8 (8.7, 8.4)."""
        run, row = self._device.machine.run, TABLE[kind]
        taking_back = kind in (Kind.HALT, Kind.RELEASE)
        taking_back |= kind is Kind.CLEAR_BREAKPOINT and not broken("stuck-refuses-clear")
        if self._device.holdings.blocked and (row.touches or kind is Kind.RENEW) and not taking_back:
            if not broken("stuck-refuses-nothing"):
                raise Refused(Code.STUCK)
        excepted = kind is Kind.HALT or kind is Kind.RELEASE and not broken("release-busy")
        busy = row.touches and not excepted or broken("renew-busy") and kind is Kind.RENEW
        if run is Run.STEPPING and busy and not broken("busy-ignored"):
            raise Refused(Code.BUSY)
        wrong = row.stands and run is Run.RUNNING
        if broken("writes-while-running") and kind in WRITING or broken("wrong-state-accepted"):
            wrong = False
        if broken("halt-of-standing-refused") and kind is Kind.HALT and run is Run.STOPPED:
            wrong = True
        if broken("axis-needs-stand") and kind is Kind.SET_AXIS and run is Run.RUNNING:
            wrong = True
        if wrong:
            raise Refused(Code.WRONG_STATE)

    def _ids(self, kind: Kind, fields: Fields) -> None:
        """Check 9 (8.5)."""
        traps = self._device.machine.traps
        if kind in SETTING:
            if fields["id"] in traps and not broken("duplicate-id-accepted"):
                raise Refused(Code.DUPLICATE_ID, fields["id"])
            watch = kind is Kind.SET_WATCHPOINT
            for one in traps.values():
                same = watch == (one.trap == reference.WATCH_TRAP)
                if broken("classes-share-addresses"):
                    same = True
                if broken("hardware-is-a-class"):
                    same = one.trap == reference.TRAPS[kind]
                if same and one.addr == fields["addr"] and not broken("two-at-one-address"):
                    raise Refused(Code.DUPLICATE_ID, 0 if broken("duplicate-without-id") else one.id)
        elif kind is Kind.CLEAR_BREAKPOINT and not broken("unknown-id-accepted"):
            known = traps.get(fields["id"])
            elsewhere = known is not None and fields["addr"] not in (0, known.addr)
            if known is None or elsewhere and not broken("clear-at-any-address"):
                raise Refused(Code.UNKNOWN_ID)
        elif kind is Kind.RENEW and fields["addr"] not in self._device.holdings.forces:
            if not broken("renew-of-nothing"):
                raise Refused(Code.UNKNOWN_ID)

    def _map(self, kind: Kind, fields: Fields) -> None:
        """Check 10 (8.6)."""
        count = bodies.traps_bytes(kind, fields)
        trap_free = broken("traps-anywhere") and kind in SETTING
        if count and not trap_free:
            memory.check(fields["addr"], count)
        if kind is Kind.FORCE and not broken("forces-overlap"):
            addr = fields["addr"]
            for held in self._device.holdings.forces.values():
                if held.addr != addr and held.addr < addr + count and addr < held.addr + len(held.value):
                    raise Refused(Code.UNMAPPED)

    def _policy(self, kind: Kind, fields: Fields) -> None:
        """Check 11 (8.5)."""
        policy = self._device.policy
        if kind in SETTING:
            if kind is not Kind.SET_WATCHPOINT or not broken("policy-not-for-watchpoints"):
                policy.check(fields["addr"])
        elif kind is Kind.PUSH_POLICY:
            policy.check_replaces(fields["replaces"], fields["version"])

    def _slots(self, kind: Kind, fields: Fields) -> int:
        """Check 12."""
        if kind is Kind.FORCE:
            forces = self._device.holdings.forces
            if fields["addr"] not in forces and len(forces) >= reference.FORCES:
                raise Refused(Code.NO_SLOT, reference.FORCES)
        return self._device.machine.free_slot(reference.TRAPS[kind]) if kind in SETTING else 0

    def _interlock(self, kind: Kind) -> None:
        """Check 13 (8.3)."""
        act = ASKED.get(kind)
        machine = self._device.machine
        if act is None or broken(f"{act}-not-asked"):
            return
        if kind is Kind.HALT and machine.run is Run.STOPPED and not broken("halt-of-standing-asks"):
            return
        if not machine.allows(act):
            raise Refused(Code.INTERLOCK)
