"""The host. `python3 -m rdp3.host HOST:PORT --token TOKEN` reads commands from standard input (see `console`)."""

import argparse
import json
import os
import secrets
import select
import socket
import sys
from collections import Counter, deque
from dataclasses import dataclass

from . import frames, rules
from .architectures import ARCHITECTURES
from .commands import FIRST_LIMIT
from .console import Console
from .crc import crc32
from .frames import KINDS, Code, Fields, Kind, Malformed, decode
from .kinds import TABLE
from .knobs import real_ms
from .lanes import SerialLane
from .line import Arrived, ByteStream, Line, SerialLine
from .link import HostLink, Opened
from .metrics import Metric
from .rules import broken
from .seal import NO_NONCE, SHORTEST, SUITE, Direction, Nonces
from .session import HANDSHAKE_TIME, End, IntegrityLost, Phase, Received, Session
from .tcp import PORTION, TICK, Port

PROTOCOL = 3
SUITES = (SUITE,)
"""What this host offers, in rising order of preference: the order that counts for it (5.4)."""
CREDIT = 64
"""Messages on channel 1 that this host has room for; it reads all at once."""


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
    nonce: bytes
    expect: bytes | None = None
    longest: int = FIRST_LIMIT


class Refusal(Exception):
    """The handshake has failed."""


class Host:
    """A host on its line, for one session."""

    def __init__(self, line: Line, settings: Settings) -> None:
        self.welcome: Fields = {}
        self.state: Fields = {}
        self.closed: Closed | None = None
        self.answers: dict[int, Answer] = {}
        """Answers by the sequence of their command; whoever asked takes them out."""
        self.stopped: deque[Fields] = deque()
        self.ignored = 0
        """Messages that said nothing to this host."""
        self._line = line
        self._settings = settings
        self._metrics: Counter[Metric] = Counter()
        self._session: Session | None = None
        self._pending: dict[int, Kind] = {}
        self._registers: dict[int, tuple[int, int]] = {}
        self._hello_time = 0
        self._heard = 0
        self._agree: int | None = None
        self._why = ""

    @property
    def active(self) -> bool:
        """The session is open."""
        return self._session is not None and self._session.phase is Phase.ACTIVE

    @property
    def finished(self) -> bool:
        """The session is closed, and the peer has been told."""
        link = self._line.link
        return self.closed is not None and (self._line.closed or link is not None and link.idle)

    @property
    def registers(self) -> dict[int, int]:
        """The registers as known now."""
        return {index: value for index, (_, value) in sorted(self._registers.items())}

    def request(self, kind: Kind, fields: Fields, now: int) -> int:
        """Sends a command to an active session, and gives its sequence."""
        assert self._session is not None
        body = frames.body(kind, fields)
        if SHORTEST + len(body) > self.welcome["longest"]:
            raise ValueError("the agent takes no message that long")
        channel = TABLE[kind].channel
        if broken("host-all-on-channel-1"):
            channel = 1
        if broken("host-all-on-channel-0"):
            channel = 0
        sequence = self._session.send_body(kind, body, now, channel)
        self._pending[sequence] = kind
        return sequence

    def bye(self, now: int) -> None:
        """Ends the session."""
        if self.active and self._session is not None:
            self._why = "asked for"
            if broken("host-leaves-without-bye"):
                self._session.abort(End.ASKED, now)
            else:
                self._session.bye(End.ASKED, now)

    def run(self, now: int) -> None:
        """Takes what has arrived, and lets time go by."""
        self._events(now)
        for channel in (0, 1):
            while self._session is not None and (arrived := self._line.take(channel, now)) is not None:
                self._message(self._session, arrived, channel, now)
        self._ends(now)
        session = self._session
        if session is None or self.closed is not None:
            return
        session.poll(now)
        if session.phase is Phase.CONNECTING and now - self._hello_time >= HANDSHAKE_TIME:
            if not broken("host-waits-forever"):
                self._close(End.NONE, "the handshake took too long", now)
                return
        if session.phase is Phase.ACTIVE and now - self._heard >= self.welcome["loss"]:
            if not broken("host-never-loses-agent"):
                self._why = "the agent is lost"
                session.bye(End.HOST_LOST, now)
        if session.phase is Phase.CLOSED and session.line_may_end(now):
            self._close(session.reason, self._why or "the session has ended", now)

    def _events(self, now: int) -> None:
        if self._line.events and isinstance(self._line.events[0], Opened):
            self._line.events.popleft()
            self._open(Session(self._line, Direction.FROM_HOST, self._metrics), now)

    def _ends(self, now: int) -> None:
        while self._line.events:
            event = self._line.events.popleft()
            if not isinstance(event, Opened) and self.closed is None:
                session = self._session
                was_open = session is not None and session.phase in (Phase.ACTIVE, Phase.DISCONNECTING)
                closed = session is not None and session.phase is Phase.CLOSED
                reason = End.NONE
                if session is not None and (was_open or closed):
                    reason = session.reason or End.LINE
                self._close(reason, self._why or event.why, now)

    def _open(self, session: Session, now: int) -> None:
        self._session = session
        self._hello_time = now
        settings = self._settings
        hello = {
            "lowest": PROTOCOL,
            "highest": PROTOCOL,
            "nonce": settings.nonce,
            "longest": settings.longest,
            "suites": [] if broken("host-offers-no-suite") else [{"suite": suite} for suite in SUITES],
            "token": settings.token,
        }
        session.send(Kind.HELLO, hello, now)
        session.phase = Phase.CONNECTING

    def _close(self, reason: int, why: str, now: int) -> None:
        unknown = f"; commands whose outcome is unknown: {len(self._pending)}" if self._pending else ""
        self.closed = Closed(int(reason), why + unknown)
        if self._session is not None:
            self._session.abort(reason, now)
        self._line.close(now)

    def _message(self, session: Session, arrived: Arrived, channel: int, now: int) -> None:
        try:
            if session.phase is Phase.CONNECTING and not self.welcome:
                self._first_message(session, arrived, channel, now)
            elif session.phase is not Phase.CLOSED:
                received = session.receive(arrived, channel, now)
                if received is not None or broken("host-replay-heard"):
                    self._heard = now
                if received is not None:
                    self._received(session, received, now)
        except IntegrityLost:
            if session.phase is not Phase.DISCONNECTING:
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
        elif session.phase is Phase.ACTIVE or received.kind == Kind.BYE:
            self._active(session, received, fields, now)

    @staticmethod
    def _read(received: Received) -> Fields | None:
        """The fields of a message; None if it has to be ignored."""
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

    def _first_message(self, session: Session, arrived: Arrived, channel: int, now: int) -> None:
        nonce = self._settings.nonce
        own = session.first(arrived, Nonces(nonce), channel)
        message = own or session.first(arrived, Nonces(), channel)
        if message is None:
            raise IntegrityLost
        _, version, kind, body = frames.split(message.frame)
        if own is None and kind != Kind.ERROR and not broken("host-accepts-welcome-without-nonces"):
            raise IntegrityLost
        if kind == Kind.ERROR:
            raise Refusal(_refusal(_strict(Kind.ERROR, body)))
        if version != frames.VERSION or kind != Kind.WELCOME:
            raise Refusal("something else came in place of a Welcome")
        if (message.sequence, message.time) != (0, 0) and not broken("host-accepts-late-welcome"):
            raise Refusal("the Welcome is not the first message")
        welcome = _strict(Kind.WELCOME, body)
        self._check_welcome(welcome)
        self.welcome = welcome
        self._heard = now
        session.nonces = Nonces(nonce, welcome["device_nonce"])
        session.start_clock(now)

    def _check_welcome(self, welcome: Fields) -> None:
        if welcome["host_nonce"] != self._settings.nonce and not broken("host-accepts-wrong-nonce"):
            raise Refusal("the Welcome answers another Hello")
        if welcome["version"] != PROTOCOL and not broken("host-accepts-wrong-version"):
            raise Refusal("a version that was not offered")
        if welcome["suite"] != SUITE and not broken("host-accepts-wrong-suite"):
            raise Refusal("another suite than the one in use")
        listed = {row["suite"] for row in welcome["suites"]}
        better = SUITES[SUITES.index(SUITE) + 1 :]
        if listed.intersection(better):
            raise Refusal("a better suite that both have is not in use")
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
            session.activate()

    # The active session

    def _active(self, session: Session, received: Received, fields: Fields, now: int) -> None:
        kind = Kind(received.kind)
        if "mask" in fields and not self._note_registers(fields):
            self.ignored += 1
        elif kind is Kind.STOPPED:
            self.stopped.append(fields | {"registers": self.registers})
        elif kind is Kind.BYE:
            self._why = self._why or "the agent has ended the session"
            session.bye_received(fields["reason"], now)
        elif kind is Kind.HEARTBEAT:
            self._heartbeat(session, fields, now)
        else:
            self._answer(kind, fields)

    @staticmethod
    def _heartbeat(session: Session, fields: Fields, now: int) -> None:
        """The host answers each at once, with its challenge (5.7)."""
        if broken("host-silent"):
            return
        challenge = fields["challenge"] ^ broken("host-wrong-challenge")
        run = fields["run"] if broken("host-heartbeat-with-run") else 0
        channel = int(broken("host-heartbeat-on-channel-1"))
        session.send(Kind.HEARTBEAT, {"run": run, "challenge": challenge}, now, channel)

    def _answer(self, kind: Kind, fields: Fields) -> None:
        request = fields.get("request", -1)
        asked = self._pending.get(request)
        if asked is None or kind not in (TABLE[asked].answer, Kind.ERROR):
            self.ignored += 1
            return
        del self._pending[request]
        self.answers[request] = Answer(kind, fields)

    def _note_registers(self, fields: Fields) -> bool:
        """Keeps what has changed: each register's value is from the latest capture (6.4)."""
        values = ARCHITECTURES[self.welcome["architecture"]].values(fields["mask"], fields["values"])
        if values is None:
            return False
        if broken("host-forgets-registers"):
            self._registers.clear()
        capture = fields["capture"]
        for index, value in values.items():
            if self._registers.get(index, (-1, 0))[0] < capture or broken("host-takes-earlier-captures"):
                self._registers[index] = capture, value
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


def run(sock: socket.socket, host: Host, line: Line) -> int:
    """Connects a host with its console; gives the exit code."""
    port = Port(sock)
    port.line = line
    console = Console(host)
    standard_input = sys.stdin.fileno()
    while not host.finished:
        now = real_ms()
        host.run(now)
        console.poll(now)
        port.send(now)
        if port.ended:
            line.gone(now)
            continue
        if host.finished:
            break
        others = [] if console.ended else [standard_input]
        readable, _, _ = select.select([port, *others], [port] if port.pending else [], [], TICK)
        if port in readable:
            data = port.receive()
            if data:
                line.feed(data, real_ms())
            elif data is not None:
                port.ended = True
        if standard_input in readable:
            console.feed(os.read(standard_input, PORTION))
    port.send(real_ms())
    console.poll(real_ms())
    port.close()
    return 0 if console.said_bye else 1


def connect(address: str, serial: bool) -> tuple[socket.socket, Line]:
    """Connects to an agent."""
    name, _, port = address.rpartition(":")
    sock = socket.create_connection((name, int(port)))
    if not serial:
        return sock, ByteStream(CREDIT)
    return sock, SerialLine(HostLink([SerialLane()], Counter(), CREDIT, secrets.randbits(32)))


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="rdp3.host", description="An RDPv3 host that reads commands from standard input."
    )
    parser.add_argument("agent", metavar="[uart:]HOST:PORT", help="uart: stands for a serial line with an MTU of 64")
    parser.add_argument("--token", default="")
    parser.add_argument("--fingerprint", type=bytes.fromhex, metavar="HEX", help="talk to no other device")
    rules.add_option(parser)
    options = parser.parse_args()
    rules.set_broken(options.broken)
    serial = options.agent.startswith("uart:")
    nonce = NO_NONCE if broken("host-nonce-zero") else secrets.token_bytes(16)
    settings = Settings(options.token.encode(), nonce, options.fingerprint)
    try:
        sock, line = connect(options.agent.removeprefix("uart:"), serial)
    except OSError as error:
        print(json.dumps({"closed": End.NONE, "why": str(error)}), flush=True)
        return 1
    return run(sock, Host(line, settings), line)


if __name__ == "__main__":
    sys.exit(main())
