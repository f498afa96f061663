"""Python `websockets` as the client of the echo server.

peer.py PORT on|off [CA]    on: the server has permessage-deflate, and the subprotocols `feedrate` and `chat`; with a CA
                            it has TLS, and its certificate is one of the CA's

Prints a line for each check that fails, then `N passed, N failed`.
"""

import asyncio
import hashlib
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Deflate

TLS = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
URL = f"{'wss' if TLS else 'ws'}://127.0.0.1:{sys.argv[1]}/"
DEFLATE = sys.argv[2] == "on"
LONG = 64 << 20
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 1 << 20)
TEXTS = (
    *("", "x", "Příliš žluťoučký kůň", "Γαζίες καὶ μυρτιὲς", "Широкая электрификация", "עטלף אבק נס דרך מזגן", "صِف خَلقَ خَودِ"),
    *("चींटी चाँदी", "กว่าบรรดาฝูงสัตว์", "視野無限廣", "色は匂へど", "다람쥐 헌 쳇바퀴에", "👨‍👩‍👧‍👦 🧑🏿‍🚀 ❤️‍🔥 🇯🇵", "a\u0308o\u0308 Z\u0351\u036b\u0343"),
    *("\0\1\x7f\x80", "\ufeffBOM", "\ud7ff\ue000\ufffe\uffff", "\U00010000\U0010ffff", '\r\n\t"\\'),
)
COUNTS = [0, 0]


def long_text(size):
    unit = " ".join(TEXTS).encode()
    return (unit * (size // len(unit))).ljust(size, b".").decode()


def digest(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


async def check(name, work):
    try:
        async with asyncio.timeout(40):
            await work
        COUNTS[0] += 1
    except Exception as e:
        COUNTS[1] += 1
        print(f"FAILED Python websockets, {name}: {type(e).__name__} {str(e)[:300]}", flush=True)


def same(got, expected, what):
    if got != expected:
        raise AssertionError(f"{what}: {got!r:.100} instead of {expected!r:.100}")


def opened(**options):
    # No proxy of the environment, no ping of its own, and a limit that lets the longest through.
    always = {"proxy": None, "max_size": None, "ping_interval": None, "open_timeout": 5, "ssl": TLS}
    return connect(URL, **(always | options))


async def echo(ws, sent, expected=None):
    expected = sent if expected is None else expected
    await ws.send(sent)
    got = await ws.recv()
    same(type(got), type(expected), "kind")
    same(len(got), len(expected), "length")
    same(digest(got), digest(expected), "payload")


async def close_with(ws, code, reason):
    await ws.close(code, reason)
    same((ws.protocol.close_rcvd.code, ws.protocol.close_rcvd.reason), (code, reason), "close")


async def texts(options, agreed):
    async with opened(**options) as ws:
        same([e.name for e in ws.protocol.extensions], agreed, "extensions")
        same(ws.subprotocol, None, "subprotocol")
        for one in TEXTS:
            await echo(ws, one)
            await echo(ws, one.encode())
        for one in TEXTS:
            await ws.send(one)
        for one in TEXTS:
            same(await ws.recv(), one, "text")
        await close_with(ws, 1000, "")


async def sizes(options):
    async with opened(**options) as ws:
        for size in SIZES:
            await echo(ws, os.urandom(size))
            await echo(ws, long_text(size))


async def fragments(options):
    async with opened(**options) as ws:
        text = long_text(20_000)
        for size in (1, 7, 1000, 19_000):
            upto = 500 if size == 1 else len(text)
            parts = [text[i : i + size] for i in range(0, upto, size)]
            await echo(ws, parts, text[:upto])
            await echo(ws, [p.encode() for p in parts], text[:upto].encode())
        await echo(ws, ["", "a", "", "", "b", ""], "ab")
        pongs = []

        async def slowly():
            for part in ("one ", "two ", "three"):
                yield part
                pongs.append(await ws.ping())
                await asyncio.wait_for(pongs[-1], 5)

        await echo(ws, slowly(), "one two three")


async def pings():
    async with opened() as ws:
        for size in (0, 1, 125):
            latency = await asyncio.wait_for(await ws.ping(os.urandom(size) if size else b""), 5)
            if not 0 <= latency < 5:
                raise AssertionError(f"latency {latency}")
        many = [await ws.ping(b"%d" % i) for i in range(50)]
        await asyncio.wait_for(many[-1], 5)
        await ws.pong(b"nobody asked")
        await echo(ws, "still there?")


async def long(data):
    async with opened() as ws:
        await echo(ws, data)
        await close_with(ws, 1000, "")


async def refused(message, **options):
    # Not `async with`: its close() fails in asyncio when the connection has ended already.
    ws = await opened(**options)
    try:
        await ws.send(message)
    except Exception:
        # The connection may end under the message; what came before its end counts.
        pass
    await ws.wait_closed()
    same(ws.protocol.close_rcvd and ws.protocol.close_rcvd.code, 1009, "close")


async def closes(code, reason):
    async with opened() as ws:
        await close_with(ws, code, reason)


async def subprotocol(asked, expected):
    async with opened(subprotocols=asked) as ws:
        same(ws.subprotocol, expected, "subprotocol")


async def main():
    agreed = ["permessage-deflate"] if DEFLATE else []
    ways = [("as it comes", {}, agreed), ("compression not offered", {"compression": None}, [])]
    for name, factory in (
        ("no context takeover", Deflate(server_no_context_takeover=True, client_no_context_takeover=True)),
        ("small windows", Deflate(server_max_window_bits=9, client_max_window_bits=9)),
        ("no bounds on the client's window", Deflate(client_max_window_bits=None)),
    ):
        ways.append((name, {"compression": None, "extensions": [factory]}, agreed))
    for name, options, expected in ways:
        await check(f"{name}: texts", texts(options, expected))
        await check(f"{name}: sizes", sizes(options))
        await check(f"{name}: fragments", fragments(options))
    await check("pings", pings())
    # Not noise, which would be longer on the wire than the limit.
    blocks = b"".join(os.urandom(64) * 16 for _ in range(LONG // 1024))
    for data in (blocks, long_text(LONG)):
        await check(f"64 MiB, {type(data).__name__}", long(data))
    await check("one byte over 64 MiB is refused with 1009", refused(bytes(LONG + 1), compression=None))
    if DEFLATE:
        # 80 MiB, in fragments that are small on the wire.
        await check("a decompression bomb is refused with 1009", refused([bytes(16 << 20)] * 5))
    for code in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999):
        for reason in ("", "ошибка 🚧", "r" * 123):
            await check(f"close {code} {reason[:8]}", closes(code, reason))
    known = ((["chat"], "chat"), (["feedrate", "zzz"], "feedrate"), (["zzz", "chat"], "chat"))
    for asked, expected in (*known, (["zzz"], None)):
        await check(f"subprotocols {asked}", subprotocol(asked, expected))
    print(f"{COUNTS[0]} passed, {COUNTS[1]} failed")
    return COUNTS[1] > 0


sys.exit(asyncio.run(main()))
