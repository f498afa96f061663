"""Compares what the demonstration has shown with what the loop must have held.

    firmware_demo.py SHOWN
"""

import re
import sys

import firmware_model as model


def main(path):
    with open(path, encoding="utf-8") as file:
        shown = file.read()
    # The first ones are those at the breakpoint.
    registers = {}
    for name, value in re.findall(r"\b(r\d+|sp|lr|pc|xpsr) +0x([0-9a-f]{8})\b", shown[shown.index("r0 ") :]):
        registers.setdefault(name, int(value, 16))
    data = re.search(r"^0x[0-9a-f]{8}  ((?:[0-9a-f]{2} ){4})", shown, re.M)
    cycle = int.from_bytes(bytes.fromhex(data[1]), "little")
    axis = registers["r0"]
    expected = model.cycle(cycle)
    before, setpoint = expected.before[axis], expected.setpoints[axis]
    print(f"The loop's own count says that this is cycle {cycle}. It reads nothing but its own variables, so that it")
    print("must have held there, as calculated from that number alone:")
    rows = [
        ("r0", axis if axis < 3 else None, f"the axis, {'XYZ'[axis % 3]}"),
        ("r1", before, f"where it stands, {before / model.MM:.6f} mm"),
        ("r2", setpoint, f"where the program wants it, {setpoint / model.MM:.6f} mm"),
    ]
    wrong = 0
    for name, value, what in rows:
        right = value is not None and registers[name] == value & 0xFFFFFFFF
        wrong += not right
        print(f"    {name}  0x{(value or 0) & 0xFFFFFFFF:08x}  {'ok   ' if right else 'WRONG'}  {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
