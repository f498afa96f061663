"""The audit log (sections 6.5 and 8.6)."""

from .frames import Code, Fields
from .machine import Refused
from .rules import broken

RECORDS = 16
UNKNOWN = 0xFFFF


class Audit:
    """A ring of records; what the host has not read is not overwritten."""

    def __init__(self) -> None:
        self._records: list[Fields] = []
        self._released = 0
        self._next = 0

    def begin(self, record: Fields, needed: bool) -> Fields | None:
        """Writes a record before the effect. None if the log is full and the record is not needed."""
        if self._next - self._released >= RECORDS and not broken("audit-overwrites"):
            if needed or broken("audit-full-stops-all"):
                raise Refused(Code.AUDIT_FULL)
            return None
        record = {"index": self._next, **record, "verdict": UNKNOWN}
        self._records = [*self._records[1 - RECORDS :], record]
        self._next += 1
        return record

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

    def read(self, first: int, count: int, may_release: bool) -> Fields:
        """Records from `first` on, which releases all before it."""
        if (may_release or broken("audit-released-by-all")) and not broken("audit-reading-releases-nothing"):
            self._released = max(self._released, min(first, self._next))
        if broken("audit-reading-releases-all"):
            self._released = self._next
        records = [record for record in self._records if record["index"] >= first][:count]
        return {"oldest": self._next - len(self._records), "next": self._next, "records": records}
