"""The operator's listener: streams, handshakes, sessions one after the other, and a stranger without a token.

The stranger opens streams of his own, keeps what he has seen (a Hello, a Welcome, commands), withholds it, and
replays it anywhere and at any later time. An observer has a token that does not control. The host may crash and
come back, the agent may reset. Here is no time: a deadline may pass at any moment. Order and age within a session
are in session.py.

Handshake: a stream is SILENT until its Hello is whole, in CHECK while the tag is looked at (seconds, on a small
machine), WELCOMED when the Welcome is sent, and ACTIVE from the first message whose tag covers the agent's nonce.
Nobody but the host can make that one; a Hello alone anybody can replay.
"""

from search import Model

PROPERTIES = {
    "stranger-executes": "a command executes that came on a stream of the stranger",
    "earlier-executes": "a command of an earlier session executes",
    "stranger-ends": "an active session is ended by an OPEN of somebody else",
    "kept-out": "the host is refused while nobody who controls is active",
    "check-evicted": "a host whose Hello is in check is thrown out by a newcomer",
    "sealed-once": "two different messages are sealed under one key and sequence",
    "tells-nothing": "a stream without a proven session is told anything of one",
}
RULES = {
    "one-line-one-session": ("a new stream never inherits a session", "stranger-executes"),
    "foreign-open-refused": ("while a session is active, a second stream is refused", "stranger-ends"),
    "bulk-open-stray": ("an OPEN on the bulk lane is stray", "stranger-ends"),
    "silent-yields": ("a stream that has proven nothing yields to a newer one", "kept-out"),
    "check-kept": ("but not while its Hello is in check, which is bounded", "check-evicted"),
    "proof-makes-active": ("a session is active from the first message that proves the agent's nonce, not from Hello",
                           "kept-out"),
    "token": ("Hello needs a token", "stranger-executes"),
    "operator-controls": ("the operator's line needs a token that controls", "kept-out"),
    "tag-covers-nonces": ("the tag of every message covers the nonces of its session", "earlier-executes"),
    "agent-nonce-fresh": ("the agent's nonce is new in every session", "earlier-executes"),
    "nonce-new-after-reset": ("also after a reset", "earlier-executes"),
    "queue-ends-with-session": ("commands that wait end with their session", "earlier-executes"),
    "host-nonce": ("the host takes a Welcome to its own Hello only", "sealed-once"),
    "welcome-context": ("what seals a Welcome covers the agent's nonce", "sealed-once"),
    "answers-to-session": ("answers and events go to the proven session's stream alone", "tells-nothing"),
}
HAPPENS = {"host opens", "host's Hello", "check passes", "host is welcomed", "proven", "host: Force", "accepted",
           "run: Force", "stranger opens", "stranger's Hello fails", "stranger replays a Hello",
           "stranger is refused", "deadline", "host crashes", "host is lost", "line ends", "agent resets",
           "host waits: busy"}
FIELDS = "slot host fresh old hello queue welcomed reset"
NAMES = FIELDS.split()

HOST, STRANGER = "host", "stranger"
SILENT, CHECK, WELCOMED, ACTIVE = "silent", "check", "welcomed", "active"
# The key that a session was given: the one of the host's present attempt, one that it used before, or another.
PRESENT, EARLIER, OTHER = "present", "earlier", "other"

# slot      (owner, phase, key) of the stream that the agent keeps, or None
# host      None, "opening" or "active": what the host believes
# fresh     a command of the host's present session is under way
# old       the stranger has a command of an earlier session
# hello     the stranger has a Hello, and a Welcome, of an earlier attempt
# queue     the key of a command that waits in the agent, or None
# welcomed  that Hello has been answered
# reset     the agent has been reset since
START = (None, None, 0, 0, 0, None, 0, 0)


def start(off):
    def steps(state):
        slot, host, fresh, old, hello, queue, welcomed, reset = state
        owner, phase, key = slot or (None, None, None)
        out = []

        def add(label, broken=None, **change):
            values = dict(zip(NAMES, state))
            values.update(change)
            out.append((label, tuple(values.values()), broken))

        def over(host=None, slot=None):
            """What is left of the host's session or attempt: the stranger has seen it all."""
            kept = EARLIER if queue and "queue-ends-with-session" in off else None
            return {"slot": slot, "host": host, "fresh": 0, "old": old or fresh or (host_was == "active"),
                    "hello": 1 if host_was else hello, "queue": kept, "welcomed": answered if host_was else welcomed}

        host_was = host
        answered = 1 if owner == HOST and phase in (WELCOMED, ACTIVE) else 0

        # Somebody opens a stream. A host that was thrown out or has crashed tries again.
        for who in (STRANGER, HOST):
            if who == HOST and host:
                continue
            now = {"host": "opening"} if who == HOST else {}
            label = f"{who} opens"
            if slot is None:
                add(label, slot=(who, SILENT, None), **now)
            elif phase == ACTIVE:
                if "one-line-one-session" in off:
                    add(f"{who} inherits the session", slot=(who, ACTIVE, key), **now)
                elif "foreign-open-refused" in off:
                    add(label, "stranger-ends" if owner == HOST and host and who == STRANGER else None,
                        **{**over(slot=(who, SILENT, None)), **now})
                elif who == HOST:
                    add("host waits: busy", "kept-out" if owner == STRANGER else None)
                else:
                    add("stranger is refused")
            elif phase == CHECK and "check-kept" not in off:
                add("host waits: busy" if who == HOST else "stranger is refused")
            elif phase != CHECK and "silent-yields" in off:
                add("host waits: busy" if who == HOST else "stranger is refused", "kept-out" if who == HOST else None)
            else:
                evicted = phase == CHECK and owner == HOST and host and who == STRANGER
                change = over(slot=(who, SILENT, None)) if owner == HOST else {"slot": (who, SILENT, None)}
                add(label, "check-evicted" if evicted else None, **{**change, **now})
        if phase == ACTIVE and owner == HOST and host and "bulk-open-stray" in off:
            add("stranger opens on the bulk lane", "stranger-ends", **over())

        # The handshake of the host.
        if owner == HOST and host == "opening":
            if phase == SILENT:
                add("host's Hello", slot=(HOST, CHECK, None))
            elif phase == CHECK:
                add("check passes", slot=(HOST, WELCOMED if "proof-makes-active" not in off else ACTIVE, PRESENT))
            elif phase in (WELCOMED, ACTIVE):
                add("host is welcomed", host="active")
        if host == "opening" and hello and "host-nonce" in off:
            add("host takes an old Welcome", "sealed-once" if old else None, host="active")
        if owner == HOST and phase == WELCOMED and host == "active":
            add("proven", slot=(HOST, ACTIVE, PRESENT))

        # The handshake of the stranger: his own Hello, or one that he has seen. Or an observer's.
        if owner == STRANGER and phase == SILENT:
            add("stranger's Hello", slot=(STRANGER, CHECK, None))
            if hello:
                twice = welcomed and "welcome-context" in off
                same = "agent-nonce-fresh" in off or reset and "nonce-new-after-reset" in off
                reached = ACTIVE if "proof-makes-active" in off else WELCOMED
                add("stranger replays a Hello", "sealed-once" if twice else None,
                    slot=(STRANGER, reached, EARLIER if same else OTHER))
            if "operator-controls" in off:
                add("observer's Hello", slot=(STRANGER, ACTIVE, OTHER))
        if owner == STRANGER and phase == CHECK:
            if "token" in off:
                add("stranger is welcomed", slot=(STRANGER, ACTIVE, OTHER))
            add("stranger's Hello fails", slot=None)
        if owner == STRANGER and phase == ACTIVE and "token" in off:
            add("stranger: Force", "stranger-executes")
        if owner == STRANGER and "answers-to-session" in off and phase in (SILENT, WELCOMED):
            add("event is sent", "tells-nothing")

        # Commands. A message whose tag fails does nothing, and proves nothing.
        if host == "active" and not fresh and phase in (WELCOMED, ACTIVE) and owner == HOST:
            add("host: Force", fresh=1)
        if phase in (WELCOMED, ACTIVE) and queue is None:
            if fresh and key == PRESENT and (owner == STRANGER or host):
                if owner == STRANGER:
                    add("accepted", "stranger-executes", fresh=0, queue=PRESENT)
                else:
                    add("accepted", slot=(HOST, ACTIVE, PRESENT), fresh=0, queue=PRESENT)
            if old and (key == EARLIER or "tag-covers-nonces" in off):
                add("accepted", slot=(owner, ACTIVE, key), queue=EARLIER)
        if queue and phase == ACTIVE:
            add("run: Force", "earlier-executes" if queue == EARLIER else None, queue=None)

        # Ends.
        if slot and phase in (SILENT, WELCOMED):
            add("deadline", **(over() if owner == HOST else {"slot": None}))
        if host and owner == HOST:
            add("host crashes", **over(slot=slot))
        if host and owner != HOST:
            add("host gives up", **over(slot=slot))
        if phase == ACTIVE:
            add("host is lost", **(over() if owner == HOST else {"slot": None}))
        if slot:
            add("line ends", **(over() if owner == HOST else {"slot": None}))
        add("agent resets", **{**over(), "reset": 1})
        return out

    return START, steps


MODEL = Model("lines", __doc__.split("\n")[0], PROPERTIES, RULES, HAPPENS, FIELDS, start)
