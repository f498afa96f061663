"""Scenarios for agents: the memory map, reading and writing; SPEC 8.6."""

from .agent_machine import executed
from .agents import agent, both, serial
from .frames import registers_of
from .run import check, equal
from .samples import SAMPLE, at
from .session import PRINT


def memory(start, count):
    return bytes((start - 0x20000000 + i) % 251 for i in range(count))


@both("6.4 Memory: bytes, shorter at the end of the region, Unmapped, the limit")
def _(env):
    peer = env.peer()
    peer.halt()
    f = peer.ask("ReadMemory", {"addr": 0x20000014, "length": 256})
    equal("addr", f["addr"], 0x20000014)
    equal("data", f["data"], memory(0x20000014, 256))
    equal("the last byte", peer.read(0x200003FF, 1), memory(0x200003FF, 1))
    equal("over the end", peer.read(0x200003F8, 100), memory(0x200003F8, 8))
    for addr in (0x20000500, 0x1FFFFFFF, 0, (1 << 64) - 1, 0x120000000, 0x3FFFFFFF, 0x40000100):
        peer.refuse(11, "ReadMemory", {"addr": addr, "length": 4})
    peer.refuse(19, "ReadMemory", {"addr": 0x20000000, "length": 257}, 256)
    peer.refuse(19, "ReadMemory", {"addr": 0x20000000, "length": 0}, 256)


@both("8.6 protected memory: no reading, whoever asks; a read that begins before it is cut at the end of its region")
def _(env):
    peer = env.peer()
    for addr, length in ((0x20000400, 1), (0x20000400, 256), (0x20000480, 4), (0x200004FF, 1), (0x200004F0, 100)):
        peer.refuse(25, "ReadMemory", {"addr": addr, "length": length})
    equal("cut", peer.read(0x200003FC, 16), memory(0x200003FC, 4))


@agent("8.6 protected memory: no writing, forcing, watching, no breakpoint", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for addr, size in ((0x20000400, 4), (0x200004FC, 4), (0x20000440, 1)):
        peer.refuse(25, "WriteMemory", dict(addr=addr, fingerprint=PRINT, data=bytes(size)))
        peer.refuse(25, "Force", peer.force(addr=addr, value=bytes(size)))
        peer.refuse(25, "SetWatchpoint", dict(addr=addr, id=3, length=size, access=2))
        peer.refuse(25, "SetBreakpoint", at(addr, 4))
    s = peer.status()
    equal("forces, breakpoints, modified", (s["forces"], s["breakpoints"], s["modified"]), (0, 0, 0))


@agent("8.6 what does not lie in one region is Protected or Unmapped, and nothing of it is done", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for addr, size, codes in ((0x200003FE, 4, (25,)), (0x200004FE, 4, (25,)), (0x1FFFFFFE, 4, (11,)),
                              (0x400000FE, 4, (11, 12)), ((1 << 64) - 2, 4, (11,))):
        peer.refuse(codes, "WriteMemory", dict(addr=addr, fingerprint=PRINT, data=b"\xEE" * size))
        peer.refuse(codes, "Force", peer.force(addr=addr, value=b"\xEE" * size))
        peer.refuse(codes, "SetWatchpoint", dict(addr=addr, id=3, length=size, access=2))
    equal("memory", peer.read(0x200003FC, 16), memory(0x200003FC, 4))
    equal("modified", peer.status()["modified"], 0)


@agent("8.6 a region with side effects is read with control only: otherwise Protected", 2)
def _(env):
    peer = env.peer()
    equal("device registers", peer.read(0x40000000, 256), bytes(256))
    equal("cut", peer.read(0x400000F0, 32), bytes(16))
    env.lines[-1].gone()
    peer = env.peer(b"control")
    equal("device registers", peer.read(0x40000010, 4), bytes(4))
    env.lines[-1].gone()
    peer = env.peer(b"observer")
    for addr, length in ((0x40000000, 4), (0x400000FF, 1)):
        peer.refuse(25, "ReadMemory", {"addr": addr, "length": length})
    equal("plain memory", peer.read(0x20000000, 4), memory(0x20000000, 4))
    peer.refuse(25, "ReadMemory", {"addr": 0x20000400, "length": 4})


@agent("8.6 device registers cannot be read when control is withdrawn", 1)
def _(env):
    peer = env.peer()
    equal("device registers", peer.read(0x40000000, 4), bytes(4))
    peer.knob("permit 1")
    peer.rest(0.05)
    peer.refuse(25, "ReadMemory", {"addr": 0x40000000, "length": 4})
    equal("plain memory", peer.read(0x20000000, 4), memory(0x20000000, 4))


@both("8.6 WriteMemory of a program that stands: the bytes, nothing beside them, `modified`", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    equal("modified", peer.status()["modified"], 0)
    peer.ask("WriteMemory", dict(addr=0x20000080, fingerprint=PRINT, data=b"\1\2\3"))
    equal("memory", peer.read(0x2000007E, 7), memory(0x2000007E, 2) + b"\1\2\3" + memory(0x20000083, 2))
    equal("modified", peer.status()["modified"], 1)
    equal("journal", peer.journal()["journal"][-1], "write 536871040 010203")
    peer.ask("WriteMemory", dict(addr=0x20000100, fingerprint=PRINT, data=bytes(range(256))))
    equal("256 bytes", peer.read(0x20000100, 256), bytes(range(256)))
    peer.ask("WriteMemory", dict(addr=0x200003FF, fingerprint=PRINT, data=b"\xEE"))
    equal("the last byte", peer.read(0x200003FF, 1), b"\xEE")
    peer.ask("Resume")
    equal("modified, running", peer.status()["modified"], 1)


@both("8.6 WriteRegister: the register, `modified`; one that there is not, a value that does not fit", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("WriteRegister", dict(register=5, value=0xDEADBEEF, fingerprint=PRINT))
    equal("r5", peer.registers()["r5"], 0xDEADBEEF)
    equal("modified", peer.status()["modified"], 1)
    equal("journal", peer.journal()["journal"][-1], "register 5 3735928559")
    peer.ask("WriteRegister", dict(register=15, value=0x20000120, fingerprint=PRINT))
    equal("pc", peer.registers()["pc"], 0x20000120)
    n = executed(peer)
    sequence = peer.send("Step", {"count": 1, "trace": 0})
    peer.answer("Step", "Done", sequence)
    f = registers_of(peer.stopped(1))
    equal("pc, instructions", (f["pc"], f["r0"] - 0x1000 - n), (0x20000122, 1))
    for value in (1 << 32, (1 << 64) - 1):
        peer.refuse(2, "WriteRegister", dict(register=5, value=value, fingerprint=PRINT), 0x1E)
    peer.refuse(11, "WriteRegister", dict(register=17, value=0, fingerprint=PRINT))
    peer.refuse(11, "WriteRegister", dict(register=255, value=0, fingerprint=PRINT))


@serial("8.6 `modified` goes on in the next session's State, and only a restart of the program clears it", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("WriteRegister", SAMPLE["WriteRegister"])
    after = peer.next()
    equal("modified in State and Status", (after.state["modified"], after.status()["modified"]), (1, 1))
    after.close()
    after.knob("reset")
    after.link.rest(0.1)
    equal("modified after a reset", after.next().state["modified"], 0)


@agent("8.6 writing: another fingerprint, the interlock, ReadOnly, Unmapped: nothing is done", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.journal()
    write, register = SAMPLE["WriteMemory"], SAMPLE["WriteRegister"]
    peer.refuse(18, "WriteMemory", dict(write, fingerprint=bytes(16)))
    peer.refuse(18, "WriteRegister", dict(register, fingerprint=bytes(16)))
    peer.refuse((12, 14), "WriteMemory", dict(write, addr=0x40000000))
    peer.refuse(11, "WriteMemory", dict(write, addr=0x20000500))
    peer.knob("moving 1")
    peer.refuse(14, "WriteMemory", write)
    peer.refuse(14, "WriteRegister", register)
    peer.knob("moving 0")
    peer.knob("interlock 1")
    peer.refuse(14, "WriteMemory", write)
    peer.refuse(14, "WriteRegister", register)
    peer.knob("interlock 0")
    equal("memory", peer.read(0x20000080, 2), memory(0x20000080, 2))
    s = peer.status()
    check(s["modified"] in (0, 1), "modified")
    check(not [t for t in peer.journal()["journal"] if t.startswith(("write", "register"))], "something was written")
