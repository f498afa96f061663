"""The audit log: room for effects, room for refusals, reading and releasing, and a reset in between.

An operator acts, halts and forces; an observer has everything refused, in two ways, and reads; an auditor reads and
releases; the agent may reset at any moment. The log survives that; where it does not, a reset loses it and says so.
A record is an effect ("E": also the end of a force and a release of the log) or a refusal ("r" and "s"). Released
records are gone at once here, since they may be overwritten at any time.
"""

from search import FULL, Model

EFFECTS = 9 if FULL else 4  # places for effects
REFUSALS = 2 if FULL else 1  # places for refusals, a quarter at most
FORCES = 2

PROPERTIES = {
    "effect-kept": "the record of an effect is overwritten before it was released",
    "effect-recorded": "an effect happens that is neither recorded nor counted as lost",
    "end-recorded": "the end of a force is not recorded",
    "released-read": "a record is released that the releasing side has not read",
    "released-by-auditor": "records are released by somebody without that authority",
    "release-recorded": "a release of records is not recorded",
    "release-goes": "an auditor's release of what was just read is refused",
    "operator-acts": "the operator is refused for a full log though the places for effects are not full",
    "stop-passes": "a Halt or Release is refused for a full log",
    "force-kept": "a force cannot be renewed since the log is full",
    "usable": "from some state on, the operator can never act again",
}
RULES = {
    "record-first": ("the record is written before the effect", "effect-recorded"),
    "full-refuses": ("a log full of unread effects refuses what touches the machine", "effect-kept"),
    "refusals-quarter": ("refusals have places of their own", "operator-acts"),
    "refusals-overwrite-own": ("and overwrite refusals alone", "effect-kept"),
    "halt-when-full": ("Halt passes without a record when the log is full", "stop-passes"),
    "lost-counted": ("and is counted as lost then", "effect-recorded"),
    "lost-released-too": ("only a release takes the count back", "effect-recorded"),
    "end-has-place": ("a Force keeps a place for the record of its end; Release is that end", "end-recorded"),
    "boot-records-ends": ("the first record after a reset ends the forces that were held: their places are kept",
                          "end-recorded"),
    "renew-unrecorded": ("Renew is not recorded singly", "force-kept"),
    "reading-releases-nothing": ("reading releases nothing", "released-by-auditor"),
    "release-authority": ("ReleaseAudit needs an authority of its own", "released-by-auditor"),
    "release-proves-reading": ("it carries the CRC of the last record read", "released-read"),
    "release-names-effect": ("that is an effect: a refusal may be overwritten or counted up in between",
                             "release-goes"),
    "release-is-recorded": ("it is recorded itself", "release-recorded"),
    "release-when-full": ("in a place that it frees, so that a full log does not refuse it", "usable"),
}
HAPPENS = {"operator: acts", "operator: refused, log full", "operator: Halt", "operator: Halt, not recorded",
           "operator: Force", "force ends", "operator: Renew", "observer: refused", "observer: refused again",
           "auditor: reads", "auditor: releases", "effect", "reset"}
FIELDS = "log read forces doing lost held count_up"
NAMES = FIELDS.split()

# log       what is not released, oldest first
# read      how many of these the auditor has read, from the oldest on
# forces    forces held
# doing     a record is written whose effect is still to come, or the other way round where that rule is off
# lost      effects were counted as lost, and no release has told of it
# held      forces that were held at a reset and whose end is not recorded yet
# count_up  the refusal that was read last has been counted up since, so its CRC is another one
START = ("", 0, 0, 0, 0, 0, 0)


def start(off):
    shared = "refusals-quarter" in off

    def steps(state):
        log, read, forces, doing, lost, held, count_up = state
        effects = log.count("E")
        refusals = len(log) - effects
        kept = 0 if "end-has-place" in off else forces + held
        room = EFFECTS + REFUSALS - len(log) - kept if shared else EFFECTS - effects - kept
        out = []

        def add(label, broken=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            out.append((label, tuple(values.values()), broken))

        def overwritten(kinds):
            """The log without its oldest record of these kinds, and how many of the rest were read."""
            at = next(i for i, kind in enumerate(log) if kind in kinds)
            return log[:at] + log[at + 1:], read - (at < read)

        if held:
            # Boot writes the ends first.
            if "boot-records-ends" in off:
                add("boot", "end-recorded", held=0)
            elif room + kept > 0:
                add("boot: ends of forces", log=log + "E", held=held - 1)
            else:
                add("boot: no place", "end-recorded", held=0)
            return out
        if doing:
            first = "record-first" not in off
            add("effect", doing=0, log=log if first else log + "E")
            add("reset in between", None if first else "effect-recorded", doing=0, forces=0, held=forces)
            return out

        # The operator.
        if room > 0:
            add("operator: acts", doing=1, log=log + "E" if "record-first" not in off else log)
        elif "full-refuses" in off:
            add("operator: acts, the log is full", "effect-kept")
        else:
            add("operator: refused, log full", "operator-acts" if effects + kept < EFFECTS else None)
        if forces < FORCES and room > (0 if "end-has-place" in off else 1):
            add("operator: Force", log=log + "E", forces=forces + 1)
        if room > 0:
            add("operator: Halt", log=log + "E")
        elif "halt-when-full" in off:
            add("operator: Halt is refused", "stop-passes")
        else:
            counted = "lost-counted" not in off
            add("operator: Halt, not recorded", None if counted else "effect-recorded", lost=1)
        if forces:
            recorded = "end-has-place" not in off or room > 0
            add("force ends", None if recorded else "end-recorded", forces=forces - 1,
                log=log + "E" if recorded else log)
            if "renew-unrecorded" not in off:
                add("operator: Renew")
            elif room > 0:
                add("operator: Renew", log=log + "E")
            else:
                add("operator: Renew is refused", "force-kept")
        if lost and "lost-released-too" in off:
            add("observer reads the count of lost effects", "effect-recorded", lost=0)

        # The observer.
        last = next((kind for kind in reversed(log) if kind != "E"), None)
        for kind in "rs":
            if kind == last:
                at = log.rindex(kind)
                add("observer: refused again", count_up=1 if at == read - 1 else count_up)
            elif shared:
                if room > 0:
                    add("observer: refused", log=log + kind)
            elif refusals < REFUSALS:
                add("observer: refused", log=log + kind)
            else:
                rest, still = overwritten("rsE" if "refusals-overwrite-own" in off else "rs")
                lost_effect = rest.count("E") < effects
                add("observer: refused", "effect-kept" if lost_effect else None, log=rest + kind, read=still,
                    count_up=1 if still < read else count_up)
        if log and "reading-releases-nothing" in off:
            add("observer: reads", "released-by-auditor", log=log[1:], read=max(read - 1, 0))

        # The auditor.
        if read < len(log):
            add("auditor: reads", read=read + 1, count_up=0)
        if log and "release-authority" in off:
            add("operator: releases", "released-by-auditor", log="E", read=0)
        proves = "release-proves-reading" not in off
        known = log[:read] if proves else log
        if "release-names-effect" in off:
            named = len(known)
            if read and count_up:
                add("auditor: release is refused", "release-goes")
        else:
            named = known.rfind("E") + 1
        if named and not count_up or named and "release-names-effect" not in off:
            rest = log[named:]
            freed = effects - rest.count("E")
            if room > 0 or (freed and "release-when-full" not in off):
                unread = "E" in log[read:named]
                records = "release-is-recorded" not in off
                hurt = "released-read" if unread else None if records else "release-recorded"
                add("auditor: releases", hurt, log=rest + "E" if records else rest, read=max(read - named, 0), lost=0,
                    count_up=0)

        add("reset", forces=0, held=forces)
        return out

    def can_act(state):
        log, _, forces, _, _, held, _ = state
        return EFFECTS - log.count("E") - forces - held > 0

    return START, steps, {"usable": can_act}


MODEL = Model("audit", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
