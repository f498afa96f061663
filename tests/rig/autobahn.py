#!/usr/bin/env python3
"""What the reports of the Autobahn|Testsuite must say.

autobahn.py cases FILE PATTERN...           the cases in FILE (one a line) that match, one a line
autobahn.py gate ROLE DIR CASE...           fails unless the reports below DIR have every case, and each is as it should be
autobahn.py summary FILE [ROLE DIR]...      counts of all cases in FILE, for each group and role, and those that are not OK
"""

import fnmatch
import json
import pathlib
import sys

# The suite has no opinion on these: a close frame right behind 256 KiB of text, and close codes that no RFC gives a meaning.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
# The suite's names, and what they are counted as. What has another name is counted as failed.
COLUMNS = {"OK": "ok", "NON-STRICT": "non-strict", "INFORMATIONAL": "informational", "UNIMPLEMENTED": "unimplemented"}


def select(path, patterns):
    known = pathlib.Path(path).read_text().split()
    chosen = set()
    for pattern in patterns:
        matching = fnmatch.filter(known, pattern)
        if not matching:
            sys.exit(f"error: the suite has no case {pattern}")
        chosen.update(matching)
    return [case for case in known if case in chosen]


def read_reports(folder):
    """Case to (its line in the index, the file with the details), of all runs below the folder."""
    reports = {}
    for index in sorted(pathlib.Path(folder).glob("*/reports/index.json")):
        for cases in json.loads(index.read_text()).values():
            reports.update({case: (line, index.parent / line["reportfile"]) for case, line in cases.items()})
    return reports


def is_good(case, line):
    allowed = {"OK", "INFORMATIONAL"} if case in INFORMATIONAL else {"OK"}
    return {line["behavior"], line["behaviorClose"]} <= allowed


def gate(role, folder, cases):
    reports = read_reports(folder)
    missing = [case for case in cases if case not in reports]
    bad = [case for case in cases if case in reports and not is_good(case, reports[case][0])]
    for case in bad:
        explain(role, case, *reports[case])
    if missing:
        print(f"{role}: not reported: {' '.join(missing)}")
    counts = count(cases, reports)
    print(f"{role}: {len(cases)} cases: " + ", ".join(f"{n} {name}" for name, n in counts.items() if n or name == "ok"))
    return not (missing or bad)


def explain(role, case, line, path):
    print(f"{role} {case}: {line['behavior']}, close {line['behaviorClose']}")
    details = json.loads(path.read_text(errors="replace"))
    for key in ("description", "result", "resultClose", "expected", "received"):
        text = details.get(key)
        text = text if isinstance(text, str) else json.dumps(text)
        print(f"    {key}: {' '.join(text.split())[:300]}")


def count(cases, reports):
    counts = dict.fromkeys([*COLUMNS.values(), "failed", "bad close", "missing"], 0)
    for case in cases:
        if case not in reports:
            counts["missing"] += 1
            continue
        line = reports[case][0]
        counts[COLUMNS.get(line["behavior"], "failed")] += 1
        counts["bad close"] += line["behaviorClose"] not in ("OK", "INFORMATIONAL")
    return counts


def summary(path, roles):
    cases = pathlib.Path(path).read_text().split()
    groups = sorted({case.split(".")[0] for case in cases}, key=int)
    reports = {role: read_reports(folder) for role, folder in roles}
    rows = []
    for group in [*groups, "all"]:
        chosen = [case for case in cases if group in ("all", case.split(".")[0])]
        for role in reports:
            rows.append({"group": group, "role": role, "cases": len(chosen), **count(chosen, reports[role])})
    for row in [dict(zip(rows[0], rows[0])), *rows]:
        print("  ".join(str(cell).rjust(len(name) + 1) for name, cell in row_cells(row)).rstrip())
    print()
    print("Not OK:")
    for role in reports:
        missing = [case for case in cases if case not in reports[role]]
        if missing:
            print(f"    {role}: not reported: {' '.join(missing)}")
        for case in (case for case in cases if case in reports[role]):
            line = reports[role][case][0]
            said = (line["behavior"], line["behaviorClose"])
            if said != ("OK", "OK"):
                allowed = " (expected)" if is_good(case, line) else ""
                print(f"    {role} {case}: {said[0]}, close {said[1]}{allowed}")


def row_cells(row):
    # "server" is wider than its heading.
    return (("server" if name == "role" else name, cell) for name, cell in row.items())


def main():
    command, *arguments = sys.argv[1:]
    if command == "cases":
        print(*select(arguments[0], arguments[1:]), sep="\n")
    elif command == "gate":
        role, folder, *cases = arguments
        return 0 if gate(role, folder, cases) else 1
    else:
        path, *rest = arguments
        summary(path, list(zip(rest[::2], rest[1::2])))
    return 0


sys.exit(main())
