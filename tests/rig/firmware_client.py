"""The firmware in the emulator, and a host to talk to it: the independent implementation of the protocol in
`tests/rdp-conformance`."""

import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rdp-conformance"))

from rdp3.architectures import ARCHITECTURES  # noqa: E402
from rdp3.crc import crc32  # noqa: E402
from rdp3.frames import Code, Kind, encode_record  # noqa: E402
from rdp3.host import CREDIT, Host, Settings  # noqa: E402
from rdp3.kinds import TABLE  # noqa: E402
from rdp3.lanes import SPI_MTU, UART_MTU, SerialLane  # noqa: E402
from rdp3.line import SerialLine  # noqa: E402
from rdp3.link import HostLink  # noqa: E402

SIGNAL, BULK = 0, 1
EVENTS = 0xE0
"""Kinds of records from here on are of events, and not of commands."""
REFUSAL = 255
"""Cause of the record of a refusal."""
RAM_END = 0x2001_0000
PAINT = b"\xa5"


def now():
    return time.monotonic_ns() // 1_000_000


class Emulator:
    """The board."""

    def __init__(self, symbols):
        self.folder = tempfile.TemporaryDirectory(prefix="feedrate-firmware.")
        # Above the variables there is nothing but the exceptions' stack: what is not painted any more has been used.
        self._stack = symbols["_stack_end"]
        paint = os.path.join(self.folder.name, "paint")
        with open(paint, "wb") as file:
            file.write(PAINT * (RAM_END - self._stack))
        loader = f"loader,file={paint},addr={self._stack:#x},force-raw=on"
        command = ["bash", os.path.join(HERE, "firmware.sh"), "emulator", self.folder.name, "-device", loader]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.panel = self.connect("panel")
        self._monitor = self.connect("monitor")
        self._prompt()

    def close(self):
        self._process.kill()
        self._process.wait()
        self.folder.cleanup()

    def connect(self, name):
        """One of its lines: signal, bulk, panel, monitor."""
        path = os.path.join(self.folder.name, name)
        for _ in range(200):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                line.connect(path)
                return line
            except OSError:
                line.close()
                assert self._process.poll() is None, "the emulator has ended"
                time.sleep(0.05)
        raise AssertionError(f"the emulator has no {name}")

    def reset(self):
        """As its button does."""
        self._command("system_reset")

    def memory(self, addr, size):
        """What is there, without asking the agent."""
        dump = os.path.join(self.folder.name, "dump")
        self._command(f'pmemsave {addr:#x} {size:#x} "{dump}"')
        with open(dump, "rb") as file:
            return file.read()

    def stack_used(self):
        """Bytes of the exceptions' stack that have been used since the start."""
        return len(self.memory(self._stack, RAM_END - self._stack).lstrip(PAINT))

    def _command(self, line):
        self._monitor.sendall(line.encode() + b"\n")
        self._prompt()

    def _prompt(self):
        said = b""
        self._monitor.settimeout(10)
        while not said.endswith(b"(qemu) "):
            said += self._monitor.recv(4096)


@dataclass
class Lane:
    """A line to the board, and what goes wrong on it."""

    socket: socket.socket
    received: int = 0
    cut: bool = False
    flipping: bool = False

    def take(self):
        """What has arrived."""
        data = bytearray(self.socket.recv(4096))
        if not data:
            raise AssertionError("the emulator has closed a line")
        if self.cut:
            return b""
        self.received += len(data)
        if self.flipping:
            for at in range(20, len(data), 40):
                data[at] ^= 0x10
        return bytes(data)


@dataclass
class Client:
    """A session."""

    emulator: Emulator
    token: bytes = b"firmware-demo"
    read_up_to: int = 0
    """Records of the audit log below this index have been looked at."""
    log: list = field(default_factory=list)
    """What the audit log has to say of its commands: [sequence, kind, verdict, count], and what the command was."""

    def __post_init__(self):
        self.lanes = [Lane(self.emulator.connect(name)) for name in ("signal", "bulk")]
        self._link = HostLink([SerialLane(UART_MTU), SerialLane(SPI_MTU)], Counter(), CREDIT, secrets.randbits(32))
        self.host = Host(SerialLine(self._link), Settings(self.token, secrets.token_bytes(16)))
        self.wait(lambda: self.host.active or self.host.closed, "a session")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for lane in self.lanes:
            lane.socket.close()

    @property
    def arch(self):
        return ARCHITECTURES[self.host.welcome["architecture"]]

    @property
    def device(self):
        """The device that is to be changed."""
        return {"fingerprint": self.host.welcome["fingerprint"]}

    def pump(self, seconds=0.005):
        """Moves bytes for so long."""
        end = time.monotonic() + seconds
        while True:
            self.host.run(now())
            for number, lane in enumerate(self.lanes):
                while packet := self._link.poll(now(), number):
                    if not lane.cut:
                        lane.socket.sendall(packet)
            left = max(0, min(0.005, end - time.monotonic()))
            ready, _, _ = select.select([lane.socket for lane in self.lanes], [], [], left)
            for number, lane in enumerate(self.lanes):
                if lane.socket in ready:
                    self._link.feed(lane.take(), now(), number)
            if ready or time.monotonic() >= end:
                return

    def late(self, data):
        """What arrives on the signal lane, when nobody has looked for a while."""
        self._link.feed(data, now(), SIGNAL)

    def wait(self, until, what, seconds=10):
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"no {what} within {seconds} s; {self.host.closed}"
            self.pump()

    def sleep(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pump()

    def ask(self, kind, error=None, **fields):
        """Sends a command, and gives the answer's fields. `error` is the code that it has to be refused with."""
        sequence = self.host.request(kind, fields, now())
        self.wait(lambda: sequence in self.host.answers or self.host.closed, f"answer to {kind.name}")
        assert sequence in self.host.answers, f"{kind.name}: {self.host.closed}"
        answer = self.host.answers.pop(sequence)
        code = Code(answer.fields["code"]) if answer.kind is Kind.ERROR else None
        assert code == error, f"{kind.name} {fields}: {code!r}, not {error!r}"
        if TABLE[kind].touches or code in (Code.DENIED, Code.PROTECTED):
            self._log([sequence, int(kind), int(error or 0), 1], fields)
        return answer.fields

    def _log(self, entry, fields):
        """Equal refusals in a row are one record."""
        if self.log and entry[2] and (self.log[-1][0][1:3], self.log[-1][1]) == (entry[1:3], fields):
            self.log[-1][0][3] += 1
        else:
            self.log.append((entry, fields))

    def stopped(self, seconds=10):
        """The next stop."""
        self.wait(lambda: self.host.stopped, "stop", seconds)
        return self.host.stopped.popleft()

    def halt(self):
        self.ask(Kind.HALT)
        return self.stopped()

    def read(self, addr, length):
        """Memory, as bytes."""
        data = b""
        while len(data) < length:
            data += self.ask(Kind.READ_MEMORY, addr=addr + len(data), length=min(256, length - len(data)))["data"]
        return data

    def registers(self):
        """All of them, in wire order."""
        fields = self.ask(Kind.READ_REGISTERS, what=0)
        return list(self.arch.values(fields["mask"], fields["values"]).values())

    def variables(self):
        """All of them, by name."""
        variables = {}
        while True:
            page = self.ask(Kind.LIST_VARIABLES, first=len(variables))
            assert page["generation"] == self.host.welcome["generation"]
            variables |= {row["name"].decode(): row for row in page["variables"]}
            if len(variables) == page["total"]:
                return variables

    def force(self, addr, value, lease, error=None, safe=None, **fields):
        value = value.to_bytes(4, "little", signed=True)
        safe = b"" if safe is None else safe.to_bytes(4, "little", signed=True)
        self.ask(Kind.FORCE, error, addr=addr, lease=lease, value=value, safe=safe, **self.device | fields)

    def release(self, addr):
        self.ask(Kind.RELEASE, addr=addr, **self.device)

    def write(self, addr, data, error=None):
        self.ask(Kind.WRITE_MEMORY, error, addr=addr, data=data, **self.device)

    def metrics(self):
        return {row["metric"]: row["value"] for row in self.ask(Kind.READ_METRICS)["metrics"]}

    def audit(self):
        """All records that are there and were not read by this. They may be overwritten then."""
        records, at = [], self.read_up_to
        while True:
            page = self.ask(Kind.READ_AUDIT, first=at, count=8)
            records += page["records"]
            if not page["records"] or records[-1]["index"] + 1 == page["next"]:
                break
            at = records[-1]["index"] + 1
        done = [record for record in records if record["cause"] != REFUSAL]
        self.ask(Kind.RELEASE_AUDIT, upto=page["next"], crc=crc32(encode_record(done[-1])))
        # That has a record of its own.
        self.log.pop()
        self.read_up_to = page["next"] + 1
        return records

    def check_audit(self, *causes):
        """The log has what this session has done, was refused, and nothing else of it; and its forces that have ended
        otherwise than by Release did for these causes."""
        session = int.from_bytes(self.host.welcome["device_nonce"][-4:], "big")
        boot = self.host.welcome["boot"]
        records = [record for record in self.audit() if (record["boot"], record["session"]) == (boot, session)]
        commands = [record for record in records if record["kind"] < EVENTS]
        logged = [[record[what] for what in ("sequence", "kind", "verdict", "count")] for record in commands]
        expected = [entry for entry, _ in self.log]
        assert logged == expected, f"{logged} is not {expected}"
        ended = [record["cause"] for record in records if record["kind"] == EVENTS]
        assert ended == list(causes), f"forces have ended for {ended}, and not for {causes}"
        operator = b"demo\0\0\0\0" if self.token == b"firmware-demo" else b"guest\0\0\0"
        assert all(record["operator"] == operator for record in records)
        self.log.clear()
        return records

    def bye(self):
        self.host.bye(now())
        self.wait(lambda: self.host.finished, "goodbye")
        assert self.host.closed.reason == 1, self.host.closed
