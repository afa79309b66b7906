"""Which told transaction is which known one: exact ids first, else a fingerprint with an ordinal; pending → booked.

A bank's word is one account's complete list of a period. Taking the same list over again, in any order, changes
nothing, and two identical purchases of one day stay two.
"""

from __future__ import annotations

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from workloads.chassis.money import Money

Status = Literal["booked", "pending"]
State = Literal["listed", "withdrawn", "deleted"]
SETTLES_WITHIN = datetime.timedelta(days=7)
"""A pending entry becomes a booked one at most this much later."""
CORRECTED_WITHIN = datetime.timedelta(days=7)
"""How far a bank may move a booked transaction that it gave an id: as far as its clock may have been wrong."""
_CORRECTED_WITHOUT_ID = datetime.timedelta(days=1)
"""The same where it gave none: a time zone's worth."""
GONE_AFTER = datetime.timedelta(hours=12)
"""A booked transaction is withdrawn when lists lack it that were asked for so far apart: a bank's night run is over."""
_EDGE = datetime.timedelta(days=7)
"""Near a period's beginning a list may lack what is there: some banks go by the day of the purchase, or by value."""


@dataclass(frozen=True)
class Told:
    """A transaction as a bank tells it. Only status and money are certain.

    In its texts a blind index stands for each IBAN, and counterparty_index for the other side's: by these transactions
    are compared. numbers: the IBANs themselves, in clear, where they have just been told.
    """

    status: Status
    money: Money
    transaction_id: str | None = None
    entry_reference: str | None = None
    booking_date: datetime.date | None = None
    value_date: datetime.date | None = None
    counterparty: str | None = None
    remittance: str | None = None
    counterparty_index: str | None = None
    numbers: tuple[str | None, ...] = field(default=(), compare=False, repr=False)

    @property
    def date(self) -> datetime.date | None:
        """When it happened, as far as it is told: the day it was booked, else its value date."""
        return self.booking_date or self.value_date

    @property
    def identifier(self) -> str | None:
        """What the bank calls it, where it does."""
        return self.transaction_id or self.entry_reference


@dataclass(frozen=True)
class Known:
    """A transaction of the ledger. key: what it was recognised by. date: that it is listed under.

    state: listed; withdrawn, when the bank tells it no more; deleted by the person, and it stays so.
    missing: when a list was first asked for that should have told it and did not, if none told it since.
    """

    row: int
    key: str
    status: Status
    date: datetime.date
    told: Told
    state: State = "listed"
    missing: datetime.datetime | None = None


@dataclass(frozen=True)
class Proof:
    """That a list tells every booked transaction until a day, included. asked: when it was asked for."""

    until: datetime.date
    asked: datetime.datetime


@dataclass(frozen=True)
class Plan:
    """What to do to the ledger.

    inserts: key and transaction. updates: known row, new key, transaction; a withdrawn row is listed again by it, a
    deleted one stays deleted. withdrawals: those that the bank does not tell any more.
    suggestions: a pending row and the key of a booked transaction that it may have become, when that is not certain.
    missing: booked ones that it does not tell, perhaps for now. found: those of them that it tells again as they were.
    """

    inserts: list[tuple[str, Told]] = field(default_factory=list)
    updates: list[tuple[Known, str, Told]] = field(default_factory=list)
    withdrawals: list[Known] = field(default_factory=list)
    suggestions: list[tuple[Known, str]] = field(default_factory=list)
    missing: list[Known] = field(default_factory=list)
    found: list[Known] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether the ledger is as the bank tells it already."""
        return not (self.inserts or self.updates or self.withdrawals or self.missing or self.found)


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def fingerprint(told: Told) -> str:
    """What is left to tell a transaction by when the bank gives it no id. Equal for identical purchases of one day."""
    return _hash(told.date, *_undated(told))


def _undated(told: Told) -> tuple[object, ...]:
    money = told.money
    return money.minor, money.currency, _plain(told.counterparty), _plain(told.remittance)


def _by_id(told: Told) -> str | None:
    identifier = told.identifier
    return _hash(identifier, told.date, told.money.minor, told.money.currency) if identifier else None


def rekeyed(key: str, told: Told) -> str:
    """A transaction's key, now that blind indexes stand in its texts: its ordinal stays."""
    status, _, _, *ordinal = key.split(":")
    return f"{status}:fp:{fingerprint(told)}:{ordinal[0]}" if ordinal else f"{status}:id:{_by_id(told)}"


def keyed(batch: Iterable[Told]) -> dict[str, Told]:
    """A bank's list by key, whatever its order.

    An id alone is no key: banks reuse them (a mandate's on every collection), so date and amount belong to it; told
    twice with all three the same, it is one transaction. Without an id, identical ones get ordinals 0, 1, …: in the
    order of what else is told of them, so that each gets the same in every list.
    """
    found: dict[str, Told] = {}
    ordinals: dict[str, int] = defaultdict(int)
    for told in sorted(batch, key=lambda each: (each.counterparty_index or "", str(each.value_date))):
        if identified := _by_id(told):
            key = f"{told.status}:id:{identified}"
        else:
            print_ = fingerprint(told)
            nth = ordinals[told.status + print_]
            ordinals[told.status + print_] += 1
            key = f"{told.status}:fp:{print_}:{nth}"
        found[key] = told
    return found


def plan(
    known: Sequence[Known],
    batch: Iterable[Told],
    *,
    covers_pending: bool,
    complete_from: datetime.date | None = None,
    proof: Proof | None = None,
) -> Plan:
    """What a bank's list changes in the ledger, see ``plan_keyed``."""
    return plan_keyed(known, keyed(batch), covers_pending=covers_pending, complete_from=complete_from, proof=proof)


def plan_keyed(
    known: Sequence[Known],
    told: dict[str, Told],
    *,
    covers_pending: bool,
    complete_from: datetime.date | None = None,
    proof: Proof | None = None,
) -> Plan:
    """What a bank's list changes in the ledger. told: the list by key.

    known: all rows of the account that the list's period can meet, and every pending one; withdrawn and deleted ones
    too. covers_pending: whether the list tells pending entries too; if not, the known ones are left alone.
    complete_from: since when the list tells all there is; None where that is not known: nothing is corrected then.
    proof: None where a booked transaction that the list lacks may be there: none is withdrawn then.
    """
    rows, result = {each.key: each for each in known}, Plan()
    for key, each in told.items():
        row = rows.get(key)
        if row and row.state != "deleted" and (row.told != each or row.state == "withdrawn"):
            result.updates.append((row, key, each))  # corrected by the bank, or told again
        elif row and row.missing:
            result.found.append(row)
    new = {key: each for key, each in told.items() if key not in rows}
    booked = {key: each for key, each in new.items() if each.status == "booked"}
    untold = [each for each in known if each.status == "pending" and each.key not in told]
    listed = [each for each in untold if each.state == "listed"]
    settled = _settled(untold, booked, _same_id, lambda each: each.transaction_id)
    if covers_pending:
        taken = {each.row for each in settled.values()}
        open_ = {key: each for key, each in booked.items() if key not in settled}
        settled |= _settled([e for e in listed if e.row not in taken], open_, _may_be, lambda each: each.money)
    vanished = [] if complete_from is None else _vanished(known, told, complete_from)
    for some in (_in_state(vanished, "listed", "deleted"), _in_state(vanished, "withdrawn")):
        open_ = {key: each for key, each in booked.items() if key not in settled}
        settled |= _corrected(some, open_) if some else {}
    result.updates.extend((before, key, booked[key]) for key, before in settled.items())
    result.inserts.extend((key, each) for key, each in new.items() if key not in settled)
    taken = {each.row for each in settled.values()}
    left = [each for each in listed if each.row not in taken]
    if covers_pending:
        result.withdrawals.extend(left)
    open_ = {key: each for key, each in booked.items() if key not in settled}
    result.suggestions.extend((p, key) for p in left for key, each in open_.items() if _may_be(p, each))
    if proof and complete_from is not None:
        gone = [each for each in _in_state(vanished, "listed") if each.row not in taken]
        for each in _provably(gone, rows, told, complete_from, proof.until):
            sure = each.missing is not None and proof.asked - each.missing >= GONE_AFTER
            (result.withdrawals if sure else result.missing).append(each)
    return result


def _in_state(known: Sequence[Known], *states: State) -> list[Known]:
    return [each for each in known if each.state in states]


def _provably(
    gone: Sequence[Known], rows: dict[str, Known], told: dict[str, Told], since: datetime.date, until: datetime.date
) -> list[Known]:
    """Which of those that a list lacks it would tell if they were there, whichever day of theirs the bank goes by.

    A list tells something older, or it may have been cut short. Of lookalikes without an id it is not known which one
    the bank withdrew: the one that the person sees stays, where it goes on telling one that they deleted.
    """
    first = min((each.date for each in told.values() if each.status == "booked" and each.date), default=until)
    first = max(first, since + min(_EDGE, datetime.date.max - since))
    deleted = {fingerprint(row.told) for key, row in rows.items() if row.state == "deleted" and key in told}
    found = []
    for each in gone:
        dates = [date for date in (each.told.booking_date, each.told.value_date) if date]
        certain = each.told.identifier is not None or fingerprint(each.told) not in deleted
        if each.told.booking_date and first < min(dates) and max(dates) <= until and certain:
            found.append(each)
    return found


def _vanished(known: Sequence[Known], told: dict[str, Told], complete_from: datetime.date) -> list[Known]:
    """Booked ones that the list should tell, and does not. One that ends before them was cut short: it proves nothing.

    Those dated after its end count, too: a bank's clock may have been ahead when it told them.
    """
    dates = [each.date for each in told.values() if each.date]
    if not dates:
        return []
    since = max(complete_from, min(dates))
    return [each for each in known if each.status == "booked" and each.key not in told and each.date >= since]


def _corrected(vanished: Sequence[Known], booked: dict[str, Told]) -> dict[str, Known]:
    """Booked ones that the bank tells otherwise now: of another date, of another amount, or under another id."""
    found = _settled(vanished, booked, _redated, lambda each: (each.identifier, each.money))
    for correct in (partial(_settled, fits=_revalued, alike=lambda each: (each.identifier, each.date)), _renamed):
        taken = {each.row for each in found.values()}
        open_ = {key: each for key, each in booked.items() if key not in found}
        found |= correct([each for each in vanished if each.row not in taken], open_)
    return found


def _renamed(vanished: Sequence[Known], booked: dict[str, Told]) -> dict[str, Known]:
    """Booked ones that the bank calls otherwise now, all else being equal: with a new consent, some change every id.

    A deleted one stays deleted under its new id, too.
    """
    lookalikes: dict[str, list[Known]] = defaultdict(list)
    for each in sorted(vanished, key=lambda known: (known.state == "deleted", known.row), reverse=True):
        lookalikes[fingerprint(each.told)].append(each)
    return {key: left.pop() for key in sorted(booked) if (left := lookalikes.get(fingerprint(booked[key])))}


_Fits = Callable[[Known, Told], bool]


def _settled(
    pending: Sequence[Known], booked: dict[str, Told], fits: _Fits, alike: Callable[[Told], object]
) -> dict[str, Known]:
    """Which booked transaction each pending one has become: the only one that fits, or one of several lookalikes.

    alike: what is the same of all that may fit, so that they alone are compared.
    """
    result: dict[str, Known] = {}
    if not pending:
        return result
    left = {each.row: each for each in pending}
    groups: dict[object, list[Known]] = defaultdict(list)
    for each in pending:
        groups[alike(each.told)].append(each)
    fitting = {key: [p for p in groups[alike(each)] if fits(p, each)] for key, each in booked.items()}
    rivals: dict[int, list[str]] = defaultdict(list)
    for key, candidates in fitting.items():
        for each in candidates:
            rivals[each.row].append(key)
    for key in sorted((k for k, found in fitting.items() if found), key=lambda k: (str(booked[k].date), k)):
        candidates = sorted((p for p in fitting[key] if p.row in left), key=lambda p: (p.date, p.row))
        if candidates and _unambiguous(rivals[candidates[0].row], fitting, booked):
            result[key] = left.pop(candidates[0].row)
    return result


def _unambiguous(rivals: Sequence[str], fitting: dict[str, list[Known]], booked: dict[str, Told]) -> bool:
    """Whether all that could be meant looks the same, so that it does not matter which one is taken."""
    lookalikes = {fingerprint(booked[key]) for key in rivals}
    candidates = {fingerprint(each.told) for key in rivals for each in fitting[key]}
    return len(lookalikes) == 1 and len(candidates) == 1


def _same_id(pending: Known, booked: Told) -> bool:
    return pending.told.transaction_id is not None and pending.told.transaction_id == booked.transaction_id


def _redated(before: Known, after: Told) -> bool:
    """Whether a bank may have corrected a booked transaction's date. A deleted one is known by its id only."""
    if after.date is None or before.told.identifier != after.identifier or before.told.money != after.money:
        return False
    if after.identifier:
        return abs(after.date - before.date) <= CORRECTED_WITHIN
    same = before.state != "deleted" and _undated(before.told) == _undated(after)
    return same and abs(after.date - before.date) <= _CORRECTED_WITHOUT_ID


def _revalued(before: Known, after: Told) -> bool:
    """Whether a bank may have corrected a booked transaction's amount: what it calls the same, on the same day."""
    same = after.identifier is not None and before.told.identifier == after.identifier
    return same and after.date is not None and before.told.date == after.date


def _may_be(pending: Known, booked: Told) -> bool:
    if pending.told.money != booked.money or booked.date is None:
        return False
    here, there = _plain(pending.told.counterparty), _plain(booked.counterparty)
    return (not here or not there or here == there) and pending.date <= booked.date <= pending.date + SETTLES_WITHIN
