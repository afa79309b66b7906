"""Loads and keeps the ledger of the session's user."""

from __future__ import annotations

import datetime
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, update
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, letters, paging, tenancy
from workloads.chassis.facts import Fact
from workloads.chassis.prepared import PreparedQuery
from workloads.chassis.problems import Problem, not_found
from workloads.services.transaction import domain, events, sealed_ibans
from workloads.services.transaction.models import Ledger, MatchSuggestion, Synchronised, Transaction

_ROW = Transaction.__table__.c
_NARROWED: Mapping[str, ColumnElement[bool]] = {
    "state": _ROW.state == bindparam("state"),
    "account_id": _ROW.account_id == bindparam("account_id"),
    "date_from": _ROW.date >= bindparam("date_from"),
    "date_to": _ROW.date <= bindparam("date_to"),
    "category": _ROW.category == bindparam("category"),
    "minimum": _ROW.minor >= bindparam("minimum"),
    "maximum": _ROW.minor <= bindparam("maximum"),
}
"""What a page is narrowed by, by the names of ``Filter``, which are the parameters' names."""
_WILDCARD = re.compile(r"[/%_\[]")
"""Characters of LIKE that a word is searched for as they are; the bracket is one on Azure SQL only."""
_LONGEST = 1200
LARGEST_IN = 500
"""Of one IN list: Azure SQL takes 2,100 parameters in a statement."""
_TOLD = (
    Transaction.id, Transaction.account_id, Transaction.revision, Transaction.state, Transaction.status,
    Transaction.date, Transaction.minor, Transaction.currency, Transaction.counterparty, Transaction.remittance,
    Transaction.transfer_id, Transaction.with_own, Transaction.counterparty_index, Transaction.formerly,
)  # fmt: skip
"""What ``changes`` tells of a transaction."""
_NAMES_TOLD = [each.key for each in _TOLD]
SHOWN = (
    "sequence", "id", "account_id", "bank", "status", "date", "booking_date", "value_date", "minor", "currency",
    "counterparty", "remittance", "category", "merchant", "transfer_id", "formerly", "ibans",
)  # fmt: skip
"""What a ``page`` shows of a transaction."""


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
    """Texts as they are searched: case, runs of spaces and how accents are written do not matter."""
    told = unicodedata.normalize("NFC", " ".join(filter(None, texts)).replace("\0", " ").casefold())
    return " ".join(told.split())[:_LONGEST]


def searched(*texts: str | None) -> str:
    """What is searched of texts as they are kept: folded, and without the IBANs that stood in them.

    Behind them the words that have accents stand once more, without: they are found either way.
    """
    found = folded(*map(sealed_ibans.without, texts))
    if found.isascii():
        return found
    return " ".join([found, *(bare for each in found.split() if (bare := letters.plain(each)) != each)])[:_LONGEST]


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
    asked = _parameters(wanted) | paging.after(cursor)
    rows = _by_name(SHOWN, _page(tuple(asked), limit).rows(session, **asked))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], paging.encode(last["date"], last["sequence"])


def _by_name(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as mappings: one of SQLAlchemy's takes ten times as long to be asked for a column by its name."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def page_query(wanted: Filter, cursor: str | None, limit: int) -> Select[Any]:
    """What a page asks of the database, of nobody's rows. Raises Problem 400 for a foreign cursor."""
    asked = _parameters(wanted) | paging.after(cursor)
    return _page(tuple(asked), limit).statement.params({**asked, tenancy.USER: uuid.UUID(int=0)})


def _parameters(wanted: Filter) -> dict[str, Any]:
    """What a page is narrowed by, by the names of its query's parameters."""
    asked = {name: value for name in _NARROWED if (value := getattr(wanted, name)) is not None}
    for number, word in enumerate(folded(wanted.text).split()):
        asked[f"word_{number}"] = "%" + _WILDCARD.sub(r"/\g<0>", word) + "%"
    for number, index in enumerate(wanted.indexes):
        asked[f"index_{number}"] = f"%{index}%"
    return asked


@lru_cache(maxsize=256)
def _page(parameters: tuple[str, ...], limit: int) -> PreparedQuery:
    """The query of all pages that are narrowed by the same."""
    query: Any = select(*(_ROW[name] for name in SHOWN))
    for each in parameters:
        if each in _NARROWED:
            query = query.where(_NARROWED[each])
        elif each.startswith("word_"):
            query = query.where(_ROW.search.like(bindparam(each), escape="/"))
        elif each.startswith("index_"):
            query = query.where(_ROW.iban_indexes.like(bindparam(each)))
    first = paging.AFTER[0] not in parameters
    return PreparedQuery(paging.newest_first(query, _ROW.date, _ROW.sequence, limit, first=first))


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


def suggestions(session: Session, before: datetime.datetime | None = None) -> list[MatchSuggestion]:
    """Pending transactions that may have become booked ones, newest first. before: only those that are older."""
    query = (
        select(MatchSuggestion) if before is None else select(MatchSuggestion).where(MatchSuggestion.created < before)
    )
    return list(session.scalars(query.order_by(MatchSuggestion.created.desc()).limit(100)))


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
