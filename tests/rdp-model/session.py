"""One session on a hostile network: time, host loss, the waiting commands, the grant.

The adversary delays, loses, copies and reorders what the host sends; the host may die, the grant may expire, and
the agent may stall at any moment. Time is unbounded: a state holds ages, and an age that can no longer matter
stands still. What older sessions sent is in lines.py; a network that keeps its bounds is in timely.py; a bad clock
is in clock.py.

Sound reductions, all while the rules that allow them are on:
* What the agent sent reaches the host at any age, or never; only a time greater than the host's greatest counts.
* The agent may have sent a heartbeat at any age. More heartbeats only help the adversary.
* A message that was overtaken on its channel is discarded wherever it arrives, so it is dropped.
* A heartbeat that is older than the one heard changes nothing but the order, and so does losing what it overtakes.
"""

from search import FULL, Model

TOLERANCE = LOSS = 3 if FULL else 2
STALL = 2 if FULL else 1
URGENT = 2  # messages of the host in flight on channel 0
BULK = 2  # and on channel 1
PERIOD = TOLERANCE + 2  # of the broken rule's modular time

PROPERTIES = {
    "fresh": "a command is older than the tolerance when it executes",
    "halt-not-stale": "a Halt that arrives in order, with the host not lost, is refused as stale",
    "halt-executes": "a Halt that was received in time is not executed by the next run",
    "once": "a command is accepted twice",
    "bounded": "a force is still there loss + stall after its host died",
    "expired-denied": "an expired grant applies a force",
    "expired-stops": "an expired grant cannot halt what it was granted to halt",
}
RULES = {
    "tolerance-at-arrival": ("the agent looks at a message's age at arrival", "fresh"),
    "tolerance-at-execution": ("and again at execution, since it may have waited", "fresh"),
    "halt-one-look": ("but not for a Halt that was received in time", "halt-executes"),
    "halt-before-loss": ("a Halt that was received executes before host loss is judged", "halt-executes"),
    "loss-within-tolerance": ("loss <= tolerance (one unit more still holds)", "halt-not-stale"),
    "sequence": ("a sequence exceeds the last one of its channel", "once"),
    "heard-by-challenge": ("heard is when the agent sent the challenge, not when the echo arrived", "bounded"),
    "heard-in-order": ("a message that is replayed or stale is not heard, whatever its tag", "bounded",
                       "halt-not-stale"),
    "bulk-not-heard": ("channel 1 is not heard: it would hide that channel 0 is cut", "halt-not-stale"),
    "direction": ("the tag covers the direction: a reflected heartbeat is not heard", "bounded", "halt-not-stale"),
    "loss": ("the session ends when now - heard >= loss", "bounded", "halt-not-stale"),
    "stall": ("what applies forces drops them when the agent has not run for the stall time", "bounded"),
    "whole-time": ("times are not compared modulo anything", "fresh"),
    "expiry": ("an expired grant passes Halt and Release alone", "expired-denied"),
    "expiry-latched": ("an expired grant stays expired", "expired-denied"),
    "halt-when-expired": ("an expired grant passes Halt", "expired-stops"),
}
HAPPENS = {"tick", "run", "run: Halt", "run: Force", "run: host lost", "accepted: Halt", "accepted: Force", "heard",
           "host dies", "grant expires", "stall: forces drop", "stale Halt after loss"}
FIELDS = "heard idle halt waiting forced grant dead known urgent bulk"

# heard    age of the newest challenge whose echo has arrived
# idle     ticks since the agent ran
# halt     0, or 1 + age of a waiting Halt (1 alone where its age cannot matter)
# waiting  a Force in the queue: (age of its time, real age), or None
# forced   0 or 1
# grant    0 valid, 1 expired, 2 back from the dead
# dead     0, or 1 + ticks since the host died
# known    age of the greatest time that the host has received
# urgent   channel 0 in the order of sending: (kind, age of its time, real age, accepted before)
# bulk     channel 1: (age of its time, real age, accepted before)
START = (0, 0, 0, None, 0, 0, 0, 0, (), ())


def start(off):
    loss = TOLERANCE + 2 if "loss-within-tolerance" in off else LOSS
    look_at_arrival = "tolerance-at-arrival" not in off
    look_at_execution = "tolerance-at-execution" not in off
    halt_looked_at = "halt-one-look" in off
    sequence = "sequence" not in off
    by_challenge = "heard-by-challenge" not in off
    replay_heard = "heard-in-order" in off
    modular = "whole-time" in off
    oldest = PERIOD if modular else TOLERANCE + 1
    keep_old = not sequence
    keep_stale = modular or not look_at_arrival
    # Ages are compared with less; beyond this one, none differs from the others.
    unheard = loss
    end_of_death = 2 + LOSS + STALL

    def fresh(age):
        return (age % PERIOD if modular else age) <= TOLERANCE

    def older(age):
        return age + 1 if age < oldest else oldest

    def useful(urgent, heard):
        """Channel 0 without the echoes that can never matter any more."""
        if keep_old or not by_challenge:
            return urgent
        return tuple(m for m in urgent if m[0] == "Halt" or m[1] < heard)

    def steps(state):
        heard, idle, halt, waiting, forced, grant, dead, known, urgent, bulk = state
        out = []

        def add(label, broken=None, heard=heard, idle=idle, halt=halt, waiting=waiting, forced=forced, grant=grant,
                dead=dead, known=known, urgent=urgent, bulk=bulk):
            out.append((label, (heard, idle, halt, waiting, forced, grant, dead, known, urgent, bulk), broken))

        # Time passes.
        drop = idle + 1 > STALL and forced and "stall" not in off
        died = min(dead + 1, end_of_death) if dead else 0
        late = tuple((kind, older(age), min(real + 1, oldest) if kind == "Halt" else 0, old)
                     for kind, age, real, old in urgent)
        queued = waiting and (older(waiting[0]), min(waiting[1] + 1, oldest))
        if queued and not fresh(queued[0]) and look_at_execution and not modular:
            queued = None  # refused as stale by the next run, whatever happens until then
        there = bulk if keep_old or keep_stale else (m for m in bulk if m[0] < TOLERANCE)
        add("stall: forces drop" if drop else "tick",
            "bounded" if forced and not drop and died > LOSS + STALL else None,
            heard=min(heard + 1, unheard), idle=min(idle + 1, STALL + 1),
            halt=min(halt + 1, 1 + oldest) if halt and halt_looked_at else halt, waiting=queued,
            forced=0 if drop else forced, dead=died, known=0 if dead else older(known),
            urgent=useful(late, min(heard + 1, unheard)),
            bulk=tuple((older(age), min(real + 1, oldest), old) for age, real, old in there))

        # The agent runs: Halt, then loss, then one command of channel 1.
        lost = heard >= loss and "loss" not in off
        if lost and not (halt and "halt-before-loss" not in off):
            out.append(("run: host lost", START, "halt-executes" if halt else None))
        elif halt:
            if halt_looked_at and halt - 1 > TOLERANCE:
                add("run: Halt is stale", "halt-executes", halt=0, idle=0)
            elif "halt-when-expired" in off and grant == 1:
                add("run: Halt is denied", "expired-stops", halt=0, idle=0)
            elif lost:
                out.append(("run: Halt, host lost", START, None))
            else:
                add("run: Halt", halt=0, idle=0)
        elif waiting and (fresh(waiting[0]) or not look_at_execution) and (grant != 1 or "expiry" in off):
            broken = "fresh" if waiting[1] > TOLERANCE else "expired-denied" if grant else None
            add("run: Force", broken, waiting=None, forced=1, idle=0)
        elif waiting or idle:
            add("run", waiting=None, idle=0)

        # Channel 0 arrives; what was sent before it arrives too late from now on.
        for i, (kind, age, real, old) in enumerate(urgent):
            if old and sequence:
                continue
            rest = (tuple(m[:3] + (1,) for m in urgent[:i + 1]) if keep_old else ()) + urgent[i + 1:]
            if kind == "Beat":
                if age > TOLERANCE and not by_challenge:
                    continue
                now = min(heard, age if by_challenge else 0)
                add("heard", heard=now, urgent=useful(rest, now))
            elif not fresh(age) and look_at_arrival:
                if heard >= loss and "loss" not in off:
                    add("stale Halt after loss", urgent=rest)
                else:
                    add("stale Halt", "halt-not-stale", urgent=rest)
            else:
                broken = "once" if old else "fresh" if real > TOLERANCE else None
                add("accepted: Halt", broken, halt=1, urgent=rest)

        # Channel 1.
        for i, (age, real, old) in enumerate(bulk):
            if old and sequence:
                continue
            if not fresh(age) and look_at_arrival:
                continue
            rest = (tuple(m[:2] + (1,) for m in bulk[:i + 1]) if keep_old else ()) + bulk[i + 1:]
            if waiting is None:
                now = min(heard, age) if "bulk-not-heard" in off else heard
                add("accepted: Force", "once" if old else None, waiting=(age, real), bulk=rest, heard=now,
                    urgent=useful(urgent, now))

        # The network loses.
        for i in range(len(urgent)):
            add("lost", urgent=urgent[:i] + urgent[i + 1:])
        for i in range(len(bulk)):
            add("lost", bulk=bulk[:i] + bulk[i + 1:])
        if replay_heard:
            add("heard: a copy of any message", heard=0, urgent=useful(urgent, 0))
        if "direction" in off and idle < heard:
            add("heard: the agent's own heartbeat", heard=idle, urgent=useful(urgent, idle))

        # The host sends, hears, dies; the grant expires.
        if not dead:
            if len(urgent) < URGENT:
                add("host: Halt", urgent=urgent + (("Halt", known, 0, 0),))
                for age in range(idle, known):
                    add("host: echo", known=age, urgent=useful(urgent + (("Beat", age, 0, 0),), heard))
            if len(bulk) < BULK and (known <= TOLERANCE or keep_old or keep_stale):
                add("host: Force", bulk=bulk + ((known, 0, 0),))
            add("host dies", dead=1, known=0)
        if grant == 0:
            add("grant expires", grant=1)
        if grant == 1 and "expiry-latched" in off:
            add("grant comes back", grant=2)
        return out

    return START, steps


MODEL = Model("session", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
