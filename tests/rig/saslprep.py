#!/usr/bin/env python3
"""Random passwords of Unicode, and the verifiers that a real server makes of them.

    saslprep.py PORT COUNT SEED     prints a line `PASSWORD VERIFIER` for each, the password in hexadecimal

Characters come from where SASLprep's rules are: marks that are sorted and composed, Hangul, what is compatible with
something else, what is mapped or prohibited or written from right to left, what Unicode 3.2 did not have.
"""
import random
import sys
import unicodedata

import psycopg

MARKS = [chr(code) for code in range(0x300, 0x3000) if unicodedata.combining(chr(code))]
COMPATIBLE = [chr(code) for code in range(0xA0, 0x2FA1E) if unicodedata.decomposition(chr(code))]
HANGUL = [chr(code) for code in [*range(0x1100, 0x1200), *range(0xAC00, 0xD7A4)]]
RIGHT = [chr(code) for code in [*range(0x5D0, 0x5EB), *range(0x621, 0x64B), *range(0xFB1D, 0xFDFC)]]
MAPPED = list("\u00a0\u1680\u2003\u200b\u202f\u205f\u3000\u00ad\u034f\u1806\u180b\u200c\u200d\u2060\ufe00\ufeff")
PROHIBITED = list("\u0007\u007f\u0080\u0340\u0341\u06dd\u2028\u206a\ue000\ufdd0\ufffd\U000e0001\U0010ffff\u0221")
# Of Indic scripts: starters that compose with starters.
INDIC = [chr(code) for code in [*range(0x900, 0xE00), *range(0xF00, 0x1000), *range(0x1000, 0x1100)]]
LATIN = [chr(code) for code in range(0x20, 0x250)]
# Weights: most passwords have to get through, or only raw bytes are compared.
KINDS = [(MARKS, 5), (COMPATIBLE, 4), (HANGUL, 2), (RIGHT, 1), (MAPPED, 1), (INDIC, 2), (LATIN, 4)]


def password(rng):
    kind = rng.random()
    if kind < 0.1:
        chars = [rng.choice(RIGHT) for _ in range(rng.randrange(1, 6))]
        chars += rng.choice([[], ["1"], ["1", "\u0628"], [chr(rng.randrange(0x80, 0x3400)), "\u0628"]])
    else:
        kinds = rng.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS], k=rng.randrange(1, 9))
        chars = [rng.choice(kind) for kind in kinds]
    if rng.random() < 0.05:
        chars.insert(rng.randrange(len(chars) + 1), rng.choice(PROHIBITED))
    if rng.random() < 0.03:
        code = rng.randrange(0x80, 0x110000)
        chars.append(chr(code) if not 0xD800 <= code < 0xE000 else "\u00e9")
    return "".join(chars).encode()


def every_one():
    """Each character that stands for something else, alone; and each that composes."""
    for char in COMPATIBLE:
        yield char.encode()
    for char in COMPATIBLE:
        parts = unicodedata.normalize("NFD", char)
        if len(parts) > 1:
            yield parts.encode()


def main():
    port, count, seed = map(int, sys.argv[1:])
    rng = random.Random(seed)
    passwords = list(every_one()) if seed == 0 else []
    passwords += [password(rng) for _ in range(count)]
    # And what is not UTF-8, which a database of SQL_ASCII lets through.
    passwords += [bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, 12))) for _ in range(count // 20)]
    # PostgreSQL takes these for no password, or for verifiers.
    passwords = [it for it in passwords if it and b"\0" not in it and not it.startswith((b"md5", b"SCRAM"))]
    where = f"host=127.0.0.1 port={port} user=postgres password=secret"
    with psycopg.connect(f"{where} dbname=postgres", autocommit=True) as base:
        base.execute("create database bytes encoding 'SQL_ASCII' locale 'C' template template0"
                     if base.info.server_version >= 130000 else
                     "create database bytes encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0")
    with psycopg.connect(f"{where} dbname=bytes client_encoding=SQL_ASCII") as base:
        if base.info.server_version >= 160000:
            # The hashing is not what is tried here, and takes most of the time.
            base.execute("set scram_iterations = 1")
        base.execute("create role it")
        for each in passwords:
            literal = "".join(f"\\x{byte:02x}" for byte in each)
            base.execute(f"alter role it password E'{literal}'".encode())
            stored = base.execute("select rolpassword from pg_authid where rolname = 'it'").fetchone()[0]
            stored = stored.decode() if isinstance(stored, bytes) else stored
            print(each.hex(), stored)
        base.rollback()
    with psycopg.connect(f"{where} dbname=postgres", autocommit=True) as base:
        base.execute("drop database bytes")


main()
