"""The agent's side of one line: its session, from Hello to Bye (section 5)."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import bodies, frames
from .audit import REFUSED
from .commands import FIRST_LIMIT, Command, Commands
from .crc import crc32
from .frames import Code, Fields, Kind
from .kinds import CONTROL, OBSERVE, TABLE, URGENT, channel
from .line import Arrived, Line
from .link import Opened
from .machine import Stop
from .memory import Refused
from .metrics import Metric
from .presence import Presence
from .rules import broken
from .seal import SUITE, Direction, Nonces
from .session import HANDSHAKE_TIME, LAST_TIME, UNIT, End, IntegrityLost, Phase, Received, Session
from .welcome import LOSS, PROTOCOL, STALE_AFTER, state, welcome

if TYPE_CHECKING:
    from .device import Device

TOKEN_LIMIT = 384
LONGEST_ANSWER = 4096
INTERVAL = 1000
QUEUES = 2048, 8192
"""Bytes of each channel that may wait to be sent; above it, commands wait (5.6)."""
ANSWERS_KEPT = 4 * 32
"""Four commands on channel 0 may be unanswered, and Done and Error are no longer than that."""
LONGEST_EVENT = 128
"""Stopped with all registers, and its record."""
HOUR = 3_600_000
DAY = 24 * HOUR
AFTER_GRANT = 60_000
"""A session lasts so long after the grant's end (8.2)."""
BAD_TOKEN = 1
"""The authority's own code."""


@dataclass(frozen=True)
class Grant:
    """What the token's check says: who, what, and for how many milliseconds (8.2)."""

    operator: bytes
    authority: int
    duration: int


NOBODY = Grant(bytes(8), 0, 0)
TOKENS = {
    b"operator": Grant(b"operator", 31, HOUR),
    b"observer": Grant(b"observer", OBSERVE, HOUR),
    b"control": Grant(b"control\0", OBSERVE | CONTROL, HOUR),
    b"brief": Grant(b"brief\0\0\0", 31, 500),
    b"glimpse": Grant(b"glimpse\0", OBSERVE, 500),
}


class Station:
    """A line of the agent's, and its session. The session is another object for each that begins."""

    def __init__(self, device: "Device", line: Line, observers: bool) -> None:
        self.line = line
        self.observers = observers
        self.session: Session | None = None
        self.operator = NOBODY.operator
        self.number = 0
        """The session in the audit log: the last bytes of the device nonce."""
        self.generation = 0
        self.expired = False
        self._device = device
        self._grant = NOBODY
        self._granted_at = 0
        self._began = 0
        self._state = b""
        self._presence = Presence(0)
        self._beaten = 0
        self._commands: Commands | None = None
        self._last = {Kind.HALT: -1, Kind.RELEASE: -1}
        """Sequences of the last Halt and Release (5.6, 3)."""
        self._limit = FIRST_LIMIT
        self.due: deque[Stop] = deque()
        """Stopped that have found no room yet: no command of channel 1 and no step comes before them (8.4)."""

    @property
    def active(self) -> bool:
        """The session is open."""
        return self.session is not None and self.session.phase is Phase.ACTIVE

    @property
    def occupied(self) -> bool:
        """Nobody else is let in (5.3)."""
        phase = Phase.IDLE if self.session is None else self.session.phase
        if broken("second-stream-ends-session") or broken("second-stream-takes-over"):
            return False
        if broken("handshake-occupies") and phase is Phase.CONNECTING:
            return True
        return phase is Phase.ACTIVE or phase is Phase.DISCONNECTING and not broken("disconnecting-yields")

    @property
    def authority(self) -> int:
        """What the grant contains, on this line."""
        if self.observers and not broken("observers-line-grants-all"):
            return self._grant.authority & OBSERVE
        return self._grant.authority

    def has_room(self, channel: int) -> bool:
        """Whether there is room for an answer on its channel (5.6)."""
        queued = self.line.queues()[2:]
        if broken("room-on-both-channels"):
            return all(one < most for one, most in zip(queued, QUEUES))
        return queued[channel] < QUEUES[channel]

    def _has_room_for_events(self) -> bool:
        """Whether a Heartbeat or Stopped leaves room for the answers on channel 0 (5.6)."""
        kept = -2 * LONGEST_EVENT if broken("room-for-answers-not-kept") else ANSWERS_KEPT
        return self.line.queues()[2] + LONGEST_EVENT + kept <= QUEUES[0]

    def events(self, now: int) -> None:
        """Beginnings and ends of what carries the session."""
        while self.line.events:
            event = self.line.events.popleft()
            if isinstance(event, Opened):
                self._device.clock.heard()
                self.session = Session(self.line, Direction.FROM_AGENT, self._device.metrics)
                self.session.on_leave = self._left
                self._began = now
                self._grant, self.expired = NOBODY, False
                self._commands = None
            elif self.session is not None:
                if not broken("line-lost-keeps-session"):
                    self.session.abort(End.LINE, now)
                self.session = None

    def _left(self, reason: int, now: int) -> None:
        self._device.session_left(self, reason, now)

    def channel0(self, now: int) -> None:
        """Everything on channel 0 that has arrived (8.2)."""
        while self._ready(0, now) and self._message(0, now) and not broken("one-of-channel-0-a-run"):
            pass

    def channel1(self, now: int) -> bool:
        """One message of channel 1."""
        return self._ready(1, now) and self._message(1, now)

    def owes(self) -> bool:
        """Whether a command waits on channel 1, or an answer on it has not left (8.4): no step begins meanwhile."""
        return self.line.waiting(1) or self.line.queues()[3] > 0

    def one(self, now: int) -> bool:
        """One message of any channel: observers get no more (8.2)."""
        return self._ready(0, now) and self._message(0, now) or self.channel1(now)

    def waits(self, now: int) -> bool:
        """Whether there is a message that can be taken at once."""
        return any(self.line.waiting(channel) and self._ready(channel, now) for channel in (0, 1))

    def _ready(self, channel: int, now: int) -> bool:
        waiting = not self._device.recovered and not broken("hello-before-recovery")
        if channel and self.due:
            return False
        return self.session is not None and not waiting and self.has_room(channel)

    def _message(self, channel: int, now: int) -> bool:
        arrived = self.line.take(channel, now)
        if arrived is None or self.session is None:
            return False
        try:
            self._take(self.session, arrived, channel, now)
        except IntegrityLost:
            self.session.integrity_lost(now)
        return True

    def _take(self, session: Session, arrived: Arrived, channel: int, now: int) -> None:
        if session.phase is Phase.IDLE:
            self._hello(session, arrived, channel, now)
        elif session.phase is Phase.DISCONNECTING:
            self._disconnecting(session, arrived, channel, now)
        elif session.phase is not Phase.CLOSED:
            received = session.receive(arrived, channel, now)
            if received is None:
                self._replayed(session, arrived, channel, now)
                return
            if session.phase is Phase.CONNECTING:
                self._agree(session, received, now)
            else:
                self._active(session, received, now)

    def _replayed(self, session: Session, arrived: Arrived, channel: int, now: int) -> None:
        """A replay counts for nothing, and is not answered (5.6, 1)."""
        if broken("replay-heard"):
            self._presence.anything(session.clock(now))
        if broken("replay-answered"):
            self._error(session, int.from_bytes(arrived.data[:4], "big"), Refused(Code.DISORDERED), now, channel)

    @staticmethod
    def _disconnecting(session: Session, arrived: Arrived, channel: int, now: int) -> None:
        """Whatever else comes than Bye is discarded, whatever its tag (5.8)."""
        try:
            received = session.receive(arrived, channel, now)
        except IntegrityLost:
            if broken("disconnecting-listens"):
                raise
            return
        if received is not None and received.kind == Kind.BYE:
            session.bye_received(End.ASKED, now)

    # The handshake (5.4)

    def _hello(self, session: Session, arrived: Arrived, channel: int, now: int) -> None:
        message = session.first(arrived, Nonces(), channel)
        if message is None:
            self._device.metrics[Metric.WRONG_TAG] += 1
            raise IntegrityLost
        _, version, kind, body = frames.split(message.frame)
        session.phase = Phase.CONNECTING
        if broken("handshake-from-hello"):
            self._began = now
        try:
            fields = bodies.read(version, kind, body)
            if kind == Kind.SEAL_RECORD and not broken("seal-record-unexpected"):
                raise Refused(Code.NO_SEAL, SUITE)
            if kind != Kind.HELLO:
                raise Refused(Code.UNEXPECTED)
            session.nonces = Nonces(fields["nonce"])
            if channel and not broken("hello-on-channel-1"):
                raise Refused(Code.UNEXPECTED)
            first = message.sequence == 0 or broken("hello-any-sequence")
            if not first or message.time and not broken("hello-any-time"):
                raise Refused(Code.UNEXPECTED)
            self._check_hello(fields, now)
        except Refused as refused:
            self._refuse(session, 0 if broken("error-without-request") else message.sequence, refused, now, channel)
            return
        self._welcome(session, fields, now)

    def _check_hello(self, hello: Fields, now: int) -> None:
        if broken("token-before-version"):
            self._check_token(hello)
        if hello["longest"] < FIRST_LIMIT and not broken("short-limit-accepted"):
            raise Refused(Code.MALFORMED, Kind.HELLO)
        if len(hello["token"]) > TOKEN_LIMIT and not broken("long-token-looked-at"):
            raise Refused(Code.LIMIT, TOKEN_LIMIT)
        if not hello["lowest"] <= PROTOCOL <= hello["highest"] and not broken("versions-not-checked"):
            raise Refused(Code.NO_VERSION, PROTOCOL)
        self._check_token(hello)
        if self.observers:
            return
        grant = TOKENS.get(hello["token"], NOBODY)
        if broken("observers-not-taken") and not grant.authority & CONTROL:
            raise Refused(Code.DENIED, CONTROL)
        control = grant.authority & CONTROL or broken("stuck-refuses-observers")
        if control and self._device.holdings.stuck and not broken("stuck-not-refused"):
            raise Refused(Code.STUCK)

    @staticmethod
    def _check_token(hello: Fields) -> None:
        if hello["token"] not in TOKENS and not broken("bad-token-accepted"):
            raise Refused(Code.BAD_TOKEN, 0 if broken("bad-token-without-detail") else BAD_TOKEN)

    def _welcome(self, session: Session, hello: Fields, now: int) -> None:
        device = self._device
        self._grant = TOKENS.get(hello["token"], TOKENS[b"operator"])
        self._granted_at = now
        self.operator = self._grant.operator
        self._limit = min(hello["longest"], LONGEST_ANSWER)
        self.generation = device.world.generation
        device.metrics[Metric.SESSIONS] += 1
        nonce = device.nonces()
        self.number = int.from_bytes(nonce[-4:], "big")
        body = welcome(device, hello["nonce"], nonce, self.authority, self._grant.duration)
        session.send(Kind.WELCOME, body, now)
        session.start_clock(now)
        session.nonces = Nonces(hello["nonce"], nonce)
        self._state = frames.body(Kind.STATE, state(device))
        session.send_body(Kind.STATE, self._state, now)

    def _agree(self, session: Session, received: Received, now: int) -> None:
        try:
            fields = bodies.read(received.version, received.kind, received.body)
            if received.kind != Kind.AGREE or received.channel:
                if broken("handshake-ignores-heartbeats") and received.kind == Kind.HEARTBEAT:
                    return
                if broken("skip-agree") and received.kind != Kind.AGREE:
                    self._activate(session, received, now)
                    self._active(session, received, now)
                    return
                raise Refused(Code.UNEXPECTED)
            if self._stale(session, received, now) and not broken("late-agree-accepted"):
                self._device.metrics[Metric.STALE] += 1
                return
            if fields["digest"] != crc32(self._state) and not broken("state-mismatch-accepted"):
                raise Refused(Code.STATE_MISMATCH)
        except Refused as refused:
            self._refuse(session, received.sequence, refused, now, received.channel)
            return
        session.send(Kind.DONE, {"request": received.sequence}, now)
        self._activate(session, received, now)

    def _activate(self, session: Session, received: Received, now: int) -> None:
        session.activate()
        self._device.clock.heard()
        self.due.clear()
        late = broken("heard-from-activation")
        self._presence = Presence(session.clock(now) if late else received.time)
        self._beaten = now
        self._last = {Kind.HALT: -1, Kind.RELEASE: -1}
        self._commands = Commands(self._device, self, self._limit)

    def _refuse(self, session: Session, request: int, refused: Refused, now: int, channel: int) -> None:
        if broken("unexpected-ignored") and refused.code is Code.UNEXPECTED:
            return
        self._error(session, request, refused, now, channel)
        if not broken("refused-not-closed"):
            session.refuse(now)

    # The active session

    def _stale(self, session: Session, received: Received, now: int, urgent: bool = False) -> bool:
        """The age of a message, at its arrival and now (5.6, 2)."""
        arrived, clock, time = received.arrived, session.clock(now), received.time
        if broken("no-time-check"):
            return False
        if time > arrived and not broken("future-accepted"):
            return True
        if arrived - time > STALE_AFTER and not broken("arrival-not-judged"):
            return True
        second_look = not urgent or broken("halt-judged-at-execution")
        return second_look and clock - time > STALE_AFTER and not broken("execution-not-judged")

    def _active(self, session: Session, received: Received, now: int) -> None:
        sequence, fields = received.sequence, None
        if broken("any-message-heard") or broken("channel-1-heard") and received.channel:
            self._presence.anything(session.clock(now))
        try:
            if broken("order-before-frame") and self._stale(session, received, now):
                raise Refused(Code.STALE, session.clock(now))
            fields = bodies.read(received.version, received.kind, received.body)
            kind = Kind(received.kind)
            self._check_place(session, received, kind, now)
            if kind is Kind.BYE:
                session.bye_received(fields["reason"], now)
            elif kind is Kind.HEARTBEAT:
                self._heartbeat(session, received, fields, now)
            else:
                self._command(session, Command(kind, sequence, received.time, fields), received.channel, now)
        except Refused as refused:
            if refused.code is Code.UNKNOWN_KIND and broken("unknown-kind-dropped"):
                return
            self._record_refusal(received, fields, refused, now)
            self._device.metrics[Metric.REFUSED] += 1
            self._error(session, sequence, refused, now, received.channel)
            if refused.code is Code.PROGRAM_CHANGED:
                session.bye(End.PROGRAM, now)
        except _Ignored:
            self._device.metrics[Metric.STALE] += 1

    def _check_place(self, session: Session, received: Received, kind: Kind, now: int) -> None:
        """Check 3 of 8.1: channel and session, time, order."""
        if received.channel != channel(kind) and not broken("any-channel-accepted"):
            if not (broken("halt-on-channel-1") and kind is Kind.HALT):
                raise Refused(Code.UNEXPECTED)
        if kind in (Kind.HELLO, Kind.SEAL_RECORD) or kind is Kind.AGREE and broken("agree-always-unexpected"):
            raise Refused(Code.UNEXPECTED)
        if self._stale(session, received, now, kind in URGENT):
            if kind in (Kind.HEARTBEAT, Kind.AGREE, Kind.BYE):
                if broken("stale-heartbeat-heard") and kind is Kind.HEARTBEAT:
                    return
                if broken("stale-bye-answered") and kind is Kind.BYE:
                    return
                if not broken("stale-heartbeat-answered"):
                    raise _Ignored
            self._device.metrics[Metric.STALE] += 1
            if broken("stale-not-in-order"):
                session.forget(received)
            raise Refused(Code.STALE, 0 if broken("stale-without-clock") else session.clock(now))
        if kind is Kind.AGREE:
            raise Refused(Code.UNEXPECTED)
        if kind in URGENT:
            self._last[kind] = received.sequence
        elif self._overtaken(received, kind) and not broken("halt-overtakes-nothing"):
            self._device.metrics[Metric.STALE] += 1
            raise Refused(Code.DISORDERED)

    def _overtaken(self, received: Received, kind: Kind) -> bool:
        """Order of commands (5.6, 3)."""
        halted, released = self._last[Kind.HALT], self._last[Kind.RELEASE]
        if broken("halt-overtakes-all") and received.sequence < halted:
            return True
        touches = kind in TABLE and TABLE[kind].touches
        if touches and received.sequence < halted:
            return True
        if broken("release-overtakes-all") and touches and received.sequence < released:
            return True
        forcing = kind is Kind.FORCE and not broken("release-overtakes-no-force")
        renewing = kind is Kind.RENEW and not broken("release-overtakes-no-renew")
        return (forcing or renewing) and received.sequence < released

    def _record_refusal(self, received: Received, fields: Fields | None, refused: Refused, now: int) -> None:
        """Refusals from check 3 on are recorded (8.8)."""
        early = fields is None and not broken("malformed-recorded")
        if early or received.kind not in TABLE or getattr(refused, "recorded", False):
            return
        touches = TABLE[Kind(received.kind)].touches or broken("all-refusals-recorded")
        if broken("reads-refused-not-recorded"):
            if not touches:
                return
        if not touches and refused.code not in (Code.DENIED, Code.PROTECTED):
            return
        name = refused.code.name.lower().replace("_", "-")
        if broken("refusal-not-recorded") or broken(f"refusal-not-recorded-{name}"):
            return
        row = self._device.command_record(self, received.kind, received.sequence, received.time, fields or {}, now)
        cause = 0 if broken("refusal-not-marked") else REFUSED
        self._device.audit.refusal(row | {"verdict": refused.code, "cause": cause})

    def _heartbeat(self, session: Session, received: Received, fields: Fields, now: int) -> None:
        if self._presence.answered(fields["challenge"], session.clock(now)):
            self._device.clock.heard()
            self._device.metrics[Metric.CHALLENGES] += 1

    def _command(self, session: Session, command: Command, channel: int, now: int) -> None:
        assert self._commands is not None
        kind, fields, stop = self._commands.execute(command, now)
        self._device.metrics[Metric.EXECUTED] += 1
        if broken("answers-on-channel-0"):
            channel = 0
        if broken("answers-on-channel-1"):
            channel = 1
        if stop is not None and broken("stopped-before-done"):
            self._device.stopped(stop, now)
            stop = None
        session.send(kind, fields | {"request": command.sequence}, now, channel)
        if kind is Kind.DONE and broken("answered-twice"):
            session.send(kind, {"request": command.sequence}, now, channel)
        if stop is not None:
            self._device.stopped(stop, now)

    def _error(self, session: Session, request: int, refused: Refused, now: int, channel: int) -> None:
        if broken("errors-on-channel-0"):
            channel = 0
        body = {"request": request, "code": refused.code, "detail": refused.detail & 0xFFFFFFFF}
        session.send(Kind.ERROR, body, now, channel)

    def tell_stopped(self, stop: Stop, now: int) -> None:
        """Sends Stopped, as soon as there is room."""
        self.due.append(stop)
        self.settle(now)

    def settle(self, now: int) -> None:
        """Sends the Stopped that are due, as far as there is room."""
        session, commands = self.session, self._commands
        if session is None or commands is None or session.phase is not Phase.ACTIVE:
            self.due.clear()
        while self.due and session is not None and commands is not None and self._has_room_for_events():
            body = commands.stopped(self.due.popleft())
            session.send(Kind.STOPPED, body, now, int(broken("stopped-on-channel-1")))

    # What time brings about

    def time(self, now: int) -> None:
        """Generation, expiry, the loss of the host, and Heartbeats."""
        session = self.session
        if session is None or session.phase is not Phase.ACTIVE:
            return
        clock = session.clock(now)
        self._judge_grant(session, now)
        lost = clock - self._presence.heard >= LOSS // UNIT
        spared = broken("generation-change-ignored") or self.observers and broken("observers-outlive-programs")
        if self._device.world.generation != self.generation and not spared:
            session.bye(End.PROGRAM, now)
        elif clock >= LAST_TIME:
            session.bye(End.SEQUENCES, now)
        elif lost and not broken("host-loss-ignored"):
            session.bye(End.HOST_LOST, now)
        elif session.phase is Phase.ACTIVE and now - self._beaten >= INTERVAL and self._has_room_for_events():
            late = 3 if broken("heartbeats-rare") else 1
            if now - self._beaten >= INTERVAL * late and not broken("no-heartbeat"):
                self._beaten += INTERVAL * late
                if now - self._beaten >= INTERVAL:
                    self._beaten = now
                run = self._device.machine.run
                body = {"run": 0 if broken("heartbeat-without-run") else run}
                session.send(Kind.HEARTBEAT, body | {"challenge": self._presence.challenge(clock)}, now)

    def _judge_grant(self, session: Session, now: int) -> None:
        duration = min(self._grant.duration, DAY)
        age = now - self._granted_at
        if age >= duration and not self.expired and not broken("grant-never-expires"):
            self.expired = True
            if not self.observers:
                self._device.grant_expired(now)
        after = 0 if broken("expiry-ends-session-at-once") else AFTER_GRANT
        if self.expired and age >= duration + after and not broken("expired-session-endless"):
            session.bye(End.EXPIRED, now)

    def finish(self, now: int) -> None:
        """Timers of the handshake and of the end; ends what carried the session."""
        session = self.session
        if session is None:
            return
        session.poll(now)
        opening = session.phase is Phase.CONNECTING or session.phase is Phase.IDLE
        if broken("handshake-from-hello") or broken("idle-endless"):
            opening = session.phase is Phase.CONNECTING
        if opening and now - self._began >= HANDSHAKE_TIME and not broken("handshake-endless"):
            session.abort(End.NONE, now)
        if session.line_may_end(now):
            self.line.close(now)
            self.session = None


class _Ignored(Exception):
    """A Heartbeat, Agree or Bye that is stale."""

