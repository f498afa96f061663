#!/usr/bin/env python3
"""Writes vectors/*.json from generator/. Every byte is built by hand from SPEC.md, without rdp3/ and suite/."""

import json
import os

from generator.malformed import make_frames
from generator.messages import make_messages, make_records
from generator.packets import make_cobs, make_packets
from generator.registers import make_registers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")


def write(name, data):
    """One entry a line, so that a difference can be read."""
    lines = ["{"]
    for number, (key, value) in enumerate(data.items()):
        comma = "" if number == len(data) - 1 else ","
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in value)
            lines.append(f" {json.dumps(key)}: [\n{rows}\n ]{comma}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}{comma}")
    lines.append("}")
    with open(os.path.join(OUT, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, make in (("cobs", make_cobs), ("packets", make_packets), ("records", make_records),
                       ("messages", make_messages), ("frames", make_frames), ("registers", make_registers)):
        data = make()
        write(name + ".json", data)
        print(name + ".json:", ", ".join(f"{len(v)} {k}" for k, v in data.items() if isinstance(v, list)))


if __name__ == "__main__":
    main()
