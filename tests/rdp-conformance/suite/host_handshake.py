"""Scenarios for hosts: records, the handshake, the tag; SPEC 5.1, 5.4, 5.5, 10."""

import struct
from time import sleep

from .frames import encode, frame
from .host import both, host, serial
from .line import Failure, now
from .run import check, equal
from .session import ZERO
from .wire import crc32, crc32c, record


@both("5.4 Hello: sequence and time 0, zero nonces in the tag, version 3, 512 or more, suite 0, the token; channel 0")
def _(env):
    peer = env.peer()
    h = peer.hello
    low, high = h["lowest_version"], h["highest_version"]
    check(low <= 3 <= high, f"versions {low} to {high}")
    check(h["longest_message"] >= 512, f"longest message {h['longest_message']}")
    check(h["host_nonce"] != ZERO, "host nonce 0")
    check(0 in h["suites"], f"suites {h['suites']}")
    equal("channels", {m.channel for m in peer.log}, {0})
    peer.alive()


@both("5.4 nothing is sent after Hello until State, and no command before Done", 2)
def _(env):
    peer = env.started()
    peer.say("halt")
    peer.said_hello()
    peer.rest(0.4)
    peer.send_welcome()
    peer.rest(0.3)
    check(not peer.requests, "a message before State")
    peer.send_state()
    m = peer.expect("Agree")
    peer.rest(0.4)
    check(not peer.requests, "a message before Done")
    peer.no_line(0.1, "active before Done")
    peer.send("Done", {"request": m.sequence})
    peer.active = True
    check(peer.line("the first line").get("active"), "not active")
    m = peer.expect("Halt")
    peer.answer("Done", m.sequence)
    equal("halt", peer.line("halt"), {"done": True})


@host("5.6 Agree has the greatest time that was received: State's")
def _(env):
    peer = env.started().said_hello()
    peer.send_welcome()
    peer.rest(0.3)
    peer.send_state()
    m = peer.until(lambda: peer.requests and peer.requests[0], 3, "Agree")
    check(m.time >= 25, f"the time of Agree is {m.time}")
    peer.agreed()
    peer.alive()


@both("5.4 no Welcome for 5000 ms: closed", 8)
def _(env):
    peer = env.started().said_hello()
    t = now()
    peer.closed(None, 8)
    check(now() - t > 4, f"closed after {now() - t:.1f} s")


@host("5.4 no Done for 5000 ms: closed", 8)
def _(env):
    peer = env.started().said_hello()
    peer.send_welcome()
    peer.send_state()
    peer.expect("Agree")
    value = peer.closed(None, 8)
    check("closed" in value, "")


def welcome_wrong(name, **how):
    @host(f"5.4 {name}: closed without Agree", 2)
    def _(env):
        peer = env.started().said_hello()
        over = {k: v for k, v in how.items() if k not in ("nonces", "at")}
        nonces = how["nonces"](peer) if "nonces" in how else None
        peer.send_welcome(nonces=nonces, at=how.get("at", (0, 0)), **over)
        peer.send_state()
        peer.closed(None, 3)
        check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


welcome_wrong("Welcome with another host nonce", host_nonce=bytes(range(16)))
welcome_wrong("Welcome with version 2", version=2)
welcome_wrong("Welcome with version 4", version=4)
welcome_wrong("Welcome with sequence 1", at=(1, 0))
welcome_wrong("Welcome with time 3", at=(0, 3))
welcome_wrong("Welcome with a suite that is not in use", suite=1, suites=[0, 1])
welcome_wrong("Welcome whose tag has the device nonce", nonces=lambda p: (p.host, p.device))
welcome_wrong("Welcome whose tag has no host nonce", nonces=lambda p: (ZERO, ZERO))


@host("5.4 a better suite that both have and that is not in use: closed without Agree", 2)
def _(env):
    """The host offers suites in rising order of preference; 0 is in use. With one suite alone there is no better."""
    peer = env.started().said_hello()
    offered = peer.hello["suites"]
    better = offered[offered.index(0) + 1:] if 0 in offered else []
    if not better:
        peer.send_welcome(suites=[0, 4711])
        peer.send_state()
        peer.agreed().alive()
        return
    peer.send_welcome(suites=[0, better[-1]])
    peer.send_state()
    peer.closed(None, 3)
    check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


@host("5.4 Welcome of another device than expected (--fingerprint HEX): closed without Agree", 3)
def _(env):
    for expected, good in (("72656665" + "00" * 12, False), ("7265666572656e63652d6d6163683031", True)):
        try:
            peer = env.started(["--fingerprint", expected])
        except Failure:
            if env.programs[-1].process.poll() in (1, 2):
                return  # the program has no such option: it expects no device
            raise
        if good:
            peer.handshake()
            peer.alive()
            continue
        peer.said_hello()
        peer.send_welcome()
        peer.send_state()
        peer.closed(None, 3)
        check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


def refused(code, detail, nonces):
    @both(f"5.4 Hello is refused with Error {code}: closed", 2)
    def _(env):
        peer = env.started().said_hello()
        peer.send("Error", dict(request=0, code=code, detail=detail), sequence=0, time=0, nonces=nonces(peer),
                  channel=0)
        peer.closed(None, 3)


refused(6, 1, lambda p: (p.host, ZERO))
refused(7, 3, lambda p: (p.host, ZERO))
refused(26, 1, lambda p: (p.host, ZERO))
refused(27, 0, lambda p: (p.host, ZERO))
refused(2, 0x40, lambda p: (ZERO, ZERO))


@host("5.4 Agree is refused with Error 23: closed", 2)
def _(env):
    peer = env.started().said_hello()
    peer.send_welcome()
    peer.send_state()
    m = peer.expect("Agree")
    peer.send("Error", dict(request=m.sequence, code=23, detail=0), channel=0)
    peer.closed(None, 3)


@host("5.5 State with a wrong tag: closed without Agree", 2)
def _(env):
    peer = env.started().said_hello()
    peer.send_welcome()
    peer.send_frame(encode("State", **dict(peer_state())), nonces=(peer.host, ZERO))
    peer.closed(None, 3)
    check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


def peer_state():
    from .host import STATE
    return STATE


@host("5.4 two runs have different nonces", 3)
def _(env):
    equal("host nonces", len({env.peer().hello["host_nonce"] for _ in range(3)}), 3)


# -- records ---------------------------------------------------------------------------------------------------------

@host("5.1 records cut anywhere in the stream, and several at once, are read")
def _(env):
    peer = env.peer()
    peer.say("status")
    m = peer.expect("GetStatus")
    written = []
    peer.link.write = lambda channel, message: written.append(record(channel, message))
    peer.answer("Status", m.sequence, peer.status_fields(uptime=5))
    del peer.link.write
    for byte in written[0]:
        peer.link.send_raw(bytes([byte]))
        sleep(0.002)
    equal("uptime", peer.line("status")["uptime"], 5)
    peer.say("status")
    m = peer.expect("GetStatus")
    written.clear()
    peer.link.write = lambda channel, message: written.append(record(channel, message))
    peer.beat()
    peer.answer("Status", m.sequence, peer.status_fields(uptime=6))
    peer.beat()
    del peer.link.write
    peer.link.send_raw(b"".join(written))
    equal("uptime", peer.line("status")["uptime"], 6)
    peer.until(lambda: not peer.beats, 2, "5.7 both Heartbeats answered")


def fatal(name, make):
    @host(f"5.1 {name}: the host closes the stream at once", 2)
    def _(env):
        peer = env.peer()
        peer.active = False
        t = now()
        peer.link.send_raw(make(peer))
        peer.link.until(lambda: peer.link.closed, 2, "the stream is closed")
        check(now() - t < 0.9, f"closed after {now() - t:.1f} s")
        peer.closed((0, 3))


for _channel in (0, 1):
    for _length in (0, 17):
        fatal(f"a record of {_length} on channel {_channel}",
              lambda p, c=_channel, n=_length: struct.pack(">H", c << 15 | n) + bytes(30))
fatal("a record of 513 on channel 0", lambda p: b"\x02\x01" + bytes(600))
fatal("a record above the host's limit on channel 1",
      lambda p: struct.pack(">H", 0x8000 | min(32767, p.hello["longest_message"] + 1)) + bytes(40))


@host("5.1 a record above 512 before the handshake: closed", 2)
def _(env):
    peer = env.started().said_hello()
    peer.link.send_raw(b"\x02\x01" + bytes(600))
    peer.closed(None, 3)


def cut(name, data):
    @host(f"5.1 the end of the stream {name}: closed 3", 2)
    def _(env):
        peer = env.peer()
        peer.active = False
        peer.link.send_raw(data)
        peer.link.sock.close()
        peer.link.close()
        peer.closed((0, 3), 4)


cut("between records", b"")
cut("inside a record", b"\x80\x1e\0\0")


# -- tag -------------------------------------------------------------------------------------------------------------

def integrity(name, make, register=host):
    @register(f"{name}: integrity lost, Bye 4, closed 4", 2)
    def _(env):
        peer = env.peer()
        peer.heartbeat = 0
        make(peer)
        peer.beats.clear()
        peer.say_bye(4, 2.5)
        peer.closed(4)


def flipped(at):
    return lambda m: m[:at] + bytes([m[at] ^ 1]) + m[at + 1:]


integrity("5.5 a flipped bit in the tag", lambda p: p.beat(change=flipped(18)))
integrity("5.5 a flipped bit in the sequence", lambda p: p.beat(change=flipped(2)))
integrity("5.5 a flipped bit in the time", lambda p: p.beat(change=flipped(7)))
integrity("5.5 a tag of the other direction", lambda p: p.beat(direction=0))
integrity("5.5 a message moved to the other channel", lambda p: p.beat(channel=1, tag_channel=0))
integrity("5.5 a message of channel 1 moved to channel 0",
          lambda p: p.send("Done", {"request": 9}, channel=0, tag_channel=1))
integrity("5.5 a tag without the device nonce", lambda p: p.beat(nonces=(p.host, ZERO)))
integrity("5.5 a tag without the nonces", lambda p: p.beat(nonces=(ZERO, ZERO)))
integrity("5.5 a tag with the packet's CRC", lambda p: p.beat(
    change=lambda m: m[:-4] + struct.pack(">I", crc32(p.host + p.device + b"\1" + m[:-4]))))
integrity("5.5 a tag without the channel", lambda p: p.send("Done", {"request": 9}, channel=1, change=lambda m: m[:-4]
          + struct.pack(">I", crc32c(p.host + p.device + b"\1" + m[:-4]))))
integrity("10 a wrong magic with a right tag", lambda p: p.send_frame(frame(0x42, b"\1\0\0\0\0", magic=b"GDBQ")))
integrity("10 a message that is too short", lambda p: p.beat(change=lambda m: m[:17]), serial)
