"""Loads and keeps the ledger of the session's user."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, paging
from workloads.chassis.facts import Fact
from workloads.chassis.problems import Problem, not_found
from workloads.services.transaction import domain, events, sealed_ibans
from workloads.services.transaction.models import Ledger, MatchSuggestion, Synchronised, Transaction

LARGEST_IN = 500
"""Of one IN list: Azure SQL takes 2,100 parameters in a statement."""
_TOLD = (
    Transaction.id, Transaction.account_id, Transaction.revision, Transaction.state, Transaction.status,
    Transaction.date, Transaction.minor, Transaction.currency, Transaction.counterparty, Transaction.remittance,
    Transaction.transfer_id, Transaction.with_own, Transaction.counterparty_index,
)  # fmt: skip
"""What ``changes`` tells of a transaction."""
_NAMES_TOLD = [each.key for each in _TOLD]
_SHOWN = (
    Transaction.sequence, Transaction.id, Transaction.account_id, Transaction.bank, Transaction.status,
    Transaction.date, Transaction.booking_date, Transaction.value_date, Transaction.minor, Transaction.currency,
    Transaction.counterparty, Transaction.remittance, Transaction.category, Transaction.merchant,
    Transaction.transfer_id, Transaction.formerly, Transaction.ibans,
)  # fmt: skip
"""What a ``page`` shows of a transaction."""
SHOWN = [each.key for each in _SHOWN]
"""The names of that."""


@dataclass(frozen=True)
class Filter:
    """Which transactions a page shows; dates are both included. text: found in counterparty or remittance.

    indexes: blind indexes of IBANs, each told as the other side's or in a text. state: of the models' states.
    """

    account_id: uuid.UUID | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    text: str | None = None
    category: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    indexes: Sequence[str] = ()
    state: domain.State = "listed"


def folded(*texts: str | None) -> str:
    """Texts as they are searched: case and runs of spaces do not matter."""
    return " ".join(" ".join(filter(None, texts)).casefold().split())[:1200]


def searched(*texts: str | None) -> str:
    """What is searched of texts as they are kept: folded, and without the IBANs that stood in them."""
    return folded(*map(sealed_ibans.without, texts))


def get(session: Session, transaction_id: uuid.UUID, *, lock: bool = False) -> Transaction:
    """A transaction of the user's, listed or not. Raises Problem 404."""
    query = select(Transaction).where(Transaction.id == transaction_id)
    found = session.scalar(dialect.locked(query, Transaction) if lock else query)
    if found is None:
        raise not_found("transaction")
    return found


def page(session: Session, wanted: Filter, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """Transactions, newest first, and the cursor of the next page. Raises Problem 400 for a foreign cursor.

    What is shown of each by its name, no objects: they are read only, and a page's objects take longer than its query.
    """
    rows = _by_name(SHOWN, session.execute(page_query(wanted, cursor, limit)))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], paging.encode(last["date"], last["sequence"])


def _by_name(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as mappings: one of SQLAlchemy's takes ten times as long to be asked for a column by its name."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def page_query(wanted: Filter, cursor: str | None, limit: int) -> Select[Any]:
    """A page's rows, and one more where another page follows. Raises Problem 400 for a foreign cursor."""
    shown: Any = select(*_SHOWN)
    query = _filtered(shown.where(Transaction.state == wanted.state), wanted)
    return paging.newest_first(query, Transaction.date, Transaction.sequence, cursor, limit)


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.account_id:
        query = query.where(Transaction.account_id == wanted.account_id)
    if wanted.date_from:
        query = query.where(Transaction.date >= wanted.date_from)
    if wanted.date_to:
        query = query.where(Transaction.date <= wanted.date_to)
    if wanted.category:
        query = query.where(Transaction.category == wanted.category)
    if wanted.minimum is not None:
        query = query.where(Transaction.minor >= wanted.minimum)
    if wanted.maximum is not None:
        query = query.where(Transaction.minor <= wanted.maximum)
    for word in folded(wanted.text).split():
        query = query.where(Transaction.search.contains(word, autoescape=True))
    for index in wanted.indexes:
        query = query.where(Transaction.iban_indexes.contains(index))
    return query


def changes(session: Session, after: int, limit: int) -> list[dict[str, Any]]:
    """What changed since a revision of the ledger, in that order; withdrawn and deleted ones too.

    What others are told of each by its name, no objects: thousands are read at a time, and half of the columns are not
    told.
    """
    return _by_name(_NAMES_TOLD, session.execute(changes_query(after, limit)))


def changes_query(after: int, limit: int) -> Select[Any]:
    """Rows of what changed since a revision."""
    query: Any = select(*_TOLD).where(Transaction.revision > after).order_by(Transaction.revision)
    return query.limit(limit)


def synchronised(session: Session, account_id: uuid.UUID) -> Synchronised | None:
    """Until when an account was read, and what its bank told then; None if it never was."""
    return session.scalar(select(Synchronised).where(Synchronised.account_id == account_id))


def ledger(session: Session, user: uuid.UUID) -> Ledger:
    """The user's ledger, locked until the transaction ends: changes are made one after the other."""
    dialect.upsert(session, Ledger, [{"user_id": user, "revision": 0}], key=["user_id"])
    return session.scalars(dialect.locked(ledger_query(), Ledger)).one()


def ledger_query() -> Select[Any]:
    """The user's ledger."""
    return select(Ledger)


def delete(session: Session, user: uuid.UUID, transaction_id: uuid.UUID) -> None:
    """Take a transaction out of the history for good: a bank that tells it again does not bring it back.

    Raises Problem 404, also when it is deleted already.
    """
    head, row = ledger(session, user), get(session, transaction_id, lock=True)
    if row.state != "listed":
        raise not_found("transaction")
    _touch(head, row, state="deleted")
    _part(session, head, row)
    events.removed(session, user, row)


def restore(session: Session, user: uuid.UUID, transaction_id: uuid.UUID) -> Transaction:
    """Bring back what the person deleted. Raises Problem 404, and 409 when it is not deleted."""
    head, row = ledger(session, user), get(session, transaction_id, lock=True)
    if row.state != "deleted":
        raise Problem(409, "not-deleted", f"This transaction is {row.state}; only deleted ones can be restored.")
    _touch(head, row, state="listed")
    events.amended(session, user, row)
    return row


def next_revision(head: Ledger) -> int:
    """The revision of one more change."""
    head.revision += 1
    return head.revision


def _touch(head: Ledger, row: Transaction, **values: Any) -> None:
    row.revision, row.changed = next_revision(head), clock.now()
    for name, value in values.items():
        setattr(row, name, value)


def _part(session: Session, head: Ledger, row: Transaction) -> None:
    """End the transfer that a transaction was one side of."""
    if row.transfer_id:
        other = session.scalar(select(Transaction).where(Transaction.id == row.transfer_id))
        if other:
            _touch(head, other, transfer_id=None)
        row.transfer_id = None


def suggestions(session: Session) -> list[MatchSuggestion]:
    """Pending transactions that may have become booked ones, newest first."""
    query = select(MatchSuggestion).order_by(MatchSuggestion.created.desc())
    return list(session.scalars(query.limit(100)))


def decide(session: Session, user: uuid.UUID, suggestion_id: uuid.UUID, *, same: bool) -> None:
    """The person says whether two transactions are one. Raises Problem 404."""
    found = session.scalar(select(MatchSuggestion).where(MatchSuggestion.id == suggestion_id))
    if found is None:
        raise not_found("suggestion")
    if same:
        head = ledger(session, user)
        pending, booked = get(session, found.pending_id, lock=True), get(session, found.booked_id, lock=True)
        if pending.state == "listed":
            _touch(head, pending, state="withdrawn")
            events.removed(session, user, pending)
        _touch(head, booked, formerly=pending.id)
        events.amended(session, user, booked)
        others = (MatchSuggestion.pending_id == pending.id) | (MatchSuggestion.booked_id == booked.id)
    else:
        others = MatchSuggestion.id == suggestion_id
    for each in session.scalars(select(MatchSuggestion).where(others)):
        session.delete(each)


def categorise(session: Session, facts: Sequence[Fact]) -> None:
    """Take over what enrichment says of transactions. No new revision: enrichment need not hear of it again.

    facts: of one event. Those of a user's later event have higher versions, all of them: the highest stands for each.
    """
    version = max((each.version for each in facts), default=0)
    by_category: dict[tuple[str | None, str | None], list[uuid.UUID]] = {}
    for each in facts:
        by_category.setdefault((each.category, each.merchant), []).append(each.id)
    for (category, merchant), ids in by_category.items():
        for start in range(0, len(ids), LARGEST_IN):
            some = Transaction.id.in_(ids[start : start + LARGEST_IN])
            older = Transaction.category_version < version
            session.execute(
                update(Transaction)
                .where(some, older)
                .values(category=category, merchant=merchant, category_version=version),
                execution_options={"synchronize_session": False},
            )
