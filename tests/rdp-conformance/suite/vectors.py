"""The suite's own layers against the vectors: `runner.py vectors`."""

import json
import os

from . import frames, wire

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vectors")


def load(name):
    with open(os.path.join(HERE, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def plain(value):
    if isinstance(value, dict):
        return {k: v.decode() if k == "name" else plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.hex() if isinstance(value, bytes) else value


def of_frames():
    data = load("frames")
    for v in data["valid"]:
        name, fields = frames.decode(bytes.fromhex(v["frame"]))
        assert plain(fields) == v["fields"] and frames.NUMBER[name] == v["kind"], v["name"]
        assert frames.encode(name, **fields).hex() == v["frame"], v["name"]
        yield v
    for v in data["malformed"]:
        try:
            frames.decode(bytes.fromhex(v["frame"]))
        except frames.Malformed:
            pass
        else:  # the suite's decoder knows lengths, not values
            assert v["effect"] in ("limit", "unexpected", "malformed"), v["name"]
        yield v


def of_messages():
    data = load("messages")
    for v in data["messages"]:
        raw, host, device = (bytes.fromhex(v[k]) for k in ("message", "host_nonce", "device_nonce"))
        good = len(raw) >= 18 and wire.tag(host, device, v["direction"], v["channel"], raw[:8], raw[8:-4]) == raw[-4:]
        assert good == (v["tag"] == "ok"), v["name"]
        yield v
    yield from of_orders(data["order"])
    yield from of_challenges(data["challenges"])


COLUMN_A = ("SetBreakpoint", "Resume", "Step", "Force", "SetAxis")


def of_orders(cases):
    """SPEC 5.6 once more, in as few lines as it takes."""
    for v in cases:
        last, halt, release = [1, -1], -1, -1
        for s in v["steps"]:
            late = (s["arrived"] if s["kind"] in ("Halt", "Release") else s["executed"]) - s["time"]
            before = max(halt if s["kind"] in COLUMN_A else -1, release if s["kind"] in ("Force", "Renew") else -1)
            if s["sequence"] <= last[s["channel"]]:
                got = "replay"
            elif s["time"] > s["arrived"] or max(late, s["arrived"] - s["time"]) * 10 > v["tolerance"]:
                got = "stale"
            else:
                got = "disordered" if s["sequence"] <= before else "new"
            assert got == s["verdict"], (v["name"], s, got)
            last[s["channel"]] = max(last[s["channel"]], s["sequence"])
            if got == "new":
                halt = s["sequence"] if s["kind"] == "Halt" else halt
                release = s["sequence"] if s["kind"] == "Release" else release
        yield v


def of_challenges(cases):
    """SPEC 5.7."""
    for v in cases:
        kept, heard = [], v["agreed"]
        for s in v["steps"]:
            if "sent" in s:
                kept = (kept + [(s["sent"], s["clock"])])[-4:]
            else:
                found = next((i for i, k in enumerate(kept) if k[0] == s["echo"]), None)
                if found is not None:
                    heard, kept = kept[found][1], kept[found + 1:]
                assert heard == s["heard"], (v["name"], s, heard)
        yield v


def of_cobs():
    data = load("cobs")
    for v in data["valid"] + data["accepted"]:
        assert wire.unstuffed(bytes.fromhex(v["encoded"])) == bytes.fromhex(v["packet"]), v["name"]
        yield v
    for v in data["valid"]:
        assert wire.stuffed(bytes.fromhex(v["packet"])).hex() == v["encoded"], v["name"]
    for v in data["invalid"]:
        assert wire.unstuffed(bytes.fromhex(v["encoded"])) is None, v["name"]
        yield v


def of_packets():
    for v in load("packets")["cases"]:
        out = []
        for piece in bytes.fromhex(v["input"]).split(b"\0")[:-1]:
            if len(piece) + 2 > v["mtu"]:
                out.append("Overlong")
            elif piece:
                raw = wire.unstuffed(piece)
                out.append("Frame" if raw is None else wire.parse(raw))
        want = []
        for r in v["results"]:
            p = r.get("packet")
            want.append(r.get("error") or (p["type"], p["channel"], p["retransmissions"], p["connection"],
                                           p["position"], p["payload"]))
        got = [o if isinstance(o, str) else (o.kind, o.channel, o.count, o.connection, o.position, o.payload.hex())
               for o in out]
        assert got == want, (v["name"], got, want)
        yield v


def of_records():
    data = load("records")
    for v in data["streams"]:
        out, rest = [], bytes.fromhex(v["stream"])
        lost = {"lost": True}
        while len(rest) >= 2:
            word = int.from_bytes(rest[:2], "big")
            channel, length = word >> 15, word & 0x7FFF
            if not 18 <= length <= v[f"limit_{channel}"]:
                out, rest = out + [lost], b""
            elif len(rest) >= 2 + length:
                out.append({"channel": channel, "message": rest[2:2 + length].hex()})
                rest = rest[2 + length:]
            else:
                break
        if rest and v["end"]:
            out.append(lost)
        assert out == v["results"], v["name"]
        yield v
    for v in data["serial"]:
        out, rest = [], bytes.fromhex(v["stream"])
        while len(rest) >= 2:
            length = int.from_bytes(rest[:2], "big")
            if not 1 <= length <= v["limit"]:
                out, rest = out + [{"reset": 4}], b""
            elif len(rest) >= 2 + length:
                out, rest = out + [{"message": rest[2:2 + length].hex()}], rest[2 + length:]
            else:
                break
        assert out == v["results"], v["name"]
        yield v


def of_registers():
    names = frames.REGISTERS
    data = load("registers")
    assert data["architectures"][0]["registers"] == names
    for v in data["sets"]:
        if v["architecture"] == 1:
            got = frames.registers_of({"mask": v["mask"], "values": bytes.fromhex(v["values"])})
            assert got == v["registers"]
        yield v
    for v in data["deltas"][:1]:
        known = {}
        for s in v["steps"]:
            for n, value in frames.registers_of({"mask": s["mask"], "values": bytes.fromhex(s["values"])}).items():
                if s["capture"] > known.get(n, (0, 0))[0]:
                    known[n] = s["capture"], value
            assert {n: value for n, (_, value) in known.items()} == s["registers"], s
        yield v


def main():
    for check in (of_cobs, of_packets, of_records, of_messages, of_frames, of_registers):
        print(f"{check.__name__[3:]}.json: {sum(1 for _ in check())} as they should be")
    return 0
