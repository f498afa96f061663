"""What the session holds in the machine, and taking it back: forces and traps, in their order (8.7)."""

from collections.abc import Callable
from dataclasses import dataclass

from .audit import Event
from .machine import Failed, Machine
from .rules import broken

RELEASE, LEASE, HOLD, PERMISSION, EXPIRY, STALL = 16, 17, 18, 19, 20, 21
"""Causes beyond the reasons of 5.8."""

FORCES, TRAPS = 1, 2


@dataclass
class Held:
    """A force that is held."""

    addr: int
    value: bytes
    safe: bytes
    until: int
    sequence: int
    operator: bytes
    session: int
    renewals: int = 0
    stuck: int = 0
    """The cause for which it should have ended."""


Note = Callable[[Event, dict[str, object]], None]


class Holdings:
    """Forces and traps that are held. `note` writes an event into the audit log."""

    def __init__(self, machine: Machine, note: Note) -> None:
        self.forces: dict[int, Held] = {}
        self._machine = machine
        self._note = note

    @property
    def stuck(self) -> int:
        """What could not be taken back."""
        return 0 if broken("stuck-not-counted") else sum(bool(held.stuck) for held in self.forces.values())

    @property
    def blocked(self) -> bool:
        """Something is stuck: little else is done until it has been taken back."""
        return any(held.stuck for held in self.forces.values())

    @property
    def any(self) -> bool:
        """Whether something is held."""
        return bool(self.forces or self._machine.traps)

    def expired(self, now: int) -> list[int]:
        """Addresses of the forces whose lease has ended."""
        if broken("lease-never-ends"):
            return []
        late = 1000 if broken("lease-ends-late") else 0
        return [held.addr for held in self.forces.values() if not held.stuck and now >= held.until + late]

    def withdraw(self, what: int, cause: int, addresses: list[int] | None = None) -> list[int]:
        """Takes back forces (all, or those at these addresses) and traps; gives the addresses of the forces.
        The stop reaction comes first, once."""
        held = [one for one in self.forces.values() if not one.stuck and what & FORCES]
        if addresses is not None:
            held = [one for one in held if one.addr in addresses]
        traps = list(self._machine.traps.values()) if what & TRAPS else []
        if held or traps or broken("reaction-always"):
            if not broken("reaction-after-forces"):
                self._react(cause)
            if broken("traps-before-forces"):
                self._clear_traps(traps)
            for one in held:
                self._let_go(one, cause)
            if broken("reaction-after-forces"):
                self._react(cause)
            if broken("reaction-twice"):
                self._react(cause)
            if not broken("traps-before-forces"):
                self._clear_traps(traps)
        return [one.addr for one in held]

    def release(self, addr: int) -> None:
        """Release: without the stop reaction."""
        held = self.forces.get(addr)
        if held is None:
            return
        if held.stuck:
            # The record of Release says all there is to say.
            self._machine.let_go(addr, held.safe)
            self.forces.pop(addr)
            return
        if broken("reaction-at-release"):
            self._react(RELEASE)
        self._let_go(held, RELEASE)
        if held.stuck:
            raise Failed

    def retry(self) -> None:
        """Tries again to take back what is stuck, at every run."""
        if not broken("stuck-not-tried-again"):
            for held in [one for one in self.forces.values() if one.stuck]:
                self._retry(held)

    def _retry(self, held: Held) -> bool:
        try:
            self._machine.let_go(held.addr, held.safe)
        except Failed as failed:
            if broken("fail-safe-at-every-run"):
                self._machine.world.note("fail-safe")
            if broken("stuck-recorded-at-every-run"):
                self._event(Event.STUCK, held, held.stuck, {"verdict": failed.code})
            return False
        self._ended(held, held.stuck, late=True)
        return True

    def _react(self, cause: int) -> None:
        asked = broken("no-reaction-when-asked") and cause == 1
        lease = broken("no-reaction-for-leases") and cause == LEASE
        if not (broken("no-stop-reaction") or asked or lease):
            self._machine.world.note("react")

    def _clear_traps(self, traps: list[object]) -> None:
        for trap in list(self._machine.traps.values()) if traps else []:
            self._machine.clear(trap.id)

    def _let_go(self, held: Held, cause: int) -> None:
        try:
            self._machine.let_go(held.addr, held.safe)
        except Failed as failed:
            if broken("failed-release-forgotten"):
                self.forces.pop(held.addr)
                return
            held.stuck = cause
            if not broken("fail-safe-not-triggered"):
                self._machine.world.note("fail-safe")
            if not broken("stuck-not-recorded"):
                self._event(Event.STUCK, held, cause, {"verdict": failed.code})
            return
        self._ended(held, cause)

    def _ended(self, held: Held, cause: int, late: bool = False) -> None:
        self.forces.pop(held.addr, None)
        by_release = cause == RELEASE and not late and not broken("release-recorded-twice")
        if by_release or broken("end-not-recorded"):
            return
        fields: dict[str, object] = {"count": min(held.renewals, 0xFFFF)}
        if late and not broken("late-end-of-a-session"):
            # Nobody has asked for it then (8.8).
            fields |= {"session": 0, "operator": bytes(8), "time": 0}
        self._event(Event.FORCE_ENDED, held, cause, fields)

    def _event(self, event: Event, held: Held, cause: int, fields: dict[str, object]) -> None:
        if broken("cause-not-recorded"):
            cause = 0
        value = int.from_bytes(held.value[:8].ljust(8, b"\0"), "big")
        row: dict[str, object] = {
            "session": held.session,
            "operator": held.operator,
            "sequence": held.sequence,
            "addr": held.addr,
            "value": 0 if event is Event.STUCK and broken("stuck-without-value") else value,
            "cause": cause,
        }
        if broken("renewals-not-counted") and event is Event.FORCE_ENDED:
            fields = {"count": 0}
        self._note(event, row | fields)
