"""What a bad clock may do: stand still, limp, step back, run out; and stalls beside it.

True time passes beside the agent's clock. The agent reads its platform's clock in every run: what that gained is
added to the agent's time, and what it lost is nothing. A live host is heard whenever the agent's time moves. The
adversary chooses what the clock shows. A good clock is one that is never more than JITTER behind; a bad one shows
anything.

A clock that runs slowly for ever while runs are slow, too, no agent can see: the bound is in runs. (The host can:
the echoed time falls behind its own.)
"""

from search import FULL, Model

LOSS = 5 if FULL else 4
STALL = 2 if FULL else 1
JITTER = 2  # a good clock's unit and what interrupts disturb: it may show one step back of one unit
STANDSTILL = 3 if FULL else 2  # runs without progress since the host was heard
# Each run that counts may have come as late as the stall time lets it.
BOUND = (LOSS + STANDSTILL + 1) * STALL
FIELD = BOUND + 4  # the greatest time since Welcome that the wire can carry

PROPERTIES = {
    "bounded": "a force outlives its host by more than (loss + standstill + 1) runs at their slowest",
    "halt-taken": "a Halt with the greatest time received is refused: the agent's time is before it",
    "good-clock-kept": "a session with a live host ends though its clock is good",
}
RULES = {
    "loss": ("the session ends when now - heard >= loss", "bounded"),
    "standstill-ends": ("runs without progress of the clock end the session when they are too many", "bounded"),
    "since-heard": ("they are counted since the host was heard: a clock that limps makes progress now and then",
                    "bounded"),
    "standstill-tolerated": ("some are nothing: runs are faster than the clock's unit", "good-clock-kept"),
    "small-step-tolerated": ("a small step back is nothing", "good-clock-kept"),
    "step-is-nothing": ("and does not take the agent's time back", "halt-taken", "bounded"),
    "bye-before-end": ("Bye comes before the field runs out", "halt-taken"),
    "stall": ("what applies forces has a timer of its own for the stall", "bounded"),
}
HAPPENS = {"tick", "clock stands", "clock steps back", "clock jumps", "run", "run: host lost", "run: step back",
           "run: standstill", "run: standstill for too long", "run: Bye, the time runs out", "stall: forces drop",
           "host dies"}
FIELDS = "now ahead heard gain still idle dead behind"
NAMES = FIELDS.split()

# now       the agent's time since Welcome; a force is held from then on
# ahead     how far the greatest time that was sent is ahead of it
# heard     age of the time that was heard, in the agent's time
# gain      what the platform's clock has gained since the agent read it
# still     runs without progress
# idle      ticks since the agent ran
# dead      0, or 1 + true ticks since the host died
# behind    how far the platform's clock is behind, or None for one that has been bad
START = (0, 0, 0, 0, 0, 0, 0, 0)


def start(off):
    standstill = 0 if "standstill-tolerated" in off else STANDSTILL

    def steps(state):
        now, ahead, heard, gain, still, idle, dead, behind = state
        out = []

        # Time passes, and the clock shows what it likes.
        if idle + 1 > STALL and "stall" not in off:
            out.append(("stall: forces drop", START, None))
        else:
            died = min(dead + 1, BOUND + 2) if dead else 0
            hurt = "bounded" if died > BOUND else None
            for shown in (-3, -2, -1, 0, 1, 2, 3):
                label = ("tick" if shown == 1 else "clock stands" if shown == 0
                         else "clock jumps" if shown > 1 else "clock steps back")
                late = None if behind is None else behind + 1 - shown
                if late is not None and not 0 <= late <= JITTER:
                    late = None
                total = max(-4, min(LOSS, gain + shown))
                out.append((label, (now, ahead, heard, total, still, min(idle + 1, STALL + 1), died, late), hurt))
        if not dead:
            out.append(("host dies", state[:6] + (1, behind), None))

        # The agent runs, once in a tick at most: without time in between a run is no different.
        if idle:
            kept = None if dead or behind is None else "good-clock-kept"
            back = gain < 0
            moved = gain if gain > 0 or "step-is-nothing" in off else 0
            time = now + moved
            age = max(heard + moved, 0)
            before = min(max(now + ahead - time, 0), FIELD)
            count = still + 1 if gain <= 0 else 0 if "since-heard" in off else still
            if time > FIELD and "bye-before-end" not in off:
                out.append(("run: Bye, the time runs out", START, None))
            elif back and "small-step-tolerated" in off:
                out.append(("run: step back ends it", START, kept))
            elif age >= LOSS and "loss" not in off:
                out.append(("run: host lost", START, kept))
            elif count > standstill and "standstill-ends" not in off:
                out.append(("run: standstill for too long", START, kept))
            else:
                if time > FIELD:
                    time, before = 0, FIELD
                hurt = "halt-taken" if before > 0 else None
                if not dead and moved > 0:
                    age = count = 0
                label = "run: step back" if back else "run: standstill" if gain == 0 else "run"
                after = (max(time, 0), before, min(age, LOSS), 0, min(count, standstill + 1), 0, dead, behind)
                out.append((label, after, hurt))
        return out

    return START, steps


MODEL = Model("clock", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
