"""Messages and the tag of the default seal (sections 5.1 and 5.4)."""

import enum
import struct
from dataclasses import dataclass

from .crc import crc32c
from .rules import broken

TAG = 4
SHORTEST = 9 + 6 + TAG
NO_NONCE = bytes(16)

HEADER = struct.Struct(">IIB")


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
    epoch: int
    frame: bytes


def tag(nonces: Nonces, direction: Direction, body: bytes) -> bytes:
    """The tag of a message's header and frame."""
    return crc32c(nonces.host + nonces.device + bytes([direction]) + body).to_bytes(TAG, "big")


def seal(message: Message, nonces: Nonces, direction: Direction) -> bytes:
    """A message's bytes."""
    body = HEADER.pack(message.sequence, message.time, message.epoch) + message.frame
    return body + tag(nonces, direction, body)


def unseal(data: bytes, nonces: Nonces, direction: Direction) -> Message | None:
    """Reads a message; None if its tag is wrong. It has at least `SHORTEST` bytes."""
    body = data[:-TAG]
    right = {tag(nonces, direction, body)}
    if broken("reflected-tag-accepted"):
        right.add(tag(nonces, Direction(1 - direction), body))
    if broken("nonces-not-checked"):
        right.add(tag(Nonces(), direction, body))
    if data[-TAG:] not in right and not broken("accept-wrong-tag"):
        return None
    return Message(*HEADER.unpack_from(body), body[HEADER.size :])
