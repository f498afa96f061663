"""compare.py PERCENT FILE FILE: do two tables of sizes agree, give or take so much of each number?

The second may have fewer levels than the first.
"""

import re
import sys

percent, committed, measured = float(sys.argv[1]), *(open(name).read() for name in sys.argv[2:])


def sizes(table):
    """Target, binary and level: bytes of code and of data."""
    found, target, levels = {}, None, []
    for line in table.splitlines():
        if "opt-level" in line:
            target, levels = line.split()[0], re.findall(r"opt-level (\w)", line)
        elif line and not line.startswith("#"):
            # `-`: not measured at this level.
            pairs = re.findall(r" (\d+) \+ (\d+)| -(?= |$)", line)
            for level, pair in zip(levels, pairs, strict=True):
                if all(pair):
                    found[target, line.split()[0], level] = [int(size) for size in pair]
    return found


def close(a, b):
    return all(abs(x - y) <= max(percent / 100 * x, 8) for x, y in zip(a, b))


old, new = sizes(committed), sizes(measured)
levels = {level for _, _, level in new}
old = {key: value for key, value in old.items() if key[2] in levels}
wrong = [key for key in old.keys() | new.keys() if key not in old or key not in new or not close(old[key], new[key])]
for key in sorted(wrong):
    print(*key, "committed", old.get(key), "measured", new.get(key), file=sys.stderr)
sys.exit(1 if wrong or not new else 0)
