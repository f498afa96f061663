"""Scenarios for agents: epochs and the end of a session; SPEC 5.6, 5.7."""

from .agent_link import agent
from .link import now
from .run import check, equal
from .session import ZERO
from .wire import RESET

# -- epoch ------------------------------------------------------------------------------------------------------------

@agent("5.6 epochs: the newest, the one before and the one after are accepted", 2)
def _(env):
    peer = env.peer()
    for epoch in (0, 1, 0, 1, 2, 1, 2, 3):
        peer.ask("GetStatus", epoch=epoch)
    peer.send("GetStatus", epoch=1)
    peer.wait_end(4, 2.5, "an epoch two behind")


@agent("5.6 epochs go around after 255", 3)
def _(env):
    peer = env.peer()
    for epoch in list(range(1, 256)) + [0, 255, 1]:
        peer.send("Heartbeat", {"run_state": 0}, epoch=epoch)
    peer.ask("GetStatus", epoch=0)
    peer.send("GetStatus", epoch=255)
    peer.wait_end(4, 2.5, "an epoch two behind")


@agent("5.6 told of a CRC failure, the agent's epoch goes up by one, at most once in 1000 ms", 4)
def _(env):
    peer = env.peer()
    peer.status()
    equal("epoch at first", peer.log[-1].epoch, 0)
    peer.rest(0.3)
    moves = []
    for i in range(24):
        peer.link.send_ack(nack=8)
        peer.rest(0.05)
        peer.status()
        if not moves or peer.log[-1].epoch != moves[-1][1]:
            moves.append((now(), peer.log[-1].epoch))
        peer.rest(0.05)
    epochs = [e for _, e in moves]
    check(epochs and epochs[0] == 1, f"5.6 epoch after the first CRC failure: {epochs}")
    check(2 <= epochs[-1] <= 4, f"5.6 epochs in 2.6 s: {epochs}")
    for (a, _), (b, _) in zip(moves, moves[1:]):
        check(b - a > 0.65, f"5.6 two epochs within {b - a:.2f} s")


@agent("5.6 header failures and gaps do not change the epoch")
def _(env):
    peer = env.peer()
    for nack in (1, 2, 4, 7):
        peer.link.send_ack(nack=nack)
        peer.rest(0.05)
        peer.status()
        equal(f"epoch after nack {nack}", peer.log[-1].epoch, 0)


@agent("5.6 the epoch does not go up while bytes of the epoch before are unacknowledged", 5)
def _(env):
    peer = env.peer()
    peer.rest(0.3)
    peer.link.send_ack(nack=8)
    peer.rest(0.05)
    held = len(peer.link.rx[0])
    peer.link.auto_ack = False
    peer.status()
    first = peer.log[-1].epoch
    equal("epoch", first, 1)
    t = now()
    while now() - t < 1.4:
        peer.link.send_ack(expected=[held, 0], nack=8)
        peer.rest(0.1)
    peer.status()
    second = peer.log[-1].epoch
    t = now()
    while now() - t < 1.4:
        peer.link.send_ack(expected=[held, 0], nack=8)
        peer.rest(0.1)
    peer.status()
    third = peer.log[-1].epoch
    check(second <= 2 and third <= 2, f"5.6 epochs {first}, {second}, {third}, though bytes of epoch 1 are unacknowledged")
    peer.link.auto_ack = True


# -- end --------------------------------------------------------------------------------------------------------------

@agent("5.7 a heartbeat when nothing was sent for 1000 ms, with the run state", 6)
def _(env):
    peer = env.peer()
    t = now()
    peer.rest(3.3)
    beats = [m for m in peer.log if m.name == "Heartbeat" and m.t > t]
    check(2 <= len(beats) <= 4, f"{len(beats)} heartbeats in 3.3 s")
    check(all(0.75 < b.t - a.t < 1.4 for a, b in zip(beats, beats[1:])), "the time between heartbeats is not 1000 ms")
    equal("run state, running", {m.fields["run_state"] for m in beats}, {1})
    peer.halt()
    t = now()
    peer.rest(1.4)
    beats = [m for m in peer.log if m.name == "Heartbeat" and m.t > t]
    equal("run state, stopped", {m.fields["run_state"] for m in beats}, {2})


@agent("5.7 no message for 3000 ms: Bye 2, forces released, breakpoints cleared, the machine stays stopped", 7)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", {"addr": 0x20000100, "id": 1})
    peer.ask("Force", peer.force())
    peer.heartbeat = 0
    t = now()
    peer.wait_end(2, 5.5, "no heartbeat of the host")
    check(2.6 < now() - t < 4.6, f"heartbeat lost after {now() - t:.1f} s")
    peer.until(lambda: peer.link.resets, 2.5, "5.2 Disconnecting ends after 1000 ms, with RESET")
    equal("reason of RESET", peer.link.resets[0], 1)
    after = peer.next()
    s = after.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
    equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))


@agent("5.7 any message keeps the session", 6)
def _(env):
    peer = env.peer()
    peer.heartbeat = 0
    for _ in range(4):
        peer.rest(1.2)
        peer.status()
    check(peer.bye is None, "Bye though messages came")


@agent("5.7 Bye is answered with Bye, then RESET 1; nothing is executed after it")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("SetBreakpoint", {"addr": 0x20000102, "id": 1})
    peer.active = False
    peer.send("Bye", {"reason": 1})
    peer.send("Resume")
    peer.until(lambda: peer.bye, 2, "5.7 Bye")
    peer.until(lambda: peer.link.resets, 2, "5.7 RESET 1 once Bye is acknowledged")
    equal("reason of RESET", peer.link.resets[0], 1)
    check(not peer.answers, "an answer after Bye")
    after = peer.next()
    s = after.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
    equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))
    equal("breakpoints", after.ask("ListBreakpoints", {"addr": 0, "id": 0})["breakpoints"], [])


@agent("5.7 the answering Bye repeats the reason", 2)
def _(env):
    for reason in (1, 4, 6):
        peer = env.peer()
        peer.active = False
        peer.send("Bye", {"reason": reason})
        peer.until(lambda: peer.bye is not None, 2, "5.7 Bye")
        equal("reason of Bye", peer.bye, reason)


@agent("5.7 what arrives in Disconnecting is discarded, whatever its tag", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2.5, "a wrong tag")
    peer.send("Resume")
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.send("GetStatus", change=lambda m: m[:18])
    peer.silent(0.3, "a command in Disconnecting")
    check(not peer.link.resets, "5.7 a wrong tag in Disconnecting ends the link")
    peer.send("Bye", {"reason": 4})
    peer.until(lambda: peer.link.resets, 0.8, "5.7 RESET 1 behind the other Bye")
    equal("reason of RESET", peer.link.resets[0], 1)
    equal("run state", peer.next().status()["run_state"], 2)


def ends(name, how):
    @agent(f"5.7 {name} ends the session: forces released, breakpoints cleared, stopped stays stopped", 2)
    def _(env):
        peer = env.peer()
        peer.halt()
        peer.ask("SetHardwareBreakpoint", {"addr": 0x20000104, "id": 9})
        peer.ask("Force", peer.force())
        equal("forces", peer.status()["forces"], 1)
        how(peer)
        after = peer.next()
        s = after.status()
        equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
        equal("the forced bytes", after.read(0x20000020, 4), bytes((32, 33, 34, 35)))
        after.ask("SetHardwareBreakpoint", {"addr": 0x20000104, "id": 9})


ends("RESET by the host", lambda p: (p.link.send_packet(RESET, 0, b"\x01"), p.rest(0.1)))
ends("OPEN with another cookie", lambda p: None)
ends("a record of length 0", lambda p: (p.link.write(0, b"\0\0"), p.rest(0.2)))


@agent("5.7 the end of the session stops counting steps")
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    equal("run state", peer.status()["run_state"], 3)
    after = peer.next()
    s = after.status()
    check(s["run_state"] != 3, "steps go on in the next session")
    equal("steps left", s["steps_left"], 0)


@agent("5.7 a running machine keeps running when the session ends")
def _(env):
    peer = env.peer()
    equal("run state", peer.next().status()["run_state"], 1)


@agent("8.8 metric 2 counts sessions, 7 wrong tags", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics()
    peer.send("GetStatus", nonces=(ZERO, ZERO))
    peer.wait_end(4, 2.5, "a wrong tag")
    after = peer.next().metrics()
    equal("metric 2", after.get(2), before.get(2) + 1)
    equal("metric 7", after.get(7), before.get(7) + 1)
