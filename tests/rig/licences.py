#!/usr/bin/env python3
"""Whether every dependency is under a licence that .deny.toml allows: the part of `cargo deny check` that needs nothing
but Cargo and Python.

What counts is what `.deny.toml` counts: what the members of the workspace depend on, with all features and for all
platforms, but for the members that it excludes.
"""

import json
import re
import subprocess
import sys
import tomllib


def main():
    with open(".deny.toml", "rb") as file:
        rules = tomllib.load(file)
    allowed = set(rules["licenses"]["allow"])
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features"]
    metadata = json.loads(subprocess.check_output(command))
    members = set(metadata["workspace_members"])
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {node["id"]: [dep["pkg"] for dep in node["deps"]] for node in metadata["resolve"]["nodes"]}
    used, todo = set(), [id for id in members if packages[id]["name"] not in rules["graph"]["exclude"]]
    while todo:
        id = todo.pop()
        if id not in used:
            used.add(id)
            todo += needs[id]
    failed = 0
    for package in sorted((packages[id] for id in used - members), key=lambda package: package["name"]):
        if not is_allowed(package["license"] or "", allowed):
            failed += 1
            print(f"{package['name']} {package['version']}: {package['license'] or 'no licence'}; expected "
                  f"one of {', '.join(sorted(allowed))}, as .deny.toml has them")
    print(f"licences: {len(used - members)} dependencies, {failed} under none that is allowed")
    sys.exit(failed > 0)


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met: `AND` binds closer than `OR`, and `WITH` belongs to the licence."""
    # Old manifests write `/` for `OR`.
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either():
        met = both()
        while words[:1] == ["OR"]:
            words.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while words[:1] == ["AND"]:
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0) if words else ""
        if word == "(":
            met = either()
            return words[:1] == [")"] and words.pop(0) == ")" and met
        if words[:1] == ["WITH"]:
            word += " " + " ".join(words[:2])
            del words[:2]
        return word in allowed

    return either() and not words


# What the dependencies of a day have is not all that can come.
for expression, met in [
    ("MIT", True),
    ("", False),
    ("GPL-3.0", False),
    ("MIT/GPL-3.0", True),
    ("GPL-3.0 OR MIT", True),
    ("GPL-3.0 AND MIT", False),
    ("MIT AND Zlib", True),
    ("GPL-3.0 AND Zlib OR MIT", True),
    ("MIT OR Zlib AND GPL-3.0", True),
    ("(MIT OR Zlib) AND GPL-3.0", False),
    ("(MIT OR GPL-3.0) AND (Zlib)", True),
    ("MIT WITH exception", False),
    ("MIT Zlib", False),
    ("(MIT", False),
    ("MIT AND", False),
]:
    assert is_allowed(expression, {"MIT", "Zlib"}) == met, expression
main()
