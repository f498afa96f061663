"""Order, time and replay of received messages (section 5.5)."""

import enum

from .rules import broken

WINDOW = 63


class Verdict(enum.Enum):
    """What the checks say of a message."""

    GOOD = enum.auto()
    REPLAYED = enum.auto()
    DISORDERED = enum.auto()
    STALE = enum.auto()


class Order:
    """Checks 1 to 3. Begins with the handshake's first message, whose sequence and time are 0."""

    def __init__(self) -> None:
        self._highest = 0
        self._time = 0
        self._seen = {0}

    def check(self, sequence: int, time: int, clock: int, tolerance: int | None) -> Verdict:
        """Judges a message, and marks it as seen. Without a tolerance any time will do."""
        if self._replayed(sequence):
            return Verdict.REPLAYED
        if sequence <= self._highest or broken("disordered-ahead-seen"):
            self._seen.add(sequence)
        verdict = Verdict.GOOD
        if not self._in_order(sequence, time):
            verdict = Verdict.DISORDERED
            if sequence > self._highest and broken("disordered-moves-highest"):
                self._highest, self._time = sequence, time
        else:
            wrong = tolerance is not None and abs(time - clock) > tolerance
            if wrong and not (broken("no-time-check") or broken("future-accepted") and time > clock):
                verdict = Verdict.STALE
            if sequence > self._highest and not (verdict is Verdict.STALE and broken("stale-stays-behind")):
                self._highest, self._time = sequence, time
                self._seen = {sequence, *(seen for seen in self._seen if seen >= sequence - WINDOW)}
        if verdict is not Verdict.GOOD and broken("refused-not-seen"):
            self._seen.discard(sequence)
        return verdict

    def _replayed(self, sequence: int) -> bool:
        if broken("no-replay-window"):
            return False
        if broken("late-sequence-refused") and sequence < self._highest:
            return True
        return sequence < self._highest - WINDOW and not broken("window-endless") or sequence in self._seen

    def _in_order(self, sequence: int, time: int) -> bool:
        if broken("disordered-accepted"):
            return True
        return time >= self._time if sequence > self._highest else time <= self._time
