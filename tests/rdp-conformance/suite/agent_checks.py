"""Scenarios for agents: the order of checks; SPEC 8.1."""

from .agents import agent
from .frames import channel_of, frame
from .run import check, equal
from .samples import SAMPLE, at, policy, rule
from .session import PRINT

EVERYTHING = (0, (1 << 64) - 1)
OTHER = dict(fingerprint=bytes(16))


def order(name, seconds=1):
    return agent("8.1 order: " + name, seconds)


@order("version of the frame, kind, body")
def _(env):
    peer = env.peer()
    for raw, code in ((frame(0x7F, version=2), 24), (frame(0x11, b"x", version=2), 24), (frame(0x7F, b"x"), 1)):
        peer.is_error(peer.answer(raw.hex(), None, peer.send_frame(raw, channel=1)), code, None, raw.hex())


@order("body and limits before the channel, the time and the authority")
def _(env):
    peer = env.peer(b"observer")
    late = dict(time=peer.clock + 300)
    for over in (dict(channel=0), dict(channel=1), dict(channel=1, **late)):
        peer.is_error(peer.answer("a malformed Resume", None, peer.send_frame(frame(0x11, b"x"), **over)), 2)
        peer.refuse(2, "Step", dict(count=1, trace=2), **over)
        peer.refuse(19, "Step", dict(count=0, trace=0), 0, **over)
        peer.refuse(19, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], length=0), 0, **over)
        peer.refuse(19, "Force", dict(SAMPLE["Force"], lease=60001), 60000, **over)


@order("channel before time, and both before authority")
def _(env):
    peer = env.peer(b"observer")
    late = peer.clock + 300
    peer.refuse(4, "Halt", channel=1, time=late)
    peer.refuse(4, "Resume", channel=0, time=late)
    peer.refuse(8, "Halt", time=late)
    peer.refuse(8, "Resume", time=late)
    peer.refuse(5, "Halt")
    peer.refuse(5, "Resume")


@order("Disordered before authority, fingerprint and state")
def _(env):
    peer = env.peer(b"control")
    sequence = peer.send("Halt", sequence=100)
    peer.answer("Halt", "Done", sequence)
    peer.refuse(9, "Force", peer.force(fingerprint=bytes(16)), sequence=50)
    peer.refuse(5, "Force", peer.force(fingerprint=bytes(16)), sequence=101)
    peer.sequence = 101


@order("authority before fingerprint and state")
def _(env):
    peer = env.peer(b"observer")
    for kind in ("Force", "Release", "SetAxis", "Renew", "WriteMemory", "WriteRegister"):
        peer.refuse(5, kind, dict(SAMPLE[kind], **OTHER), 4)
    peer.refuse(5, "Resume", None, 2)
    peer.refuse(5, "ClearBreakpoint", at(0, 99), 2)
    peer.refuse(5, "PushPolicy", policy(1, 9, 0), 8)
    peer.refuse(5, "ReleaseAudit", SAMPLE["ReleaseAudit"], 16)


@order("fingerprint before state, ids, map, interlock")
def _(env):
    peer = env.peer()
    for kind in ("SetAxis", "Force", "WriteMemory", "WriteRegister", "Renew", "Release"):
        peer.refuse(18, kind, dict(SAMPLE[kind], **OTHER))
    peer.refuse(18, "Force", peer.force(addr=0x20000400, fingerprint=bytes(16)))
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    for kind in ("Force", "SetAxis", "WriteMemory", "WriteRegister", "Release"):
        peer.refuse(18, kind, dict(SAMPLE[kind], **OTHER))


@order("state before ids, map and policy")
def _(env):
    peer = env.peer()
    peer.refuse(10, "WriteMemory", dict(SAMPLE["WriteMemory"], addr=0x20000400))
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.refuse(21, "ClearBreakpoint", at(0, 1))
    peer.refuse(21, "SetBreakpoint", at(0x20000400, 1))
    peer.refuse(21, "PushPolicy", policy(1, 9, 0))
    peer.refuse(21, "Force", peer.force(addr=0x20000400))


@order("ids before the map, the policy, slots")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    peer.ask("PushPolicy", policy(1, 0, 1, rule(*EVERYTHING, 0)))
    peer.refuse(16, "SetBreakpoint", at(0x20000400, 1), 1)
    peer.refuse(16, "SetBreakpoint", at(0x20000102, 1), 1)
    peer.refuse(17, "ClearBreakpoint", at(0x20000400, 5))
    peer.refuse(17, "Renew", dict(SAMPLE["Renew"], addr=0x20000400))


@order("the map before the policy")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("PushPolicy", policy(1, 0, 1, rule(*EVERYTHING, 0)))
    peer.refuse(25, "SetBreakpoint", at(0x20000400, 2))
    peer.refuse(11, "SetBreakpoint", at(0x30000000, 2))
    peer.refuse(25, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], addr=0x20000400))
    peer.refuse(20, "SetBreakpoint", at(0x20000102, 2), 1)


@order("policy before slots")
def _(env):
    peer = env.peer()
    peer.halt()
    for i in range(8):
        peer.ask("SetSoftwareBreakpoint", at(0x20000100 + 2 * i, i))
    peer.ask("PushPolicy", policy(1, 0, 1, rule(0x20000120, 0x20000120, 0)))
    peer.refuse(20, "SetSoftwareBreakpoint", at(0x20000120, 50), 1)
    peer.refuse(13, "SetSoftwareBreakpoint", at(0x20000122, 50), 8)


@order("the map before the interlock")
def _(env):
    peer = env.peer()
    peer.refuse(25, "Force", peer.force(addr=0x20000400))
    peer.refuse(11, "Force", peer.force(addr=0x30000000))
    peer.halt()
    peer.knob("moving 1")
    peer.refuse(25, "WriteMemory", dict(SAMPLE["WriteMemory"], addr=0x20000404))
    peer.refuse(25, "SetBreakpoint", at(0x20000404, 2))


@order("the interlock before the log, the log before the target", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    while peer.call("SetAxis", SAMPLE["SetAxis"]).name == "Done":
        check(peer.sequence < 40, "the log is never full")
    peer.knob("moving 1")
    peer.refuse(14, "SetAxis", SAMPLE["SetAxis"])
    peer.refuse(14, "Force", peer.force())
    peer.knob("moving 0")
    peer.refuse(15, "SetAxis", dict(SAMPLE["SetAxis"], axis=9))
    peer.refuse(15, "Force", peer.force(addr=0x20000030))
    peer.refuse(15, "SetBreakpoint", at(0x20000101, 1))
    peer.refuse(15, "SetWatchpoint", dict(addr=0x20000030, id=7, length=2, access=2))


@order("the interlock before the target: an axis and a place that there is not, while the program runs")
def _(env):
    peer = env.peer()
    peer.refuse(14, "SetAxis", dict(SAMPLE["SetAxis"], axis=9))
    peer.refuse(14, "Force", peer.force(addr=0x20000030))
    equal("channel of Force", channel_of("Force"), 1)
    equal("fingerprint", peer.welcome["fingerprint"], PRINT)
