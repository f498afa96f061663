"""The audit log (sections 6.5 and 8.8)."""

import enum

from . import frames
from .crc import crc32
from .frames import Code, Fields
from .memory import Refused
from .rules import broken

VERSION = 1
RECORDS = 12
"""Records that are overwritten only after they were released."""
REFUSALS = 4
"""A quarter of the log is for refusals."""
UNKNOWN = 0xFFFF
REFUSED = 255
"""The cause of a refusal (6.5)."""
MOST = 0xFFFF
UNEQUAL = {"index", "sequence", "time", "uptime", "count"}
"""Fields in which equal refusals may differ."""


class Event(enum.IntEnum):
    """Kinds of events (6.5)."""

    FORCE_ENDED = 0xE0
    STUCK = 0xE1
    STOP_WITHOUT_SESSION = 0xE2
    SESSION_ENDED = 0xE3


class Audit:
    """Two rings under one index: what has to be released, and refusals."""

    def __init__(self, boot: int) -> None:
        self.lost = 0
        self._boot = boot
        self._records: list[Fields] = []
        self._refusals: list[Fields] = []
        self._released = 0
        self._next = 0

    @property
    def room(self) -> int:
        """Records that can be written without overwriting one that was not released."""
        return RECORDS - sum(record["index"] >= self._released for record in self._records)

    def command(self, record: Fields, needed: int, reserved: int) -> Fields | None:
        """Writes a command's record before its effect; `needed` is the room it must leave beside its own, 0 or more,
        or -1 if the command is never refused for a full log. `reserved` is kept for the ends of forces."""
        if broken("room-for-ends-not-kept"):
            reserved = 0
        if needed < 0:
            kept = 0 if broken("halt-takes-the-room-for-ends") else reserved
            if self.room <= kept and not broken("audit-overwrites"):
                if broken("full-log-stops-all"):
                    raise Refused(Code.AUDIT_FULL)
                self.lost += not broken("lost-not-counted")
                return None
        elif self.room < 1 + needed + reserved and not broken("audit-overwrites"):
            raise Refused(Code.AUDIT_FULL)
        return self._write(record | {"verdict": UNKNOWN})

    def event(self, record: Fields, reserved: int) -> None:
        """Writes what happened, if there is room; otherwise it is lost. `reserved` is kept for the ends of forces."""
        if self.room <= reserved:
            self.lost += not broken("lost-events-not-counted")
        else:
            self._write(record)

    def refusal(self, record: Fields) -> None:
        """Writes a refusal, or counts it in the last record."""
        everything = [*self._records, *self._refusals]
        last = max(everything, key=lambda one: one["index"]) if everything else None
        same = last is not None and all(last[key] == record[key] for key in record if key not in UNEQUAL)
        if broken("refusals-coalesce-by-kind"):
            same = last is not None and all(last[key] == record[key] for key in ("kind", "verdict"))
        if last is not None and same and not broken("refusals-not-coalesced"):
            last["count"] = min(last["count"] + 1, MOST)
            return
        if broken("refusals-fill-the-log"):
            if self.room > 0:
                self._write(record)
            return
        if len(self._refusals) >= REFUSALS:
            if broken("new-refusals-dropped"):
                return
            oldest = self._refusals.pop(0)
            if oldest["index"] >= self._released and not broken("lost-refusals-not-counted"):
                self.lost += 1
        self._refusals.append(self._numbered(record))

    @staticmethod
    def conclude(record: Fields | None, verdict: int) -> None:
        """Notes how the command went."""
        if record is not None and not broken("audit-not-concluded"):
            record["verdict"] = verdict

    def drop(self, record: Fields | None) -> None:
        """Forgets the last record."""
        if record is not None:
            self._records.pop()
            self._next -= 1

    def read(self, first: int, count: int) -> Fields:
        """Records from `first` on."""
        if broken("reading-releases"):
            self._released = max(self._released, min(first, self._next))
        everything = self._all()
        oldest = everything[0]["index"] if everything else self._next
        wanted = [record for record in everything if record["index"] >= first][:count]
        if broken("audit-falling-order"):
            wanted.reverse()
        return {"oldest": oldest, "next": self._next, "lost": self.lost, "records": wanted}

    def check_release(self, upto: int, crc: int) -> None:
        """Whether the one who releases has read that far. Refusals prove nothing: they come and go (8.8)."""
        below = [record for record in self._all() if record["index"] < upto]
        if not broken("refusals-prove"):
            below = [record for record in below if record["cause"] != REFUSED]
        there = bool(below) and (upto <= self._next or broken("release-of-the-future"))
        proof = crc32(frames.encode_record(below[-1])) if below else 0
        if not there and not broken("release-of-nothing") or crc != proof and not broken("release-without-proof"):
            raise Refused(Code.AUDIT_MISMATCH)

    def release(self, upto: int) -> None:
        """Makes room: records below this index may be overwritten."""
        if broken("release-makes-no-room"):
            return
        upto += broken("release-includes-upto")
        self._released = self._next if broken("release-of-all") else max(self._released, min(upto, self._next))

    def _all(self) -> list[Fields]:
        return sorted([*self._records, *self._refusals], key=lambda record: record["index"])

    def _write(self, record: Fields) -> Fields:
        if len(self._records) >= RECORDS:
            self._records.pop(0)
        numbered = self._numbered(record)
        self._records.append(numbered)
        return numbered

    def _numbered(self, record: Fields) -> Fields:
        numbered = {"version": VERSION, "index": self._next, "boot": self._boot} | record
        self._next += 1
        return numbered
