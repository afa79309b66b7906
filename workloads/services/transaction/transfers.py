"""Transfers between a person's own accounts: the two sides of one movement, found by amount, date and account."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

ARRIVES_WITHIN = datetime.timedelta(days=3)
"""Days between the two sides, in either order: banks date them differently."""


@dataclass(frozen=True)
class Movement:
    """One side: what left (negative) or reached an account. minor: signed minor units."""

    id: uuid.UUID
    account_id: uuid.UUID
    date: datetime.date
    minor: int
    currency: str


def pair(movements: Iterable[Movement]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Outgoing and incoming side of each transfer. What could be either of two accounts is left alone."""
    sides: dict[tuple[int, str], tuple[list[Movement], list[Movement]]] = defaultdict(lambda: ([], []))
    for each in movements:
        if each.minor:
            sides[abs(each.minor), each.currency][each.minor > 0].append(each)
    found = []
    for outgoing, incoming in sides.values():
        found += _pair(sorted(outgoing, key=_order), sorted(incoming, key=_order))
    return found


def _order(movement: Movement) -> tuple[datetime.date, uuid.UUID]:
    return movement.date, movement.id


def _pair(outgoing: list[Movement], incoming: list[Movement]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    found, left = [], list(incoming)
    for each in outgoing:
        fitting = [other for other in left if _fits(each, other)]
        rivals = {o.account_id for o in outgoing for other in fitting if _fits(o, other)}
        if fitting and len({other.account_id for other in fitting}) == 1 and len(rivals) == 1:
            nearest = min(fitting, key=lambda other: (abs(other.date - each.date), _order(other)))
            left.remove(nearest)
            found.append((each.id, nearest.id))
    return found


def _fits(out: Movement, into: Movement) -> bool:
    return out.account_id != into.account_id and abs(into.date - out.date) <= ARRIVES_WITHIN
