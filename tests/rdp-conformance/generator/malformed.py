"""frames.json: what is valid, and what is not; SPEC 6.2, 8.1, 10."""

from struct import pack as p

from .build import HOST, PRINT, frame
from .frames import NAMES, TOP, instances, welcome_body


class Bad:
    """Malformed frames, and what an agent may answer to them."""

    def __init__(self):
        self.entries = []

    def add(self, name, raw, what, codes=None, detail=None, side=None):
        kind = raw[5] if len(raw) > 5 else 0
        side = side or ("agent" if kind >= 0x80 else "host")
        entry = {"name": name, "from": side, "frame": raw.hex(), "effect": what}
        if side == "host" and codes:
            entry["codes"] = codes
            if detail is not None:
                entry["detail"] = detail
        self.entries.append(entry)

    def malformed(self, name, kind, body, codes=(2,)):
        self.add(f"{NAMES[kind]}: {name}", frame(kind, body), "malformed", list(codes),
                 kind if tuple(codes) == (2,) else None)

    def limit(self, name, kind, body, detail=None, codes=(19,)):
        self.add(f"{NAMES[kind]}: {name}", frame(kind, body), "limit", list(codes), detail)


def make_frames():
    valid, bad, chosen = [], Bad(), {}
    for kind, name, body, fields in instances():
        side = "both" if kind in (0x42, 0x43, 0x44) else "host" if kind < 0x80 else "agent"
        valid.append({"name": f"{NAMES[kind]}: {name}", "kind": kind, "from": side, "frame": frame(kind, body).hex(),
                      "fields": fields})
        if kind not in chosen or len(body) > len(chosen[kind]) and len(body) < 300:
            chosen[kind] = body
    assert chosen.keys() == NAMES.keys()
    for kind, body in chosen.items():
        if kind == 0x44:
            continue  # its record goes to the frame's end
        if body:
            bad.malformed("one byte short", kind, body[:-1])
            if len(body) > 1:
                bad.malformed("no body", kind, b"")
        bad.malformed("one byte more", kind, body + b"\0")
    of_requests(bad)
    of_answers(bad)
    headers(bad, chosen)
    return {"valid": valid, "malformed": bad.entries}


def of_requests(bad):
    for access in (0, 4, 255):
        bad.malformed(f"access {access}", 6, p(">QIIB", 0x20000010, 9, 4, access))
    bad.limit("length 0", 6, p(">QIIB", 0x20000010, 9, 0, 2), 0)
    bad.malformed("trace 2", 0x12, p(">IB", 1, 2))
    bad.limit("count 0", 0x12, p(">IB", 0, 0), 0)
    bad.malformed("trace 2 and count 0", 0x12, p(">IB", 0, 2))
    bad.malformed("over 2", 0x13, p(">QQB", 0x20000100, 0x20000107, 2))
    bad.malformed("what 2", 0x18, b"\x02")
    bad.limit("length 0", 0x19, p(">QH", 0x20000000, 0), 256)
    bad.limit("length 257", 0x19, p(">QH", 0x20000000, 257), 256)
    bad.limit("length 65535", 0x19, p(">QH", 0x20000000, 65535), 256)
    force = lambda length, lease=1000: p(">QI16sB", 0x20000020, lease, PRINT, length)
    bad.malformed("no bytes", 0x1A, force(0) + b"\0")
    bad.malformed("17 bytes", 0x1A, force(17) + bytes(17) + b"\0")
    bad.malformed("length 3 with 4 bytes", 0x1A, force(3) + b"\1\1\1\1" + b"\0")
    bad.malformed("length 5 with 4 bytes", 0x1A, force(5) + b"\1\1\1\1" + b"\0")
    bad.malformed("no safe length", 0x1A, force(4) + b"\1\1\1\1")
    bad.malformed("safe value shorter than the value", 0x1A, force(4) + b"\1\1\1\1" + b"\3\1\1\1")
    bad.malformed("safe value longer than the value", 0x1A, force(4) + b"\1\1\1\1" + b"\5\1\1\1\1\1")
    bad.malformed("safe length 4 with 3 bytes", 0x1A, force(4) + b"\1\1\1\1" + b"\4\1\1\1")
    bad.limit("lease 0", 0x1A, force(4, 0) + bytes(4) + b"\0", 60000)
    bad.limit("lease 60001", 0x1A, force(4, 60001) + bytes(4) + b"\0", 60000)
    bad.limit("lease 4294967295", 0x1A, force(4, 0xFFFFFFFF) + bytes(4) + b"\0", 60000)
    bad.limit("lease 0", 0x1C, p(">QI16s", 0x20000020, 0, PRINT), 60000)
    bad.limit("lease 60001", 0x1C, p(">QI16s", 0x20000020, 60001, PRINT), 60000)
    write = lambda length: p(">Q16sH", 0x20000080, PRINT, length)
    bad.limit("length 0", 0x1D, write(0), 256)
    bad.limit("length 257", 0x1D, write(257) + bytes(257), 256)
    bad.malformed("length 3 with 4 bytes", 0x1D, write(3) + bytes(4))
    bad.malformed("length 5 with 4 bytes", 0x1D, write(5) + bytes(4))
    bad.limit("count 0", 0x30, p(">IB", 0, 0), 0)
    rule = p(">QQB", 0x20000100, 0x2000010F, 0)
    policy = lambda enabled, count, version=1: p(">IIBB", version, 0, enabled, count)
    bad.limit("version 0", 0x32, policy(1, 1, 0) + rule, 0)
    bad.malformed("enabled 2", 0x32, policy(2, 1) + rule)
    bad.malformed("action 2", 0x32, policy(1, 1) + p(">QQB", 0, 1, 2))
    bad.malformed("action 2 in the second rule", 0x32, policy(1, 2) + rule + p(">QQB", 0, 1, 2))
    bad.malformed("count 2 with one rule", 0x32, policy(1, 2) + rule)
    bad.malformed("count 0 with one rule", 0x32, policy(1, 0) + rule)
    bad.limit("17 rules", 0x32, policy(1, 17) + rule * 17, 16)
    hello = lambda suites, length: p(">BB16sH", 3, 3, HOST, 512) + suites + p(">H", length)
    bad.malformed("token length 8 with 7 bytes", 0x40, hello(b"\1\0\0", 8) + bytes(7))
    bad.malformed("token length 8 with 9 bytes", 0x40, hello(b"\1\0\0", 8) + bytes(9))
    bad.malformed("2 suites, one there", 0x40, hello(b"\2\0\0", 8) + bytes(8))
    bad.limit("token of 385 bytes", 0x40, hello(b"\1\0\0", 385) + bytes(385), 384, codes=(4, 19))
    bad.malformed("one byte", 0x44, b"\0")
    bad.malformed("no body", 0x44, b"")


def of_answers(bad):
    bad.malformed("count 2 with one", 0x83, p(">IBB", 5, 0, 2) + p(">IQBI", 1, 2, 0, 3))
    bad.malformed("count 0 with one", 0x83, p(">IBB", 5, 0, 0) + p(">IQBI", 1, 2, 0, 3))
    bad.malformed("value without its bit", 0x92, p(">IBBBQIQ", 6, 4, 0, 0, 0, 3, 1 << 15) + p(">II", 1, 2))
    bad.malformed("bit without its value", 0x92, p(">IBBBQIQ", 6, 4, 0, 0, 0, 3, 3 << 15) + p(">I", 1))
    bad.malformed("bit beyond the registers", 0x98, p(">IIQ", 7, 1, 1 << 17) + p(">I", 1))
    bad.malformed("length 4 with 5 bytes", 0x99, p(">IQH", 8, 0x20000000, 4) + bytes(5))
    bad.malformed("length 6 with 5 bytes", 0x99, p(">IQH", 8, 0x20000000, 6) + bytes(5))
    bad.malformed("count 2 with three", 0xAA, p(">IBqqq", 10, 2, 1, 2, 3))
    bad.malformed("count 9 with eight", 0xAB, p(">IHH8H", 11, 0, 9, *range(8)))
    bad.malformed("count 1 with none", 0xB0, p(">IIIIB", 13, 0, 1, 0, 1))
    bad.malformed("count 2 with one", 0xB1, p(">IBHI", 14, 2, 1, 1))
    variable = p(">QBBBB", 0x20000010, 1, 4, 0, 6)
    bad.malformed("count 2 with one", 0xB3, p(">IIHB", 16, 1, 2, 2) + variable + b"cycles")
    bad.malformed("name longer than what is there", 0xB3, p(">IIHB", 16, 1, 1, 1) + variable + b"cycle")
    bad.malformed("name shorter than what is there", 0xB3, p(">IIHB", 16, 1, 1, 1) + variable + b"cycles!")
    bad.malformed("name of 33 bytes", 0xB3, p(">IIHB", 16, 1, 1, 1) + p(">QBBBB", 0, 1, 4, 0, 33) + b"x" * 33)
    bad.malformed("count 2 with one", 0xB4, p(">IHB", 17, 2, 2) + p(">QQB", 0, TOP, 0))
    bad.malformed("name of 33 bytes", 0xC0, welcome_body(b"x" * 33))
    bad.malformed("name length 9 with 8 bytes", 0xC0, welcome_body()[:-1])
    few = welcome_body(b"", suites=(0,))
    bad.malformed("2 suites, one there", 0xC0, few[:-4] + b"\2" + few[-3:])
    tail = p(">IIIBBBQBB", 1, 2, 3, 0, 0, 0, 0, 0, 0)
    bad.malformed("axes 2 with 3", 0xC1, p(">BBqqqB", 1, 2, 1, 2, 3, 0) + tail)
    bad.malformed("PLC 33", 0xC1, p(">BBB33H", 1, 0, 33, *range(33)) + tail)
    bad.malformed("axes 17", 0xC1, p(">BB17qB", 1, 17, *range(17), 0) + tail)
    bad.malformed("one force, none there", 0xC1, p(">BBB", 1, 0, 0) + tail[:-1] + b"\1")


def headers(bad, chosen):
    for kind in (0x00, 0x07, 0x0F, 0x14, 0x17, 0x1F, 0x2D, 0x36, 0x3F, 0x45, 0x7F):
        bad.add(f"kind 0x{kind:02X}", frame(kind), "unknown", [1], kind)
    bad.add("kind 0x07 with a body", frame(7, bytes(12)), "unknown", [1], 7)
    for kind in (0x82, 0x90, 0xC2, 0xFE):
        bad.add(f"kind 0x{kind:02X}", frame(kind), "unknown", side="agent")
    for kind in (0x80, 0x81, 0xA8, 0xB3, 0xFF):
        bad.add(f"{NAMES[kind]} from the host", frame(kind, chosen[kind]), "unexpected", [4], None, "host")
    for version in (0, 2, 255):
        bad.add(f"version {version}", frame(0x28, version=version), "version", [24], version)
        bad.add(f"version {version}, unknown kind", frame(0x7F, version=version), "version", [24], version)
    bad.add("version 2, wrong body", frame(0x11, b"\0", version=2), "version", [24], 2)
    for magic in (b"GDBQ", b"PBDG", b"gdbp", b"GDB3", bytes(4)):
        bad.add(f"magic {magic.hex()}", frame(0x28, magic=magic), "integrity")
        bad.add(f"magic {magic.hex()} from the agent", frame(0x80, bytes(4), magic=magic), "integrity", side="agent")
    bad.add("wrong magic before wrong version", frame(0x28, magic=b"XXXX", version=9), "integrity")
    bad.add("5 bytes", frame(0x28)[:5], "integrity", side="host")
    bad.add("no bytes", b"", "integrity", side="host")
    bad.add("5 bytes from the agent", frame(0x80)[:5], "integrity", side="agent")
