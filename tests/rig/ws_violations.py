#!/usr/bin/env python3
"""What a client can do wrong (and right, at the edges), against a WebSocket echo server: the close code on the wire.

ws_violations.py HOST:PORT [--limit BYTES] [--no-deflate] [--protocols a,b] [--only WORD]
                 [--deadline SECONDS] [--list]
ws_violations.py HOST:PORT --accepts text|binary    a server that takes messages of one kind and sends none

The options say how the server was started: its message limit (default 1 MiB), without permessage-deflate, with
which subprotocols. Every case has its own connection; most run twice, written at once and byte by byte. The last
line is `N cases, N failed`.
"""

import argparse
import functools
import itertools
import os
import re
import socket
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import ws_wire
from ws_wire import BINARY, CLOSE, CONT, NONCE, PING, PONG, TEXT, Bad, Conn, close, deflate, frame, request

NAMES = {TEXT: "text", BINARY: "binary", CONT: "continuation", CLOSE: "close", PING: "ping", PONG: "pong"}
# After this long the rest of the cases fails unrun.
BUDGET = 75.0

# `steps` is a list of (bytes to send, what to expect then); a case that ends without a close gets one.
Case = namedtuple("Case", "name section steps offer pieces", defaults=(None, True))
# `expect` is a set of HTTP statuses for a refusal, or a function of the connection for the rest.
Shake = namedtuple("Shake", "name section sent expect pieces", defaults=(True,))


def text(data):
    return TEXT, data.encode() if isinstance(data, str) else data


def binary(data):
    return BINARY, data


def pong(data=b""):
    return PONG, data


def closed(*codes):
    """A close frame with one of these codes (None: without one), then the end."""
    return CLOSE, codes


def one(name, section, sent, *expect, **options):
    return Case(name, section, [(sent, expect)], **options)


def wrong(name, section, sent, code=1002, **options):
    return one(name, section, sent, closed(code), **options)


def split(data, opcode=TEXT, at=None, between=b""):
    """A message in fragments of one byte, or of two parts; `between` is put after every fragment but the last."""
    parts = [data[i : i + 1] for i in range(len(data))] if at is None else [data[:at], data[at:]]
    frames = [frame(CONT if i else opcode, p, fin=i == len(parts) - 1) for i, p in enumerate(parts)]
    return between.join(frames)


# The frames' form: RFC 6455 5.1, 5.2, 5.5.

X = frame(TEXT, b"x")
START = frame(TEXT, b"a", fin=False)


def masks():
    for opcode, payload in itertools.product(NAMES, (b"", b"\3\xe8 hi")):
        before = START if opcode == CONT else b""
        yield wrong(f"unmasked {NAMES[opcode]} of {len(payload)}", "5.1", before + frame(opcode, payload, key=None))
    for size in (126, 200, 65536):
        yield wrong(f"unmasked text of {size}", "5.1", frame(TEXT, b"m" * size, key=None))
    yield one("unmasked after a masked one", "5.1", X + frame(TEXT, b"y", key=None), text("x"), closed(1002))
    yield wrong("unmasked header alone", "5.1", frame(BINARY, length=5, key=None))
    for key in (bytes(4), b"\xff" * 4, b"\0\0\0\1", b"\x80\0\0\0"):
        yield one(f"mask {key.hex()}", "5.3", frame(TEXT, b"hello, masks", key=key), text("hello, masks"))


def reserved():
    for rsv, opcode, payload in itertools.product(range(1, 8), NAMES, (b"", b"\3\xe8")):
        before = START if opcode == CONT else b""
        sent = before + frame(opcode, payload, rsv=rsv)
        yield wrong(f"RSV {rsv:03b} on {NAMES[opcode]} of {len(payload)}", "5.2", sent)
    for rsv in (1, 2, 4):
        yield wrong(f"RSV {rsv:03b} on a first fragment", "5.2", frame(TEXT, b"x", rsv=rsv, fin=False))
        yield wrong(f"RSV {rsv:03b}, header alone", "5.2", frame(TEXT, rsv=rsv, length=9))
    for opcode in (*range(3, 8), *range(11, 16)):
        name = f"opcode {opcode:X}"
        yield wrong(f"{name}, empty", "5.2", frame(opcode))
        yield wrong(f"{name} with payload", "5.2", frame(opcode, b"x"))
        yield wrong(f"{name} without FIN", "5.2", frame(opcode, b"x", fin=False))
        yield wrong(f"{name} inside a message", "5.2", START + frame(opcode, b"x"))
        yield wrong(f"{name}, header alone", "5.2", frame(opcode, length=3))
        yield one(f"{name} after a message", "5.2", X + frame(opcode), text("x"), closed(1002))


def controls():
    for opcode in (CLOSE, PING, PONG):
        name = NAMES[opcode]
        good = b"\3\xe8" + b"r" * 123
        yield wrong(f"{name} without FIN, empty", "5.5", frame(opcode, fin=False))
        yield wrong(f"{name} without FIN", "5.5", frame(opcode, good[:5], fin=False))
        yield wrong(f"{name} in two fragments", "5.5", frame(opcode, b"\3\xe8", fin=False) + frame(CONT, b"y"))
        yield wrong(f"{name} without FIN inside a message", "5.5", START + frame(opcode, fin=False))
        for size in (126, 127, 65535, 65536):
            yield wrong(f"{name} of {size}", "5.5", frame(opcode, (good * 525)[:size]))
            yield wrong(f"{name} of {size}, header alone", "5.5", frame(opcode, length=size))
        yield wrong(f"{name} of 1 GiB, header alone", "5.5", frame(opcode, length=1 << 30))
        for form, size in ((16, 0), (16, 5), (16, 125), (64, 5), (64, 125)):
            yield wrong(f"{name} of {size} in {form} bits", "5.2", frame(opcode, good[:size], form=form))
        yield wrong(f"{name} with the length's top bit", "5.2", frame(opcode, form=64, length=1 << 63))


def lengths():
    for opcode in (TEXT, BINARY, CONT):
        before = START if opcode == CONT else b""
        for form, size in ((16, 0), (16, 1), (16, 124), (16, 125), (64, 0), (64, 125), (64, 126), (64, 65535)):
            name = f"{NAMES[opcode]} of {size} in {form} bits"
            yield wrong(name, "5.2", before + frame(opcode, b"n" * size, form=form))
        for length in (1 << 63, (1 << 64) - 1, 1 << 63 | 5):
            name = f"{NAMES[opcode]} with length {length:#x}"
            yield wrong(name, "5.2", before + frame(opcode, b"12345", form=64, length=length))
    yield wrong("a length in 16 bits that needs none, header alone", "5.2", frame(TEXT, form=16, length=125))
    yield wrong("a length in 64 bits that needs 16, header alone", "5.2", frame(TEXT, form=64, length=65535))
    for size in (0, 1, 2, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537):
        data = bytes(i * 7 & 127 for i in range(size))
        yield one(f"text of {size}", "5.2", frame(TEXT, data), text(data))
        yield one(f"binary of {size}", "5.2", frame(BINARY, data[::-1]), binary(data[::-1]))


# Messages: RFC 6455 5.4, 5.5.


def fragments():
    for fin, data in itertools.product((True, False), (b"", b"x")):
        name = f"continuation of {len(data)}, FIN {fin:d}"
        yield wrong(f"{name}, first of all", "5.4", frame(CONT, data, fin=fin))
        yield one(f"{name}, after a message", "5.4", X + frame(CONT, data, fin=fin), text("x"), closed(1002))
        sent = split(b"xy") + frame(CONT, data, fin=fin)
        yield one(f"{name}, after fragments", "5.4", sent, text("xy"), closed(1002))
        for opcode in (TEXT, BINARY):
            name = f"{NAMES[opcode]} of {len(data)}, FIN {fin:d}, inside a message"
            yield wrong(name, "5.4", START + frame(opcode, data, fin=fin))
            yield wrong(f"{name} of three", "5.4", START + frame(CONT, b"b", fin=False) + frame(opcode, data, fin=fin))
            yield wrong(f"{name} begun empty", "5.4", frame(BINARY, fin=False) + frame(opcode, data, fin=fin))
    yield wrong("a new text inside a message, header alone", "5.4", START + frame(TEXT, length=5))
    hello, empty = "héllo, wörld".encode(), frame(CONT, fin=False)
    yield one("text byte by byte", "5.4", split(hello), text(hello))
    yield one("binary byte by byte", "5.4", split(hello, BINARY), binary(hello))
    yield one("empty fragments between", "5.4", split(hello, between=empty * 3), text(hello))
    yield one("only empty fragments", "5.4", frame(TEXT, fin=False) + empty * 5 + frame(CONT), text(""))
    yield one("two fragmented messages", "5.4", split(hello) + split(b"\xff\0", BINARY), text(hello), binary(b"\xff\0"))
    yield one("ten messages", "5.4", X * 10, *[text("x")] * 10)
    big = b"0123456789abcdef" * 65536
    pieces = split(big, BINARY, at=300_000)
    yield one("1 MiB in two fragments", "5.4", pieces, binary(big), pieces=False)
    sent = frame(TEXT, big) + frame(PING, b"!")
    yield one("1 MiB, then a ping", "5.5.2", sent, text(big), pong(b"!"), pieces=False)


def pings():
    for size in (0, 1, 2, 124, 125):
        data = bytes(range(255, 255 - size, -1))
        yield one(f"ping of {size}", "5.5.2", frame(PING, data), pong(data))
        yield one(f"unsolicited pong of {size}", "5.5.3", frame(PONG, data) + X, text("x"))
    # Of several pings only the last one's answer is due: what is listed first may be left out.
    yield one("two pings", "5.5.3", frame(PING, b"1") + frame(PING, b"2"), pong(b"1"), pong(b"2"))
    flood = [b"%d" % i for i in range(300)]
    yield one("300 pings", "5.5.3", b"".join(frame(PING, p) for p in flood), *map(pong, flood), pieces=False)
    yield one("ping, text", "5.5.2", frame(PING, b"p") + X, pong(b"p"), text("x"))
    yield one("text, ping", "5.5.2", X + frame(PING, b"p"), text("x"), pong(b"p"))
    both = frame(PING, b"p") + frame(PONG, b"q")
    yield one("ping and pong between fragments", "5.5", split(b"hello", between=both), *[pong(b"p")] * 4, text("hello"))
    steps = [(START, ()), (frame(PING, b"p"), [pong(b"p")]), (frame(CONT, b"b"), [text("ab")])]
    yield Case("ping between fragments is answered before the message ends", "5.5.2", steps)
    cut = frame(TEXT, b"half a frame")
    steps = [(cut[:9], ()), (cut[9:] + frame(PING, b"p"), [text("half a frame"), pong(b"p")])]
    yield Case("a frame in two halves, then a ping", "5.5.2", steps)
    looks = frame(PING, b"p") + close(1000) + frame(TEXT, b"no")
    yield one("frames inside a payload are data", "5.2", frame(BINARY, looks) + X, binary(looks), text("x"))
    yield one("a pong inside a message of another kind", "5.5.3", START + frame(PONG) + frame(CONT, b"b"), text("ab"))


# UTF-8: RFC 6455 8.1.

BAD = {
    "lone continuation": ("80", "bf", "80bf"),
    "overlong": ("c080", "c0af", "c1bf", "e08080", "e09fbf", "f0808080", "f08fbfbf"),
    "surrogate": ("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbfbf", "eda080edb080", "edafbfedbfbf"),
    "above U+10FFFF": ("f4908080", "f5808080", "f7bfbfbf"),
    "five or six bytes": ("f888808080", "fc8480808080", "fe", "ff", "feff"),
    "cut by ASCII": ("c328", "e228", "e28228", "f028", "f09f28", "f09f9228"),
    "cut by a lead byte": ("c3c3a9", "e282e282ac", "f09f92f09f9280"),
}
# The first bytes after which nothing could make the text good.
EARLIEST = ("80", "bf", "c0", "c1", "e080", "e09f", "eda0", "edbf", "f080", "f08f", "f490", "f4bf", "f5", "f8", "ff")
CUT = ("c3", "df", "e0", "e0a0", "e2", "e282", "ed9f", "ef", "efbf", "f0", "f09f", "f09f92", "f4", "f48f", "f48fbf")
GOOD = ("00", "7f", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbe", "efbfbf", "efbbbf", "f0908080", "f48fbfbf")
MIXED = "κόσμε é ñ 漢字 ไทย हिन्दी 👩‍👩‍👧 ".encode() * 8


def utf8():
    bad = [(name, bytes.fromhex(one)) for name, many in BAD.items() for one in many]
    for name, data in bad:
        name = f"{name} {data.hex()}"
        yield wrong(name, "8.1", frame(TEXT, data), 1007)
        yield wrong(f"{name} after ASCII", "8.1", frame(TEXT, b"0123456789" * 7 + data + b"tail"), 1007)
        yield wrong(f"{name} after many scripts", "8.1", frame(TEXT, MIXED + data), 1007)
        yield wrong(f"{name} in fragments", "8.1", split(b"ab" + data + b"c"), 1007)
        yield wrong(f"{name} after pings in a sequence", "8.1", split(data + b"c", between=frame(PONG)), 1007)
        yield wrong(f"{name}, reason", "5.5.1", close(1000, b"bye " + data), 1007)
        yield wrong(f"{name}, unfinished frame", "8.1", frame(TEXT, b"ok " + data, length=100), 1007)
        yield wrong(f"{name}, first fragment", "8.1", frame(TEXT, b"ok " + data, fin=False), 1007)
        yield one(f"{name} in binary", "5.6", frame(BINARY, data), binary(data))
    for data in map(bytes.fromhex, EARLIEST):
        name = f"{data.hex()} can't become good"
        yield wrong(f"{name}, unfinished frame", "8.1", frame(TEXT, data, length=9), 1007)
        yield wrong(f"{name}, far from the end", "8.1", frame(TEXT, MIXED + data, length=60_000), 1007)
        yield wrong(f"{name}, first fragment", "8.1", frame(TEXT, b"a" + data, fin=False), 1007)
        steps = [(frame(TEXT, data[:1], fin=False), ()), (frame(CONT, data[1:], length=70), [closed(1007)])]
        yield Case(f"{name}, over two fragments", "8.1", steps) if data[1:] else wrong(
            f"{name}, second fragment", "8.1", frame(TEXT, b"a", fin=False) + frame(CONT, data, length=70), 1007
        )
    for data in map(bytes.fromhex, CUT):
        name = f"{data.hex()} at the end"
        yield wrong(name, "8.1", frame(TEXT, data), 1007)
        yield wrong(f"{name} after text", "8.1", frame(TEXT, MIXED + data), 1007)
        yield wrong(f"{name} of fragments", "8.1", split(b"ab" + data), 1007)
        yield wrong(f"{name} before an empty last fragment", "8.1", frame(TEXT, data, fin=False) + frame(CONT), 1007)
        yield wrong(f"{name} of a fragment, then ASCII", "8.1", split(data + b" ", at=len(data)), 1007)
        yield wrong(f"{name} of a reason", "5.5.1", close(1000, b"bye" + data), 1007)
    for data in map(bytes.fromhex, GOOD):
        yield one(f"{data.hex()} is good", "8.1", frame(TEXT, data), text(data))
        sent = split(b"a" + data + b"z", between=frame(PING, b"!"))
        expect = [text(b"a" + data + b"z"), *[pong(b"!")] * (len(data) + 1)]
        yield one(f"{data.hex()} is good in fragments", "8.1", sent, *expect)
        yield one(f"{data.hex()} is good in a reason", "5.5.1", close(1000, data), closed(1000))
    yield one("many scripts", "8.1", frame(TEXT, MIXED), text(MIXED))
    sent = frame(TEXT, b"\xce", fin=False) + frame(PING, b"\xff") + frame(CONT, b"\xba")
    yield one("a ping that is not text inside a sequence", "8.1", sent, pong(b"\xff"), text("κ"))


# Closing: RFC 6455 5.5.1, 7.


def closing():
    yield one("close without a code", "5.5.1", close(), closed(None, 1000))
    for byte in (b"\0", b"\3", b"\xff"):
        yield wrong(f"close of one byte {byte.hex()}", "5.5.1", frame(CLOSE, byte))
    refused = (0, 1, 16, 125, 500, 998, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2500, 2998, 2999)
    for code in (*refused, 5000, 5001, 9999, 32768, 65534, 65535):
        yield wrong(f"close code {code}", "7.4", close(code))
        yield wrong(f"close code {code} with a reason", "7.4", close(code, b"reason"))
    for code in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3001, 3999, 4000, 4001, 4999):
        yield one(f"close code {code}", "7.4", close(code), closed(code))
        yield one(f"close code {code} with a reason", "7.4", close(code, "naïve".encode()), closed(code))
    yield one("close with the longest reason", "5.5", close(1000, b"r" * 123), closed(1000))
    yield one("close with the longest reason, all of 3 bytes", "5.5", close(1000, "漢".encode() * 41), closed(1000))
    yield one("close inside a message", "5.5", START + close(1001), closed(1001))
    sent = frame(TEXT, b"\xc3", fin=False) + close(1000)
    yield one("close inside a message, in a sequence", "5.5", sent, closed(1000))
    after = {"text": X, "ping": frame(PING, b"p"), "close": close(1001), "reserved opcode": frame(3)}
    after |= {"unmasked text": frame(TEXT, b"u", key=None), "zeros": bytes(100), "1 MiB": frame(BINARY, bytes(1 << 20))}
    after |= {"4 MiB of noise": os.urandom(4 << 20), "a broken close": frame(CLOSE, b"x")}
    for name, more in after.items():
        yield one(f"{name} after close", "5.5.1", close(1000) + more, closed(1000), pieces=len(more) < 400)
        yield one(f"{name} after a violation", "7.1.7", frame(3) + more, closed(1002), pieces=len(more) < 400)
        yield wrong(f"{name} after bad UTF-8", "7.1.7", frame(TEXT, b"\xff") + more, 1007, pieces=len(more) < 400)
    yield one("the answer goes before the close", "7.1.2", X + close(3000), text("x"), closed(3000))


# The limit on messages.


def limits(limit):
    for size in (limit + 1, 1 << 30, 1 << 32, (1 << 63) - 1):
        if size > limit:
            for opcode in (TEXT, BINARY):
                yield wrong(f"{NAMES[opcode]} of {size} announced", "7.4.1", frame(opcode, length=size), 1009)
            yield wrong(f"continuation up to {size} announced", "7.4.1", START + frame(CONT, length=size - 1), 1009)

    # Long ones are made when their turn comes.
    def long(name, steps):
        return Case(name, "7.4.1", steps, pieces=False)

    half, over = limit // 2, [closed(1009)]
    data = functools.lru_cache(lambda: (b"0123456789abcdef" * (limit // 16 + 1))[:limit])
    begin = functools.lru_cache(lambda: frame(BINARY, bytes(half), fin=False))
    rest = functools.lru_cache(lambda: frame(CONT, bytes(limit - half), fin=False) + frame(CONT, fin=False) * 3)
    behind = frame(BINARY, bytes(8 << 20), length=limit + (9 << 20))
    yield long("over the limit, with 8 MiB of payload behind it", lambda: [(behind, over)])
    more = frame(CONT, length=limit - half + 1)
    yield long("over the limit by the second fragment", lambda: [(begin() + more, over)])
    yield long("over the limit by one byte", lambda: [(begin() + rest() + frame(CONT, b"x"), over)])
    yield long("binary at the limit", lambda: [(frame(BINARY, data()), [binary(data())])])
    yield long("text at the limit, in fragments", lambda: [(split(data(), at=limit // 3), [text(data())])])


# permessage-deflate: RFC 7692.

PMD = "permessage-deflate"


def packed(payload, opcode=TEXT, rsv=4, **options):
    return frame(opcode, payload, rsv=rsv, **options)


def compression():
    case = functools.partial(one, offer=PMD)
    bad = functools.partial(wrong, offer=PMD)
    tale = ("Compress me, compress me, " * 20).encode()
    z = deflate(tale)
    h = bytes.fromhex
    yield case("the RFC's Hello", "7692 7.2.3.1", packed(h("f248cdc9c90700")), text("Hello"))
    sent = packed(h("f248cd"), fin=False) + frame(CONT, h("c9c90700"))
    yield case("the RFC's Hello in fragments", "7692 7.2.3.1", sent, text("Hello"))
    yield case("the RFC's stored block", "7692 7.2.3.3", packed(h("000500faff48656c6c6f00")), text("Hello"))
    final = packed(h("f348cdc9c9070000"))
    yield case("the RFC's block with BFINAL", "7692 7.2.3.4", final, text("Hello"))
    yield case("twice the block with BFINAL", "7692 7.2.3.4", final * 2 + packed(z), *[text("Hello")] * 2, text(tale))
    yield case("the RFC's two blocks", "7692 7.2.3.5", packed(h("f24805000000ffffcac9c90700")), text("Hello"))
    yield case("empty", "7692 7.2.3.6", packed(b"\0") + packed(b"\0", BINARY), text(""), binary(b""))
    yield case("text", "7692 7.2.2", packed(z), text(tale))
    yield case("binary", "7692 7.2.2", packed(z, BINARY), binary(tale))
    yield case("uncompressed on a compressed connection", "7692 6", frame(TEXT, tale) + packed(z), *[text(tale)] * 2)
    sent = frame(BINARY, tale, fin=False) + frame(CONT, tale)
    yield case("uncompressed in fragments", "7692 6", sent, binary(tale * 2))
    parts = [packed(z[:1], fin=False), *(frame(CONT, z[i : i + 1], fin=False) for i in range(1, len(z))), frame(CONT)]
    yield case("fragments of one byte", "7692 6.1", b"".join(parts), text(tale))
    sent = frame(PING, b"p").join(parts[:3]) + b"".join(parts[3:])
    yield case("pings between compressed fragments", "7692 6.1", sent, *[pong(b"p")] * 2, text(tale))
    yield case("all of level 0", "7692 7.2.1", packed(deflate(tale, level=0)), text(tale))
    noise = os.urandom(100_000)
    yield case("100 kB of noise", "7692 7.2.1", packed(deflate(noise), BINARY), binary(noise), pieces=False)
    first = packed(z, fin=False)
    yield bad("RSV1 on a continuation", "7692 6.1", packed(z[:9], fin=False) + frame(CONT, z[9:], rsv=4))
    yield bad("RSV1 on the continuation only", "7692 6.1", frame(TEXT, b"x", fin=False) + frame(CONT, z, rsv=4))
    for opcode in (CLOSE, PING, PONG):
        yield bad(f"RSV1 on {NAMES[opcode]}", "7692 6.1", frame(opcode, b"\3\xe8", rsv=4))
        yield bad(f"RSV1 on an empty {NAMES[opcode]} inside a message", "7692 6.1", first + frame(opcode, rsv=4))
    for rsv in (1, 2, 3, 5, 6, 7):
        yield bad(f"RSV {rsv:03b}, compression agreed", "5.2", frame(TEXT, z, rsv=rsv))
    yield bad("a new message inside a compressed one", "5.4", first + packed(z))
    broken = {"block type 3": "06", "block type 3 after text": "f248cdc9c907000000ffff06"}
    broken |= {"stored lengths differ": "000500fafe48656c6c6f", "distance too far": FAR}
    broken |= {"too many codes": "fc" + "ff" * 12, "an impossible tree": CROWDED}
    for name, data in broken.items():
        yield bad(f"broken: {name}", "7692 7.2.2", packed(h(data)), 1007)
        yield bad(f"broken: {name}, in a fragment", "7692 7.2.2", packed(h(data), fin=False) + frame(CONT), 1007)
    for data in (b"\xff", b"ok \xc0\x80", b"\xed\xa0\x80", MIXED + b"\xf4\x90\x80\x80", MIXED + b"\xe2\x82", b"\xc3"):
        name = f"inflated bad UTF-8 {data[-4:].hex()}"
        yield bad(name, "8.1", packed(deflate(data)), 1007)
        yield case(f"{name}, after a good one", "8.1", packed(z) + packed(deflate(data)), text(tale), closed(1007))
        yield case(f"{name}, binary", "5.6", packed(deflate(data), BINARY), binary(data))
        half = deflate(data)
        sent = packed(half[: len(half) // 2], fin=False) + frame(CONT, half[len(half) // 2 :])
        yield bad(f"{name}, in fragments", "8.1", sent, 1007)
    yield case("compressed bytes that are no UTF-8 are fine", "8.1", packed(deflate(MIXED)), text(MIXED))


def block(bits):
    bits = bits.replace(" ", "")
    return bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8)).hex()


# With fixed codes: the literal `a`, then three bytes from a distance of 4.
FAR = block("0 10 10010001 0000001 00011 0000000")
# With codes of its own, whose code lengths have 19 codes of one bit.
CROWDED = block("0 01 00000 00000 1111" + "100" * 19)


def bombs(limit):
    def long(name, make, *expect):
        return Case(name, "7.4.1", lambda: [(make(), expect)], PMD, False)

    bomb = functools.lru_cache(lambda: deflate(bytes(limit + 1)))
    yield long("a bomb of one byte too many", lambda: packed(bomb(), BINARY), closed(1009))
    yield long("a bomb of text", lambda: packed(deflate(b"a" * (limit + 1))), closed(1009))
    late = lambda: packed(bomb(), BINARY, fin=False) + frame(PING, b"x") + frame(CONT)
    yield long("a bomb that ends in another frame", late, pong(b"x"), closed(1009))
    noise = os.urandom(limit)
    yield long("inflates to the limit, and was longer", lambda: packed(deflate(noise), BINARY), binary(noise))
    yield long("inflates to the limit", lambda: packed(deflate(bytes(limit)), BINARY), binary(bytes(limit)))


# Negotiation: RFC 6455 9.1, RFC 7692 7.1.

INVALID = [f"; {p}" for p in ("foo", "foo=1", "server_no_context_takeover=1", 'client_no_context_takeover="true"')]
INVALID += ["; server_max_window_bits", "; server_no_context_takeover=0"]
INVALID += [f"; {name}" * 2 for name in ("server_no_context_takeover", "client_no_context_takeover")]
INVALID += [f"; {name}" * 2 for name in ("client_max_window_bits", "server_max_window_bits=10")]
INVALID += ["; client_max_window_bits; client_max_window_bits=10"]
INVALID += ["; server_max_window_bits=9; server_max_window_bits=10"]
_numbers = ("7", "16", "08", "015", "0", "00", "1", "10.0", "-10", "+10", "0xa", "abc", "266", "4294967306", '"7"', '"016"')
INVALID += [f"; {side}_max_window_bits={n}" for n in _numbers for side in ("server", "client")]
VALID = ["", "; client_max_window_bits", "; server_no_context_takeover", "; client_no_context_takeover"]
VALID += ["; client_max_window_bits; server_max_window_bits=10"]
VALID += [";server_no_context_takeover;client_no_context_takeover"]
VALID += ["  ;  client_max_window_bits = 12 ;\tserver_no_context_takeover", '; client_max_window_bits="1\\0"']
VALID += [VALID[5] + "; server_max_window_bits=9; client_max_window_bits=9"]
_numbers = (9, 10, 11, 12, 13, 14, 15, '"10"', '"15"')
VALID += [f"; {side}_max_window_bits={n}" for n in _numbers for side in ("server", "client")]
FOREIGN = ["x-webkit-deflate-frame", "permessage-bzip2", "permessage-deflate2", "foo; bar=1; baz"]
MALFORMED = [";", "permessage-deflate;", "permessage-deflate; =1", "permessage-deflate; client_max_window_bits="]
MALFORMED += ['permessage-deflate; client_max_window_bits="10', "permessage-deflate permessage-deflate", "perm@ssage"]


def windows():
    """Repeats at growing distances: an inflater whose window is smaller than the deflater's notices."""
    block = os.urandom(64)
    return b"".join(block + os.urandom(gap) for gap in (100, 300, 700, 1500, 3000, 6000, 12000, 20000))


def offers():
    """(name, Sec-WebSocket-Extensions lines, is permessage-deflate accepted; None: as the server likes)"""
    for p in VALID:
        yield PMD + p, [PMD + p], True
        yield f"declinable first, then {PMD + p}", [f"foo, {PMD}; foo, {PMD + p}"], True
    for p in INVALID:
        yield PMD + p, [PMD + p], False
        yield f"{PMD}{p}, then a good one", [f"{PMD}{p}, {PMD}"], True
    for side in ("server", "client"):
        yield f"{side} window of 8", [f"{PMD}; {side}_max_window_bits=8"], True if side == "client" else None
    for name in FOREIGN:
        yield name, [name], False
        yield f"{name}, then a good one", [f"{name}, {PMD}"], True
        yield f"{name} and a good one in two lines", [name, PMD], True
    choice = f"{PMD}; client_max_window_bits; server_max_window_bits=10, {PMD}; client_max_window_bits"
    yield "a choice of the RFC", [choice], True
    yield "the same offer twice", [f"{PMD}, {PMD}"], True


def negotiate(lines, accepted, conn):
    _, agreed = conn.accepted(lines)
    if accepted is not None and (agreed is not None) != accepted:
        raise Bad("the offer is accepted" if agreed is not None else "the offer is declined")
    data = windows()
    for message in (data, data, b"abc" * 100, data[::-1]):
        sent = packed(conn.compress(message), BINARY) if agreed is not None else frame(BINARY, message)
        exchange(conn, sent, [binary(message)], pieces=False)
    finish(conn)


# The opening handshake: RFC 6455 4.2.1, RFC 9112.


def works(conn, **options):
    conn.accepted(**options)
    exchange(conn, X, [text("x")], pieces=False)
    finish(conn)


def pipelined(conn):
    conn.accepted()
    exchange(conn, b"", [text("x"), text("x"), pong(b"p")])
    finish(conn)


def second(conn):
    """It is no frame."""
    conn.accepted()
    exchange(conn, b"", [closed(1002)])


def drained(sent, code, conn):
    """After its close frame and its end the server reads on, or a reset could overtake what it said (7.1.1)."""
    conn.accepted()
    exchange(conn, sent, [closed(code)], pieces=False)
    for _ in range(10):
        try:
            conn.socket.sendall(bytes(16384))
        except OSError as e:
            raise Bad(f"what follows is not read: {e}") from None
        time.sleep(0.02)


def version(conn):
    answer = conn.refused({426}).get("sec-websocket-version", "")
    if "13" not in [one.strip() for one in answer.split(",")]:
        raise Bad(f"Sec-WebSocket-Version: {answer}")


def select(supported, asked, conn):
    both = set(supported) & set(asked)
    protocol, _ = conn.accepted(protocols=both)
    if both and protocol is None:
        raise Bad("no subprotocol is selected")
    exchange(conn, X, [text("x")], pieces=False)
    finish(conn)


def handshakes(host, have, supported):
    ask = functools.partial(request, host)
    good = lambda name, section, sent: Shake(name, section, sent, works)
    bad = lambda name, section, sent, *statuses: Shake(name, section, sent, set(statuses or [400]))
    yield good("the RFC's sample key", "1.3", ask())
    for nonce in ("AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "x3JJHMbDL1EzLkh9GBhXDw=="):
        accept = functools.partial(works, accept=ws_wire.accept_of(nonce))
        yield Shake(f"key {nonce}", "4.2.2", ask(Sec_WebSocket_Key=nonce), accept)
    yield Shake("frames right behind the request", "4.1", ask() + X * 2 + frame(PING, b"p"), pipelined)
    for name, sent, code in ("a violation", frame(3), 1002), ("too long", frame(TEXT, length=1 << 40), 1009):
        check = functools.partial(drained, sent, code)
        yield Shake(f"{name}, and then the rest of it", "7.1.1", ask(), check, False)
    for value in ("WebSocket", "WEBSOCKET", "h2c, websocket", "websocket "):
        yield good(f"Upgrade: {value}", "4.2.1", ask(Upgrade=value))
    lines = ["keep-alive", "Upgrade"]
    for value in ("upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive", " keep-alive ,\tupgrade ", lines):
        yield good(f"Connection: {value}", "4.2.1", ask(Connection=value))
    yield good("field names in capitals", "4.2.1", ask().replace(b"Sec-WebSocket-", b"SEC-WEBSOCKET-"))
    small = re.sub(rb"(?m)^[\w-]+:", lambda name: name[0].lower(), ask())
    yield good("field names in small letters", "4.2.1", small)
    yield good("no space after colons", "9112 5", ask().replace(b": ", b":"))
    yield good("space around values", "9112 5", ask(Sec_WebSocket_Key=f"  {NONCE}\t ", Sec_WebSocket_Version=" 13 "))
    many = [f"X-Field-{i}: {i}" for i in range(20)] + ["Cookie: " + "c" * 4000, "X-Latin: caf\xe9", "X-Empty:"]
    yield good("20 fields more, 4 kB of cookies", "4.2.1", ask(lines=many))
    yield good("Origin and a query", "4.2.1", ask("GET /a?b=c&d HTTP/1.1", Origin="http://example.com"))
    yield good("a target in absolute form", "9112 3.2.2", ask(f"GET http://{host}/chat HTTP/1.1"))
    yield bad("no Host", "4.2.1", ask(Host=None))
    yield bad("two Hosts", "9112 3.2", ask(Host=[host, host]))
    yield bad("no Upgrade", "4.2.1", ask(Upgrade=None), 400, 426)
    for value in ("h2c", "websocketx", "web socket", ""):
        yield bad(f"Upgrade: {value}", "4.2.1", ask(Upgrade=value), 400, 426)
    yield bad("no Connection", "4.2.1", ask(Connection=None), 400, 426)
    for value in ("keep-alive", "close", "Upgrades", "keep-alive Upgrade", ""):
        yield bad(f"Connection: {value}", "4.2.1", ask(Connection=value), 400, 426)
    yield bad("no key", "4.2.1", ask(Sec_WebSocket_Key=None))
    short, long = "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA="
    keys = ("", "AA==", short, long, NONCE[:-1], NONCE[:-2], NONCE[:-4] + "!Q==", NONCE[:-1] + "A")
    for key in (*keys, NONCE * 2, NONCE + "=", f"{NONCE}, {NONCE}", "=" * 24):
        yield bad(f"key {key!r}", "4.2.1", ask(Sec_WebSocket_Key=key))
    yield bad("two keys", "11.3.1", ask(Sec_WebSocket_Key=[NONCE] * 2))
    for value in ("0", "8", "7", "12", "14", "25", "255"):
        yield Shake(f"version {value}", "4.4", ask(Sec_WebSocket_Version=value), version)
    yield bad("no version", "4.2.1", ask(Sec_WebSocket_Version=None), 400, 426)
    for value in ("", "abc", "013", "13.0", "+13", "-13", "256", "269", ["13", "13"], ["12", "13"]):
        yield bad(f"version {value}", "4.2.1", ask(Sec_WebSocket_Version=value), 400, 426)
    for method in ("POST", "PUT", "HEAD", "OPTIONS", "DELETE", "get"):
        yield bad(f"method {method}", "4.1", ask(f"{method} /chat HTTP/1.1"), 400, 405, 501)
    for version_ in ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.", "HTTP/11", "http/1.1", "ICY/1.1"):
        yield bad(version_, "4.1", ask(f"GET /chat {version_}"), 400, 505)
    yield bad("no version of HTTP", "9112 3", ask("GET /chat"), 400, 505)
    yield bad("no target", "9112 3", ask("GET HTTP/1.1"))
    yield bad("a space in the target", "9112 3", ask("GET /a b HTTP/1.1"))
    yield bad("a space before the method", "9112 3", ask(" GET /chat HTTP/1.1"))
    yield bad("a TLS hello", "9112 2.2", b"\x16\x03\x01\0\xa5\1\0\0\xa1\3\3" + bytes(40) + b"\r\n\r\n")
    yield bad("a frame instead of a request", "9112 2.2", X + b"\r\n\r\n")
    # What waits for an answer itself gets one, and no time to wait in.
    for line in (b"SSH-2.0-OpenSSH_9.6\r\n", b"EHLO a\r\n", b"GET /\r\n", b"*1\r\n", b"PROXY UNKNOWN\r\n", X):
        yield bad(f"{line!r} and no more", "9112 3", line)
    # A page can put a handshake into what it posts.
    yield bad("a handshake in the body of a request", "9112 9.3", ask("POST / HTTP/1.1", Content_Length=500) + ask(), 405)
    yield bad("a second request behind one that is refused", "9112 9.3", ask(Host=None) + ask())
    yield Shake("a second request behind a good one", "4.1", ask() + ask(), second)
    for n, line in {
        "an obsolete fold": "X-Fold: a\r\n b",
        "a fold by tab": "X-Fold: a\r\n\tb",
        "a space before the colon": "X-Space : a",
        "a tab before the colon": "X-Tab\t: a",
        "a space in the name": "X Space: a",
        "an empty name": ": a",
        "no colon": "nonsense",
        "a bracket in the name": "X(y): a",
        "a byte above ASCII in the name": "X-\xe9: a",
        "NUL in the name": "X-\0: a",
        "NUL in a value": "X-Nul: a\0b",
        "a bare CR in a value": "X-Cr: a\rb",
        "a bare CR before CR LF": "X-Cr: a\r",
        "a bare LF as line end": "X-Lf: a\nX-More: b",
        "a bare CR as line end": "X-Cr: a\rX-More: b",
        "a blank line of LF": "X-Lf: a\n",
    }.items():
        yield bad(n, "9112 5", ask(lines=[line]))
        yield bad(f"{n}, early", "9112 5", ask(f"GET /chat HTTP/1.1\r\n{line}"))
    yield bad("the first field is folded", "9112 2.2", ask("GET /chat HTTP/1.1\r\n X-First: a"))
    yield bad("only LF", "9112 2.2", ask().replace(b"\r\n", b"\n"))
    yield bad("a field of 256 KiB", "9110 5.4", ask(lines=["X-Long: " + "x" * (256 << 10)]), 431)
    yield bad("an endless field", "9110 5.4", ask()[:-2] + b"X-Long: " + b"x" * (256 << 10), 431)
    yield bad("a name of 256 KiB", "9110 5.4", ask(lines=["x" * (256 << 10)]), 431)
    yield bad("2000 fields", "6585 5", ask(lines=["a:"] * 2000), 431)
    yield bad("20000 fields, endless", "6585 5", ask(lines=[f"f{i}: v" for i in range(20000)])[:-2], 431)
    yield bad("a target of 256 KiB", "9112 3", ask("GET /" + "t" * (256 << 10) + " HTTP/1.1"), 414, 431)
    for name, lines, accepted in offers():
        check = functools.partial(negotiate, lines, accepted and have)
        yield Shake(name, "7692 7.1", ask(Sec_WebSocket_Extensions=lines), check, False)
    for value in MALFORMED:
        yield Shake(f"extensions {value}", "9.1", ask(Sec_WebSocket_Extensions=value), malformed)
    some = supported or ["chat"]
    asks = [[*some], [*some[::-1]], some[-1:], ["none", "x", some[0]], ["none"], [some[0].swapcase()], []]
    for asked in asks:
        check = functools.partial(select, supported, asked)
        yield Shake(f"subprotocols {asked}", "4.2.2", ask(Sec_WebSocket_Protocol=", ".join(asked) or None), check)
        yield Shake(f"subprotocols {asked} in lines", "11.3.4", ask(Sec_WebSocket_Protocol=asked), check)
    for value in ("", "a b", "(x)", "caf\xe9", ",,"):
        yield Shake(f"subprotocols {value!r}", "4.1", ask(Sec_WebSocket_Protocol=value), malformed)


def malformed(conn):
    """A list that breaks the grammar: refused, or as if it were not there."""
    try:
        conn.accepted()
    except Bad as e:
        if str(e) != "status 400":
            raise
        return
    finish(conn)


# Running.


def show(answer):
    if answer[0] == CLOSE:
        codes = answer[1] if isinstance(answer[1], tuple) else answer[1:2]
        return f"close {' or '.join(str(code) for code in codes)}"
    data = answer[1]
    return f"{NAMES[answer[0]]}[{len(data)}] {data[:24].hex(' ')}{'..' if len(data) > 24 else ''}"


def exchange(conn, sent, expect, pieces=None):
    """Writes, then reads until all that is expected has come. Pongs may pass messages and be passed by them; of
    several only the last must come (5.5.3)."""
    conn.send(sent, pieces)
    data, pongs = [e for e in expect if e[0] != PONG], [e for e in expect if e[0] == PONG]
    while data or pongs:
        try:
            got = conn.read()
        except Bad as e:
            raise Bad(f"expected {show((data + pongs)[0])}, got: {e}") from None
        if got[0] == PONG and got in pongs:
            del pongs[: pongs.index(got) + 1]
        elif got[0] == CLOSE and data and data[0][0] == CLOSE and got[1] in data[0][1]:
            return conn.end()
        elif data and got == data[0]:
            del data[0]
        else:
            raise Bad(f"expected {show((data + pongs)[0])}, got {show(got)}")


def finish(conn):
    exchange(conn, close(1000), [closed(1000)])


def run_case(address, case, pieces):
    with Conn(address, pieces) as conn:
        conn.open(case.offer)
        steps = case.steps() if callable(case.steps) else case.steps
        for sent, expect in steps:
            exchange(conn, sent, expect)
        if not any(one[0] == CLOSE for one in steps[-1][1]):
            finish(conn)


def run_shake(address, shake, pieces):
    with Conn(address, pieces) as conn:
        conn.send(shake.sent)
        if callable(shake.expect):
            shake.expect(conn)
        else:
            conn.refused(shake.expect)


def run(address, started, job):
    case, pieces = job
    if time.monotonic() - started > BUDGET:
        return "not run: out of time"
    try:
        (run_shake if isinstance(case, Shake) else run_case)(address, case, pieces)
    except (Bad, OSError) as e:
        return str(e)
    return None


def table(options):
    host = f"{options.address[0]}:{options.address[1]}"
    groups = [masks(), reserved(), controls(), lengths(), fragments(), pings(), utf8(), closing()]
    groups += [limits(options.limit)]
    if options.deflate:
        groups += [compression(), bombs(options.limit)]
    yield from itertools.chain(*groups)
    yield from handshakes(host, options.deflate, options.protocols)


def kinds(accepted):
    name, opcode, other = ("text", TEXT, BINARY) if accepted == "binary" else ("binary", BINARY, TEXT)
    for size in (0, 1, 125, 126, 65536):
        yield wrong(f"{name} of {size}", "7.4.1", frame(opcode, b"x" * size), 1003)
    yield wrong(f"{name} that is not UTF-8", "7.4.1", frame(opcode, b"\xff"), 1003)
    yield wrong(f"a first fragment of {name}", "7.4.1", frame(opcode, b"x", fin=False), 1003)
    yield wrong(f"{name}, header alone", "7.4.1", frame(opcode, length=9), 1003)
    yield wrong(f"{name} after a good message", "7.4.1", frame(other, b"x") + frame(opcode, b"x"), 1003)
    yield one(f"{name} after a ping", "7.4.1", frame(PING, b"p") + frame(opcode), pong(b"p"), closed(1003))
    yield wrong(f"{name} inside a message", "5.4", frame(other, b"x", fin=False) + frame(opcode, b"x"), 1002)
    yield one("good messages", "5.6", frame(other) + frame(other, b"x" * 7000) + split(b"in pieces", other))


def describe(case):
    if isinstance(case, Shake):
        expect = case.expect if isinstance(case.expect, set) else "101"
        return f"{case.name} | {case.section} | {case.sent[:60]!r} | {expect}"
    steps = case.steps() if callable(case.steps) else case.steps
    steps = "; ".join(f"{s[:24].hex(' ')}{'..' if len(s) > 24 else ''} -> {', '.join(map(show, e))}" for s, e in steps)
    return f"{case.name} | {case.section} | {steps}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", type=lambda v: (v.rpartition(":")[0], int(v.rpartition(":")[2])))
    parser.add_argument("--limit", type=int, default=1 << 20, help="at least 1 MiB")
    parser.add_argument("--no-deflate", dest="deflate", action="store_false")
    parser.add_argument("--protocols", type=lambda v: v.split(","), default=[])
    parser.add_argument("--only", default="", help="the cases whose name has this")
    parser.add_argument("--accepts", choices=("text", "binary"), help="the only kind of messages that the server takes")
    parser.add_argument("--deadline", type=float, default=ws_wire.DEADLINE, help="for one answer")
    parser.add_argument("--list", action="store_true", help="print the table, run nothing")
    options = parser.parse_args()
    if options.limit < 1 << 20:
        parser.error("the table's own messages need a limit of 1 MiB")
    ws_wire.DEADLINE = options.deadline
    cases = kinds(options.accepts) if options.accepts else table(options)
    cases = [case for case in cases if options.only in case.name]
    if options.list:
        return print(*map(describe, cases), sep="\n")
    try:
        socket.create_connection(options.address, timeout=options.deadline).close()
    except OSError as e:
        return f"no server at {options.address[0]}:{options.address[1]}: {e}"
    jobs = [(case, pieces) for case in cases for pieces in (False, True) if case.pieces or not pieces]
    started, failed = time.monotonic(), 0
    with ThreadPoolExecutor(8) as pool:
        for (case, pieces), problem in zip(jobs, pool.map(functools.partial(run, options.address, started), jobs)):
            if problem:
                failed += 1
                how = "bytewise" if pieces else "at once"
                print(f"FAILED {case.name}, {how} (RFC {case.section}): {problem}", flush=True)
    print(f"{len(jobs)} cases, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
