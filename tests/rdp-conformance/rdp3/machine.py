"""The reference machine (README.md of the suite)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .frames import Code, Kind, Reason, Run
from .rules import broken

FINGERPRINT = b"reference-mach01"
NAME = b"reference"
ARCHITECTURE = 1
REGISTERS = 17
PC = 15
AXES = 3
BREAKPOINTS = 8
HARDWARE = 2
FORCES = 8
"""More than there are addresses."""
CAPABILITIES = 0x3F
RATE = 100
"""Instructions in a millisecond."""

MEMORY = 0x20000000
MEMORY_SIZE = 1024
CYCLES = 0x20000010
FORCEABLE = range(0x20000020, 0x20000030, 4)
PROGRAM = 0x20000100
LENGTH = 32
"""Instructions of the program."""
CURSOR = {"program": 1000, "line": 12, "offset": 345}
PLC = tuple(range(100, 108))

TRAPS = {
    Kind.SET_BREAKPOINT: 0,
    Kind.SET_HARDWARE_BREAKPOINT: 1,
    Kind.SET_SOFTWARE_BREAKPOINT: 2,
    Kind.SET_WATCHPOINT: 3,
}
HARDWARE_TRAP = 1
WATCH_TRAP = 3


class Refused(Exception):
    """A command cannot be done."""

    def __init__(self, code: Code, detail: int = 0) -> None:
        super().__init__(code.name)
        self.code = code
        self.detail = detail


@dataclass
class Breakpoint:
    """A breakpoint or a watchpoint in its slot."""

    id: int
    addr: int
    trap: int
    slot: int
    hits: int = 0


@dataclass
class Forced:
    """A forced variable."""

    former: bytes
    until: int


@dataclass(frozen=True)
class Stop:
    """Why the machine has stopped."""

    reason: Reason
    detail: int = 0
    request: int = 0
    more: bool = False


class Machine:
    """A processor with 32 instructions, and the machine tool around it."""

    def __init__(self, now: int) -> None:
        self.run = Run.RUNNING
        self.axes = [1000000, -2000000, 3000000]
        self.breakpoints: dict[int, Breakpoint] = {}
        self.forces: dict[int, Forced] = {}
        self.steps = 0
        self.captures = 0
        self._registers = [0x1000 + n for n in range(13)] + [0x20000400, 0x20000101, PROGRAM, 0x01000000]
        self._memory = bytearray(n % 251 for n in range(MEMORY_SIZE))
        self._cycles = 0
        self._count(0)
        self._time = now
        self._fresh = False
        self._captured = False
        self._request = 0
        self._trace = False

    def advance(self, now: int, has_room: Callable[[], bool]) -> Iterator[Stop]:
        """Lets time go by; stops are given at the instruction where they happen."""
        self._end_leases(now)
        budget = (now - self._time) * RATE
        self._time = now
        while budget > 0 and self.run is not Run.STOPPED:
            stepping = self.run is Run.STEPPING
            if stepping and self._trace and not has_room():
                break
            chunk = min(budget, self.steps, 1 if self._trace else self.steps) if stepping else budget
            executed, stop = self._execute(chunk)
            budget -= executed
            if stepping:
                self.steps -= executed
                stop = self._after_step(stop)
            if stop is not None:
                if not stop.more:
                    self._stop()
                yield stop

    def halt(self, request: int) -> Stop:
        """Stops the machine or its steps."""
        stepping = self.run is Run.STEPPING
        if not stepping or not broken("halt-keeps-steps"):
            self._stop()
        reason = Reason.STEP if broken("halt-wrong-reason") else Reason.HALTED
        return Stop(reason, request=self._request if stepping and broken("halt-names-step") else request)

    def resume(self) -> None:
        """Lets it run."""
        self.run = Run.RUNNING
        self._fresh = True

    def step(self, count: int, trace: bool, request: int) -> None:
        """Begins steps."""
        self.run = Run.STEPPING
        self._fresh = True
        self.steps = count
        self._trace = trace and not broken("trace-ignored")
        self._request = request

    @property
    def tracing(self) -> bool:
        """Each step is followed by a Stopped."""
        return self.run is Run.STEPPING and self._trace

    def end_steps(self) -> None:
        """The session has ended: no more steps."""
        if self.run is Run.STEPPING:
            self._stop()

    def capture(self) -> tuple[int, list[int]]:
        """The registers at this instruction boundary, and the capture's number."""
        if not self._captured:
            self._captured = True
            self.captures = (self.captures + 1) & 0xFFFFFFFF
        return self.captures, list(self._registers)

    def set_breakpoint(self, breakpoint: Breakpoint, length: int, access: int) -> None:
        """Puts a breakpoint or watchpoint into its slot."""
        if breakpoint.trap == WATCH_TRAP:
            if (breakpoint.addr, length, access) != (CYCLES, 4, 2):
                raise Refused(Code.UNSUPPORTED)
        elif breakpoint.addr % 2 or not PROGRAM <= breakpoint.addr < PROGRAM + 2 * LENGTH:
            raise Refused(Code.UNMAPPED)
        self.breakpoints[breakpoint.id] = breakpoint

    def free_slot(self, trap: int) -> int:
        """The lowest free slot."""
        if len(self.breakpoints) >= BREAKPOINTS and not broken("slots-endless"):
            raise Refused(Code.NO_SLOT, BREAKPOINTS)
        hardware = sum(one.trap == HARDWARE_TRAP for one in self.breakpoints.values())
        if trap == HARDWARE_TRAP and hardware >= HARDWARE and not broken("hardware-endless"):
            raise Refused(Code.NO_SLOT, HARDWARE)
        used = {one.slot for one in self.breakpoints.values()}
        if broken("slot-not-lowest"):
            return max(used, default=-1) + 1
        return next(slot for slot in range(len(used) + 1) if slot not in used)

    def read(self, addr: int, length: int) -> bytes:
        """Memory from `addr` on, as far as it is mapped."""
        at = addr - MEMORY
        if not 0 <= at < MEMORY_SIZE:
            raise Refused(Code.UNMAPPED)
        return bytes(self._memory[at : at + length])

    def force(self, addr: int, value: bytes, lease: int) -> None:
        """Holds a variable at a value."""
        if addr not in FORCEABLE or len(value) != 4:
            raise Refused(Code.UNMAPPED)
        old = self.forces.get(addr)
        until = self._time + lease
        if old is not None and broken("lease-not-replaced"):
            until = old.until
        self.forces[addr] = Forced(self.read(addr, 4) if old is None else old.former, until)
        self._write(addr, value)

    def release(self, addr: int) -> None:
        """Gives a variable its former value back. One that is not forced is left as it is."""
        if addr not in FORCEABLE:
            raise Refused(Code.UNMAPPED)
        forced = self.forces.pop(addr, None)
        if forced is None and broken("release-needs-force"):
            raise Refused(Code.UNMAPPED)
        if forced is not None and not broken("release-keeps-value"):
            self._write(addr, forced.former)

    def set_axis(self, axis: int, position: int) -> None:
        """Changes an axis' position."""
        if axis >= AXES:
            raise Refused(Code.UNMAPPED)
        self.axes[axis] = position

    def plc(self, first: int, count: int) -> tuple[int, ...]:
        """PLC registers from `first` on, as far as there are any."""
        if first >= len(PLC):
            raise Refused(Code.UNMAPPED)
        return PLC[first : first + count]

    def _stop(self) -> None:
        self.run = Run.STOPPED
        self.steps = 0

    def _after_step(self, stop: Stop | None) -> Stop | None:
        if stop is not None:
            return Stop(stop.reason, stop.detail, self._request)
        if self.steps == 0:
            return Stop(Reason.STEP, request=self._request)
        return Stop(Reason.STEP, request=self._request, more=True) if self._trace else None

    def _execute(self, count: int) -> tuple[int, Stop | None]:
        """Executes up to `count` instructions, up to the first breakpoint before one of them."""
        nearest: Breakpoint | None = None
        blind = self.run is Run.STEPPING and broken("steps-pass-breakpoints")
        for one in sorted(self.breakpoints.values(), key=lambda one: one.id):
            distance = self._distance(one)
            if one.trap != WATCH_TRAP and distance < count and not blind:
                nearest, count = one, distance
        watch = next((one for one in self.breakpoints.values() if one.trap == WATCH_TRAP), None)
        if watch is not None and count:
            self._run(1)
            return 1, self._hit(watch, Reason.WATCH, watch.id << 32 | watch.addr & 0xFFFFFFFF)
        if nearest is None:
            self._run(count)
            return count, None
        count += broken("breakpoint-after-instruction")
        self._run(count)
        return count, self._hit(nearest, Reason.BREAKPOINT, nearest.id)

    def _distance(self, breakpoint: Breakpoint) -> int:
        distance = (breakpoint.addr - self._registers[PC]) // 2 % LENGTH
        return LENGTH if distance == 0 and self._fresh and not broken("breakpoint-met-again") else distance

    def _hit(self, breakpoint: Breakpoint, reason: Reason, detail: int) -> Stop:
        breakpoint.hits += not broken("hits-not-counted")
        return Stop(reason, detail)

    def _run(self, count: int) -> None:
        if not count:
            return
        self._fresh = False
        self._captured = False
        self._registers[0] = (self._registers[0] + count) & 0xFFFFFFFF
        self._registers[PC] = PROGRAM + ((self._registers[PC] - PROGRAM) // 2 + count) % LENGTH * 2
        self._count(count)

    def _count(self, count: int) -> None:
        self._cycles = (self._cycles + count) & 0xFFFFFFFF
        self._write(CYCLES, self._cycles.to_bytes(4, "little"))

    def _write(self, addr: int, value: bytes) -> None:
        self._memory[addr - MEMORY : addr - MEMORY + len(value)] = value

    def _end_leases(self, now: int) -> None:
        if broken("lease-never-ends"):
            return
        for addr in [addr for addr, forced in self.forces.items() if now >= forced.until]:
            self.release(addr)
