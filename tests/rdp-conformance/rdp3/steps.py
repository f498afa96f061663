"""Steps that are under way (8.4)."""

from dataclasses import dataclass

from .frames import Reason, Run
from .machine import LENGTH, LR, PC, SP, Machine, Stop
from .rules import broken

ENDLESS = 0xFFFFFFFF
CHUNK = 4096


@dataclass
class Call:
    """A call that was made from the range: where it returns to, and the stack pointer before it."""

    back: int
    stack: int


class Steps:
    """A Step or StepRange, from its command to its last Stopped."""

    def __init__(self, machine: Machine, request: int, count: int, trace: bool) -> None:
        self.request = request
        self.left = count
        self.trace = trace and not broken("trace-ignored")
        self._machine = machine
        self._range: tuple[int, int] | None = None
        self._over = False
        self._call: Call | None = None

    @classmethod
    def through(cls, machine: Machine, request: int, first: int, last: int, over: bool) -> "Steps":
        """A StepRange."""
        steps = cls(machine, request, ENDLESS, False)
        steps._range = first, last
        steps._over = over and not broken("range-steps-into-calls")
        return steps

    def advance(self, single: bool) -> Stop | None:
        """Executes steps: one, or as many as there is time for and nothing else to do."""
        machine = self._machine
        if not (machine.allows("step") or broken("series-not-asked")):
            return Stop(Reason.INTERLOCK, request=self.request)
        most = min(machine.budget, CHUNK, 1 if single or self.trace else CHUNK)
        before, stack = machine.registers[PC], machine.registers[SP]
        executed, stop = machine.execute(min(most, self._far(before)))
        machine.budget -= executed
        for _ in range(executed):
            machine.world.note("step")
        if self._range is None:
            self.left -= executed
        if stop is not None:
            return Stop(stop.reason, stop.detail, self.request)
        if self._range is None:
            if self.left == 0:
                return Stop(Reason.STEP, request=self.request)
            return Stop(Reason.STEP, request=self.request, more=True) if self.trace and executed else None
        return Stop(Reason.STEP, request=self.request) if executed and self._done(stack) else None

    def _far(self, pc: int) -> int:
        """Steps that can be made at once without missing the end."""
        if self._range is None:
            return self.left
        first, last = self._range
        if self._call is not None:
            return self._machine.distance_to(self._call.back) or CHUNK
        if self._over:
            return 1
        for count in range(1, LENGTH + 1):
            at = pc if count == 0 else 0x20000100 + ((pc - 0x20000100) // 2 + count) % LENGTH * 2
            if not first <= at <= last:
                return count
        return CHUNK

    def _done(self, stack: int) -> bool:
        """Whether a StepRange has come to its end."""
        assert self._range is not None
        registers, (first, last) = self._machine.registers, self._range
        if self._call is not None:
            if registers[PC] != self._call.back or registers[SP] < self._call.stack:
                return False
            self._call = None
        if first <= registers[PC] <= last:
            return broken("range-is-one-step")
        if self._over:
            back = registers[LR] & ~1
            if back - self._before() in (2, 4) and back != registers[PC]:
                self._call = Call(back, stack)
                return False
        return not broken("range-never-ends")

    def _before(self) -> int:
        """The instruction that was executed: every one is 2 bytes long."""
        pc = self._machine.registers[PC]
        return 0x20000100 + ((pc - 0x20000100) // 2 - 1) % LENGTH * 2

    @property
    def status(self) -> int:
        """What Status says of the steps that are left."""
        return self.left if self._machine.run is Run.STEPPING else 0
