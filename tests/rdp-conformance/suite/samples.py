"""A good body of each command, and how SPEC 6.2 sorts the commands."""

from .frames import ANSWERS, NUMBER
from .session import PRINT

# Column A.
TOUCHING = ("SetBreakpoint", "ClearBreakpoint", "SetHardwareBreakpoint", "SetSoftwareBreakpoint", "SetWatchpoint",
            "Halt", "Resume", "Step", "StepRange", "Force", "Release", "WriteMemory", "WriteRegister", "SetAxis",
            "PushPolicy", "ReleaseAudit")
# Column D.
NEEDS = {"control": TOUCHING[:9], "force": ("Force", "Release", "Renew", "WriteMemory", "WriteRegister", "SetAxis"),
         "policy": ("PushPolicy",), "audit": ("ReleaseAudit",)}
BIT = {"observe": 1, "control": 2, "force": 4, "policy": 8, "audit": 16}
NEEDS["observe"] = tuple(k for k in ANSWERS if not any(k in kinds for kinds in NEEDS.values()))
SAMPLE = {
    "SetBreakpoint": dict(addr=0x20000100, id=1), "ClearBreakpoint": dict(addr=0, id=1),
    "ListBreakpoints": dict(addr=0, id=0), "SetHardwareBreakpoint": dict(addr=0x20000100, id=1),
    "SetSoftwareBreakpoint": dict(addr=0x20000100, id=1),
    "SetWatchpoint": dict(addr=0x20000010, id=1, length=4, access=2), "Step": dict(count=1, trace=0),
    "StepRange": dict(first=0x20000100, last=0x20000107, over=0), "ReadRegisters": dict(what=0),
    "ReadMemory": dict(addr=0x20000000, length=4),
    "Force": dict(addr=0x20000020, lease=1000, fingerprint=PRINT, value=b"abcd", safe=b""),
    "Release": dict(addr=0x20000020, fingerprint=PRINT),
    "Renew": dict(addr=0x20000020, lease=1000, fingerprint=PRINT),
    "WriteMemory": dict(addr=0x20000080, fingerprint=PRINT, data=b"\1\2"),
    "WriteRegister": dict(register=1, value=77, fingerprint=PRINT),
    "SetAxis": dict(axis=0, position=5, fingerprint=PRINT), "ReadPlc": dict(first=0, count=8),
    "ReadAudit": {"from": 0, "count": 4}, "PushPolicy": dict(version=1, replaces=0, enabled=0, rules=[]),
    "ListVariables": {"from": 0}, "ReadMap": {"from": 0}, "ReleaseAudit": dict(upto=0, crc=0)}
ORIGINAL = bytes((32, 33, 34, 35))
assert all(k in NUMBER for k in TOUCHING)


def at(address, number):
    return {"addr": address, "id": number}


def rule(first, last, action):
    return {"first": first, "last": last, "action": action}


def policy(version, replaces, enabled, *rules):
    return {"version": version, "replaces": replaces, "enabled": enabled, "rules": list(rules)}
