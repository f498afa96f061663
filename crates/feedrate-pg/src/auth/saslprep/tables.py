#!/usr/bin/env python3
"""Writes SASLprep's tables: tables.py [DIRECTORY], by default the one beside this file.

Ranges are those of RFC 3454, from Python's module stringprep. Decompositions, classes and compositions are Unicode's,
of the characters that Unicode 3.2 had and that SASLprep lets through: those never change again (Unicode's policy on
stability), so any later version gives the same tables. All numbers are big-endian, code points have 3 bytes.
"""
import pathlib
import stringprep as prep
import sys
import unicodedata

ALL = [chr(code) for code in range(0x110000)]
HANGUL = range(0xAC00, 0xD7A4)


def prohibited(char):
    """Tables C.1.2, C.2.1 to C.9 and A.1. What table B.1 or C.1.2 maps is mapped before."""
    tables = [prep.in_table_c12, prep.in_table_c21_c22, prep.in_table_c3, prep.in_table_c4, prep.in_table_c5,
              prep.in_table_c6, prep.in_table_c7, prep.in_table_c8, prep.in_table_c9, prep.in_table_a1]
    return any(table(char) for table in tables)


def three(*chars):
    return b"".join(ord(char).to_bytes(3, "big") for char in chars)


def ranges(value):
    """Records of first, last, and the value where that is a number other than True."""
    out, start = bytearray(), 0
    for code in range(1, 0x110001):
        before = value(ALL[start])
        if code < 0x110000 and value(ALL[code]) == before:
            continue
        if before:
            out += three(ALL[start], ALL[code - 1]) + (b"" if before is True else bytes([before]))
        start = code
    return bytes(out)


def tables():
    allowed = [char for char in ALL if not prohibited(char)]
    records, pool = bytearray(), ""
    canonical = bytearray()
    pairs = {}
    for char in allowed:
        full = unicodedata.normalize("NFKD", char)
        if full != char and ord(char) not in HANGUL:
            if full not in pool:
                pool += full
            records += three(char) + pool.index(full).to_bytes(2, "big") + bytes([len(full)])
        # A composite is its own NFC; exclusions are not.
        pair = unicodedata.decomposition(char).split()
        if len(pair) == 2 and not pair[0].startswith("<") and unicodedata.normalize("NFC", char) == char:
            pairs[chr(int(pair[0], 16)), chr(int(pair[1], 16))] = char
    for (first, second), char in sorted(pairs.items()):
        canonical += three(first, second, char)
    reachable = set(allowed) | set(pool)
    return {
        "decompositions": bytes(records),
        "characters": three(*pool),
        "compositions": bytes(canonical),
        "classes": ranges(lambda char: unicodedata.combining(char) if char in reachable else 0),
        "prohibited": ranges(prohibited),
        "right_to_left": ranges(prep.in_table_d1),
        "left_to_right": ranges(prep.in_table_d2),
    }


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(""))
    for name, table in tables().items():
        (directory / f"{name}.bin").write_bytes(table)
        print(f"{len(table):6} bytes  {name}")


main()
