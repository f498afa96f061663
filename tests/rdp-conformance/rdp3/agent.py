"""The agent, with the reference machine behind it. `python3 -m rdp3.agent --listen 127.0.0.1:0`"""

import argparse
import os
import secrets
import select
import socket
import sys

from . import rules
from .clock import Clock
from .device import Device, NonceSource
from .knobs import KnobClock, Knobs, real_ms
from .lanes import SerialLane
from .line import ByteStream, Line, SerialLine
from .link import AgentLink
from .machine import World
from .rules import broken
from .tcp import PORTION, TICK, Port
from .welcome import CREDIT, STALL


MILLISECOND = 0.001


class Server:
    """Sockets, knobs, and the agent from one reset to the next."""

    def __init__(self, serial: bool) -> None:
        self._serial = serial
        self._world = World()
        self._source = KnobClock()
        self._knobs = Knobs(self._world, self._source, self._reset, lambda: self._device.trap())
        self._nonces = NonceSource()
        self._boot = 0
        self._connection = secrets.randbelow(0xFFFF)
        self._port: Port | None = None
        self._observer: Port | None = None
        self._input = b""
        self._ran = real_ms()
        self._waits = False
        self._device = self._start()

    def _start(self) -> Device:
        """Agent and machine start anew."""
        self._boot += 1
        return Device(self._world, Clock(self._source()), self._boot, self._nonces)

    def _reset(self) -> None:
        """The knob: as after a reset. A policy is gone, too (8.12)."""
        before = self._device
        self._device = self._start()
        if broken("policy-outlives-reset"):
            self._device.policy = before.policy
        self._drop_observer()
        if self._port is not None and self._serial:
            self._open(self._port)
        elif self._port is not None:
            self._port.close()
            self._port = None

    def _drop_observer(self) -> None:
        if self._observer is not None:
            self._observer.close()
            self._observer = None

    def _open(self, port: Port) -> None:
        """Gives the agent a line."""
        port.line = self._line(self._device)
        self._device.open(port.line)

    def _line(self, device: Device) -> Line:
        if not self._serial:
            return ByteStream(CREDIT)
        link = AgentLink([SerialLane()], device.metrics, CREDIT, lambda: device.busy, self._connection)
        self._connection = (self._connection + 257) % 0xFFFF
        return SerialLine(link)

    def accept(self, sock: socket.socket) -> None:
        """An operator's connection."""
        station = self._device.station
        if self._port is not None and not self._serial and station is not None and station.occupied:
            sock.close()
            return
        if self._port is not None:
            if broken("newer-stream-refused"):
                sock.close()
                return
            if broken("second-stream-takes-over") and station is not None and station.active:
                before, self._port = self._port, Port(sock)
                self._port.line = before.line
                before.close()
                return
            self._port.line.gone(self._source())
            self._run()
            self._port.close()
        self._device = self._start()
        self._drop_observer()
        self._port = Port(sock)
        self._open(self._port)

    def observe(self, sock: socket.socket) -> None:
        """An observer's connection."""
        observer = self._device.observer
        if self._observer is not None and observer is not None and observer.occupied:
            sock.close()
            return
        if self._observer is not None:
            self._observer.line.gone(self._source())
            self._run()
            self._observer.close()
        self._observer = Port(sock)
        self._observer.line = ByteStream(CREDIT)
        self._device.observe(self._observer.line)

    def knobs(self, data: bytes) -> None:
        """Takes lines from standard input."""
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").strip()
            if text:
                self._run()
                machine = self._device.machine
                forced = {addr: value for addr, (_, value) in machine.forced.items()}
                try:
                    answer = self._knobs.execute(text, forced, len(machine.traps))
                except ValueError:
                    answer = f"no such knob: {text}"
                self._run()
                print(answer, flush=True)

    def _run(self) -> None:
        if real_ms() >= self._knobs.stalled_until:
            self._ran = real_ms()
            self._device.run(self._source())

    def pump(self, listeners: dict[socket.socket, bool], inputs: list[int]) -> bool:
        """Moves what can be moved, and runs once. False at the end of standard input."""
        stalled = real_ms() < self._knobs.stalled_until
        ports = [port for port in (self._port, self._observer) if port is not None]
        reading = [port for port in ports if not port.line.full and not port.ended]
        writing = [port for port in ports if port.pending]
        pause = TICK if stalled or not self._waits else MILLISECOND if real_ms() == self._ran else 0
        readable, _, _ = select.select([*listeners, *reading, *inputs], writing, [], pause)
        more = True
        for listener, observers in listeners.items():
            if listener in readable:
                sock, _ = listener.accept()
                (self.observe if observers else self.accept)(sock)
        for port in reading:
            if port in readable and port in (self._port, self._observer):
                self._receive(port)
        for one in inputs:
            if one in readable:
                data = os.read(one, PORTION)
                more = bool(data)
                self.knobs(data)
        if real_ms() >= self._knobs.stalled_until:
            # Runs are a millisecond apart: a healthy clock goes on from one to the next (8.10).
            self._waits = real_ms() == self._ran
            if not self._waits:
                self._run()
                self._waits = self._device.waits()
            self._send()
        elif real_ms() - self._ran >= STALL:
            self._device.watchdog(self._source())
        return more

    def _receive(self, port: Port) -> None:
        data = port.receive()
        if data:
            self._device.feed(port.line, data, self._source())
        elif data is not None:
            port.ended = True

    def _send(self) -> None:
        for name in ("_port", "_observer"):
            port: Port | None = getattr(self, name)
            if port is None:
                continue
            if port.ended:
                port.line.gone(self._source())
                self._run()
            port.send(self._source())
            if port.line.closed and not port.pending or port.ended:
                if port.line.closed and not port.ended:
                    port.line.gone(self._source())
                    self._run()
                port.close()
                setattr(self, name, None)


def listen(address: str) -> socket.socket:
    """A listening socket."""
    host, _, port = address.rpartition(":")
    return socket.create_server((host, int(port)))


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="rdp3.agent", description="An RDPv3 agent with the reference machine behind it."
    )
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--observe", metavar="HOST:PORT", help="a second listener, for observers")
    parser.add_argument("--serial", action="store_true", help="the TCP connection stands for a serial line, MTU 64")
    rules.add_option(parser)
    options = parser.parse_args()
    rules.set_broken(options.broken)
    listeners = {listen(options.listen): False}
    if options.observe:
        listeners[listen(options.observe)] = True
    for listener, observers in listeners.items():
        word = "observing" if observers else "listening"
        print("{} {}:{}".format(word, *listener.getsockname()[:2]), flush=True)
    server = Server(options.serial)
    inputs = [sys.stdin.fileno()]
    try:
        while True:
            if not server.pump(listeners, inputs):
                inputs = []
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
