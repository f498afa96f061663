"""compare.py PERCENT FILE FILE: do two tables of sizes agree, give or take so much of each number?"""

import re
import sys

percent, committed, measured = float(sys.argv[1]), *(open(name).read() for name in sys.argv[2:])


def numbers(table):
    rows = [line.split() for line in table.splitlines() if line and not line.startswith("#")]
    return [(row[0], [int(word) for word in row[1:] if re.fullmatch(r"\d+", word)]) for row in rows]


def close(a, b):
    return a[0] == b[0] and len(a[1]) == len(b[1]) and all(
        abs(x - y) <= max(percent / 100 * x, 8) for x, y in zip(a[1], b[1]))


old, new = numbers(committed), numbers(measured)
sys.exit(0 if len(old) == len(new) and all(map(close, old, new)) else 1)
