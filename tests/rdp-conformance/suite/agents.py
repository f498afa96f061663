"""Lines and peers of one scenario against an agent program, and its knobs."""

import json
import queue
import socket

from .line import Failure, Stream, now
from .link import Link
from .run import scenario
from .session import HostPeer

# What each knob is at the start.
START = {"permit": "31", "generation": "1", "interlock": "0", "moving": "0", "release-fails": "0",
         "recovery-fails": "0", "freeze": "0"}


def agent(name, seconds=1, tolerate=(), variant="stream"):
    """A scenario on a byte stream."""
    return scenario("agent", name, seconds, tolerate, variant)


def serial(name, seconds=1, tolerate=()):
    """A scenario on a serial line."""
    return scenario("agent", name, seconds, tolerate, "serial")


def both(name, seconds=1, tolerate=()):
    """A scenario that is played on a byte stream and on a serial line."""
    def register(function):
        agent(name, seconds, tolerate)(function)
        serial(name + " (serial)", seconds, tolerate)(function)
        return function
    return register


def observed(name, seconds=1, tolerate=()):
    """A scenario with an observers' listener."""
    return scenario("agent", name, seconds, tolerate, "observe")


class AgentEnv:
    def __init__(self, worker, entry):
        self.worker, self.tolerate, self.variant = worker, entry["tolerate"], entry["variant"]
        self.lines, self.touched = [], set()

    @property
    def serial(self):
        return self.variant.startswith("serial")

    def line(self, observer=False):
        """A connection to the agent: a stream or a serial line."""
        program, where = self.worker.program(self.variant)
        sock = socket.socket()
        # Little room in the line: what an agent has said is to be heard soon, not after megabytes of Stopped.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.settimeout(5)
        sock.connect(where[1 if observer else 0])
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = (Link if self.serial and not observer else Stream)(sock, False)
        line.tolerated |= self.tolerate
        self.lines.append(line)
        return line

    def on(self, line, token=b"operator"):
        """A peer on this line, without link and session."""
        peer = HostPeer(line)
        peer.token, peer.knobs, peer.said = token, self.knob, self.said
        return peer

    def opened(self, token=b"operator", **over):
        """A peer with an open link on a serial line, or a new stream, and no handshake."""
        peer = self.on(self.line(), token)
        if self.serial:
            peer.open(**over)
        return peer

    def peer(self, token=b"operator"):
        """A peer with an active session."""
        return self.opened(token).handshake()

    def observer(self, token=b"observer"):
        """A peer with an active session on the observers' listener."""
        return self.on(self.line(True), token).handshake()

    def said(self, text):
        """A knob whose answer is not waited for."""
        word = text.split()[0]
        if word in START:
            self.touched.add(word)
        program, _ = self.worker.program(self.variant)
        program.say(text)
        program.pending += 1

    def knob(self, text, peer=None, seconds=5):
        """A line to the agent program, and its answer; a peer's session goes on meanwhile."""
        program, _ = self.worker.program(self.variant)
        self.said(text)
        word = text.split()[0]

        def answer():
            try:
                line = program.lines.get_nowait() if peer else program.lines.get(timeout=seconds)
            except queue.Empty:
                return None
            return "the program has ended" if line is None else line
        while program.pending:
            line = peer.until(answer, seconds) if peer else answer()
            if line is None:
                raise Failure(f"the knob {text!r} is not answered")
            program.pending -= 1
        if word == "journal":
            try:
                return json.loads(line)
            except ValueError:
                raise Failure(f"journal: {line!r}") from None
        if line != "ok":
            raise Failure(f"the knob {text!r} is answered with {line!r}")
        return line

    def close(self):
        for line in self.lines:
            line.gone()
        begin = now()
        program = self.worker.programs.get(self.variant, [None])[0]
        if program and program.pending and not self.touched:
            self.touched.add("freeze")
        for word in sorted(self.touched):
            self.knob(f"{word} {START[word]}", seconds=max(0.5, 5 - (now() - begin)))

    def violations(self):
        return [v for line in self.lines for v in line.violations]
