"""A message as the broker sees it: what it must read, and the rest as bytes it passes on (AMQP 1.0 part 3, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from proton import symbol, ubyte, uint

from local.azure.dataplanes.servicebus.amqp_values import MalformedValue, decode, encode_section, skip

_HEADER, _DELIVERY, _ANNOTATIONS, _PROPERTIES, _APPLICATION = 0x70, 0x71, 0x72, 0x73, 0x74
_DATA, _SEQUENCE, _VALUE, _FOOTER = 0x75, 0x76, 0x77, 0x78
_BODY = (_DATA, _SEQUENCE, _VALUE)
_DESCRIBED, _SMALL_ULONG, _ULONG = 0x00, 0x53, 0x80
_PROPERTY_NAMES = (
    "message_id", "user_id", "to", "subject", "reply_to", "correlation_id", "content_type", "content_encoding",
    "absolute_expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id",
)  # fmt: skip
BATCH_FORMAT = 0x80013700
"""Message format of a transfer whose data sections are messages of their own (Service Bus AMQP protocol guide)."""


class MalformedMessage(ValueError):
    """Bytes that are no AMQP message."""


@dataclass(frozen=True)
class Message:
    """One message, without what the broker says about it.

    durable, priority, ttl: of the header; ttl in ms. annotations: by symbol. properties: by the name AMQP gives them.
    application: application properties. encoded_properties: their section as sent; body: its sections and the footer.
    """

    durable: bool = False
    priority: int | None = None
    ttl: int | None = None
    annotations: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    application: dict[str, Any] = field(default_factory=dict)
    encoded_properties: bytes = b""
    encoded_application: bytes = b""
    body: bytes = b""

    @property
    def session(self) -> str | None:
        """Id of the session it belongs to."""
        return self.properties.get("group_id")

    @property
    def id(self) -> str | None:
        """Message id as text, whatever its type."""
        given = self.properties.get("message_id")
        return given.hex() if isinstance(given, bytes) else None if given is None else str(given)

    @property
    def size(self) -> int:
        """Bytes that count against limits."""
        return len(self.encoded_properties) + len(self.encoded_application) + len(self.body)

    def with_application(self, more: dict[str, Any]) -> Message:
        """The message with application properties added."""
        merged = self.application | more
        return replace(self, application=merged, encoded_application=encode_section(_APPLICATION, merged))

    def encoded(self, delivery_count: int, annotations: dict[str, Any]) -> bytes:
        """As it is delivered. annotations: the broker's, over the sender's."""
        priority = None if self.priority is None else ubyte(self.priority)
        ttl = None if self.ttl is None else uint(min(self.ttl, 0xFFFFFFFF))
        header = encode_section(_HEADER, [self.durable, priority, ttl, None, uint(delivery_count)])
        merged = {symbol(name): value for name, value in (self.annotations | annotations).items()}
        said = encode_section(_ANNOTATIONS, merged)
        return header + said + self.encoded_properties + self.encoded_application + self.body


def parse(data: bytes) -> Message:
    """The message of some bytes. Raises MalformedMessage."""
    view, at = memoryview(data), 0
    parts: dict[str, Any] = {}
    try:
        while at < len(view):
            code = _section(view[at:])
            if code in (*_BODY, _FOOTER):
                break
            value, taken = decode(view[at:])
            encoded = bytes(view[at : at + taken])
            parts |= _read(code, value.value, encoded)
            at += taken
    except (MalformedValue, AttributeError, ValueError, IndexError) as error:
        raise MalformedMessage(f"the message can't be read: {error}") from None
    return Message(**parts, body=bytes(view[at:]))


def parse_batch(data: bytes) -> list[Message]:
    """The messages of a batch. Raises MalformedMessage."""
    envelope = parse(data)
    view, found = memoryview(envelope.body), []
    try:
        while view:
            code = _section(view)
            if code == _DATA:
                value, taken = decode(view)
                found.append(parse(value.value))
            else:
                taken = skip(view)
            view = view[taken:]
    except (MalformedValue, IndexError) as error:
        raise MalformedMessage(f"the batch can't be read: {error}") from None
    if not found:
        raise MalformedMessage("the batch holds no message")
    return found


def _section(view: memoryview) -> int:
    if view[0] != _DESCRIBED:
        raise MalformedMessage("a section without descriptor")
    if view[1] == _SMALL_ULONG:
        return view[2]
    if view[1] == _ULONG:
        return int.from_bytes(view[2:10])
    raise MalformedMessage("a section whose descriptor is no ulong")


def _read(code: int, value: Any, encoded: bytes) -> dict[str, Any]:
    match code:
        case 0x70:
            durable, priority, ttl, *_ = [*value, None, None, None]
            return {"durable": bool(durable), "priority": priority, "ttl": ttl}
        case 0x71:
            return {}  # for the next hop only, which is us
        case 0x72:
            return {"annotations": {str(name): each for name, each in (value or {}).items()}}
        case 0x73:
            named = {name: each for name, each in zip(_PROPERTY_NAMES, value, strict=False) if each is not None}
            return {"properties": named, "encoded_properties": encoded}
        case 0x74:
            return {"application": value or {}, "encoded_application": encoded}
    raise MalformedMessage(f"section 0x{code:02x} is not known")
