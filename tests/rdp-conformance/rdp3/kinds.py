"""The table of 6.2: what each command needs, touches, and is answered with."""

import enum
from dataclasses import dataclass

from .frames import Kind

OBSERVE, CONTROL, FORCE, POLICY, AUDIT = 1, 2, 4, 8, 16
"""Bits of authority (8.2)."""


class Capability(enum.IntEnum):
    """Bits of the capabilities (6.4)."""

    NONE = 0
    BREAKPOINTS = 1
    STEPPING = 2
    MEMORY = 4
    FORCING = 8
    MACHINE = 16
    AUDIT = 32
    VARIABLES = 64
    WRITING = 128


ALL_CAPABILITIES = 0xFF


@dataclass(frozen=True)
class Row:
    """One command: columns D, A, S, C, ch, and its answer."""

    authority: int
    capability: Capability
    answer: Kind
    touches: bool = False
    stands: bool = False
    channel: int = 1


C = Capability
_TRAP = Row(CONTROL, C.BREAKPOINTS, Kind.BREAKPOINT_SET, True)

TABLE = {
    Kind.SET_BREAKPOINT: _TRAP,
    Kind.CLEAR_BREAKPOINT: Row(CONTROL, C.BREAKPOINTS, Kind.DONE, True),
    Kind.LIST_BREAKPOINTS: Row(OBSERVE, C.BREAKPOINTS, Kind.BREAKPOINTS),
    Kind.SET_HARDWARE_BREAKPOINT: _TRAP,
    Kind.SET_SOFTWARE_BREAKPOINT: _TRAP,
    Kind.SET_WATCHPOINT: _TRAP,
    Kind.HALT: Row(CONTROL, C.STEPPING, Kind.DONE, True, channel=0),
    Kind.RESUME: Row(CONTROL, C.STEPPING, Kind.DONE, True, stands=True),
    Kind.STEP: Row(CONTROL, C.STEPPING, Kind.DONE, True, stands=True),
    Kind.STEP_RANGE: Row(CONTROL, C.STEPPING, Kind.DONE, True, stands=True),
    Kind.READ_REGISTERS: Row(OBSERVE, C.NONE, Kind.REGISTERS),
    Kind.READ_MEMORY: Row(OBSERVE, C.MEMORY, Kind.MEMORY),
    Kind.FORCE: Row(FORCE, C.FORCING, Kind.DONE, True),
    Kind.RELEASE: Row(FORCE, C.FORCING, Kind.DONE, True, channel=0),
    Kind.RENEW: Row(FORCE, C.FORCING, Kind.DONE),
    Kind.WRITE_MEMORY: Row(FORCE, C.WRITING, Kind.DONE, True, stands=True),
    Kind.WRITE_REGISTER: Row(FORCE, C.WRITING, Kind.DONE, True, stands=True),
    Kind.GET_STATUS: Row(OBSERVE, C.NONE, Kind.STATUS),
    Kind.SET_AXIS: Row(FORCE, C.MACHINE, Kind.DONE, True),
    Kind.READ_AXES: Row(OBSERVE, C.MACHINE, Kind.AXES),
    Kind.READ_PLC: Row(OBSERVE, C.MACHINE, Kind.PLC),
    Kind.READ_CURSOR: Row(OBSERVE, C.MACHINE, Kind.CURSOR),
    Kind.READ_AUDIT: Row(OBSERVE, C.AUDIT, Kind.AUDIT),
    Kind.READ_METRICS: Row(OBSERVE, C.NONE, Kind.METRICS),
    Kind.PUSH_POLICY: Row(POLICY, C.BREAKPOINTS, Kind.DONE, True),
    Kind.LIST_VARIABLES: Row(OBSERVE, C.VARIABLES, Kind.VARIABLES),
    Kind.READ_MAP: Row(OBSERVE, C.NONE, Kind.MAP),
    Kind.RELEASE_AUDIT: Row(AUDIT, C.AUDIT, Kind.DONE, True),
}

URGENT = frozenset({Kind.HALT, Kind.RELEASE})
"""Never refused for a grant that has expired, the local permission, a full log, or Busy (8.2)."""

SETTING = frozenset(kind for kind, row in TABLE.items() if row is _TRAP)
WRITING = frozenset({Kind.WRITE_MEMORY, Kind.WRITE_REGISTER})


def channel(kind: Kind) -> int:
    """The channel that a message of the host's goes on (5.6)."""
    return TABLE[kind].channel if kind in TABLE else 0
