"""Scenarios for agents: policies; SPEC 8.5."""

from .agents import agent, both, serial
from .run import check, equal
from .samples import SAMPLE, at, policy, rule

EVERYTHING = (0, (1 << 64) - 1)
SETS = ("SetBreakpoint", "SetSoftwareBreakpoint", "SetHardwareBreakpoint")


@both("8.5 policy: the first rule that contains the address decides; an address in no rule is allowed", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000110, 1))
    peer.ask("PushPolicy", policy(5, 0, 1, rule(0x20000108, 0x2000010A, 1), rule(0x20000104, 0x20000112, 0),
                                  rule(0x20000110, 0x20000114, 1)))
    allowed = (0x20000102, 0x20000108, 0x2000010A, 0x20000114)
    for i, address in enumerate(allowed):
        peer.ask(SETS[i % 3], at(address, 2 + i))
    for i, address in enumerate((0x20000104, 0x20000106, 0x2000010C, 0x20000112)):
        peer.refuse(20, SETS[i % 3], at(address, 20), 5)
    equal("breakpoints", peer.status()["breakpoints"], 5)
    for i in range(4):
        peer.ask("ClearBreakpoint", at(0, 2 + i))
    s = peer.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (5, 1))


@agent("8.5 policy: what was set before stays, and is met", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000110, 1))
    peer.ask("PushPolicy", policy(5, 0, 1, rule(*EVERYTHING, 0)))
    peer.ask("Resume")
    equal("it is met", peer.stopped(2)["detail"], 1)


@both("8.5 policy: it names the one that it replaces, and is another one; it takes the place as a whole", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    for replaces in (1, 5, 0xFFFFFFFF):
        peer.refuse(20, "PushPolicy", policy(5, replaces, 1), 0)
    peer.ask("PushPolicy", policy(5, 0, 1, rule(0x20000100, 0x20000110, 0)))
    for version, replaces in ((6, 0), (6, 4), (6, 6), (5, 5), (5, 0)):
        peer.refuse(20, "PushPolicy", policy(version, replaces, 0), 5)
    peer.refuse(20, "SetBreakpoint", at(0x20000104, 1), 5)
    peer.ask("PushPolicy", policy(3, 5, 1, rule(0x20000120, 0x20000130, 0)))
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.refuse(20, "SetBreakpoint", at(0x20000120, 2), 3)
    peer.ask("PushPolicy", policy(0xFFFFFFFF, 3, 0, rule(0x20000120, 0x20000130, 0)))
    peer.ask("SetBreakpoint", at(0x20000120, 2))
    s = peer.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (0xFFFFFFFF, 0))
    peer.ask("PushPolicy", policy(1, 0xFFFFFFFF, 1))
    peer.ask("SetBreakpoint", at(0x20000122, 3))


@agent("8.5 policy: version 0 is Limit", 1)
def _(env):
    peer = env.peer()
    peer.refuse(19, "PushPolicy", policy(0, 0, 1), 0)


@agent("8.5 policy: watchpoints too, by their first address", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("PushPolicy", policy(3, 0, 1, rule(0x2000000F, 0x20000010, 0)))
    peer.refuse(20, "SetWatchpoint", SAMPLE["SetWatchpoint"], 3)
    peer.refuse(20, "SetWatchpoint", dict(SAMPLE["SetWatchpoint"], addr=0x2000000F), 3)
    peer.ask("PushPolicy", policy(4, 3, 1, rule(0x20000011, 0x20000020, 0)))
    peer.ask("SetWatchpoint", SAMPLE["SetWatchpoint"])


@serial("8.5 policy: it goes on in the next session", 2)
def _(env):
    peer = env.peer()
    peer.ask("PushPolicy", policy(4, 0, 1, rule(0x20000104, 0x20000104, 0)))
    other = peer.next()
    s = other.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (4, 1))
    other.refuse(20, "SetBreakpoint", at(0x20000104, 1), 4)
    other.refuse(20, "PushPolicy", policy(5, 0, 0), 4)


@agent("8.5 policy: a rule whose first address is above its last contains none", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("PushPolicy", policy(1, 0, 1, rule(0x20000110, 0x20000104, 0), rule(0x20000106, 0x20000106, 0)))
    for i, address in enumerate((0x20000104, 0x20000108, 0x20000110)):
        peer.ask("SetBreakpoint", at(address, i))
    peer.refuse(20, "SetBreakpoint", at(0x20000106, 9), 1)


@agent("8.5 policy: 16 rules, and not one more", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    rules = [rule(0x20000100 + 2 * i, 0x20000100 + 2 * i, 1) for i in range(15)] + [rule(*EVERYTHING, 0)]
    peer.ask("PushPolicy", policy(1, 0, 1, *rules))
    peer.ask("SetBreakpoint", at(0x2000011C, 1))
    peer.refuse(20, "SetBreakpoint", at(0x2000011E, 2), 1)
    peer.refuse(19, "PushPolicy", policy(2, 1, 1, rule(0, 1, 0), *rules), 16)
    equal("version", peer.status()["policy_version"], 1)


@agent("8.5 policy: it does not forbid clearing, forcing or reading", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000110, 1))
    peer.ask("PushPolicy", policy(1, 0, 1, rule(*EVERYTHING, 0)))
    peer.ask("ClearBreakpoint", at(0x20000110, 1))
    peer.ask("Force", peer.force())
    check(peer.read(0x20000020, 4) == b"\xAA\xBB\xCC\xDD", "not forced")


@serial("8.12 policy: a reset takes it away", 2)
def _(env):
    peer = env.peer()
    peer.ask("PushPolicy", policy(4, 0, 1, rule(*EVERYTHING, 0)))
    peer.close()
    peer.knob("reset")
    peer.link.rest(0.1)
    after = peer.next()
    s = after.status()
    equal("policy in Status", (s["policy_version"], s["policy_enabled"]), (0, 0))
    after.ask("SetBreakpoint", at(0x20000104, 1))
