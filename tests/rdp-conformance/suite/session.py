"""One end of a session on a line, and its watch over SPEC 5."""

import os
import socket
import struct
from collections import deque, namedtuple

from .frames import ANSWERS, Malformed, NAME, NUMBER, channel_of, decode, encode, registers_of, show
from .line import Failure, now
from .wire import crc32, tag

ZERO = bytes(16)
PRINT = b"reference-mach01"
EVENTS = ("Stopped", "Heartbeat", "Bye")
REASONS = (1, 2, 4, 5, 6, 8, 9, 10)
Message = namedtuple("Message", "t channel sequence time name fields raw")
SEEN_NONCES = {"host": {}, "device": {}}


class Session:
    """direction: 0 we are the host, 1 we are the agent."""

    def __init__(self, link, direction):
        self.link, self.direction = link, direction
        self.host, self.device = os.urandom(16), None
        self.sequence, self.start, self.skew = -1, None, 0
        self.answers, self.events, self.log = deque(), deque(), []
        self.holes, self.last, self.highest = {}, [-1, -1], -1
        self.latest = [(-1, 0), (-1, 0)]    # sequence and time of the last message on each channel
        self.patience = 3               # s until a sequence that is left out counts as lost
        self.sent_on = {}               # sequence: channel
        self.last_message = None
        self.bye = None
        self.active = False

    # -- sending -----------------------------------------------------------------------------------------------------

    def message(self, raw, sequence, time, channel, nonces=None, direction=None):
        header = struct.pack(">II", sequence, time)
        host, device = nonces or (self.host, self.device or ZERO)
        direction = self.direction if direction is None else direction
        return header + raw + tag(host, device, direction, channel, header, raw)

    def send_frame(self, raw, sequence=None, time=None, channel=None, nonces=None, direction=None, tag_channel=None,
                   change=None):
        """Sends one debug frame; whatever is given replaces what would be right. Returns the sequence."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        if channel is None:
            name = NAME.get(raw[5] if len(raw) > 5 else 0, "")
            channel = self.channel_for(name, raw)
        time = self.own_time() if time is None else time
        m = self.message(raw, sequence, time, channel if tag_channel is None else tag_channel, nonces, direction)
        if change:
            m = change(m)
        self.last_message = m
        self.sent_on[sequence] = channel
        self.link.write(channel, m)
        return sequence

    def channel_for(self, name, _raw):
        return channel_of(name)

    def send(self, name, fields=None, **over):
        return self.send_frame(encode(name, **(fields or {})), **over)

    def send_message(self, m, channel=1):
        self.link.write(channel, m)

    # -- receiving ---------------------------------------------------------------------------------------------------

    def nonces_tried(self):
        return [(self.host, self.device or ZERO)]

    def pump(self, seconds=0.02):
        self.link.pump(seconds)
        while self.link.inbox:
            self.on_message(*self.link.inbox.popleft())

    def on_message(self, channel, m):
        violation = self.link.violation
        if len(m) < 18:
            return violation("5.2 a message of %d bytes" % len(m))
        header, raw = m[:8], m[8:-4]
        good = lambda n: tag(*n, 1 - self.direction, channel, header, raw) == m[-4:]
        self.tagged_with = next((n for n in self.nonces_tried() if good(n)), None)
        if self.tagged_with is None:
            return violation("5.5 a wrong tag: " + m.hex()[:80])
        sequence, time = struct.unpack(">II", header)
        self.watch_order(channel, sequence, time)
        try:
            name, fields = decode(raw)
        except Malformed as e:
            return violation(f"6 a malformed frame: {e} {raw.hex()[:100]}")
        if (NUMBER[name] < 0x80) != (self.direction == 1) and name not in ("Heartbeat", "Bye", "SealRecord"):
            return violation(f"6.2 {name} from the wrong side")
        message = Message(now(), channel, sequence, time, name, fields, raw)
        self.log.append(message)
        self.watch(message)
        if name == "Bye":
            self.bye = fields["reason"]
            if self.bye not in REASONS:
                violation(f"5.8 Bye with reason {self.bye}")
        if not self.hook(message):
            (self.events if name in EVENTS else self.answers).append(message)

    def watch_order(self, channel, sequence, time):
        """SPEC 5.6: one more over both channels; on each of them in order; times do not go down with sequences."""
        violation = self.link.violation
        if not self.link.serial and not channel and sequence < self.last[1] and sequence > self.last[0]:
            violation(f"5.1 message {self.last[1]} of channel 1 came in front of message {sequence} of channel 0")
        if sequence <= self.last[channel]:
            violation(f"5.6 sequence {sequence} after {self.last[channel]} on channel {channel}")
        self.last[channel] = max(self.last[channel], sequence)
        for hole in range(max(self.highest + 1, sequence - 64), sequence):
            self.holes[hole] = now()
        if sequence > self.highest + 64:
            violation(f"5.6 sequence {sequence} after {self.highest}")
        self.highest = max(self.highest, sequence)
        self.holes.pop(sequence, None)
        if any(now() - t > self.patience for t in self.holes.values()):
            violation(f"5.6 sequence {min(self.holes)} never came")
        for s, t in self.latest:
            if (s < sequence and t > time) or (s > sequence and t < time):
                violation(f"5.6 time {time} of sequence {sequence}, time {t} of {s}")
        self.latest[channel] = sequence, time
        self.watch_time(sequence, time)

    def watch_time(self, sequence, time):
        pass

    def watch(self, message):
        pass

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
                    ended = ", the line is closed" if self.link.closed else ""
                    ended += f", RESET {self.link.resets}" if self.link.resets else ""
                    ended += f", Bye {self.bye}" if self.bye else ""
                    raise Failure(f"{what}: not within {seconds:g} s{ended}")
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
        self.echo = True                # answer Heartbeats
        self.heard = 0                  # greatest time that came
        self.challenges = deque(maxlen=16)
        self.longest = 512
        self.clock_tolerance = 150      # units of 10 ms between our clock and the agent's
        self.answered = [-1, -1]        # greatest request on each channel that has an answer
        self.knobs = self.said = None   # set by the environment: sends a knob's line

    @property
    def clock(self):
        """What the agent's session clock should be, in units of 10 ms."""
        return 0 if self.start is None else max(0, int((now() - self.start) * 100 + self.skew / 10))

    def own_time(self):
        return self.heard

    def nonces_tried(self):
        if self.device:
            return [(self.host, self.device)]
        return [(self.host, ZERO), (ZERO, ZERO)]

    def watch_time(self, sequence, time):
        self.heard = max(self.heard, time)
        if self.start is not None and abs(time - self.clock) > self.clock_tolerance and sequence:
            self.link.violation(f"5.6 time {time}, but the clock is at {self.clock}")

    def watch(self, m):
        violation = self.link.violation
        request = m.fields.get("request")
        if m.name in ("Welcome", "State", "Stopped", "Heartbeat", "Bye"):
            if m.channel:
                violation(f"5.6 {m.name} on channel 1")
        elif self.sent_on.get(request, m.channel) != m.channel:
            violation(f"5.6 {m.name} on channel {m.channel} answers a command on the other one")
        if m.name == "Stopped":
            if not m.fields["mask"] & 1 << 15:
                violation("6.4 Stopped without the pc")
            if m.fields["axes"] not in (1, 2):
                violation(f"6.4 Stopped with axes {m.fields['axes']}")
        elif request is not None and self.active:
            if request <= self.answered[m.channel]:
                violation(f"8.13 {m.name} to {request} after the answer to {self.answered[m.channel]}")
            self.answered[m.channel] = max(request, self.answered[m.channel])
        if m.name == "Heartbeat":
            if m.fields["challenge"] in list(self.challenges)[-4:]:
                violation(f"5.7 the challenge {m.fields['challenge']} again")
            if m.fields["run_state"] not in (1, 2, 3):
                violation(f"6.3 Heartbeat with run state {m.fields['run_state']}")
            self.challenges.append(m.fields["challenge"])

    def hook(self, m):
        if m.name == "Welcome" and self.device is None:
            self.device, self.start = m.fields["device_nonce"], now()
            if m.fields["device_nonce"] in SEEN_NONCES["device"]:
                self.link.violation("5.4 a device nonce is used twice")
            SEEN_NONCES["device"][self.device] = True
        if m.name == "Heartbeat" and self.echo and self.active and self.bye is None:
            self.beat(m.fields["challenge"])
        return False

    def beat(self, challenge, **over):
        return self.send("Heartbeat", {"run_state": 0, "challenge": challenge}, **over)

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, cookie=None, lanes=1, generation=4, more=b"", seconds=2.5, expect=True):
        """OPEN and ACCEPT."""
        link = self.link
        self.cookie = int.from_bytes(os.urandom(4), "big") if cookie is None else cookie
        link.connection = None
        link.fresh()
        accept = lambda: next((p for p in link.of(4) if p.position == self.cookie), None)
        end, p = now() + seconds, None
        while not p and now() < end:
            link.send_packet(3, self.cookie, bytes([generation, lanes]) + more, connection=0)
            p = link.until(accept, 0.25)
        if not p and expect:
            raise Failure(f"4.1 ACCEPT: not within {seconds} s" + (", the line is closed" if link.closed else ""))
        if p:
            self.accept = p
            link.fresh()
            link.connection = p.connection
        return p

    def hello_fields(self, **over):
        return dict(dict(lowest_version=3, highest_version=3, host_nonce=self.host, longest_message=self.longest,
                         suites=[0], token=self.token), **over)

    def hello(self, **over):
        self.sequence = max(self.sequence, 0)
        self.link.limits[1] = self.longest
        return self.send("Hello", self.hello_fields(**over), sequence=0, time=0, nonces=(ZERO, ZERO))

    def welcomed(self):
        """Hello, Welcome and State."""
        self.hello()
        self.welcome = self.answer("5.4 Welcome", "Welcome").fields
        message = self.answer("5.4 State", "State")
        self.state, self.state_body = message.fields, message.raw[6:]
        return self

    def handshake(self):
        self.welcomed()
        self.agree()
        self.answer("5.4 Done after Agree", "Done", 1)
        self.active = True
        return self

    def agree(self, crc=None, **over):
        return self.send("Agree", {"crc": crc32(self.state_body) if crc is None else crc}, **over)

    # -- asking ------------------------------------------------------------------------------------------------------

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

    def no_stopped(self, seconds, what):
        self.rest(seconds)
        if [e for e in self.events if e.name == "Stopped"]:
            raise Failure(f"{what}: Stopped")

    def halt(self):
        sequence = self.last_halt = self.send("Halt")
        self.answer("answer to Halt", "Done", sequence)
        return self.stopped(4, sequence, 0)

    def halt_steps(self):
        """Halt, and every Stopped up to its own."""
        sequence = self.send("Halt")
        self.answer("answer to Halt", "Done", sequence, 6)
        while self.stopped(seconds=6)["request"] != sequence:
            pass

    def status(self):
        return self.ask("GetStatus")

    def registers(self):
        return registers_of(self.ask("ReadRegisters", {"what": 0}))

    def read(self, addr, length):
        return self.ask("ReadMemory", {"addr": addr, "length": length})["data"]

    def metrics(self):
        return {m["metric"]: m["value"] for m in self.ask("ReadMetrics")["metrics"]}

    def force(self, addr=0x20000020, value=b"\xAA\xBB\xCC\xDD", lease=60000, fingerprint=PRINT, safe=b""):
        return {"addr": addr, "lease": lease, "fingerprint": fingerprint, "value": value, "safe": safe}

    def log_from(self, start=0):
        """All records from `start` on, in as many answers as it takes."""
        out = []
        while True:
            f = self.ask("ReadAudit", {"from": start, "count": 255})
            out += f["records"]
            if not f["records"] or f["records"][-1]["index"] + 1 >= f["next"]:
                self.lost_records = f["lost"]
                return out
            start = f["records"][-1]["index"] + 1

    # -- knobs -------------------------------------------------------------------------------------------------------

    def knob(self, text, seconds=5):
        """A line to the agent program; its answer, while the session goes on."""
        return self.knobs(text, self, seconds)

    def journal(self):
        return self.knob("journal")

    def clock_jump(self, ms):
        """The agent's clock jumps."""
        self.skew += ms
        self.knob(f"clock {ms}")

    def stall(self, ms):
        """The agent stands still from now on; what is sent next arrives in the stall."""
        self.said(f"stall {ms}")
        self.rest(0.08)

    def age(self, ms, step=400):
        """So much time goes by for the agent, in steps that are no stall."""
        while ms > 0:
            self.clock_jump(min(step, ms))
            ms -= step
            self.rest(0.03)

    # -- ends --------------------------------------------------------------------------------------------------------

    def close(self):
        """Bye and the other Bye."""
        self.send("Bye", {"reason": 1})
        self.active = False
        self.until(lambda: self.bye, 2.5, "5.8 Bye answered")
        self.until(lambda: self.link.resets or self.link.closed, 2.0)

    def wait_end(self, reason, seconds, what):
        """The agent's Bye with this reason."""
        self.until(lambda: self.bye is not None, seconds, f"{what}: Bye {reason}")
        self.active = False
        if self.bye != reason:
            raise Failure(f"{what}: Bye {reason} expected, Bye {self.bye} came")

    def finish_end(self, seconds=2.5):
        """Our Bye to the agent's; as the one that received the first Bye we close a stream."""
        self.send("Bye", {"reason": self.bye})
        if not self.link.serial and not self.link.closed:
            self.link.sock.shutdown(socket.SHUT_WR)
        self.until(lambda: self.link.resets or self.link.closed, seconds, "5.8 the line's end behind the other Bye")
        return self

    def successor(self, token=b"operator"):
        """Who comes next on the same serial line."""
        peer = HostPeer(self.link)
        peer.token, peer.knobs, peer.said = token, self.knobs, self.said
        return peer

    def next(self, token=b"operator", **over):
        """Another session on the same serial line, after this one's end."""
        if self.active:
            self.close()
        peer = self.successor(token)
        peer.open(**over)
        return peer.handshake()
