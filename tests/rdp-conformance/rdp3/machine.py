"""The reference machine (README.md of the suite): what the agent's target does."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .frames import Code, Kind, Reason, Run
from .memory import PLAIN, Refused, region
from .rules import broken

FINGERPRINT = b"reference-mach01"
NAME = b"reference"
ARCHITECTURE = 1
REGISTERS = 17
SP, LR, PC = 13, 14, 15
AXES = 3
BREAKPOINTS = 8
HARDWARE = 2
FORCES = 8
"""More than there are addresses."""
RATE = 100
"""Instructions in a millisecond."""
MOST = 10_000 * RATE
"""Steps that were kept back are made up for, within reason."""
PROGRAM_ONLY, FEED_HOLD = 1, 2

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


class Failed(Exception):
    """The machine could not do what it had to."""

    code = Code.UNSUPPORTED
    """Its own error."""


@dataclass
class World:
    """What is outside of the agent, and outlives its resets: what the knobs set, and the journal."""

    permission: int = 31
    generation: int = 1
    interlock: bool = False
    moving: bool = False
    release_fails: bool = False
    recovery_fails: bool = False
    journal: deque[str] = field(default_factory=lambda: deque(maxlen=100_000))

    def note(self, *words: object) -> None:
        """Writes into the journal."""
        self.journal.append(" ".join(map(str, words)))


@dataclass
class Breakpoint:
    """A breakpoint or a watchpoint in its slot."""

    id: int
    addr: int
    trap: int
    slot: int
    sequence: int = 0
    hits: int = 0


@dataclass(frozen=True)
class Stop:
    """Why the program has stopped."""

    reason: Reason
    detail: int = 0
    request: int = 0
    more: bool = False


class Machine:
    """A processor with 32 instructions, and the machine tool around it."""

    def __init__(self, world: World, now: int) -> None:
        self.run = Run.RUNNING
        self.world = world
        self.axes = [1000000, -2000000, 3000000]
        self.traps: dict[int, Breakpoint] = {}
        self.forced: dict[int, tuple[bytes, bytes]] = {}
        """The former and the forced bytes."""
        self.modified = False
        self.captures = 0
        self.registers = [0x1000 + n for n in range(13)] + [0x20000400, 0x20000101, PROGRAM, 0x01000000]
        self.budget = 0
        """Instructions for which there was time since the last steps."""
        self._memory = bytearray(n % 251 for n in range(MEMORY_SIZE))
        self._write(CYCLES, bytes(4))
        self._time = now
        self._fresh = False
        self._captured = False

    def allows(self, act: str) -> bool:
        """The interlock (8.3)."""
        world = self.world
        if world.interlock:
            return False
        if act == "hold":
            return True
        runs = self.run is Run.RUNNING and act in ("force", "write", "axis")
        return not runs and not world.moving

    def advance(self, now: int) -> Iterator[Stop]:
        """Lets time go by; stops are given at the instruction where they happen."""
        kept = self.budget if self.run is Run.STEPPING else 0
        self.budget = min(kept + max(0, now - self._time) * RATE, MOST)
        self._time = now
        while self.run is Run.RUNNING and self.budget > 0:
            executed, stop = self.execute(self.budget)
            self.budget -= executed
            if stop is not None:
                self.run = Run.STOPPED
                yield stop

    def execute(self, count: int) -> tuple[int, Stop | None]:
        """Executes up to `count` instructions, up to the first breakpoint before one of them."""
        nearest: Breakpoint | None = None
        blind = self.run is Run.STEPPING and broken("steps-pass-breakpoints")
        for one in sorted(self.traps.values(), key=lambda one: one.id):
            distance = self._distance(one)
            if one.trap != WATCH_TRAP and distance < count and not blind:
                nearest, count = one, distance
        watch = next((one for one in self.traps.values() if one.trap == WATCH_TRAP), None)
        if watch is not None and count:
            self._execute(1)
            return 1, self._hit(watch, Reason.WATCH, watch.id << 32 | watch.addr & 0xFFFFFFFF)
        if nearest is None:
            self._execute(count)
            return count, None
        count += broken("breakpoint-after-instruction")
        self._execute(count)
        return count, self._hit(nearest, Reason.BREAKPOINT, nearest.id)

    def met(self, slot: int) -> Stop:
        """The knob `trap`: the breakpoint in a slot was met, and the program stands."""
        self.run = Run.STOPPED
        trap = next((one for one in self.traps.values() if one.slot == slot), None)
        if trap is None:
            return Stop(Reason.BREAKPOINT)
        return self._hit(trap, Reason.BREAKPOINT, trap.id)

    def halt(self) -> None:
        """Stops the program."""
        self.run = Run.STOPPED
        self.world.note("halt")

    def resume(self) -> None:
        """Lets it run."""
        self.run = Run.RUNNING
        self._fresh = True
        self.world.note("resume")

    def begin_steps(self) -> None:
        """Steps follow; the first one does not meet a breakpoint at the pc."""
        self.run = Run.STEPPING
        self._fresh = True

    def capture(self) -> tuple[int, list[int]]:
        """The registers at this instruction boundary, and the capture's number."""
        if not self._captured:
            self._captured = True
            self.captures = (self.captures + 1) & 0xFFFFFFFF
        return self.captures, list(self.registers)

    def arm(self, trap: Breakpoint, length: int, access: int) -> None:
        """Puts a breakpoint or watchpoint into its slot."""
        if trap.trap == WATCH_TRAP:
            if (trap.addr, length, access) != (CYCLES, 4, 2):
                raise Refused(Code.UNSUPPORTED)
        elif trap.addr % 2 or not PROGRAM <= trap.addr < PROGRAM + 2 * LENGTH:
            raise Refused(Code.UNMAPPED)
        self.traps[trap.id] = trap
        self.world.note("arm", trap.addr)

    def clear(self, id: int) -> None:
        """Takes a trap back."""
        trap = self.traps.pop(id, None)
        if trap is not None:
            self.world.note("clear", trap.addr)

    def free_slot(self, trap: int) -> int:
        """The lowest free slot."""
        if len(self.traps) >= BREAKPOINTS and not broken("slots-endless"):
            raise Refused(Code.NO_SLOT, BREAKPOINTS)
        hardware = sum(one.trap == HARDWARE_TRAP for one in self.traps.values())
        if trap == HARDWARE_TRAP and hardware >= HARDWARE and not broken("hardware-endless"):
            raise Refused(Code.NO_SLOT, HARDWARE)
        used = {one.slot for one in self.traps.values()}
        if broken("slot-not-lowest"):
            return max(used, default=-1) + 1
        return next(slot for slot in range(len(used) + 1) if slot not in used)

    def read(self, addr: int, length: int) -> bytes:
        """Memory that the map allows to read; a region with side effects reads as zeros."""
        found = region(addr)
        if found is None or found.class_ != PLAIN:
            return bytes(length)
        data = bytes(self._memory[addr - MEMORY : addr - MEMORY + length])
        return data.ljust(length, b"\0") if broken("read-across-regions") else data

    def force(self, addr: int, value: bytes) -> None:
        """Holds a variable at a value."""
        if addr not in FORCEABLE or len(value) != 4:
            raise Refused(Code.UNMAPPED)
        former = self.forced[addr][0] if addr in self.forced else self.read(addr, 4)
        self.forced[addr] = former, value
        self._write(addr, value)
        self.world.note("force", addr, value.hex())

    def let_go(self, addr: int, safe: bytes) -> None:
        """Lets go of a variable, which has its former value then, or the safe one."""
        if self.world.release_fails:
            raise Failed
        former, _ = self.forced.pop(addr)
        if safe and not broken("safe-value-not-written"):
            self._write(addr, safe)
            self.world.note("safe", addr, safe.hex())
        elif not broken("release-keeps-value"):
            self._write(addr, former)
        self.world.note("release", addr)

    def write(self, addr: int, data: bytes) -> None:
        """Changes memory. What is forced stays so, and gets its new bytes when it is let go."""
        found = region(addr)
        if found is None or found.class_ != PLAIN:
            if broken("read-only-done"):
                return
            raise Refused(Code.READ_ONLY)
        self.modified |= not broken("write-not-modified")
        self._write(addr, data)
        for one, (former, value) in self.forced.items():
            now = self.read(one, 4)
            if now != value:
                kept = zip(former, value, now, range(one, one + 4))
                former = bytes(new if addr <= at < addr + len(data) else old for old, _, new, at in kept)
                self.forced[one] = former, value
                self._write(one, value)
        self.world.note("write", addr, data.hex())

    def write_register(self, index: int, value: int) -> None:
        """Changes a register."""
        if index >= REGISTERS:
            raise Refused(Code.UNMAPPED)
        self.modified |= not broken("write-not-modified")
        self.registers[index] = value & 0xFFFFFFFF
        self._captured = False
        self._fresh = False
        self.world.note("register", index, value)

    def set_axis(self, axis: int, position: int) -> None:
        """Changes an axis' position."""
        if axis >= AXES:
            raise Refused(Code.UNMAPPED)
        self.axes[axis] = position
        self.world.note("axis", axis, position)

    def plc(self, first: int, count: int) -> tuple[int, ...]:
        """PLC registers from `first` on, as far as there are any."""
        if count and first >= len(PLC):
            raise Refused(Code.UNMAPPED)
        return PLC[first : first + count]

    def distance_to(self, addr: int) -> int | None:
        """Instructions until the pc is at an address, at least one; None if it never is."""
        if addr % 2 or not PROGRAM <= addr < PROGRAM + 2 * LENGTH:
            return None
        return (addr - self.registers[PC]) // 2 % LENGTH or LENGTH

    def _distance(self, trap: Breakpoint) -> int:
        distance = (trap.addr - self.registers[PC]) // 2 % LENGTH
        return LENGTH if distance == 0 and self._fresh and not broken("breakpoint-met-again") else distance

    def _hit(self, trap: Breakpoint, reason: Reason, detail: int) -> Stop:
        trap.hits += not broken("hits-not-counted")
        return Stop(reason, detail)

    def _execute(self, count: int) -> None:
        if not count:
            return
        self._fresh = False
        self._captured = False
        self.registers[0] = (self.registers[0] + count) & 0xFFFFFFFF
        self.registers[PC] = PROGRAM + ((self.registers[PC] - PROGRAM) // 2 + count) % LENGTH * 2
        cycles = int.from_bytes(self.read(CYCLES, 4), "little") + count
        self._write(CYCLES, (cycles & 0xFFFFFFFF).to_bytes(4, "little"))

    def _write(self, addr: int, value: bytes) -> None:
        self._memory[addr - MEMORY : addr - MEMORY + len(value)] = value
