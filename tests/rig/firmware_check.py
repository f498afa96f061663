"""Whether the machine's program stays in RAM, and is made of what stepping has to be tested with.

    objdump -d -j .machine ELF | firmware_check.py START END
"""

import re
import sys

CONDITION = r"(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)"
BRANCH = re.compile(rf"(b|bl|cbn?z|b{CONDITION}|bl{CONDITION})(\.[nw])?")
# One of each: a call, a conditional branch, a compare with zero, a table, a return from the stack, an IT block, one
# with more than one instruction, a product, a quotient.
WANTED = [
    r"bl",
    r"b(eq|ne|hi|ls|ge|lt|gt|le)\.n",
    r"cbn?z",
    r"tb[bh]",
    r"pop .*pc",
    r"it ",
    r"it[te]+ ",
    r"mul|mla",
    r"[su]div",
]


def main(start, end):
    missing = list(WANTED)
    count = bad = 0
    for line in sys.stdin:
        found = re.match(r"\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)\s*(.*)", line)
        if not found or not start <= int(found[1], 16) < end:
            continue
        count += 1
        name, operands = found[2], found[3]
        missing = [pattern for pattern in missing if not re.match(pattern, f"{name} {operands}")]
        target = re.search(r"\b([0-9a-f]{3,8}) <", operands)
        leaves = BRANCH.fullmatch(name) and not (target and start <= int(target[1], 16) < end)
        unknown = re.fullmatch(r"blx|bx", name) and operands != "lr" or re.search(r"^pc,", operands)
        if leaves or unknown or "Thunk" in line:
            print(f"leaves the RAM: {line.strip()}")
            bad += 1
    for pattern in missing:
        print(f"has no instruction like {pattern}")
    print(f"{count} instructions in RAM, none leaves it" if not bad else f"{bad} leave the RAM")
    return 1 if bad or missing or not count else 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument, 16) for argument in sys.argv[1:3])))
