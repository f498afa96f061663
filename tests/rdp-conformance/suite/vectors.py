"""The suite's own layers against the vectors: `runner.py vectors`."""

import json
import os

from . import wire

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


def frames():
    data = load("frames")
    for v in data["valid"]:
        name, fields = wire.decode(bytes.fromhex(v["frame"]))
        assert plain(fields) == v["fields"] and wire.NUMBER[name] == v["kind"], v["name"]
        assert wire.encode(name, **fields).hex() == v["frame"], v["name"]
        yield v
    for v in data["malformed"]:
        try:
            wire.decode(bytes.fromhex(v["frame"]))
        except wire.Malformed:
            pass
        else:  # the suite's decoder knows lengths, not values
            assert v["effect"] in ("limit", "unexpected", "malformed"), v["name"]
        yield v


def messages():
    for v in load("messages")["messages"]:
        raw, host, device = (bytes.fromhex(v[k]) for k in ("message", "host_nonce", "device_nonce"))
        good = len(raw) >= 19 and wire.tag(host, device, v["direction"], raw[:9], raw[9:-4]) == raw[-4:]
        assert good == (v["tag"] == "ok"), v["name"]
        yield v


def unstuffed(data):
    """COBS; None if it is not valid."""
    out = bytearray()
    while data:
        code, part, data = data[0], data[1:data[0]], data[data[0]:]
        if code == 0 or len(part) != code - 1 or 0 in part:
            return None
        out += part + (b"\0" if code != 255 and data else b"")
    return bytes(out)


def cobs():
    data = load("cobs")
    for v in data["valid"] + data["accepted"]:
        assert unstuffed(bytes.fromhex(v["encoded"])) == bytes.fromhex(v["packet"]), v["name"]
        yield v
    for v in data["invalid"]:
        assert unstuffed(bytes.fromhex(v["encoded"])) is None, v["name"]
        yield v


def packets():
    for v in load("packets")["cases"]:
        data, out = bytes.fromhex(v["input"]), []
        if v["framing"] == "serial":
            for piece in data.split(b"\0")[:-1]:
                if len(piece) + 2 > v["mtu"]:
                    out.append("Overlong")
                elif piece:
                    raw = unstuffed(piece)
                    out.append("Frame" if raw is None else wire.parse(raw))
        while v["framing"] == "stream" and len(data) >= 2:
            length = int.from_bytes(data[:2], "big")
            if not 16 <= length <= 1022:
                out.append("closed")
                break
            if len(data) < 2 + length:
                break
            out.append(wire.parse(data[2:2 + length]))
            data = data[2 + length:]
            if out[-1] in ("Header", "Length"):
                out[-1] = "closed"
                break
        want = []
        for r in v["results"]:
            p = r.get("packet")
            want.append(r.get("error") or ("closed" if r.get("closed") else
                        (p["type"], p["channel"], p["retransmissions"], p["connection"], p["position"], p["payload"])))
        got = [o if isinstance(o, str) else (o.kind, o.channel, o.count, o.connection, o.position, o.payload.hex()) for o in out]
        assert got == want, (v["name"], got, want)
        yield v


def registers():
    names = wire.REGISTERS
    data = load("registers")
    assert data["architectures"][0]["registers"] == names
    for v in data["sets"]:
        if v["architecture"] == 1:
            assert wire.registers_of({"mask": v["mask"], "values": bytes.fromhex(v["values"])}) == v["registers"]
        yield v


def main():
    for check in (cobs, packets, messages, frames, registers):
        print(f"{check.__name__}.json: {sum(1 for _ in check())} as they should be")
    return 0
