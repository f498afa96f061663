"""Breadth-first search of a small model, to the end.

A model is a finite set of states and a function that lists the steps out of one. Nothing is bounded but by the
model itself: the search ends when no new state is left. It is breadth-first, so the first violation found is a
shortest one.
"""

import os
import time

FULL = os.environ.get("RDP_MODEL_SIZE", "small") == "full"
LIMIT = 10_000_000 if FULL else 1_000_000


class Model:
    """What is searched, what must hold, and the rules that make it hold.

    name        one word
    about       one sentence
    properties  name -> what must never happen, or must always be possible
    rules       name -> (what it says, a property that is violated without it, more of them...)
    happens     labels that must occur with all rules on: a model in which nothing happens holds everything
    fields      what the places of a state are called, in traces
    start       off -> (initial state, steps) or (initial state, steps, goals); `off` is the set of rules taken out

    steps(state) is a list of (label, state after it, None or the name of the violated property).
    goals maps a property to a predicate: from every state, a state where it is true can be reached.
    """

    def __init__(self, name, about, properties, rules, happens, fields, start):
        self.name = name
        self.about = about
        self.properties = properties
        self.rules = rules
        self.happens = happens
        self.fields = fields.split()
        self.start = start
        for rule, (_, *caught_by) in rules.items():
            assert caught_by and properties.keys() >= set(caught_by), f"{name}: {rule} names an unknown property"


class Result:
    def __init__(self, states, labels, seconds, traces):
        self.states = states
        self.labels = labels
        self.seconds = seconds
        self.traces = traces  # violated property -> its shortest trace


def search(model, off=frozenset(), wanted=()):
    """Searches `model` without the rules in `off`: to the end, or until all `wanted` properties are violated.

    With all rules on nothing is wanted, and the first violation ends the search.
    """
    began = time.perf_counter()
    initial, steps, goals = (*model.start(off), {})[:3]
    parents = {initial: None}
    before = {initial: []} if goals else None
    labels = set()
    traces = {}

    def result():
        return Result(len(parents), labels, time.perf_counter() - began, traces)

    frontier = [initial]
    while frontier:
        found = []
        for state in frontier:
            for label, after, broken in steps(state):
                labels.add(label)
                if broken and broken not in traces:
                    traces[broken] = path(parents, steps, state) + [(label, after)]
                    if traces.keys() >= set(wanted):
                        return result()
                if after not in parents:
                    parents[after] = state
                    found.append(after)
                if goals:
                    before.setdefault(after, []).append(state)
        if len(parents) > LIMIT:
            raise RuntimeError(f"{model.name} without {set(off)}: more than {LIMIT} states, so probably not finite")
        frontier = found
    for name, reached in goals.items():
        state = without_way(parents, before, reached)
        if state is not None:
            traces[name] = path(parents, steps, state) + [("from here on, never again", state)]
    return result()


def path(parents, steps, state):
    """The steps from the initial state to `state`: [(label, state after it)]."""
    chain = []
    while state is not None:
        chain.append(state)
        state = parents[state]
    chain.reverse()
    trace = [("start", chain[0])]
    for here, there in zip(chain, chain[1:]):
        trace.append((next(label for label, after, _ in steps(here) if after == there), there))
    return trace


def without_way(parents, before, reached):
    """The first state found from which no state can be reached where `reached` is true, if there is one."""
    stack = [state for state in parents if reached(state)]
    can = set(stack)
    while stack:
        for state in before[stack.pop()]:
            if state not in can:
                can.add(state)
                stack.append(state)
    return next((state for state in parents if state not in can), None)
