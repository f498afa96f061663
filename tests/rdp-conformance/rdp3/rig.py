"""For `selftest`: an agent without sockets, a clock that is set by hand, and a host that says what it is told to."""

from collections.abc import Sequence
from typing import Any

from . import frames
from .audit import REFUSED
from .clock import Clock
from .crc import crc32
from .device import Device, NonceSource
from .frames import Fields, Kind, decode
from .kinds import channel as usual_channel
from .lanes import SerialLane
from .line import ByteStream, Line, SerialLine
from .link import AgentLink
from .machine import FINGERPRINT, World
from .seal import Message, Nonces, seal, unseal
from .welcome import CREDIT

OVERTAKING = 8
"""Messages on channel 1 that one on channel 0 may have overtaken."""
HOST_NONCE = bytes(range(16, 32))


class Rig:
    """An agent, and the time."""

    def __init__(self) -> None:
        self.raw = 1_000_000
        self.world = World()
        self._nonces = NonceSource()
        self._boot = 0
        self.peers: list[Peer] = []
        self.device = self._start()

    def _start(self) -> Device:
        self._boot += 1
        return Device(self.world, Clock(self.raw), self._boot, self._nonces)

    def restart(self) -> None:
        """Agent and machine start anew."""
        self.device = self._start()
        self.peers = []

    def stream(self, observers: bool = False) -> "Peer":
        """A host on a byte stream."""
        line = ByteStream(CREDIT)
        (self.device.observe if observers else self.device.open)(line)
        peer = Peer(self, line)
        self.peers.append(peer)
        return peer

    def operator(self, token: bytes = b"operator", observers: bool = False, **hello: Any) -> "Peer":
        """A host whose session is Active."""
        peer = self.stream(observers)
        peer.handshake(token, **hello)
        return peer

    def run(self) -> None:
        """Runs of the agent, until there is nothing to do."""
        for _ in range(50):
            self.device.run(self.raw)
            moved = [peer.pump() for peer in self.peers]
            if not (any(moved) or self.device.waits()):
                break

    def pass_time(self, duration: int, step: int = 10) -> None:
        """Lets time go by."""
        end = self.raw + duration
        while self.raw < end:
            self.raw = min(self.raw + step, end)
            self.run()

    def jump(self, duration: int) -> None:
        """Lets time go by in which the agent does not run."""
        self.raw += duration
        self.run()

    def journal(self) -> list[str]:
        """What was done to the machine since the last look."""
        texts = list(self.world.journal)
        self.world.journal.clear()
        return texts


class Got:
    """A message of the agent's."""

    def __init__(self, channel: int, message: Message) -> None:
        _, _, kind, body = frames.split(message.frame)
        self.channel = channel
        self.sequence = message.sequence
        self.time = message.time
        self.kind = Kind(kind)
        self.body = body
        self.fields = decode(self.kind, body)


class Peer:
    """A host that answers Heartbeats unless it is told not to."""

    def __init__(self, rig: Rig, line: Line) -> None:
        self.line = line
        self.got: list[Got] = []
        self.beats = True
        self.time = 0
        self.sequence = 0
        self.nonces = Nonces()
        self.welcome: Fields = {}
        self._rig = rig
        self._input = b""
        self.forgotten = 0
        """Messages that a scenario does not want to see any more."""

    @property
    def closed(self) -> bool:
        """The agent has closed the stream."""
        return self.line.closed

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._rig.device.feed(self.line, data, self._rig.raw)

    def put(self, kind: int, body: bytes, channel: int = 1, **how: Any) -> int:
        """A message; `how` may have its sequence, time, nonces, magic and version."""
        sequence = how.get("sequence", self.sequence)
        self.sequence = max(self.sequence, sequence + 1)
        header = how.get("magic", frames.MAGIC).to_bytes(4, "big") + bytes([how.get("version", 1), kind])
        message = Message(sequence, how.get("time", self.time), header + body)
        tagged = how.get("tagged", channel)
        data = seal(message, how.get("nonces", self.nonces), how.get("direction", 0), tagged)
        self.raw((channel << 15 | len(data)).to_bytes(2, "big") + data)
        return int(sequence)

    def send(self, kind: Kind, channel: int | None = None, how: Fields | None = None, **fields: Any) -> int:
        """A message by its fields."""
        if any(name == "fingerprint" for name in _names(kind)):
            fields.setdefault("fingerprint", FINGERPRINT)
        place = usual_channel(kind) if channel is None else channel
        return self.put(kind, frames.body(kind, fields), place, **(how or {}))

    def ask(self, kind: Kind, **fields: Any) -> Got:
        """A command and its answer."""
        request = self.send(kind, **fields)
        self._rig.run()
        return self.answer(request)

    def answer(self, request: int) -> Got:
        """The answer to a command."""
        found = [got for got in self.got if got.fields.get("request") == request and got.kind is not Kind.STOPPED]
        assert len(found) == 1, f"{len(found)} answers"
        return found[0]

    def code(self, kind: Kind, **fields: Any) -> int:
        """A command's error, or 0."""
        answer = self.ask(kind, **fields)
        return int(answer.fields["code"]) if answer.kind is Kind.ERROR else 0

    def of(self, kind: Kind) -> list[Got]:
        """All messages of a kind."""
        return [got for got in self.got if got.kind is kind]

    def hello(self, token: bytes = b"operator", how: Fields | None = None, channel: int = 0, **other: Any) -> None:
        """The first message."""
        fields: Fields = {"lowest": 3, "highest": 3, "nonce": HOST_NONCE, "longest": 512, "suites": [{"suite": 0}]}
        self.send(Kind.HELLO, channel, how, **(fields | {"token": token} | other))

    def handshake(self, token: bytes = b"operator", **hello: Any) -> None:
        """All of it."""
        self.hello(token, **hello)
        self._rig.run()
        assert self.of(Kind.WELCOME), "no Welcome"
        self.agree()
        assert self.of(Kind.DONE), "no Done"

    def agree(self) -> None:
        """Agrees to the State."""
        self.send(Kind.AGREE, digest=crc32(self.of(Kind.STATE)[0].body))
        self._rig.run()

    def pump(self) -> bool:
        """Takes what the agent has sent."""
        moved = False
        while data := self.line.poll(self._rig.raw):
            moved = True
            self._input += data
        while len(self._input) >= 2:
            word = int.from_bytes(self._input[:2], "big")
            length = word & 0x7FFF
            data, self._input = self._input[2 : 2 + length], self._input[2 + length :]
            self._message(word >> 15, data)
        return moved

    def _message(self, channel: int, data: bytes) -> None:
        choices = [self.nonces] if self.welcome else [Nonces(HOST_NONCE), Nonces()]
        message = next(filter(None, (unseal(data, nonces, 1, channel) for nonces in choices)), None)
        assert message is not None, "the agent's tag is wrong"
        got = Got(channel, message)
        assert len(data) <= 512, "longer than what the host accepts"
        sequences = sorted(one.sequence for one in [*self.got, got])
        self.got.append(got)
        assert len(set(sequences)) == len(sequences), "a sequence comes twice"
        assert sequences[-1] <= len(self.got) + self.forgotten + OVERTAKING, "a sequence is left out"
        self.time = max(self.time, got.time)
        if got.kind is Kind.WELCOME:
            self.welcome = got.fields
            self.nonces = Nonces(HOST_NONCE, got.fields["device_nonce"])
        elif got.kind is Kind.HEARTBEAT and self.beats:
            self.send(Kind.HEARTBEAT, run=0, challenge=got.fields["challenge"])

    def records(self) -> list[Fields]:
        """The audit log, as much as one answer holds at a time."""
        rows: list[Fields] = []
        while True:
            first = rows[-1]["index"] + 1 if rows else 0
            page = self.ask(Kind.READ_AUDIT, first=first, count=255).fields["records"]
            if not page:
                return rows
            rows += page

    def release(self, upto: int | None = None) -> int:
        """Releases all records, or those below an index."""
        rows = self.records()
        if upto is not None:
            rows = [row for row in rows if row["index"] < upto]
        proof = crc32(frames.encode_record(next(row for row in reversed(rows) if row["cause"] != REFUSED)))
        return self.code(Kind.RELEASE_AUDIT, upto=rows[-1]["index"] + 1, crc=proof)


def _names(kind: Kind) -> Sequence[str]:
    return [field.name for field in frames.BODIES[kind]]


def serial_agent(device: Device, number: int = 0) -> SerialLine:
    """An agent's serial line."""
    return SerialLine(AgentLink([SerialLane()], device.metrics, CREDIT, lambda: device.busy, number))


def stop_codes(peer: Peer) -> list[tuple[int, int]]:
    """Request and reason of each Stopped."""
    return [(got.fields["request"], got.fields["reason"]) for got in peer.of(Kind.STOPPED)]

