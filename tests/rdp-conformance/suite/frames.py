"""Debug frames: SPEC 6 and 7, of architecture 1."""

import struct

# A field is NAME:FORM. FORM is a struct code; b and h bytes with their u8 or u16 length before them; v the values of
# a mask; r what is left. NAME*COUNT:COLUMNS is a list with its count before it.
RECORD = ("version:B,index:I,boot:I,session:I,sequence:I,time:I,uptime:Q,operator:8s,suite:H,kind:B,cause:B,"
          "verdict:H,count:H,addr:Q,value:Q")
KINDS = {
    "SetBreakpoint": (0x01, "addr:Q id:I"), "ClearBreakpoint": (0x02, "addr:Q id:I"),
    "ListBreakpoints": (0x03, "addr:Q id:I"), "SetHardwareBreakpoint": (0x04, "addr:Q id:I"),
    "SetSoftwareBreakpoint": (0x05, "addr:Q id:I"), "SetWatchpoint": (0x06, "addr:Q id:I length:I access:B"),
    "Halt": (0x10, ""), "Resume": (0x11, ""), "Step": (0x12, "count:I trace:B"),
    "StepRange": (0x13, "first:Q last:Q over:B"), "ReadRegisters": (0x18, "what:B"),
    "ReadMemory": (0x19, "addr:Q length:H"), "Force": (0x1A, "addr:Q lease:I fingerprint:16s value:b safe:b"),
    "Release": (0x1B, "addr:Q fingerprint:16s"), "Renew": (0x1C, "addr:Q lease:I fingerprint:16s"),
    "WriteMemory": (0x1D, "addr:Q fingerprint:16s data:h"),
    "WriteRegister": (0x1E, "register:B value:Q fingerprint:16s"), "GetStatus": (0x28, ""),
    "SetAxis": (0x29, "axis:B position:q fingerprint:16s"), "ReadAxes": (0x2A, ""),
    "ReadPlc": (0x2B, "first:H count:H"),
    "ReadCursor": (0x2C, ""), "ReadAudit": (0x30, "from:I count:B"), "ReadMetrics": (0x31, ""),
    "PushPolicy": (0x32, "version:I replaces:I enabled:B rules*B:first:Q,last:Q,action:B"),
    "ListVariables": (0x33, "from:H"), "ReadMap": (0x34, "from:H"), "ReleaseAudit": (0x35, "upto:I crc:I"),
    "Hello": (0x40, "lowest_version:B highest_version:B host_nonce:16s longest_message:H suites*B::H token:h"),
    "Agree": (0x41, "crc:I"), "Heartbeat": (0x42, "run_state:B challenge:I"), "Bye": (0x43, "reason:B"),
    "SealRecord": (0x44, "suite:H record:r"),
    "Done": (0x80, "request:I"), "BreakpointSet": (0x81, "request:I id:I slot:H"),
    "Breakpoints": (0x83, "request:I more:B breakpoints*B:id:I,addr:Q,trap:B,hits:I"),
    "Stopped": (0x92, "request:I reason:B more:B axes:B detail:Q capture:I mask:Q values:v"),
    "Registers": (0x98, "request:I capture:I mask:Q values:v"), "Memory": (0x99, "request:I addr:Q data:h"),
    "Status": (0xA8, "request:I run_state:B breakpoints:H forces:H steps_left:I policy_version:I policy_enabled:B "
                     "modified:B stuck:B last_reason:B uptime:I"),
    "Axes": (0xAA, "request:I positions*B::q"), "Plc": (0xAB, "request:I first:H registers*H::H"),
    "Cursor": (0xAC, "request:I program:I line:I offset:I"),
    "Audit": (0xB0, "request:I oldest:I next:I lost:I records*B:" + RECORD),
    "Metrics": (0xB1, "request:I metrics*B:metric:H,value:I"),
    "Variables": (0xB3, "request:I generation:I total:H variables*B:addr:Q,type:B,length:B,flags:B,name:b"),
    "Map": (0xB4, "request:I total:H regions*B:first:Q,last:Q,class:B"),
    "Welcome": (0xC0, "version:B host_nonce:16s device_nonce:16s fingerprint:16s architecture:H registers:B axes:B "
                      "capabilities:I generation:I longest_message:H credit:B breakpoints:H read_memory:H forces:B "
                      "policy_rules:B longest_lease:I heartbeat:H loss:H tolerance:H stall:H halt:B trap:B on_loss:B "
                      "authority:B expires:I boot:I audit_version:B audit:B audit_lost:I lifecycle:B suite:H "
                      "suites*B::H name:b"),
    "State": (0xC1, "run_state:B axes*B::q plc*B::H program:I line:I offset:I modified:B stuck:B last_reason:B "
                    "last_detail:Q cause:B ended*B::Q"),
    "Error": (0xFF, "request:I code:H detail:I"),
}
NUMBER = {name: number for name, (number, _) in KINDS.items()}
NAME = {number: name for name, number in NUMBER.items()}
REGISTERS = [f"r{i}" for i in range(13)] + ["sp", "lr", "pc", "xpsr"]
ANSWERS = {
    "SetBreakpoint": "BreakpointSet", "ClearBreakpoint": "Done", "ListBreakpoints": "Breakpoints",
    "SetHardwareBreakpoint": "BreakpointSet", "SetSoftwareBreakpoint": "BreakpointSet",
    "SetWatchpoint": "BreakpointSet", "Halt": "Done", "Resume": "Done", "Step": "Done", "StepRange": "Done",
    "ReadRegisters": "Registers", "ReadMemory": "Memory", "Force": "Done", "Release": "Done", "Renew": "Done",
    "WriteMemory": "Done", "WriteRegister": "Done", "GetStatus": "Status", "SetAxis": "Done", "ReadAxes": "Axes",
    "ReadPlc": "Plc", "ReadCursor": "Cursor", "ReadAudit": "Audit", "ReadMetrics": "Metrics", "PushPolicy": "Done",
    "ListVariables": "Variables", "ReadMap": "Map", "ReleaseAudit": "Done"}
SIGNAL = ("Hello", "Agree", "SealRecord", "Heartbeat", "Bye", "Halt", "Release", "Welcome", "State", "Stopped")


class Malformed(Exception):
    pass


def channel_of(name):
    """SPEC 5.6, of what is not an answer."""
    return 0 if name in SIGNAL else 1


def frame(kind, body=b"", magic=b"GDBP", version=1):
    return magic + bytes([version, kind]) + body


def _items(text):
    for part in text.split():
        name, _, form = part.partition(":")
        yield name, form


def _put(form, value):
    if form in "bh":
        return struct.pack(">B" if form == "b" else ">H", len(value)) + value
    return value if form in "vr" else struct.pack(">" + form, value)


def encode(name, /, **fields):
    """A whole debug frame."""
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
                    out += _put(code, row[column] if column else row)
        else:
            out += _put(form, fields.pop(field))
    if fields:
        raise TypeError(f"{name} has no {', '.join(fields)}")
    return frame(kind, out)


class _Reader:
    def __init__(self, name, raw):
        self.name, self.raw, self.at = name, raw, 6

    def take(self, form, fields=None):
        if form in "bh":
            return self.take(f"{self.take('B' if form == 'b' else 'H')}s")
        if form == "r":
            return self.take(f"{len(self.raw) - self.at}s")
        if form == "v":
            if fields["mask"] >> len(REGISTERS):
                raise Malformed(self.name + ": mask beyond the registers")
            return self.take(f"{4 * fields['mask'].bit_count()}s")
        size = struct.calcsize(">" + form)
        if self.at + size > len(self.raw):
            raise Malformed(self.name + " is too short")
        self.at += size
        return struct.unpack(">" + form, self.raw[self.at - size:self.at])[0]


def decode(raw):
    """(name, fields) of a whole debug frame. Raises Malformed."""
    if len(raw) < 6 or raw[:4] != b"GDBP" or raw[4] != 1 or raw[5] not in NAME:
        raise Malformed("header " + raw[:6].hex())
    name, out = NAME[raw[5]], {}
    reader = _Reader(name, raw)
    for field, form in _items(KINDS[name][1]):
        if "*" in field:
            field, count = field.split("*")
            columns = [c.split(":") for c in form.split(",")]
            row = (lambda: {c: reader.take(code) for c, code in columns}) if columns[0][0] else \
                (lambda: reader.take(columns[0][1]))
            out[field] = [row() for _ in range(reader.take(count))]
        else:
            out[field] = reader.take(form, out)
    if reader.at != len(raw):
        raise Malformed(name + " is too long")
    return name, out


def record_bytes(record):
    """The 61 bytes of SPEC 6.5."""
    return b"".join(struct.pack(">" + code, record[name]) for name, code in (c.split(":") for c in RECORD.split(",")))


def registers_of(fields):
    """Names and values of Registers and Stopped."""
    chosen = [i for i in range(len(REGISTERS)) if fields["mask"] >> i & 1]
    return {REGISTERS[i]: int.from_bytes(fields["values"][4 * k:4 * k + 4], "big") for k, i in enumerate(chosen)}


def values_of(registers):
    """mask and values from names."""
    mask = sum(1 << REGISTERS.index(n) for n in registers)
    names = sorted(registers, key=REGISTERS.index)
    return {"mask": mask, "values": b"".join(struct.pack(">I", registers[n]) for n in names)}


def show(fields):
    return "{" + ", ".join(f"{k}: {v.hex() if isinstance(v, bytes) else v}" for k, v in fields.items()) + "}"
