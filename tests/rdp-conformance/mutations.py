#!/usr/bin/env python3
"""Shows that the suite is no decoration: `rdp3` with each of its rules broken has to fail, unbroken it has to pass.

mutations.py [--role agent|host] [--only NAME|NAME...] [--parallel N] [--jobs N] [--fast] [--without SCENARIO|...] [--report FILE]

The unbroken programs run first; what fails there is a failure and is left out of the rest. Then, for each rule, the scenarios of the rule's sections run up to
the first failure, then all others. `--fast` leaves the unbroken programs out."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENV = dict(os.environ, PYTHONPATH=HERE)


def rules():
    out = subprocess.run([sys.executable, "-m", "rdp3.rules"], cwd=HERE, env=ENV, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in out.splitlines() if line.strip()]


def command(role, name=None):
    words = [sys.executable, "-m", f"rdp3.{role}"] + (["--listen", "127.0.0.1:0"] if role == "agent" else [])
    return words + (["--break", name] if name else [])


def suite(role, name, only, skip, jobs, stop=True):
    """The report of one run."""
    with tempfile.NamedTemporaryFile(suffix=".json") as f:
        words = [sys.executable, os.path.join(HERE, "runner.py"), role, "--report", f.name, "--jobs", str(jobs)] + (["--stop"] if stop else [])
        words += ["--only", only] if only else []
        words += ["--skip", skip] if skip else []
        done = subprocess.run(words + ["--"] + command(role, name), cwd=HERE, env=ENV, capture_output=True, text=True)
        try:
            return json.load(open(f.name, encoding="utf-8"))
        except ValueError:
            return {"passed": 0, "failed": 0, "scenarios": [], "seconds": 0, "trouble": (done.stdout + done.stderr)[-300:]}


def caught(role, name, sections, jobs, without):
    numbers = [s.strip().split(" ")[0] for s in sections.split(",")]
    first = "|".join(f"{n} *" for n in numbers if n[:1].isdigit())
    passes = ([(first, "|".join(without))] if first else []) + [(None, "|".join(without + ([first] if first else [])))]
    for only, skip in passes:
        report = suite(role, name, only, skip, jobs)
        failures = [s for s in report["scenarios"] if not s["ok"]]
        if failures:
            return failures[0]
        if report.get("trouble") and "0 passed, 0 failed" not in report["trouble"]:
            return {"name": "the runner has trouble", "failures": [report["trouble"]], "trouble": True}
    return None


def main(argv):
    options = {"--role": None, "--only": None, "--parallel": "3", "--jobs": "6", "--report": None, "--without": ""}
    fast, broken = False, {"agent": [], "host": []}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--fast":
            fast = True
        elif word in options and rest:
            options[word] = rest.pop(0)
        else:
            sys.exit(__doc__)
    roles = [options["--role"]] if options["--role"] else ["agent", "host"]
    bad, results, lock = [], [], threading.Lock()
    if not fast:
        for role in roles:
            report = suite(role, None, None, None, 10, False)
            print(f"unbroken {role}: {report['passed']} passed, {report['failed']} failed, {report['seconds']} s", flush=True)
            broken[role] = [s["name"] for s in report["scenarios"] if not s["ok"]]
            if report["failed"] or not report["passed"]:
                bad.append(f"unbroken {role} ({', '.join(broken[role])})")
    todo = queue.Queue()
    for name, sections, side, *_ in rules():
        for role in roles:
            if side in ("both", role) and (not options["--only"] or name in options["--only"].split("|")):
                todo.put((role, name, sections))

    def work():
        while True:
            try:
                role, name, sections = todo.get_nowait()
            except queue.Empty:
                return
            start = time.monotonic()
            found = caught(role, name, sections, int(options["--jobs"]), broken[role] + [w for w in options["--without"].split("|") if w])
            with lock:
                good = found and not found.get("trouble")
                by = f"{found['name']}: {(found['failures'] or [''])[0][:110]}" if found else "by nothing"
                print(f"{'caught' if good else 'MISSED'} {role} {name} ({time.monotonic() - start:.1f} s) {by}", flush=True)
                results.append({"role": role, "rule": name, "caught": bool(good), "by": by})
                if not good:
                    bad.append(f"{role} {name}")
    threads = [threading.Thread(target=work) for _ in range(int(options["--parallel"]))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if options["--report"]:
        with open(options["--report"], "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    print(f"{sum(r['caught'] for r in results)} of {len(results)} caught" + (", not: " + ", ".join(bad) if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
