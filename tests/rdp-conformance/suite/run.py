"""Scenarios, the programs under test, and the report."""

import fnmatch
import json
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

from .link import Failure, Link, now
from .session import HostPeer

SCENARIOS = {"agent": [], "host": []}


def scenario(role, name, seconds=1, tolerate=()):
    """Registers one. `seconds`: about how long it takes; the long ones begin first."""
    def register(function):
        SCENARIOS[role].append({"name": name, "run": function, "seconds": seconds, "tolerate": set(tolerate)})
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
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("utf-8", "replace").strip())
        self.lines.put(None)

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


class AgentEnv:
    """Lanes and peers of one scenario against one agent program."""

    def __init__(self, worker, tolerate=()):
        self.worker, self.links, self.tolerate = worker, [], set(tolerate)

    def lane(self):
        self.close()
        link = Link(socket.create_connection(self.worker.address(), 5), False)
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.tolerated |= self.tolerate
        self.links.append(link)
        return link

    def opened(self, **over):
        """A peer with an open link and no handshake."""
        peer = HostPeer(self.lane())
        peer.open(**over)
        return peer

    def peer(self, token=b"operator"):
        """A peer with an active session."""
        peer = HostPeer(self.lane())
        peer.token = token
        peer.open()
        return peer.handshake()

    def close(self):
        for link in self.links:
            try:
                link.sock.close()
            except OSError:
                pass

    def violations(self):
        return [v for link in self.links for v in link.violations]


class AgentWorker:
    def __init__(self, command):
        self.command, self.program, self.where = command, None, None

    def address(self):
        if self.program and self.program.process.poll() is not None:
            text = self.program.stderr()
            self.finish()
            raise Failure("the agent program has ended: " + text)
        if not self.program:
            self.program = Program(self.command)
            try:
                line = self.program.lines.get(timeout=60)
            except queue.Empty:
                line = None
            found = re.match(r"listening ([\d.]+):(\d+)$", line or "")
            if not found:
                text = self.program.stderr()
                self.finish()
                raise Failure(f"the agent program says {line!r} instead of where it listens. {text}")
            self.where = (found[1], int(found[2]))
        return self.where

    def environment(self, tolerate):
        return AgentEnv(self, tolerate)

    def finish(self):
        if self.program:
            self.program.stop()
        self.program = None


class HostWorker:
    def __init__(self, command):
        self.command = command

    def environment(self, tolerate):
        from .host import HostEnv
        return HostEnv(self.command, tolerate)

    def finish(self):
        pass


def run_one(worker, entry):
    start, failures = now(), []
    env = worker.environment(entry["tolerate"])
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
    failures += env.violations()
    program = getattr(worker, "program", None)
    if program and program.process.poll() is not None:
        failures.append("the agent program ended: " + program.stderr())
        worker.finish()
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
    return {"role": role, "command": command, "seconds": round(now() - start, 1), "passed": sum(r["ok"] for r in done),
            "failed": sum(not r["ok"] for r in done), "scenarios": done}


def matches(name, pattern):
    if not pattern:
        return True
    return any(p.strip().lower() in name.lower() or fnmatch.fnmatch(name.lower(), p.strip().lower()) for p in pattern.split("|"))


def main(argv):
    usage = "usage: runner.py agent|host [--report FILE] [--only PATTERN|PATTERN...] [--skip PATTERN] [--jobs N] [--stop] [--list] -- COMMAND..."
    if argv == ["vectors"]:
        from .vectors import main as vectors
        return vectors()
    role, report, only, skip, jobs, stop, listing, command = None, None, None, None, 10, False, False, []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            command = rest
            break
        elif word == "--report":
            report = rest.pop(0)
        elif word == "--only":
            only = rest.pop(0)
        elif word == "--skip":
            skip = rest.pop(0)
        elif word == "--jobs":
            jobs = int(rest.pop(0))
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
        result = run(role, command, only, jobs, stop, skip=skip)
    finally:
        stop_all()
    if report:
        with open(report, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
    print(f"{role}: {result['passed']} passed, {result['failed']} failed, {result['seconds']} s")
    return 1 if result["failed"] or not result["passed"] else 0


def load():
    import importlib
    for name in ("agent_link", "agent_sending", "agent_session", "agent_end", "agent_kinds", "agent_machine", "agent_order", "host_link", "host_session",
                 "host_commands"):
        importlib.import_module("suite." + name)


__all__ = ["Failure", "check", "equal", "scenario"]
