"""Tests of the Python implementation against itself: `python3 selftest.py`. Whether it follows SPEC.md is the runner's business."""

import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import unittest
from collections.abc import Callable

from rdp3 import cobs, crc, frames, rules
from rdp3.agent import Agent, NonceSource
from rdp3.frames import Kind
from rdp3.host import Host, Settings
from rdp3.lanes import SPI_MTU, Lane, SerialLane, StreamLane
from rdp3.link import Reset
from rdp3.metrics import Metric
from rdp3.order import Order, Verdict
from rdp3.packet import Failure, Packet, Type

HERE = pathlib.Path(__file__).parent


class Noise:
    """What a line does to the bytes of a packet."""

    def __init__(self, seed: int, lost: float = 0, twice: float = 0, flipped: float = 0) -> None:
        self.cut = False
        self._random = random.Random(seed)
        self._lost, self._twice, self._flipped = lost, twice, flipped

    def __call__(self, data: bytes) -> bytes:
        if self.cut or self._random.random() < self._lost:
            return b""
        if data and self._random.random() < self._flipped:
            flipped = bytearray(data)
            flipped[self._random.randrange(len(flipped))] ^= 1 << self._random.randrange(8)
            data = bytes(flipped)
        return data * 2 if self._random.random() < self._twice else data


class Bench:
    """A host and an agent in memory, in steps of 5 ms; a lane carries one packet a step in each direction."""

    STEP = 5

    def __init__(self, lane: Callable[[], list[Lane]], noises: list[Noise], token: bytes = b"operator") -> None:
        self.now = 1000
        self.noises = noises
        self.agent = Agent(lane(), NonceSource(), self.now)
        self.host = Host(lane(), Settings(token, cookie=7, nonce=bytes(range(16))))

    def run(self, until: Callable[[], bool], longest: int = 60_000) -> None:
        """Lets time go by until something has happened."""
        end = self.now + longest
        while not until():
            if self.now > end or self.host.closed is not None:
                raise AssertionError(f"did not happen: {self.host.closed}")
            self.step()

    def step(self) -> None:
        """One step."""
        self.now += self.STEP
        for lane, noise in enumerate(self.noises):
            self.agent.feed(noise(self.host.poll(self.now, lane)), self.now, lane)
            self.host.feed(noise(self.agent.poll(self.now, lane)), self.now, lane)

    def open(self) -> None:
        """Opens the session."""
        self.run(lambda: self.host.active)

    def ask(self, kind: Kind, channel: int = 0, **fields: object) -> tuple[Kind, frames.Fields]:
        """A command and its answer."""
        sequence = self.host.request(kind, fields, self.now, channel)
        self.run(lambda: sequence in self.host.answers)
        answer = self.host.answers.pop(sequence)
        return answer.kind, answer.fields

    def metrics(self) -> dict[int, int]:
        """The agent's metrics."""
        return {row["metric"]: row["value"] for row in self.ask(Kind.READ_METRICS)[1]["metrics"]}


class Pieces(unittest.TestCase):
    """What SPEC.md gives the bytes of."""

    def test_checks(self) -> None:
        """The check values of the three checks."""
        self.assertEqual(crc.crc16(b"123456789"), 0x29B1)
        self.assertEqual(crc.crc32(b"123456789"), 0xCBF43926)
        self.assertEqual(crc.crc32c(b"123456789"), 0xE3069283)

    def test_cobs(self) -> None:
        """The examples of 2.1, the longest part, and anything."""
        self.assertEqual(cobs.encode(bytes.fromhex("11220033")), bytes.fromhex("0311220233"))
        self.assertEqual(cobs.encode(b"\0"), b"\1\1")
        self.assertEqual(cobs.encode(b"x" * 254), b"\xff" + b"x" * 254)
        self.assertEqual(cobs.decode(b"\xff" + b"x" * 254 + b"\1"), b"x" * 254)
        chance = random.Random(1)
        for _ in range(300):
            data = bytes(chance.choice((0, 1, 255)) * chance.choice((0, 1, 1, 1)) for _ in range(chance.randrange(1, 20)))
            data *= chance.choice((1, 40))
            encoded = cobs.encode(data)
            self.assertNotIn(0, encoded)
            self.assertEqual(cobs.decode(encoded), data)
        for wrong in (b"\2", b"\0", b"\3\1", b"\xff" + b"x" * 253):
            self.assertRaises(cobs.CobsError, cobs.decode, wrong)

    def test_lanes(self) -> None:
        """Sizes and failures of both framings."""
        self.assertEqual([SerialLane().max_payload, SerialLane(SPI_MTU).max_payload, StreamLane().max_payload], [45, 491, 1006])
        packet = Packet(Type.DATA, 5, 9, b"payload", 0x31)
        good = packet.encode()
        for lane in SerialLane(), StreamLane():
            data = lane.encode(packet)
            self.assertEqual([out for byte in data for out in lane.feed(bytes([byte]))], [packet])
        serial = SerialLane()
        self.assertEqual(serial.feed(b"\0abc\0\0" + b"y" * 99 + b"\0" + serial.encode(packet)), [Failure.FRAME, packet])
        self.assertEqual((serial.counts.header_failures, serial.counts.overlong), (1, 1))
        for at, failure, closed in ((4, Failure.HEADER, True), (14, Failure.CRC, False)):
            lane = StreamLane()
            wrong = bytearray(good)
            wrong[at] ^= 1
            self.assertEqual(lane.feed(len(wrong).to_bytes(2, "big") + wrong), [failure])
            self.assertEqual(lane.closed, closed)

    def test_order(self) -> None:
        """The window and the times of 5.5."""
        order = Order()
        for sequence, time, verdict in (
            (70, 100, Verdict.GOOD),
            (70, 100, Verdict.REPLAYED),
            (6, 50, Verdict.REPLAYED),
            (7, 101, Verdict.DISORDERED),
            (8, 99, Verdict.GOOD),
            (71, 99, Verdict.DISORDERED),
            (71, 100, Verdict.GOOD),
            (71, 100, Verdict.REPLAYED),
            (72, 900, Verdict.STALE),
        ):
            self.assertIs(order.check(sequence, time, 100, 500), verdict, (sequence, time))

    def test_bodies(self) -> None:
        """A body has exactly its length; a breakpoint frame has 18 bytes."""
        body = frames.body(Kind.SET_BREAKPOINT, {"addr": 1, "id": 2})
        self.assertEqual(len(frames.frame(Kind.SET_BREAKPOINT, body)), 18)
        self.assertEqual(sum(struct.calcsize(">" + field.code) for field in frames.RECORD), 47)
        for wrong in body[:-1], body + b"\0":
            self.assertRaises(frames.Malformed, frames.decode, Kind.SET_BREAKPOINT, wrong)

    def test_rules(self) -> None:
        """Every breaker has exactly one place, and every place a breaker."""
        text = "".join(path.read_text() for path in (HERE / "rdp3").glob("*.py"))
        self.assertEqual(sorted(re.findall(r'broken\(\s*"([^"]+)"', text)), sorted(rules.RULES))


class InMemory(unittest.TestCase):
    """Host and agent on simulated lanes."""

    def _debug(self, bench: Bench) -> None:
        bench.open()
        self.assertEqual(bench.ask(Kind.HALT)[0], Kind.DONE)
        bench.run(lambda: bool(bench.host.stopped))
        self.assertEqual(bench.host.stopped.popleft()["reason"], frames.Reason.HALTED)
        for count in range(1, 8):
            _, memory = bench.ask(Kind.READ_MEMORY, addr=0x20000100, length=256)
            self.assertEqual(memory["data"], bytes((0x100 + n) % 251 for n in range(256)))
            rule = {"first": count, "last": count, "action": 1}
            self.assertEqual(bench.ask(Kind.PUSH_POLICY, channel=1, version=count, enabled=1, rules=[rule])[0], Kind.DONE)
            step = bench.host.request(Kind.STEP, {"count": 2, "trace": 1}, bench.now)
            bench.run(lambda: len(bench.host.stopped) == 2)
            events = [bench.host.stopped.popleft() for _ in range(2)]
            self.assertEqual([(event["request"], event["more"]) for event in events], [(step, 1), (step, 0)])
        self.assertEqual(bench.ask(Kind.SET_BREAKPOINT, addr=0x20000100, id=1)[0], Kind.BREAKPOINT_SET)
        records = bench.ask(Kind.READ_AUDIT, first=0, count=99)[1]
        self.assertEqual((records["oldest"], records["next"]), (0, 16))
        self.assertEqual(bench.ask(Kind.RESUME)[1]["code"], frames.Code.AUDIT_FULL)

    def test_all_lanes(self) -> None:
        """Without noise."""
        for lanes in (lambda: [StreamLane()]), (lambda: [SerialLane()]), (lambda: [SerialLane(), SerialLane(SPI_MTU)]):
            bench = Bench(lanes, [Noise(0)] * len(lanes()))
            self._debug(bench)
            self.assertEqual(bench.host.ignored, 0)

    def test_noise(self) -> None:
        """Loss, repetition and flipped bits on a serial lane: slower, and otherwise the same."""
        for seed in range(6):
            bench = Bench(lambda: [SerialLane()], [Noise(seed, lost=0.05, twice=0.1, flipped=0.05)])
            self._debug(bench)
            self.assertGreater(bench.metrics()[0x104], 0)

    def test_noise_on_two_lanes(self) -> None:
        """The same with a bulk lane that is noisy too."""
        for seed in range(4):
            noises = [Noise(seed, lost=0.03, twice=0.05, flipped=0.03), Noise(seed + 100, lost=0.1, twice=0.05, flipped=0.1)]
            self._debug(Bench(lambda: [SerialLane(), SerialLane(SPI_MTU)], noises))

    def test_fail_over(self) -> None:
        """A bulk lane that is cut is left at the first retransmission time, and used again after 4 probes (4.4)."""
        bench = Bench(lambda: [SerialLane(), SerialLane(SPI_MTU)], [Noise(1), Noise(2)])
        bench.open()
        read = {"addr": 0x20000000, "length": 256}
        bench.ask(Kind.READ_MEMORY, **read)
        before = bench.metrics()
        self.assertGreater(before[0x111], 0)
        bench.noises[1].cut = True
        bench.ask(Kind.READ_MEMORY, **read)
        self.assertEqual(bench.metrics()[Metric.DAMAGED], 1)
        bench.noises[1].cut = False
        end = bench.now + 2000
        bench.run(lambda: bench.now > end)
        repaired = bench.metrics()[0x111]
        bench.ask(Kind.READ_MEMORY, **read)
        self.assertGreater(bench.metrics()[0x111], repaired)
        self.assertEqual(bench.metrics()[Metric.DAMAGED], 1)

    def test_silence(self) -> None:
        """Without a line, both sides end; the agent leaves nothing behind (5.7)."""
        bench = Bench(lambda: [SerialLane()], [Noise(1)])
        bench.open()
        bench.ask(Kind.SET_BREAKPOINT, addr=0x20000100, id=1)
        bench.noises[0].cut = True
        while not bench.host.finished and bench.now < 20_000:
            bench.step()
        self.assertEqual(bench.host.closed and bench.host.closed.reason, 2)
        second = Bench(lambda: [SerialLane()], [Noise(1)])
        second.agent, second.now = bench.agent, bench.now
        second.open()
        self.assertEqual(second.ask(Kind.GET_STATUS)[1]["breakpoints"], 0)

    def test_last_sequence(self) -> None:
        """The last sequence is 2^32 - 2, and that of a Bye with reason 6 (5.5)."""
        for side in range(2):
            bench = Bench(lambda: [StreamLane()], [Noise(1)])
            bench.open()
            session = (bench.host._session, bench.agent._session)[side]
            session._sequence = 0xFFFFFFFD
            self.assertEqual(bench.ask(Kind.GET_STATUS)[0], Kind.STATUS)
            bench.host.request(Kind.GET_STATUS, {}, bench.now)
            while bench.host.closed is None and bench.now < 9000:
                bench.step()
            self.assertEqual((bench.host.closed.reason, session._sequence), (6, 0xFFFFFFFF))

    def test_late_host(self) -> None:
        """An agent answers a stray ACK with RESET 3, and once in 200 ms only (4.1)."""
        agent = Agent([StreamLane()], NonceSource(), 0)
        lane = StreamLane()
        stray = lane.encode(Packet(Type.ACK, 77, 1, bytes(21)))
        agent.feed(stray + stray, 1)
        self.assertEqual(lane.feed(agent.poll(1)), [Packet(Type.RESET, 77, 0, bytes([Reset.NO_CONNECTION]))])
        self.assertEqual(agent.poll(1), b"")

    def test_nonsense(self) -> None:
        """Any bytes do no harm (section 10)."""
        for seed in range(20):
            chance = random.Random(seed)
            bench = Bench(lambda: [SerialLane()], [Noise(seed)])
            for _ in range(20):
                bench.agent.feed(chance.randbytes(chance.randrange(200)), bench.now)
                bench.step()
            bench.open()


class Programs(unittest.TestCase):
    """Both programs over TCP."""

    def _talk(self, *lines: str, token: str = "operator", agent: str = "", host: str = "", serial: bool = False) -> list[dict]:
        option = ["--serial"] if serial else []
        environment = os.environ | {"PYTHONPATH": str(HERE)}
        with subprocess.Popen(
            [sys.executable, "-m", "rdp3.agent", "--listen", "127.0.0.1:0", "--break", agent, *option],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as server:
            try:
                assert server.stdout is not None
                address = server.stdout.readline().split()[1]
                run = subprocess.run(
                    [sys.executable, "-m", "rdp3.host", address, "--token", token, "--break", host, *option],
                    input="\n".join(lines),
                    stdout=subprocess.PIPE,
                    text=True,
                    env=environment,
                    timeout=30,
                    check=False,
                )
            finally:
                server.kill()
        return [json.loads(line) for line in run.stdout.splitlines()]

    def test_all_commands(self) -> None:
        """Each command of README's table, on both framings."""
        for serial in (False, True):
            first, *answers, last = self._talk(
                *("status", "force 0x20000020 500 01020304", "halt", "stopped", "regs", "hbreak 0x20000110 1"),
                *("sbreak 0x20000112 2", "break 0x20000114 3", "watch 0x20000010 4 4 2", "clear 4", "breakpoints"),
                *("resume", "stopped", "step 2 1", "stopped", "stopped", "read 0x20000000 4", "force 0x20000020 200 01020304"),
                *("read 0x20000020 4", "wait 250", "read 0x20000020 4", "force 0x20000024 9999 aabbccdd", "release 0x20000024"),
                *("read 0x20000024 4", "setaxis 2 -7", "axes", "plc 6 2", "cursor", "audit 0 3", "policy 1 1 0 0x20000120 0"),
                *("break 0x20000120 9", "break 0x20000122 9", "clear 77", "metrics", "bye"),
                serial=serial,
            )
            self.assertEqual((first["active"], first["name"], first["authority"]), (True, "reference", 15))
            by_line = iter(answers)
            self.assertEqual(next(by_line)["run"], 1)
            self.assertEqual(next(by_line), {"error": 14, "detail": 0})
            self.assertEqual(next(by_line), {"done": True})
            halted = next(by_line)
            self.assertEqual(halted["reason"], 4)
            self.assertEqual(next(by_line)["registers"], halted["registers"])
            self.assertEqual([next(by_line) for _ in range(4)], [{"id": n + 1, "slot": n} for n in range(4)])
            self.assertEqual(next(by_line), {"done": True})
            listed = next(by_line)["breakpoints"]
            self.assertEqual([(one["id"], one["trap"]) for one in listed], [(1, 1), (2, 2), (3, 0)])
            self.assertEqual(next(by_line), {"done": True})
            self.assertEqual(next(by_line)["reason"], 2)
            self.assertEqual(next(by_line), {"done": True})
            # Instructions 0x110 and 0x112 or 0x112 and 0x114: the second step meets the next breakpoint, unless the first was the last.
            self.assertIn(next(by_line)["reason"], (1, 2))
            self.assertIn(next(by_line)["reason"], (1, 2))
            self.assertEqual(next(by_line)["data"], "00010203")
            self.assertEqual([next(by_line) for _ in range(2)], [{"done": True}, {"addr": 0x20000020, "data": "01020304"}])
            self.assertEqual(next(by_line), {"waited": 250})
            self.assertEqual(next(by_line)["data"], "20212223")
            self.assertEqual([next(by_line) for _ in range(2)], [{"done": True}] * 2)
            self.assertEqual(next(by_line)["data"], "24252627")
            self.assertEqual(next(by_line), {"done": True})
            self.assertEqual(next(by_line), {"axes": [1000000, -2000000, -7]})
            self.assertEqual(next(by_line), {"first": 6, "registers": [106, 107]})
            self.assertEqual(next(by_line), {"program": 1000, "line": 12, "offset": 345})
            self.assertEqual([record["kind"] for record in next(by_line)["records"]], [0x10, 0x04, 0x05])
            self.assertEqual(next(by_line), {"done": True})
            self.assertEqual(next(by_line), {"error": 20, "detail": 1})
            self.assertEqual(next(by_line)["id"], 9)
            self.assertEqual(next(by_line), {"error": 17, "detail": 0})
            self.assertEqual(next(by_line)["metrics"]["2"], 1)
            self.assertEqual(last, {"closed": 1})

    def test_tokens(self) -> None:
        """The other tokens."""
        self.assertEqual([line["closed"] for line in self._talk("status", token="nobody")], [0])
        self.assertEqual(self._talk("halt", token="observer")[1], {"error": 5, "detail": 0})
        lines = self._talk("wait 600", "status", "halt", token="brief")
        self.assertEqual(lines[2:], [{"error": 5, "detail": 0}, {"done": True}, {"closed": 1}])

    def test_broken(self) -> None:
        """Some breakers that this implementation itself notices."""
        for agent, host in (
            ("host-nonce-not-echoed", ""),
            ("device-nonce-not-used", ""),
            ("", "host-agree-wrong"),
        ):
            lines = self._talk("wait 100", agent=agent, host=host)
            self.assertNotEqual(lines[-1], {"closed": 1}, (agent, host))
        self.assertTrue(self._talk(token="nobody", agent="bad-token-accepted")[0]["active"])


if __name__ == "__main__":
    unittest.main()
