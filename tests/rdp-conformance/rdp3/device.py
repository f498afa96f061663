"""The agent: its machine, its log, its lines, and the order in which a run acts (8.2, 8.9)."""

import secrets
from collections import Counter
from collections.abc import Callable

from . import bodies
from . import machine as reference
from .audit import Audit, Event
from .clock import Clock
from .frames import Fields, Kind, Reason, Run
from .holdings import EXPIRY, FORCES, HOLD, LEASE, PERMISSION, STALL, TRAPS, Holdings
from .kinds import CONTROL, FORCE
from .line import Line
from .machine import Machine, Stop, World
from .metrics import LANE, LINK_ONLY, Metric
from .policy import Policy
from .rules import broken
from .seal import NO_NONCE, SUITE
from .session import End, Phase
from .station import Station
from .steps import Steps
from .welcome import STALL as STALL_TIME


class NonceSource:
    """Device nonces: a random half, and a counter."""

    def __init__(self) -> None:
        self._half = secrets.token_bytes(8)
        self._count = secrets.randbits(31)
        self._first = self._count + 1

    def __call__(self) -> bytes:
        """A nonce that has not been given before."""
        self._count += not (broken("nonce-reused") and self._count >= self._first)
        return self._half + self._count.to_bytes(8, "big")


class Device:
    """An agent from one reset to the next."""

    def __init__(self, world: World, clock: Clock, boot: int, nonces: Callable[[], bytes]) -> None:
        self.world = world
        self.clock = clock
        self.boot = 1 if broken("boot-not-counted") else boot
        self.nonces = nonces
        self.metrics: Counter[Metric] = Counter()
        self.machine = Machine(world, clock.now)
        self.audit = Audit(self.boot)
        self.policy = Policy()
        self.holdings = Holdings(self.machine, self._held_event)
        self.steps: Steps | None = None
        self.recovered = False
        self.last_stop = 0, 0
        self.last_end: tuple[int, list[int]] = 0, []
        self.station: Station | None = None
        self.observer: Station | None = None
        self._born = clock.now

    def open(self, line: Line) -> None:
        """The operator's line."""
        self.station = Station(self, line, False)

    def observe(self, line: Line) -> None:
        """The observers' line."""
        self.observer = Station(self, line, True)

    @property
    def busy(self) -> bool:
        """An OPEN of another host is refused (4.1)."""
        waiting = not self.recovered and not broken("open-before-recovery")
        return waiting or self.station is not None and self.station.occupied

    @property
    def stations(self) -> list[Station]:
        """The operator's line, then the observers'."""
        return [one for one in (self.station, self.observer) if one is not None]

    def feed(self, line: Line, data: bytes, raw: int) -> None:
        """Takes bytes that have arrived on a line."""
        line.feed(data, self.clock.read(raw))
        self._measure()

    def run(self, raw: int) -> None:
        """One run: clock, channel 0, what time brings about, one command of channel 1, observers."""
        now, gap, failed = self.clock.run(raw)
        self.metrics[Metric.LONGEST_GAP] = max(self.metrics[Metric.LONGEST_GAP], gap)
        if not self.recovered:
            self._recover()
        for station in self.stations:
            self._begun(station, now)
        for stop in self.machine.advance(now):
            self.stopped(stop, now)
        if failed:
            self._clock_failed(now)
        if broken("time-before-channel-0"):
            self._time(now)
        if self.station is not None and not (self.steps is not None and broken("steps-before-commands")):
            self.station.channel0(now)
        if gap >= STALL_TIME and not broken("stall-ignored"):
            self.holdings.withdraw(FORCES, STALL)
        for station in self.stations:
            station.events(now)
        self._time(now)
        self._channel1(now)
        if self.observer is not None:
            self.observer.one(now)
        self._step(now)
        if self.station is not None:
            self.station.settle(now)
        for station in self.stations:
            station.finish(now)
        self._measure()

    @staticmethod
    def _begun(station: Station, now: int) -> None:
        """A line that has begun; one that has ended is looked at behind channel 0."""
        events = station.line.events
        if events and station.session is None or len(events) > 1:
            station.events(now)

    def _channel1(self, now: int) -> None:
        if self.station is None:
            return
        while self.station.channel1(now) and broken("all-of-channel-1-in-a-run"):
            pass

    def waits(self) -> bool:
        """Whether another run is to follow at once."""
        now = self.clock.now
        return any(station.waits(now) for station in self.stations)

    def _recover(self) -> None:
        """Brings the machine into a known state (8.12)."""
        if not self.world.recovery_fails or broken("recovery-not-awaited"):
            self.recovered = True
            self.world.note("recover")

    def _clock_failed(self, now: int) -> None:
        for station in self.stations:
            session = station.session
            if session is not None and station.active:
                session.bye(End.CLOCK, now)
            elif session is not None:
                session.abort(End.CLOCK, now)

    def watchdog(self, raw: int) -> None:
        """What applies forces drops them by itself when the agent does not run (8.9)."""
        if self.holdings.forces and not broken("stall-ignored") and not broken("no-watchdog"):
            self.clock.read(raw)
            self.holdings.withdraw(FORCES, STALL)

    # What time brings about (8.2, 8.3, 8.7)

    def _time(self, now: int) -> None:
        for station in self.stations:
            station.time(now)
        holdings, world = self.holdings, self.world
        holdings.retry()
        what = 0
        if not world.permission & FORCE and holdings.forces and not broken("permission-keeps-forces"):
            what |= FORCES
        if not world.permission & CONTROL and not broken("permission-keeps-traps"):
            what |= TRAPS
            if self.steps is not None and not broken("permission-keeps-steps"):
                self._end_series(Reason.INTERLOCK, now)
        if what:
            holdings.withdraw(what, PERMISSION)
            if broken("withdrawal-ends-session") and self.station is not None and self.station.session is not None:
                self.station.session.bye(End.TARGET, now)
        self._ask_to_hold()
        ended = holdings.expired(now)
        if ended:
            holdings.withdraw(FORCES, LEASE, None if broken("one-lease-ends-all") else ended)

    def _ask_to_hold(self) -> None:
        """What the interlock does not let be held or kept armed is withdrawn, with one reaction for all (8.3)."""
        holdings, what = self.holdings, 0
        if any(not held.stuck for held in holdings.forces.values()) and not broken("hold-not-asked"):
            what |= 0 if self.machine.allows("hold") else FORCES
        if self.machine.traps and not broken("keep-armed-not-asked"):
            what |= 0 if self.machine.allows("keep armed") else TRAPS
        if what == FORCES | TRAPS and broken("a-reaction-for-each"):
            holdings.withdraw(FORCES, HOLD)
        if what:
            holdings.withdraw(what, HOLD)

    def grant_expired(self, now: int) -> None:
        """Forces and traps are withdrawn at once, and steps under way end (8.2)."""
        what = 0 if broken("expiry-keeps-forces") else FORCES
        what |= 0 if broken("expiry-keeps-traps") else TRAPS
        self.holdings.withdraw(what, EXPIRY)
        if self.steps is not None and not broken("expiry-keeps-steps"):
            self._end_series(Reason.INTERLOCK, now)

    def session_left(self, station: Station, reason: int, now: int) -> None:
        """A session has left Active: what it holds is withdrawn at once (5.8, 8.7)."""
        if not station.observers or broken("observers-end-withdraws"):
            if not broken("steps-not-ended-at-end"):
                self._end_steps()
            if self.machine.run is Run.STOPPED and broken("machine-resumed-at-end"):
                self.machine.resume()
            what = 0 if broken("forces-not-released-at-end") else FORCES
            what |= 0 if broken("traps-not-cleared-at-end") else TRAPS
            self.last_end = reason, self.holdings.withdraw(what, reason)
        controlled = station.authority & CONTROL or broken("every-end-recorded")
        if controlled and not broken("session-end-not-recorded"):
            self._write(self._event(station, Event.SESSION_ENDED, now) | {"cause": reason})

    # Stops and steps (8.4)

    def begin(self, steps: Steps) -> None:
        """Step or StepRange has begun."""
        self.steps = steps
        self.machine.begin_steps()

    def stopped(self, stop: Stop, now: int) -> None:
        """Tells of a stop, or gives it the stop reaction if nobody is there (8.7)."""
        if not stop.more:
            self.steps = None
        self.last_stop = int(stop.reason), stop.detail
        station = self.station
        if station is not None and station.active:
            station.tell_stopped(stop, now)
        elif not broken("stop-without-session-ignored"):
            if not broken("stop-without-session-no-reaction"):
                self.world.note("react")
            if not broken("stop-without-session-not-recorded"):
                row = self._event(None, Event.STOP_WITHOUT_SESSION, now)
                self._write(row | {"addr": self.machine.registers[reference.PC], "value": int(stop.reason)})
        if broken("observers-get-stopped") and self.observer is not None and self.observer.active:
            self.observer.tell_stopped(stop, now)

    def _step(self, now: int) -> None:
        machine = self.machine
        while self.steps is not None and machine.run is Run.STEPPING and machine.budget > 0:
            if self.station is not None and self.station.due:
                return
            waits = self.station is not None and self.station.waits(now)
            if self.station is not None and self.station.owes() and not broken("series-starves-answers"):
                return
            stop = self.steps.advance(waits)
            if stop is not None:
                if not stop.more:
                    machine.run = Run.STOPPED
                self.stopped(stop, now)
            if waits and self.station is not None:
                self.station.channel0(now)
                self.station.channel1(now)

    def _end_steps(self) -> None:
        self.steps = None
        if self.machine.run is Run.STEPPING:
            self.machine.run = Run.STOPPED

    def _end_series(self, reason: Reason, now: int) -> None:
        """Steps under way end, and their request hears of it."""
        steps = self.steps
        self._end_steps()
        if steps is not None:
            self.stopped(Stop(reason, request=steps.request), now)

    def trap(self) -> None:
        """The knob: the machine reports that it met the breakpoint in slot 0, and stands."""
        steps = self.steps
        stop = self.machine.met(0)
        request = steps.request if steps is not None else 0
        self.stopped(Stop(stop.reason, stop.detail, request), self.clock.now)

    # Status, metrics, records

    def status(self, now: int) -> Fields:
        """Body of Status, without its request."""
        machine, policy = self.machine, self.policy
        return {
            "run": machine.run,
            "breakpoints": len(machine.traps),
            "forces": len(self.holdings.forces),
            "steps": 0 if self.steps is None or broken("steps-left-not-told") else self.steps.status,
            "policy": policy.version,
            "enabled": policy.enabled,
            "modified": machine.modified and not broken("status-without-modified"),
            "stuck": self.holdings.stuck,
            "last": 0 if broken("status-without-last") else self.last_stop[0],
            "uptime": self._uptime() if broken("uptime-in-ms") else self._uptime() // 1000,
        }

    def _uptime(self) -> int:
        return self.clock.now - self._born

    def _measure(self) -> None:
        highest = [0, 0, 0, 0]
        for station in self.stations:
            highest = [max(pair) for pair in zip(highest, station.line.queues())]
        names = (Metric.RECEIVE_MOST_0, Metric.RECEIVE_MOST_1, Metric.SEND_MOST_0, Metric.SEND_MOST_1)
        for metric, value in zip(names, highest):
            self.metrics[metric] = max(self.metrics[metric], value)

    def metric_fields(self, now: int) -> Fields:
        """Body of Metrics, without its request (8.13)."""
        link = None if self.station is None else self.station.line.link
        shown = [metric for metric in Metric if link is not None or metric not in LINK_ONLY]
        if broken("link-metrics-without-link"):
            shown = list(Metric)
        values: dict[int, int] = {metric: self.metrics[metric] for metric in shown}
        values[Metric.UPTIME] = self._uptime() // 1000
        for index, lane in enumerate([] if link is None else link.lanes):
            counts = lane.counts
            numbers = (counts.received, counts.sent, counts.header_failures, counts.crc_failures, counts.resent)
            values |= {LANE + 0x10 * index + at: number for at, number in enumerate([*numbers, counts.overlong])}
        return {"metrics": [{"metric": metric, "value": min(value, 0xFFFFFFFF)} for metric, value in values.items()]}

    def command_record(
        self, station: Station, kind: int, sequence: int, time: int, fields: Fields, now: int
    ) -> Fields:
        """A record of a command, but for its verdict (6.5)."""
        addr, value = bodies.addr_and_value(kind, fields) if fields or kind in (Kind.HALT, Kind.RESUME) else (0, 0)
        if kind == Kind.CLEAR_BREAKPOINT and not addr and broken("audit-fills-in-address"):
            addr = self.machine.traps[value].addr if value in self.machine.traps else 0
        row = {"session": station.number, "sequence": sequence, "time": time, "operator": station.operator}
        return row | self._common() | {"kind": kind, "addr": addr, "value": value}

    def _event(self, station: Station | None, event: Event, now: int) -> Fields:
        """A record of an event, but for what happened."""
        row: Fields = {"session": 0, "sequence": 0, "time": 0, "operator": NO_NONCE[:8]}
        if station is not None and station.session is not None:
            clock = station.session.clock(now)
            row |= {"session": station.number, "time": clock, "operator": station.operator}
        return row | self._common() | {"kind": event}

    def _common(self) -> Fields:
        uptime = self._uptime() // 1000 if broken("record-uptime-in-s") else self._uptime()
        row = {"uptime": uptime, "suite": SUITE, "cause": 0, "verdict": 0}
        return row | {"count": 1, "addr": 0, "value": 0}

    def _held_event(self, event: Event, fields: dict[str, object]) -> None:
        """A force has ended, or could not be taken back."""
        station = self.station
        there = station is not None and station.session is not None and station.session.phase is not Phase.CLOSED
        row = self._event(station if there else None, event, self.clock.now)
        self._write(row | fields)

    def _write(self, event: Fields) -> None:
        self.audit.event(event, len(self.holdings.forces))
