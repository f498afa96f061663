"""The agent's clock (8.10), and that it runs (8.9)."""

from .rules import broken

TOLERATED = 100
"""Milliseconds of a step back that counts as none."""
STILL_RUNS = 200
"""Runs without progress of the clock, since the host was heard, that a healthy one cannot have within the loss time:
runs follow one another a millisecond apart or more, but for a few at knobs."""
STILL_AGAIN = 100
"""After so many more it is found broken again: then Disconnecting ends, whose time would not."""


class Clock:
    """Makes a time that never goes back out of a clock that may."""

    def __init__(self, raw: int) -> None:
        self.now = raw
        self._offset = 0
        self._last = raw
        self._run_at = raw
        self._still = 0

    def read(self, raw: int) -> int:
        """The time of something that arrives. Steps back are judged by `run`."""
        if broken("clock-steps-back"):
            self.now = raw + self._offset
        self.now = max(self.now, raw + self._offset)
        return self.now

    def run(self, raw: int) -> tuple[int, int, bool]:
        """Begins a run: the time, how long ago the last run was, and whether the clock is broken."""
        time = raw + self._offset
        before = self._run_at
        back = self.now - time
        failed = back > (0 if broken("no-step-back-tolerated") else TOLERATED) and not broken("step-back-ignored")
        if broken("clock-steps-back"):
            self.now = time
        elif back > TOLERATED:
            self._offset += back
        self.now = max(self.now, raw + self._offset)
        if raw == self._last:
            self._still += 1
            stands = self._still >= STILL_RUNS and (self._still - STILL_RUNS) % STILL_AGAIN == 0
            failed |= stands and not broken("frozen-clock-ignored")
        elif broken("limping-clock-ignored"):
            self._still = 0
        self._last = raw
        self._run_at = self.now
        return self.now, self.now - before, failed

    def heard(self) -> None:
        """The host was heard, or comes new: runs without progress are counted from here on."""
        self._still = 0
