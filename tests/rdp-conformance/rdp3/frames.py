"""Debug frames: kinds, and the fields of each body (section 6)."""

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .rules import broken

MAGIC = 0x47444250
VERSION = 1
AGENT_KINDS = 0x80
_HEADER = struct.Struct(">IBB")

Fields = dict[str, Any]


class Kind(enum.IntEnum):
    """Kinds of frames (6.2)."""

    SET_BREAKPOINT = 0x01
    CLEAR_BREAKPOINT = 0x02
    LIST_BREAKPOINTS = 0x03
    SET_HARDWARE_BREAKPOINT = 0x04
    SET_SOFTWARE_BREAKPOINT = 0x05
    SET_WATCHPOINT = 0x06
    HALT = 0x10
    RESUME = 0x11
    STEP = 0x12
    STEP_RANGE = 0x13
    READ_REGISTERS = 0x18
    READ_MEMORY = 0x19
    FORCE = 0x1A
    RELEASE = 0x1B
    RENEW = 0x1C
    WRITE_MEMORY = 0x1D
    WRITE_REGISTER = 0x1E
    GET_STATUS = 0x28
    SET_AXIS = 0x29
    READ_AXES = 0x2A
    READ_PLC = 0x2B
    READ_CURSOR = 0x2C
    READ_AUDIT = 0x30
    READ_METRICS = 0x31
    PUSH_POLICY = 0x32
    LIST_VARIABLES = 0x33
    READ_MAP = 0x34
    RELEASE_AUDIT = 0x35
    HELLO = 0x40
    AGREE = 0x41
    HEARTBEAT = 0x42
    BYE = 0x43
    SEAL_RECORD = 0x44
    DONE = 0x80
    BREAKPOINT_SET = 0x81
    BREAKPOINTS = 0x83
    STOPPED = 0x92
    REGISTERS = 0x98
    MEMORY = 0x99
    STATUS = 0xA8
    AXES = 0xAA
    PLC = 0xAB
    CURSOR = 0xAC
    AUDIT = 0xB0
    METRICS = 0xB1
    VARIABLES = 0xB3
    MAP = 0xB4
    WELCOME = 0xC0
    STATE = 0xC1
    ERROR = 0xFF


class Code(enum.IntEnum):
    """Codes of Error (6.6)."""

    UNKNOWN_KIND = 1
    MALFORMED = 2
    UNSUPPORTED = 3
    UNEXPECTED = 4
    DENIED = 5
    BAD_TOKEN = 6
    NO_VERSION = 7
    STALE = 8
    DISORDERED = 9
    WRONG_STATE = 10
    UNMAPPED = 11
    READ_ONLY = 12
    NO_SLOT = 13
    INTERLOCK = 14
    AUDIT_FULL = 15
    DUPLICATE_ID = 16
    UNKNOWN_ID = 17
    WRONG_DEVICE = 18
    LIMIT = 19
    POLICY = 20
    BUSY = 21
    FATAL = 22
    STATE_MISMATCH = 23
    FRAME_VERSION = 24
    PROTECTED = 25
    NO_SEAL = 26
    STUCK = 27
    PROGRAM_CHANGED = 28
    AUDIT_MISMATCH = 29


class Run(enum.IntEnum):
    """Run states, as in Status (6.4)."""

    NONE = 0
    RUNNING = 1
    STOPPED = 2
    STEPPING = 3


class Reason(enum.IntEnum):
    """Reasons of Stopped (6.4)."""

    STEP = 1
    BREAKPOINT = 2
    WATCH = 3
    HALTED = 4
    FAULT = 5
    INTERLOCK = 6
    RESET = 7


class Malformed(ValueError):
    """A body that is not what its kind says."""


@dataclass(frozen=True)
class _Plain:
    """One number, or a fixed number of bytes."""

    name: str
    code: str


@dataclass(frozen=True)
class _Bytes:
    """As many bytes as a number before them says."""

    name: str
    code: str


@dataclass(frozen=True)
class _Rows:
    """As many rows as a number before them says."""

    name: str
    code: str
    fields: "Sequence[_Field]"


@dataclass(frozen=True)
class _Rest:
    """All that is left."""

    name: str


_Field = _Plain | _Bytes | _Rows | _Rest


def _plain(text: str) -> list[_Field]:
    return [_Plain(name, code) for name, code in (word.split(":") for word in text.split())]


_REQUEST = _plain("request:I")
_BREAKPOINT = _plain("addr:Q id:I")
_CURSOR = _plain("program:I line:I offset:I")
_AXES = _Rows("axes", "B", _plain("position:q"))
_SUITES = _Rows("suites", "B", _plain("suite:H"))
_VALUES = [*_plain("capture:I mask:Q"), _Rest("values")]
RECORD = _plain(
    "version:B index:I boot:I session:I sequence:I time:I uptime:Q operator:8s suite:H"
    " kind:B cause:B verdict:H count:H addr:Q value:Q"
)
"""Fields of an audit record (6.5)."""
RECORD_SIZE = 61

BODIES: dict[Kind, Sequence[_Field]] = {
    Kind.SET_BREAKPOINT: _BREAKPOINT,
    Kind.CLEAR_BREAKPOINT: _BREAKPOINT,
    Kind.LIST_BREAKPOINTS: _BREAKPOINT,
    Kind.SET_HARDWARE_BREAKPOINT: _BREAKPOINT,
    Kind.SET_SOFTWARE_BREAKPOINT: _BREAKPOINT,
    Kind.SET_WATCHPOINT: _plain("addr:Q id:I length:I access:B"),
    Kind.HALT: [],
    Kind.RESUME: [],
    Kind.STEP: _plain("count:I trace:B"),
    Kind.STEP_RANGE: _plain("first:Q last:Q over:B"),
    Kind.READ_REGISTERS: _plain("what:B"),
    Kind.READ_MEMORY: _plain("addr:Q length:H"),
    Kind.FORCE: [*_plain("addr:Q lease:I fingerprint:16s"), _Bytes("value", "B"), _Bytes("safe", "B")],
    Kind.RELEASE: _plain("addr:Q fingerprint:16s"),
    Kind.RENEW: _plain("addr:Q lease:I fingerprint:16s"),
    Kind.WRITE_MEMORY: [*_plain("addr:Q fingerprint:16s"), _Bytes("data", "H")],
    Kind.WRITE_REGISTER: _plain("register:B value:Q fingerprint:16s"),
    Kind.GET_STATUS: [],
    Kind.SET_AXIS: _plain("axis:B position:q fingerprint:16s"),
    Kind.READ_AXES: [],
    Kind.READ_PLC: _plain("first:H count:H"),
    Kind.READ_CURSOR: [],
    Kind.READ_AUDIT: _plain("first:I count:B"),
    Kind.READ_METRICS: [],
    Kind.PUSH_POLICY: [
        *_plain("version:I replaces:I enabled:B"),
        _Rows("rules", "B", _plain("first:Q last:Q action:B")),
    ],
    Kind.LIST_VARIABLES: _plain("first:H"),
    Kind.READ_MAP: _plain("first:H"),
    Kind.RELEASE_AUDIT: _plain("upto:I crc:I"),
    Kind.HELLO: [*_plain("lowest:B highest:B nonce:16s longest:H"), _SUITES, _Bytes("token", "H")],
    Kind.AGREE: _plain("digest:I"),
    Kind.HEARTBEAT: _plain("run:B challenge:I"),
    Kind.BYE: _plain("reason:B"),
    Kind.SEAL_RECORD: [*_plain("suite:H"), _Rest("record")],
    Kind.DONE: _REQUEST,
    Kind.BREAKPOINT_SET: _plain("request:I id:I slot:H"),
    Kind.BREAKPOINTS: [*_plain("request:I more:B"), _Rows("breakpoints", "B", _plain("id:I addr:Q trap:B hits:I"))],
    Kind.STOPPED: [*_plain("request:I reason:B more:B axes:B detail:Q"), *_VALUES],
    Kind.REGISTERS: [*_REQUEST, *_VALUES],
    Kind.MEMORY: [*_plain("request:I addr:Q"), _Bytes("data", "H")],
    Kind.STATUS: _plain(
        "request:I run:B breakpoints:H forces:H steps:I policy:I enabled:B modified:B stuck:B last:B uptime:I"
    ),
    Kind.AXES: [*_REQUEST, _AXES],
    Kind.PLC: [*_plain("request:I first:H"), _Rows("registers", "H", _plain("value:H"))],
    Kind.CURSOR: [*_REQUEST, *_CURSOR],
    Kind.AUDIT: [*_plain("request:I oldest:I next:I lost:I"), _Rows("records", "B", RECORD)],
    Kind.METRICS: [*_REQUEST, _Rows("metrics", "B", _plain("metric:H value:I"))],
    Kind.VARIABLES: [
        *_plain("request:I generation:I total:H"),
        _Rows("variables", "B", [*_plain("addr:Q type:B length:B flags:B"), _Bytes("name", "B")]),
    ],
    Kind.MAP: [*_plain("request:I total:H"), _Rows("regions", "B", _plain("first:Q last:Q class:B"))],
    Kind.WELCOME: [
        *_plain("version:B host_nonce:16s device_nonce:16s fingerprint:16s architecture:H registers:B axes:B"),
        *_plain("capabilities:I generation:I longest:H credit:B breakpoints:H memory:H forces:B rules:B lease:I"),
        *_plain("interval:H loss:H tolerance:H stall:H halt:B trap:B end:B authority:B expires:I boot:I"),
        *_plain("records:B log:B lost:I lifecycle:B suite:H"),
        _SUITES,
        _Bytes("name", "B"),
    ],
    Kind.STATE: [
        *_plain("run:B"),
        _AXES,
        _Rows("plc", "B", _plain("value:H")),
        *_CURSOR,
        *_plain("modified:B stuck:B last:B last_detail:Q cause:B"),
        _Rows("ended", "B", _plain("addr:Q")),
    ],
    Kind.ERROR: _plain("request:I code:H detail:I"),
}

KINDS = frozenset(Kind)


def split(frame: bytes) -> tuple[int, int, int, bytes]:
    """A frame's magic, version, kind and body."""
    return *_HEADER.unpack_from(frame), frame[_HEADER.size :]


def body(kind: Kind, fields: Fields) -> bytes:
    """The bytes of a body."""
    return _encode(BODIES[kind], fields)


def frame(kind: Kind, body: bytes) -> bytes:
    """A debug frame."""
    return _HEADER.pack(MAGIC, VERSION, kind) + body


def decode(kind: Kind, data: bytes) -> Fields:
    """Reads a body, which has exactly the length that its fields have."""
    fields, at = _decode(BODIES[kind], data, 0)
    if at != len(data) and not broken("trailing-bytes-accepted"):
        raise Malformed
    return fields


def _encode(spec: Sequence[_Field], fields: Fields) -> bytes:
    out = bytearray()
    for field in spec:
        value = fields[field.name]
        if isinstance(field, _Plain):
            out += struct.pack(">" + field.code, value)
        elif isinstance(field, _Rest):
            out += value
        else:
            out += struct.pack(">" + field.code, len(value))
            out += value if isinstance(field, _Bytes) else b"".join(_encode(field.fields, row) for row in value)
    return bytes(out)


def _decode(spec: Sequence[_Field], data: bytes, at: int) -> tuple[Fields, int]:
    fields: Fields = {}
    for field in spec:
        if isinstance(field, _Rest):
            fields[field.name], at = data[at:], len(data)
            continue
        value, at = _take(field.code, data, at)
        if isinstance(field, _Bytes):
            value, at = _take(f"{value}s", data, at)
        elif isinstance(field, _Rows):
            rows = []
            for _ in range(value):
                row, at = _decode(field.fields, data, at)
                rows.append(row)
            value = rows
        fields[field.name] = value
    return fields, at


def _take(code: str, data: bytes, at: int) -> tuple[Any, int]:
    try:
        (value,) = struct.unpack_from(">" + code, data, at)
    except struct.error:
        raise Malformed from None
    return value, at + struct.calcsize(">" + code)


def encode_record(record: Fields) -> bytes:
    """The 61 bytes of an audit record (6.5)."""
    return _encode(RECORD, record)
