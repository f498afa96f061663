"""For `selftest`: the audit log (8.8), and the serial line's agent."""

from . import cobs, frames
from .crc import crc32
from .frames import Code, Fields, Kind
from .link import GENERATION
from .packet import Packet, Type, decode
from .rig import Peer, Rig, serial_agent
from .scenarios import OVERRIDE, PROGRAM, SETPOINT, equal, forced, scenario
from .scenarios_machine import FORCE, standing
from .session import Phase


def rows(peer: Peer, *keys: str) -> list[tuple[object, ...]]:
    """Some fields of all records."""
    return [tuple(record[key] for key in keys) for record in peer.records()]


@scenario("6.5")
def what_records_say() -> None:
    rig = Rig()
    peer = rig.operator()
    rig.pass_time(1500)
    equal(peer.code(Kind.HALT), 0)
    for kind, fields in (
        (Kind.FORCE, FORCE),
        (Kind.RENEW, {"addr": OVERRIDE, "lease": 500}),
        (Kind.WRITE_MEMORY, {"addr": PROGRAM, "data": b"0123456789"}),
        (Kind.WRITE_REGISTER, {"register": 3, "value": 99}),
        (Kind.SET_AXIS, {"axis": 1, "position": -5}),
        (Kind.SET_BREAKPOINT, {"addr": PROGRAM, "id": 7}),
        (Kind.CLEAR_BREAKPOINT, {"addr": 0, "id": 7}),
        (Kind.STEP_RANGE, {"first": 1, "last": 2, "over": 0}),
        (Kind.PUSH_POLICY, {"version": 6, "replaces": 0, "enabled": 0, "rules": []}),
    ):
        equal((kind, peer.code(kind, **fields)), (kind, 0))
        rig.pass_time(10)
    rig.pass_time(550)
    equal(
        rows(peer, "kind", "addr", "value", "verdict", "count", "cause"),
        [
            (0x10, 0, 0, 0, 1, 0),
            (0x1A, OVERRIDE, 0x6162636400000000, 0, 1, 0),
            (0x1D, PROGRAM, 0x3031323334353637, 0, 1, 0),
            (0x1E, 3, 99, 0, 1, 0),
            (0x29, 1, 2**64 - 5, 0, 1, 0),
            (0x01, PROGRAM, 7, 0, 1, 0),
            (0x02, 0, 7, 0, 1, 0),
            (0x13, 1, 2, 0, 1, 0),
            (0x32, 6, 0, 0, 1, 0),
            (0xE0, OVERRIDE, 0x6162636400000000, 0, 1, 17),
        ],
    )
    first = peer.records()[0]
    session = int.from_bytes(peer.welcome["device_nonce"][-4:], "big")
    equal((first["version"], first["boot"], first["session"], first["operator"]), (1, 1, session, b"operator"))
    equal((first["time"], first["uptime"], first["sequence"]), (100, 1500, 3))
    equal(len(frames.encode_record(first)), 61)


@scenario("8.8")
def refusals() -> None:
    rig, peer = standing()
    peer.release()
    start = peer.records()[-1]["index"]
    rule = {"first": PROGRAM + 20, "last": PROGRAM + 20, "action": 0}
    cases: list[tuple[Kind, Fields, Code]] = [
        (Kind.FORCE, FORCE | {"fingerprint": bytes(16)}, Code.WRONG_DEVICE),
        (Kind.CLEAR_BREAKPOINT, {"addr": 0, "id": 9}, Code.UNKNOWN_ID),
        (Kind.WRITE_MEMORY, {"addr": 0x20000400, "data": b"a"}, Code.PROTECTED),
        (Kind.WRITE_MEMORY, {"addr": 0x30000000, "data": b"a"}, Code.UNMAPPED),
        (Kind.PUSH_POLICY, {"version": 1, "replaces": 9, "enabled": 0, "rules": [rule]}, Code.POLICY),
        (Kind.READ_MEMORY, {"addr": 0x20000400, "length": 4}, Code.PROTECTED),
        (Kind.RELEASE_AUDIT, {"upto": 1, "crc": 0}, Code.AUDIT_MISMATCH),
    ]
    for kind, fields, code in cases:
        equal((kind, peer.code(kind, **fields)), (kind, code))
        last = peer.records()[-1]
        equal((last["kind"], last["verdict"], last["count"]), (kind, code, 1))
    equal(peer.records()[-1]["index"], start + len(cases))
    request = peer.put(Kind.RESUME, b"", 0)
    rig.run()
    equal((peer.answer(request).fields["code"], peer.records()[-1]["verdict"]), (4, 4))
    peer.send(Kind.RESUME, how={"time": 99999})
    rig.run()
    equal(peer.records()[-1]["verdict"], 8)
    base = peer.sequence
    peer.send(Kind.HALT, how={"sequence": base + 5})
    rig.run()
    peer.send(Kind.RESUME, how={"sequence": base})
    rig.run()
    equal(peer.records()[-1]["verdict"], 9)
    rig.world.moving = True
    equal((peer.code(Kind.RESUME), peer.records()[-1]["verdict"]), (14, 14))
    rig.world.moving = False
    count = len(peer.records())
    equal(peer.code(Kind.READ_MEMORY, addr=0x30000000, length=4), 11)
    peer.put(Kind.RESUME, b"a", 1)
    rig.run()
    equal(len(peer.records()), count)


@scenario("8.8")
def refusals_of_state() -> None:
    rig, peer = standing()
    for addr in (0, 2):
        equal(peer.code(Kind.SET_HARDWARE_BREAKPOINT, addr=PROGRAM + addr, id=addr), 0)
    equal(peer.code(Kind.SET_HARDWARE_BREAKPOINT, addr=PROGRAM + 4, id=4), 13)
    equal(peer.records()[-1]["verdict"], 13)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM, id=4), 16)
    equal(peer.records()[-1]["verdict"], 16)
    equal((peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=0), peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=2)), (0, 0))
    equal(peer.code(Kind.STEP_RANGE, first=0, last=0xFFFFFFFF, over=0), 0)
    equal((peer.code(Kind.RESUME), peer.records()[-1]["verdict"]), (21, 21))
    equal(peer.code(Kind.HALT), 0)
    equal(peer.code(Kind.RESUME), 0)
    equal((peer.code(Kind.RESUME), peer.records()[-1]["verdict"]), (10, 10))
    rig.world.permission = 30
    rig.run()
    equal(peer.code(Kind.GET_STATUS), 5)
    rig.world.permission = 31
    last = peer.records()[-1]
    equal((last["kind"], last["verdict"]), (0x28, 5))


@scenario("8.8")
def equal_refusals() -> None:
    _, peer = standing()
    for number in (1, 1, 1, 2, 1):
        equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=number), 17)
    equal(rows(peer, "value", "count")[1:], [(1, 3), (2, 1), (1, 1)])


@scenario("8.8")
def refusals_take_a_quarter() -> None:
    _, peer = standing()
    for number in range(6):
        equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=number), 17)
    page = peer.ask(Kind.READ_AUDIT, first=0, count=255).fields
    equal((page["oldest"], page["next"], page["lost"]), (0, 7, 2))
    equal(rows(peer, "index", "value"), [(0, 0), (3, 2), (4, 3), (5, 4), (6, 5)])
    for _ in range(5):
        codes = [peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM, id=1), peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1)]
        equal(codes, [0, 0])
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM, id=1), 0)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1), 15)
    equal(peer.records()[-1]["verdict"], 15)
    equal((peer.code(Kind.HALT), peer.code(Kind.RELEASE, addr=SETPOINT)), (0, 0))
    equal(peer.ask(Kind.READ_AUDIT, first=0, count=1).fields["lost"], 5)
    peer.ask(Kind.READ_AUDIT, first=99, count=1)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1), 15)
    equal(peer.release(6), 0)
    equal(peer.records()[-1]["kind"], Kind.RELEASE_AUDIT)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1), 15)
    equal(peer.release(), 0)
    equal(peer.code(Kind.CLEAR_BREAKPOINT, addr=0, id=1), 0)


@scenario("8.8")
def release_audit() -> None:
    _, peer = standing()
    for _ in range(5):
        peer.code(Kind.HALT)
    records = peer.records()
    proof = [crc32(frames.encode_record(record)) for record in records]
    equal(peer.code(Kind.RELEASE_AUDIT, upto=0, crc=0), 29)
    equal(peer.code(Kind.RELEASE_AUDIT, upto=3, crc=proof[3]), 29)
    equal(peer.code(Kind.RELEASE_AUDIT, upto=20, crc=proof[5]), 29)
    last = peer.records()[-1]
    equal(peer.code(Kind.RELEASE_AUDIT, upto=100, crc=crc32(frames.encode_record(last))), 29)
    equal(peer.code(Kind.RELEASE_AUDIT, upto=3, crc=proof[2]), 0)
    room = 0
    while peer.code(Kind.SET_AXIS, axis=0, position=1) == 0:
        room += 1
    equal(room, 12 - 6 + 3 - 1)


@scenario("8.8")
def room_for_the_ends_of_forces() -> None:
    rig, peer = standing()
    while len(peer.records()) < 10:
        peer.code(Kind.HALT)
    equal(peer.code(Kind.FORCE, **FORCE), 0)
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": SETPOINT}), 15)
    equal(peer.code(Kind.SET_AXIS, axis=0, position=1), 15)
    rig.pass_time(1100)
    equal(rows(peer, "kind", "cause")[-1], (0xE0, 17))
    equal(peer.ask(Kind.READ_AUDIT, first=0, count=1).fields["lost"], 0)
    rig, peer = standing()
    while len(peer.records()) < 11:
        peer.code(Kind.HALT)
    equal(peer.code(Kind.FORCE, **FORCE), 15)
    equal(peer.code(Kind.SET_AXIS, axis=0, position=1), 0)
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    equal(rig.operator().welcome["lost"], 1)


@scenario("8.8")
def causes_and_ends() -> None:
    rig = Rig()
    peer = forced(rig)
    number = peer.records()[1]["sequence"]
    peer.send(Kind.BYE, reason=1)
    rig.pass_time(20)
    peer = rig.operator()
    equal(rows(peer, "kind", "cause")[3:], [(0xE0, 1), (0xE3, 1)])
    equal(peer.records()[3]["sequence"], number)
    equal(peer.code(Kind.FORCE, **FORCE), 0)
    equal(peer.code(Kind.RELEASE, addr=OVERRIDE), 0)
    equal(rows(peer, "kind")[5:], [(0x1A,), (0x1B,)])
    equal(peer.code(Kind.FORCE, **FORCE | {"addr": OVERRIDE + 1}), Code.UNMAPPED)
    equal(rows(peer, "kind", "verdict")[-1], (0x1A, 11))


@scenario("8.8")
def the_log_comes_before_the_effect() -> None:
    rig, peer = standing()
    while len(peer.records()) < 12:
        peer.code(Kind.HALT)
    rig.journal()
    equal((peer.code(Kind.SET_AXIS, axis=0, position=1), rig.journal()), (15, []))


@scenario("4.1")
def busy() -> None:
    rig = Rig()
    line = serial_agent(rig.device, 5)
    rig.device.open(line)
    rig.run()
    station = rig.device.station
    assert station is not None

    def opened(cookie: int) -> list[Packet]:
        lane = line.link.lanes[0]
        body = Packet(Type.OPEN, 0, cookie, bytes([GENERATION, 1]))
        rig.device.feed(line, b"\0" + _cobs(body) + b"\0", rig.raw)
        rig.device.run(rig.raw)
        out = b""
        while data := line.poll(rig.raw):
            out += data
        assert lane is not None
        return [decode(_uncobs(piece)) for piece in out.split(b"\0") if piece]

    (accept,) = [packet for packet in opened(1) if packet.type == Type.ACCEPT]
    equal((accept.position, accept.connection), (1, 6))
    (accept,) = [packet for packet in opened(2) if packet.type == Type.ACCEPT]
    equal((accept.position, accept.connection), (2, 7))
    assert station.session is not None
    station.session.phase = Phase.ACTIVE
    station.generation, station._granted_at = 1, rig.raw
    (reset,) = [packet for packet in opened(3) if packet.type == Type.RESET]
    equal((reset.connection, reset.position, reset.payload), (0, 3, b"\6"))
    assert not [packet for packet in opened(4) if packet.type in (Type.RESET, Type.ACCEPT)]
    equal(station.session.phase, Phase.ACTIVE)
    rig.raw += 200
    assert [packet for packet in opened(4) if packet.type == Type.RESET]
    equal(station.session.phase, Phase.ACTIVE)
    station.session.phase = Phase.DISCONNECTING
    rig.raw += 200
    assert not [packet for packet in opened(5) if packet.type == Type.ACCEPT]


def _cobs(packet: Packet) -> bytes:
    return cobs.encode(packet.encode())


def _uncobs(piece: bytes) -> bytes:
    return cobs.decode(piece)
