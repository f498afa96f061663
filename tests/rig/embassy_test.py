#!/usr/bin/env python3
"""Sends lines to examples/embassy in the emulator, and compares the answers: embassy_test.py ELF."""

import socket
import subprocess
import sys

BAD = b"ERROR bad line"
# What is sent, and the answers to it.
CASES = [
    (b"*IDN?\r\n", [b"feedrate on embassy"]),
    (b"SPEED?\r\n", [b"00000"]),
    (b"SPEED 1200\r\nSPEED?\r\n", [b"OK", b"01200"]),
    (b"SPEED 70000\r\nSPEED\r\n\r\nspeed?\r\n", [b"ERROR unknown"] * 4),
    # As long as a line may be; too long by one, and by far: the next line is intact.
    (b"x" * 62 + b"\r\n", [b"ERROR unknown"]),
    (b"x" * 63 + b"\r\nSPEED?\r\n", [BAD, b"01200"]),
    (b"y" * 5000 + b"\r\nSPEED?\r\n", [BAD, b"01200"]),
    (b"\xff\r\nSPEED 7\r\nSPEED?\r\n", [BAD, b"OK", b"00007"]),
    # More at once than the pipes hold.
    (b"SPEED?\r\n" * 2000, [b"00007"] * 2000),
    (b"".join(b"SPEED %d\r\nSPEED?\r\n" % n for n in range(500)), [a for n in range(500) for a in (b"OK", b"%05d" % n)]),
]


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    port = listener.getsockname()[1]
    emulator = subprocess.Popen(
        ["qemu-system-arm", "-cpu", "cortex-m3", "-machine", "lm3s6965evb", "-display", "none", "-monitor", "none"]
        + ["-serial", f"tcp:127.0.0.1:{port}", "-kernel", sys.argv[1]]
    )
    try:
        line, _ = listener.accept()
        answers = check(line)
        # In pieces of one byte.
        answers += check(line, CASES[:4], 1, first=b"00499")
    finally:
        emulator.kill()
        emulator.wait()
    print(f"embassy: {answers} answers are as they should be")


def check(line, cases=CASES, piece=1 << 20, first=None) -> int:
    line.settimeout(20)
    answers = 0
    for sent, expected in cases:
        if first and sent == b"SPEED?\r\n":
            expected = [first]
        for at in range(0, len(sent), piece):
            line.sendall(sent[at : at + piece])
        wanted = b"".join(answer + b"\r\n" for answer in expected)
        got = b""
        while len(got) < len(wanted):
            part = line.recv(len(wanted) - len(got))
            assert part, "the emulator has gone"
            got += part
        assert got == wanted, f"to {sent[:80]!r}: {got[:200]!r}, expected {wanted[:200]!r}"
        answers += len(expected)
    # And nothing else.
    line.settimeout(0.3)
    try:
        rest = line.recv(100)
        raise AssertionError(f"more than expected: {rest!r}")
    except TimeoutError:
        return answers


main()
