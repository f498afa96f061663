"""Scenarios for hosts: SPEC 5."""

import struct

from .host import REGS
from .host_commands import host
from .link import Failure, now
from .run import check, equal
from .session import ZERO
from .wire import RESET, crc32, encode, frame

# -- handshake --------------------------------------------------------------------------------------------------------


@host("5.3 Hello: sequence, time and epoch 0, zero nonces in the tag, version 3, 512 or more, the token")
def _(env):
    peer = env.peer()
    h = peer.hello
    check(h["lowest_version"] <= 3 <= h["highest_version"], f"versions {h['lowest_version']} to {h['highest_version']}")
    check(h["longest_message"] >= 512, f"longest message {h['longest_message']}")
    check(h["host_nonce"] != ZERO, "host nonce 0")
    equal("channels", {m.channel for m in peer.log}, {0})
    peer.alive()


@host("5.3 nothing is sent after Hello until State, and no command before Done", 2)
def _(env):
    peer = env.started()
    peer.say("halt")
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
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


@host("5.3 no Welcome for 5000 ms: closed", 8)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
    t = now()
    peer.closed(None, 8)
    check(now() - t > 4, f"closed after {now() - t:.1f} s")


@host("5.3 no Done for 5000 ms: closed", 8)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
    peer.send_welcome()
    peer.send_state()
    peer.expect("Agree")
    value = peer.closed(None, 8)
    check("closed" in value, "")


def welcome_wrong(name, **how):
    @host(f"5.3 {name}: closed without Agree", 2)
    def _(env):
        peer = env.started()
        peer.wait_open()
        peer.accept()
        peer.expect("Hello")
        over = {k: v for k, v in how.items() if k != "nonces"}
        nonces = how["nonces"](peer) if "nonces" in how else None
        peer.send_welcome(nonces=nonces, **over)
        peer.send_state()
        peer.closed(None, 3)
        check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


welcome_wrong("Welcome with another host nonce", host_nonce=bytes(range(16)))
welcome_wrong("Welcome with version 2", version=2)
welcome_wrong("Welcome with version 4", version=4)
welcome_wrong("Welcome with sequence 1", at=(1, 0, 0))
welcome_wrong("Welcome with time 3", at=(0, 3, 0))
welcome_wrong("Welcome with epoch 1", at=(0, 0, 1))
welcome_wrong("Welcome whose tag has the device nonce", nonces=lambda p: (p.host, p.device))
welcome_wrong("Welcome whose tag has no host nonce", nonces=lambda p: (ZERO, ZERO))


@host("5.3 Welcome of another device than expected (--fingerprint HEX): closed without Agree", 3)
def _(env):
    for expected, good in (("72656665" + "00" * 12, False), ("7265666572656e63652d6d6163683031", True)):
        try:
            peer = env.started(["--fingerprint", expected], 4)
        except Failure as e:
            if env.programs[-1].process.poll() in (1, 2):
                return  # the program has no such option: it expects no device
            raise e
        if good:
            peer.handshake()
            peer.alive()
            continue
        peer.wait_open()
        peer.accept()
        peer.expect("Hello")
        peer.send_welcome()
        peer.send_state()
        peer.closed(None, 3)
        check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


def refused(code, detail, nonces):
    @host(f"5.3 Hello is refused with Error {code}: closed", 2)
    def _(env):
        peer = env.started()
        peer.wait_open()
        peer.accept()
        peer.expect("Hello")
        peer.send("Error", dict(request=0, code=code, detail=detail), sequence=0, time=0, nonces=nonces(peer))
        peer.closed(None, 3)


refused(6, 1, lambda p: (p.host, ZERO))
refused(7, 3, lambda p: (p.host, ZERO))
refused(2, 0x40, lambda p: (ZERO, ZERO))


@host("5.3 Agree is refused with Error 23: closed", 2)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
    peer.send_welcome()
    peer.send_state()
    m = peer.expect("Agree")
    peer.send("Error", dict(request=m.sequence, code=23, detail=0))
    peer.closed(None, 3)


@host("5.4 State with a wrong tag: closed without Agree", 2)
def _(env):
    peer = env.started()
    peer.wait_open()
    peer.accept()
    peer.expect("Hello")
    peer.send_welcome()
    peer.send_frame(encode("State", run_state=1, axes=[], plc=[], program=0, line=0, offset=0), nonces=(peer.host, ZERO))
    peer.closed(None, 3)
    check(not [m for m in peer.log if m.name == "Agree"], "Agree was sent")


@host("5.3 two runs have different nonces; the clock starts at the Welcome", 3)
def _(env):
    nonces = set()
    for _ in range(3):
        peer = env.peer()
        nonces.add(peer.hello["host_nonce"])
    equal("host nonces", len(nonces), 3)
    peer.rest(0.8)
    peer.alive()
    check(abs(peer.last.time - peer.clock) < 600, f"time {peer.last.time}, but it is {peer.clock}")


# -- tag --------------------------------------------------------------------------------------------------------------

def integrity(name, make):
    @host(f"{name}: integrity lost, Bye 4, closed 4", 2)
    def _(env):
        peer = env.peer()
        make(peer)
        peer.active = False
        peer.until(lambda: peer.bye is not None, 2.5, "Bye 4")
        equal("reason of Bye", peer.bye, 4)
        peer.send("Bye", {"reason": 4})
        peer.closed(4)


integrity("5.4 a flipped bit in the tag", lambda p: p.send("Heartbeat", {"run_state": 1}, change=lambda m: m[:-1] + bytes([m[-1] ^ 1])))
integrity("5.4 a flipped bit in the sequence", lambda p: p.send("Heartbeat", {"run_state": 1}, change=lambda m: m[:2] + bytes([m[2] ^ 1]) + m[3:]))
integrity("5.4 a tag of the other direction", lambda p: p.send("Heartbeat", {"run_state": 1}, direction=0))
integrity("5.4 a tag without the device nonce", lambda p: p.send("Heartbeat", {"run_state": 1}, nonces=(p.host, ZERO)))
integrity("5.4 a tag without the nonces", lambda p: p.send("Heartbeat", {"run_state": 1}, nonces=(ZERO, ZERO)))
integrity("5.4 a tag with the packet's CRC",
          lambda p: p.send("Heartbeat", {"run_state": 1}, change=lambda m: m[:-4] + struct.pack(">I", crc32(p.host + p.device + b"\1" + m[:-4]))))
integrity("10 a message that is too short", lambda p: p.send("Heartbeat", {"run_state": 1}, change=lambda m: m[:18]))
integrity("10 a wrong magic with a right tag", lambda p: p.send_frame(frame(0x42, b"\1", magic=b"GDBQ")))
integrity("5.6 an epoch two ahead", lambda p: p.send("Heartbeat", {"run_state": 1}, epoch=2))


# -- order, time, replay ----------------------------------------------------------------------------------------------

def asked(peer):
    peer.say("status")
    return peer.expect("GetStatus")


def status(peer, m, uptime, **over):
    return peer.answer("Status", m.sequence, peer.status_fields(uptime=uptime), **over)


def uptime(peer, want):
    equal("uptime", peer.line("status")["uptime"], want)


@host("5.5 sequences go up by one, times do not go down", 3)
def _(env):
    peer = env.peer()
    for _ in range(6):
        peer.alive()
    peer.rest(1.3)
    peer.alive()
    got = [m.sequence for m in peer.log]
    equal("sequences", got, list(range(len(got))))


@host("5.5 a replayed message is discarded", 2)
def _(env):
    peer = env.peer()
    m = asked(peer)
    status(peer, m, 1)
    old = peer.last_message
    uptime(peer, 1)
    peer.stopped(REGS, 0, 2, 0, 7)
    stop = peer.last_message
    peer.say("stopped")
    equal("detail", peer.line("stopped")["detail"], 7)
    for _ in range(2):
        peer.send_message(stop)
        peer.send_message(old)
    peer.say("stopped")
    peer.no_line(0.4, "a replayed Stopped")
    peer.stopped(dict(pc=8), 0, 2, 0, 8)
    equal("detail", peer.line("stopped")["detail"], 8)
    m = asked(peer)
    status(peer, m, 66, sequence=2)
    peer.no_line(0.3, "an answer with a sequence that was seen")
    status(peer, m, 2)
    uptime(peer, 2)


@host("5.5 what is 64 or more behind is replayed, up to 63 behind is new", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    t = peer.clock
    m = asked(peer)
    status(peer, m, 1, sequence=200, time=t)
    uptime(peer, 1)
    m = asked(peer)
    status(peer, m, 66, sequence=136, time=t)
    peer.no_line(0.3, "an answer 64 behind")
    status(peer, m, 2, sequence=137, time=t)
    uptime(peer, 2)
    m = asked(peer)
    status(peer, m, 66, sequence=137, time=t)
    peer.no_line(0.3, "an answer whose sequence was seen")
    status(peer, m, 3, sequence=201)
    uptime(peer, 3)


@host("5.5 sequences may jump, up to 2^32 - 2")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for sequence in (500, 0x80000000, 0xFFFFFFFE):
        m = asked(peer)
        status(peer, m, 5, sequence=sequence)
        uptime(peer, 5)


@host("5.5 what is disordered is not believed", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.rest(0.6)
    peer.alive()
    m = asked(peer)
    status(peer, m, 66, sequence=peer.sequence + 5, time=0)
    peer.no_line(0.4, "an answer with a smaller time")
    status(peer, m, 2, sequence=peer.sequence + 5)
    uptime(peer, 2)
    peer.sequence += 5
    top, t = peer.sequence + 40, peer.clock
    m = asked(peer)
    status(peer, m, 3, sequence=top, time=t)
    uptime(peer, 3)
    m = asked(peer)
    status(peer, m, 66, sequence=top - 5, time=t + 1)
    peer.no_line(0.4, "a smaller sequence with a greater time")
    status(peer, m, 4, sequence=top - 6, time=t)
    uptime(peer, 4)


@host("5.5 any time will do, ahead or behind: a late answer is an answer", 3)
def _(env):
    peer = env.peer(tolerance=600)
    peer.heartbeat = 0
    peer.rest(1.5)
    m = asked(peer)
    status(peer, m, 1, time=200)
    uptime(peer, 1)
    m = asked(peer)
    status(peer, m, 2, time=peer.clock + 7000)
    uptime(peer, 2)
    m = asked(peer)
    status(peer, m, 66, time=peer.clock)
    peer.no_line(0.3, "an answer with a smaller time than one before")
    status(peer, m, 3, time=peer.clock + 9000)
    uptime(peer, 3)


# -- epoch ------------------------------------------------------------------------------------------------------------

@host("5.6 epochs: the newest, the one before and the one after are accepted", 2)
def _(env):
    peer = env.peer()
    for epoch in (1, 0, 1, 2, 1, 2, 3):
        m = asked(peer)
        status(peer, m, epoch + 10, epoch=epoch)
        uptime(peer, epoch + 10)
    peer.active = False
    peer.send("Heartbeat", {"run_state": 1}, epoch=1)
    peer.until(lambda: peer.bye is not None, 2.5, "Bye for an epoch two behind")
    equal("reason", peer.bye, 4)


@host("5.6 told of a CRC failure, the host's epoch goes up by one, at most once in 1000 ms", 4)
def _(env):
    peer = env.peer()
    peer.alive()
    equal("epoch at first", peer.last.epoch, 0)
    moves, t = [], now()
    while now() - t < 2.6:
        peer.rest(0.05)
        peer.link.send_ack(nack=8)
        peer.rest(0.05)
        peer.alive()
        if not moves or peer.last.epoch != moves[-1][1]:
            moves.append((now(), peer.last.epoch))
    epochs = [e for _, e in moves]
    check(epochs[0] == 1, f"5.6 epoch after the first CRC failure: {epochs}")
    check(2 <= epochs[-1] <= 4, f"5.6 epochs in 2.6 s: {epochs}")
    for (a, _), (b, _) in zip(moves, moves[1:]):
        check(b - a > 0.65, f"5.6 two epochs within {b - a:.2f} s")


@host("5.6 the epoch does not go up while bytes of the epoch before are unacknowledged", 5)
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    peer.link.send_ack(nack=8)
    peer.rest(0.05)
    held = len(peer.link.rx[0])
    peer.link.auto_ack = False
    epochs = []
    for _ in range(3):
        peer.alive()
        epochs.append(peer.last.epoch)
        t = now()
        while now() - t < 1.4 and len(epochs) < 3:
            peer.link.send_ack(expected=[held, 0], nack=8)
            peer.rest(0.1)
    equal("epoch", epochs[0], 1)
    check(max(epochs) <= 2, f"5.6 epochs {epochs}, though bytes of epoch 1 are unacknowledged")
    peer.link.auto_ack = True
    peer.alive()


@host("5.6 header failures and gaps do not change the epoch")
def _(env):
    peer = env.peer()
    for nack in (1, 2, 4, 7):
        peer.link.send_ack(nack=nack)
        peer.rest(0.05)
        peer.alive()
        equal(f"epoch after nack {nack}", peer.last.epoch, 0)


# -- end --------------------------------------------------------------------------------------------------------------

@host("5.7 a heartbeat when nothing was sent for the interval of Welcome", 4)
def _(env):
    for interval, least, most in ((1000, 1, 3), (400, 4, 7)):
        peer = env.peer(heartbeat=interval)
        t = now()
        peer.rest(2.3)
        beats = [m for m in peer.log if m.name == "Heartbeat" and m.t > t]
        check(least <= len(beats) <= most, f"{len(beats)} heartbeats in 2.3 s, interval {interval}")
        equal("run state", {m.fields["run_state"] for m in beats}, {0})


@host("5.7 no message for the loss time of Welcome: Bye 2, closed 2", 7)
def _(env):
    for loss in (3000, 1200):
        peer = env.peer(loss=loss)
        peer.heartbeat = 0
        t = now()
        peer.until(lambda: peer.bye is not None, loss / 1000 + 2, "Bye 2")
        equal("reason of Bye", peer.bye, 2)
        check(now() - t > loss / 1000 - 0.4, f"the agent is lost after {now() - t:.1f} s")
        peer.closed(2, 3)


@host("5.7 any message keeps the session", 5)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for _ in range(4):
        peer.rest(1.0)
        peer.stopped(dict(REGS), 0)
    peer.alive()


@host("5.7 Bye of the agent is answered with Bye: closed with its reason", 3)
def _(env):
    for reason in (5, 2, 1):
        peer = env.peer()
        peer.active = False
        peer.send("Bye", {"reason": reason})
        peer.until(lambda: peer.bye is not None, 2, "Bye")
        equal("reason of the answering Bye", peer.bye, reason)
        peer.closed(reason)


@host("5.7 what arrives in Disconnecting is discarded, whatever its tag", 2)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    peer.active = False
    peer.send("Heartbeat", {"run_state": 1}, nonces=(ZERO, ZERO))
    peer.send("Heartbeat", {"run_state": 1}, change=lambda m: m[:18])
    peer.no_line(0.3, "a wrong tag in Disconnecting")
    check(not peer.link.resets and not peer.link.closed, "5.7 a wrong tag in Disconnecting ends the link")
    peer.send("Bye", {"reason": 1})
    equal("closed", peer.closed(1, 0.8)["closed"], 1)


@host("5.2 Bye is not answered: closed after 1000 ms", 3)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    t = now()
    peer.active = False
    peer.closed(None, 3.5)
    check(now() - t > 0.6, f"closed after {now() - t:.2f} s")


@host("5.7 the link is closed in mid-session: closed 3", 2)
def _(env):
    peer = env.peer()
    peer.say("status")
    peer.expect("GetStatus")
    peer.link.sock.close()
    peer.link.closed = True
    peer.closed((0, 3), 4)


@host("5.7 after the session the link is ended with RESET 1", 2)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    peer.active = False
    peer.send("Bye", {"reason": 1})
    peer.closed(1)
    peer.until(lambda: peer.link.closed, 2)
    resets = [p.payload for p in peer.link.of(RESET)]
    check(resets in ([], [b"\x01"]), f"RESETs {resets}")
    check(resets or peer.link.closed, "neither RESET 1 nor a closed lane")
