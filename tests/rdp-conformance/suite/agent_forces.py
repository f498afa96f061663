"""Scenarios for agents: forces, leases, safe values, axes; SPEC 8.7."""

from .agents import agent, both
from .line import now
from .run import check, equal
from .samples import ORIGINAL, SAMPLE
from .session import PRINT

HELD = b"\xAA\xBB\xCC\xDD"


def stopped_peer(env):
    peer = env.peer()
    peer.halt()
    peer.journal()
    return peer


@both("8.7 a forced variable is held until Release, which gives the former bytes back", 1)
def _(env):
    peer = stopped_peer(env)
    peer.ask("Force", peer.force())
    equal("forced", peer.read(0x2000001C, 12), bytes((28, 29, 30, 31)) + HELD + bytes((36, 37, 38, 39)))
    peer.ask("Resume")
    peer.rest(0.1)
    equal("forced, running", peer.read(0x20000020, 4), HELD)
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), ORIGINAL)
    equal("forces", peer.status()["forces"], 0)
    equal("no reaction", peer.journal()["journal"], ["force 536870944 aabbccdd", "resume", "release 536870944"])


@both("8.7 a force ends with its lease: the reaction first; other forces stay; it is recorded", 2)
def _(env):
    peer = stopped_peer(env)
    t = now()
    peer.ask("Force", peer.force(lease=500))
    peer.ask("Force", peer.force(addr=0x20000024, lease=60000))
    if now() - t < 0.3:
        equal("within the lease", peer.read(0x20000020, 4), HELD)
    peer.journal()
    peer.rest(0.8)
    equal("after the lease", peer.read(0x20000020, 4), ORIGINAL)
    equal("forces", peer.status()["forces"], 1)
    equal("the other one", peer.read(0x20000024, 4), HELD)
    equal("journal", peer.journal()["journal"], ["react", "release 536870944"])
    r = peer.log_from()[-1]
    equal("record: kind, cause, verdict, addr, value, count",
          (r["kind"], r["cause"], r["verdict"], r["addr"], r["value"], r["count"]),
          (0xE0, 17, 0, 0x20000020, 0xAABBCCDD00000000, 0))
    check(peer.bye is None, f"Bye {peer.bye}")


@agent("8.7 a lease is no longer than Welcome says, and not 0", 1)
def _(env):
    peer = stopped_peer(env)
    for lease in (0, 60001, 600000, 0xFFFFFFFF):
        peer.refuse(19, "Force", peer.force(lease=lease), 60000)
    peer.ask("Force", peer.force(lease=60000))
    for lease in (0, 60001, 0xFFFFFFFF):
        peer.refuse(19, "Renew", dict(SAMPLE["Renew"], lease=lease), 60000)
    peer.ask("Renew", dict(SAMPLE["Renew"], lease=60000))


@agent("8.7 forcing again replaces value, safe value and lease, and Release gives the first bytes back", 3)
def _(env):
    peer = stopped_peer(env)
    peer.ask("Force", peer.force(lease=500, safe=b"SAFE"))
    peer.ask("Force", peer.force(value=b"WXYZ", lease=60000))
    peer.rest(0.8)
    equal("after the first lease", peer.read(0x20000020, 4), b"WXYZ")
    equal("forces", peer.status()["forces"], 1)
    peer.ask("Force", peer.force(value=b"abcd", lease=400))
    peer.rest(0.7)
    equal("after the last lease, the first safe value is replaced by none", peer.read(0x20000020, 4), ORIGINAL)
    peer.ask("Force", peer.force())
    peer.ask("Force", peer.force(value=b"WXYZ"))
    peer.ask("Release", SAMPLE["Release"])
    equal("released", peer.read(0x20000020, 4), ORIGINAL)


@both("8.7 Renew gives a force a new lease, from then on", 2)
def _(env):
    peer = stopped_peer(env)
    peer.ask("Force", peer.force(lease=600))
    for _ in range(3):
        peer.rest(0.35)
        peer.ask("Renew", dict(SAMPLE["Renew"], lease=600))
    equal("held for longer than the first lease", peer.read(0x20000020, 4), HELD)
    peer.rest(0.9)
    equal("forces", peer.status()["forces"], 0)
    records = peer.log_from()
    equal("no record of a Renew", [r for r in records if r["kind"] == 0x1C], [])
    r = records[-1]
    equal("the end's record: kind, cause, renewals", (r["kind"], r["cause"], r["count"]), (0xE0, 17, 3))


@agent("8.7 Renew of what is not forced: UnknownId; with another fingerprint: WrongDevice", 1)
def _(env):
    peer = stopped_peer(env)
    peer.refuse(17, "Renew", SAMPLE["Renew"])
    peer.ask("Force", peer.force())
    peer.refuse(17, "Renew", dict(SAMPLE["Renew"], addr=0x20000024))
    peer.refuse(18, "Renew", dict(SAMPLE["Renew"], fingerprint=bytes(16)))
    peer.ask("Release", SAMPLE["Release"])
    peer.refuse(17, "Renew", SAMPLE["Renew"])


def safe(name, act, journal):
    @agent(f"8.7 a safe value: {name}", 1)
    def _(env):
        peer = stopped_peer(env)
        peer.ask("Force", peer.force(safe=b"SAFE", lease=400 if name == "the lease ends" else 60000))
        equal("forced", peer.read(0x20000020, 4), HELD)
        peer.journal()
        act(peer)
        equal("journal", env.knob("journal")["journal"], journal)
        if peer.active:
            equal("memory", peer.read(0x20000020, 4), b"SAFE")


safe("Release gives it and lets go", lambda p: p.ask("Release", SAMPLE["Release"]),
     ["safe 536870944 53414645", "release 536870944"])
safe("the lease ends", lambda p: p.rest(0.7), ["react", "safe 536870944 53414645", "release 536870944"])
safe("the session ends", lambda p: p.close(), ["react", "safe 536870944 53414645", "release 536870944"])


@both("8.7 Release of a variable that is not forced is Done, and recorded", 1)
def _(env):
    peer = env.peer()
    peer.ask("Release", dict(SAMPLE["Release"], addr=0x20000024))
    peer.halt()
    peer.ask("Force", peer.force(lease=50))
    peer.rest(0.3)
    equal("forces", peer.status()["forces"], 0)
    peer.ask("Release", SAMPLE["Release"])
    equal("records", [(r["kind"], r["verdict"], r["addr"]) for r in peer.log_from()],
          [(0x1B, 0, 0x20000024), (0x10, 0, 0), (0x1A, 0, 0x20000020), (0xE0, 0, 0x20000020), (0x1B, 0, 0x20000020)])


@agent("8.7 where no force can be: Unmapped", 1)
def _(env):
    peer = stopped_peer(env)
    for address in (0x2000001C, 0x20000022, 0x20000030, 0, 1 << 63):
        peer.refuse(11, "Force", peer.force(addr=address))
    for value in (b"a", b"ab", bytes(8), bytes(16)):
        peer.refuse(11, "Force", peer.force(value=value))
    equal("memory", peer.read(0x20000020, 16), bytes(range(32, 48)))


@agent("8.7 four forces at once, one replaced; two forces do not overlap", 1)
def _(env):
    peer = stopped_peer(env)
    for i in range(4):
        peer.ask("Force", peer.force(addr=0x20000020 + 4 * i, value=bytes([i] * 4)))
    equal("forces", peer.status()["forces"], 4)
    peer.ask("Force", peer.force(addr=0x20000020, value=b"\x09" * 4))
    peer.refuse(11, "Force", peer.force(addr=0x20000022, value=b"\x08" * 4))
    peer.refuse(11, "Force", peer.force(addr=0x20000020, value=b"\x08" * 8))
    equal("memory", peer.read(0x20000020, 16), b"\x09" * 4 + b"\x01" * 4 + b"\x02" * 4 + b"\x03" * 4)
    equal("forces", peer.journal()["forces"],
          {str(0x20000020 + 4 * i): f"{9 if not i else i:02x}" * 4 for i in range(4)})


@both("8.7 another device's fingerprint: WrongDevice, nothing happens", 1)
def _(env):
    peer = stopped_peer(env)
    peer.refuse(18, "Force", peer.force(fingerprint=PRINT[:-1] + b"2"))
    peer.ask("Force", peer.force())
    peer.refuse(18, "Release", dict(SAMPLE["Release"], fingerprint=bytes(16)))
    equal("still forced", peer.read(0x20000020, 4), HELD)
    peer.refuse(18, "SetAxis", dict(SAMPLE["SetAxis"], fingerprint=b"R" + PRINT[1:]))
    equal("axes", peer.ask("ReadAxes")["positions"][0], 1000000)


@both("8.7 SetAxis: the axis, and Unmapped", 1)
def _(env):
    peer = env.peer()
    peer.refuse(14, "SetAxis", SAMPLE["SetAxis"])
    peer.halt()
    peer.journal()
    peer.ask("SetAxis", dict(axis=1, position=-123456789012, fingerprint=PRINT))
    peer.ask("SetAxis", dict(axis=2, position=7, fingerprint=PRINT))
    equal("axes", peer.ask("ReadAxes")["positions"], [1000000, -123456789012, 7])
    equal("journal", peer.journal()["journal"], ["axis 1 -123456789012", "axis 2 7"])
    peer.refuse(11, "SetAxis", dict(axis=3, position=0, fingerprint=PRINT))
    peer.refuse(11, "SetAxis", dict(axis=255, position=0, fingerprint=PRINT))
    if env.serial:
        equal("axes in the next State", peer.next().state["axes"], [1000000, -123456789012, 7])
