"""For `selftest`: authority, interlock, steps, breakpoints, memory, forces, clocks (8.1 to 8.7, 8.9 to 8.12)."""

from .frames import Code, Fields, Kind
from .rig import FINGERPRINT, Peer, Rig, stop_codes
from .scenarios import ENDED, OVERRIDE, PROGRAM, SETPOINT, equal, forced, scenario

FORCE = {"addr": OVERRIDE, "lease": 1000, "value": b"abcd", "safe": b""}


def standing(token: bytes = b"operator") -> tuple[Rig, Peer]:
    """A program that stands, and a host."""
    rig = Rig()
    peer = rig.operator(token)
    if token != b"observer":
        equal(peer.code(Kind.HALT), 0)
    rig.journal()
    return rig, peer


def memory(peer: Peer, addr: int, length: int = 4) -> bytes:
    """Bytes as the host reads them."""
    return bytes(peer.ask(Kind.READ_MEMORY, addr=addr, length=length).fields["data"])


@scenario("8.1")
def fields_and_their_details() -> None:
    rig, peer = standing()
    limit, malformed = Code.LIMIT, Code.MALFORMED
    cases: list[tuple[Kind, Fields, Code, int]] = [
        (Kind.FORCE, FORCE | {"lease": 60001}, limit, 60000),
        (Kind.FORCE, FORCE | {"lease": 0}, limit, 60000),
        (Kind.FORCE, FORCE | {"value": b""}, malformed, 0x1A),
        (Kind.FORCE, FORCE | {"value": bytes(17)}, malformed, 0x1A),
        (Kind.FORCE, FORCE | {"safe": b"abc", "lease": 0}, malformed, 0x1A),
        (Kind.READ_MEMORY, {"addr": PROGRAM, "length": 257}, limit, 256),
        (Kind.STEP, {"count": 0, "trace": 0}, limit, 0),
        (Kind.STEP, {"count": 1, "trace": 2}, malformed, 0x12),
        (Kind.STEP_RANGE, {"first": 0, "last": 1, "over": 2}, malformed, 0x13),
        (Kind.READ_REGISTERS, {"what": 2}, malformed, 0x18),
    ]
    for kind, fields, code, detail in cases:
        answer = peer.ask(kind, **fields).fields
        equal((kind, answer["code"], answer["detail"]), (kind, code, detail))
    for kind, body, version, code, detail in (
        (0x7E, b"", 1, Code.UNKNOWN_KIND, 0x7E),
        (0x80, b"1234", 1, Code.UNEXPECTED, 0),
        (Kind.GET_STATUS, b"a", 1, malformed, 0x28),
        (Kind.GET_STATUS, b"", 2, Code.FRAME_VERSION, 2),
    ):
        request = peer.put(kind, body, 1, version=version)
        rig.run()
        fields = peer.answer(request).fields
        equal((kind, fields["code"], fields["detail"]), (kind, code, detail))


@scenario("8.1")
def order_of_checks() -> None:
    rig = Rig()
    peer = rig.operator(b"control")
    equal(peer.code(Kind.FORCE, fingerprint=bytes(16), **FORCE), Code.DENIED)
    rig = Rig()
    peer = rig.operator()
    equal(peer.code(Kind.FORCE, fingerprint=bytes(16), **FORCE), Code.WRONG_DEVICE)
    rig.world.moving = True
    equal(peer.code(Kind.RESUME), Code.WRONG_STATE)
    equal(peer.code(Kind.SET_AXIS, axis=9, position=1), Code.INTERLOCK)
    rig.world.moving = False
    equal(peer.code(Kind.HALT), 0)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM, id=1), 0)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=0x20000400, id=1), Code.DUPLICATE_ID)
    rule = {"first": 0, "last": 0xFFFFFFFF, "action": 0}
    equal(peer.code(Kind.PUSH_POLICY, version=1, replaces=0, enabled=1, rules=[rule]), 0)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=0x20000400, id=2), Code.PROTECTED)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM + 1, id=2), Code.POLICY)


@scenario("8.2")
def what_each_token_may() -> None:
    for token, halt, release, force, push, audit in (
        (b"operator", 0, 0, 0, 0, Code.AUDIT_MISMATCH),
        (b"control", 0, 5, 5, 5, 5),
        (b"observer", 5, 5, 5, 5, 5),
    ):
        _, peer = standing(token)
        peer.forgotten = len(peer.got)
        peer.got.clear()
        codes = [peer.code(Kind.HALT), peer.code(Kind.RELEASE, addr=OVERRIDE), peer.code(Kind.FORCE, **FORCE)]
        codes += [peer.code(Kind.PUSH_POLICY, version=1, replaces=0, enabled=0, rules=[])]
        codes += [peer.code(Kind.RELEASE_AUDIT, upto=1, crc=0), peer.code(Kind.GET_STATUS)]
        equal((token, codes), (token, [halt, release, force, push, audit, 0]))
        details = [got.fields["detail"] for got in peer.of(Kind.ERROR) if got.fields["code"] == 5]
        equal(details, {b"operator": [], b"control": [4, 4, 8, 16], b"observer": [2, 4, 4, 8, 16]}[token])


@scenario("8.2")
def expiry() -> None:
    rig = Rig()
    peer = forced(rig, b"brief")
    rig.pass_time(600)
    equal(rig.journal(), ENDED)
    equal(peer.code(Kind.GET_STATUS), Code.DENIED)
    equal(peer.code(Kind.RESUME), Code.DENIED)
    equal((peer.code(Kind.HALT), peer.code(Kind.RELEASE, addr=SETPOINT)), (0, 0))
    assert not peer.of(Kind.BYE)
    rig.pass_time(59000)
    assert not peer.of(Kind.BYE)
    rig.pass_time(1000)
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [9])


@scenario("8.2")
def an_observer_whose_grant_has_expired() -> None:
    rig = Rig()
    peer = rig.operator(b"observer")
    rig.pass_time(3_600_000, 450)
    equal([peer.code(Kind.GET_STATUS), peer.code(Kind.HALT), peer.code(Kind.RELEASE, addr=SETPOINT)], [5, 5, 5])


@scenario("8.2")
def local_permission() -> None:
    for bits, gone in ((27, ENDED[:2]), (29, [ENDED[0], ENDED[2]]), (0, ENDED)):
        rig = Rig()
        peer = forced(rig)
        rig.world.permission = bits
        rig.run()
        equal(rig.journal(), gone)
        assert not peer.of(Kind.BYE)
        codes = [peer.code(Kind.HALT), peer.code(Kind.RELEASE, addr=SETPOINT), peer.code(Kind.GET_STATUS)]
        equal((bits, codes), (bits, [0, 0, 0 if bits else 5]))
        equal(peer.code(Kind.RESUME), 0 if bits & 2 else 5)
    rig, peer = standing()
    step = peer.send(Kind.STEP, count=10_000_000, trace=0)
    rig.run()
    rig.world.permission = 29
    rig.pass_time(30)
    equal((stop_codes(peer)[1:], rig.device.machine.run), ([(step, 6)], 2))


@scenario("8.2")
def observers() -> None:
    rig = Rig()
    operator = forced(rig)
    observer = rig.operator(b"operator", True)
    equal(observer.welcome["authority"], 1)
    codes = [observer.code(kind) for kind in (Kind.GET_STATUS, Kind.HALT, Kind.RESUME)]
    equal(codes, [0, 5, 5])
    equal(operator.code(Kind.RESUME), 0)
    rig.pass_time(50)
    assert operator.of(Kind.STOPPED)
    assert not observer.of(Kind.STOPPED)
    rig.journal()
    observer.send(Kind.BYE, reason=1)
    rig.run()
    equal(rig.journal(), [])
    rig = Rig()
    rig.operator(b"observer").send(Kind.GET_STATUS)


@scenario("8.3")
def interlock() -> None:
    rig, peer = standing()
    acts = (
        (Kind.SET_BREAKPOINT, {"addr": PROGRAM, "id": 1}),
        (Kind.FORCE, FORCE),
        (Kind.WRITE_MEMORY, {"addr": PROGRAM, "data": b"a"}),
        (Kind.WRITE_REGISTER, {"register": 0, "value": 1}),
        (Kind.SET_AXIS, {"axis": 0, "position": 1}),
        (Kind.STEP, {"count": 1, "trace": 0}),
        (Kind.STEP_RANGE, {"first": 0, "last": 0, "over": 0}),
        (Kind.RESUME, {}),
    )
    rig.world.moving = True
    equal([peer.code(kind, **fields) for kind, fields in acts], [14] * len(acts))
    equal(peer.code(Kind.HALT), 0)
    rig.world.moving = False
    equal(peer.code(Kind.RESUME), 0)
    rig.world.moving = True
    equal(peer.code(Kind.HALT), 14)
    equal(rig.journal(), ["resume"])
    rig.world.moving = False
    running = [peer.code(kind, **fields) for kind, fields in acts]
    equal(running, [0, 14, 10, 10, 14, 10, 10, 10])
    rig.world.interlock = True
    equal(peer.code(Kind.RELEASE, addr=OVERRIDE), 0)


@scenario("8.3")
def hold_and_series() -> None:
    rig = Rig()
    peer = forced(rig)
    rig.world.moving = True
    rig.run()
    equal(rig.journal(), ENDED[::2])
    rig.world.interlock = True
    rig.run()
    equal(rig.journal(), ENDED[:2])
    rig = Rig()
    forced(rig)
    rig.world.interlock = True
    rig.run()
    equal(rig.journal(), ENDED)
    rig, peer = standing()
    step = peer.send(Kind.STEP, count=10_000_000, trace=0)
    rig.run()
    rig.world.moving = True
    rig.pass_time(20)
    stopped = peer.of(Kind.STOPPED)[-1].fields
    equal((stopped["request"], stopped["reason"], stopped["axes"], stopped["more"]), (step, 6, 2, 0))


@scenario("8.4")
def halt_and_state() -> None:
    rig, peer = standing()
    equal((peer.code(Kind.HALT), len(peer.of(Kind.STOPPED)), rig.journal()), (0, 1, []))
    equal(peer.of(Kind.STOPPED)[0].fields["axes"], 1)
    equal(peer.code(Kind.FORCE, **FORCE), 0)
    step = peer.send(Kind.STEP, count=100_000_000, trace=0)
    rig.run()
    rig.pass_time(10)
    status = peer.ask(Kind.GET_STATUS).fields
    assert status["run"] == 3 and 0 < status["steps"] < 100_000_000
    codes = [peer.code(Kind.SET_AXIS, axis=0, position=1), peer.code(Kind.RESUME)]
    codes += [peer.code(Kind.RENEW, addr=OVERRIDE, lease=1000), peer.code(Kind.RELEASE, addr=OVERRIDE)]
    equal(codes, [21, 21, 0, 0])
    halt = peer.send(Kind.HALT)
    rig.run()
    equal(stop_codes(peer)[1:], [(halt, 4)])
    assert step and rig.device.machine.run == 2


@scenario("8.4")
def steps() -> None:
    rig, peer = standing()
    equal(peer.code(Kind.WRITE_REGISTER, register=15, value=PROGRAM), 0)
    step = peer.send(Kind.STEP, count=3, trace=1)
    rig.pass_time(20)
    stopped = peer.of(Kind.STOPPED)[1:]
    equal([(got.fields["request"], got.fields["more"]) for got in stopped], [(step, 1), (step, 1), (step, 0)])
    assert all(got.fields["mask"] >> 15 & 1 for got in stopped)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM + 10, id=5), 0)
    step = peer.send(Kind.STEP, count=100, trace=0)
    rig.pass_time(20)
    equal((stop_codes(peer)[-1], rig.device.machine.registers[15]), ((step, 2), PROGRAM + 10))
    rig.pass_time(20)
    equal(peer.code(Kind.RESUME), 0)
    rig.pass_time(20)
    equal(peer.ask(Kind.LIST_BREAKPOINTS, addr=0, id=0).fields["breakpoints"][0]["hits"], 2)


@scenario("8.4")
def waits_before_each_step() -> None:
    rig, peer = standing()
    peer.send(Kind.STEP, count=1000, trace=1)
    halt = peer.send(Kind.HALT)
    later = peer.send(Kind.GET_STATUS)
    rig.raw += 10
    rig.device.run(rig.raw)
    peer.pump()
    assert not peer.of(Kind.STATUS) or rig.device.machine.registers[0] < 0x1000 + 3
    rig.run()
    assert halt and later


@scenario("8.4")
def ranges() -> None:
    def end(pc: int, first: int, last: int, over: int, link: int = 0) -> int:
        rig, peer = standing()
        peer.code(Kind.WRITE_REGISTER, register=15, value=PROGRAM + pc)
        peer.code(Kind.WRITE_REGISTER, register=14, value=PROGRAM + link + 1)
        request = peer.send(Kind.STEP_RANGE, first=PROGRAM + first, last=PROGRAM + last, over=over)
        rig.pass_time(10)
        equal(stop_codes(peer)[1:], [(request, 1)])
        return rig.device.machine.registers[15] - PROGRAM

    equal(end(0, 0, 6, 0), 8)
    equal(end(0, 20, 30, 0), 2)
    equal(end(0, 0, 6, 1), 8)
    equal(end(0, 0, 6, 1, 10), 10)
    equal(end(0, 0, 6, 0, 10), 8)
    equal(end(0, 0, 6, 1, 14), 8)
    rig, peer = standing()
    peer.code(Kind.STEP_RANGE, first=0, last=0xFFFFFFFF, over=0)
    rig.pass_time(20)
    equal(peer.ask(Kind.GET_STATUS).fields["steps"], 0xFFFFFFFF)


@scenario("8.5")
def breakpoints() -> None:
    _, peer = standing()
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM, id=1), 0)
    again = peer.ask(Kind.SET_HARDWARE_BREAKPOINT, addr=PROGRAM, id=2).fields
    equal((again["code"], again["detail"]), (16, 1))
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM + 2, id=1), 16)
    equal(peer.code(Kind.SET_WATCHPOINT, addr=0x20000010, id=3, length=4, access=2), 0)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=0x20000010, id=4), Code.UNMAPPED)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=PROGRAM + 2, id=1), 17)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=9), 17)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=PROGRAM, id=1), 0)
    for number in (0, 1):
        slot = peer.ask(Kind.SET_HARDWARE_BREAKPOINT, addr=PROGRAM + 2 * number, id=10 + number).fields["slot"]
        equal(slot, (0, 2)[number])
    full = peer.ask(Kind.SET_HARDWARE_BREAKPOINT, addr=PROGRAM + 8, id=12).fields
    equal((full["code"], full["detail"]), (13, 2))
    peer.release()
    for number in range(5):
        equal(peer.code(Kind.SET_SOFTWARE_BREAKPOINT, addr=PROGRAM + 16 + 2 * number, id=20 + number), 0)
    full = peer.ask(Kind.SET_BREAKPOINT, addr=PROGRAM + 40, id=30).fields
    equal((full["code"], full["detail"]), (13, 8))
    listed = peer.ask(Kind.LIST_BREAKPOINTS, addr=0, id=11).fields["breakpoints"]
    equal([row["id"] for row in listed], [11, 20, 21, 22, 23, 24])


@scenario("8.5")
def policies() -> None:
    _, peer = standing()

    def push(version: int, replaces: int, enabled: int, *rules: tuple[int, int, int]) -> int:
        rows = [{"first": PROGRAM + a, "last": PROGRAM + b, "action": c} for a, b, c in rules]
        return peer.code(Kind.PUSH_POLICY, version=version, replaces=replaces, enabled=enabled, rules=rows)

    def arm(offset: int, kind: Kind = Kind.SET_BREAKPOINT) -> int:
        code = peer.code(kind, addr=PROGRAM + offset, id=1)
        if not code:
            peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1)
            peer.release()
        return code

    equal(push(7, 1, 1), 20)
    equal(push(7, 0, 1, (8, 12, 1), (4, 20, 0), (30, 24, 0)), 0)
    equal([arm(8), arm(4), arm(26), arm(40)], [0, 20, 0, 0])
    equal(push(7, 7, 1), 20)
    equal(push(3, 7, 0, (0, 40, 0)), 0)
    equal(arm(4), 0)
    equal(push(4, 3, 1, (60, 62, 0)), 0)
    equal(arm(4), 0)
    everywhere = [{"first": 0, "last": 2**63, "action": 0}]
    equal(peer.code(Kind.PUSH_POLICY, version=5, replaces=4, enabled=1, rules=everywhere), 0)
    equal(peer.code(Kind.SET_WATCHPOINT, addr=0x20000010, id=1, length=4, access=2), 20)


@scenario("8.6")
def the_map() -> None:
    rig, peer = standing()
    equal(len(memory(peer, 0x200003F0, 64)), 16)
    places = (0x20000400, 0x30000000, 2**64 - 1, 0x40000000)
    codes = [peer.code(Kind.READ_MEMORY, addr=addr, length=4) for addr in places]
    equal(codes, [25, 11, 11, 0])
    for addr, data, code in (
        (0x200003FE, b"ab", 0),
        (0x200003FE, b"abcd", 25),
        (0x20000410, b"a", 25),
        (0x400000FE, b"abcd", 11),
        (0x40000000, b"a", 12),
        (0x30000000, b"a", 11),
    ):
        equal((addr, peer.code(Kind.WRITE_MEMORY, addr=addr, data=data)), (addr, code))
    equal(peer.code(Kind.SET_BREAKPOINT, addr=0x20000400, id=1), 25)
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": 0x20000400}), 25)
    status = peer.ask(Kind.GET_STATUS).fields
    equal(status["modified"], 1)
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    peer = rig.operator(b"control")
    equal(peer.of(Kind.STATE)[0].fields["modified"], 1)
    equal(peer.ask(Kind.READ_MAP, first=1).fields["regions"][0]["class"], 2)
    variables = peer.ask(Kind.LIST_VARIABLES, first=4).fields
    equal((variables["generation"], variables["variables"][0]["name"]), (1, b"limit"))
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    peer = rig.operator(b"observer")
    equal(peer.code(Kind.READ_MEMORY, addr=0x40000000, length=4), 25)


@scenario("8.7")
def leases_and_safe_values() -> None:
    rig, peer = standing()
    former = memory(peer, SETPOINT)
    equal(peer.code(Kind.FORCE, addr=SETPOINT, lease=1000, value=b"abcd", safe=b"safe"), 0)
    equal(peer.code(Kind.FORCE, **FORCE | {"lease": 5000}), 0)
    rig.journal()
    rig.pass_time(900)
    equal((memory(peer, SETPOINT), rig.journal()), (b"abcd", []))
    rig.pass_time(110)
    equal(rig.journal(), ["react", f"safe {SETPOINT} {b'safe'.hex()}", f"release {SETPOINT}"])
    equal(memory(peer, SETPOINT), b"safe")
    equal(peer.code(Kind.RENEW, addr=SETPOINT, lease=1000), 17)
    equal(peer.code(Kind.RENEW, addr=OVERRIDE, lease=1000), 0)
    rig.pass_time(900)
    equal(rig.journal(), [])
    rig.pass_time(200)
    equal(rig.journal(), ["react", f"release {OVERRIDE}"])
    equal(peer.code(Kind.FORCE, addr=SETPOINT, lease=500, value=b"abcd", safe=b"evil"), 0)
    equal(peer.code(Kind.FORCE, addr=SETPOINT, lease=5000, value=b"efgh", safe=b""), 0)
    rig.pass_time(700)
    equal(memory(peer, SETPOINT), b"efgh")
    rig.journal()
    equal(peer.code(Kind.RELEASE, addr=SETPOINT), 0)
    equal((memory(peer, SETPOINT), rig.journal()), (b"safe", [f"release {SETPOINT}"]))
    equal(peer.code(Kind.RELEASE, addr=SETPOINT), 0)
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": OVERRIDE}), 0)
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": OVERRIDE + 2}), 11)
    assert former != b"safe"


@scenario("8.7")
def overlapping_forces() -> None:
    rig, peer = standing()
    rig.world.moving = True
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": OVERRIDE + 2}), 14)
    rig.world.moving = False
    equal(peer.code(Kind.FORCE, **FORCE), 0)
    rig.world.moving = True
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": OVERRIDE + 2}), 11)


@scenario("8.7")
def nothing_held_no_reaction() -> None:
    rig, peer = standing()
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    equal(rig.journal(), [])
    rig = Rig()
    peer = forced(rig)
    peer.send(Kind.BYE, reason=1)
    rig.run()
    equal(rig.journal(), ENDED)
    rig.pass_time(20)
    state = rig.operator().of(Kind.STATE)[0].fields
    equal((state["cause"], state["ended"], state["run"]), (1, [{"addr": SETPOINT}], 2))


@scenario("8.7")
def stuck() -> None:
    rig = Rig()
    peer = forced(rig, lease=500)
    rig.world.release_fails = True
    rig.pass_time(600)
    equal(rig.journal(), ["react", "fail-safe"])
    status = peer.ask(Kind.GET_STATUS).fields
    equal((status["stuck"], status["forces"]), (1, 1))
    rows = [(row["kind"], row["cause"], row["verdict"], row["value"] > 0) for row in peer.records()[3:]]
    equal(rows, [(0xE1, 17, 3, True)])
    equal(peer.code(Kind.RELEASE, addr=SETPOINT), 3)
    codes = [peer.code(Kind.RESUME), peer.code(Kind.RENEW, addr=SETPOINT, lease=1000), peer.code(Kind.FORCE, **FORCE)]
    equal(codes, [27, 27, 27])
    equal((peer.code(Kind.HALT), peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=7)), (0, 0))
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    peer = rig.stream()
    peer.hello()
    rig.run()
    equal(peer.of(Kind.ERROR)[0].fields["code"], 27)
    peer = rig.operator(b"observer")
    equal(peer.of(Kind.STATE)[0].fields["stuck"], 1)
    rig.journal()
    rig.world.release_fails = False
    rig.run()
    equal(rig.journal(), [f"release {SETPOINT}"])
    equal(peer.ask(Kind.GET_STATUS).fields["stuck"], 0)


@scenario("8.7")
def stop_without_session() -> None:
    rig = Rig()
    rig.run()
    rig.journal()
    rig.device.trap()
    equal(rig.journal(), ["react"])
    peer = rig.operator()
    state = peer.of(Kind.STATE)[0].fields
    equal((state["last"], state["run"]), (2, 2))
    equal(peer.ask(Kind.GET_STATUS).fields["last"], 2)
    (record,) = peer.records()
    equal((record["kind"], record["value"], record["session"]), (0xE2, 2, 0))
    assert PROGRAM <= record["addr"] < PROGRAM + 64


@scenario("8.9")
def stall() -> None:
    rig = Rig()
    peer = forced(rig)
    rig.jump(490)
    equal(rig.journal(), [])
    rig.jump(510)
    equal(rig.journal(), ENDED[:2])
    equal(peer.ask(Kind.GET_STATUS).fields["breakpoints"], 1)
    rig = Rig()
    forced(rig)
    rig.raw += 600
    rig.device.watchdog(rig.raw)
    equal(rig.journal(), ENDED[:2])
    rig.run()
    equal(rig.journal(), [])


@scenario("8.9")
def halt_before_the_loss() -> None:
    rig = Rig()
    peer = rig.operator()
    rig.pass_time(500)
    peer.send(Kind.HALT)
    rig.jump(4000)
    equal((rig.device.machine.run, [got.fields["reason"] for got in peer.of(Kind.BYE)]), (2, [2]))


@scenario("8.10")
def clocks() -> None:
    rig = Rig()
    peer = forced(rig, lease=1000)
    rig.pass_time(100)
    rig.jump(-90)
    rig.pass_time(300)
    assert not peer.of(Kind.BYE)
    rig.pass_time(800)
    equal(rig.journal(), ENDED[:2])
    rig.jump(-110)
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [10])
    equal(rig.journal(), ENDED[::2])
    rig = Rig()
    peer = forced(rig)
    for _ in range(50):
        rig.device.run(rig.raw)
    assert rig.device.station and rig.device.station.active
    for _ in range(200):
        rig.device.run(rig.raw)
    peer.pump()
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [10])


@scenario("8.2")
def steps_end_with_the_grant() -> None:
    rig, peer = standing(b"brief")
    step = peer.send(Kind.STEP, count=100_000_000, trace=0)
    rig.pass_time(600)
    equal(stop_codes(peer)[1:], [(step, 6)])
    equal(rig.device.machine.run, 2)


@scenario("8.11")
def another_program() -> None:
    rig = Rig()
    peer = rig.operator()
    rig.world.generation = 5
    halt, release = peer.send(Kind.HALT), peer.send(Kind.RELEASE, addr=SETPOINT)
    rig.run()
    answer = peer.answer(release).fields
    equal((peer.answer(halt).kind, answer["code"], answer["detail"]), (Kind.DONE, 28, 5))
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [8])


@scenario("8.12")
def recovery() -> None:
    rig = Rig()
    rig.world.recovery_fails = True
    peer = rig.stream()
    peer.hello()
    rig.run()
    equal((peer.got, rig.journal(), rig.device.busy), ([], [], True))
    rig.world.recovery_fails = False
    rig.run()
    equal((len(peer.got), rig.journal(), rig.device.busy), (2, ["recover"], False))


@scenario("8.13")
def metrics_and_status() -> None:
    rig, peer = standing()
    rig.pass_time(2500)
    numbers = [row["metric"] for row in peer.ask(Kind.READ_METRICS).fields["metrics"]]
    equal(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15])
    equal(peer.ask(Kind.GET_STATUS).fields["uptime"], 2)
    equal(peer.ask(Kind.READ_REGISTERS, what=0).fields["mask"], 0x1FFFF)
    equal(peer.ask(Kind.READ_REGISTERS, what=1).fields["mask"], 0)
    assert FINGERPRINT
