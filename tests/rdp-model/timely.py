"""A live host on a line that keeps its bounds: it is never lost, and nothing that it sends is refused.

Every message arrives within DELAY, in order on its channel; the agent runs in every unit of time; the host answers
each heartbeat at once. The adversary chooses every delay and when the host sends. session.py is the same session on
a line without bounds: there nobody promises that a host is kept, only that nothing wrong is executed.
"""

from search import FULL, Model

INTERVAL, DELAY = (2, 2) if FULL else (1, 1)
LOSS = INTERVAL + 2 * DELAY + 1
CREDIT = 2
TOLERANCE = INTERVAL + 2 * DELAY + CREDIT

PROPERTIES = {
    "host-kept": "a live host is lost",
    "halt-taken": "a Halt of a live host is refused as stale, or discarded",
    "force-taken": "a Force of a live host is refused as stale at its arrival or at its execution",
}
RULES = {
    "loss-long-enough": ("interval + 2 delays < loss", "host-kept"),
    "tolerance-long-enough": ("interval + 2 delays <= tolerance", "halt-taken", "force-taken"),
    "tolerance-has-waiting": ("and a run for each command of the credit: interval + 2 delays + credit <= tolerance",
                              "force-taken"),
    "challenges-kept": ("every challenge sent within loss is good, not the newest one alone", "host-kept"),
    "answered-at-once": ("the host answers a heartbeat at once (or its latency is added to both)", "host-kept"),
    "always-heartbeat": ("the agent sends Heartbeat at every interval whatever else it sends", "host-kept"),
    "echoed-time": ("the host writes the greatest time received, not its own clock", "halt-taken", "force-taken"),
    "channel-in-order": ("the line keeps the order of a channel, or the sequence check eats a Halt", "halt-taken"),
}
HAPPENS = {"tick", "heartbeat", "host answers", "heard", "Halt arrives", "Force arrives", "run: Force"}
FIELDS = "heard beat ran down known urgent bulk waiting drift"
NAMES = FIELDS.split()

# heard    age of the newest challenge whose echo has arrived
# beat     ticks since the last heartbeat was sent
# ran      the agent has run since the last tick
# down     ages of the heartbeats on their way to the host
# known    age of the greatest time that the host has received
# urgent   channel 0 to the agent: (kind, ticks on the way, age of its time)
# bulk     channel 1 to the agent: the same without a kind
# waiting  the queue: ages of the times of Forces
# drift    how far the host's own clock is behind, where it is used
START = (0, 0, 1, (), 0, (), (), (), 0)


def start(off):
    loss = LOSS - 1 if "loss-long-enough" in off else LOSS
    tolerance = TOLERANCE - CREDIT - 1 if "tolerance-long-enough" in off else TOLERANCE
    tolerance -= 1 if "tolerance-has-waiting" in off else 0
    latency = 1 if "answered-at-once" in off else 0
    own_clock = "echoed-time" in off
    newest_alone = "challenges-kept" in off
    in_order = "channel-in-order" not in off

    def steps(state):
        heard, beat, ran, down, known, urgent, bulk, waiting, drift = state
        out = []

        def add(label, broken=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            out.append((label, tuple(values.values()), broken))

        # Time passes, but no message stays on the way for longer than it may.
        if (ran and all(age < DELAY + latency for age in down) and all(m[1] < DELAY for m in urgent)
                and all(m[0] < DELAY for m in bulk)):
            add("tick", heard=heard + 1, beat=beat + 1, ran=0, down=tuple(age + 1 for age in down),
                known=min(known + 1, tolerance + 1),
                urgent=tuple((kind, way + 1, min(age + 1, loss + 1)) for kind, way, age in urgent),
                bulk=tuple((way + 1, min(age + 1, tolerance + 1)) for way, age in bulk),
                waiting=tuple(min(age + 1, tolerance + 1) for age in waiting))
        if own_clock and drift <= tolerance:
            add("the clocks drift", drift=drift + 1)

        # The agent runs.
        if heard >= loss:
            out.append(("run: host lost", START, "host-kept"))
        elif not ran:
            due = beat >= INTERVAL
            sent = dict(beat=0, down=down + (0,)) if due else {}
            stale = waiting and waiting[0] > tolerance
            label = "run: Force" if waiting else "heartbeat" if due else "run"
            add(label, "force-taken" if stale else None, ran=1, waiting=waiting[1:], **sent)
            if due and "always-heartbeat" in off:
                add("run: too busy for a heartbeat", ran=1, waiting=waiting[1:])

        # Arrivals.
        if down:
            age = down[0]
            known_now = min(known, age)
            add("host answers", down=down[1:], known=known_now, urgent=urgent + (("Beat", 0, age),))
        for i, (kind, _, age) in enumerate(urgent[:1] if in_order else urgent):
            overtaken = any(m[0] == "Halt" for m in urgent[:i])
            if kind == "Beat":
                counts = age <= beat if newest_alone else True
                add("heard", "halt-taken" if overtaken else None,
                    heard=min(heard, age) if counts else heard, urgent=urgent[i + 1:])
            else:
                add("Halt arrives", "halt-taken" if age > tolerance or overtaken else None, urgent=urgent[i + 1:])
        if bulk:
            add("Force arrives", "force-taken" if bulk[0][1] > tolerance else None,
                waiting=waiting + (bulk[0][1],), bulk=bulk[1:])

        # The host sends.
        written = drift if own_clock else known
        if not any(m[0] == "Halt" for m in urgent):
            add("host: Halt", urgent=urgent + (("Halt", 0, written),))
        if len(bulk) + len(waiting) < CREDIT:
            add("host: Force", bulk=bulk + ((0, written),))
        return out

    return START, steps


MODEL = Model("timely", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
