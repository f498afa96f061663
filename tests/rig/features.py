#!/usr/bin/env python3
"""Sets of a package's features, one a line, comma-separated; the empty line is no feature.

features.py combinations PACKAGE   every combination that differs in what it switches on
features.py no-alloc PACKAGE       the same, of the features that need neither `alloc` nor `std`
features.py msrv PACKAGE           each feature that builds with the oldest supported Rust alone, then all of these

The features are read from `cargo metadata`, so that a new one cannot be forgotten.
"""

import itertools
import json
import subprocess
import sys


# They only add implementations for types of another crate, or a module of their own, and nothing else asks for them:
# each is tried alone, with every other feature, and with all, instead of doubling the number of combinations.
LEAVES = {"codec", "defmt", "embedded-io-07", "heapless-09", "serial", "socket"}
# The same, of one package only.
LEAVES_OF = {"feedrate-io": {"pg-client", "rdp"}}
# Their dependencies need a newer compiler, and say so.
NEWER = {"heapless-09"}


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


def sets(names):
    rest = sorted(set(names) - LEAVES)
    for size in range(len(rest) + 1):
        yield from itertools.combinations(rest, size)
    for leaf in sorted(set(names) & LEAVES):
        yield (leaf,)
        yield from ((leaf, other) for other in rest)
    yield sorted(names)


def combinations(features, names):
    seen = set()
    for combination in sets(names):
        on = closure(features, combination)
        if on not in seen:
            seen.add(on)
            yield combination


def main():
    what, package = sys.argv[1:]
    LEAVES.update(LEAVES_OF.get(package, ()))
    features = read_features(package)
    if what == "combinations":
        found = combinations(features, features)
    elif what == "no-alloc":
        found = combinations(features, [name for name in features if not closure(features, [name]) & {"alloc", "std"}])
    else:
        old = sorted(set(features) - NEWER)
        found = [[name] for name in old] + [old]
    for names in found:
        print(",".join(names))


main()
