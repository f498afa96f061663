"""We play the agent against a host program."""

import json
import os
import queue
import socket

from .link import Failure, Link, now
from .session import PRINT, SEEN_NONCES, Session, ZERO, show
from .wire import ACCEPT, OPEN, crc32, encode, values_of

REGS = dict({f"r{i}": 0x1000 + i for i in range(13)}, sp=0x20000400, lr=0x20000101, pc=0x20000100, xpsr=0x01000000)
STATE = dict(run_state=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345)
ACTIVE = dict(active=True, fingerprint=PRINT.hex(), architecture=1, capabilities=63, authority=15, name="reference",
              state=dict(run=1, axes=[1000000, -2000000, 3000000], plc=list(range(100, 108)), program=1000, line=12, offset=345))


class AgentPeer(Session):
    """The agent's end, and the host program's standard input and output."""

    def __init__(self, link, program):
        super().__init__(link, 1)
        self.program = program
        self.device = os.urandom(16)
        self.host = None
        self.heartbeat_state = 1
        self.requests = self.answers
        self.welcome_over, self.state_over = {}, {}
        self.clock_tolerance = 2000
        self.lines = []

    def nonces_tried(self):
        return [(ZERO, ZERO)] if self.host is None else [(self.host, self.device)]

    def hook(self, m):
        if m.name == "Hello" and self.host is None:
            self.host = m.fields["host_nonce"]
            if self.host in SEEN_NONCES["host"] or self.host == ZERO:
                self.link.violation("5.3 a host nonce that is not random")
            SEEN_NONCES["host"][self.host] = True
            if (m.sequence, m.time, m.epoch) != (0, 0, 0):
                self.link.violation(f"5.3 Hello with sequence {m.sequence}, time {m.time}, epoch {m.epoch}")
        return False

    # -- opening ------------------------------------------------------------------------------------------------------

    def wait_open(self, seconds=8):
        p = self.link.until(lambda: next(iter(self.link.of(OPEN)), None), seconds, "4.1 OPEN")
        self.cookie = p.position
        return p

    def accept(self, connection=0x4242, lanes=1):
        self.link.fresh()
        self.link.connection = connection
        self.link.send_packet(ACCEPT, self.cookie, bytes([3, lanes]))

    def expect(self, name, seconds=4.0):
        m = self.until(lambda: self.requests.popleft() if self.requests else None, seconds, f"{name} from the host")
        if m.name != name:
            raise Failure(f"{name} expected from the host, {m.name} {show(m.fields)} came")
        return m

    def send_welcome(self, nonces=None, at=(0, 0, 0), **over):
        fields = dict(version=3, host_nonce=self.host, device_nonce=self.device, fingerprint=PRINT, architecture=1, registers=17, axes=3, capabilities=0x3F,
                      longest_message=512, breakpoints=8, read_memory=256, forces=8, policy_rules=16, heartbeat=1000, loss=3000, tolerance=5000, authority=15,
                      name=b"reference")
        fields.update(self.welcome_over)
        fields.update(over)
        self.send("Welcome", fields, sequence=at[0], time=at[1], epoch=at[2], nonces=nonces or (self.host, ZERO))
        self.start = now()

    def send_state(self, **over):
        raw = encode("State", **dict(STATE, **dict(self.state_over, **over)))
        self.state_crc = crc32(raw[6:])
        return self.send_frame(raw)

    def handshake(self):
        self.wait_open()
        self.accept()
        return self.session()

    def session(self):
        hello = self.expect("Hello")
        self.hello = hello.fields
        if hello.fields["token"] != b"operator":
            raise Failure(f"the token is {hello.fields['token']}")
        self.send_welcome()
        self.send_state()
        m = self.expect("Agree")
        if m.fields["crc"] != self.state_crc:
            raise Failure("5.3 Agree does not name the State")
        if m.sequence != 1:
            raise Failure(f"5.3 Agree has sequence {m.sequence}")
        self.send("Done", {"request": m.sequence})
        self.active = True
        self.active_line = self.line("the first line")
        if not self.active_line.get("active"):
            raise Failure(f"the first line is {self.active_line}")
        return self

    # -- the program --------------------------------------------------------------------------------------------------

    def say(self, text):
        try:
            self.program.process.stdin.write(text.encode() + b"\n")
            self.program.process.stdin.flush()
        except OSError:
            raise Failure("the host program reads no more: " + self.program.stderr())

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
            raise Failure(f"the host program prints {line!r}")
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
        self.last = m
        return self.line(text) if answer else m

    def status_fields(self, **over):
        return dict(dict(run_state=1, breakpoints=0, forces=0, steps_left=0, policy_version=0, policy_enabled=0, uptime=1234), **over)

    def alive(self):
        """A whole round: `status` still works."""
        self.rest(0.05)
        got = self.serve("status", "GetStatus", "Status", self.status_fields(uptime=77))
        if got.get("uptime") != 77:
            raise Failure(f"status: {got}")
        if self.bye is not None:
            raise Failure(f"Bye {self.bye} from the host")

    def answer(self, name, request, fields=None, **over):
        return self.send(name, dict({"request": request}, **(fields or {})), **over)

    def registers(self, request, registers, capture=1, **over):
        return self.send("Registers", dict(values_of(registers), request=request, capture=capture), **over)

    def stopped(self, registers, request=0, reason=4, more=0, detail=0, capture=1, **over):
        return self.send("Stopped", dict(values_of(registers), request=request, reason=reason, more=more, detail=detail, capture=capture), **over)


class HostEnv:
    def __init__(self, command, tolerate=()):
        self.command, self.tolerate, self.peers, self.sockets, self.programs = command, set(tolerate), [], [], []

    def started(self, more=(), seconds=20):
        """The program started and its TCP connection taken."""
        from .run import Program
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(seconds)
        self.sockets.append(listener)
        program = Program(list(self.command) + ["127.0.0.1:%d" % listener.getsockname()[1], "--token", "operator"] + list(more))
        self.programs.append(program)
        try:
            sock, _ = listener.accept()
        except TimeoutError:
            raise Failure("the host program does not connect " + program.stderr())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(sock)
        link = Link(sock, True)
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
