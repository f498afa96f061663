"""We play the agent against a host program."""

import json
import os
import queue
import socket

from .frames import ANSWERS, channel_of, encode, show, values_of
from .line import Failure, Stream, now
from .link import Link
from .run import scenario
from .session import PRINT, SEEN_NONCES, Session, ZERO
from .wire import ACCEPT, GENERATION, OPEN, crc32

REGS = dict({f"r{i}": 0x1000 + i for i in range(13)}, sp=0x20000400, lr=0x20000101, pc=0x20000100, xpsr=0x01000000)
STATE = dict(run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12,
             offset=345, modified=0, stuck=0, last_reason=2, last_detail=7, cause=2, ended=[0x20000020])
WELCOME = dict(
    version=3, fingerprint=PRINT, architecture=1, registers=17, axes=3, capabilities=0xFF, generation=1,
    longest_message=512, credit=4, breakpoints=8, read_memory=256, forces=8, policy_rules=16, longest_lease=60000,
    heartbeat=1000, loss=3000, tolerance=5000, stall=500, halt=1, trap=1, on_loss=2, authority=31, expires=3600,
    boot=7, audit_version=1, audit=1, audit_lost=0, lifecycle=0, suite=0, suites=[0], name=b"reference")
STATUS = dict(run_state=1, breakpoints=0, forces=0, steps_left=0, policy_version=0, policy_enabled=0, modified=0,
              stuck=0, last_reason=0)
ACTIVE = dict(active=True, fingerprint=PRINT.hex(), architecture=1, capabilities=255, authority=31, generation=1,
              credit=4, name="reference",
              state=dict(run=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12,
                         offset=345, modified=0, stuck=0, last=2, last_detail=7, cause=2, ended=[0x20000020]))


def host(name, seconds=1, tolerate=()):
    """A scenario on a byte stream."""
    return scenario("host", name, seconds, tolerate)


def serial(name, seconds=1, tolerate=()):
    """A scenario on a serial line."""
    return scenario("host", name, seconds, tolerate, "serial")


def both(name, seconds=1, tolerate=()):
    """A scenario that is played on a byte stream and on a serial line."""
    def register(function):
        host(name, seconds, tolerate)(function)
        serial(name + " (serial)", seconds, tolerate)(function)
        return function
    return register


class AgentPeer(Session):
    """The agent's end, and the host program's standard input and output."""

    def __init__(self, link, program):
        super().__init__(link, 1)
        self.program = program
        self.device = os.urandom(16)
        self.host = None
        self.heartbeat = 0.7            # s from one Heartbeat to the next; 0: none
        self.last_beat = now()
        self.run_state = 1
        self.requests = self.answers
        self.welcome_over, self.state_over = {}, {}
        self.sent_times = []            # (when, time) of our messages
        self.greatest = 0
        self.beats = {}                 # challenge: when it was sent
        self.unanswered = set()         # sequences of commands on channel 1
        self.credit = 4
        self.lines = []

    @property
    def clock(self):
        return 0 if self.start is None else max(0, int((now() - self.start) * 100 + self.skew / 10))

    def own_time(self):
        return self.clock

    def nonces_tried(self):
        return [(ZERO, ZERO)] if self.host is None else [(self.host, self.device)]

    def channel_for(self, name, raw):
        """An answer goes on its command's channel."""
        if name in ("Welcome", "State", "Stopped", "Heartbeat", "Bye", "SealRecord"):
            return 0
        request = int.from_bytes(raw[6:10], "big")
        return next((m.channel for m in reversed(self.log) if m.sequence == request), 1)

    def send_frame(self, raw, sequence=None, time=None, **over):
        time = self.own_time() if time is None else time
        sequence = super().send_frame(raw, sequence, time, **over)
        self.greatest = max(self.greatest, time)
        self.sent_times.append((now(), self.greatest))
        if raw[5:6] and raw[5] >= 0x80:
            self.unanswered.discard(int.from_bytes(raw[6:10], "big"))
        return sequence

    def beat(self, challenge=None, **over):
        challenge = int.from_bytes(os.urandom(4), "big") if challenge is None else challenge
        self.last_beat = now()
        self.beats[challenge] = now()
        self.send("Heartbeat", {"run_state": self.run_state, "challenge": challenge}, **over)
        return challenge

    def pump(self, seconds=0.02):
        super().pump(seconds)
        if not self.active or self.bye is not None or self.link.closed or self.link.resets:
            return
        if self.heartbeat and now() - self.last_beat > self.heartbeat:
            self.beat()
        late = [c for c, t in self.beats.items() if now() - t > 1.5]
        for challenge in late:
            del self.beats[challenge]
            self.link.violation("5.7 a Heartbeat is not answered within 1.5 s")

    # -- watching ----------------------------------------------------------------------------------------------------

    def watch_time(self, sequence, time):
        """SPEC 5.6: the greatest time that the host has received."""
        if time > self.greatest:
            self.link.violation(f"5.6 time {time}, but {self.greatest} is the greatest that was sent")
        before = [t for when, t in self.sent_times if now() - when > 1.5]
        if before and time < before[-1] and self.active:
            self.link.violation(f"5.6 time {time}, but {before[-1]} was sent 1.5 s ago")
        if time and time not in {t for _, t in self.sent_times}:
            self.link.violation(f"5.6 time {time} was never sent")

    def watch(self, m):
        violation = self.link.violation
        if m.channel != channel_of(m.name):
            violation(f"5.6 {m.name} on channel {m.channel}")
        if m.name == "Heartbeat":
            if m.fields["run_state"] != 0:
                violation(f"6.3 a host's Heartbeat with run state {m.fields['run_state']}")
            if self.beats.pop(m.fields["challenge"], None) is None:
                violation(f"5.7 a Heartbeat with the challenge {m.fields['challenge']}, which was not sent, or again")
        elif m.name in ANSWERS and m.channel:
            self.unanswered.add(m.sequence)
            if len(self.unanswered) > self.credit:
                violation(f"5.6 {len(self.unanswered)} unanswered commands, and a credit of {self.credit}")

    def hook(self, m):
        if m.name == "Hello" and self.host is None:
            self.host = m.fields["host_nonce"]
            if self.host in SEEN_NONCES["host"] or self.host == ZERO:
                self.link.violation("5.4 a host nonce that is not random")
            SEEN_NONCES["host"][self.host] = True
            if (m.sequence, m.time) != (0, 0):
                self.link.violation(f"5.4 Hello with sequence {m.sequence}, time {m.time}")
            self.link.limits = [512, 512]
        return False

    # -- opening -----------------------------------------------------------------------------------------------------

    def wait_open(self, seconds=8):
        p = self.link.until(lambda: next(iter(self.link.of(OPEN)), None), seconds, "4.1 OPEN")
        self.cookie = p.position
        return p

    def accept(self, connection=0x4242, lanes=1, generation=GENERATION):
        self.link.fresh()
        self.link.connection = connection
        self.link.send_packet(ACCEPT, self.cookie, bytes([generation, lanes]))

    def opened(self):
        """The link, if there is one."""
        if self.link.serial:
            self.wait_open()
            self.accept()
        return self

    def expect(self, name, seconds=4.0):
        m = self.until(lambda: self.requests.popleft() if self.requests else None, seconds, f"{name} from the host")
        if m.name != name:
            raise Failure(f"{name} expected from the host, {m.name} {show(m.fields)} came")
        return m

    def said_hello(self):
        """Up to and with Hello."""
        self.opened()
        self.hello = self.expect("Hello").fields
        return self

    def send_welcome(self, nonces=None, at=(0, 0), **over):
        fields = dict(WELCOME, host_nonce=self.host, device_nonce=self.device)
        fields.update(self.welcome_over)
        fields.update(over)
        self.credit = fields["credit"]
        self.sequence = max(self.sequence, 0)
        self.link.limits[1] = max(512, min(4096, fields["longest_message"]))
        self.send("Welcome", fields, sequence=at[0], time=at[1], nonces=nonces or (self.host, ZERO))
        self.start = now()

    def send_state(self, **over):
        raw = encode("State", **dict(STATE, **dict(self.state_over, **over)))
        self.state_crc = crc32(raw[6:])
        return self.send_frame(raw)

    def handshake(self):
        self.said_hello()
        if self.hello["token"] != b"operator":
            raise Failure(f"the token is {self.hello['token']}")
        self.send_welcome()
        self.send_state()
        return self.agreed()

    def agreed(self):
        """Agree, Done and the first line."""
        m = self.expect("Agree")
        if m.fields["crc"] != self.state_crc:
            raise Failure("5.4 Agree does not name the State")
        if m.sequence != 1:
            raise Failure(f"5.4 Agree has sequence {m.sequence}")
        self.send("Done", {"request": m.sequence})
        self.active, self.last_beat = True, now()
        self.active_line = self.line("the first line")
        if not self.active_line.get("active"):
            raise Failure(f"the first line is {self.active_line}")
        return self

    # -- the program -------------------------------------------------------------------------------------------------

    def say(self, text):
        self.program.say(text)

    def try_line(self):
        try:
            line = self.program.lines.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            self.program.lines.put(None)
            return {"end": True}
        if not line:
            return None
        try:
            value = json.loads(line)
        except ValueError:
            raise Failure(f"the host program prints {line!r}") from None
        self.lines.append(value)
        return value

    def line(self, what, seconds=5.0):
        value = self.until(self.try_line, seconds, f"{what}: a line of the host program")
        if value.get("end"):
            raise Failure(f"{what}: the host program has ended {self.program.stderr()}")
        return value

    def no_line(self, seconds, what):
        value = self.until(self.try_line, seconds)
        if value:
            raise Failure(f"{what}: the host program prints {value}")

    def closed(self, reason, seconds=5.0, what="the end"):
        """The line `closed`, with one of these reasons (None: any), and the end of the program."""
        value = self.line(what, seconds)
        reasons = reason if isinstance(reason, (tuple, list)) else (reason,)
        if "closed" not in value:
            raise Failure(f"{what}: closed expected, {value} came")
        if reason is not None and value["closed"] not in reasons:
            raise Failure(f"{what}: closed {reason} expected, {value} came")
        self.until(lambda: self.program.process.poll() is not None, 4, f"{what}: the host program ends")
        return value

    def serve(self, text, request, answer=None, fields=None, **over):
        """A command line, the request it has to become, our answer. Returns the printed line."""
        self.say(text)
        m = self.expect(request)
        if answer:
            self.send(answer, dict({"request": m.sequence}, **(fields or {})), **over)
        self.served = m
        return self.line(text) if answer else m

    def status_fields(self, **over):
        return dict(STATUS, uptime=1234, **over) if "uptime" not in over else dict(STATUS, **over)

    def alive(self):
        """A whole round: `status` still works."""
        self.rest(0.03)
        got = self.serve("status", "GetStatus", "Status", self.status_fields(uptime=77))
        if got.get("uptime") != 77:
            raise Failure(f"status: {got}")
        if self.bye is not None:
            raise Failure(f"Bye {self.bye} from the host")

    def answer(self, name, request, fields=None, **over):
        return self.send(name, dict({"request": request}, **(fields or {})), **over)

    def registers(self, request, registers, capture=1, **over):
        return self.send("Registers", dict(values_of(registers), request=request, capture=capture), **over)

    def stopped(self, registers, request=0, reason=4, more=0, detail=0, capture=1, axes=1, **over):
        fields = dict(values_of(registers), request=request, reason=reason, more=more, detail=detail, capture=capture,
                      axes=axes)
        return self.send("Stopped", fields, **over)

    def say_bye(self, reason, seconds=3):
        """Bye of the host, with this reason; ours follows."""
        self.until(lambda: self.bye is not None, seconds, f"Bye {reason}")
        self.active = False
        if self.bye != reason:
            raise Failure(f"Bye {reason} expected, Bye {self.bye} came")
        self.send("Bye", {"reason": reason})


class HostEnv:
    def __init__(self, command, entry):
        self.command, self.tolerate, self.serial = command, entry["tolerate"], entry["variant"] == "serial"
        self.peers, self.sockets, self.programs = [], [], []

    def started(self, more=(), seconds=20):
        """The program started and its TCP connection taken."""
        from .run import Program
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(0.1)
        self.sockets.append(listener)
        where = ("uart:" if self.serial else "") + "127.0.0.1:%d" % listener.getsockname()[1]
        program = Program(list(self.command) + [where, "--token", "operator"] + list(more))
        self.programs.append(program)
        end, sock = now() + seconds, None
        while sock is None:
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                if now() > end or program.process.poll() is not None:
                    raise Failure("the host program does not connect " + program.stderr()) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(sock)
        link = (Link if self.serial else Stream)(sock, True)
        link.tolerated |= self.tolerate
        peer = AgentPeer(link, program)
        self.peers.append(peer)
        return peer

    def peer(self, **over):
        """A peer with an active session; `over` goes into Welcome."""
        peer = self.started()
        peer.welcome_over = over
        return peer.handshake()

    def close(self):
        for p in self.programs:
            p.stop()
        for s in self.sockets:
            s.close()

    def violations(self):
        return [v for p in self.peers for v in p.link.violations]
