"""A WebSocket client that sends whatever it is told and is strict about what it reads (RFC 6455, RFC 7692, RFC 9112).

It shares nothing with the crates and needs nothing but Python's standard library.
"""

import base64
import hashlib
import re
import select
import socket
import time
import zlib

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# The key of the RFC's examples, and the sample nonce of section 1.3 with the answer that it must get.
KEY = bytes.fromhex("37fa213d")
NONCE, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
TAIL = b"\0\0\xff\xff"
# How long a peer may take for one answer.
DEADLINE = 6.0
TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"


class Bad(Exception):
    """The peer broke a rule, or answered something else."""


def masked(data, key=KEY):
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")).to_bytes(len(data), "little")


def frame(opcode, payload=b"", fin=True, rsv=0, key=KEY, form=None, length=None):
    """One client frame. `form` 7, 16 or 64 forces the length's form, `length` what the header announces, `key` None
    leaves the mask out; `rsv` is 4 for RSV1, 2 for RSV2, 1 for RSV3."""
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    mask = 0x80 if key else 0
    head = bytes([fin << 7 | rsv << 4 | opcode, mask | (length if form == 7 else 126 if form == 16 else 127)])
    head += b"" if form == 7 else length.to_bytes(form // 8, "big")
    return head + (key + masked(payload, key) if key else payload)


def close(code=None, reason=b"", **options):
    return frame(CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason, **options)


def deflate(data, wbits=15, level=9, strategy=zlib.Z_DEFAULT_STRATEGY):
    """A message's payload as RFC 7692 7.2.1 makes it, without any context."""
    z = zlib.compressobj(level, zlib.DEFLATED, -wbits, 9, strategy)
    return (z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH))[:-4]


def request(host, first="GET /chat HTTP/1.1", lines=(), **fields):
    """A good opening handshake with changes: Field=None leaves a field out, a list repeats it; `_` stands for `-`."""
    head = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade"}
    head |= {"Sec-WebSocket-Key": NONCE, "Sec-WebSocket-Version": "13"}
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    out = [first]
    for name, value in head.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        out += [f"{name}: {value}" for value in values]
    return "\r\n".join([*out, *lines, "", ""]).encode("latin-1")


def parse_extensions(value):
    """`a; b=c, d` as [(name, [(parameter, value or None)])]; ValueError when it is not of the grammar."""
    parameter = rf'{TOKEN}(?:[ \t]*=[ \t]*(?:{TOKEN}|"(?:[^"\\]|\\.)*"))?'
    extension = rf"{TOKEN}(?:[ \t]*;[ \t]*{parameter})*"
    if not re.fullmatch(rf"[ \t]*{extension}(?:[ \t]*,[ \t]*{extension})*[ \t]*", value):
        raise ValueError(value)
    out = []
    for one in re.findall(extension, value):
        name, *parameters = re.findall(parameter, one)
        pairs = [re.split(r"[ \t]*=[ \t]*", p, maxsplit=1) for p in parameters]
        out.append((name, [(k, re.sub(r"\\(.)", r"\1", v[0].strip('"')) if v else None) for k, *v in pairs]))
    return out


def bits(value):
    return int(value) if re.fullmatch("8|9|1[0-5]", value or "") else None


def valid_deflate(parameters, answer):
    """Are these the parameters of a permessage-deflate offer, or answer, that RFC 7692 7.1 allows?"""
    names = [name for name, _ in parameters]
    for name, value in parameters:
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            good = value is None
        elif name == "client_max_window_bits" and not answer:
            good = value is None or bits(value)
        else:
            good = name in ("server_max_window_bits", "client_max_window_bits") and bits(value)
        if not good:
            return False
    return len(set(names)) == len(names)


def fits(offer, answer):
    """Is this answer, valid in itself, one that this offer allows?"""
    if "server_no_context_takeover" in offer and "server_no_context_takeover" not in answer:
        return False
    if "client_max_window_bits" in answer and "client_max_window_bits" not in offer:
        return False
    for name in ("server_max_window_bits", "client_max_window_bits"):
        if offer.get(name) and (name in answer or name.startswith("server")):
            if bits(answer.get(name)) is None or bits(answer[name]) > bits(offer[name]):
                return False
    return True


class Conn:
    """One connection: writes in any pieces, reads frames by the letter."""

    def __init__(self, address, pieces=False):
        self.socket = socket.create_connection(address, timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = "%s:%d" % address
        self.pieces = pieces
        self.buffer = bytearray()
        self.at = 0
        self.ended = self.broken = False
        self.deflate = self.message = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # Bytes.

    def _receive(self, wait):
        if self.ended or self.broken or not select.select([self.socket], [], [], max(wait, 0))[0]:
            return False
        try:
            data = self.socket.recv(1 << 20)
        except OSError:
            self.broken = True
            return True
        self.buffer += data
        self.ended = not data
        return True

    def send(self, data, pieces=None):
        """Writes, and takes in what comes meanwhile. A peer that closed already is no error: its answer decides."""
        until = time.monotonic() + 5 * DEADLINE
        for piece in cut(data) if (self.pieces if pieces is None else pieces) else [data]:
            view = memoryview(piece)
            while view and time.monotonic() < until:
                readable = [] if self.ended or self.broken else [self.socket]
                readable, writable, _ = select.select(readable, [self.socket], [], DEADLINE)
                if readable:
                    self._receive(0)
                if not writable and not readable:
                    return
                try:
                    view = view[self.socket.send(view[: 1 << 20]) :] if writable else view
                except OSError:
                    return
            if len(piece) < len(data) and (self.ended or self.broken or self._receive(0.0002) and self.ended):
                return

    def take(self, count, what):
        until = time.monotonic() + DEADLINE
        while len(self.buffer) - self.at < count:
            if self.broken:
                raise Bad(f"connection reset instead of {what}")
            if self.ended:
                raise Bad(f"end of the connection instead of {what}")
            got = self._receive(until - time.monotonic())
            # A long message may take longer, as long as it moves.
            if got and count > 1 << 16:
                until = time.monotonic() + DEADLINE
            if not got and time.monotonic() >= until:
                raise Bad(f"nothing in {DEADLINE:g} s instead of {what}")
        data = bytes(memoryview(self.buffer)[self.at : self.at + count])
        self.at += count
        if self.at > 1 << 16 or self.at == len(self.buffer):
            del self.buffer[: self.at]
            self.at = 0
        return data

    def end(self):
        """The peer ends the connection, in order and with nothing more said."""
        until = time.monotonic() + DEADLINE
        while not (self.ended or self.broken or len(self.buffer) > self.at or time.monotonic() >= until):
            self._receive(until - time.monotonic())
        if len(self.buffer) > self.at:
            raise Bad(f"{bytes(self.buffer[self.at : self.at + 20]).hex(' ')} after the last answer")
        if self.broken:
            raise Bad("connection reset after the last answer")
        if not self.ended:
            raise Bad(f"connection still open {DEADLINE:g} s after the last answer")

    # The opening handshake.

    def response(self):
        """(status, [(lower-case name, value)])"""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(1, "a response" if not head else "the rest of the response's head")
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        status = re.fullmatch(r"HTTP/1\.1 ([1-5][0-9][0-9]) [\t\x20-\x7e]*", first)
        fields = [re.fullmatch(rf"({TOKEN}):[ \t]*([\x20-\x7e]*?)[ \t]*", line) for line in lines]
        if not status or None in fields:
            raise Bad(f"malformed response head {head[:200]!r}")
        return int(status[1]), [(field[1].lower(), field[2]) for field in fields]

    def refused(self, statuses):
        """An HTTP error of these, then the end; gives its fields."""
        status, fields = self.response()
        if status not in statuses:
            raise Bad(f"status {status}")
        body = b""
        while not self.ended and not self.broken:
            try:
                body += self.take(1, "the end")
            except Bad:
                if not self.ended:
                    raise
        length = dict(fields).get("content-length")
        if length is not None and int(length) != len(body):
            raise Bad(f"Content-Length {length}, but a body of {len(body)} bytes")
        return dict(fields)

    def accepted(self, offers=(), protocols=(), accept=ACCEPT):
        """A right 101: gives (subprotocol, extension parameters), either of them None."""
        status, fields = self.response()
        if status != 101:
            raise Bad(f"status {status}")
        head = {}
        for name, value in fields:
            if name in head and name.startswith(("sec-", "upgrade")):
                raise Bad(f"{name} twice")
            head[name] = f"{head[name]}, {value}" if name in head else value
        if head.get("upgrade", "").lower() != "websocket":
            raise Bad(f"Upgrade: {head.get('upgrade')}")
        if "upgrade" not in [word.strip().lower() for word in head.get("connection", "").split(",")]:
            raise Bad(f"Connection: {head.get('connection')}")
        if head.get("sec-websocket-accept") != accept:
            raise Bad(f"Sec-WebSocket-Accept: {head.get('sec-websocket-accept')}")
        if "content-length" in head or "transfer-encoding" in head:
            raise Bad("a 101 with a body")
        protocol = head.get("sec-websocket-protocol")
        if protocol is not None and protocol not in protocols:
            raise Bad(f"Sec-WebSocket-Protocol: {protocol}, which was not asked for")
        if "sec-websocket-extensions" in head:
            self._negotiated(head["sec-websocket-extensions"], offers)
        return protocol, self.deflate

    def _negotiated(self, value, offers):
        try:
            ((name, parameters),) = parse_extensions(value)
        except ValueError:
            raise Bad(f"Sec-WebSocket-Extensions: {value}") from None
        asked = [dict(p) for n, p in sum(map(parse_any, offers), []) if n == name and valid_deflate(p, False)]
        answer = dict(parameters)
        if name != "permessage-deflate" or not valid_deflate(parameters, True):
            raise Bad(f"Sec-WebSocket-Extensions: {value}, which is not valid")
        if not any(fits(offer, answer) for offer in asked):
            raise Bad(f"Sec-WebSocket-Extensions: {value}, which no offer allows")
        self.deflate = answer
        self.inflater = self.deflater = None

    def open(self, offer=None):
        """A good handshake, with permessage-deflate when that is offered."""
        self.send(request(self.host, **({"Sec_WebSocket_Extensions": offer} if offer else {})), pieces=False)
        self.accepted([offer] if offer else [])
        if offer and self.deflate is None:
            raise Bad("permessage-deflate was not accepted")
        return self

    def compress(self, data):
        """A message's payload by the parameters that were agreed on."""
        wbits = bits(self.deflate.get("client_max_window_bits")) or 15
        if wbits == 8:
            # zlib has no such window; without matches any window does.
            return deflate(data, 9, strategy=zlib.Z_HUFFMAN_ONLY)
        if self.deflater is None or "client_no_context_takeover" in self.deflate:
            self.deflater = zlib.compressobj(9, zlib.DEFLATED, -wbits)
        return (self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def _inflate(self, data):
        if self.inflater is None or self.inflater.eof or "server_no_context_takeover" in self.deflate:
            self.inflater = zlib.decompressobj(-(bits(self.deflate.get("server_max_window_bits")) or 15))
        try:
            return self.inflater.decompress(data + TAIL)
        except zlib.error as e:
            raise Bad(f"a compressed message that does not inflate: {e}") from None

    # Frames.

    def _frame(self, what):
        first, second = self.take(2, what)
        fin, rsv, opcode = first >> 7, first >> 4 & 7, first & 15
        if second & 0x80:
            raise Bad("a masked frame from the server")
        if rsv & 3 or rsv and (self.deflate is None or opcode not in (TEXT, BINARY)):
            raise Bad(f"a frame {first:02x} {second:02x} with a reserved bit")
        if opcode not in (CONT, TEXT, BINARY, CLOSE, PING, PONG):
            raise Bad(f"a frame of the reserved opcode {opcode}")
        if opcode & 8 and (not fin or second > 125):
            raise Bad(f"a control frame {first:02x} {second:02x}")
        length = second
        if second > 125:
            size = 2 if second == 126 else 8
            length = int.from_bytes(self.take(size, "a length"), "big")
            if length < (126 if size == 2 else 65536) or length >> 63:
                raise Bad(f"length {length} in {size * 8} bits")
        return fin, rsv, opcode, self.take(length, f"a payload of {length} bytes")

    def read(self):
        """The next message or control frame: (TEXT or BINARY, payload), (PONG, payload), (CLOSE, code, reason)."""
        while True:
            fin, rsv, opcode, payload = self._frame("an answer" if self.message is None else "the rest of a message")
            if opcode == CLOSE:
                return self._close(payload)
            if opcode & 8:
                return opcode, payload
            if (opcode == CONT) == (self.message is None) or rsv and opcode == CONT:
                raise Bad(f"a frame of opcode {opcode}, RSV {rsv} in the wrong place")
            if self.message is None:
                self.message = opcode, rsv, []
            kind, packed, parts = self.message
            parts.append(payload)
            if fin:
                self.message = None
                data = self._inflate(b"".join(parts)) if packed else b"".join(parts)
                if kind == TEXT:
                    utf8(data, "a text message")
                return kind, data

    def _close(self, payload):
        if len(payload) == 1:
            raise Bad("a close frame of one byte")
        code = int.from_bytes(payload[:2], "big") if payload else None
        if code is not None and not (1000 <= code <= 1014 and code not in (1004, 1005, 1006) or 3000 <= code <= 4999):
            raise Bad(f"a close frame with code {code}")
        utf8(payload[2:], "a close reason")
        return CLOSE, code, payload[2:]


def parse_any(value):
    try:
        return parse_extensions(value)
    except ValueError:
        return []


def utf8(data, what):
    try:
        data.decode()
    except UnicodeDecodeError as e:
        raise Bad(f"{what} that is not UTF-8: {e}") from None


def accept_of(nonce):
    return base64.b64encode(hashlib.sha1(nonce.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def cut(data):
    """Single bytes; of something long only the first and the last ones, with some 50 pieces between."""
    if len(data) <= 400:
        edges = range(len(data) + 1)
    else:
        edges = [*range(24), *range(24, len(data) - 4, len(data) // 50), *range(len(data) - 4, len(data) + 1)]
    return [data[a:b] for a, b in zip(edges, edges[1:])]
