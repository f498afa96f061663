"""One end of a session on a Link, and its watch over SPEC 5."""

import os
import struct
from collections import deque, namedtuple

from .link import Failure, now
from .wire import Malformed, NUMBER, crc32, decode, encode, registers_of, tag

ZERO = bytes(16)
PRINT = b"reference-mach01"
EVENTS = ("Stopped", "Heartbeat", "Bye")
Message = namedtuple("Message", "t channel sequence time epoch name fields raw")
SEEN_NONCES = {"host": {}, "device": {}}


class Session:
    """direction: 0 we are the host, 1 we are the agent."""

    def __init__(self, link, direction):
        self.link, self.direction = link, direction
        self.host, self.device = os.urandom(16), None
        self.sequence, self.epoch, self.start = 0, 0, None
        self.skew = 0
        self.heartbeat = 0.6            # 0: none
        self.heartbeat_state = 0
        self.last_sent = now()
        self.answers, self.events, self.log = deque(), deque(), []
        self.holes = {}
        self.seen, self.highest = set(), (-1, 0)
        self.peer_epoch, self.epoch_moves = 0, []
        self.clock_tolerance = 1500
        self.last_sequence_sent = 0
        self.bye = None
        self.active = False

    @property
    def clock(self):
        return 0 if self.start is None else max(0, int((now() - self.start) * 1000) + self.skew)

    # -- sending ------------------------------------------------------------------------------------------------------

    def message(self, raw, sequence, time, epoch, nonces=None, direction=None):
        header = struct.pack(">IIB", sequence, time, epoch)
        host, device = nonces or (self.host, self.device or ZERO)
        return header + raw + tag(host, device, self.direction if direction is None else direction, header, raw)

    def send_frame(self, raw, sequence=None, time=None, epoch=None, channel=0, nonces=None, direction=None, change=None, repeat=1):
        """Sends one debug frame; whatever is given replaces what would be right. Returns the sequence."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        self.last_sequence_sent = sequence
        m = self.message(raw, sequence, self.clock if time is None else time, self.epoch if epoch is None else epoch, nonces, direction)
        if change:
            m = change(m)
        self.last_message = m
        self.last_sent = now()
        self.link.write(channel, (struct.pack(">H", len(m)) + m) * repeat)
        return sequence

    def send(self, name, fields=None, **over):
        return self.send_frame(encode(name, **(fields or {})), **over)

    def send_message(self, m, channel=0):
        self.link.write(channel, struct.pack(">H", len(m)) + m)

    # -- receiving ----------------------------------------------------------------------------------------------------

    def nonces_tried(self):
        return [(self.host, self.device or ZERO)]

    def pump(self, seconds=0.02):
        self.link.pump(seconds)
        while self.link.inbox:
            self.on_message(*self.link.inbox.popleft())
        if self.active and self.heartbeat and now() - self.last_sent > self.heartbeat and not self.link.closed and not self.link.resets:
            self.send("Heartbeat", {"run_state": self.heartbeat_state})

    def on_message(self, channel, m):
        violation = self.link.violation
        if len(m) < 19:
            return violation("5.1 a message of %d bytes" % len(m))
        header, raw = m[:9], m[9:-4]
        self.tagged_with = None
        for nonces in self.nonces_tried():
            if tag(*nonces, 1 - self.direction, header, raw) == m[-4:]:
                self.tagged_with = nonces
                break
        else:
            return violation("5.4 a wrong tag: " + m.hex()[:80])
        sequence, time, epoch = struct.unpack(">IIB", header)
        if sequence in self.seen:
            violation(f"5.5 sequence {sequence} sent twice")
        for hole in range(max(self.highest[0] + 1, sequence - 64), sequence):
            self.holes[hole] = now()
        if sequence > self.highest[0] + 64:
            violation(f"5.5 sequence {sequence} after {self.highest[0]}")
        self.holes.pop(sequence, None)
        if any(now() - t > 2 for t in self.holes.values()):  # the other channel may be later
            violation(f"5.5 sequence {min(self.holes)} never came")
        if sequence > self.highest[0]:
            if time < self.highest[1]:
                violation(f"5.5 time {time} after {self.highest[1]}")
            self.highest = (sequence, time)
        self.seen.add(sequence)
        if self.start is not None and abs(time - (self.clock - self.skew)) > self.clock_tolerance and sequence:
            violation(f"5.3 time {time}, but the clock is at {self.clock - self.skew}")
        if epoch != self.peer_epoch:
            self.epoch_moves.append((now(), self.peer_epoch, epoch))
            if (epoch - self.peer_epoch) & 0xFF != 1 or not self.link.told_crc:
                violation(f"5.6 epoch {epoch} after {self.peer_epoch}")
            self.peer_epoch = epoch
        try:
            name, fields = decode(raw)
        except Malformed as e:
            return violation(f"6 a malformed frame: {e} {raw.hex()[:100]}")
        if (NUMBER[name] < 0x80) != (self.direction == 1) and name not in ("Heartbeat", "Bye"):
            return violation(f"6.2 {name} from the wrong side")
        if channel == 1:
            if self.direction == 0 and (len(m) <= 128 or name in EVENTS or name == "Registers"):
                violation(f"4.5 {name} of {len(m)} bytes on channel 1")
            if self.direction == 1 and name != "PushPolicy":
                violation(f"4.5 {name} on channel 1")
        message = Message(now(), channel, sequence, time, epoch, name, fields, raw)
        self.log.append(message)
        if name == "Bye":
            self.bye = fields["reason"]
            if self.bye not in (1, 2, 4, 5, 6):
                violation(f"5.7 Bye with reason {self.bye}")
        if name == "Stopped" and not fields["mask"] & 1 << 15:
            violation("6.4 Stopped without the pc")
        if not self.hook(message):
            (self.events if name in EVENTS else self.answers).append(message)

    def hook(self, message):
        return False

    def until(self, condition, seconds, what=None):
        end = now() + seconds
        while True:
            value = condition()
            if value:
                return value
            left = end - now()
            if left <= 0:
                if what:
                    raise Failure(f"{what}: not within {seconds:g} s" + (", the lane is closed" if self.link.closed else "") +
                                  (f", RESET {self.link.resets}" if self.link.resets else "") + (f", Bye {self.bye}" if self.bye else ""))
                return None
            self.pump(min(left, 0.05))

    def rest(self, seconds):
        self.until(lambda: False, seconds)


class HostPeer(Session):
    """We play the host."""

    def __init__(self, link):
        super().__init__(link, 0)
        self.welcome = self.state = None
        self.token = b"operator"

    def nonces_tried(self):
        if self.device:
            return [(self.host, self.device)]
        return [(self.host, ZERO), (ZERO, ZERO)]

    def hook(self, m):
        if m.name == "Welcome" and self.device is None:
            self.device, self.start = m.fields["device_nonce"], now()
            if m.fields["device_nonce"] in SEEN_NONCES["device"]:
                self.link.violation("5.3 a device nonce is used twice")
            SEEN_NONCES["device"][self.device] = True
        return False

    def open(self, cookie=None, lanes=1, generation=3, more=b"", seconds=2.5, expect=True):
        """OPEN and ACCEPT."""
        link = self.link
        self.cookie = int.from_bytes(os.urandom(4), "big") if cookie is None else cookie
        link.connection = None
        link.fresh()
        link.send_packet(3, self.cookie, bytes([generation, lanes]) + more, connection=0)
        accept = lambda: next((p for p in link.of(4) if p.position == self.cookie), None)
        p = link.until(accept, seconds, "4.1 ACCEPT" if expect else None)
        if p:
            self.accept = p
            link.fresh()
            link.connection = p.connection
            # what came with the ACCEPT was not counted: there is nothing before DATA of ours but ACKs
        return p

    def hello_fields(self, **over):
        return dict(dict(lowest_version=3, highest_version=3, host_nonce=self.host, longest_message=512, token=self.token), **over)

    def hello(self, **over):
        self.send("Hello", self.hello_fields(**over), sequence=0, time=0, epoch=0, nonces=(ZERO, ZERO))

    def handshake(self):
        self.hello()
        self.welcome = self.answer("5.3 Welcome", "Welcome").fields
        message = self.answer("5.3 State", "State")
        self.state, self.state_body = message.fields, message.raw[6:]
        self.agree()
        self.answer("5.3 Done after Agree", "Done")
        self.active = True
        return self

    def agree(self, crc=None, **over):
        return self.send("Agree", {"crc": crc32(self.state_body) if crc is None else crc}, **over)

    # -- asking -------------------------------------------------------------------------------------------------------

    def answer(self, what="answer", name=None, request=None, seconds=4.0):
        m = self.until(lambda: self.answers.popleft() if self.answers else None, seconds, what)
        if name and m.name != name:
            raise Failure(f"{what}: {name} expected, {m.name} {show(m.fields)} came")
        if request is not None and m.fields.get("request") != request:
            raise Failure(f"{what}: the answer to {request} says {m.fields.get('request')}")
        return m

    def call(self, kind, fields=None, **over):
        """Any answer to a request."""
        sequence = self.send(kind, fields, **over)
        return self.answer(f"answer to {kind}", None, sequence)

    def ask(self, kind, fields=None, **over):
        """The fields of the right answer."""
        m = self.call(kind, fields, **over)
        if m.name != ANSWERS[kind]:
            raise Failure(f"{kind} {show(fields or {})}: {ANSWERS[kind]} expected, {m.name} {show(m.fields)} came")
        return m.fields

    def refuse(self, code, kind, fields=None, detail=None, **over):
        m = self.call(kind, fields, **over)
        return self.is_error(m, code, detail, f"{kind} {show(fields or {})}")

    def is_error(self, m, code, detail=None, what=""):
        codes = code if isinstance(code, (tuple, list)) else (code,)
        if m.name != "Error" or m.fields["code"] not in codes:
            raise Failure(f"{what}: Error {' or '.join(map(str, codes))} expected, {m.name} {show(m.fields)} came")
        if detail is not None and m.fields["detail"] != detail:
            raise Failure(f"{what}: Error {code} with detail {detail} expected, {m.fields['detail']} came")
        return m.fields

    def silent(self, seconds, what):
        if self.until(lambda: self.answers, seconds):
            m = self.answers.popleft()
            raise Failure(f"{what}: answered with {m.name} {show(m.fields)}")

    def stopped(self, reason=None, request=None, more=None, seconds=4.0):
        def pick():
            for m in self.events:
                if m.name == "Stopped":
                    self.events.remove(m)
                    return m.fields
        f = self.until(pick, seconds, "Stopped")
        for key, want in (("reason", reason), ("request", request), ("more", more)):
            if want is not None and f[key] != want:
                raise Failure(f"Stopped: {key} {want} expected, {f[key]} came")
        return f

    def halt(self):
        sequence = self.last_halt = self.send("Halt")
        self.answer("answer to Halt", "Done", sequence)
        return self.stopped(4, sequence, 0)

    def status(self):
        return self.ask("GetStatus")

    def registers(self):
        return registers_of(self.ask("ReadRegisters", {"what": 0}))

    def read(self, addr, length):
        return self.ask("ReadMemory", {"addr": addr, "length": length})["data"]

    def metrics(self):
        return {m["metric"]: m["value"] for m in self.ask("ReadMetrics")["metrics"]}

    def drain(self):
        """Gives the records of the log free."""
        self.ask("ReadAudit", {"from": self.ask("ReadAudit", {"from": 0, "count": 1})["next"], "count": 1})

    def force(self, addr=0x20000020, value=b"\xAA\xBB\xCC\xDD", lease=60000, fingerprint=PRINT):
        return {"addr": addr, "lease": lease, "fingerprint": fingerprint, "value": value}

    def close(self):
        """Bye and the other Bye."""
        self.send("Bye", {"reason": 1})
        self.active = False
        self.until(lambda: self.bye, 2.5, "5.7 Bye answered")
        self.until(lambda: self.link.resets or self.link.closed, 2.0)

    def wait_end(self, reason, seconds, what):
        """The agent's Bye with this reason; we answer it and see RESET 1."""
        self.until(lambda: self.bye is not None, seconds, f"{what}: Bye {reason}")
        self.active = False
        if self.bye != reason:
            raise Failure(f"{what}: Bye {reason} expected, Bye {self.bye} came")

    def next(self, token=b"operator", **over):
        """Another session on the same lane."""
        violations = self.link.violations
        peer = HostPeer(self.link)
        peer.token = token
        peer.open(**over)
        peer.handshake()
        self.link.violations = violations
        return peer


ANSWERS = {"SetBreakpoint": "BreakpointSet", "ClearBreakpoint": "Done", "ListBreakpoints": "Breakpoints", "SetHardwareBreakpoint": "BreakpointSet",
           "SetSoftwareBreakpoint": "BreakpointSet", "SetWatchpoint": "BreakpointSet", "Halt": "Done", "Resume": "Done", "Step": "Done",
           "ReadRegisters": "Registers", "ReadMemory": "Memory", "Force": "Done", "Release": "Done", "GetStatus": "Status", "SetAxis": "Done",
           "ReadAxes": "Axes", "ReadPlc": "Plc", "ReadCursor": "Cursor", "ReadAudit": "Audit", "ReadMetrics": "Metrics", "PushPolicy": "Done"}


def show(fields):
    return "{" + ", ".join(f"{k}: {v.hex() if isinstance(v, bytes) else v}" for k, v in fields.items()) + "}"

