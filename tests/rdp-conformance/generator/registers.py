"""registers.json: SPEC 7, and the masks of 6.4."""

import struct

CORTEX = [f"r{i}" for i in range(13)] + ["sp", "lr", "pc", "xpsr"]
RISC_V = [f"x{i}" for i in range(1, 32)] + ["pc"]
ARCHITECTURES = [
    {"number": 1, "name": "Cortex-M", "width": 4, "pc": 15, "sp": 13, "link": 14, "registers": CORTEX},
    {"number": 2, "name": "AArch64", "width": 8, "pc": 32, "sp": 31, "link": 30,
     "registers": [f"x{i}" for i in range(31)] + ["sp_el0", "elr_el1", "spsr_el1"]},
    {"number": 3, "name": "x86-64", "width": 8, "pc": 16, "sp": 7, "link": None,
     "registers": ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] + [f"r{i}" for i in range(8, 16)]
     + ["rip", "rflags"]},
    {"number": 4, "name": "Cortex-M with floating point", "width": 4, "pc": 15, "sp": 13, "link": 14,
     "registers": CORTEX + [f"s{i}" for i in range(32)] + ["fpscr"]},
    {"number": 5, "name": "RV32", "width": 4, "pc": 31, "sp": 1, "link": 0, "registers": RISC_V},
    {"number": 6, "name": "RV64", "width": 8, "pc": 31, "sp": 1, "link": 0, "registers": RISC_V},
]


def make_registers():
    assert [len(a["registers"]) for a in ARCHITECTURES] == [17, 34, 18, 50, 32, 32]
    sets, bad, deltas = [], [], []
    for a in ARCHITECTURES:
        n, width, names, pc = len(a["registers"]), a["width"], a["registers"], a["pc"]
        fmt = ">I" if width == 4 else ">Q"
        value = lambda i: (0x0102030405060708 * (i + 1)) & ((1 << 8 * width) - 1)
        values = lambda of: b"".join(struct.pack(fmt, of[i]) for i in sorted(of)).hex()
        every = (1 << n) - 1
        for mask in (0, 1, 1 << pc, 1 << n - 1, 1 | 1 << pc | 1 << n - 1, 0x5555555555555555 & every, every):
            chosen = {i: value(i) for i in range(n) if mask >> i & 1}
            sets.append({"architecture": a["number"], "mask": mask, "values": values(chosen),
                         "registers": {names[i]: v for i, v in chosen.items()}})
        for name, mask, size in (
                ("bit beyond", 1 << n, width), ("bit 63", 1 << 63 | 1, 2 * width), ("a byte less", 3, 2 * width - 1),
                ("a byte more", 3, 2 * width + 1), ("a value less", 7, 2 * width), ("a value more", 1, 2 * width),
                ("value without bits", 0, width)):
            bad.append({"name": name, "architecture": a["number"], "mask": mask, "values": bytes(size).hex()})
        deltas.append({"architecture": a["number"], "steps": [
            step(names, width, capture, change, known) for capture, change, known in merged(n, pc, value)]})
    return {"architectures": ARCHITECTURES, "sets": sets, "malformed": bad, "deltas": deltas}


def merged(n, pc, value):
    """Captures as they arrive, not as they were taken: a value counts only from a later capture than it has."""
    everything = {i: value(i) for i in range(n)}
    yield 1, everything, dict(everything)
    known = {**everything, 0: 1, pc: 2}
    yield 3, {0: 1, pc: 2}, dict(known)
    # An earlier capture arrives late: r0 and pc are newer, register 1 is not.
    known.update({1: 9})
    yield 2, {0: 7, 1: 9, pc: 8}, dict(known)
    known.update({pc: 4, n - 1: 0})
    yield 4, {pc: 4, n - 1: 0}, dict(known)
    # The same capture again, with a register that it had not shown.
    known.update({0: 3})
    yield 4, {0: 3}, dict(known)


def step(names, width, capture, change, known):
    fmt = ">I" if width == 4 else ">Q"
    return {"capture": capture, "mask": sum(1 << i for i in change),
            "values": b"".join(struct.pack(fmt, change[i]) for i in sorted(change)).hex(),
            "registers": {names[i]: v for i, v in sorted(known.items())}}
