"""A trap that is hit while something else happens: the session's end, a Clear, a Resume, an event without room.

The program runs beside the agent and may hit a trap between any two of its actions. Debug hardware stops the
program by itself; that the agent knows comes later. The session's end is taken apart: reaction, forces, traps, a
last look.
"""

from search import Model

PROPERTIES = {
    "end-leaves-stop": "a session has ended and the program stands at a trap that nobody has looked at",
    "stands-unsafe": "the program stands without a host, and the loss reaction was not performed",
    "unrecorded": "the program stands without a host, and that is recorded nowhere",
    "silent-stand": "the program stands at a trap, and the host will never be told",
    "told-of-running": "the host is told that the program stands while it runs",
    "old-event": "an event of an earlier session is sent in a later one",
    "new-host-told": "a host opens a session and is not told that the program stands",
    "forced-loose": "the program is let go from its traps while something is still forced",
}
RULES = {
    "look-after-clear": ("the end looks for a stop after traps are cleared: then none can come any more",
                         "end-leaves-stop"),
    "clear-at-end": ("the session's end clears traps", "end-leaves-stop"),
    "series-ends": ("and takes back a step that is under way", "end-leaves-stop"),
    "reaction-for-traps": ("the loss reaction is performed for traps and stops, not for forces alone",
                           "stands-unsafe"),
    "record-raced-stop": ("a stop that the end finds is recorded", "unrecorded"),
    "record-known-stop": ("so is one that the host knew of", "unrecorded"),
    "cleared-still-told": ("a stop is told though its trap has been cleared since", "silent-stand"),
    "event-waits-for-room": ("an event without room waits", "silent-stand"),
    "resume-after-told": ("Resume and Step are refused while a stop has not been told", "told-of-running"),
    "events-end-with-session": ("events that wait end with their session", "old-event"),
    "state-tells-stop": ("State tells the last stop and its cause", "new-host-told"),
    "traps-after-forces": ("traps are cleared after forces have ended", "forced-loose"),
}
HAPPENS = {"trap hit", "step done", "run", "run: stop found", "event sent", "host lost", "end: reaction",
           "end: forces", "end: traps", "end: a stop is found", "end: no stop", "opened", "host: arms",
           "host: clears", "host: Resume", "host: Step", "host: Force", "room goes", "room comes"}
FIELDS = "session runs armed step stopped known event room forced safe stage record"
NAMES = FIELDS.split()

# session   there is one
# runs      the program runs
# armed     a trap is armed; step: the program will stop after one instruction
# stopped   the debug hardware has stopped the program and the agent has not looked yet
# known     the agent knows that the program stands
# event     0, 1 for a Stopped of this session that waits, 2 for one of an earlier session
# room      the link takes an event
# forced    something is forced
# safe      the loss reaction was performed since the program was last let run
# stage     of the session's end: 0 none, then what comes next, 1 reaction, 2 forces, 3 traps, 4 the last look
# record    the present stop is in the log
START = (0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)
REACTION, FORCES, TRAPS, LOOK = 1, 2, 3, 4


def start(off):
    def steps(state):
        session, runs, armed, step, stopped, known, event, room, forced, safe, stage, record = state
        out = []

        def add(label, broken=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            out.append((label, tuple(values.values()), broken))

        # The program, at any moment.
        if runs and armed:
            add("trap hit", runs=0, stopped=1)
        if runs and step:
            add("step done", runs=0, step=0, stopped=1)
        add("room goes" if room else "room comes", room=1 - room)
        if event and room:
            add("event sent", "old-event" if event == 2 else "told-of-running" if runs else None, event=0)

        # The session's end.
        if session and not stage:
            add("host lost", stage=REACTION)
        if stage == REACTION:
            needed = forced if "reaction-for-traps" in off else forced or armed or step or stopped or known
            first = TRAPS if "traps-after-forces" in off else FORCES
            add("end: reaction", safe=1 if needed else safe, stage=first)
        if stage == FORCES:
            add("end: forces", forced=0, stage=LOOK if "traps-after-forces" in off else TRAPS)
        if stage == TRAPS:
            cleared = {} if "clear-at-end" in off else {"armed": 0}
            if "series-ends" not in off:
                cleared["step"] = 0
            late = stopped
            if "look-after-clear" in off:
                # The look came first, so what is hit before the traps are gone is not seen.
                cleared.update(stopped=0, known=known or stopped, record=record or stopped)
            next_stage = FORCES if "traps-after-forces" in off else LOOK
            add("end: traps", "forced-loose" if forced and (armed or late) else None, stage=next_stage, **cleared)
            if "look-after-clear" in off and runs and armed:
                add("end: hit after the look", "end-leaves-stop", runs=0, stopped=1, armed=0, stage=next_stage)
        if stage == LOOK:
            found = stopped or known
            kept = record
            if stopped and "record-raced-stop" not in off or known and "record-known-stop" not in off:
                kept = 1
            hurt = None
            if armed or step:
                hurt = "end-leaves-stop"  # it will be hit, and nobody looks any more
            elif found and not safe:
                hurt = "stands-unsafe"
            elif found and not kept:
                hurt = "unrecorded"
            add("end: a stop is found" if found else "end: no stop", hurt, session=0, stage=0,
                known=1 if found else 0, stopped=0, record=kept if found else 0,
                event=2 if event and "events-end-with-session" in off else 0)

        # Runs and commands of a session.
        if session and not stage:
            if stopped:
                untold = ("cleared-still-told" in off and not armed) or ("event-waits-for-room" in off and not room)
                add("run: stop found", "silent-stand" if untold else None, stopped=0, known=1,
                    event=0 if untold else 1)
            else:
                add("run")
            if not armed:
                add("host: arms", armed=1)
            else:
                add("host: clears", armed=0)
            if not forced:
                add("host: Force", forced=1)
            elif not stopped:
                add("host: Release", forced=0)
            told = not stopped and not event
            if not runs and (told or "resume-after-told" in off):
                for label, stepping in (("host: Resume", 0), ("host: Step", 1)):
                    add(label, runs=1, step=stepping, known=0, stopped=0, safe=0, record=0, event=event or stopped)
        if not session:
            hurt = "new-host-told" if not runs and "state-tells-stop" in off else None
            add("opened", hurt, session=1)
        return out

    return START, steps


MODEL = Model("traps", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
