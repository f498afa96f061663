"""Scenarios for hosts: order, time, Heartbeats, the end; SPEC 5.6 to 5.8."""

from .host import REGS, both, host, serial
from .line import now
from .run import check, equal
from .session import ZERO
from .wire import RESET


def asked(peer):
    peer.say("status")
    return peer.expect("GetStatus")


def status(peer, m, uptime, **over):
    return peer.answer("Status", m.sequence, peer.status_fields(uptime=uptime), **over)


def uptime(peer, want):
    equal("uptime", peer.line("status")["uptime"], want)


# -- order -----------------------------------------------------------------------------------------------------------

@both("5.6 sequences go up by one over both channels, times do not go down, channels are right", 3)
def _(env):
    peer = env.peer()
    for _ in range(4):
        peer.alive()
        peer.serve("halt", "Halt", "Done")
        peer.serve("release 0x20000020", "Release", "Done")
    peer.rest(1.0)
    peer.alive()
    equal("sequences", sorted(m.sequence for m in peer.log), list(range(len(peer.log))))


@host("5.6 Halt and Release go on channel 0, every other command on channel 1", 2)
def _(env):
    peer = env.peer()
    for text, request, channel in (
            ("halt", "Halt", 0), ("release 0", "Release", 0), ("resume", "Resume", 1), ("step 1 0", "Step", 1),
            ("range 0 1 0", "StepRange", 1), ("force 0 1 00", "Force", 1), ("renew 0 1", "Renew", 1),
            ("write 0 00", "WriteMemory", 1), ("status", "GetStatus", 1), ("regs", "ReadRegisters", 1),
            ("policy 1 0 0", "PushPolicy", 1), ("audit 0 1", "ReadAudit", 1)):
        peer.serve(text, request, "Error", dict(code=3, detail=0))
        equal(f"channel of {request}", peer.served.channel, channel)


@both("5.6 a replayed message is discarded", 2)
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
        peer.send_message(stop, 0)
        peer.send_message(old, 1)
    peer.say("stopped")
    peer.no_line(0.4, "a replayed Stopped")
    peer.stopped(dict(pc=8), 0, 2, 0, 8, 2)
    equal("detail", peer.line("stopped")["detail"], 8)
    m = asked(peer)
    status(peer, m, 66, sequence=2)
    peer.no_line(0.3, "an answer with a sequence that was seen")
    status(peer, m, 2)
    uptime(peer, 2)


@host("5.6 a sequence below the last one on its channel is a replay, seen or not", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    m = asked(peer)
    status(peer, m, 1, sequence=200)
    uptime(peer, 1)
    m = asked(peer)
    for sequence in (199, 150, 20, 200):
        status(peer, m, 66, sequence=sequence)
    peer.no_line(0.3, "an answer that is not above the last")
    peer.unanswered.add(m.sequence)
    status(peer, m, 2, sequence=201)
    uptime(peer, 2)


@host("5.6 each channel has an order of its own", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    m = asked(peer)
    status(peer, m, 1, sequence=500)
    uptime(peer, 1)
    peer.stopped(REGS, 0, 2, 0, 7, sequence=50)
    peer.say("stopped")
    equal("detail of a Stopped with a smaller sequence", peer.line("stopped")["detail"], 7)
    peer.stopped(dict(pc=2), 0, 2, 0, 8, 2, sequence=49)
    peer.say("stopped")
    peer.no_line(0.2, "a replay on channel 0")
    peer.stopped(dict(pc=2), 0, 2, 0, 9, 3, sequence=900)
    equal("detail", peer.line("stopped")["detail"], 9)
    m = asked(peer)
    status(peer, m, 2, sequence=501)
    uptime(peer, 2)


@host("5.6 sequences may leave out any number, up to 2^32 - 2")
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for sequence in (500, 0x80000000, 0xFFFFFFFE):
        m = asked(peer)
        status(peer, m, 5, sequence=sequence)
        uptime(peer, 5)


# -- time ------------------------------------------------------------------------------------------------------------

@both("5.6 the host writes the greatest time that it has received, whatever its own clock says", 3)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    start = peer.greatest
    peer.alive()
    first = peer.served.time
    check(first >= start, f"time {first}, and {start} was sent")
    # 1.2 s without a message: the host's time stands still.
    peer.sent_times = peer.sent_times[-1:]
    held = peer.greatest
    peer.rest(1.2)
    m = asked(peer)
    equal("time after 1.2 s of silence", m.time, held)
    status(peer, m, 1)
    uptime(peer, 1)
    peer.rest(0.05)
    m = asked(peer)
    equal("time of the next command", m.time, peer.greatest)
    status(peer, m, 2)
    uptime(peer, 2)


@host("5.6 an agent whose clock runs fast or slow is repeated: times far ahead, and a smaller one does not count", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    m = asked(peer)
    status(peer, m, 1, time=400000)
    uptime(peer, 1)
    m = asked(peer)
    equal("time", m.time, 400000)
    status(peer, m, 2, time=17)
    uptime(peer, 2)
    m = asked(peer)
    equal("time after a smaller one", m.time, 400000)
    status(peer, m, 3, time=0xFFFFFFFE)
    uptime(peer, 3)
    m = asked(peer)
    equal("time", m.time, 0xFFFFFFFE)
    status(peer, m, 4, time=400001)
    uptime(peer, 4)


@host("5.6 a time on channel 0 counts for channel 1, and the other way", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.beat(time=5000)
    peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")
    equal("time of its answer", peer.log[-1].time, 5000)
    m = asked(peer)
    equal("time on channel 1", m.time, 5000)
    status(peer, m, 1, time=6000)
    uptime(peer, 1)
    peer.beat(time=5500)
    peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")
    equal("time on channel 0", peer.log[-1].time, 6000)


@host("5.6 a replay's time does not count", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    m = asked(peer)
    status(peer, m, 1, sequence=100, time=300)
    uptime(peer, 1)
    m = asked(peer)
    greatest = peer.greatest
    status(peer, m, 66, sequence=99, time=7000)
    peer.greatest = greatest
    peer.sent_times = [(now(), greatest)]
    status(peer, m, 2, sequence=101, time=301)
    peer.greatest = 301
    uptime(peer, 2)
    m = asked(peer)
    equal("time", m.time, 301)
    status(peer, m, 3, sequence=102, time=302)
    uptime(peer, 3)


# -- heartbeats ------------------------------------------------------------------------------------------------------

@both("5.7 each Heartbeat is answered at once with its challenge, on channel 0, with run state 0", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    slow = 0
    for challenge in (0, 1, 0xFFFFFFFF, 0xDECAFBAD, 77, 78):
        t = now()
        peer.beat(challenge)
        peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")
        m = peer.log[-1]
        equal("answer", (m.name, m.channel, m.fields), ("Heartbeat", 0, dict(run_state=0, challenge=challenge)))
        slow += now() - t > 0.25
        peer.rest(0.05)
    check(slow <= 2, f"5.7 {slow} of 6 Heartbeats are not answered at once")


@host("5.7 Heartbeats are answered while a command waits for its answer, and `stopped` for an event", 3)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    m = asked(peer)
    for _ in range(3):
        peer.beat()
        peer.until(lambda: not peer.beats, 1, "5.7 the answer while a command waits")
    status(peer, m, 1)
    uptime(peer, 1)
    peer.say("stopped")
    peer.rest(0.1)
    for _ in range(3):
        peer.beat()
        peer.until(lambda: not peer.beats, 1, "5.7 the answer while `stopped` waits")
    peer.stopped(REGS, 0, 2, 0, 7)
    peer.line("stopped")


@host("5.1 a Heartbeat's answer goes in front of commands that wait", 2)
def _(env):
    """Both are due at once, many times; the watcher knows the order."""
    peer = env.peer()
    peer.heartbeat = 0
    for i in range(25):
        peer.say("status")
        peer.beat()
        m = peer.expect("GetStatus")
        status(peer, m, i)
        uptime(peer, i)
        peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")


@host("5.7 the host sends no Heartbeat of its own", 3)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for _ in range(5):
        peer.rest(0.45)
        peer.alive()
    check(not [m for m in peer.log if m.name == "Heartbeat"], "5.7 a Heartbeat without one to answer")


@host("5.7 a replayed Heartbeat is not answered again", 2)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    peer.beat()
    old = peer.last_message
    peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")
    count = len(peer.log)
    for _ in range(3):
        peer.send_message(old, 0)
    peer.rest(0.3)
    equal("messages", len(peer.log), count)
    peer.alive()


@both("5.7 no message for the loss time of Welcome: Bye 2, closed 2", 5)
def _(env):
    for loss in (3000, 1200):
        peer = env.peer(loss=loss)
        peer.heartbeat = 0
        t = now()
        peer.until(lambda: peer.bye is not None, loss / 1000 + 2, "Bye 2")
        equal("reason of Bye", peer.bye, 2)
        check(now() - t > loss / 1000 - 0.4, f"the agent is lost after {now() - t:.1f} s")
        peer.active = False
        peer.closed(2, 3)


@host("5.7 any message of the agent keeps the session, on either channel", 5)
def _(env):
    peer = env.peer(loss=1500)
    peer.heartbeat = 0
    for i in range(6):
        peer.rest(0.7)
        if i % 2:
            peer.stopped(dict(REGS), 0, capture=i + 1)
        else:
            peer.send("Done", {"request": 0xFFFFFF}, channel=1)
    peer.alive()


@host("5.7 replays do not keep a session: Bye 2", 4)
def _(env):
    peer = env.peer(loss=1200)
    peer.heartbeat = 0
    peer.beat()
    old = peer.last_message
    peer.until(lambda: not peer.beats, 2, "5.7 the Heartbeat's answer")
    t = now()
    while peer.bye is None and now() - t < 4:
        peer.send_message(old, 0)
        peer.rest(0.2)
    equal("reason of Bye", peer.bye, 2)
    peer.active = False
    peer.closed(2, 3)


# -- end -------------------------------------------------------------------------------------------------------------

@both("5.8 Bye of the agent is answered with Bye: closed with its reason", 3)
def _(env):
    for reason in (5, 2, 8, 10):
        peer = env.peer()
        peer.active = False
        peer.send("Bye", {"reason": reason})
        peer.until(lambda: peer.bye is not None, 2, "Bye")
        equal("reason of the answering Bye", peer.bye, reason)
        peer.closed(reason)


@both("5.8 what arrives in Disconnecting is discarded, whatever its tag", 2)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    peer.active = False
    peer.send("Heartbeat", {"run_state": 1, "challenge": 5}, nonces=(ZERO, ZERO))
    peer.send("Heartbeat", {"run_state": 1, "challenge": 6})
    peer.no_line(0.3, "a wrong tag in Disconnecting")
    check(not peer.link.resets and not peer.link.closed, "5.8 a wrong tag in Disconnecting ends the line")
    check(not [m for m in peer.log if m.name == "Heartbeat" and m.fields["challenge"] in (5, 6)], "an answer")
    peer.send("Bye", {"reason": 1})
    equal("closed", peer.closed(1, 0.9)["closed"], 1)


@both("5.3 Bye is not answered: closed after 1000 ms", 3)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    t = now()
    peer.active = False
    peer.closed(None, 3.5)
    check(now() - t > 0.6, f"closed after {now() - t:.2f} s")


@host("5.8 the line ends in mid-session, with a command unanswered: closed 3", 2)
def _(env):
    peer = env.peer()
    asked(peer)
    peer.active = False
    peer.link.sock.close()
    peer.link.close()
    values = [peer.line("the end", 4)]
    while "closed" not in values[-1]:
        check(len(values) < 3 and "uptime" not in values[-1], f"lines: {values}")
        values.append(peer.line("the end", 4))
    check(values[-1]["closed"] in (0, 3), f"closed: {values[-1]}")


@host("5.8 the host that received the first Bye closes the stream once its own is sent", 2)
def _(env):
    peer = env.peer()
    peer.active = False
    peer.send("Bye", {"reason": 5})
    peer.until(lambda: peer.bye is not None, 2, "Bye")
    t = now()
    peer.link.until(lambda: peer.link.closed, 2, "the stream is closed")
    check(now() - t < 0.8, f"closed after {now() - t:.2f} s")


@serial("5.8 after the session the link is ended with RESET 1", 2)
def _(env):
    peer = env.peer()
    peer.say("bye")
    peer.say_bye(1)
    peer.closed(1)
    peer.until(lambda: peer.link.closed, 2)
    resets = [p.payload for p in peer.link.of(RESET)]
    check(resets in ([], [b"\x01"]), f"RESETs {resets}")
    check(resets or peer.link.closed, "neither RESET 1 nor a closed line")
