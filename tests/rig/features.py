#!/usr/bin/env python3
"""Sets of a package's features, one a line, comma-separated; the empty line is no feature.

features.py combinations PACKAGE   every combination that differs in what it switches on
features.py no-alloc PACKAGE       the same, of the features that need neither `alloc` nor `std`
features.py each PACKAGE           each feature alone

The features are read from `cargo metadata`, so that a new one cannot be forgotten.
"""

import itertools
import json
import subprocess
import sys


def read_features(name):
    metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--format-version=1", "--no-deps"]))
    (package,) = (package for package in metadata["packages"] if package["name"] == name)
    return {name: implied for name, implied in package["features"].items() if name != "default"}


def closure(features, names):
    """The features that are on when `names` are asked for."""
    on, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in on:
            on.add(name)
            # `dep:x` and `x/y` are of other crates.
            todo += (implied for implied in features[name] if implied in features)
    return frozenset(on)


def combinations(features, names):
    seen = set()
    for size in range(len(names) + 1):
        for combination in itertools.combinations(sorted(names), size):
            on = closure(features, combination)
            if on not in seen:
                seen.add(on)
                yield combination


def main():
    what, package = sys.argv[1:]
    features = read_features(package)
    if what == "combinations":
        sets = combinations(features, features)
    elif what == "no-alloc":
        sets = combinations(features, [name for name in features if not closure(features, [name]) & {"alloc", "std"}])
    else:
        sets = ([name] for name in sorted(features))
    for names in sets:
        print(",".join(names))


main()
