"""What AMQP addresses name: an entity, its dead-letter queue, or their management node."""

from __future__ import annotations

from dataclasses import dataclass

CBS = "$cbs"
_MANAGEMENT = "/$management"
_DEAD_LETTERS = "/$deadletterqueue"
_TRANSFER_DEAD_LETTERS = "/$transfer/$deadletterqueue"


@dataclass(frozen=True)
class Address:
    """path: of the entity, e.g. "orders" or "orders/Subscriptions/audit".

    dead, transfer: whether its (transfer) dead-letter queue is meant. management: whether the node beside it is.
    """

    path: str
    dead: bool = False
    transfer: bool = False
    management: bool = False


def parse(text: str) -> Address:
    """An address, with or without ``amqps://host/`` or ``sb://host/`` before it."""
    path = text.split("://", 1)[1].partition("/")[2] if "://" in text else text
    path = path.strip("/")
    path, management = _without(path, _MANAGEMENT)
    path, transfer = _without(path, _TRANSFER_DEAD_LETTERS)
    path, dead = _without(path, _DEAD_LETTERS)
    return Address(path, dead, transfer, management)


def _without(path: str, ending: str) -> tuple[str, bool]:
    return (path[: -len(ending)], True) if path.lower().endswith(ending) else (path, False)
