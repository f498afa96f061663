"""For `selftest`: what SPEC.md says of the agent, one scenario a rule or a few."""

from collections.abc import Callable

from .frames import Code, Kind
from .rig import Peer, Rig, stop_codes
from .seal import Nonces

ALL: dict[str, Callable[[], None]] = {}
SETPOINT, OVERRIDE = 0x20000020, 0x20000024
PROGRAM = 0x20000100


def scenario(section: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Adds a scenario."""

    def add(function: Callable[[], None]) -> Callable[[], None]:
        ALL[f"{section} {function.__name__}"] = function
        return function

    return add


def equal(got: object, wanted: object) -> None:
    """Says what was got."""
    assert got == wanted, f"got {got}, not {wanted}"


def forced(rig: Rig, token: bytes = b"operator", lease: int = 60000) -> Peer:
    """A host that holds a force and a breakpoint in a program that stands."""
    peer = rig.operator(token)
    equal(peer.code(Kind.HALT), 0)
    equal(peer.code(Kind.FORCE, addr=SETPOINT, lease=lease, value=b"abcd", safe=b""), 0)
    equal(peer.code(Kind.SET_BREAKPOINT, addr=PROGRAM + 4, id=7), 0)
    rig.journal()
    return peer


ENDED = ["react", f"release {SETPOINT}", f"clear {PROGRAM + 4}"]


@scenario("5.4")
def handshake_refusals() -> None:
    cases = [
        ({"token": b"nobody"}, Code.BAD_TOKEN, 1),
        ({"lowest": 4, "highest": 5}, Code.NO_VERSION, 3),
        ({"longest": 511, "token": b"nobody"}, Code.MALFORMED, 0x40),
        ({"token": bytes(385)}, Code.LIMIT, 384),
        ({"token": b"nobody", "lowest": 4}, Code.NO_VERSION, 3),
        ({"how": {"time": 1}}, Code.UNEXPECTED, 0),
        ({"how": {"sequence": 1}}, Code.UNEXPECTED, 0),
        ({"channel": 1}, Code.UNEXPECTED, 0),
    ]
    for fields, code, detail in cases:
        rig = Rig()
        peer = rig.stream()
        peer.hello(**fields)
        rig.run()
        (error,) = peer.of(Kind.ERROR)
        sequence = 1 if code is Code.UNEXPECTED and "sequence" in fields.get("how", {}) else 0
        equal(error.fields, {"request": sequence, "code": code, "detail": detail})
        rig.pass_time(20)
        assert peer.closed


@scenario("5.4")
def first_messages() -> None:
    for kind, body, code in (
        (Kind.SEAL_RECORD, b"\0\1abc", Code.NO_SEAL),
        (Kind.HEARTBEAT, bytes(5), Code.UNEXPECTED),
        (0x7E, b"", Code.UNKNOWN_KIND),
        (Kind.HELLO, b"\3\3", Code.MALFORMED),
    ):
        rig = Rig()
        peer = rig.stream()
        peer.put(kind, body, 0)
        rig.run()
        equal(peer.of(Kind.ERROR)[0].fields["code"], code)
        rig.pass_time(20)
        assert peer.closed


@scenario("5.4")
def agree_and_what_comes_in_its_place() -> None:
    for kind, body in ((Kind.GET_STATUS, b""), (Kind.HEARTBEAT, bytes(5)), (Kind.AGREE, bytes(4))):
        rig = Rig()
        peer = rig.stream()
        peer.hello()
        rig.run()
        peer.put(kind, body, 0 if kind is not Kind.GET_STATUS else 1)
        rig.run()
        code = Code.STATE_MISMATCH if kind is Kind.AGREE else Code.UNEXPECTED
        equal([got.fields["code"] for got in peer.of(Kind.ERROR)], [code])
    rig = Rig()
    peer = rig.stream()
    peer.hello()
    rig.run()
    peer.time = 5000
    peer.agree()
    equal([got.kind for got in peer.got], [Kind.WELCOME, Kind.STATE])


@scenario("5.4")
def handshake_takes_5000_ms_from_the_line_on() -> None:
    rig = Rig()
    silent = rig.stream()
    rig.pass_time(4900)
    assert not silent.closed
    rig.pass_time(200)
    assert silent.closed and not silent.got
    rig = Rig()
    late = rig.stream()
    rig.pass_time(4000)
    late.hello()
    rig.pass_time(900)
    assert not late.closed
    rig.pass_time(200)
    assert late.closed


@scenario("6.4")
def welcome_and_state() -> None:
    rig = Rig()
    rig.world.generation = 9
    peer = rig.operator(b"control")
    welcome, state = peer.welcome, peer.of(Kind.STATE)[0].fields
    wanted = {"version": 3, "architecture": 1, "registers": 17, "axes": 3, "capabilities": 255, "generation": 9}
    wanted |= {"longest": 512, "credit": 4, "breakpoints": 8, "memory": 256, "forces": 8, "rules": 16, "lease": 60000}
    wanted |= {"interval": 1000, "loss": 3000, "tolerance": 5000, "stall": 500, "halt": 1, "trap": 1, "end": 2}
    wanted |= {"authority": 3, "expires": 3600, "boot": 1, "records": 1, "log": 1, "lost": 0, "lifecycle": 0}
    wanted |= {"suite": 0, "suites": [{"suite": 0}], "name": b"reference", "host_nonce": bytes(range(16, 32))}
    equal({key: welcome[key] for key in wanted}, wanted)
    equal([got.time for got in peer.of(Kind.WELCOME)], [0])
    wanted = {"run": 1, "modified": 0, "stuck": 0, "last": 0, "last_detail": 0, "cause": 0, "ended": []}
    equal({key: state[key] for key in wanted}, wanted)
    nonce = welcome["device_nonce"]
    rig.restart()
    peer = rig.operator()
    equal(peer.welcome["boot"], 2)
    assert peer.welcome["device_nonce"] != nonce


@scenario("5.5")
def wrong_tags() -> None:
    wrong = [{"tagged": 0}, {"nonces": Nonces()}, {"direction": 1}, {"magic": 0x47444251}]
    wrong.append({"nonces": Nonces(bytes(range(16, 32)))})
    for how in wrong:
        rig = Rig()
        peer = forced(rig)
        peer.send(Kind.GET_STATUS, how=how)
        rig.run()
        equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [4])
        equal(rig.journal(), ENDED)
        peer.send(Kind.GET_STATUS, how=how)
        rig.pass_time(100)
        assert not peer.closed
        rig.pass_time(1000)
        assert peer.closed
    rig = Rig()
    peer = rig.stream()
    peer.hello(how={"nonces": Nonces(bytes(16), bytes(15) + b"1")})
    rig.run()
    assert not peer.got and peer.closed


@scenario("5.1")
def records_of_wrong_length() -> None:
    for data in (b"\0\x11" + bytes(17), b"\x80\0", b"\x82\x01"):
        rig = Rig()
        peer = forced(rig)
        peer.raw(data)
        rig.run()
        assert peer.closed
        equal(rig.journal(), ENDED)


@scenario("5.6")
def order_of_each_channel() -> None:
    rig = Rig()
    peer = rig.operator()
    first = peer.send(Kind.GET_STATUS)
    halt = peer.send(Kind.HALT)
    rig.run()
    for channel, again in ((1, first), (0, halt), (0, 0)):
        count = len(peer.got)
        kind = Kind.HALT if channel == 0 else Kind.GET_STATUS
        peer.send(kind, how={"sequence": again})
        rig.run()
        equal(len(peer.got), count)
    later = peer.sequence + 5
    peer.send(Kind.HALT, how={"sequence": later})
    rig.run()
    peer.send(Kind.GET_STATUS, how={"sequence": later - 1})
    rig.run()
    assert peer.answer(later - 1).kind is Kind.STATUS
    equal(peer.ask(Kind.READ_METRICS).fields["metrics"][4], {"metric": 5, "value": 3})


@scenario("5.6")
def what_a_halt_overtakes() -> None:
    rig = Rig()
    peer = forced(rig)
    base = peer.sequence
    peer.send(Kind.HALT, how={"sequence": base + 10})
    rig.run()
    peer.send(Kind.RESUME, how={"sequence": base + 1})
    peer.send(Kind.FORCE, how={"sequence": base + 2}, addr=OVERRIDE, lease=1, value=b"abcd", safe=b"")
    peer.send(Kind.GET_STATUS, how={"sequence": base + 3})
    peer.send(Kind.RENEW, how={"sequence": base + 4}, addr=SETPOINT, lease=1000)
    rig.run()
    codes = [peer.answer(base + n).fields.get("code", 0) for n in (1, 2, 3, 4)]
    equal(codes, [Code.DISORDERED, Code.DISORDERED, 0, 0])
    rig = Rig()
    peer = forced(rig)
    base = peer.sequence
    peer.send(Kind.RELEASE, how={"sequence": base + 10}, addr=SETPOINT + 8)
    rig.run()
    peer.send(Kind.RENEW, how={"sequence": base + 1}, addr=SETPOINT, lease=1000)
    peer.send(Kind.FORCE, how={"sequence": base + 2}, addr=OVERRIDE, lease=1, value=b"abcd", safe=b"")
    peer.send(Kind.SET_AXIS, how={"sequence": base + 3}, axis=0, position=1)
    rig.run()
    codes = [peer.answer(base + n).fields.get("code", 0) for n in (1, 2, 3)]
    equal(codes, [Code.DISORDERED, Code.DISORDERED, 0])


@scenario("5.6")
def stale() -> None:
    rig = Rig()
    peer = rig.operator()
    rig.pass_time(6500)
    now = (rig.raw - 1_000_000) // 10
    for time, code in ((now + 1, 8), (now - 501, 8), (now - 500, 0), (now, 0)):
        request = peer.send(Kind.GET_STATUS, how={"time": time})
        rig.run()
        answer = peer.answer(request)
        equal(answer.fields.get("code", 0), code)
        equal(answer.fields.get("detail", now), now)
    peer.send(Kind.BYE, how={"time": 0}, reason=1)
    request = peer.send(Kind.HALT, how={"time": 0})
    peer.put(Kind.HALT, b"a", 0, time=0)
    rig.run()
    equal(peer.answer(request).fields["code"], 8)
    equal(peer.answer(peer.sequence - 1).fields["code"], 2)
    assert not peer.of(Kind.BYE)
    again = peer.send(Kind.HALT, how={"time": 0})
    rig.run()
    count = len(peer.got)
    peer.send(Kind.HALT, how={"sequence": again})
    rig.run()
    equal(len(peer.got), count)
    peer.send(Kind.AGREE, how={"time": 0}, digest=0)
    rig.run()
    equal(len(peer.got), count)


@scenario("5.6")
def stale_while_it_waits() -> None:
    rig = Rig()
    peer = rig.operator()
    rig.pass_time(3500)
    peer.beats = False
    held = (rig.raw - 1_000_000) // 10 - 300
    read = peer.send(Kind.GET_STATUS, how={"time": held})
    halt = peer.send(Kind.HALT, how={"time": held})
    rig.jump(2200)
    assert rig.device.machine.run == 2
    equal(peer.answer(halt).kind, Kind.DONE)
    equal(peer.answer(read).fields["code"], 8)


@scenario("5.6")
def channels() -> None:
    rig = Rig()
    peer = rig.operator()
    for kind, channel in ((Kind.HALT, 1), (Kind.GET_STATUS, 0), (Kind.HELLO, 0)):
        body = b"" if kind is not Kind.HELLO else b"\3\3" + bytes(16) + b"\2\0\0\0\0"
        request = peer.put(kind, body, channel)
        rig.run()
        answer = peer.answer(request)
        equal((answer.channel, answer.fields.get("code")), (channel, 4))
    request = peer.send(Kind.HALT)
    status = peer.send(Kind.GET_STATUS)
    rig.run()
    equal([peer.answer(request).channel, peer.answer(status).channel], [0, 1])
    equal([got.channel for got in peer.of(Kind.STOPPED)], [0])
    kinds = [got.kind for got in peer.got]
    assert kinds.index(Kind.STOPPED) > kinds.index(Kind.DONE, kinds.index(Kind.DONE) + 1)


@scenario("5.6")
def one_of_channel_1_a_run_and_all_of_channel_0() -> None:
    rig = Rig()
    peer = rig.operator()
    for _ in range(3):
        peer.send(Kind.GET_STATUS)
    for _ in range(3):
        peer.send(Kind.HALT)
    before = len(peer.got)
    rig.device.run(rig.raw)
    peer.pump()
    kinds = [got.kind for got in peer.got[before:]]
    equal(sorted(kinds), sorted([Kind.DONE, Kind.STOPPED, Kind.DONE, Kind.DONE, Kind.STATUS]))


@scenario("5.6")
def credit_and_room() -> None:
    rig = Rig()
    peer = rig.operator()
    for _ in range(6):
        peer.send(Kind.GET_STATUS)
    equal(rig.device.station and len(rig.device.station.line._received[1]), 4)  # type: ignore[attr-defined]
    rig.run()
    equal(len(peer.of(Kind.STATUS)), 6)
    for _ in range(4):
        for _ in range(8):
            peer.send(Kind.READ_MEMORY, addr=0x20000000, length=256)
            rig.device.run(rig.raw)
    assert rig.device.station and not rig.device.station.has_room(1)
    halt = peer.send(Kind.HALT)
    rig.device.run(rig.raw)
    equal(rig.device.machine.run, 2)
    order = []
    while data := peer.line.poll(rig.raw):
        order.append(data[0] >> 7)
    equal(order, sorted(order))
    assert halt and len(order) > 10


@scenario("5.7")
def what_is_heard() -> None:
    def lost_after(kind: Kind | None, **fields: object) -> int:
        rig = Rig()
        peer = rig.operator()
        rig.pass_time(1000)
        peer.beats = False
        beat = peer.of(Kind.HEARTBEAT)[0]
        sent = peer.sequence - 1
        for count in range(100):
            if kind is Kind.HEARTBEAT and fields.get("replay"):
                peer.send(kind, run=0, challenge=beat.fields["challenge"], how={"sequence": sent})
            elif kind is Kind.HEARTBEAT:
                known = peer.of(Kind.HEARTBEAT)[-1].fields["challenge"] if fields.get("stale") else 0
                challenge = beat.fields["challenge"] if fields.get("same") else known
                how = {"time": 90000} if fields.get("stale") else {}
                peer.send(kind, run=0, challenge=challenge, how=how)
            elif kind is not None:
                peer.send(kind)
            rig.pass_time(100)
            if peer.of(Kind.BYE):
                equal(peer.of(Kind.BYE)[0].fields["reason"], 2)
                return count
        return 100

    for kind, how in (
        (None, {}),
        (Kind.HEARTBEAT, {}),
        (Kind.HEARTBEAT, {"same": True}),
        (Kind.HEARTBEAT, {"replay": True}),
        (Kind.HEARTBEAT, {"stale": True}),
        (Kind.GET_STATUS, {}),
        (Kind.HALT, {}),
    ):
        equal((kind, how, lost_after(kind, **how)), (kind, how, 29))
    rig = Rig()
    forced(rig)
    rig.pass_time(10000)
    equal(rig.journal(), [])


@scenario("5.7")
def heartbeats_and_their_challenges() -> None:
    rig = Rig()
    peer = rig.operator()
    peer.beats = False
    rig.pass_time(2900)
    beats = peer.of(Kind.HEARTBEAT)
    equal(len(beats), 2)
    equal([beat.fields["run"] for beat in beats], [1, 1])
    equal(len({beat.fields["challenge"] for beat in beats}), 2)
    peer.send(Kind.HEARTBEAT, run=0, challenge=beats[0].fields["challenge"])
    rig.pass_time(1050)
    assert not peer.of(Kind.BYE)
    rig.pass_time(100)
    equal(len(peer.of(Kind.BYE)), 1)
    for answered, alive in (([0, 1], 3900), ([1, 0], 3900), ([1, 1], 3900)):
        rig = Rig()
        peer = rig.operator()
        peer.beats = False
        rig.pass_time(2100)
        beats = peer.of(Kind.HEARTBEAT)
        for index in answered:
            peer.send(Kind.HEARTBEAT, run=0, challenge=beats[index].fields["challenge"])
        rig.pass_time(alive - 2100 + 1000)
        equal(len(peer.of(Kind.BYE)), 0)
        metrics = peer.ask(Kind.READ_METRICS).fields["metrics"]
        value = next(row["value"] for row in metrics if row["metric"] == 14)
        equal((answered, value), (answered, 2 if answered == [0, 1] else 1))
        rig.pass_time(150)
        equal(len(peer.of(Kind.BYE)), 1)


@scenario("5.7")
def heard_as_of_agree() -> None:
    rig = Rig()
    peer = rig.stream()
    peer.hello()
    rig.run()
    rig.pass_time(2500)
    peer.agree()
    peer.beats = False
    rig.pass_time(600)
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [2])


@scenario("5.8")
def bye_both_ways() -> None:
    rig = Rig()
    peer = forced(rig)
    peer.send(Kind.BYE, reason=4)
    rig.run()
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [4])
    rig.pass_time(20)
    assert peer.closed
    equal(rig.journal(), ENDED)
    rig = Rig()
    peer = forced(rig)
    rig.world.generation = 2
    rig.run()
    equal([got.fields["reason"] for got in peer.of(Kind.BYE)], [8])
    equal(rig.journal(), ENDED)
    peer.send(Kind.BYE, reason=8)
    rig.run()
    assert not peer.closed
    rig.pass_time(1010)
    assert peer.closed


@scenario("5.8")
def line_lost() -> None:
    rig = Rig()
    peer = forced(rig)
    equal(peer.code(Kind.STEP, count=1_000_000, trace=0), 0)
    peer.line.gone(rig.raw)
    rig.run()
    equal([text for text in rig.journal() if text != "step"], ENDED)
    equal((rig.device.machine.run, stop_codes(peer)[1:]), (2, []))


from . import scenarios_log, scenarios_machine  # noqa: E402 - they add to ALL

__all__ = ["ALL", "scenarios_log", "scenarios_machine"]
