"""Messages and the tag of suite 0 (sections 5.2 and 5.5)."""

import enum
import struct
from dataclasses import dataclass

from .crc import crc32c
from .rules import broken

TAG = 4
HEADER = struct.Struct(">II")
SHORTEST = HEADER.size + 6 + TAG
NO_NONCE = bytes(16)
SUITE = 0


class Direction(enum.IntEnum):
    """Which way a message goes."""

    FROM_HOST = 0
    FROM_AGENT = 1


@dataclass(frozen=True)
class Nonces:
    """Both nonces of a session, or what stands for them in the handshake."""

    host: bytes = NO_NONCE
    device: bytes = NO_NONCE


@dataclass(frozen=True)
class Message:
    """A message without its tag."""

    sequence: int
    time: int
    frame: bytes


def tag(nonces: Nonces, direction: int, channel: int, body: bytes) -> bytes:
    """The tag of a message's header and frame."""
    place = direction | (0 if broken("tag-without-channel") else channel << 1)
    if broken("tag-without-direction"):
        place &= 2
    return crc32c(nonces.host + nonces.device + bytes([place]) + body).to_bytes(TAG, "big")


def seal(message: Message, nonces: Nonces, direction: int, channel: int) -> bytes:
    """A message's bytes."""
    body = HEADER.pack(message.sequence, message.time) + message.frame
    return body + tag(nonces, direction, channel, body)


def unseal(data: bytes, nonces: Nonces, direction: int, channel: int) -> Message | None:
    """Reads a message; None if its tag is wrong. It has at least `SHORTEST` bytes."""
    body = data[:-TAG]
    right = {tag(nonces, direction, channel, body)}
    if broken("reflected-tag-accepted"):
        right.add(tag(nonces, 1 - direction, channel, body))
    if broken("other-channel-accepted"):
        right.add(tag(nonces, direction, 1 - channel, body))
    if broken("nonces-not-checked"):
        right.add(tag(Nonces(), direction, channel, body))
    if data[-TAG:] not in right and not broken("accept-wrong-tag"):
        return None
    return Message(*HEADER.unpack_from(body), body[HEADER.size :])
