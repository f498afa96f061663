#!/usr/bin/env python3
"""Runs one script of all commands of the README through each pairing of host and agent, and compares what comes out.

pairings.py --agent NAME=COMMAND --agent NAME=COMMAND --host NAME=COMMAND --host NAME=COMMAND [--verbose]

A command is split as a shell would. Whatever depends on time is checked for its form and left out of the comparison."""

import json
import os
import queue
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from suite.host import ACTIVE, REGS  # noqa: E402
from suite.run import Program, stop_all  # noqa: E402

DONE = {"done": True}
VARYING = {"uptime", "time", "session", "request", "capture", "r0", "sequence", "registers", "oldest", "next", "index"}


def error(code, detail=None):
    return {"error": code} if detail is None else {"error": code, "detail": detail}


class Run:
    """One pairing."""

    def __init__(self, agent, host, verbose):
        self.verbose, self.wrong, self.transcript = verbose, [], []
        self.agent = Program(agent)
        found = re.match(r"listening (\S+)$", self.get(self.agent, 60) or "")
        if not found:
            raise SystemExit(f"the agent {agent} does not listen: {self.agent.stderr()}")
        self.host = Program(host + [found[1], "--token", "operator"])
        self.records = []

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
        self.transcript.append((line if line is None or not line.startswith("audit") else "audit", plain(got)))
        return got

    def check(self, condition, text):
        if not condition:
            self.fail(text)

    def release_records(self):
        n = self.say("audit 0 1")["next"]
        self.say(f"audit {n} 1", {"next": n, "records": []})

    def registers(self, regs, what):
        n = regs.get("r0", 0) - 0x1000
        want = dict(REGS, r0=0x1000 + n, pc=0x20000100 + 2 * (n % 32))
        self.check(regs == want and n >= 0, f"{what}: registers {regs}")
        return n


def plain(value):
    """Without what depends on time."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in VARYING and not (k == "metrics" and isinstance(v, dict))}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def script(r):
    say = r.say
    say(None, ACTIVE, 30)
    a = say("status", dict(run=1, breakpoints=0, forces=0, steps=0, policy=0, enabled=0))
    r.check(set(a) == {"run", "breakpoints", "forces", "steps", "policy", "enabled", "uptime"}, f"status has {sorted(a)}")
    for line, code in (("resume", 10), ("step 1 0", 10), ("setaxis 0 1", 14), ("force 0x20000020 1000 01020304", 14), ("clear 5", 17)):
        say(line, error(code))
    # to a breakpoint while it runs
    say("break 0x20000110 7", {"id": 7, "slot": 0})
    s = say("stopped", dict(request=0, reason=2, more=0, detail=7, pc=0x20000110))
    n = r.registers(s["registers"], "stopped")
    g = say("regs")
    r.check(r.registers(g["registers"], "regs") == n, "regs after stopped differ")
    m = say("read 0x20000010 4")
    r.transcript.pop()
    r.check(m.get("data") == n.to_bytes(4, "little").hex(), f"cycles {m} after {n} instructions")
    say("status", dict(run=2, breakpoints=1))
    say("breakpoints", {"breakpoints": [{"id": 7, "addr": 0x20000110, "trap": 0, "hits": 1}]})
    say("resume", DONE)
    s = say("stopped", dict(reason=2, detail=7, pc=0x20000110))
    r.check(r.registers(s["registers"], "second stop") == n + 32, "a round is not 32 instructions")
    n += 32
    # breakpoints
    say("break 0x20000112 7", error(16))
    say("break 0x20000111 9", error(11))
    say("hbreak 0x20000112 8", {"id": 8, "slot": 1})
    say("sbreak 0x20000120 9", {"id": 9, "slot": 2})
    say("hbreak 0x20000122 11", {"id": 11, "slot": 3})
    full = say("hbreak 0x20000124 12", error(13))
    r.transcript.pop()
    r.check(full["detail"] in (0, 2), f"NoSlot with detail {full['detail']}")
    say("watch 0x20000014 10 4 2", error(3))
    say("watch 0x20000010 10 0 2", error(19))
    say("breakpoints", {"breakpoints": [{"id": 7, "addr": 0x20000110, "trap": 0, "hits": 2}, {"id": 8, "addr": 0x20000112, "trap": 1, "hits": 0},
                                        {"id": 9, "addr": 0x20000120, "trap": 2, "hits": 0}, {"id": 11, "addr": 0x20000122, "trap": 1, "hits": 0}]})
    say("clear 7", DONE)
    say("clear 7", error(17))
    r.release_records()
    say("resume", DONE)
    say("stopped", dict(reason=2, detail=8, pc=0x20000112))
    for i in (8, 9, 11):
        say(f"clear {i}", DONE)
    say("watch 0x20000010 10 4 2", {"id": 10, "slot": 0})
    say("resume", DONE)
    say("stopped", dict(request=0, reason=3, more=0, detail=10 << 32 | 0x20000010, pc=0x20000114))
    say("clear 10", DONE)
    r.release_records()
    # steps
    say("step 3 1", DONE)
    requests = [say("stopped", dict(reason=1, more=more, detail=0, pc=pc))["request"]
                for more, pc in ((1, 0x20000116), (1, 0x20000118), (0, 0x2000011A))]
    r.check(len(set(requests)) == 1 and requests[0] > 0, f"requests of a step {requests}")
    say("step 64 0", DONE)
    s = say("stopped", dict(reason=1, more=0, pc=0x2000011A))
    r.check(r.registers(s["registers"], "after 64 steps") == n + 1 + 1 + 3 + 64, "64 steps are not 64 instructions")
    say("step 0 0", error(19))
    say("halt", error(10))
    # forces
    say("read 0x20000000 16", {"addr": 0x20000000, "data": bytes(range(16)).hex()})
    say("force 0x20000020 60000 aabbccdd", DONE)
    say("force 0x20000022 60000 aabbccdd", error(11))
    say("read 0x2000001C 12", {"data": "1c1d1e1faabbccdd24252627"})
    say("status", dict(forces=1, run=2))
    say("release 0x20000020", DONE)
    say("read 0x20000020 4", {"data": "20212223"})
    say("force 0x20000024 400 01020304", DONE)
    say("wait 900", {"waited": 900})
    say("read 0x20000024 4", {"data": "24252627"})
    say("status", dict(forces=0))
    say("read 0x200003fe 100", {"addr": 0x200003FE, "data": "1213"})
    say("read 0x20000100 256", {"data": bytes((256 + i) % 251 for i in range(256)).hex()})
    say("read 0 4", error(11))
    say("read 0x20000000 257", error(19, 256))
    # the machine
    say("setaxis 1 -123456789012", DONE)
    say("setaxis 3 0", error(11))
    say("axes", {"axes": [1000000, -123456789012, 3000000]})
    say("plc 0 8", {"first": 0, "registers": list(range(100, 108))})
    say("plc 2 3", {"first": 2, "registers": [102, 103, 104]})
    say("plc 8 1", error(11))
    say("cursor", {"program": 1000, "line": 12, "offset": 345})
    # policy
    r.release_records()
    start = say("audit 0 1")["next"]
    say("policy 5 1 0x20000128 0x2000012A 1 0x20000120 0x2000012F 0", DONE)
    say("break 0x20000120 50", error(20, 5))
    say("break 0x20000128 50", {"id": 50, "slot": 0})
    say("clear 50", DONE)
    say("policy 5 0", error(20, 5))
    say("break 0x20000101 51", error(11))
    say("status", dict(policy=5, enabled=1, breakpoints=0))
    # audit
    a = say(f"audit {start} 4", {"next": start + 4})
    rows = [(x["index"] - start, x["operator"], x["kind"], x["verdict"], x["addr"], x["value"]) for x in a["records"]]
    who = b"operator".hex()
    r.check(rows == [(0, who, 0x32, 0, 5, 0), (1, who, 1, 0, 0x20000128, 50), (2, who, 2, 0, 0, 50), (3, who, 1, 11, 0x20000101, 51)],
            f"audit: {rows}")
    r.transcript.pop()
    m = say("metrics")["metrics"]
    r.check({"1", "2", "3", "4", "5"} <= set(m) and m["5"] == 0, f"metrics: {m}")
    # on again
    say("resume", DONE)
    say("status", dict(run=1))
    say("step 5 0", error(10))
    say("halt", DONE)
    s = say("stopped", dict(reason=4, more=0, detail=0))
    r.transcript.pop()
    r.check(r.registers(s["registers"], "halt") > n, "nothing was executed after resume")
    say("step 4000000000 0", DONE)
    say("status", dict(run=3))
    r.transcript.pop()
    say("resume", error(21))
    say("halt", DONE)
    s = say("stopped", dict(reason=4, more=0))
    r.transcript.pop()
    say("status", dict(run=2, steps=0))
    say("bye", {"closed": 1})
    try:
        r.host.process.wait(5)
    except Exception:
        r.fail("the host does not end after bye")


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
        for agent_name, agent in agents:
            for host_name, host in hosts:
                name = f"host {host_name}, agent {agent_name}"
                r = Run(agent, host, verbose)
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
