"""One end of a serial line, obedient unless told otherwise; it watches the other end: SPEC 2 to 4."""

import struct
import time
from collections import Counter

from .line import Failure, Line, now
from .wire import ACCEPT, ACK, DATA, MTU, OPEN, PAYLOAD, PROBE, RESET, framed, packet, parse, unstuffed

__all__ = ["Failure", "Link", "now"]


class Link(Line):
    serial = True

    def __init__(self, sock, agent_side):
        super().__init__(sock, agent_side)
        self.connection = None
        self.packets = []
        # what may be told to misbehave
        self.auto_ack = True            # ACK after DATA and every 150 ms
        self.accept_data = True         # False: DATA is lost on its way
        self.deaf = set()               # channels whose DATA is lost on its way
        self.lose = 0                   # so many DATA packets of ours are lost on their way
        self.retransmit = True
        self.windows = [8192, 8192]
        self.max_payload = PAYLOAD
        self.ignore_window = False      # send whatever there is
        self.fresh()

    def fresh(self):
        """A new connection."""
        two = lambda make: [make(), make()]
        self.rx, self.wire, self.wire_count = two(bytearray), two(bytearray), two(bytearray)
        self.parsed, self.tx = [0, 0], two(bytearray)
        self.sent, self.most_sent, self.acked, self.room = [0, 0], [0, 0], [0, 0], [512, 512]
        self.progress, self.went_back = [now(), now()], [0.0, 0.0]
        self.limits = [512, 512]
        self.advertised = [512, 512]
        self.ack_number, self.peer_ack, self.peer_ack_number = 0, None, 0
        self.ack_due, self.last_ack = False, now()
        self.nack, self.signal_failures = 0, 0
        self.inbox.clear()
        self.resets = []
        self.first_packet = len(self.packets)

    # -- sending -----------------------------------------------------------------------------------------------------

    def send_packet(self, kind, position, payload=b"", flags=0, connection=None, **wrong):
        number = (self.connection or 0) if connection is None else connection
        self.send_raw(framed(packet(kind, number, position, payload, flags, **wrong)))

    def ack_payload(self, expected=None, windows=None, nack=None):
        expected = expected or [len(self.rx[0]), len(self.rx[1])]
        windows = windows or self.windows
        mask = 0xFFFFFFFF
        return struct.pack(">IHIHHHHBH", expected[0] & mask, windows[0], expected[1] & mask, windows[1], 0, 0, 0,
                           self.nack if nack is None else nack, self.signal_failures)

    def send_ack(self, number=None, expected=None, windows=None, nack=None, extra=b""):
        payload = self.ack_payload(expected, windows, nack)
        if number is None:
            self.ack_number += 1
            number = self.ack_number
            for c in (0, 1):
                e, w = struct.unpack(">IH", payload[6 * c:6 * c + 6])
                self.advertised[c] = max(self.advertised[c], e + w)
        self.nack, self.ack_due, self.last_ack = 0, False, now()
        self.send_packet(ACK, number, payload + extra)

    def write(self, channel, message):
        self.put(channel, struct.pack(">H", len(message)) + message)

    def put(self, channel, data):
        """Bytes of a channel."""
        self.tx[channel] += data
        self.flush(channel)

    def noted(self, channel, data):
        """Bytes of ours that go over the line by other ways."""
        self.tx[channel] += data
        self.sent[channel] = self.most_sent[channel] = len(self.tx[channel])

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

    # -- receiving ---------------------------------------------------------------------------------------------------

    def pump(self, seconds=0.02):
        """One round: whatever arrives within the time, and what the timers want."""
        if self.closed:
            time.sleep(min(seconds, 0.02))
            return
        due = self.last_ack + 0.15 - now() if self.auto_ack and self.connection else seconds
        self.received(min(seconds, due))
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
        while b"\0" in self.raw:
            piece, _, self.raw = self.raw.partition(b"\0")
            if not piece:
                continue
            if len(piece) + 2 > MTU:
                self.violation(f"2 a packet of {len(piece) + 2} bytes on a lane with an MTU of {MTU}")
            raw = unstuffed(piece)
            found = "Frame" if raw is None else parse(raw, now())
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
            if len(p.payload) != 1 or p.payload[0] not in range(1, 7):
                self.violation(f"4.6 RESET with {p.payload.hex()}")
            if p.connection != 0 and p.position != 0:
                self.violation(f"3 RESET of a connection with position {p.position}")
            if p.connection and p.connection == self.connection:
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
        if not self.accept_data or c in self.deaf:
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
            if not 1 <= length <= self.limits[c]:
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
            late = self.acked[c] < self.sent[c] and now() - self.went_back[c] > 0.1
            if self.retransmit and a["nack"] & (1 << c | 12) and late:
                self.went_back[c] = self.progress[c] = now()
                self.sent[c] = self.acked[c]
        if a["bulk_intact"] or a["bulk_header"] or a["bulk_crc"]:
            self.violation("4.3 bulk counters without a bulk lane")
        self.peer_ack = p

    # -- looking -----------------------------------------------------------------------------------------------------

    def of(self, *kinds, since=0.0):
        return [p for p in self.packets[self.first_packet:] if p.kind in kinds and p.t >= since]

    def counted(self):
        return Counter(p.kind for p in self.packets)
