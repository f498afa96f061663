"""The firmware's lines when they fail: under the client, and under the host tool `rdp`."""

import os
import re
import select
import socket
import subprocess
import threading
import time

from firmware_client import BULK


def flip(data):
    """Turns a bit in every fortieth byte."""
    return bytes(byte ^ 0x10 if at % 40 == 20 else byte for at, byte in enumerate(data))


def cut(_):
    """Nothing gets through."""
    return b""


class Proxy:
    """A bulk lane with noise from the board to the host: `noisy` beside `bulk`."""

    def __init__(self, emulator, noise):
        self._path = os.path.join(emulator.folder.name, "noisy")
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(self._path)
        self._server.listen()
        self._board = emulator.connect("bulk")
        self._noise = noise
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join()
        os.unlink(self._path)

    def _run(self):
        host, _ = self._server.accept()
        with self._server, self._board, host:
            while True:
                ready, _, _ = select.select([host, self._board], [], [])
                if host in ready:
                    if not (data := host.recv(4096)):
                        return
                    self._board.sendall(data)
                if self._board in ready:
                    host.sendall(self._noise(self._board.recv(4096)))


class Lines:
    """Tests of a machine with an `emulator`, `symbols`, a `tool`, and a `client`."""

    def bulk(self):
        """Long answers go over the bulk lane while it is well, and arrive whatever becomes of it."""
        code = self.symbols["__machine_start"]
        with self.client() as client:
            lane = client.lanes[BULK]
            whole = client.read(code, 512)
            begin = time.monotonic()
            for _ in range(16):
                assert client.read(code, 512) == whole
            print(f"    {8 / (time.monotonic() - begin):.0f} KiB of memory a second", flush=True)
            well = client.metrics()
            assert well[0x111] >= 32 and lane.received > 8192, "the bulk lane has not been used"
            damaged = well[13]

            lane.flipping = True
            assert client.read(code, 512) == whole
            client.sleep(0.3)
            flipped = client.metrics()
            assert flipped[13] == damaged + 1, "a damaged lane is not noticed"
            assert client.read(code, 512) == whole
            lane.flipping = False
            client.sleep(2)
            sent = client.metrics()[0x111]
            assert client.read(code, 512) == whole
            assert client.metrics()[0x111] >= sent + 2, "the lane is not used again"

            lane.cut = True
            begin = time.monotonic()
            assert client.read(code, 256) == whole[:256]
            late = time.monotonic() - begin
            begin = time.monotonic()
            assert client.read(code, 512) == whole
            assert time.monotonic() - begin < 1, "it is tried over the cut lane again and again"
            assert client.metrics()[13] == damaged + 2
            lane.cut = False
            client.bye()
        return f"a cut bulk lane costs {late * 1000:.0f} ms, once"

    def host_tool(self):
        """A line that flips bits, or is cut, under the host tool; and a board that is reset under its hands."""
        code = self.symbols["__machine_start"]
        commands = f"read {code:#x} 256, read {code:#x} 512, metrics"
        whole = self.said(self.run_tool("bulk", commands))
        for noise in (flip, cut):
            with Proxy(self.emulator, noise):
                begin = time.monotonic()
                said = self.said(self.run_tool("noisy", commands))
                assert said == whole, f"a bulk lane that {noise.__name__}s changes what is read"
                late = time.monotonic() - begin
        tool = self.start_tool("bulk", "status, wait 20000")
        while "uptime" not in (line := tool.stdout.readline()):
            assert line, tool.stderr.read()
        self.emulator.reset()
        _, why = tool.communicate(timeout=10)
        assert tool.returncode == 6, (tool.returncode, why)
        return f"over a bulk lane that is cut: {late:.1f} s; after a reset: {why.strip()}"

    def start_tool(self, bulk, commands):
        folder = self.emulator.folder.name
        lines = ["--connect", f"serial:{folder}/signal", "--bulk", f"serial:{folder}/{bulk}"]
        command = [self.tool, *lines, "--token", "firmware-demo", commands]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_tool(self, bulk, commands):
        tool = self.start_tool(bulk, commands)
        out, why = tool.communicate(timeout=30)
        assert tool.returncode == 0, (tool.returncode, why)
        return out

    @staticmethod
    def said(out):
        """What was read, without what was counted."""
        lines = [line for line in out.splitlines() if re.match(r"0x[0-9a-f]{8}  ", line)]
        assert len(lines) == 48, out
        return lines
