"""The knobs on standard input (README.md of the suite)."""

import json
import time
from collections.abc import Callable

from .machine import World


def real_ms() -> int:
    """Milliseconds of a clock that never goes back."""
    return time.monotonic_ns() // 1_000_000


class KnobClock:
    """The clock that the agent is given: it can be made to jump, and to stand still."""

    def __init__(self) -> None:
        self._offset = 0
        self._frozen: int | None = None

    def __call__(self) -> int:
        """Milliseconds."""
        return real_ms() + self._offset if self._frozen is None else self._frozen

    def jump(self, step: int) -> None:
        """Goes on from a later or an earlier time."""
        self._offset += step
        if self._frozen is not None:
            self._frozen += step

    def freeze(self, still: bool) -> None:
        """Stands still, or goes on from there."""
        if still and self._frozen is None:
            self._frozen = self()
        elif not still and self._frozen is not None:
            self._offset = self._frozen - real_ms()
            self._frozen = None


class Knobs:
    """Executes one line after the other."""

    def __init__(self, world: World, clock: KnobClock, reset: Callable[[], None], trap: Callable[[], None]) -> None:
        self.stalled_until = 0
        """Real time until which the agent does not run."""
        self._world = world
        self._clock = clock
        self._reset = reset
        self._trap = trap

    def execute(self, line: str, forced: dict[int, bytes], traps: int) -> str:
        """Does what a line says, and gives the answer."""
        word, *rest = line.split()
        numbers = [int(text, 0) for text in rest]
        world = self._world
        match word, numbers:
            case "permit", [bits]:
                world.permission = bits
            case "generation", [number]:
                world.generation = number
            case "interlock", [on]:
                world.interlock = bool(on)
            case "moving", [on]:
                world.moving = bool(on)
            case "release-fails", [on]:
                world.release_fails = bool(on)
            case "recovery-fails", [on]:
                world.recovery_fails = bool(on)
            case "stall", [duration]:
                self.stalled_until = real_ms() + duration
            case "clock", [step]:
                self._clock.jump(step)
            case "freeze", [on]:
                self._clock.freeze(bool(on))
            case "reset", []:
                self._reset()
            case "trap", []:
                self._trap()
            case "journal", []:
                texts = list(world.journal)
                world.journal.clear()
                forces = {str(addr): value.hex() for addr, value in forced.items()}
                return json.dumps({"journal": texts, "forces": forces, "traps": traps})
            case _:
                return f"no such knob: {line}"
        return "ok"
