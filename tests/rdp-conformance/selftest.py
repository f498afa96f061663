"""Tests of the tests: `python3 selftest.py`.

The suite's watchers have to notice what they watch for, both implementations in Python have to read the vectors, and
`rdp3` has to pass its own tests. Whether it follows SPEC.md is the runner's business."""

import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import unittest

from rdp3 import cobs, crc, frames, rules
from rdp3.presence import Presence
from rdp3.seal import Nonces, unseal
from suite import frames as suite_frames
from suite import vectors, wire
from suite.host import WELCOME, AgentPeer
from suite.line import Stream
from suite.link import Link
from suite.session import ZERO, HostPeer

HERE = pathlib.Path(__file__).parent


def load(name):
    with open(HERE / "vectors" / (name + ".json"), encoding="utf-8") as f:
        return json.load(f)


class Vectors(unittest.TestCase):
    """What both implementations in Python say to the vectors."""

    def test_suite(self):
        self.assertEqual(vectors.main(), 0)

    def test_checks(self):
        self.assertEqual(crc.crc16(b"123456789"), 0x29B1)
        self.assertEqual(crc.crc32(b"123456789"), 0xCBF43926)
        self.assertEqual(crc.crc32c(b"123456789"), 0xE3069283)

    def test_cobs(self):
        data = load("cobs")
        for v in data["valid"] + data["accepted"]:
            self.assertEqual(cobs.decode(bytes.fromhex(v["encoded"])).hex(), v["packet"], v["name"])
        for v in data["valid"]:
            self.assertEqual(cobs.encode(bytes.fromhex(v["packet"])).hex(), v["encoded"], v["name"])
        for v in data["invalid"]:
            self.assertRaises(cobs.CobsError, cobs.decode, bytes.fromhex(v["encoded"]))

    def test_frames(self):
        data = load("frames")
        rest = (0x44, 0x92, 0x98)       # what goes to the frame's end has no length of its own here
        for v in data["valid"]:
            body = bytes.fromhex(v["frame"])[6:]
            fields = frames.decode(frames.Kind(v["kind"]), body)
            self.assertEqual(frames.body(frames.Kind(v["kind"]), fields), body, v["name"])
        for v in data["malformed"]:
            raw = bytes.fromhex(v["frame"])
            if v["name"].endswith(("one byte short", "one byte more", "no body")) and raw[5] not in rest:
                self.assertRaises(frames.Malformed, frames.decode, frames.Kind(raw[5]), raw[6:])

    def test_tags(self):
        for v in load("messages")["messages"]:
            if v["tag"] == "short":
                continue
            nonces = Nonces(bytes.fromhex(v["host_nonce"]), bytes.fromhex(v["device_nonce"]))
            found = unseal(bytes.fromhex(v["message"]), nonces, v["direction"], v["channel"])
            self.assertEqual(found is not None, v["tag"] == "ok", v["name"])

    def test_challenges(self):
        for v in load("messages")["challenges"]:
            presence, numbers = Presence(v["agreed"]), {}
            for s in v["steps"]:
                if "sent" in s:
                    numbers[s["sent"]] = presence.challenge(s["clock"])
                else:
                    presence.answered(numbers.get(s["echo"], -1), 0)
                    self.assertEqual(presence.heard, s["heard"], v["name"])


class Second(unittest.TestCase):
    """`rdp3`."""

    def test_rules(self):
        """Every breaker has a place, and every place a rule."""
        text = "".join(p.read_text(encoding="utf-8") for p in (HERE / "rdp3").glob("*.py"))
        places = set(re.findall(r'broken\(\s*"([^"]+)"', text))
        made = [re.sub(r"\\{.*?\\}", ".*", re.escape(p)) for p in re.findall(r'f"([a-z-]*\{[^"]*\}[a-z-]*)"', text)]
        self.assertEqual(sorted(places - set(rules.RULES)), [], "places without a rule")
        used = re.sub(r'^ +"[a-z0-9-]+": Rule', "", text, flags=re.M)
        missing = [n for n in rules.RULES if f'"{n}"' not in used and not any(re.fullmatch(m, n) for m in made)]
        self.assertEqual(missing, [], "rules without a place")

    def test_own(self):
        done = subprocess.run([sys.executable, "-m", "rdp3.selftest"], cwd=HERE, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])


def pair(kind):
    """One of our ends, and the bare other one."""
    ours, theirs = socket.socketpair()
    return kind(ours, False), theirs


class Watchers(unittest.TestCase):
    """What the suite's own ends notice. Each list: what is sent, and the beginning of the violation, or none."""

    def packets(self, *sent):
        link, other = pair(Link)
        link.connection = 7
        link.advertised = [512, 512]
        for raw in sent:
            other.sendall(raw)
        for _ in range(3):
            link.pump(0.01)
        other.close()
        return link.violations

    def test_packets(self):
        def data(position, payload, flags=0, **over):
            return wire.framed(wire.packet(wire.DATA, 7, position, payload, flags, **over))

        def ack(number, expected=0):
            payload = struct.pack(">IHIHHHHBH", expected, 512, 0, 512, 0, 0, 0, 0, 0)
            return wire.framed(wire.packet(wire.ACK, 7, number, payload))
        good = data(0, b"\0\x20abc")
        for want, sent in (
                (None, [good, ack(1), ack(2)]), (None, [good, data(0, b"\0\x20abc", 0x10)]),
                ("3.1", [data(0, b"abc", crc=1)]), ("3.1", [b"\0abc\0"]), ("2 ", [b"\0" + b"\1" * 70 + b"\0"]),
                ("3 retransmissions", [good, good]), ("3 retransmissions", [data(0, b"ab", 0x10)]),
                ("4.4 other bytes", [good, data(0, b"\0\x20abd", 0x10)]), ("4.4 a packet at", [data(9, b"abc")]),
                ("3 DATA without", [data(0, b"")]), ("4.3 ACK 1", [ack(1), ack(1)]), ("4.3 ACK of", [ack(1, 5)]),
                ("4.2 a record of 0", [data(0, b"\0\0a")]), ("3 PROBE", [wire.framed(wire.packet(6, 7, 0))]),
                ("3 type 9", [wire.framed(wire.packet(9, 7, 0))]),
                ("4.1 DATA", [wire.framed(wire.packet(wire.DATA, 8, 0, b"a"))]),
                ("4.6", [wire.framed(wire.packet(wire.RESET, 7, 0, b"\7"))])):
            found = self.packets(*sent)
            self.assertEqual(bool(found), want is not None, (want, found))
            self.assertTrue(want is None or any(v.startswith(want) for v in found), (want, found))

    def test_window(self):
        link, other = pair(Link)
        link.connection, link.advertised = 7, [20, 20]
        other.sendall(wire.framed(wire.packet(wire.DATA, 7, 0, b"\0\x20" + bytes(30))))
        link.pump(0.01)
        self.assertTrue(link.violations[0].startswith("4.4"), link.violations)
        other.close()

    def test_records(self):
        for want, sent in ((None, wire.record(1, bytes(18))), ("5.1", wire.record(0, bytes(17))),
                           ("5.1", wire.record(0, bytes(513)))):
            line, other = pair(Stream)
            other.sendall(sent)
            line.pump(0.01)
            self.assertEqual([v[:3] for v in line.violations], [want] if want else [])
            other.close()

    def session(self, *messages):
        """What a host notices of an agent's messages: (channel, sequence, time, raw frame, over)."""
        line, other = pair(Stream)
        peer = HostPeer(line)
        peer.device, peer.active, peer.echo = os.urandom(16), True, False
        agent = AgentPeer(Stream(other, True), None)
        agent.host, agent.device = peer.host, peer.device
        peer.start = None
        for channel, sequence, time, raw, over in messages:
            agent.link.write(channel, agent.message(raw, sequence, time, over.pop("tag", channel), **over))
        for _ in range(3):
            peer.pump(0.01)
        other.close()
        return line.violations

    def test_session(self):
        beat = lambda c: suite_frames.encode("Heartbeat", run_state=1, challenge=c)
        done = lambda r: suite_frames.encode("Done", request=r)
        stop = suite_frames.encode("Stopped", request=0, reason=4, more=0, axes=1, detail=0, capture=1, mask=0,
                                   values=b"")
        for want, sent in (
                (None, [(0, 0, 5, beat(1), {}), (1, 1, 5, done(3), {}), (0, 2, 6, beat(2), {})]),
                (None, [(0, 1, 5, beat(1), {}), (1, 0, 5, done(3), {})]),
                ("5.6 sequence", [(0, 1, 5, beat(1), {}), (0, 1, 5, beat(2), {})]),
                ("5.6 time", [(0, 0, 5, beat(1), {}), (0, 1, 4, beat(2), {})]),
                ("5.5", [(0, 0, 5, beat(1), dict(tag=1))]), ("5.5", [(0, 0, 5, beat(1), dict(direction=0))]),
                ("5.5", [(0, 0, 5, beat(1), dict(nonces=(ZERO, ZERO)))]),
                ("5.7 the challenge", [(0, 0, 5, beat(1), {}), (0, 1, 5, beat(1), {})]),
                ("5.6 Heartbeat on channel 1", [(1, 0, 5, beat(1), {})]), ("6.4 Stopped", [(0, 0, 5, stop, {})]),
                ("8.13", [(1, 0, 5, done(4), {}), (1, 1, 5, done(4), {})]),
                ("6.2", [(0, 0, 5, suite_frames.encode("Halt"), {})]), ("6 ", [(0, 0, 5, done(1) + b"x", {})])):
            found = self.session(*sent)
            self.assertEqual(bool(found), want is not None, (want, found))
            self.assertTrue(want is None or any(v.startswith(want) for v in found), (want, found))

    def test_welcome(self):
        """The Welcome that the suite's agent sends is one."""
        fields = dict(WELCOME, host_nonce=ZERO, device_nonce=ZERO)
        self.assertEqual(suite_frames.decode(suite_frames.encode("Welcome", **fields)), ("Welcome", fields))


if __name__ == "__main__":
    unittest.main(warnings="ignore")
