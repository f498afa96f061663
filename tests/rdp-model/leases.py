"""Forces from their beginning to their end: leases, loss reactions, releases that fail, stalls and resets.

The adversary kills the host, stalls and resets the agent, breaks and repairs what a release needs, and lets the
hook refuse to hold. A live host is heard in every run (session.py has the network). Whether outputs are really
forced is a fact of the machine beside the agent's list of it, so that the two can differ.
"""

from search import FULL, Model

FORCES = 3 if FULL else 2
LOSS, STALL = (3, 2) if FULL else (2, 1)
LEASE = LOSS + STALL + 2  # longer than the loss, or a lease would hide that host loss is not seen

PROPERTIES = {
    "host-bounded": "a force is still there loss + stall after its host died, and not because its release fails",
    "lease-bounded": "a force is still there a stall time after its lease, and not because its release fails",
    "stop-first": "a force ends that nobody asked to end, and no stop came before",
    "traps-last": "traps are cleared, which lets the program go, before the release of each force was tried",
    "session-has-it": "after a run something is forced without a session, and not because its release fails",
    "never-forgotten": "something is forced, or a trap is armed, that the recovered agent does not list",
    "list-is-true": "after a run the agent lists a force as held that is not",
    "no-return": "a force that has ended comes back without a command",
    "tried-again": "after a run something is stuck that could be released",
    "fails-safe": "after a run something is stuck and the fail-safe is not triggered",
    "clean-open": "a control session opens while something is forced, trapped or stuck",
    "stuck-untouched": "a command forces or starts the machine while something is stuck",
    "reset-clean": "something is forced after a reset of the agent",
}
RULES = {
    "loss": ("host loss ends the session", "host-bounded"),
    "end-releases": ("the session's end ends its forces", "session-has-it"),
    "lease": ("a lease that is over ends its force", "lease-bounded"),
    "stall-drops": ("what applies forces drops them when the agent has not run for the stall time", "host-bounded",
                    "lease-bounded"),
    "stall-stops-first": ("and it performs the declared stop first: the agent is not there to do it", "stop-first"),
    "stall-noticed": ("an agent that has not run for the stall time takes its forces as ended", "list-is-true"),
    "stall-latches": ("what has dropped a force does not take it up again when the agent runs", "no-return"),
    "reaction-first": ("an end that nobody asked for begins with the declared stop", "stop-first"),
    "forces-before-traps": ("then forces, then traps", "traps-last"),
    "failed-stays-listed": ("what cannot be released stays listed", "never-forgotten"),
    "tried-every-run": ("and is tried at every run", "tried-again"),
    "triggers-fail-safe": ("and triggers the fail-safe", "fails-safe"),
    "stuck-blocks-open": ("and no control session opens", "clean-open"),
    "stuck-blocks-touching": ("and the session that is there can only Halt and Release", "stuck-untouched"),
    "reset-ends-forces": ("forces live only in state that resets with the agent", "reset-clean"),
    "reset-stops": ("a reset of the agent stops the machine, or starts no motion by itself", "stop-first"),
    "recover-before-open": ("recover() comes before any OPEN: debug hardware keeps traps through a reset",
                            "clean-open"),
    "recover-succeeds": ("and has to succeed", "clean-open"),
}
HAPPENS = {"host: Force", "host: Renew", "host: Release", "host: Release fails", "run: host lost",
           "run: lease over", "run: hold refused", "run: grant expires", "run: line ends", "run: tried again",
           "stall: forces drop", "reset", "recovered", "recover() fails", "opened", "host: Resume",
           "run after a stall"}
FIELDS = "session dead idle forces trap armed stopped safe broken recovered"
NAMES = FIELDS.split()

# session   a control session is there
# dead      0, or 1 + ticks since its host died
# idle      ticks since the agent ran, up to STALL + 1
# forces    FORCES times (listed, forced, age of the lease): listed is 0, HELD or STUCK; forced is the machine's truth
# trap      0, HELD or STUCK in the agent's list; armed: the debug hardware's truth
# stopped   a stop was performed since the machine was last started
# safe      the fail-safe is triggered; only a reset takes that back
# broken    releases and clears fail at present
# recovered recover() has succeeded since the reset
HELD, STUCK = 1, 2
NONE = (0, 0, 0)
START = (0, 0, 0, (NONE,) * FORCES, 0, 0, 1, 0, 0, 0)


def start(off):
    forget = "failed-stays-listed" in off
    oldest = LEASE + STALL + 1
    latest = 2 + LOSS + STALL

    def steps(state):
        session, dead, idle, forces, trap, armed, stopped, safe, broken, recovered = state
        stuck = trap == STUCK or any(f[0] == STUCK for f in forces)
        forced = any(f[1] for f in forces)
        out = []

        def add(label, hurt=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            values["forces"] = tuple(sorted(values["forces"]))
            if not values["session"] and not any(f[1] for f in values["forces"]):
                values["dead"] = 0
            if not hurt and values["recovered"]:
                lost = any(f[1] and not f[0] for f in values["forces"]) or (values["armed"] and not values["trap"])
                hurt = "never-forgotten" if lost else None
            out.append((label, tuple(values.values()), hurt))

        def released(force):
            """A force after an attempt to release it."""
            if not broken:
                return NONE
            return (0, 1, force[2]) if forget else (STUCK, 1, 0)

        def run(label, ends=(), clear=False, close=False):
            """A run that ends the forces `ends`, by index, unasked; clears the trap; closes the session."""
            hurt = None
            held = list(forces)
            hook = armed
            listed = trap
            if idle > STALL:
                if "stall-latches" in off and any(f[0] == HELD and not f[1] for f in held):
                    hurt = "no-return"
                if "stall-noticed" not in off:
                    held = [NONE if f[0] == HELD and not f[1] else f for f in held]
            if "tried-every-run" not in off and not broken:
                held = [NONE if f[0] == STUCK else f for f in held]
                if listed == STUCK:
                    listed = hook = 0
            if close and "end-releases" in off:
                ends = ()
            ends = [i for i in ends if held[i][0] == HELD]
            over = [i for i, f in enumerate(held) if f[0] == HELD and f[2] >= LEASE and "lease" not in off]
            ends = sorted({*ends, *over})
            halted = stopped
            if any(held[i][1] for i in ends) and not stopped and "reaction-first" not in off:
                halted = 1
            if any(held[i][1] for i in ends) and not halted:
                hurt = hurt or "stop-first"
            if clear and listed == HELD:
                if any(held[i][1] for i in ends) and "forces-before-traps" in off:
                    hurt = hurt or "traps-last"
                listed, hook = (STUCK, 1) if broken else (0, 0)
            for i in ends:
                held[i] = released(held[i])
            failed = listed == STUCK or any(f[0] == STUCK for f in held)
            alarm = safe or (failed and "triggers-fail-safe" not in off)
            going = 0 if close else session
            if not hurt:
                if any(f[0] == HELD and not f[1] for f in held):
                    hurt = "list-is-true"
                elif failed and not broken:
                    hurt = "tried-again"
                elif failed and not alarm:
                    hurt = "fails-safe"
                elif not going and any(f[1] and f[0] != STUCK for f in held) and not forget:
                    hurt = "session-has-it"
            if label == "run":
                label = ("run after a stall" if idle > STALL else "run: tried again" if stuck and not failed
                         else "run: lease over" if over else "run")
            add(label, hurt, session=going, idle=0, forces=tuple(held), trap=listed, armed=hook,
                stopped=1 if halted else 0, safe=1 if alarm else 0)

        # Time passes; without a run for too long, what applies forces drops them.
        drops = idle + 1 > STALL and forced and "stall-drops" not in off
        aged = tuple((listed, 0 if drops else real, min(age + 1, oldest) if listed == HELD else 0)
                     for listed, real, age in forces)
        if drops:
            stops = "stall-stops-first" not in off
            aged = tuple((listed, real if listed != STUCK else 1, age) for (listed, real, age) in aged)
            mine = any(f[1] and f[0] == HELD for f in forces)
            add("stall: forces drop", "stop-first" if mine and not stopped and not stops else None, forces=aged,
                idle=STALL + 1, dead=min(dead + 1, latest) if dead else 0, stopped=1 if stops else stopped)
        else:
            free = [f for f in aged if f[1] and f[0] == HELD]
            hurt = None
            if free and dead >= LOSS + STALL:
                hurt = "host-bounded"
            elif any(f[2] >= LEASE + STALL for f in free):
                hurt = "lease-bounded"
            add("tick", hurt, forces=aged, idle=min(idle + 1, STALL + 1), dead=min(dead + 1, latest) if dead else 0)

        # The agent runs.
        everything = range(FORCES)
        if session and dead > LOSS and "loss" not in off:
            run("run: host lost", everything, clear=True, close=True)
        else:
            run("run")
            if forced:
                run("run: hold refused", everything)
            if session:
                run("run: grant expires", everything, clear=True)
                run("run: line ends", everything, clear=True, close=True)

        # Commands, in the run that has just been.
        if session and not dead and idle == 0:
            may = not stuck or "stuck-blocks-touching" in off
            hurt = "stuck-untouched" if stuck else None
            for i, (listed, real, age) in enumerate(forces):
                before, after = forces[:i], forces[i + 1:]
                if listed == 0 and may:
                    add("host: Force", hurt, forces=before + ((HELD, 1, 0),) + after)
                if listed == HELD and age:
                    add("host: Renew", forces=before + ((HELD, real, 0),) + after)
                if listed:
                    add("host: Release fails" if broken else "host: Release",
                        forces=before + (released(forces[i]),) + after, safe=1 if broken else safe)
            if not trap and may:
                add("host: arms a trap", hurt, trap=HELD, armed=1)
            if trap == HELD and not broken:
                add("host: clears the trap", trap=0, armed=0)
            if stopped and may and not safe:
                add("host: Resume", hurt, stopped=0)

        # What may happen at any moment.
        if session and not dead:
            add("host dies", dead=1)
        if not session:
            dirty = armed or any(f[0] or f[1] for f in forces) or trap
            if (recovered or "recover-before-open" in off) and (not stuck or "stuck-blocks-open" in off):
                add("opened", "clean-open" if dirty else None, session=1, dead=0)
        if not recovered:
            if broken and "recover-succeeds" not in off:
                add("recover() fails")
            else:
                add("recovered", recovered=1, armed=armed if broken else 0)
        add("repaired" if broken else "breaks", broken=1 - broken)
        keeps = "reset-ends-forces" in off
        stops = "reset-stops" not in off
        hurt = "reset-clean" if keeps and forced else "stop-first" if forced and not stopped and not stops else None
        add("reset", hurt, session=0, dead=0, idle=0, forces=(NONE,) * FORCES, trap=0,
            stopped=1 if stops else stopped, safe=0, recovered=0)
        return out

    return START, steps


MODEL = Model("leases", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
