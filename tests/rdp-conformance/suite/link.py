"""One end of a link over TCP, obedient unless told otherwise; it watches the other end for violations of SPEC 2 to 4."""

import select
import struct
import time
from collections import Counter, deque

from .wire import ACK, ACCEPT, DATA, OPEN, PROBE, RESET, framed, packet, parse

now = time.monotonic


class Failure(Exception):
    """The other side did not do what it must."""


def signed(x):
    return (x & 0xFFFFFFFF) - ((x & 0x80000000) << 1)


class Link:
    def __init__(self, sock, agent_side):
        self.sock, self.agent_side = sock, agent_side
        sock.setblocking(True)
        sock.settimeout(5)
        self.raw = b""
        self.connection = None
        self.closed = False
        self.packets, self.resets, self.violations = [], [], []
        # what may be told to misbehave
        self.auto_ack = True            # ACK after DATA and every 150 ms
        self.accept_data = True         # False: DATA is lost on its way
        self.lose = 0                   # so many DATA packets of ours are lost on their way
        self.retransmit = True
        self.windows = [8192, 8192]
        self.max_payload = 1006
        self.ignore_window = False      # send whatever there is
        self.tolerated = set()          # beginnings of violations that a scenario provokes
        self.fresh()

    def fresh(self):
        """A new connection."""
        self.rx, self.wire, self.wire_count = [bytearray(), bytearray()], [bytearray(), bytearray()], [bytearray(), bytearray()]
        self.parsed = [0, 0]
        self.tx, self.sent, self.most_sent, self.acked, self.room = [bytearray(), bytearray()], [0, 0], [0, 0], [0, 0], [512, 512]
        self.progress, self.went_back = [now(), now()], [0.0, 0.0]
        self.limit = 512                # of records that come in
        self.advertised = [512, 512]
        self.ack_number, self.peer_ack, self.peer_ack_number = 0, None, 0
        self.ack_due, self.last_ack = False, now()
        self.nack, self.signal_failures, self.told_crc = 0, 0, 0
        self.inbox = deque()
        self.resets = []
        self.first_packet = len(self.packets)

    def violation(self, text):
        if not any(text.startswith(t) for t in self.tolerated) and text not in self.violations and len(self.violations) < 20:
            self.violations.append(text)

    # -- sending ------------------------------------------------------------------------------------------------------

    def send_raw(self, data):
        if self.closed:
            return
        try:
            self.sock.sendall(data)
        except OSError:
            self.closed = True

    def send_packet(self, kind, position, payload=b"", flags=0, connection=None, **wrong):
        self.send_raw(framed(packet(kind, (self.connection or 0) if connection is None else connection, position, payload, flags, **wrong)))

    def ack_payload(self, expected=None, windows=None, nack=None):
        expected = expected or [len(self.rx[0]), len(self.rx[1])]
        windows = windows or self.windows
        return struct.pack(">IHIHHHHBH", expected[0] & 0xFFFFFFFF, windows[0], expected[1] & 0xFFFFFFFF, windows[1], 0, 0, 0, self.nack if nack is None else nack,
                           self.signal_failures)

    def send_ack(self, number=None, expected=None, windows=None, nack=None, extra=b""):
        payload = self.ack_payload(expected, windows, nack)
        if number is None:
            self.ack_number += 1
            number = self.ack_number
            for c in (0, 1):
                e, w = struct.unpack(">IH", payload[6 * c:6 * c + 6])
                self.advertised[c] = max(self.advertised[c], e + w)
            if payload[18] & 8:
                self.told_crc += 1
        self.nack, self.ack_due, self.last_ack = 0, False, now()
        self.send_packet(ACK, number, payload + extra)

    def write(self, channel, data):
        self.tx[channel] += data
        self.flush(channel)

    def flush(self, channel):
        while True:
            at = self.sent[channel]
            stop = min(len(self.tx[channel]), at + self.max_payload)
            if not self.ignore_window:
                stop = min(stop, self.acked[channel] + self.room[channel])
            if stop <= at:
                return
            again = 1 if at < self.most_sent[channel] else 0
            if self.lose:
                self.lose -= 1
            else:
                self.send_packet(DATA, at, bytes(self.tx[channel][at:stop]), channel | again << 4)
            self.sent[channel] = stop
            self.most_sent[channel] = max(self.most_sent[channel], stop)

    # -- receiving ----------------------------------------------------------------------------------------------------

    def pump(self, seconds=0.02):
        """One round: whatever arrives within the time, and what the timers want."""
        if self.closed:
            time.sleep(min(seconds, 0.02))
            return
        due = self.last_ack + 0.15 - now() if self.auto_ack and self.connection else seconds
        ready, _, _ = select.select([self.sock], [], [], max(0.0, min(seconds, due)))
        if ready:
            try:
                data = self.sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.closed = True
            self.raw += data
            self.take()
        if not self.connection or self.closed:
            return
        if self.auto_ack and (self.ack_due or now() - self.last_ack >= 0.15):
            self.send_ack()
        for c in (0, 1):
            if self.acked[c] < len(self.tx[c]):
                if self.retransmit and self.acked[c] < self.sent[c] and now() - self.progress[c] > 0.5:
                    self.progress[c] = now()
                    self.sent[c] = self.acked[c]
                self.flush(c)

    def take(self):
        while len(self.raw) >= 2:
            length = int.from_bytes(self.raw[:2], "big")
            if not 16 <= length <= 1022:
                self.violation(f"2.2 length {length}")
                self.closed = True
                return
            if len(self.raw) < 2 + length:
                return
            found = parse(self.raw[2:2 + length], now())
            self.raw = self.raw[2 + length:]
            if isinstance(found, str):
                self.violation(f"3.1 a packet with wrong {found}")
                continue
            self.packets.append(found)
            self.on_packet(found)

    def on_packet(self, p):
        if p.kind not in (DATA, ACK, OPEN, ACCEPT, RESET, PROBE):
            self.violation(f"3 type {p.kind} sent")
        if p.flags & 0x0E or p.kind != DATA and p.flags:
            self.violation(f"3 flags 0x{p.flags:02X} in type {p.kind}")
        if p.kind == OPEN and not self.agent_side or p.kind == ACCEPT and self.agent_side:
            self.violation(f"3 type {p.kind} from the wrong side")
        if p.kind == PROBE:
            self.violation("3 PROBE on the signal lane")
        if p.kind == RESET:
            if len(p.payload) != 1 or p.payload[0] not in range(1, 6):
                self.violation(f"4.6 RESET with {p.payload.hex()}")
            if p.connection == self.connection or self.connection is None:
                self.resets.append(p.payload[0] if p.payload else None)
            return
        if not self.connection or p.connection != self.connection:
            if self.connection and p.kind in (DATA, ACK):
                self.violation("4.1 DATA or ACK of another connection")
            return
        if p.kind == DATA:
            self.on_data(p)
        elif p.kind == ACK:
            self.on_ack(p)

    def on_data(self, p):
        c, wire, counts = p.channel, self.wire[p.channel], self.wire_count[p.channel]
        if not p.payload:
            self.violation("3 DATA without bytes")
            return
        if p.end > self.advertised[c] and len(p.payload) > 16:
            self.violation(f"4.4 a packet to {p.end} with a window to {self.advertised[c]}")
        if p.position > len(wire):
            self.violation(f"4.4 a packet at {p.position}, of which {len(wire)} came before")
            return
        old = bytes(wire[p.position:p.end])
        if old and old != p.payload[:len(old)]:
            self.violation("4.4 other bytes at a position that was sent before")
        before = max(counts[p.position:p.end], default=0)
        if (p.count != 0) != (before != 0):
            self.violation(f"3 retransmissions {p.count} of bytes that were sent {before} times before")
        wire += p.payload[len(old):]
        counts += bytes(len(wire) - len(counts))
        for i in range(p.position, p.end):
            counts[i] = min(255, counts[i] + 1)
        if not self.accept_data:
            return
        self.ack_due = True
        if p.position <= len(self.rx[c]) < p.end:
            self.rx[c] += p.payload[len(self.rx[c]) - p.position:]
            self.records(c)

    def records(self, c):
        rx = self.rx[c]
        while len(rx) - self.parsed[c] >= 2:
            at = self.parsed[c]
            length = int.from_bytes(rx[at:at + 2], "big")
            if not 1 <= length <= self.limit:
                self.violation(f"4.2 a record of {length}")
                return
            if len(rx) < at + 2 + length:
                return
            self.parsed[c] = at + 2 + length
            self.inbox.append((c, bytes(rx[at + 2:at + 2 + length])))

    def on_ack(self, p):
        if len(p.payload) < 21:
            self.violation("4.3 an ACK that is too short")
            return
        if p.position < 1 or p.position <= self.peer_ack_number:
            self.violation(f"4.3 ACK {p.position} after {self.peer_ack_number}")
            return
        self.peer_ack_number = p.position
        a = p.ack
        for c in (0, 1):
            e = a[f"expected{c}"]
            if e > self.most_sent[c]:
                self.violation(f"4.3 ACK of {e}, of which {self.most_sent[c]} were sent")
                continue
            if e < self.acked[c]:
                self.violation("4.3 an acknowledged position goes back")
                continue
            if e > self.acked[c]:
                self.acked[c] = e
                self.sent[c] = max(self.sent[c], e)
                self.progress[c] = now()
            self.room[c] = a[f"window{c}"]
            if self.retransmit and a["nack"] & (1 << c | 12) and self.acked[c] < self.sent[c] and now() - self.went_back[c] > 0.1:
                self.went_back[c] = self.progress[c] = now()
                self.sent[c] = self.acked[c]
        if a["bulk_intact"] or a["bulk_header"] or a["bulk_crc"]:
            self.violation("4.3 bulk counters without a bulk lane")
        self.peer_ack = p

    # -- waiting ------------------------------------------------------------------------------------------------------

    def until(self, condition, seconds, what=None):
        """Pumps until the condition is true. With `what`, it is a failure if it does not become so."""
        end = now() + seconds
        while True:
            value = condition()
            if value:
                return value
            left = end - now()
            if left <= 0:
                if what:
                    raise Failure(f"{what}: not within {seconds:g} s" + (", the lane is closed" if self.closed else "") +
                                  (f", RESET {self.resets}" if self.resets else ""))
                return None
            self.pump(min(left, 0.05))

    def rest(self, seconds):
        self.until(lambda: False, seconds)

    def of(self, *kinds, since=0.0):
        return [p for p in self.packets[self.first_packet:] if p.kind in kinds and p.t >= since]

    def counted(self):
        return Counter(p.kind for p in self.packets)
