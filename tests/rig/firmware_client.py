"""The firmware in the emulator, and a host to talk to it: the independent implementation of the protocol in `tests/rdp-conformance`."""

import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rdp-conformance"))

from rdp3.architectures import ARCHITECTURES  # noqa: E402
from rdp3.frames import Code, Kind  # noqa: E402
from rdp3.host import Host, Settings  # noqa: E402
from rdp3.lanes import SPI_MTU, UART_MTU, SerialLane  # noqa: E402

SIGNAL, BULK = 0, 1
OBSERVING = {
    Kind.LIST_BREAKPOINTS,
    Kind.READ_REGISTERS,
    Kind.READ_MEMORY,
    Kind.GET_STATUS,
    Kind.READ_AXES,
    Kind.READ_PLC,
    Kind.READ_CURSOR,
    Kind.READ_AUDIT,
    Kind.READ_METRICS,
}
RAM_END = 0x2001_0000
PAINT = b"\xa5"


def now():
    return time.monotonic_ns() // 1_000_000


class Emulator:
    """The board."""

    def __init__(self, symbols):
        self.folder = tempfile.TemporaryDirectory(prefix="feedrate-firmware.")
        # Above the variables there is nothing but the exceptions' stack: what of it is not painted any more has been used.
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

    def stack_used(self):
        """Bytes of the exceptions' stack that have been used since the start."""
        dump = os.path.join(self.folder.name, "dump")
        size = RAM_END - self._stack
        self._command(f'pmemsave {self._stack:#x} {size:#x} "{dump}"')
        with open(dump, "rb") as file:
            return len(file.read().lstrip(PAINT))

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
    log: list = field(default_factory=list)
    """What the audit log has to say of it: (sequence, kind, verdict)."""

    def __post_init__(self):
        self.lanes = [Lane(self.emulator.connect(name)) for name in ("signal", "bulk")]
        settings = Settings(self.token, secrets.randbits(32), secrets.token_bytes(16))
        self.host = Host([SerialLane(UART_MTU), SerialLane(SPI_MTU)], settings)
        self.wait(lambda: self.host.active or self.host.closed, "a session")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for lane in self.lanes:
            lane.socket.close()

    @property
    def arch(self):
        return ARCHITECTURES[self.host.welcome["architecture"]]

    def pump(self, seconds=0.005):
        """Moves bytes for so long."""
        end = time.monotonic() + seconds
        while True:
            for number, lane in enumerate(self.lanes):
                while packet := self.host.poll(now(), number):
                    if not lane.cut:
                        lane.socket.sendall(packet)
            left = max(0, min(0.005, end - time.monotonic()))
            ready, _, _ = select.select([lane.socket for lane in self.lanes], [], [], left)
            for number, lane in enumerate(self.lanes):
                if lane.socket in ready:
                    self.host.feed(lane.take(), now(), number)
            if ready or time.monotonic() >= end:
                return

    def wait(self, until, what, seconds=10):
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"no {what} within {seconds} s; {self.host.closed}"
            self.pump()

    def sleep(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pump()

    def ask(self, kind, error=None, recorded=None, **fields):
        """Sends a command, and gives the answer's fields. `error` is the code that it has to be refused with; `recorded`: in the log, too."""
        sequence = self.host.request(kind, fields, now())
        self.wait(lambda: sequence in self.host.answers or self.host.closed, f"answer to {kind.name}")
        assert sequence in self.host.answers, f"{kind.name}: {self.host.closed}"
        answer = self.host.answers.pop(sequence)
        code = Code(answer.fields["code"]) if answer.kind is Kind.ERROR else None
        assert code == error, f"{kind.name} {fields}: {code!r}, not {error!r}"
        if kind not in OBSERVING and (recorded if recorded is not None else error is None):
            self.log.append((sequence, int(kind), int(error or 0)))
        return answer.fields

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

    def force(self, addr, value, lease, error=None, recorded=None, **fields):
        fields = {"fingerprint": self.host.welcome["fingerprint"]} | fields
        self.ask(Kind.FORCE, error, recorded, addr=addr, lease=lease, value=value.to_bytes(4, "little", signed=True), **fields)

    def metrics(self):
        return {row["metric"]: row["value"] for row in self.ask(Kind.READ_METRICS)["metrics"]}

    def audit(self):
        """All records that are still there."""
        records, at = [], 0
        while True:
            page = self.ask(Kind.READ_AUDIT, first=at, count=8)
            records += page["records"]
            if not page["records"] or records[-1]["index"] + 1 == page["next"]:
                break
            at = records[-1]["index"] + 1
        # They may be overwritten now.
        self.ask(Kind.READ_AUDIT, first=page["next"], count=1)
        return records

    def check_audit(self):
        """The log has what this session has done, and nothing else of it."""
        session = int.from_bytes(self.host.welcome["device_nonce"][-4:], "big")
        records = [record for record in self.audit() if record["session"] == session]
        logged = [(record["sequence"], record["kind"], record["verdict"]) for record in records]
        assert logged == self.log, f"{logged} is not {self.log}"
        assert all(record["operator"] == b"demo\0\0\0\0" for record in records)
        return records

    def bye(self):
        self.host.bye(now())
        self.wait(lambda: self.host.finished, "goodbye")
        assert self.host.closed.reason == 1, self.host.closed
