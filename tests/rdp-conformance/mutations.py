#!/usr/bin/env python3
"""Shows that the suite is no decoration: `rdp3` with each of its rules broken has to fail, unbroken it has to pass.

mutations.py [--role agent|host] [--only NAME|NAME...] [--every N] [--first N] [--parallel N] [--jobs N] [--fast]
             [--without SCENARIO|...] [--report FILE] [--learn]

The unbroken programs run first; what fails there is a failure and is left out of the rest. Then, for each rule, the
scenario that noticed it before (mutations.json), the scenarios of the rule's sections, and all others, up to the
first failure. `--every 3 --first 1` takes the second, the fifth, the eighth and so on. `--fast` leaves the unbroken programs
out. `--learn` writes mutations.json, after a run without its
help."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = tempfile.TemporaryDirectory(prefix="rdp3-")
# One compilation for hundreds of programs, and nothing of it in the source tree.
ENV = dict(os.environ, PYTHONPATH=HERE, PYTHONPYCACHEPREFIX=CACHE.name)
ENV.pop("PYTHONDONTWRITEBYTECODE", None)
HINTS = os.path.join(HERE, "mutations.json")
# What no scenario can show with the reference machine and its knobs, and why. They are tried if they are named.
UNSEEN = {
    ("agent", "forces-overlap"): "the machine's variables cannot overlap",
    ("agent", "no-watchdog"): "the journal cannot be read during a stall",
    ("agent", "credit-not-kept"): "what the line holds back is not seen on it",
    ("agent", "all-of-channel-1-in-a-run"): "runs are not seen on the line",
    ("host", "overflow-lost"): "no host is given more than it has room for",
}


def rules():
    words = [sys.executable, "-m", "rdp3.rules"]
    out = subprocess.run(words, cwd=HERE, env=ENV, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in out.splitlines() if line.strip()]


def command(role, name=None):
    words = [sys.executable, "-m", f"rdp3.{role}"] + (["--listen", "127.0.0.1:0"] if role == "agent" else [])
    return words + (["--break", name] if name else [])


def suite(role, name, only, skip, jobs, stop=True):
    """The report of one run."""
    with tempfile.NamedTemporaryFile(suffix=".json") as f:
        words = [sys.executable, os.path.join(HERE, "runner.py"), role, "--report", f.name, "--jobs", str(jobs)]
        words += ["--stop"] if stop else []
        words += ["--only", only] if only else []
        words += ["--skip", skip] if skip else []
        words += ["--"] + command(role, name)
        done = subprocess.run(words, cwd=HERE, env=ENV, capture_output=True, text=True)
        try:
            return json.load(open(f.name, encoding="utf-8"))
        except ValueError:
            trouble = (done.stdout + done.stderr)[-300:]
            return {"passed": 0, "failed": 0, "scenarios": [], "seconds": 0, "trouble": trouble}


def caught(role, name, sections, jobs, without, hint):
    numbers = [s.strip().split(" ")[0] for s in sections.split(",")]
    first = "|".join(f"{n} *" for n in numbers if n[:1].isdigit())
    passes = [(hint, "|".join(without))] if hint else []
    passes += [(first, "|".join(without))] if first else []
    passes += [(None, "|".join(without + ([first] if first else [])))]
    while passes:
        only, skip = passes.pop(0)
        report = suite(role, name, only, skip, jobs)
        failures = [s for s in report["scenarios"] if not s["ok"]]
        if failures and only != hint:
            # A busy machine makes scenarios fail: what notices a rule does so twice. Else the rest is to be played.
            twice = [s for s in failures if any(not again["ok"] for again in
                     suite(role, name, s["name"], None, 1)["scenarios"])]
            if not twice:
                passes.insert(0, (only, "|".join([skip] * bool(skip) + [s["name"] for s in failures])))
                continue
            failures = twice
        if failures:
            text = " ".join(failures[0]["failures"])
            return dict(failures[0], trouble="instead of where it listens" in text or "does not connect" in text)
        if report.get("trouble") and "0 passed, 0 failed" not in report["trouble"]:
            return {"name": "the runner has trouble", "failures": [report["trouble"]], "trouble": True}
    return None


def in_threads(work):
    threads = [threading.Thread(target=w) for w in work]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def main(argv):
    options = {"--role": None, "--only": None, "--parallel": "4", "--jobs": "6", "--report": None, "--without": "",
               "--every": "1", "--first": "0"}
    fast, learn, broken = False, False, {"agent": [], "host": []}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--fast":
            fast = True
        elif word == "--learn":
            learn = True
        elif word in options and rest:
            options[word] = rest.pop(0)
        else:
            sys.exit(__doc__)
    began = time.monotonic()
    roles = [options["--role"]] if options["--role"] else ["agent", "host"]
    bad, results, learned, lock = [], [], {}, threading.Lock()
    if not fast:
        def unbroken(role):
            report = suite(role, None, None, None, 6, False)
            numbers = f"{report['passed']} passed, {report['failed']} failed, {report['seconds']} s"
            print(f"unbroken {role}: {numbers}", flush=True)
            broken[role] = [s["name"] for s in report["scenarios"] if not s["ok"]]
            if report["failed"] or not report["passed"]:
                bad.append(f"unbroken {role} ({', '.join(broken[role])})")
        in_threads([lambda role=role: unbroken(role) for role in roles])
    hints = {}
    if os.path.exists(HINTS) and (not learn or options["--only"]):
        with open(HINTS, encoding="utf-8") as f:
            hints = json.load(f)
    if learn:
        learned.update(hints)
        hints = {}
    tasks = []
    for name, sections, side, *_ in rules():
        for role in roles:
            named = name in (options["--only"] or "").split("|")
            if (role, name) in UNSEEN and not named:
                print(f"left out: {role} {name}: {UNSEEN[role, name]}")
                continue
            if side in ("both", role) and (not options["--only"] or named):
                tasks.append((role, name, sections, *hints.get(f"{role} {name}", ["", 99])))
    every, first = int(options["--every"]), int(options["--first"])
    tasks = tasks[first % every::every]
    todo = queue.Queue()
    for task in sorted(tasks, key=lambda t: -t[4]):
        todo.put(task)

    missed = []

    def work():
        while True:
            try:
                task = todo.get_nowait()
            except queue.Empty:
                return
            role, name, sections, hint, _ = task
            start = time.monotonic()
            without = broken[role] + [w for w in options["--without"].split("|") if w]
            found = caught(role, name, sections, int(options["--jobs"]), without, hint)
            with lock:
                good = found and not found.get("trouble")
                by = f"{found['name']}: {(found['failures'] or [''])[0][:110]}" if found else "by nothing"
                seconds = time.monotonic() - start
                print(f"{'caught' if good else 'MISSED'} {role} {name} ({seconds:.1f} s) {by}", flush=True)
                results.append({"role": role, "rule": name, "caught": bool(good), "by": by})
                if good:
                    learned[f"{role} {name}"] = [found["name"], round(found["seconds"])]
                if not good:
                    missed.append(task)
    in_threads([work] * int(options["--parallel"]))
    # Most rules are about time, and four of them at once make a busy machine: what is missed twice is missed.
    again, missed = missed, []
    for task in again:
        todo.put(task)
    results = [r for r in results if (r["role"], r["rule"]) not in {task[:2] for task in again}]
    in_threads([work])
    bad += [f"{role} {name}" for role, name, *_ in missed]
    if learn:
        with open(HINTS, "w", encoding="utf-8") as f:
            rows = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(learned.items())]
            f.write("{\n" + ",\n".join(rows) + "\n}\n")
    if options["--report"]:
        with open(options["--report"], "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    count, seconds = sum(r["caught"] for r in results), time.monotonic() - began
    print(f"{count} of {len(results)} caught, {seconds:.0f} s" + (", not: " + ", ".join(bad) if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
