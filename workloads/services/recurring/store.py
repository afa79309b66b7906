"""Loads and keeps the session user's series."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, tasks
from workloads.chassis.events import outbox
from workloads.chassis.problems import not_found
from workloads.services.recurring import domain
from workloads.services.recurring.models import AccountRead, Fact, SeriesRow

SERVICE = "recurring"
MISSED = "missed"
"""Kind of the task that looks whether an occurrence came."""
_LARGEST_IN = 500
_AGAIN = datetime.timedelta(hours=6)
"""Banks are read with nobody there up to four times a day."""
_SETTLED = datetime.timedelta(minutes=10)
"""After a read, until what it brought has been sorted and told of."""
_LONGEST = datetime.timedelta(days=60)
"""An occurrence that was due so long ago is told of no more, nor waited for."""
_SAME = 0.5
"""Two amounts of one party's series with the same rhythm are the same series' when no further apart than this share."""


def get(session: Session, series_id: uuid.UUID) -> SeriesRow:
    """A series of the user's. Raises Problem 404."""
    found = session.scalar(select(SeriesRow).where(SeriesRow.id == series_id))
    if found is None:
        raise not_found("series")
    return found


def every(session: Session) -> list[SeriesRow]:
    """The user's series, the next expected first; those that have ended last."""
    return list(session.scalars(select(SeriesRow).order_by(SeriesRow.ended, SeriesRow.next, SeriesRow.first)))


def look(session: Session, user: uuid.UUID, parties: Collection[str]) -> None:
    """Find the series of these parties anew."""
    listed = sorted(parties)
    for start in range(0, len(listed), _LARGEST_IN):
        some = listed[start : start + _LARGEST_IN]
        facts: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        where = (Fact.party.in_(some), Fact.removed.is_(False), Fact.transfer.is_(False))
        for each in session.scalars(select(Fact).where(*where)):
            facts[each.party, each.currency].append(each)
        rows: dict[tuple[str, str], list[SeriesRow]] = defaultdict(list)
        for row in session.scalars(select(SeriesRow).where(SeriesRow.party.in_(some))):
            rows[row.party, row.currency].append(row)
        for key in facts.keys() | rows.keys():
            _match(session, user, key, facts[key], rows[key])


def _match(
    session: Session, user: uuid.UUID, key: tuple[str, str], facts: Sequence[Fact], rows: Sequence[SeriesRow]
) -> None:
    left = list(rows)
    about = {each.transaction_id: each for each in facts}
    for found in domain.find(domain.Occurrence(each.transaction_id, each.date, each.minor) for each in facts):
        row = min((r for r in left if _same(r, found)), key=lambda r: abs(r.minor - found.minor), default=None)
        latest = about[found.transaction_id]
        if row is None:
            row = SeriesRow(party=key[0], currency=key[1], missed=0, ended=False, ignored=False, name=None)
            _take(row, found, latest)
            session.add(row)
            session.flush()
            _tell(session, user, row)
        else:
            left.remove(row)
            before = row.every, row.minor, row.last
            _take(row, found, latest)
            if before != (row.every, row.minor, row.last):
                row.missed, row.ended = 0, False
            if before[:2] != (row.every, row.minor):
                _tell(session, user, row)
        _watch(session, user, row)
    for row in left:  # its transactions were deleted, or are another series now
        tasks.cancel(session, MISSED, user, row.id)
        session.delete(row)


def _same(row: SeriesRow, found: domain.Series) -> bool:
    alike = abs(row.minor - found.minor) <= _SAME * abs(row.minor)
    return row.every == found.every and (row.minor > 0) == (found.minor > 0) and alike


def _take(row: SeriesRow, found: domain.Series, latest: Fact) -> None:
    if row.last != found.last or row.next is None:
        row.next = found.next
    row.every, row.day, row.minor, row.spread = found.every, found.day, found.minor, found.spread
    row.first, row.last, row.count = found.first, found.last, found.count
    row.transaction_id, row.category, row.merchant = found.transaction_id, latest.category, latest.merchant


def _tell(session: Session, user: uuid.UUID, row: SeriesRow) -> None:
    told: dict[str, Any] = {"series_id": str(row.id), "next": row.next.isoformat(), "minor": row.minor}
    outbox.write(session, SERVICE, "recurring.detected", user, told | {"currency": row.currency, "every": row.every})


def _watch(session: Session, user: uuid.UUID, row: SeriesRow) -> None:
    """Look again when the next occurrence is overdue."""
    if not row.ended:
        tasks.schedule(session, MISSED, user, overdue(row), row.id)


def overdue(row: SeriesRow) -> datetime.datetime:
    """When the next occurrence counts as missed."""
    kind: Any = row.every
    day = row.next + domain.grace(kind) + datetime.timedelta(days=1)
    return datetime.datetime.combine(day, datetime.time(6), datetime.UTC)


def read(session: Session, user: uuid.UUID, account_ids: Collection[uuid.UUID], at: datetime.datetime) -> None:
    """These accounts were read. Word of an earlier time, which may come later, changes nothing."""
    known = select(AccountRead).where(AccountRead.account_id.in_(account_ids))
    newer = {each.account_id for each in session.scalars(dialect.locked(known, AccountRead)) if each.at >= at}
    rows = [{"account_id": each, "user_id": user, "at": at} for each in account_ids if each not in newer]
    dialect.upsert(session, AccountRead, rows, key=["account_id"], update=["at"])


def _was_read(session: Session, row: SeriesRow) -> bool:
    """Whether the series' account was read since the next occurrence should have come."""
    fact = select(Fact.account_id).where(Fact.transaction_id == row.transaction_id).scalar_subquery()
    at = session.scalar(select(AccountRead.at).where(AccountRead.account_id == fact))
    return at is not None and overdue(row).replace(hour=0) <= at <= clock.now() - _SETTLED


def miss(session: Session, user: uuid.UUID, series_id: uuid.UUID) -> datetime.datetime | None:
    """An occurrence did not come: tell of it, and expect the one after. When to look again; None when it has ended.

    While its bank can't be read, nobody knows whether it came: it is waited for.
    """
    row = session.scalar(select(SeriesRow).where(SeriesRow.id == series_id))
    if row is None or row.ended:
        return None
    if overdue(row) > clock.now():
        return overdue(row)  # it has come after all
    is_recent = clock.today() - row.next < _LONGEST
    if is_recent and not _was_read(session, row):
        return clock.now() + _AGAIN
    kind: Any = row.every
    if is_recent and not row.ignored:
        told = {"series_id": str(row.id), "expected": row.next.isoformat()}
        outbox.write(session, SERVICE, "recurring.missed", user, told)
    row.missed += 1
    row.next = domain.after(kind, row.next, row.day)
    row.ended = row.missed >= domain.ENDS_AFTER
    return None if row.ended else max(overdue(row), clock.now())
