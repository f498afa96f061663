"""Bodies of all kinds: SPEC 6.1 to 6.5. They are written out field by field, not derived from a table."""

from struct import pack as p

from .build import DEVICE, HOST, PRINT

NAMES = {
    0x01: "SetBreakpoint", 0x02: "ClearBreakpoint", 0x03: "ListBreakpoints", 0x04: "SetHardwareBreakpoint",
    0x05: "SetSoftwareBreakpoint", 0x06: "SetWatchpoint", 0x10: "Halt", 0x11: "Resume", 0x12: "Step",
    0x13: "StepRange", 0x18: "ReadRegisters", 0x19: "ReadMemory", 0x1A: "Force", 0x1B: "Release", 0x1C: "Renew",
    0x1D: "WriteMemory", 0x1E: "WriteRegister", 0x28: "GetStatus", 0x29: "SetAxis", 0x2A: "ReadAxes", 0x2B: "ReadPlc",
    0x2C: "ReadCursor", 0x30: "ReadAudit", 0x31: "ReadMetrics", 0x32: "PushPolicy", 0x33: "ListVariables",
    0x34: "ReadMap", 0x35: "ReleaseAudit", 0x40: "Hello", 0x41: "Agree", 0x42: "Heartbeat", 0x43: "Bye",
    0x44: "SealRecord", 0x80: "Done", 0x81: "BreakpointSet", 0x83: "Breakpoints", 0x92: "Stopped", 0x98: "Registers",
    0x99: "Memory", 0xA8: "Status", 0xAA: "Axes", 0xAB: "Plc", 0xAC: "Cursor", 0xB0: "Audit", 0xB1: "Metrics",
    0xB3: "Variables", 0xB4: "Map", 0xC0: "Welcome", 0xC1: "State", 0xFF: "Error"}
TOP = (1 << 64) - 1


def welcome_body(name=b"reference", version=3, suites=(0,), registers=17, architecture=1):
    return (p(">B16s16s16s", version, HOST, DEVICE, PRINT) + p(">HBBII", architecture, registers, 3, 0xFF, 1)
            + p(">HBHHBB", 512, 4, 8, 256, 8, 16) + p(">IHHHH", 60000, 1000, 3000, 5000, 500)
            + p(">BBBBII", 1, 1, 2, 31, 3600, 7) + p(">BBIB", 1, 1, 0, 0) + p(">HB", 0, len(suites))
            + b"".join(p(">H", s) for s in suites) + p(">B", len(name)) + name)


WELCOME = dict(
    version=3, host_nonce=HOST.hex(), device_nonce=DEVICE.hex(), fingerprint=PRINT.hex(), architecture=1,
    registers=17, axes=3, capabilities=0xFF, generation=1, longest_message=512, credit=4, breakpoints=8,
    read_memory=256, forces=8,
    policy_rules=16, longest_lease=60000, heartbeat=1000, loss=3000, tolerance=5000, stall=500, halt=1, trap=1,
    on_loss=2, authority=31, expires=3600, boot=7, audit_version=1, audit=1, audit_lost=0, lifecycle=0, suite=0,
    suites=[0])


def state_body():
    return (p(">BBqqqB8H", 1, 3, 1000000, -2000000, 3000000, 8, *range(100, 108)) + p(">III", 1000, 12, 345)
            + p(">BBBQ", 0, 0, 2, 7) + p(">BBQ", 2, 1, 0x20000020))


def record_bytes(version, index, boot, session, sequence, time, uptime, operator, suite, kind, cause, verdict, count,
                 addr, value):
    return p(">BIIIIIQ8sHBBHHQQ", version, index, boot, session, sequence, time, uptime, operator, suite, kind, cause,
             verdict, count, addr, value)


RECORD = ("version", "index", "boot", "session", "sequence", "time", "uptime", "operator", "suite", "kind", "cause",
          "verdict", "count", "addr", "value")
RECORDS = [
    (1, 3, 7, 0xACADAEAF, 5, 1234, 5678, b"operator", 0, 0x1A, 0, 0, 1, 0x20000020, 0x0102030400000000),
    (1, 4, 7, 0xACADAEAF, 6, 1300, 5800, b"brief\0\0\0", 0, 0x29, 0, 0xFFFF, 1, 1, (1 << 64) - 2000000),
    (1, 5, 0xFFFFFFFF, 0, 0, 0, (1 << 40) + 1, bytes(8), 65535, 0xE0, 17, 0, 65535, 0x20000020, 1)]


def row(names, values):
    return dict(zip(names, [v.hex() if isinstance(v, bytes) else v for v in values]))


def instances():
    """kind, name, body, fields."""
    yield from requests()
    yield from handshake()
    yield from answers()
    yield from lists()
    yield from records()


def requests():
    for kind in (1, 2, 3, 4, 5):
        yield kind, "usual", p(">QI", 0x20000110, 7), dict(addr=0x20000110, id=7)
        yield kind, "largest", p(">QI", TOP, 0xFFFFFFFF), dict(addr=TOP, id=0xFFFFFFFF)
        yield kind, "zero", p(">QI", 0, 0), dict(addr=0, id=0)
    yield 6, "usual", p(">QIIB", 0x20000010, 9, 4, 2), dict(addr=0x20000010, id=9, length=4, access=2)
    yield 6, "read", p(">QIIB", 0x0123456789ABCDEF, 1, 1, 1), dict(addr=0x0123456789ABCDEF, id=1, length=1, access=1)
    yield 6, "both", p(">QIIB", 8, 2, 0xFFFFFFFF, 3), dict(addr=8, id=2, length=0xFFFFFFFF, access=3)
    for kind in (0x10, 0x11, 0x28, 0x2A, 0x2C, 0x31):
        yield kind, "empty", b"", {}
    yield 0x12, "once", p(">IB", 1, 0), dict(count=1, trace=0)
    yield 0x12, "traced", p(">IB", 0xFFFFFFFF, 1), dict(count=0xFFFFFFFF, trace=1)
    yield 0x13, "usual", p(">QQB", 0x20000100, 0x20000107, 1), dict(first=0x20000100, last=0x20000107, over=1)
    yield 0x13, "everything", p(">QQB", 0, TOP, 0), dict(first=0, last=TOP, over=0)
    yield 0x18, "all", b"\0", dict(what=0)
    yield 0x18, "differing", b"\x01", dict(what=1)
    yield 0x19, "usual", p(">QH", 0x20000000, 16), dict(addr=0x20000000, length=16)
    yield 0x19, "one", p(">QH", TOP, 1), dict(addr=TOP, length=1)
    mark = PRINT.hex()
    yield 0x1A, "usual", p(">QI16sB", 0x20000020, 1000, PRINT, 4) + b"\x01\x02\x03\x04" + b"\0", \
        dict(addr=0x20000020, lease=1000, fingerprint=mark, value="01020304", safe="")
    yield 0x1A, "safe value", p(">QI16sB", 0x20000020, 1000, PRINT, 4) + b"\x01\x02\x03\x04" + b"\4\5\6\7\x08", \
        dict(addr=0x20000020, lease=1000, fingerprint=mark, value="01020304", safe="05060708")
    yield 0x1A, "one byte", p(">QI16sB", 1, 1, PRINT, 1) + b"\0\1\0", \
        dict(addr=1, lease=1, fingerprint=mark, value="00", safe="00")
    yield 0x1A, "16 bytes", p(">QI16sB", 1, 60000, bytes(16), 16) + HOST + b"\x10" + DEVICE, \
        dict(addr=1, lease=60000, fingerprint=bytes(16).hex(), value=HOST.hex(), safe=DEVICE.hex())
    yield 0x1B, "usual", p(">Q16s", 0x20000020, PRINT), dict(addr=0x20000020, fingerprint=mark)
    yield 0x1C, "usual", p(">QI16s", 0x20000020, 1000, PRINT), dict(addr=0x20000020, lease=1000, fingerprint=mark)
    yield 0x1D, "usual", p(">Q16sH", 0x20000080, PRINT, 3) + b"\1\0\xff", \
        dict(addr=0x20000080, fingerprint=mark, data="0100ff")
    yield 0x1D, "longest", p(">Q16sH", 0, PRINT, 256) + bytes(range(256)), \
        dict(addr=0, fingerprint=mark, data=bytes(range(256)).hex())
    yield 0x1E, "usual", p(">BQ16s", 3, 0xDEADBEEF, PRINT), dict(register=3, value=0xDEADBEEF, fingerprint=mark)
    yield 0x1E, "largest", p(">BQ16s", 255, TOP, PRINT), dict(register=255, value=TOP, fingerprint=mark)
    yield 0x29, "usual", p(">Bq16s", 1, 123456789, PRINT), dict(axis=1, position=123456789, fingerprint=mark)
    yield 0x29, "negative", p(">Bq16s", 255, -1, PRINT), dict(axis=255, position=-1, fingerprint=mark)
    yield 0x29, "lowest", p(">Bq16s", 0, -(1 << 63), PRINT), dict(axis=0, position=-(1 << 63), fingerprint=mark)
    yield 0x2B, "usual", p(">HH", 2, 5), dict(first=2, count=5)
    yield 0x30, "usual", p(">IB", 0, 10), dict(**{"from": 0}, count=10)
    yield 0x30, "largest", p(">IB", 0xFFFFFFFF, 255), dict(**{"from": 0xFFFFFFFF}, count=255)
    yield 0x32, "no rules", p(">IIBB", 1, 0, 0, 0), dict(version=1, replaces=0, enabled=0, rules=[])
    yield 0x32, "two rules", p(">IIBBQQBQQB", 0x01020304, 0xFFFFFFFF, 1, 2, 0x20000100, 0x2000010F, 0, 0, TOP, 1), \
        dict(version=0x01020304, replaces=0xFFFFFFFF, enabled=1,
             rules=[dict(first=0x20000100, last=0x2000010F, action=0), dict(first=0, last=TOP, action=1)])
    for kind in (0x33, 0x34):
        yield kind, "usual", p(">H", 0), {"from": 0}
        yield kind, "largest", p(">H", 65535), {"from": 65535}
    yield 0x35, "usual", p(">II", 16, 0xCBF43926), dict(upto=16, crc=0xCBF43926)


def handshake():
    yield 0x40, "usual", p(">BB16sHBHH", 3, 3, HOST, 512, 1, 0, 8) + b"operator", \
        dict(lowest_version=3, highest_version=3, host_nonce=HOST.hex(), longest_message=512, suites=[0],
             token=b"operator".hex())
    yield 0x40, "no suite, no token", p(">BB16sHBH", 1, 255, HOST, 4096, 0, 0), \
        dict(lowest_version=1, highest_version=255, host_nonce=HOST.hex(), longest_message=4096, suites=[], token="")
    yield 0x40, "three suites", p(">BB16sHBHHHH", 3, 3, HOST, 512, 3, 0, 1, 65535, 1) + b"x", \
        dict(lowest_version=3, highest_version=3, host_nonce=HOST.hex(), longest_message=512, suites=[0, 1, 65535],
             token="78")
    yield 0x40, "longest token", p(">BB16sHBHH", 3, 4, HOST, 65535, 1, 0, 384) + b"\xab" * 384, \
        dict(lowest_version=3, highest_version=4, host_nonce=HOST.hex(), longest_message=65535, suites=[0],
             token="ab" * 384)
    yield 0x41, "usual", p(">I", 0xCBF43926), dict(crc=0xCBF43926)
    yield 0x42, "host's", p(">BI", 0, 0xDECAFBAD), dict(run_state=0, challenge=0xDECAFBAD)
    yield 0x42, "agent's", p(">BI", 2, 1), dict(run_state=2, challenge=1)
    for reason in (1, 10):
        yield 0x43, f"reason {reason}", bytes([reason]), dict(reason=reason)
    yield 0x44, "usual", p(">H", 1) + b"\1\2\3", dict(suite=1, record="010203")
    yield 0x44, "empty record", p(">H", 65535), dict(suite=65535, record="")
    suites = dict(WELCOME, suites=[0, 1, 65535], name="")
    yield 0xC0, "usual", welcome_body(), dict(WELCOME, name="reference")
    yield 0xC0, "three suites, no name", welcome_body(b"", suites=(0, 1, 65535)), suites
    yield 0xC0, "no suite", welcome_body(b"x", suites=()), dict(WELCOME, suites=[], name="x")
    long = "Größe 32 Bytes abcdefghijklmno"
    yield 0xC0, "longest name", welcome_body(long.encode()), dict(WELCOME, name=long)
    numbers = p(">B16s16s16s", 3, HOST, DEVICE, PRINT) + p(">HBBII", 6, 32, 0, 1, 0xFFFFFFFF) \
        + p(">HBHHBB", 4096, 255, 65535, 4000, 255, 255) + p(">IHHHH", 600000, 2, 3, 4, 5) \
        + p(">BBBBII", 3, 2, 0, 1, 86400, 0xFFFFFFFF) + p(">BBIB", 0, 2, 0xFFFFFFFE, 2) + p(">HBHB", 9, 1, 9, 0)
    yield 0xC0, "every number differs", numbers, dict(
        WELCOME, architecture=6, registers=32, axes=0, capabilities=1, generation=0xFFFFFFFF, longest_message=4096,
        credit=255, breakpoints=65535, read_memory=4000, forces=255, policy_rules=255, longest_lease=600000,
        heartbeat=2, loss=3, tolerance=4, stall=5, halt=3, trap=2, on_loss=0, authority=1, expires=86400,
        boot=0xFFFFFFFF, audit_version=0, audit=2, audit_lost=0xFFFFFFFE, lifecycle=2, suite=9, suites=[9], name="")
    state = dict(run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12,
                 offset=345, modified=0, stuck=0, last_reason=2, last_detail=7, cause=2, ended=[0x20000020])
    yield 0xC1, "usual", state_body(), state
    yield 0xC1, "nothing", p(">BBBIIIBBBQBB", 2, 0, 0, 0, 0, 0xFFFFFFFF, 1, 255, 0, 0, 0, 0), \
        dict(run_state=2, axes=[], plc=[], program=0, line=0, offset=0xFFFFFFFF, modified=1, stuck=255, last_reason=0,
             last_detail=0, cause=0, ended=[])
    yield 0xC1, "two forces", p(">BBBIIIBBBQBBQQ", 3, 0, 0, 1, 2, 3, 0, 1, 7, TOP, 21, 2, 5, TOP), \
        dict(run_state=3, axes=[], plc=[], program=1, line=2, offset=3, modified=0, stuck=1, last_reason=7,
             last_detail=TOP, cause=21, ended=[5, TOP])


def answers():
    yield 0x80, "usual", p(">I", 0xFFFFFFFE), dict(request=0xFFFFFFFE)
    yield 0x81, "usual", p(">IIH", 4, 7, 1), dict(request=4, id=7, slot=1)
    yield 0x81, "largest", p(">IIH", 4, 0xFFFFFFFF, 65535), dict(request=4, id=0xFFFFFFFF, slot=65535)
    yield 0x92, "halted", p(">IBBBQIQ", 6, 4, 0, 1, 0, 3, 1 << 15) + p(">I", 0x20000104), \
        dict(request=6, reason=4, more=0, axes=1, detail=0, capture=3, mask=1 << 15, values="20000104")
    yield 0x92, "watch", p(">IBBBQIQ", 0, 3, 0, 2, 9 << 32 | 0x20000010, 4, 0x8001) + p(">II", 0x1001, 0x20000106), \
        dict(request=0, reason=3, more=0, axes=2, detail=9 << 32 | 0x20000010, capture=4, mask=0x8001,
             values="0000100120000106")
    yield 0x92, "step of more", p(">IBBBQIQ", 8, 1, 1, 0, 0, 0xFFFFFFFF, 0x8001) + p(">II", 0xFFFFFFFF, 0), \
        dict(request=8, reason=1, more=1, axes=0, detail=0, capture=0xFFFFFFFF, mask=0x8001,
             values="ffffffff00000000")
    yield 0x98, "none", p(">IIQ", 7, 1, 0), dict(request=7, capture=1, mask=0, values="")
    yield 0x98, "all", p(">IIQ", 7, 1, 0x1FFFF) + b"".join(p(">I", 0x1000 + i) for i in range(17)), \
        dict(request=7, capture=1, mask=0x1FFFF, values="".join("%08x" % (0x1000 + i) for i in range(17)))
    yield 0x99, "usual", p(">IQH", 8, 0x20000000, 5) + bytes(range(5)), \
        dict(request=8, addr=0x20000000, data="0001020304")
    yield 0x99, "empty", p(">IQH", 8, 0x200003FF, 0), dict(request=8, addr=0x200003FF, data="")
    yield 0xA8, "usual", p(">IBHHIIBBBBI", 9, 1, 2, 3, 4, 5, 1, 0, 0, 2, 123456), \
        dict(request=9, run_state=1, breakpoints=2, forces=3, steps_left=4, policy_version=5, policy_enabled=1,
             modified=0, stuck=0, last_reason=2, uptime=123456)
    big = 0xFFFFFFFF
    yield 0xA8, "largest", p(">IBHHIIBBBBI", 9, 3, 65535, 65535, big, big, 0, 1, 255, 7, big), \
        dict(request=9, run_state=3, breakpoints=65535, forces=65535, steps_left=big, policy_version=big,
             policy_enabled=0, modified=1, stuck=255, last_reason=7, uptime=big)
    yield 0xAC, "usual", p(">IIII", 12, 1000, 12, 345), dict(request=12, program=1000, line=12, offset=345)
    yield 0xFF, "usual", p(">IHI", 15, 19, 256), dict(request=15, code=19, detail=256)
    yield 0xFF, "largest", p(">IHI", big, 65535, big), dict(request=big, code=65535, detail=big)


def lists():
    yield 0x83, "none", p(">IBB", 5, 0, 0), dict(request=5, more=0, breakpoints=[])
    yield 0x83, "four", p(">IBB", 5, 1, 4) + b"".join(p(">IQBI", i, 0x20000100 + i, i, 1000 * i) for i in range(4)), \
        dict(request=5, more=1,
             breakpoints=[dict(id=i, addr=0x20000100 + i, trap=i, hits=1000 * i) for i in range(4)])
    yield 0xAA, "three", p(">IBqqq", 10, 3, 1000000, -2000000, 3000000), \
        dict(request=10, positions=[1000000, -2000000, 3000000])
    yield 0xAA, "none", p(">IB", 10, 0), dict(request=10, positions=[])
    yield 0xAB, "eight", p(">IHH8H", 11, 0, 8, *range(100, 108)), \
        dict(request=11, first=0, registers=list(range(100, 108)))
    yield 0xAB, "none", p(">IHH", 11, 65535, 0), dict(request=11, first=65535, registers=[])
    variable = lambda addr, kind, length, flags, name: p(">QBBBB", addr, kind, length, flags, len(name)) + name
    yield 0xB3, "three", p(">IIHB", 16, 1, 5, 3) + variable(0x20000010, 1, 4, 0, b"cycles") \
        + variable(TOP, 3, 16, 1, "Größe".encode()) + variable(0, 0, 1, 1, b"x" * 32), \
        dict(request=16, generation=1, total=5, variables=[
            dict(addr=0x20000010, type=1, length=4, flags=0, name="cycles"),
            dict(addr=TOP, type=3, length=16, flags=1, name="Größe"),
            dict(addr=0, type=0, length=1, flags=1, name="x" * 32)])
    yield 0xB3, "none", p(">IIHB", 16, 0xFFFFFFFF, 65535, 0), \
        dict(request=16, generation=0xFFFFFFFF, total=65535, variables=[])
    regions = [(0x20000000, 0x200003FF, 0), (0x20000400, 0x200004FF, 2), (0, TOP, 1)]
    yield 0xB4, "three", p(">IHB", 17, 3, 3) + b"".join(p(">QQB", *r) for r in regions), \
        dict(request=17, total=3, regions=[row(("first", "last", "class"), r) for r in regions])
    yield 0xB4, "none", p(">IHB", 17, 65535, 0), dict(request=17, total=65535, regions=[])


def records():
    yield 0xB0, "three", p(">IIIIB", 13, 3, 6, 2, 3) + b"".join(record_bytes(*r) for r in RECORDS), \
        dict(request=13, oldest=3, next=6, lost=2, records=[row(RECORD, r) for r in RECORDS])
    yield 0xB0, "none", p(">IIIIB", 13, 0, 0, 0xFFFFFFFF, 0), \
        dict(request=13, oldest=0, next=0, lost=0xFFFFFFFF, records=[])
    yield 0xB1, "three", p(">IBHIHIHI", 14, 3, 1, 99, 0x112, 0xFFFFFFFF, 0xFFFF, 1), \
        dict(request=14, metrics=[dict(metric=1, value=99), dict(metric=0x112, value=0xFFFFFFFF),
                                  dict(metric=0xFFFF, value=1)])
