"""The machine's own say: interlock hook, permission, authority, program, and how long an expired grant stays.

The program runs or stands, the axes move or stand, the interlock's inputs permit or forbid; all of it changes at
any moment, as do the local selector, the grant and the program itself. A run first looks at everything, then
executes one command at most; between the two the world may change. Targets differ: with a hook or without, and with
a stop that does not depend on the control program (hardware, a second controller) or without.
"""

from search import FULL, Model

GRACE = 3 if FULL else 2  # runs that an expired grant's session is kept for
SERIES = 3 if FULL else 2  # the longest series of steps

PROPERTIES = {
    "start": "the program is started or stepped, or an axis moved, against the interlock's inputs",
    "touch": "a force or a write takes effect against the interlock's inputs, or where there is no interlock",
    "held": "a force is still there after a run that found the inputs forbidding",
    "loop-open": "the control program stands while axes move, and nothing else stops them",
    "unpermitted": "a command executes that grant, selector or authority do not permit",
    "withdrawn": "forces or traps are still there after a run without grant or permission",
    "stop-passes": "a Halt or a Release is refused though Hello granted it",
    "halt-kept": "a Halt that the hook did not let pass is forgotten before the axes stand",
    "other-program": "a command touches another program than the one at Hello",
    "other-program-held": "after a run a force or a trap of one program holds in another",
    "occupied": "an expired grant's session stays for longer than the grace time",
    "stopped-first": "a force ends unasked while the machine runs on",
}
RULES = {
    "ask-force": ("the hook is asked before a Force", "touch"),
    "ask-write": ("before a write", "touch"),
    "ask-resume": ("before Resume", "start"),
    "ask-step": ("before Step", "start"),
    "ask-each-step": ("before each step of a series", "start"),
    "ask-axis": ("before SetAxis", "start"),
    "ask-hold": ("while a force is held, in every run; a refusal ends all forces", "held"),
    "ask-arm": ("before a trap is armed", "loop-open"),
    "ask-halt": ("before a Halt that stops the program alone", "loop-open"),
    "armed-inhibits-motion": ("without an independent stop, motion is inhibited for as long as a trap is armed:"
                              " it may begin after the hook was asked", "loop-open"),
    "no-hook-no-force": ("without the hook, forces are refused", "touch"),
    "no-hook-no-write": ("and writes, and axes", "touch", "start"),
    "no-hook-no-stop": ("and traps and Halts of the program, unless there is an independent stop", "loop-open"),
    "inputs-protected": ("the debugger cannot write the interlock's inputs", "start"),
    "refusal-stops-first": ("forces that end unasked end after the declared stop", "stopped-first"),
    "selector-before-command": ("the selector is looked at before each command", "unpermitted"),
    "selector-every-run": ("and in every run: a withdrawal ends forces and traps", "withdrawn"),
    "expiry-before-command": ("so is the grant before each command", "unpermitted"),
    "expiry-every-run": ("and in every run", "withdrawn"),
    "expiry-ends-session": ("and after the grace time it ends the session", "occupied"),
    "stops-outlast-grant": ("Halt and Release pass when Hello granted them, expired or not permitted", "stop-passes"),
    "halt-waits": ("a Halt that the hook does not let pass waits, and executes in the first run that it may",
                   "halt-kept"),
    "release-never-asked": ("the hook has no say in Release", "stop-passes"),
    "observer-never": ("an observer neither halts nor releases", "unpermitted"),
    "force-needs-force": ("control alone does not force", "unpermitted"),
    "program-before-command": ("the program's generation is looked at before each command that touches",
                               "other-program"),
    "program-every-run": ("and in every run: forces and traps are of the program that was there",
                          "other-program-held"),
}
HAPPENS = {"Force", "Force refused", "write", "Resume", "Step", "series steps", "series refused", "SetAxis", "Halt",
           "arm", "arm refused", "Halt refused", "Halt waits", "run: Halt", "Release", "trap hit", "run",
           "run: hold refused", "run: not permitted", "run: another program", "run: expired for long", "moves",
           "stands", "opened"}
FIELDS = "hook stop runs moves allows forced armed selector expired who other series looked fooled wanted"
NAMES = FIELDS.split()

# hook, stop  what the target has; None before the first step has chosen it
# runs        the program runs; moves: axes move; allows: the interlock's inputs permit
# forced      a force is held; armed: a trap is
# selector    permitted(): the local selector permits
# expired     0, or 1 + runs since the grant expired
# who         None, "observer", "control" or "force" (which controls, too), as granted at Hello
# other       the program is another one than at Hello
# series      steps that are left
# looked      a run has looked at everything and may execute one command
# wanted      a Halt waits for the axes to stand
# fooled      the interlock's inputs were overwritten by the debugger
START = (None, None, 1, 0, 1, 0, 0, 1, 0, None, 0, 0, 0, 0, 0)


def start(off):
    inhibited = "armed-inhibits-motion" not in off

    def steps(state):
        (hook, stop, runs, moves, allows, forced, armed, selector, expired, who, other, series, looked, fooled,
         wanted) = state
        out = []

        def add(label, broken=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            if not values["runs"] and values["moves"]:
                if values["stop"]:
                    values["moves"] = 0
                else:
                    broken = broken or "loop-open"
            if values["who"] is None:
                values.update(expired=0, other=0, series=0, looked=0, wanted=0)
            out.append((label, tuple(values.values()), broken))

        if hook is None:
            for with_hook in (0, 1):
                for with_stop in (0, 1):
                    add("target", hook=with_hook, stop=with_stop)
            return out

        # The world.
        if moves:
            add("stands", moves=0)
        elif runs and (stop or not armed or not inhibited):
            add("moves", moves=1)
        if hook:
            add("inputs change", allows=1 - allows)
        add("selector turns", selector=1 - selector)
        if who and not expired:
            add("grant expires", expired=1)
        if who and not other:
            add("another program", other=1)
        if runs and armed:
            add("trap hit", runs=0)
        if who is None:
            for kind in ("observer", "control", "force"):
                add("opened", who=kind)
            if not runs and not forced:
                add("started by hand", runs=1)
            return out

        # A run looks at everything, and ends what has to end: the declared stop first, then forces and traps.
        seen = allows or fooled
        over = expired > GRACE and "expiry-ends-session" not in off
        changed = other and "program-every-run" not in off
        withdrawn = (not selector and "selector-every-run" not in off) or (expired and "expiry-every-run" not in off)
        refused = hook and forced and not seen and "ask-hold" not in off
        # The hook's answer to what stops the program: axes stand, or something else stops them.
        safe = (stop or not moves) if hook else stop or "no-hook-no-stop" in off
        ends = over or changed or withdrawn or refused
        if not looked:
            clears = over or changed or withdrawn
            after = {"expired": min(expired + 1, GRACE + 2) if expired else 0, "looked": 1}
            hurt = None
            if wanted and safe:
                after.update(runs=0, moves=0, series=0, wanted=0)
            if ends:
                if forced:
                    stops = "refusal-stops-first" not in off
                    after.update(forced=0, series=0)
                    if stops:
                        after.update(runs=0, moves=0)
                    hurt = "stopped-first" if runs and not stops else None
                if clears:
                    after.update(armed=0, series=0)
                if over or changed:
                    after["who"] = None
            left_force = forced and not ends
            left_trap = armed and not (over or changed or withdrawn)
            if left_force and hook and not allows and not fooled:
                hurt = "held"
            elif (left_force or left_trap) and other:
                hurt = "other-program-held"
            elif (left_force or left_trap) and (not selector or expired):
                hurt = "withdrawn"
            elif expired > GRACE and not over and not changed:
                hurt = "occupied"
            label = ("run: Halt" if "wanted" in after else "run: expired for long" if over
                     else "run: another program" if changed else "run: not permitted" if withdrawn
                     else "run: hold refused" if refused else "run")
            add(label, hurt, **after)
            return out

        # It executes one command, or one step of a series, or none.
        add("run ends", looked=0)
        may = who != "observer"
        granted = may and (selector or "selector-before-command" in off) and (
            not expired or "expiry-before-command" in off) and (not other or "program-before-command" in off)
        wrong = "unpermitted" if not selector or expired or not may else "other-program" if other else None
        forbidden = hook and not allows

        def asked(rule):
            """Whether the hook lets it pass. Without a hook, `no-hook` rules decide."""
            return not hook or seen or rule in off

        def command(label, passes, hazard, **change):
            if granted and passes:
                add(label, wrong or hazard, looked=0, **change)
            else:
                add(f"{label} refused", looked=0)

        if series:
            passes = asked("ask-step") or "ask-each-step" in off
            if granted and passes:
                add("series steps", wrong or ("start" if forbidden else None), looked=0, series=series - 1)
            else:
                add("series refused", looked=0, series=0)
        if who == "force" or "force-needs-force" in off:
            alone = None if who == "force" else "unpermitted"
            hazard = alone or ("touch" if forbidden or not hook else None)
            if not forced:
                command("Force", asked("ask-force") and (hook or "no-hook-no-force" in off), hazard, forced=1)
            command("write", asked("ask-write") and (hook or "no-hook-no-write" in off), hazard,
                    fooled=1 if "inputs-protected" in off else 0)
            command("SetAxis", asked("ask-axis") and (hook or "no-hook-no-write" in off) and runs
                    and (stop or not armed or not inhibited), "start" if forbidden or not hook else alone, moves=1)
        if not runs and not series:
            command("Resume", asked("ask-resume"), "start" if forbidden else None, runs=1, wanted=0)
            command("Step", asked("ask-step"), "start" if forbidden else None, series=SERIES - 1)
        if not armed:
            command("arm", safe or (hook and "ask-arm" in off), None, armed=1)
        if may or "observer-never" in off:
            if (not selector or expired) and "stops-outlast-grant" in off:
                add("Halt refused by the grant", "stop-passes", looked=0)
            elif safe or (hook and "ask-halt" in off):
                add("Halt", None if may else "unpermitted", looked=0, runs=0, series=0, wanted=0)
            elif hook and "halt-waits" not in off:
                add("Halt waits", looked=0, wanted=1)
            else:
                # Without a hook and without an independent stop, nobody could say when. Welcome tells that.
                add("Halt refused", "halt-kept" if hook else None, looked=0)
            if forced:  # so this is the session that forces: a force never outlives its session
                if "release-never-asked" in off and hook and not seen:
                    add("Release refused", "stop-passes", looked=0)
                elif (not selector or expired) and "stops-outlast-grant" in off:
                    add("Release refused by the grant", "stop-passes", looked=0)
                else:
                    add("Release", looked=0, forced=0)
        return out

    return START, steps


MODEL = Model("interlock", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
