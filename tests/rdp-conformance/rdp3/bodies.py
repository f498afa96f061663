"""Requests: the fields' own rules (8.1, 1 and 2), and what an audit record says of them (6.5)."""

from . import machine as reference
from .frames import AGENT_KINDS, KINDS, VERSION, Code, Fields, Kind, Malformed, decode
from .memory import Refused
from .policy import RULES
from .rules import broken

MEMORY_LIMIT = 256
LEASE_LIMIT = 60000
WIDEST = 0xFFFFFFFF
"""Registers of the reference machine have 4 bytes."""
FLAGS = {
    Kind.STEP: "trace",
    Kind.STEP_RANGE: "over",
    Kind.READ_REGISTERS: "what",
    Kind.PUSH_POLICY: "enabled",
}
"""Fields that are 0 or 1."""


def read(version: int, kind: int, body: bytes) -> Fields:
    """Version of the frame, kind, body, and the rules of its fields."""
    if version != VERSION and not broken("frame-version-ignored"):
        raise Refused(Code.FRAME_VERSION, 0 if broken("frame-version-without-detail") else version)
    if kind >= AGENT_KINDS:
        raise Refused(Code.UNKNOWN_KIND, kind) if broken("agent-kinds-unknown") else Refused(Code.UNEXPECTED)
    if kind not in KINDS:
        raise Refused(Code.UNKNOWN_KIND, 0 if broken("unknown-kind-without-detail") else kind)
    if broken("limits-before-malformed"):
        _check_limits(Kind(kind), decode_or_refuse(kind, body))
    fields = decode_or_refuse(kind, body)
    if not _values_are_known(Kind(kind), fields) and not broken("unknown-values-accepted"):
        raise Refused(Code.MALFORMED, kind)
    _check_limits(Kind(kind), fields)
    return fields


def decode_or_refuse(kind: int, body: bytes) -> Fields:
    """The fields of a body."""
    try:
        return decode(Kind(kind), body)
    except Malformed:
        raise Refused(Code.MALFORMED, 0 if broken("malformed-without-detail") else kind) from None


def _values_are_known(kind: Kind, fields: Fields) -> bool:
    if kind in FLAGS and fields[FLAGS[kind]] > 1:
        return False
    match kind:
        case Kind.HEARTBEAT:
            return fields["run"] <= 3
        case Kind.SET_WATCHPOINT:
            return fields["access"] in (1, 2, 3)
        case Kind.FORCE:
            length = len(fields["value"])
            safe = len(fields["safe"]) in (0, length) or broken("safe-of-any-length")
            return (1 <= length <= 16 or broken("forced-value-of-any-length")) and safe
        case Kind.WRITE_REGISTER:
            return fields["value"] <= WIDEST or broken("wide-register-value-accepted")
        case Kind.PUSH_POLICY:
            return all(rule["action"] <= 1 for rule in fields["rules"])
    return True


def _check_limits(kind: Kind, fields: Fields) -> None:
    for value, limit in _counts(kind, fields):
        zero = value == 0 and not broken("zero-counts-accepted")
        if zero or limit and value > limit and not broken("limits-ignored"):
            raise Refused(Code.LIMIT, 0 if broken("limit-without-detail") else limit)


def _counts(kind: Kind, fields: Fields) -> list[tuple[int, int]]:
    """Numbers that are 1 or more, and their limits; 0 where there is none."""
    match kind:
        case Kind.SET_WATCHPOINT:
            return [(fields["length"], 0)]
        case Kind.STEP | Kind.READ_AUDIT:
            return [(fields["count"], 0)]
        case Kind.READ_MEMORY:
            return [(fields["length"], MEMORY_LIMIT)]
        case Kind.WRITE_MEMORY:
            return [(len(fields["data"]), MEMORY_LIMIT)]
        case Kind.FORCE | Kind.RENEW:
            return [(fields["lease"], 0 if broken("lease-without-limit") else LEASE_LIMIT)]
        case Kind.PUSH_POLICY:
            return [(fields["version"], 0), (len(fields["rules"]) or 1, RULES)]
    return []


def _first_bytes(value: bytes) -> int:
    if broken("record-value-padded-in-front"):
        return int.from_bytes(value[:8], "big")
    return int.from_bytes(value[:8].ljust(8, b"\0"), "big")


def addr_and_value(kind: int, fields: Fields) -> tuple[int, int]:
    """What the audit log says of a command, as it was sent."""
    match kind:
        case Kind.FORCE:
            return fields["addr"], _first_bytes(fields["value"])
        case Kind.WRITE_MEMORY:
            return fields["addr"], _first_bytes(fields["data"])
        case Kind.WRITE_REGISTER:
            return fields["register"], fields["value"]
        case Kind.SET_AXIS:
            return fields["axis"], fields["position"] & 0xFFFFFFFFFFFFFFFF
        case Kind.STEP:
            return 0, fields["count"]
        case Kind.STEP_RANGE:
            return fields["first"], fields["last"]
        case Kind.PUSH_POLICY:
            return fields["version"], 0
        case Kind.RELEASE_AUDIT:
            return 0, fields["upto"]
    return fields.get("addr", 0), fields.get("id", 0)


def traps_bytes(kind: Kind, fields: Fields) -> int:
    """How many bytes of memory a command means; 0 if none."""
    match kind:
        case Kind.FORCE:
            return len(fields["value"])
        case Kind.WRITE_MEMORY:
            return len(fields["data"])
        case Kind.SET_WATCHPOINT:
            return int(fields["length"])
    return int(kind in reference.TRAPS)
