"""The map of the target's memory, and its variables (8.6, 8.11; README.md of the suite)."""

from dataclasses import dataclass

from .frames import Code, Fields
from .rules import broken

PLAIN, SIDE_EFFECTS, PROTECTED = 0, 1, 2
LAST_ADDRESS = 0xFFFFFFFFFFFFFFFF


class Refused(Exception):
    """A command cannot be done."""

    def __init__(self, code: Code, detail: int = 0) -> None:
        super().__init__(code.name)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Region:
    """One region of the map."""

    first: int
    last: int
    class_: int

    def contains(self, addr: int) -> bool:
        """Whether an address lies in it."""
        return self.first <= addr <= self.last


MAP = (
    Region(0x20000000, 0x200003FF, PLAIN),
    Region(0x20000400, 0x200004FF, PROTECTED),
    Region(0x40000000, 0x400000FF, SIDE_EFFECTS),
)


def _variable(name: str, addr: int, kind: int, flags: int) -> Fields:
    return {"addr": addr, "type": kind, "length": 4, "flags": flags, "name": name.encode()}


VARIABLES = (
    _variable("cycles", 0x20000010, 1, 0),
    _variable("setpoint", 0x20000020, 2, 1),
    _variable("override", 0x20000024, 1, 1),
    _variable("offset", 0x20000028, 2, 1),
    _variable("limit", 0x2000002C, 1, 1),
)


def region(addr: int) -> Region | None:
    """The region of an address. Where a protected region overlaps another one, it is protected."""
    found = [one for one in MAP if one.contains(addr)]
    return max(found, key=lambda one: one.class_ == PROTECTED) if found else None


def check(addr: int, length: int) -> Region:
    """The region that bytes lie in. They must lie in one, and none of them in a protected one."""
    last = addr + max(length, 1) - 1
    if not broken("protected-accepted"):
        for one in MAP:
            partly = addr <= one.last and one.first <= last
            if broken("protected-by-first-byte"):
                partly = one.contains(addr)
            if one.class_ == PROTECTED and partly:
                raise Refused(Code.PROTECTED)
    found = region(addr)
    if broken("map-not-checked"):
        return found or MAP[0]
    if last > LAST_ADDRESS or found is None or not (found.contains(last) or broken("regions-crossed")):
        raise Refused(Code.UNMAPPED)
    return found


def readable(addr: int, length: int, may_control: bool) -> int:
    """How many bytes may be read from an address on."""
    found = region(addr)
    if found is None:
        raise Refused(Code.UNMAPPED)
    if found.class_ == PROTECTED and not broken("protected-readable"):
        raise Refused(Code.PROTECTED)
    if found.class_ == SIDE_EFFECTS and not may_control and not broken("side-effects-for-observers"):
        raise Refused(Code.PROTECTED)
    if broken("read-across-regions"):
        return length
    ends = [found.last + 1, *(one.first for one in MAP if one.class_ == PROTECTED and one.first > addr)]
    return min(length, min(ends) - addr)
