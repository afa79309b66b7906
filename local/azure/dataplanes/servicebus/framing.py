"""Takes an AMQP byte stream apart into frames, and reads what proton keeps to itself: a transfer's message format.

Source: AMQP 1.0 part 2, 2.3 (frames) and 2.7.5 (transfer: handle, delivery-id, delivery-tag, message-format, …).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_FRAME = 65536
_HEADER = b"AMQP"
_HEADER_LENGTH = 8
_TRANSFER = 0x14


class ProtocolError(ValueError):
    """A stream that is no AMQP."""


@dataclass(frozen=True)
class Frame:
    """The bytes of a frame or protocol header. message_format: of a delivery's first transfer, else None."""

    data: bytes
    message_format: int | None = None


class Frames:
    """Collects bytes until they make frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises ProtocolError."""
        self._held += data
        while len(self._held) >= _HEADER_LENGTH:
            length = _HEADER_LENGTH if self._held.startswith(_HEADER) else int.from_bytes(self._held[:4])
            if not _HEADER_LENGTH <= length <= LARGEST_FRAME:
                raise ProtocolError(f"a frame of {length} bytes; allowed are 8 to {LARGEST_FRAME}")
            if len(self._held) < length:
                return
            frame = bytes(self._held[:length])
            del self._held[:length]
            yield Frame(frame, _message_format(frame))


def _message_format(frame: bytes) -> int | None:
    if frame.startswith(_HEADER) or frame[5] != 0 or len(frame) <= frame[4] * 4:
        return None
    body = frame[frame[4] * 4 :]
    try:
        at = _fields_of_transfer(body)
        if at is None:
            return None
        for _ in range(3):  # handle, delivery-id, delivery-tag
            at += _length(body, at)
        return _unsigned(body, at)
    except IndexError:
        return None  # proton refuses what is malformed


def _fields_of_transfer(body: bytes) -> int | None:
    """Where a transfer's first field begins; None for another performative."""
    if body[0] != 0x00:
        return None
    if body[1] == 0x53:
        code, at = body[2], 3
    elif body[1] == 0x80:
        code, at = int.from_bytes(body[2:10]), 10
    else:
        return None
    if code != _TRANSFER:
        return None
    return at + {0xC0: 3, 0xD0: 9}.get(body[at], 1)


def _length(body: bytes, at: int) -> int:
    """Bytes of a field that is a uint, a binary or null."""
    match body[at]:
        case 0x52:
            return 2
        case 0x70:
            return 5
        case 0xA0:
            return 2 + body[at + 1]
        case 0xB0:
            return 5 + int.from_bytes(body[at + 1 : at + 5])
    return 1


def _unsigned(body: bytes, at: int) -> int | None:
    match body[at]:
        case 0x43:
            return 0
        case 0x52:
            return body[at + 1]
        case 0x70:
            return int.from_bytes(body[at + 1 : at + 5])
    return None
