"""Scenarios for agents: whether the host is there, and the agent's clock; SPEC 5.7, 8.9, 8.10."""

from .agents import agent, both, serial
from .line import now
from .run import check, equal
from .samples import ORIGINAL, SAMPLE, at


def beats(peer, since=0.0):
    return [m for m in peer.log if m.name == "Heartbeat" and m.t > since]


def beat_of(peer, count=1):
    """The last Heartbeat, once there are so many."""
    peer.until(lambda: len(beats(peer)) >= count, 2.5, "5.7 Heartbeats")
    return beats(peer)[-1].fields["challenge"]


@both("5.7 a Heartbeat once per interval, whatever else is sent, with the run state and a new challenge", 4)
def _(env):
    peer = env.peer()
    t = now()
    while now() - t < 2.4:
        peer.status()
        peer.rest(0.1)
    found = beats(peer, t)
    check(2 <= len(found) <= 3, f"{len(found)} heartbeats in 2.4 s")
    check(all(0.75 < b.t - a.t < 1.4 for a, b in zip(found, found[1:])), "5.7 not one Heartbeat per 1000 ms")
    equal("run state, running", {m.fields["run_state"] for m in found}, {1})
    peer.halt()
    t = now()
    peer.rest(1.3)
    found = beats(peer, t)
    equal("run state, stopped", {m.fields["run_state"] for m in found}, {2})
    all_of_them = [m.fields["challenge"] for m in beats(peer)]
    equal("challenges that differ", len(set(all_of_them)), len(all_of_them))
    equal("channel", {m.channel for m in beats(peer)}, {0})


@both("5.7 a host that answers no Heartbeat is lost after the loss time: Bye 2", 5)
def _(env):
    """In real time, once."""
    peer = env.peer()
    peer.echo = False
    t = now()
    peer.wait_end(2, 5.5, "no Heartbeat of the host")
    check(2.6 < now() - t < 4.2, f"the host was lost after {now() - t:.1f} s")
    peer.until(lambda: peer.link.resets or peer.link.closed, 2.5, "5.3 Disconnecting ends after 1000 ms")
    check(0.6 < now() - t - 3 < 2.5, f"the line's end after {now() - t:.1f} s")


@agent("5.7 Heartbeats that were due are not made up for by several; the first comes within an interval", 3)
def _(env):
    peer = env.peer()
    t = now()
    peer.until(lambda: beats(peer), 1.5, "5.7 the first Heartbeat")
    check(now() - t < 1.3, f"5.7 the first Heartbeat after {now() - t:.1f} s")
    peer.rest(0.1)
    count = len(beats(peer))
    peer.clock_jump(2400)
    peer.rest(0.35)
    equal("Heartbeats after 2.4 s at once", len(beats(peer)) - count, 1)


def lost(name, act, steps=9, before=None, metric=None):
    """A host that does `act` in each 400 ms, and answers no Heartbeat, is lost in 3000 to 3900 ms."""
    @agent(f"5.7 {name} is not heard: Bye 2", 2)
    def _(env):
        peer = env.peer()
        peer.echo = False
        state = before(peer) if before else None
        for _ in range(steps):
            peer.clock_jump(400)
            if peer.bye is None:
                act(peer, state)
            peer.rest(0.02)
            if peer.bye is not None:
                break
        at = peer.clock
        peer.wait_end(2, 0.5, name)
        check(at > 290, f"lost after {at * 10} ms")


def query(peer, _):
    peer.send("GetStatus")
    peer.until(lambda: peer.answers or peer.bye is not None, 1)
    peer.answers.clear()


def halts(peer, _):
    peer.send("Halt")
    peer.until(lambda: peer.answers or peer.bye is not None, 1)
    peer.answers.clear()


lost("a host that sends commands on channel 1", query)
lost("a host that sends commands on channel 0", halts)
lost("a Heartbeat with a challenge that was never sent", lambda p, _: p.beat(0x12345678))
lost("a Heartbeat whose time is too far ahead", lambda p, _: p.beat(beat_of(p), time=p.clock + 500),
     before=lambda p: beat_of(p))


def replay(peer, _):
    peer.send_message(peer.recorded, 0)


def record_one(peer):
    peer.beat(beat_of(peer))
    peer.recorded = peer.last_message


lost("a recorded Heartbeat that is sent again", replay, before=record_one)


def same_challenge(peer, challenge):
    peer.beat(challenge)


lost("a challenge that came back already", same_challenge, before=lambda p: (p.beat(beat_of(p)), beat_of(p))[1])


@agent("5.7 any of the last Heartbeats may be answered: heard is when that one was sent", 4)
def _(env):
    peer = env.peer()
    peer.echo = False
    challenges = []
    for _ in range(2):
        peer.until(lambda: len(beats(peer)) > len(challenges), 2, "a Heartbeat")
        challenges.append(beats(peer)[-1])
    # The answer to the first one, late: heard as of about 1000 ms; the host is lost at about 4000.
    peer.beat(challenges[0].fields["challenge"])
    peer.status()
    equal("metric 14", peer.metrics()[14], 1)
    peer.age(1000)
    check(peer.bye is None, "lost although the first Heartbeat was answered")
    while peer.bye is None and peer.clock < 520:
        peer.age(200)
    at = peer.clock
    peer.wait_end(2, 0.5, "heard as of the first Heartbeat")
    check(at < 465, f"lost at {at * 10} ms: heard as of the answer, not of the challenge")


@agent("5.7 at the beginning of Active the host has been heard as of Agree's time", 2)
def _(env):
    peer = env.opened().welcomed()
    agreed = peer.heard
    for _ in range(5):
        env.knob("clock 400", peer)
        peer.skew += 400
        peer.rest(0.03)
    peer.agree(time=agreed)
    peer.answer("Done after Agree", "Done")
    peer.active, peer.echo = True, False
    while peer.bye is None and peer.clock < 560:
        peer.age(200)
    at = peer.clock
    peer.wait_end(2, 0.5, "heard as of Agree's time")
    check(290 <= at < 420, f"lost at {at * 10} ms, heard at {agreed * 10} ms")


@agent("5.7 when a newer Heartbeat was answered, an older one's challenge is forgotten", 4)
def _(env):
    peer = env.peer()
    peer.echo = False
    while len(beats(peer)) < 2:
        peer.rest(0.05)
    old, new = (m.fields["challenge"] for m in beats(peer)[:2])
    peer.beat(new)
    peer.beat(old)
    peer.beat(new)
    peer.status()
    equal("metric 14, challenges that came back", peer.metrics()[14], 1)


@agent("5.7 answered Heartbeats keep a session, though nothing else is sent", 2)
def _(env):
    peer = env.peer()
    peer.age(9000)
    peer.rest(0.1)
    check(peer.bye is None, f"Bye {peer.bye}")
    peer.status()
    check(peer.metrics()[14] >= 6, "metric 14")


@both("5.7 the end by host loss: reaction, forces, traps; a stopped machine stays stopped; it is all in State", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000100, 1))
    peer.ask("Force", peer.force())
    peer.ask("Force", peer.force(addr=0x20000024))
    peer.journal()
    peer.echo = False
    peer.age(3600)
    peer.wait_end(2, 1, "no Heartbeat was answered")
    j = env.knob("journal")
    equal("first the reaction", j["journal"][:1], ["react"])
    equal("then forces", set(j["journal"][1:3]), {"release 536870944", "release 536870948"})
    equal("then traps", j["journal"][3:], ["clear 536871168"])
    equal("what is left", (j["forces"], j["traps"]), ({}, 0))
    if not env.serial:
        return
    after = peer.finish_end().next()
    equal("State: run state, cause, forces that ended", (after.state["run_state"], after.state["cause"],
          sorted(after.state["ended"])), (2, 2, [0x20000020, 0x20000024]))
    s = after.status()
    equal("run state, breakpoints, forces", (s["run_state"], s["breakpoints"], s["forces"]), (2, 0, 0))
    equal("the forced bytes", after.read(0x20000020, 4), ORIGINAL)


@agent("5.7 Halt that has arrived is executed before the host's loss is judged", 3)
def _(env):
    """The agent stalls until the host is lost; Halt and Release arrived meanwhile, and so did a Resume."""
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.ask("Resume")
    peer.journal()
    peer.echo = False
    peer.age(2400)
    if peer.bye is not None:
        return
    peer.stall(900)
    release = peer.send("Release", SAMPLE["Release"])
    halt = peer.send("Halt")
    peer.send("GetStatus")
    peer.wait_end(2, 3, "the host was lost in the stall")
    got = {m.fields["request"]: m.name for m in peer.log if "request" in m.fields and m.name != "Stopped"}
    equal("Release, Halt", (got.get(release), got.get(halt)), ("Done", "Done"))
    j = env.knob("journal")["journal"]
    check("halt" in j and "release 536870944" in j, f"journal: {j}")


@serial("5.7 ACKs do not keep a session", 2)
def _(env):
    peer = env.peer()
    peer.echo = False
    for _ in range(9):
        peer.clock_jump(400)
        peer.link.send_ack()
        peer.rest(0.03)
    peer.wait_end(2, 1, "ACKs alone")


@agent("8.13 on a byte stream there are no metrics of lanes and packets", 1)
def _(env):
    m = env.peer().metrics()
    equal("metrics of lanes and packets", [n for n in m if n >= 0x100 or n == 12], [])


# -- the agent's clock -----------------------------------------------------------------------------------------------

@agent("5.6 the host has no clock: one that only repeats what it heard is never stale, however long it takes", 3)
def _(env):
    peer = env.peer()
    for _ in range(5):
        peer.age(3000)
        peer.status()
        peer.halt()
        peer.ask("Resume")
    check(peer.clock > 1500, "the clock")


@agent("8.10 a step back of at most 100 ms counts as no step at all", 2)
def _(env):
    peer = env.peer()
    peer.status()
    for _ in range(6):
        env.knob("clock -90", peer)
        peer.rest(0.12)
        peer.status()
    check(peer.bye is None, f"Bye {peer.bye}")
    peer.rest(0.3)
    peer.halt()


@both("8.10 a step back of more than 100 ms ends the session: Bye 10, and what it held is taken back", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    # An answer with a time that a clock gone back could not reach: a session younger than 10 ms has none to go below.
    peer.rest(0.2)
    peer.status()
    env.knob("clock -400", peer)
    peer.wait_end(10, 1.5, "the clock stepped back")
    equal("journal", env.knob("journal")["journal"], ["react", "release 536870944"])


@both("8.10 a step back of more than 100 ms closes a session that is not Active yet", 2)
def _(env):
    peer = env.opened().welcomed()
    env.knob("clock -400", peer)
    peer.until(lambda: peer.link.resets or peer.link.closed, 2.5, "the end of the line")
    check(peer.bye is None, f"Bye {peer.bye}")


@agent("8.10 a clock that stands still ends the session: Bye 10, within the loss time", 5)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    peer.clock_tolerance = 800
    env.knob("freeze 1", peer)
    t = now()
    peer.wait_end(10, 6, "the clock stands still")
    check(now() - t < 4.5, f"after {now() - t:.1f} s")
    equal("journal", env.knob("journal")["journal"], ["react", "release 536870944"])


@both("8.10 a healthy clock is not taken for broken, however often the agent runs: steps for two seconds", 3)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Step", {"count": 0xFFFFFFFF, "trace": 0})
    peer.rest(2.0)
    check(peer.bye is None, f"Bye {peer.bye} while steps are under way")
    peer.halt_steps()


@agent("8.10 a clock that limps is broken as well: Bye 10", 6)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.journal()
    peer.clock_tolerance = 1500
    env.knob("freeze 1", peer)
    t = now()
    while peer.bye is None and now() - t < 6:
        env.knob("clock 3", peer)
        peer.rest(0.1)
    peer.wait_end(10, 1, "the clock limps")


@agent("8.10 a lease does not last longer when the clock steps back a little", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force(lease=600))
    for _ in range(6):
        env.knob("clock -80", peer)
        peer.rest(0.15)
    peer.rest(0.3)
    equal("forces after 1.2 s, of which 0.5 s did not count, and a lease of 600 ms", peer.status()["forces"], 0)


# -- stalls ----------------------------------------------------------------------------------------------------------

@both("8.9 a stall ends all forces, after the reaction: cause 21; the session and traps go on", 2)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("SetBreakpoint", at(0x20000104, 1))
    peer.ask("Force", peer.force())
    peer.ask("Force", peer.force(addr=0x20000024))
    peer.journal()
    peer.stall(700)
    peer.rest(0.9)
    j = peer.journal()
    equal("first the reaction, once", [t for t in j["journal"] if t == "react"], ["react"])
    equal("first the reaction", j["journal"][0], "react")
    equal("forces and traps that are left", (j["forces"], j["traps"]), ({}, 1))
    s = peer.status()
    equal("forces, breakpoints", (s["forces"], s["breakpoints"]), (0, 1))
    ends = [(r["kind"], r["cause"]) for r in peer.log_from() if r["kind"] == 0xE0]
    equal("records of the ends", ends, [(0xE0, 21), (0xE0, 21)])


@agent("8.9 a pause shorter than the stall time ends nothing", 1)
def _(env):
    peer = env.peer()
    peer.halt()
    peer.ask("Force", peer.force())
    peer.journal()
    peer.stall(250)
    peer.rest(0.4)
    equal("journal", peer.journal()["journal"], [])
    equal("forces", peer.status()["forces"], 1)


@agent("8.13 metric 15: the longest time from one run to the next", 2)
def _(env):
    peer = env.peer()
    before = peer.metrics()[15]
    check(before < 400, f"metric 15 is {before} at the start")
    peer.stall(600)
    peer.rest(0.7)
    after = peer.metrics()[15]
    check(550 <= after <= 1500, f"metric 15 is {after} after a stall of 600 ms")
