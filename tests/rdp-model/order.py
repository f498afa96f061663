"""Two channels and one counter: order, copies, the queue's credit, and answers that find no room.

Channel 0 carries Halt and Release, channel 1 Force (touches the machine) and Read (does not). The adversary keeps,
copies, reorders and loses messages, moves them to the other channel, and takes away the room for answers. A run
takes what waits on channel 0, then at most one command of channel 1; messages also arrive between the two (feed may
run in an interrupt). The host keeps to its credit and has one Halt and one Release unanswered at most.

Sequences are unbounded: a state holds their ranks. Only comparisons matter, and a rank keeps them.
"""

from search import FULL, Model

FLIGHT = 4 if FULL else 2  # messages in the network, with delivered ones that can be copied
CREDIT = 2

PROPERTIES = {
    "once": "a command is accepted twice",
    "channel-order": "a command is accepted after a newer one of its channel",
    "halt-order": "a Force executes that is older than a Halt that has arrived",
    "release-order": "a Force executes that is older than a Release that has arrived",
    "halt-first": "a command that touches the machine executes while a Halt waits",
    "halt-next-run": "the run after a Halt's arrival does not execute it",
    "halt-sendable": "the host may not send a Halt",
    "no-overflow": "a message of a host that keeps to its limits finds no place",
    "answered": "an accepted command is neither executed nor refused with an answer",
    "credit-returns": "from some state on, the credit can never be whole again",
}
RULES = {
    "sequence": ("per channel, a sequence exceeds the last one", "once", "channel-order"),
    "tag-covers-channel": ("the tag covers the channel", "once"),
    "halt-cancels": ("a command that touches is refused if an accepted Halt is newer", "halt-order"),
    "cancels-at-execution": ("that is looked at at execution: at arrival the Halt may not be there yet", "halt-order",
                             "release-order"),
    "release-cancels": ("a Force is refused, too, if an accepted Release is newer", "release-order"),
    "urgent-first": ("channel 0 is looked at right before each command of channel 1", "halt-first"),
    "room-of-its-channel": ("room is asked for on the answer's channel alone", "halt-next-run"),
    "urgent-place": ("the answers of Halt and Release have a place kept: they execute without room", "halt-next-run"),
    "credit": ("unanswered commands of channel 1 are at most the credit; the queue has as many places",
               "no-overflow"),
    "halt-without-credit": ("Halt needs no credit", "halt-sendable"),
    "halts-coalesce": ("a newer Halt takes the place of one that waits, and its answer settles both", "no-overflow"),
    "one-release": ("at most one Release is unanswered, and has a place", "no-overflow"),
    "refusals-answered": ("a command that is refused after its acceptance is answered", "answered"),
    "answer-settles-older": ("an answer settles what is older on its channel: that was discarded", "credit-returns"),
}
HAPPENS = {"host: Halt", "host: Release", "host: Force", "host: Read", "accepted: Halt", "accepted: Release",
           "accepted: Force", "accepted: Read", "run: Halt", "run: Force", "run: Read", "run: Release",
           "run: Force is cancelled", "room goes", "room comes", "answer: Halt", "answer: bulk"}
FIELDS = "net last halted released halt release queue room answers asked open between"
NAMES = FIELDS.split()

# net       what the adversary can deliver: (sequence, kind, accepted before)
# last      the last accepted sequence of each channel
# halted    the newest accepted Halt; released: the newest accepted Release
# halt      a Halt waits, 0 or 1; release: a Release waits
# queue     waiting on channel 1: (sequence, kind)
# room      per channel, whether the link takes an answer
# answers   waiting for room or on their way: of channel 0 whether one is to (Halt, Release), of channel 1 sequences
# asked     the host holds a Release unanswered
# open      sequences of channel 1 that the host holds unanswered
# between   a run has looked at channel 0 and may still take a command of channel 1
START = ((), (0, 0), 0, 0, 0, 0, (), (1, 1), (0, 0, ()), 0, (), 0)
CHANNEL = {"Halt": 0, "Release": 0, "Force": 1, "Read": 1}


def start(off):
    sequence = "sequence" not in off
    bound = "tag-covers-channel" not in off
    keep_old = not (sequence and bound)
    at_arrival = "cancels-at-execution" in off
    limit = CREDIT + 1 if "credit" in off else CREDIT
    flight = FLIGHT + 1 if limit > FLIGHT else FLIGHT

    def ranked(net, last, halted, released, queue, answers, open_):
        """The same with ranks for sequences, and 0 for those that nothing will ever be compared with."""
        if not keep_old:
            net = tuple(m for m in net if m[0] > last[CHANNEL[m[1]]])
            last = (0, 0)
        forces = [m[0] for m in net if m[1] == "Force"] + [m[0] for m in queue if m[1] == "Force"]
        oldest = min(forces, default=1 << 30)
        halted = halted if halted > oldest else 0
        released = released if released > oldest else 0
        values = {m[0] for m in net} | {m[0] for m in queue} | set(last) | set(answers) | set(open_)
        rank = {value: i for i, value in enumerate(sorted(values | {0, halted, released}))}
        return (tuple((rank[s], kind, old) for s, kind, old in net), (rank[last[0]], rank[last[1]]),
                rank[halted], rank[released], tuple((rank[s], kind) for s, kind in queue),
                tuple(rank[s] for s in answers), tuple(rank[s] for s in open_), len(rank))

    def steps(state):
        net, last, halted, released, halt, release, queue, room, answers, asked, open_, between = state
        answered_halt, answered_release, answered = answers
        out = []

        def add(label, broken=None, net=net, last=last, halted=halted, released=released, halt=halt, release=release,
                queue=queue, room=room, answers=answers, asked=asked, open_=open_, between=between):
            net, last, halted, released, queue, bulk, open_, _ = ranked(
                net, last, halted, released, queue, answers[2], open_)
            out.append((label, (net, last, halted, released, halt, release, queue, room, answers[:2] + (bulk,), asked,
                                open_, between), broken))

        # The host sends.
        following = ranked(net, last, halted, released, queue, answered, open_)[7]
        credit = len(open_) < limit
        if "halt-without-credit" in off and not credit:
            add("host: Halt needs credit", "halt-sendable")
        elif len(net) < flight:
            add("host: Halt", net=net + ((following, "Halt", 0),))
        if len(net) < flight:
            if not asked or "one-release" in off:
                add("host: Release", net=net + ((following, "Release", 0),), asked=1)
            if credit:
                for kind in ("Force", "Read"):
                    add(f"host: {kind}", net=net + ((following, kind, 0),), open_=open_ + (following,))

        # The network delivers in any order. A lost message is one that it never delivers.
        for i, (number, kind, old) in enumerate(net):
            rest = net[:i] + (((number, kind, 1),) if keep_old else ()) + net[i + 1:]
            for channel in (CHANNEL[kind],) if bound else (0, 1):
                if number <= last[channel] and sequence:
                    continue
                newest = max(number, last[channel])
                broken = "once" if old else "channel-order" if number < last[channel] else None
                now = {"net": rest, "last": (newest, last[1]) if channel == 0 else (last[0], newest)}
                label = f"accepted: {kind}"
                if kind == "Halt":
                    full = halt and "halts-coalesce" in off
                    add(label, "no-overflow" if full else broken, halt=1, halted=max(halted, number), **now)
                elif kind == "Release":
                    add(label, "no-overflow" if release else broken, release=1, released=max(released, number), **now)
                elif len(queue) >= CREDIT:
                    add(label, "no-overflow", **now)
                elif at_arrival and kind == "Force" and number < max(halted, released):
                    add("refused: Force", broken, answers=answers[:2] + (answered + (number,),), **now)
                else:
                    add(label, broken, queue=queue + ((number, kind),), **now)

        # A run looks at channel 0, then takes at most one command of channel 1.
        if not between:
            waits = ("room-of-its-channel" in off and not room[1]) or ("urgent-place" in off and not room[0])
            if not halt and not release:
                add("run", between=1)
            elif waits:
                add("run: no room", "halt-next-run" if halt else None)
            else:
                add("run: Halt" if halt else "run: Release", halt=0, release=0, between=1,
                    answers=(answered_halt or halt, answered_release or release, answered))
        else:
            add("run ends", between=0)
            if queue and room[1] and not (halt and "urgent-first" not in off):
                number, kind = queue[0]
                rest = queue[1:]
                told = answers[:2] + (answered + (number,),)
                older = not at_arrival and ("halt-cancels" not in off and number < halted
                                            or "release-cancels" not in off and number < released)
                if kind == "Read":
                    add("run: Read", between=0, queue=rest, answers=told)
                elif older:
                    silent = "refusals-answered" in off
                    add("run: Force is cancelled", "answered" if silent else None, between=0, queue=rest,
                        answers=answers if silent else told)
                else:
                    broken = ("halt-order" if number < halted else "release-order" if number < released
                              else "halt-first" if halt else None)
                    add("run: Force", broken, between=0, queue=rest, answers=told)

        # Room goes and comes; answers arrive in the order of their channel.
        for channel in (0, 1):
            add("room goes" if room[channel] else "room comes",
                room=tuple(1 - r if c == channel else r for c, r in enumerate(room)))
        if room[0] and answered_halt:
            add("answer: Halt", answers=(0, answered_release, answered))
        if room[0] and answered_release:
            add("answer: Release", answers=(answered_halt, 0, answered), asked=0)
        if room[1] and answered:
            number = answered[0]
            settles = "answer-settles-older" not in off
            add("answer: bulk", answers=answers[:2] + (answered[1:],),
                open_=tuple(s for s in open_ if (s > number if settles else s != number)))
        return out

    return START, steps, {"credit-returns": lambda state: not state[10]}


MODEL = Model("order", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
