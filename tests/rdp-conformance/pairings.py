#!/usr/bin/env python3
"""Runs one script of all commands of the README through each pairing of host and agent, on a byte stream and on a
serial line, and compares what comes out.

pairings.py --agent NAME=COMMAND --agent NAME=COMMAND --host NAME=COMMAND --host NAME=COMMAND [--verbose]

A command is split as a shell would; for a serial line `--serial` is put behind the agent's, and `uart:` before the
address. Whatever depends on time is checked for its form and left out of the comparison."""

import json
import os
import queue
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from suite.frames import record_bytes  # noqa: E402
from suite.host import REGS  # noqa: E402
from suite.run import Program, stop_all  # noqa: E402
from suite.wire import crc32  # noqa: E402

DONE = {"done": True}
STATE = dict(run=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345,
             modified=0, stuck=0, last=0, last_detail=0, cause=0, ended=[])
ACTIVE = dict(active=True, fingerprint=b"reference-mach01".hex(), architecture=1, capabilities=255, authority=31,
              generation=1, credit=4, name="reference", state=STATE)
VARYING = {"uptime", "time", "session", "boot", "request", "capture", "r0", "sequence", "registers", "oldest", "next",
           "index"}
STATUS = {"run", "breakpoints", "forces", "steps", "policy", "enabled", "modified", "stuck", "last", "uptime"}
FIELDS = {"index", "boot", "session", "sequence", "time", "uptime", "operator", "suite", "kind", "cause", "verdict",
          "count", "addr", "value"}
REFUSAL = 255


def error(code, detail=None):
    return {"error": code} if detail is None else {"error": code, "detail": detail}


class Run:
    """One pairing."""

    def __init__(self, agent, host, serial, verbose):
        self.verbose, self.wrong, self.transcript = verbose, [], []
        self.agent = Program(agent + (["--serial"] if serial else []))
        found = re.match(r"listening (\S+)$", self.get(self.agent, 60) or "")
        if not found:
            raise SystemExit(f"the agent {agent} does not listen: {self.agent.stderr()}")
        self.host = Program(host + [("uart:" if serial else "") + found[1], "--token", "operator"])

    @staticmethod
    def get(program, seconds=15):
        try:
            return program.lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def fail(self, text):
        self.wrong.append(text)

    def say(self, line, want=None, seconds=15):
        """One command. `want`: what the answer has to have, key for key; None: an answer without an error."""
        if line is not None:
            try:
                self.host.process.stdin.write(line.encode() + b"\n")
                self.host.process.stdin.flush()
            except OSError:
                pass
        text = self.get(self.host, seconds)
        try:
            got = json.loads(text) if text else None
        except ValueError:
            got = None
        if self.verbose:
            print(f"    {line} -> {text}")
        if not isinstance(got, dict):
            self.fail(f"{line}: {text!r} {self.host.stderr()}")
            raise EOFError
        if want is None:
            if "error" in got or "closed" in got:
                self.fail(f"{line}: {text}")
        else:
            for key, value in want.items():
                if got.get(key) != value:
                    self.fail(f"{line}: {key} {value!r} expected, {text}")
        name = line if line is None or not line.startswith(("audit", "release-audit")) else line.split()[0]
        self.transcript.append((name, plain(got)))
        return got

    def untold(self, line, want=None):
        """A command whose answer is not compared."""
        got = self.say(line, want)
        self.transcript.pop()
        return got

    def knob(self, text):
        """A line to the agent program."""
        self.agent.say(text)
        return self.get(self.agent, 5)

    def check(self, condition, text):
        if not condition:
            self.fail(text)

    def all_records(self):
        rows, start = [], 0
        while True:
            a = self.untold(f"audit {start} 255")
            rows += a["records"]
            if not a["records"] or rows[-1]["index"] + 1 >= a["next"]:
                return rows
            start = rows[-1]["index"] + 1

    def release_records(self):
        """Gives all records free, as somebody who has read them."""
        rows = self.all_records()
        for r in rows:
            self.check(set(r) == FIELDS, f"a record has {sorted(r)}")
        proof = [r for r in rows if r["cause"] != REFUSAL][-1]
        crc = crc32(record_bytes(dict(proof, version=1, operator=bytes.fromhex(proof["operator"]))))
        self.untold(f"release-audit {rows[-1]['index'] + 1} {crc ^ 1}", error(29))
        self.untold(f"release-audit {rows[-1]['index'] + 1} {crc:#x}", DONE)
        return rows

    def registers(self, regs, what):
        n = regs.get("r0", 0) - 0x1000
        want = dict(REGS, r0=0x1000 + n, pc=0x20000100 + 2 * (n % 32))
        self.check(regs == want and n >= 0, f"{what}: registers {regs}")
        return n


def plain(value):
    """Without what depends on time."""
    if isinstance(value, dict):
        timed = lambda k, v: k in VARYING or k == "metrics" and isinstance(v, dict)
        return {k: plain(v) for k, v in value.items() if not timed(k, v)}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def script(r):
    r.say(None, ACTIVE, 30)
    lists(r)
    n = breakpoints(r)
    steps(r, n)
    r.release_records()
    forces(r)
    r.release_records()
    writes(r)
    r.release_records()
    machine(r)
    audit(r)
    on_again(r)
    r.say("bye", {"closed": 1})
    try:
        r.host.process.wait(5)
    except Exception:
        r.fail("the host does not end after bye")
    journal = json.loads(r.knob("journal") or "{}").get("journal")
    r.check(journal == ["react", "release 536870944"], f"what the end of the session did: {journal}")


def lists(r):
    a = r.say("status", dict.fromkeys(STATUS - {"run", "uptime"}, 0))
    r.check(a["run"] == 1, f"status: {a}")
    r.check(set(a) == STATUS, f"status has {sorted(a)}")
    named = lambda addr, kind, name, flags=1: dict(addr=addr, type=kind, length=4, flags=flags, name=name)
    r.say("variables", dict(generation=1, variables=[
        named(0x20000010, 1, "cycles", 0), named(0x20000020, 2, "setpoint"), named(0x20000024, 1, "override"),
        named(0x20000028, 2, "offset"), named(0x2000002C, 1, "limit")]))
    region = lambda first, last, kind: {"first": first, "last": last, "class": kind}
    r.say("map", dict(regions=[region(0x20000000, 0x200003FF, 0), region(0x20000400, 0x200004FF, 2),
                               region(0x40000000, 0x400000FF, 1)]))
    for line, code in (("resume", 10), ("step 1 0", 10), ("range 0 1 0", 10), ("setaxis 0 1", 14),
                       ("force 0x20000020 1000 01020304", 14), ("clear 5", 17), ("renew 0x20000020 5", 17),
                       ("write 0x20000080 00", 10), ("setreg 0 0", 10)):
        r.say(line, error(code))


def breakpoints(r):
    say = r.say
    say("break 0x20000110 7", {"id": 7, "slot": 0})
    s = say("stopped", dict(request=0, reason=2, more=0, axes=1, detail=7, pc=0x20000110))
    n = r.registers(s["registers"], "stopped")
    r.check(r.registers(say("regs")["registers"], "regs") == n, "regs after stopped differ")
    m = r.untold("read 0x20000010 4")
    r.check(m.get("data") == n.to_bytes(4, "little").hex(), f"cycles {m} after {n} instructions")
    say("status", dict(run=2, breakpoints=1, last=2))
    say("breakpoints", {"breakpoints": [{"id": 7, "addr": 0x20000110, "trap": 0, "hits": 1}]})
    say("resume", DONE)
    s = say("stopped", dict(reason=2, detail=7, pc=0x20000110))
    r.check(r.registers(s["registers"], "second stop") == n + 32, "a round is not 32 instructions")
    say("break 0x20000112 7", error(16, 7))
    say("sbreak 0x20000110 8", error(16, 7))
    say("break 0x20000111 9", error(11))
    say("hbreak 0x20000112 8", {"id": 8, "slot": 1})
    say("sbreak 0x20000120 9", {"id": 9, "slot": 2})
    say("hbreak 0x20000122 11", {"id": 11, "slot": 3})
    full = r.untold("hbreak 0x20000124 12", error(13))
    r.check(full["detail"] in (0, 2), f"NoSlot with detail {full['detail']}")
    say("watch 0x20000014 10 4 2", error(3))
    say("watch 0x20000010 10 0 2", error(19))
    say("breakpoints", {"breakpoints": [dict(id=i, addr=0x20000100 + a, trap=t, hits=h) for i, a, t, h in (
        (7, 0x10, 0, 2), (8, 0x12, 1, 0), (9, 0x20, 2, 0), (11, 0x22, 1, 0))]})
    r.release_records()
    say("clear 7", DONE)
    say("clear 7", error(17))
    say("resume", DONE)
    say("stopped", dict(reason=2, detail=8, pc=0x20000112))
    for i in (8, 9, 11):
        say(f"clear {i}", DONE)
    say("watch 0x20000010 10 4 2", {"id": 10, "slot": 0})
    say("resume", DONE)
    say("stopped", dict(request=0, reason=3, more=0, detail=10 << 32 | 0x20000010, pc=0x20000114))
    say("clear 10", DONE)
    r.release_records()
    return n + 32 + 1 + 1


def steps(r, n):
    say = r.say
    say("step 3 1", DONE)
    requests = [say("stopped", dict(reason=1, more=more, detail=0, pc=pc))["request"]
                for more, pc in ((1, 0x20000116), (1, 0x20000118), (0, 0x2000011A))]
    r.check(len(set(requests)) == 1 and requests[0] > 0, f"requests of a step {requests}")
    say("step 64 0", DONE)
    s = say("stopped", dict(reason=1, more=0, pc=0x2000011A))
    r.check(r.registers(s["registers"], "after 64 steps") == n + 3 + 64, "64 steps are not 64 instructions")
    say("step 0 0", error(19))
    say("range 0x2000011A 0x20000121 1", DONE)
    say("stopped", dict(reason=1, more=0, pc=0x20000122))
    say("range 0 1 0", DONE)
    say("stopped", dict(reason=1, more=0, pc=0x20000124))
    say("halt", DONE)


def forces(r):
    say = r.say
    say("read 0x20000000 16", {"addr": 0x20000000, "data": bytes(range(16)).hex()})
    say("force 0x20000020 60000 aabbccdd", DONE)
    say("force 0x20000022 60000 aabbccdd", error(11))
    say("force 0x20000020 60001 aabbccdd", error(19, 60000))
    say("read 0x2000001C 12", {"data": "1c1d1e1faabbccdd24252627"})
    say("renew 0x20000020 50000", DONE)
    say("status", dict(forces=1, run=2))
    say("release 0x20000020", DONE)
    say("read 0x20000020 4", {"data": "20212223"})
    say("force 0x20000024 400 01020304 0a0b0c0d", DONE)
    say("wait 900", {"waited": 900})
    say("read 0x20000024 4", {"data": "0a0b0c0d"})
    say("status", dict(forces=0))
    say("read 0x200003fe 100", {"addr": 0x200003FE, "data": "1213"})
    say("read 0x20000100 256", {"data": bytes((256 + i) % 251 for i in range(256)).hex()})
    say("read 0 4", error(11))
    say("read 0x20000400 4", error(25))
    say("read 0x40000000 4", {"data": "00000000"})
    say("read 0x20000000 257", error(19, 256))
    ends = [x for x in r.all_records() if x["kind"] == 0xE0]
    r.check([(x["cause"], x["addr"], x["count"]) for x in ends] == [(17, 0x20000024, 0)], f"ends of forces: {ends}")


def writes(r):
    say = r.say
    say("write 0x20000080 0102ff", DONE)
    say("read 0x20000080 4", {"data": "0102ff83"})
    say("write 0x20000400 00", error(25))
    say("setreg 5 0xdeadbeef", DONE)
    r.check(r.untold("regs")["registers"]["r5"] == 0xDEADBEEF, "r5")
    say("setreg 5 0x1005", DONE)
    say("setreg 17 0", error(11))
    say("status", dict(modified=1))


def machine(r):
    say = r.say
    say("setaxis 1 -123456789012", DONE)
    say("setaxis 3 0", error(11))
    say("axes", {"axes": [1000000, -123456789012, 3000000]})
    say("plc 0 8", {"first": 0, "registers": list(range(100, 108))})
    say("plc 2 3", {"first": 2, "registers": [102, 103, 104]})
    say("plc 8 1", error(11))
    say("cursor", {"program": 1000, "line": 12, "offset": 345})


def audit(r):
    say = r.say
    r.release_records()
    start = r.untold("audit 0 1")["next"]
    say("policy 5 0 1 0x20000128 0x2000012A 1 0x20000120 0x2000012F 0", DONE)
    say("break 0x20000120 50", error(20, 5))
    say("break 0x20000128 50", {"id": 50, "slot": 0})
    say("clear 50", DONE)
    say("policy 6 4 0", error(20, 5))
    say("break 0x20000101 51", error(11))
    say("status", dict(policy=5, enabled=1, breakpoints=0))
    rows = [x for x in r.all_records() if x["index"] >= start]
    who = b"operator".hex()
    got = [(x["operator"], x["kind"], x["cause"] == REFUSAL, x["verdict"], x["addr"], x["value"]) for x in rows]
    r.check(got[:5] == [
        (who, 0x32, False, 0, 5, 0), (who, 1, True, 20, 0x20000120, 50), (who, 1, False, 0, 0x20000128, 50),
        (who, 2, False, 0, 0, 50), (who, 0x32, True, 20, 6, 0)], f"audit: {got}")
    m = r.untold("metrics")["metrics"]
    r.check({"1", "2", "3", "4", "5", "14", "15"} <= set(m) and m["5"] == 0, f"metrics: {m}")
    r.release_records()


def on_again(r):
    say = r.say
    say("resume", DONE)
    say("status", dict(run=1))
    say("step 5 0", error(10))
    say("halt", DONE)
    s = r.untold("stopped", dict(reason=4, more=0, detail=0))
    r.registers(s["registers"], "halt")
    say("step 4000000000 0", DONE)
    r.untold("status", dict(run=3))
    say("resume", error(21))
    say("halt", DONE)
    r.untold("stopped", dict(reason=4, more=0))
    say("status", dict(run=2, steps=0))
    # the agent's knobs
    r.knob("interlock 1")
    say("resume", error(14))
    r.knob("interlock 0")
    say("force 0x20000020 60000 aabbccdd", DONE)
    r.knob("journal")


def main(argv):
    agents, hosts, verbose = [], [], False
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("--agent", "--host") and rest:
            name, _, command = rest.pop(0).partition("=")
            (agents if word == "--agent" else hosts).append((name, shlex.split(command)))
        elif word == "--verbose":
            verbose = True
        else:
            sys.exit(__doc__)
    if not agents or not hosts:
        sys.exit(__doc__)
    bad, transcripts = 0, {}
    try:
        for serial, agent_name, agent, host_name, host in [
                (s, an, a, hn, h) for s in (False, True) for an, a in agents for hn, h in hosts]:
            name = f"host {host_name}, agent {agent_name}, {'serial' if serial else 'stream'}"
            r = Run(agent, host, serial, verbose)
            try:
                script(r)
            except EOFError:
                pass
            except (KeyError, TypeError, IndexError) as e:
                r.fail(f"{type(e).__name__} {e} after {r.transcript[-1:]}")
            r.host.stop()
            r.agent.stop()
            transcripts[name] = r.transcript
            first, reference = next(iter(transcripts.items()))
            for a, b in zip(reference, r.transcript):
                if a != b and not r.wrong:
                    r.fail(f"{b[0]}: {b[1]}, but {first}: {a[1]}")
            print(f"{'FAIL' if r.wrong else 'ok  '} {name}: {len(r.transcript)} answers compared")
            for text in r.wrong[:8]:
                print("     " + text)
            bad += bool(r.wrong)
    finally:
        stop_all()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
