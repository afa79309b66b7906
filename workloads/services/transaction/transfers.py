"""Transfers between a person's own accounts: the two sides of one movement.

Where a side names the other one's account by its number, that decides for it or against it; numbers are compared by
their blind indexes, which say of which kind they are. Where neither does, amount, date and account have to be enough;
what could be of two accounts is left.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

ARRIVES_WITHIN = datetime.timedelta(days=3)
"""Days between the two sides, in either order: banks date them differently."""


@dataclass(frozen=True)
class Movement:
    """One side: what left (negative) or reached an account. minor: signed minor units.

    other: blind index of the other side's number, None where it is not told.
    """

    id: uuid.UUID
    account_id: uuid.UUID
    date: datetime.date
    minor: int
    currency: str
    other: str | None = None


Accounts = Mapping[uuid.UUID, frozenset[str]]
"""Blind indexes of the numbers of each of the person's accounts that has any: IBAN, sort code and account number."""
UK = "u"
"""What the blind index of a sort code and account number begins with; those of IBANs are hexadecimal."""


def with_own(account_id: uuid.UUID, other: str | None, accounts: Accounts) -> bool:
    """Whether a transaction's other side is another account of the person's, by its number."""
    return other is not None and any(other in own for each, own in accounts.items() if each != account_id)


def may_be_one(one: Movement, other: Movement, accounts: Accounts) -> bool:
    """Whether two sides are still those of one transfer, whenever each was dated."""
    opposite = one.minor == -other.minor and one.currency == other.currency and one.account_id != other.account_id
    out, into = (one, other) if one.minor < 0 else (other, one)
    return opposite and not contradicted(out, into, accounts)


def contradicted(out: Movement, into: Movement, accounts: Accounts) -> bool:
    """Whether one of two sides names another account than the other side's."""
    return _is_not(out.other, into.account_id, accounts) or _is_not(into.other, out.account_id, accounts)


def pair(movements: Iterable[Movement], accounts: Accounts | None = None) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Outgoing and incoming side of each transfer, those first that IBANs confirm."""
    known = accounts or {}
    sides: dict[tuple[int, str], tuple[list[Movement], list[Movement]]] = defaultdict(lambda: ([], []))
    for each in movements:
        if each.minor:
            sides[abs(each.minor), each.currency][each.minor > 0].append(each)
    found = []
    for outgoing, incoming in sides.values():
        if not outgoing or not incoming:
            continue
        certain = _confirmed(sorted(outgoing, key=_order), sorted(incoming, key=_order), known)
        taken = {each for both in certain for each in both}
        left = [sorted((e for e in some if e.id not in taken), key=_order) for some in (outgoing, incoming)]
        found += certain + _likely(left[0], left[1], known)
    return found


def _order(movement: Movement) -> tuple[datetime.date, uuid.UUID]:
    return movement.date, movement.id


def _confirmed(
    outgoing: Sequence[Movement], incoming: Sequence[Movement], accounts: Accounts
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs of which at least one side names the other's account; those that both name come first."""
    found, left_out, left_in = [], list(outgoing), list(incoming)
    for least in (2, 1):
        for each in list(left_out):
            fitting = [other for other in left_in if _names(each, other, accounts) >= least]
            if fitting:
                nearest = _nearest(each, fitting)
                left_out.remove(each)
                left_in.remove(nearest)
                found.append((each.id, nearest.id))
    return found


def _likely(
    outgoing: Sequence[Movement], incoming: Sequence[Movement], accounts: Accounts
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs that nothing speaks against, where no other account is meant as well."""
    found, left = [], list(incoming)
    for each in outgoing:
        fitting = [other for other in left if _fits(each, other, accounts)]
        rivals = {o.account_id for o in outgoing for other in fitting if _fits(o, other, accounts)}
        if len(_accounts_of(fitting)) == 1 and len(rivals) == 1:
            nearest = _nearest(each, fitting)
            left.remove(nearest)
            found.append((each.id, nearest.id))
    return found


def _accounts_of(movements: Collection[Movement]) -> set[uuid.UUID]:
    return {each.account_id for each in movements}


def _nearest(one: Movement, others: Collection[Movement]) -> Movement:
    return min(others, key=lambda other: (abs(other.date - one.date), _order(other)))


def _names(out: Movement, into: Movement, accounts: Accounts) -> int:
    """How many of the two sides name the other's account."""
    if not _fits(out, into, accounts):
        return 0
    named = (out.other, accounts.get(into.account_id, ())), (into.other, accounts.get(out.account_id, ()))
    return sum(other in own for other, own in named)


def _fits(out: Movement, into: Movement, accounts: Accounts) -> bool:
    near = out.account_id != into.account_id and abs(into.date - out.date) <= ARRIVES_WITHIN
    return near and not contradicted(out, into, accounts)


def _is_not(other: str | None, account_id: uuid.UUID, accounts: Accounts) -> bool:
    """Whether a number that was told is not an account's. One without such a number is none of those that have one."""
    if other is None:
        return False
    own = [each for each in accounts.get(account_id, ()) if each.startswith(UK) == other.startswith(UK)]
    return other not in own if own else any(other in each for each in accounts.values())
