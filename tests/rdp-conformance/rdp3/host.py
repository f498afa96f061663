"""The host. `python3 -m rdp3.host HOST:PORT --token TOKEN` reads commands from standard input (see `console`)."""

import argparse
import json
import os
import secrets
import socket
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from . import frames, rules
from .architectures import ARCHITECTURES
from .console import Console
from .crc import crc32
from .frames import ANSWERS, KINDS, Code, Fields, Kind, Malformed, decode
from .lanes import Lane, SerialLane, StreamLane
from .link import FIRST_LIMIT, Ended, HostLink, Opened, Reset
from .metrics import Metric
from .order import Verdict
from .rules import broken
from .seal import NO_NONCE, SHORTEST, Direction, Nonces
from .session import HANDSHAKE_TIME, End, IntegrityLost, Phase, Received, Session
from .tcp import PORTION, Port, now_ms

PROTOCOL = 3


@dataclass(frozen=True)
class Answer:
    """An answer to a command."""

    kind: Kind
    fields: Fields


@dataclass(frozen=True)
class Closed:
    """How the session has ended: a reason of Bye, or 0, and the story."""

    reason: int
    why: str


@dataclass(frozen=True)
class Settings:
    """What a host is given. `expect` is the fingerprint of the only device that it talks to."""

    token: bytes
    cookie: int
    nonce: bytes
    expect: bytes | None = None
    longest: int = FIRST_LIMIT


class Refusal(Exception):
    """The handshake has failed."""


class Host:
    """A host on its lanes, for one session."""

    def __init__(self, lanes: Sequence[Lane], settings: Settings) -> None:
        self.welcome: Fields = {}
        self.state: Fields = {}
        self.closed: Closed | None = None
        self.answers: dict[int, Answer] = {}
        """Answers by the sequence of their command; whoever asked takes them out."""
        self.stopped: deque[Fields] = deque()
        self.ignored = 0
        """Messages that said nothing to this host."""
        self._settings = settings
        self._metrics: Counter[Metric] = Counter()
        self._link = HostLink(lanes, self._metrics, settings.cookie, settings.longest)
        self._session: Session | None = None
        self._pending: dict[int, Kind] = {}
        self._registers: dict[int, tuple[int, int]] = {}
        self._hello_time = 0
        self._agree: int | None = None
        self._why = ""

    @property
    def active(self) -> bool:
        """The session is open."""
        return self._session is not None and self._session.phase is Phase.ACTIVE

    @property
    def finished(self) -> bool:
        """The session is closed, and the peer has been told."""
        return self.closed is not None and self._link.idle

    @property
    def registers(self) -> dict[int, int]:
        """The registers as known now."""
        return {index: value for index, (_, value) in sorted(self._registers.items())}

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
        self._link.lane_closed()
        self._work(now)

    def request(self, kind: Kind, fields: Fields, now: int, channel: int = 0) -> int:
        """Sends a command to an active session, and gives its sequence. On channel 1 it is the only one under way (4.5)."""
        assert self._session is not None and not (channel and self._pending)
        body = frames.body(kind, fields)
        if SHORTEST + len(body) > self.welcome["longest"]:
            raise ValueError("the agent takes no message that long")
        sequence = self._session.send_body(kind, body, now, channel)
        self._pending[sequence] = kind
        return sequence

    def bye(self, now: int) -> None:
        """Ends the session."""
        if self.active and self._session is not None:
            self._why = "asked for"
            if broken("host-leaves-without-bye"):
                self._session.abort(End.ASKED)
            else:
                self._session.bye(End.ASKED, now)

    def _work(self, now: int) -> None:
        self._link_events(now)
        for channel in (0, 1):
            while self._session is not None and (data := self._link.message(channel, now)) is not None:
                self._message(self._session, data, now)
        self._link_events(now)
        session = self._session
        if session is None or self.closed is not None:
            return
        session.poll(now)
        if session.phase is Phase.CONNECTING and now - self._hello_time >= HANDSHAKE_TIME and not broken("host-waits-forever"):
            self._close(End.NONE, "the handshake took too long", now)
        elif session.link_may_end(now):
            self._close(session.reason, self._why or "the session has ended", now)

    def _link_events(self, now: int) -> None:
        while self._link.events:
            event = self._link.events.popleft()
            if isinstance(event, Opened):
                self._open(Session(event.connection, Direction.FROM_HOST, self._metrics), now)
            elif isinstance(event, Ended) and self.closed is None:
                was_open = self._session is not None and self._session.phase in (Phase.ACTIVE, Phase.DISCONNECTING)
                reason = self._session.reason or End.LINK if was_open and self._session is not None else End.NONE
                self._close(reason, event.cause.value, now)

    def _open(self, session: Session, now: int) -> None:
        self._session = session
        self._hello_time = now
        settings = self._settings
        hello = {
            "lowest": PROTOCOL,
            "highest": PROTOCOL,
            "nonce": settings.nonce,
            "longest": settings.longest,
            "token": settings.token,
        }
        session.send(Kind.HELLO, hello, now)
        session.phase = Phase.CONNECTING

    def _close(self, reason: int, why: str, now: int) -> None:
        unknown = f"; commands whose outcome is unknown: {len(self._pending)}" if self._pending else ""
        self.closed = Closed(int(reason), why + unknown)
        if self._session is not None:
            self._session.abort(reason)
        self._link.close(Reset.CLOSED, now)

    def _message(self, session: Session, data: bytes, now: int) -> None:
        try:
            if session.phase is Phase.CONNECTING and not self.welcome:
                self._first_message(session, data, now)
            elif session.phase is not Phase.CLOSED:
                received = session.receive(data, now)
                if received is not None:
                    self._received(session, received, now)
        except IntegrityLost:
            self._why = "integrity lost"
            session.integrity_lost(now)
        except Refusal as refusal:
            self._close(End.NONE, str(refusal), now)

    def _received(self, session: Session, received: Received, now: int) -> None:
        fields = self._read(received)
        if fields is None:
            self.ignored += 1
        elif session.phase is Phase.CONNECTING:
            self._handshake(session, received, fields, now)
        else:
            self._active(session, received, fields, now)

    @staticmethod
    def _read(received: Received) -> Fields | None:
        """The fields of a message; None if it has to be ignored."""
        if received.verdict is not Verdict.GOOD and not broken("host-accepts-disordered"):
            return None
        if received.version != frames.VERSION and not broken("host-takes-any-frame-version"):
            return None
        if received.kind not in KINDS:
            if broken("host-unknown-kind-fatal"):
                raise IntegrityLost
            return None
        try:
            return decode(Kind(received.kind), received.body)
        except Malformed:
            if broken("host-malformed-fatal"):
                raise IntegrityLost from None
            return None

    # The handshake (5.3)

    def _first_message(self, session: Session, data: bytes, now: int) -> None:
        nonce = self._settings.nonce
        own = session.first(data, Nonces(nonce))
        message = own or session.first(data, Nonces())
        if message is None:
            raise IntegrityLost
        _, version, kind, body = frames.split(message.frame)
        if own is None and kind != Kind.ERROR and not broken("host-accepts-welcome-without-nonces"):
            raise IntegrityLost
        if kind == Kind.ERROR:
            raise Refusal(_refusal(_strict(Kind.ERROR, body)))
        if version != frames.VERSION or kind != Kind.WELCOME:
            raise Refusal("something else came in place of a Welcome")
        if (message.sequence, message.time, message.epoch) != (0, 0, 0) and not broken("host-accepts-late-welcome"):
            raise Refusal("the Welcome is not the first message")
        welcome = _strict(Kind.WELCOME, body)
        self._check_welcome(welcome)
        self.welcome = welcome
        session.interval, session.loss, session.tolerance = welcome["interval"], welcome["loss"], welcome["tolerance"]
        session.nonces = Nonces(nonce, welcome["device_nonce"])
        session.start_clock(now)

    def _check_welcome(self, welcome: Fields) -> None:
        if welcome["host_nonce"] != self._settings.nonce and not broken("host-accepts-wrong-nonce"):
            raise Refusal("the Welcome answers another Hello")
        if welcome["version"] != PROTOCOL and not broken("host-accepts-wrong-version"):
            raise Refusal("a version that was not offered")
        expected = self._settings.expect
        if expected is not None and welcome["fingerprint"] != expected and not broken("host-accepts-wrong-device"):
            raise Refusal("another device")
        if welcome["architecture"] not in ARCHITECTURES:
            raise Refusal("an architecture that is not known")

    def _handshake(self, session: Session, received: Received, fields: Fields, now: int) -> None:
        kind = received.kind
        if kind == Kind.ERROR:
            raise Refusal(_refusal(fields))
        if kind == Kind.STATE and self._agree is None:
            self.state = fields
            digest = crc32(received.body) ^ broken("host-agree-wrong")
            self._agree = session.send(Kind.AGREE, {"digest": digest}, now)
        elif kind != Kind.DONE or self._agree is None or fields["request"] != self._agree:
            raise Refusal("something unexpected came in the handshake")
        if kind == Kind.DONE or broken("host-does-not-wait-for-done"):
            session.activate(now)

    # The active session

    def _active(self, session: Session, received: Received, fields: Fields, now: int) -> None:
        kind = Kind(received.kind)
        if "mask" in fields and not self._note_registers(received, fields):
            self.ignored += 1
        elif kind is Kind.STOPPED:
            self.stopped.append(fields | {"registers": self.registers})
        elif kind is Kind.BYE:
            self._why = self._why or "the agent has ended the session"
            session.bye_received(fields["reason"], now)
        elif kind is not Kind.HEARTBEAT:
            self._answer(kind, fields)

    def _answer(self, kind: Kind, fields: Fields) -> None:
        request = fields.get("request", -1)
        asked = self._pending.get(request)
        if asked is None or kind not in (ANSWERS[asked], Kind.ERROR):
            self.ignored += 1
            return
        del self._pending[request]
        self.answers[request] = Answer(kind, fields)

    def _note_registers(self, received: Received, fields: Fields) -> bool:
        """Keeps what has changed. Nothing is promised about the order between the channels, so that the sequence decides."""
        values = ARCHITECTURES[self.welcome["architecture"]].values(fields["mask"], fields["values"])
        if values is None:
            return False
        if broken("host-forgets-registers"):
            self._registers.clear()
        for index, value in values.items():
            if self._registers.get(index, (-1, 0))[0] < received.sequence:
                self._registers[index] = received.sequence, value
        return True


def _strict(kind: Kind, body: bytes) -> Fields:
    try:
        return decode(kind, body)
    except Malformed:
        raise Refusal(f"a malformed {kind.name}") from None


def _refusal(error: Fields) -> str:
    code = error["code"]
    name = Code(code).name if code in frozenset(Code) else "an error"
    return f"refused: {name} ({code}), detail {error['detail']}"


def run(sock: socket.socket, host: Host) -> int:
    """Connects a host with its console; gives the exit code."""
    port = Port(sock)
    console = Console(host)
    standard_input = sys.stdin.fileno()
    while not host.finished:
        others = [] if console.ended else [standard_input]
        if port.pump(host, others):
            console.feed(os.read(standard_input, PORTION))
        console.poll(now_ms())
    console.poll(now_ms())
    return 0 if console.said_bye else 1


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="rdp3.host", description="An RDPv3 host that reads commands from standard input.")
    parser.add_argument("agent", metavar="HOST:PORT")
    parser.add_argument("--token", default="")
    parser.add_argument("--fingerprint", type=bytes.fromhex, metavar="HEX", help="talk to no other device")
    parser.add_argument("--serial", action="store_true", help="serial framing with an MTU of 64 on the TCP connection")
    rules.add_option(parser)
    options = parser.parse_args()
    rules.set_broken(options.broken)
    name, _, port = options.agent.rpartition(":")
    nonce = NO_NONCE if broken("host-nonce-zero") else secrets.token_bytes(16)
    settings = Settings(options.token.encode(), secrets.randbits(32), nonce, options.fingerprint)
    lane = SerialLane() if options.serial else StreamLane()
    try:
        sock = socket.create_connection((name, int(port)))
    except OSError as error:
        print(json.dumps({"closed": End.NONE, "why": str(error)}), flush=True)
        return 1
    with sock:
        return run(sock, Host([lane], settings))


if __name__ == "__main__":
    sys.exit(main())
