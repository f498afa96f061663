"""Scenarios, the programs under test, and the report."""

import fnmatch
import importlib
import json
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

from .line import Failure, now

SCENARIOS = {"agent": [], "host": []}
MODULES = (
    "agent_link", "agent_opening", "agent_sending", "agent_records", "agent_handshake", "agent_order", "agent_heard",
    "agent_end", "agent_kinds", "agent_machine", "agent_steps", "agent_memory", "agent_forces", "agent_taking_back",
    "agent_policy", "agent_audit", "agent_interlock", "agent_checks", "agent_authority",
    "host_link", "host_sending", "host_handshake", "host_session", "host_commands")


def scenario(role, name, seconds=1, tolerate=(), variant="stream"):
    """Registers one. `seconds`: about how long it takes; the long ones begin first."""
    def register(function):
        SCENARIOS[role].append({"name": name, "run": function, "seconds": seconds, "tolerate": set(tolerate),
                                "variant": variant})
        return function
    return register


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(what, got, want):
    if got != want:
        show = lambda v: v.hex() if isinstance(v, (bytes, bytearray)) else v
        raise Failure(f"{what}: {show(want)} expected, {show(got)} came")


PROGRAMS = []


def stop_all():
    for p in list(PROGRAMS):
        if p.process.poll() is None:
            p.process.kill()


class Program:
    """A program under test."""

    def __init__(self, command):
        PROGRAMS.append(self)
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.lines = queue.Queue()
        self.pending = 0                # knobs whose answers have not been read
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("utf-8", "replace").strip())
        self.lines.put(None)

    def say(self, text):
        try:
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Failure("the program reads no more: " + self.stderr()) from None

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")[-600:].strip()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self in PROGRAMS:
            PROGRAMS.remove(self)
        for f in (self.process.stdin, self.process.stdout, self.errors):
            try:
                f.close()
            except OSError:
                pass


class AgentWorker:
    """Agent programs, one for each variant of a line; they serve one scenario after another."""

    MORE = {"stream": [], "serial": ["--serial"], "observe": ["--observe", "127.0.0.1:0"],
            "serial observe": ["--serial", "--observe", "127.0.0.1:0"]}

    def __init__(self, command):
        self.command, self.programs = command, {}

    def program(self, variant):
        """The program, and where it listens."""
        found = self.programs.get(variant)
        if found and found[0].process.poll() is not None:
            text = found[0].stderr()
            self.drop(variant)
            raise Failure("the agent program has ended: " + text)
        if not found:
            program = Program(self.command + self.MORE[variant])
            where = []
            for word in ("listening", "observing")[:1 + ("observe" in variant)]:
                try:
                    line = program.lines.get(timeout=60)
                except queue.Empty:
                    line = None
                match = re.match(word + r" ([\d.]+):(\d+)$", line or "")
                if not match:
                    text = program.stderr()
                    program.stop()
                    raise Failure(f"the agent program says {line!r} instead of where it listens. {text}")
                where.append((match[1], int(match[2])))
            found = self.programs[variant] = (program, where)
        return found

    def drop(self, variant):
        self.programs.pop(variant)[0].stop()

    def environment(self, entry):
        from .agents import AgentEnv
        return AgentEnv(self, entry)

    def ended(self):
        """What programs that have ended said."""
        out = []
        for variant, (program, _) in list(self.programs.items()):
            if program.process.poll() is not None:
                out.append("the agent program ended: " + program.stderr())
                self.drop(variant)
        return out

    def finish(self):
        for variant in list(self.programs):
            self.drop(variant)


class HostWorker:
    def __init__(self, command):
        self.command = command

    def environment(self, entry):
        from .host import HostEnv
        return HostEnv(self.command, entry)

    def ended(self):
        return []

    def finish(self):
        pass


def run_one(worker, entry):
    start, failures = now(), []
    env = worker.environment(entry)
    try:
        entry["run"](env)
    except Failure as e:
        failures.append(str(e))
    except Exception as e:
        failures.append(f"{type(e).__name__}: {e}")
        if not isinstance(e, OSError):
            failures.append(traceback.format_exc().strip().replace("\n", " | ")[-500:])
    try:
        env.close()
    except Exception as e:
        failures.append(f"at the end: {e}")
    failures += env.violations() + worker.ended()
    return {"name": entry["name"], "ok": not failures, "seconds": round(now() - start, 2), "failures": failures}


def run(role, command, only=None, jobs=10, stop=False, say=print, skip=None):
    """Runs all scenarios of a role whose names contain (or match) `only`. Returns the report."""
    chosen = [s for s in SCENARIOS[role] if matches(s["name"], only) and not (skip and matches(s["name"], skip))]
    todo = queue.Queue()
    for s in sorted(chosen, key=lambda s: s["seconds"] if stop else -s["seconds"]):
        todo.put(s)
    results, lock, failed = [], threading.Lock(), threading.Event()

    def work():
        worker = (AgentWorker if role == "agent" else HostWorker)(command)
        try:
            while not (stop and failed.is_set()):
                try:
                    entry = todo.get_nowait()
                except queue.Empty:
                    return
                result = run_one(worker, entry)
                with lock:
                    results.append(result)
                    if not result["ok"]:
                        failed.set()
                        if say:
                            say(f"FAIL {result['name']}  ({result['seconds']} s)")
                            for f in result["failures"][:4]:
                                say("     " + f)
        finally:
            worker.finish()
    start = now()
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(jobs, max(1, len(chosen))))]
    for t in threads:
        t.start()
    for t in threads:
        if stop:
            while t.is_alive() and not failed.is_set():
                t.join(0.1)
        else:
            t.join()
    with lock:
        order = {s["name"]: i for i, s in enumerate(chosen)}
        done = sorted(results, key=lambda r: order[r["name"]])
    return {"role": role, "command": command, "seconds": round(now() - start, 1),
            "passed": sum(r["ok"] for r in done), "failed": sum(not r["ok"] for r in done), "scenarios": done}


def matches(name, pattern):
    if not pattern:
        return True
    name = name.lower()
    words = [p.strip().lower() for p in pattern.split("|")]
    return any(w == name or w in name or fnmatch.fnmatch(name, w) for w in words if w)


def main(argv):
    usage = ("usage: runner.py agent|host [--report FILE] [--only PATTERN|PATTERN...] [--skip PATTERN] [--jobs N] "
             "[--stop] [--list] -- COMMAND...")
    if argv == ["vectors"]:
        from .vectors import main as vectors
        return vectors()
    options = {"--report": None, "--only": None, "--skip": None, "--jobs": "10"}
    role, stop, listing, command = None, False, False, []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            command = rest
            break
        elif word in options and rest:
            options[word] = rest.pop(0)
        elif word == "--stop":
            stop = True
        elif word == "--list":
            listing = True
        elif word in SCENARIOS and role is None:
            role = word
        else:
            sys.exit(usage)
    if role is None:
        sys.exit(usage)
    load()
    if listing:
        for s in SCENARIOS[role]:
            print(f"{s['seconds']:>4}  {s['name']}")
        return 0
    if not command:
        sys.exit(usage)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run(role, command, options["--only"], int(options["--jobs"]), stop, skip=options["--skip"])
    finally:
        stop_all()
    if options["--report"]:
        with open(options["--report"], "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
    print(f"{role}: {result['passed']} passed, {result['failed']} failed, {result['seconds']} s")
    return 1 if result["failed"] or not result["passed"] else 0


def load():
    for name in MODULES:
        importlib.import_module("suite." + name)
    for role, entries in SCENARIOS.items():
        names = [e["name"] for e in entries]
        twice = {n for n in names if names.count(n) > 1}
        assert not twice, f"{role}: {twice}"


__all__ = ["Failure", "check", "equal", "scenario"]
