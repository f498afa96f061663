"""Checks, packets, stream framing, debug frames: SPEC 2.2, 3, 5.1, 5.4, 6."""

import struct
import zlib
from collections import namedtuple

DATA, ACK, OPEN, ACCEPT, RESET, PROBE = range(1, 7)


def _table(poly):
    out = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ poly if i & 1 else i >> 1
        out.append(i)
    return out


_C = _table(0x82F63B78)
_X = []
for _i in range(256):
    _v = _i << 8
    for _ in range(8):
        _v = (_v << 1 ^ 0x1021 if _v & 0x8000 else _v << 1) & 0xFFFF
    _X.append(_v)


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ _X[crc >> 8 ^ byte]
    return crc


def crc32(data):
    return zlib.crc32(data)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _C[crc & 0xFF ^ byte]
    return crc ^ 0xFFFFFFFF


def packet(kind, connection, position, payload=b"", flags=0, length=None, check=None, crc=None):
    head = struct.pack(">BBHIH", kind, flags, connection, position & 0xFFFFFFFF, len(payload) if length is None else length)
    head += struct.pack(">H", crc16(head) if check is None else check)
    return head + payload + struct.pack(">I", crc32(head + payload) if crc is None else crc)


def framed(raw, length=None):
    return struct.pack(">H", len(raw) if length is None else length) + raw


ACK_FIELDS = ("expected0", "window0", "expected1", "window1", "bulk_intact", "bulk_header", "bulk_crc", "nack", "signal_failures")


class Packet(namedtuple("Packet", "t kind flags connection position payload")):
    @property
    def channel(self):
        return self.flags & 1

    @property
    def count(self):
        return self.flags >> 4

    @property
    def end(self):
        return self.position + len(self.payload)

    @property
    def ack(self):
        return dict(zip(ACK_FIELDS, struct.unpack(">IHIHHHHBH", self.payload[:21])))


def parse(raw, t=0.0):
    """A packet, or the name of what is wrong."""
    if len(raw) < 16:
        return "Frame"
    kind, flags, connection, position, length, check = struct.unpack(">BBHIHH", raw[:12])
    if crc16(raw[:10]) != check:
        return "Header"
    if length != len(raw) - 16:
        return "Length"
    if crc32(raw[:-4]) != int.from_bytes(raw[-4:], "big"):
        return "Crc"
    return Packet(t, kind, flags, connection, position, raw[12:-4])


def tag(host, device, direction, header, frame):
    return struct.pack(">I", crc32c(host + device + bytes([direction]) + header + frame))


# -- debug frames -----------------------------------------------------------------------------------------------------

class Malformed(Exception):
    pass


KINDS = {
    "SetBreakpoint": (0x01, "addr:Q id:I"), "ClearBreakpoint": (0x02, "addr:Q id:I"), "ListBreakpoints": (0x03, "addr:Q id:I"),
    "SetHardwareBreakpoint": (0x04, "addr:Q id:I"), "SetSoftwareBreakpoint": (0x05, "addr:Q id:I"),
    "SetWatchpoint": (0x06, "addr:Q id:I length:I access:B"), "Halt": (0x10, ""), "Resume": (0x11, ""), "Step": (0x12, "count:I trace:B"),
    "ReadRegisters": (0x18, "what:B"), "ReadMemory": (0x19, "addr:Q length:H"), "Force": (0x1A, "addr:Q lease:I fingerprint:16s value:b"),
    "Release": (0x1B, "addr:Q fingerprint:16s"), "GetStatus": (0x28, ""), "SetAxis": (0x29, "axis:B position:q fingerprint:16s"),
    "ReadAxes": (0x2A, ""), "ReadPlc": (0x2B, "first:H count:H"), "ReadCursor": (0x2C, ""), "ReadAudit": (0x30, "from:I count:B"),
    "ReadMetrics": (0x31, ""), "PushPolicy": (0x32, "version:I enabled:B rules*B:first:Q,last:Q,action:B"),
    "Hello": (0x40, "lowest_version:B highest_version:B host_nonce:16s longest_message:H token:h"), "Agree": (0x41, "crc:I"),
    "Heartbeat": (0x42, "run_state:B"), "Bye": (0x43, "reason:B"),
    "Done": (0x80, "request:I"), "BreakpointSet": (0x81, "request:I id:I slot:H"),
    "Breakpoints": (0x83, "request:I more:B breakpoints*B:id:I,addr:Q,trap:B,hits:I"),
    "Stopped": (0x92, "request:I reason:B more:B detail:Q capture:I mask:Q values:v"), "Registers": (0x98, "request:I capture:I mask:Q values:v"),
    "Memory": (0x99, "request:I addr:Q data:h"),
    "Status": (0xA8, "request:I run_state:B breakpoints:H forces:H steps_left:I policy_version:I policy_enabled:B uptime:I"),
    "Axes": (0xAA, "request:I positions*B::q"), "Plc": (0xAB, "request:I first:H registers*H::H"),
    "Cursor": (0xAC, "request:I program:I line:I offset:I"),
    "Audit": (0xB0, "request:I oldest:I next:I records*B:index:I,session:I,sequence:I,time:I,uptime:I,operator:8s,kind:B,verdict:H,addr:Q,value:Q"),
    "Metrics": (0xB1, "request:I metrics*B:metric:H,value:I"),
    "Welcome": (0xC0, "version:B host_nonce:16s device_nonce:16s fingerprint:16s architecture:H registers:B axes:B capabilities:I longest_message:H "
                "breakpoints:H read_memory:H forces:B policy_rules:B heartbeat:H loss:H tolerance:H authority:B name:b"),
    "State": (0xC1, "run_state:B axes*B::q plc*B::H program:I line:I offset:I"), "Error": (0xFF, "request:I code:H detail:I"),
}
NUMBER = {name: number for name, (number, _) in KINDS.items()}
NAME = {number: name for name, number in NUMBER.items()}
REGISTERS = [f"r{i}" for i in range(13)] + ["sp", "lr", "pc", "xpsr"]


def frame(kind, body=b"", magic=b"GDBP", version=1):
    return magic + bytes([version, kind]) + body


def _items(text):
    for part in text.split():
        name, _, form = part.partition(":")
        yield name, form


def encode(name, /, **fields):
    """A whole debug frame of Cortex-M."""
    kind, text = KINDS[name]
    out = b""
    for field, form in _items(text):
        if "*" in field:
            field, count = field.split("*")
            rows = fields.pop(field)
            out += struct.pack(">" + count, len(rows))
            columns = [c.split(":") for c in form.split(",")]
            for row in rows:
                for column, code in columns:
                    out += struct.pack(">" + code, row[column] if column else row)
        elif form in "bh":
            value = fields.pop(field)
            out += struct.pack(">B" if form == "b" else ">H", len(value)) + value
        elif form == "v":
            out += fields.pop(field)
        else:
            out += struct.pack(">" + form, fields.pop(field))
    if fields:
        raise TypeError(f"{name} has no {', '.join(fields)}")
    return frame(kind, out)


def decode(raw):
    """(name, fields) of a whole debug frame. Raises Malformed."""
    if len(raw) < 6 or raw[:4] != b"GDBP" or raw[4] != 1 or raw[5] not in NAME:
        raise Malformed("header " + raw[:6].hex())
    name, at, out = NAME[raw[5]], 6, {}

    def take(code):
        nonlocal at
        size = struct.calcsize(">" + code)
        if at + size > len(raw):
            raise Malformed(name + " is too short")
        at += size
        return struct.unpack(">" + code, raw[at - size:at])[0]
    for field, form in _items(KINDS[name][1]):
        if "*" in field:
            field, count = field.split("*")
            columns = [c.split(":") for c in form.split(",")]
            out[field] = [{c: take(code) for c, code in columns} if columns[0][0] else take(columns[0][1]) for _ in range(take(count))]
        elif form in "bh":
            out[field] = take(f"{take('B' if form == 'b' else 'H')}s")
        elif form == "v":
            if out["mask"] >> len(REGISTERS):
                raise Malformed(name + ": mask beyond the registers")
            out[field] = take(f"{4 * out['mask'].bit_count()}s")
        else:
            out[field] = take(form)
    if at != len(raw):
        raise Malformed(name + " is too long")
    return name, out


def registers_of(fields):
    """Names and values of Registers and Stopped."""
    chosen = [i for i in range(len(REGISTERS)) if fields["mask"] >> i & 1]
    return {REGISTERS[i]: int.from_bytes(fields["values"][4 * k:4 * k + 4], "big") for k, i in enumerate(chosen)}


def values_of(registers):
    """mask and values from names."""
    mask = sum(1 << REGISTERS.index(n) for n in registers)
    return {"mask": mask, "values": b"".join(struct.pack(">I", registers[n]) for n in sorted(registers, key=REGISTERS.index))}
