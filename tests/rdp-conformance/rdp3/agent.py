"""The agent, with the reference machine behind it. `python3 -m rdp3.agent --listen 127.0.0.1:0`"""

import argparse
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Sequence

from . import frames, rules
from . import machine as reference
from .audit import Audit
from .commands import MEMORY_LIMIT, TOUCHING, Command, Commands, Grant, Limits, read_body
from .crc import crc32
from .frames import AGENT_KINDS, KINDS, Code, Fields, Kind
from .lanes import Lane, SerialLane, StreamLane
from .link import FIRST_LIMIT, AgentLink, Cause, Ended, Opened, Reset
from .machine import Machine, Refused, Stop
from .metrics import LANE, Metric
from .order import Verdict
from .policy import RULES, Policy
from .rules import broken
from .seal import NO_NONCE, SHORTEST, Direction, Nonces
from .session import HANDSHAKE_TIME, End, IntegrityLost, Phase, Received, Session
from .tcp import Port, now_ms

PROTOCOL = 3
TOKEN_LIMIT = 384
SEND_QUEUE = 4096
"""Bytes of a channel that may wait to be acknowledged; above it, commands wait (8.7)."""
BULK_ANSWER = 128
"""Answers with longer messages go on channel 1 (4.5)."""

ALL_AUTHORITY = 15
HOUR = 3_600_000
TOKENS = {
    b"operator": Grant(b"operator", ALL_AUTHORITY, HOUR),
    b"observer": Grant(b"observer", 1, HOUR),
    b"brief": Grant(b"brief\0\0\0", ALL_AUTHORITY, 500),
}
BAD_TOKEN = 1
"""The authority's own code."""


class NonceSource:
    """Device nonces: a random half, and a counter."""

    def __init__(self) -> None:
        self._half = secrets.token_bytes(8)
        self._count = 0

    def __call__(self) -> bytes:
        """A nonce that has not been given before."""
        self._count += not (broken("nonce-reused") and self._count)
        return self._half + self._count.to_bytes(8, "big")


class Agent:
    """An agent on its lanes. The session is another object for each connection."""

    def __init__(self, lanes: Sequence[Lane], nonces: Callable[[], bytes], now: int) -> None:
        self._metrics: Counter[Metric] = Counter()
        self._link = AgentLink(lanes, self._metrics)
        self._nonces = nonces
        self._born = now
        self._machine = Machine(now)
        self._audit = Audit()
        self._policy = Policy()
        self._session: Session | None = None
        self._commands: Commands | None = None
        self._grant = Grant(b"", 0, 0)
        self._granted_at = now
        self._accepted_at = now
        self._host_limit = FIRST_LIMIT
        self._state = b""
        self._last_touching = -1

    @property
    def finished(self) -> bool:
        """The signal lane is closed."""
        return self._link.lanes[0].closed

    def feed(self, data: bytes, now: int, lane: int = 0) -> None:
        """Takes bytes that a lane has received."""
        self._link.feed(data, now, lane)
        self._work(now)

    def poll(self, now: int, lane: int = 0) -> bytes:
        """One packet for a lane that is free, or nothing."""
        self._work(now)
        return self._link.poll(now, lane)

    def lane_closed(self, now: int) -> None:
        """The signal lane is gone."""
        self._link.lanes[0].closed = True
        self._link.lane_closed()
        self._work(now)

    def _work(self, now: int) -> None:
        self._link_events(now)
        self._measure()
        if self._machine.tracing:
            self._messages(now)
        for stop in self._machine.advance(now, self._has_room):
            self._stopped(stop, now)
            if stop.more:
                self._messages(now)
        self._messages(now)
        self._link_events(now)
        self._timers(now)
        self._measure()

    def _link_events(self, now: int) -> None:
        while self._link.events:
            event = self._link.events.popleft()
            if isinstance(event, Opened):
                self._session = Session(event.connection, Direction.FROM_AGENT, self._metrics)
                self._last_touching = -1
                self._accepted_at = now
            elif isinstance(event, Ended) and self._session is not None:
                self._session.abort(End.REPLACED if event.cause is Cause.REPLACED else End.LINK)
                self._leave()
                self._session = None

    def _leave(self) -> None:
        """Ends what the session has left in the machine, when it is not active any more."""
        if self._commands is not None and (self._session is None or self._session.phase is not Phase.ACTIVE):
            self._commands.end()
            self._commands = None

    def _timers(self, now: int) -> None:
        session = self._session
        if session is None:
            return
        session.heartbeat_run = self._machine.run
        session.poll(now)
        late = broken("handshake-from-hello")
        began = self._granted_at if late else self._accepted_at
        opening = session.phase is Phase.CONNECTING or session.phase is Phase.IDLE and not late
        if opening and now - began >= HANDSHAKE_TIME and not broken("handshake-endless"):
            session.abort(End.NONE)
        self._leave()
        if session.link_may_end(now) and not broken("no-reset-after-end"):
            self._link.close(Reset.CLOSED, now)
            self._session = None

    def _has_room(self) -> bool:
        connection = self._link.connection
        if self._session is not None and not self._session.may_send:
            return False
        return connection is None or all(stream.queued + self._host_limit <= SEND_QUEUE for stream in connection.send)

    def _messages(self, now: int) -> None:
        if self._machine.tracing and broken("trace-before-commands"):
            return
        for channel in (0, 1):
            self._channel(channel, now)

    def _channel(self, channel: int, now: int) -> None:
        while self._has_room() and (data := self._link.message(channel, now)) is not None:
            if self._session is None:
                continue
            try:
                self._message(self._session, data, now)
            except IntegrityLost:
                self._session.integrity_lost(now)
            self._leave()

    def _message(self, session: Session, data: bytes, now: int) -> None:
        if session.phase is Phase.IDLE:
            self._hello(session, data, now)
        elif session.phase is not Phase.CLOSED:
            received = session.receive(data, now)
            if received is None:
                return
            if session.phase is Phase.CONNECTING:
                self._agree(session, received, now)
            elif session.phase is Phase.ACTIVE:
                self._active(session, received, now)
            elif received.kind == Kind.BYE:
                session.bye_received(End.ASKED, now)

    # The handshake (5.3)

    def _hello(self, session: Session, data: bytes, now: int) -> None:
        message = session.first(data, Nonces())
        if message is None:
            self._metrics[Metric.WRONG_TAG] += 1
            raise IntegrityLost
        _, version, kind, body = frames.split(message.frame)
        try:
            fields = self._read(version, kind, body)
            if kind != Kind.HELLO:
                raise Refused(Code.UNEXPECTED)
            session.nonces = Nonces(fields["nonce"])
            if (message.sequence, message.time, message.epoch) != (0, 0, 0) and not broken("hello-any-sequence"):
                raise Refused(Code.UNEXPECTED)
            self._check_hello(fields)
        except Refused as refused:
            self._refuse_handshake(session, 0 if broken("error-without-request") else message.sequence, refused, now)
            return
        self._welcome(session, fields, now)

    def _check_hello(self, hello: Fields) -> None:
        if hello["longest"] < FIRST_LIMIT and not broken("short-limit-accepted"):
            raise Refused(Code.MALFORMED, Kind.HELLO)
        if len(hello["token"]) > TOKEN_LIMIT and not broken("long-token-looked-at"):
            raise Refused(Code.LIMIT, TOKEN_LIMIT)
        if not hello["lowest"] <= PROTOCOL <= hello["highest"] and not broken("versions-not-checked"):
            raise Refused(Code.NO_VERSION, PROTOCOL)
        if hello["token"] not in TOKENS and not broken("bad-token-accepted"):
            raise Refused(Code.BAD_TOKEN, BAD_TOKEN)

    def _welcome(self, session: Session, hello: Fields, now: int) -> None:
        self._grant = TOKENS.get(hello["token"], TOKENS[b"operator"])
        self._granted_at = now
        self._host_limit = hello["longest"]
        self._metrics[Metric.SESSIONS] += 1
        device = self._nonces()
        welcome = {
            "version": PROTOCOL,
            "host_nonce": NO_NONCE if broken("host-nonce-not-echoed") else hello["nonce"],
            "device_nonce": device,
            "fingerprint": reference.FINGERPRINT,
            "architecture": reference.ARCHITECTURE,
            "registers": reference.REGISTERS,
            "axes": reference.AXES,
            "capabilities": reference.CAPABILITIES,
            "longest": FIRST_LIMIT,
            "breakpoints": reference.BREAKPOINTS,
            "memory": MEMORY_LIMIT,
            "forces": reference.FORCES,
            "rules": RULES,
            "interval": session.interval,
            "loss": session.loss,
            "tolerance": session.tolerance,
            "authority": self._grant.authority,
            "name": reference.NAME,
        }
        session.phase = Phase.CONNECTING
        session.send(Kind.WELCOME, welcome, now)
        session.start_clock(now)
        session.nonces = Nonces(hello["nonce"], device)
        state = {
            "run": self._machine.run,
            "axes": [{"position": position} for position in self._machine.axes],
            "plc": [{"value": value} for value in reference.PLC],
            **reference.CURSOR,
        }
        self._state = frames.body(Kind.STATE, state)
        session.send_body(Kind.STATE, self._state, now)

    def _agree(self, session: Session, received: Received, now: int) -> None:
        try:
            fields = self._read(received.version, received.kind, received.body)
            if received.kind != Kind.AGREE:
                if broken("skip-agree"):
                    self._activate(session, now)
                    self._active(session, received, now)
                    return
                raise Refused(Code.UNEXPECTED)
            if received.verdict is not Verdict.GOOD and not broken("late-agree-accepted"):
                return
            if fields["digest"] != crc32(self._state) and not broken("state-mismatch-accepted"):
                raise Refused(Code.STATE_MISMATCH)
        except Refused as refused:
            self._refuse_handshake(session, received.sequence, refused, now)
            return
        session.send(Kind.DONE, {"request": received.sequence}, now)
        self._activate(session, now)

    def _activate(self, session: Session, now: int) -> None:
        session.activate(now)
        number = int.from_bytes(session.nonces.device[-4:], "big")
        limits = Limits(self._host_limit, number)
        self._commands = Commands(
            self._machine, self._audit, self._policy, self._grant, limits, self._metric_fields, self._granted_at
        )

    def _refuse_handshake(self, session: Session, request: int, refused: Refused, now: int) -> None:
        if broken("unexpected-ignored") and refused.code is Code.UNEXPECTED:
            return
        self._error(session, request, refused, now)
        if not broken("refused-not-closed"):
            session.refuse(now)

    # The active session

    def _active(self, session: Session, received: Received, now: int) -> None:
        sequence = received.sequence
        try:
            if broken("order-before-frame") and received.verdict is not Verdict.GOOD:
                raise Refused(Code.STALE)
            fields = self._read(received.version, received.kind, received.body)
            kind = Kind(received.kind)
            if kind in (Kind.HEARTBEAT, Kind.AGREE, Kind.BYE) and received.verdict is not Verdict.GOOD:
                if not broken("stale-heartbeat-answered"):
                    return
            if kind is Kind.HELLO:
                raise Refused(Code.UNEXPECTED)
            self._check_order(session, received, kind, now)
            if kind is Kind.AGREE:
                raise Refused(Code.UNEXPECTED)
            if kind is Kind.BYE:
                session.bye_received(fields["reason"], now)
            elif kind is not Kind.HEARTBEAT:
                self._command(session, Command(kind, sequence, received.time, fields), now)
        except Refused as refused:
            if refused.code is Code.UNKNOWN_KIND and broken("unknown-kind-dropped"):
                return
            self._metrics[Metric.REFUSED] += 1
            self._error(session, sequence, refused, now)

    def _check_order(self, session: Session, received: Received, kind: Kind, now: int) -> None:
        if received.verdict is Verdict.DISORDERED:
            raise Refused(Code.DISORDERED)
        if received.verdict is Verdict.STALE:
            raise Refused(Code.STALE, session.clock(now))
        if kind not in TOUCHING:
            return
        if received.sequence <= self._last_touching and not broken("command-order-ignored"):
            self._metrics[Metric.DISORDERED] += 1
            raise Refused(Code.DISORDERED)
        self._last_touching = received.sequence

    def _command(self, session: Session, command: Command, now: int) -> None:
        if self._commands is None:
            raise Refused(Code.UNEXPECTED)
        kind, fields, stop = self._commands.execute(command, self._uptime(now), now)
        self._metrics[Metric.EXECUTED] += 1
        if stop is not None and broken("stopped-before-done"):
            self._stopped(stop, now)
            stop = None
        self._answer(session, kind, fields | {"request": command.sequence}, now)
        if kind is Kind.DONE and broken("answered-twice"):
            self._answer(session, kind, {"request": command.sequence}, now)
        if stop is not None:
            self._stopped(stop, now)

    @staticmethod
    def _read(version: int, kind: int, body: bytes) -> Fields:
        """The first checks of 8.1: version, kind, body."""
        if version != frames.VERSION and not broken("frame-version-ignored"):
            raise Refused(Code.FRAME_VERSION, version)
        if kind >= AGENT_KINDS:
            raise Refused(Code.UNKNOWN_KIND, kind) if broken("agent-kinds-unknown") else Refused(Code.UNEXPECTED)
        if kind not in KINDS:
            raise Refused(Code.UNKNOWN_KIND, kind)
        return read_body(Kind(kind), body)

    @staticmethod
    def _answer(session: Session, kind: Kind, fields: Fields, now: int) -> None:
        body = frames.body(kind, fields)
        bulk = kind is not Kind.REGISTERS and SHORTEST + len(body) > BULK_ANSWER
        session.send_body(kind, body, now, int(bulk or broken("all-answers-on-bulk")))

    @staticmethod
    def _error(session: Session, request: int, refused: Refused, now: int) -> None:
        session.send(Kind.ERROR, {"request": request, "code": refused.code, "detail": refused.detail & 0xFFFFFFFF}, now)

    def _stopped(self, stop: Stop, now: int) -> None:
        if self._session is not None and self._commands is not None:
            self._session.send(Kind.STOPPED, self._commands.stopped(stop), now, int(broken("stopped-on-bulk")))

    # Metrics (8.8)

    def _uptime(self, now: int) -> int:
        return (now - self._born) & 0xFFFFFFFF

    def _measure(self) -> None:
        connection = self._link.connection
        if connection is None:
            self._metrics[Metric.QUEUE_NOW] = 0
            return
        now = sum(stream.queued for stream in connection.receive)
        self._metrics[Metric.QUEUE_NOW] = now
        for metric, value in (
            (Metric.QUEUE_MOST, now),
            (Metric.SEND_MOST_0, connection.send[0].queued),
            (Metric.SEND_MOST_1, connection.send[1].queued),
        ):
            self._metrics[metric] = max(self._metrics[metric], value)

    def _metric_fields(self, uptime: int) -> Fields:
        values: dict[int, int] = {metric: self._metrics[metric] for metric in Metric}
        values[Metric.UPTIME] = uptime
        for index, lane in enumerate(self._link.lanes):
            counts = lane.counts
            numbers = (counts.received, counts.sent, counts.header_failures, counts.crc_failures, counts.resent, counts.overlong)
            values |= {LANE + 0x10 * index + offset: number for offset, number in enumerate(numbers)}
        return {"metrics": [{"metric": metric, "value": min(value, 0xFFFFFFFF)} for metric, value in values.items()]}


def serve(listener: socket.socket, serial: bool) -> None:
    """Serves one TCP connection after the other."""
    nonces = NonceSource()
    while True:
        sock, _ = listener.accept()
        lane = SerialLane() if serial else StreamLane()
        agent = Agent([lane], nonces, now_ms())
        with sock:
            port = Port(sock)
            while not agent.finished:
                port.pump(agent)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="rdp3.agent", description="An RDPv3 agent with the reference machine behind it.")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--serial", action="store_true", help="serial framing with an MTU of 64 on the TCP connection")
    rules.add_option(parser)
    options = parser.parse_args()
    rules.set_broken(options.broken)
    host, _, port = options.listen.rpartition(":")
    with socket.create_server((host, int(port))) as listener:
        print("listening {}:{}".format(*listener.getsockname()[:2]), flush=True)
        try:
            serve(listener, options.serial)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
