"""Fault points: places where a crash must do no harm. Off unless a test arms one: no setting can reach them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class FaultPoint(StrEnum):
    """Every place where a test ends the process. Each has a test, or the tests fail."""

    OUTBOX_WRITTEN = "an event is written, its transaction not yet committed"
    CHANGE_COMMITTED = "a change and its event are committed, the relay does not know yet"
    RELAY_READ = "the relay has read events, none is published"
    RELAY_PUBLISHED = "events are published, the outbox still holds them"
    EVENT_RECEIVED = "an event was delivered, nothing is done"
    INBOX_CLAIMED = "an event is marked as handled, its transaction not yet committed"
    EVENT_HANDLED = "what an event caused is committed, the bus does not know yet"


_armed: dict[FaultPoint, Callable[[], None]] = {}


def reach(point: FaultPoint) -> None:
    """The program is at this point."""
    if _armed and (action := _armed.get(point)):
        action()


def arm(point: FaultPoint, action: Callable[[], None]) -> None:
    """Do this whenever the point is reached. For tests only."""
    _armed[point] = action


def disarm() -> None:
    """Forget every action."""
    _armed.clear()
