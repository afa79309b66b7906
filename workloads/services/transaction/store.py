"""Loads and keeps the ledger of the session's user."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, paging
from workloads.chassis.money import Money
from workloads.chassis.problems import not_found
from workloads.services.transaction import domain
from workloads.services.transaction.models import Synchronised, Transaction

_TEXTS = {"counterparty": 140, "remittance": 1000, "transaction_id": 200, "entry_reference": 200}


@dataclass(frozen=True)
class Filter:
    """Which transactions a page shows; dates are both included."""

    account_id: uuid.UUID | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None


@dataclass(frozen=True)
class Imported:
    """What a bank's list changed."""

    added: int
    updated: int
    removed: int
    unchanged: int


def get(session: Session, transaction_id: uuid.UUID) -> Transaction:
    """A transaction of the user's. Raises Problem 404."""
    found = session.scalar(select(Transaction).where(Transaction.id == transaction_id))
    if found is None:
        raise not_found("transaction")
    return found


def page(session: Session, wanted: Filter, cursor: str | None, limit: int) -> tuple[list[Transaction], str | None]:
    """Transactions, newest first, and the cursor of the next page. Raises Problem 400 for a foreign cursor."""
    query = select(Transaction)
    if wanted.account_id:
        query = query.where(Transaction.account_id == wanted.account_id)
    if wanted.date_from:
        query = query.where(Transaction.date >= wanted.date_from)
    if wanted.date_to:
        query = query.where(Transaction.date <= wanted.date_to)
    query = paging.newest_first(query, Transaction.date, Transaction.sequence, cursor, limit)
    rows = list(session.scalars(query))
    following = paging.encode(rows[limit - 1].date, rows[limit - 1].sequence) if len(rows) > limit else None
    return rows[:limit], following


def synchronised_until(session: Session, account_id: uuid.UUID) -> datetime.date | None:
    """Until when an account was read; None if it never was."""
    return session.scalar(select(Synchronised.until).where(Synchronised.account_id == account_id))


def import_list(
    session: Session,
    user: uuid.UUID,
    account: dict[str, Any],
    batch: list[domain.Told],
    *,
    date_from: datetime.date,
    date_to: datetime.date,
    covers_pending: bool,
) -> Imported:
    """Take over a bank's list of an account; concurrent ones of the same account wait for each other."""
    account_id, now = uuid.UUID(account["id"]), clock.now()
    row = _locked(session, user, account_id)
    known = _known(session, account_id, date_from)
    changes = domain.plan([_as_known(each) for each in known], batch, covers_pending=covers_pending)
    rows = {each.sequence: each for each in known}
    for each in changes.removals:
        session.delete(rows[each.row])
    session.flush()
    for known_one, key, told in changes.updates:
        _write(rows[known_one.row], told, key, fallback=known_one.date)
        rows[known_one.row].changed = now
    session.flush()
    # Oldest first: the sequence then orders the transactions of one date as they were told.
    for key, told in sorted(changes.inserts, key=lambda each: (each[1].date or date_to, each[0])):
        new = Transaction(account_id=account_id, bank=account["bank"], imported=now, changed=now)
        _write(new, told, key, fallback=date_to)
        session.add(new)
    row.until, row.at = max(filter(None, [row.until, date_to])), now
    counted = len(changes.inserts), len(changes.updates), len(changes.removals)
    return Imported(*counted, unchanged=len(domain.keyed(batch)) - counted[0] - counted[1])


def _locked(session: Session, user: uuid.UUID, account_id: uuid.UUID) -> Synchronised:
    new = {"account_id": account_id, "user_id": user, "until": None, "at": clock.now()}
    dialect.upsert(session, Synchronised, [new], key=["account_id"])
    query = select(Synchronised).where(Synchronised.account_id == account_id)
    return session.scalars(dialect.locked(query, Synchronised)).one()


def _known(session: Session, account_id: uuid.UUID, date_from: datetime.date) -> list[Transaction]:
    """Every row that a list from this date can meet: those listed since, and all pending ones."""
    since = or_(Transaction.date >= date_from, Transaction.value_date >= date_from, Transaction.status == "pending")
    return list(session.scalars(select(Transaction).where(Transaction.account_id == account_id, since)))


def _as_known(row: Transaction) -> domain.Known:
    status: Any = row.status
    told = domain.Told(
        status, Money(row.minor, row.currency), row.transaction_id, row.entry_reference, row.booking_date,
        row.value_date, row.counterparty, row.remittance,
    )  # fmt: skip
    return domain.Known(row.sequence, row.key, status, row.date, told)


def _write(row: Transaction, told: domain.Told, key: str, *, fallback: datetime.date) -> None:
    row.key, row.status, row.date = key, told.status, told.date or fallback
    row.booking_date, row.value_date = told.booking_date, told.value_date
    row.minor, row.currency = told.money.minor, told.money.currency
    row.counterparty, row.remittance = told.counterparty, told.remittance
    row.transaction_id, row.entry_reference = told.transaction_id, told.entry_reference


def told_of(entry: dict[str, Any]) -> domain.Told:
    """A transaction as the connector tells it; texts are cut to what the ledger keeps, so that they compare equal."""
    texts: dict[str, Any] = {name: (entry[name] or "")[:length] or None for name, length in _TEXTS.items()}
    money = Money(entry["amount"]["minor"], entry["amount"]["currency"])
    booked, value = entry["booking_date"], entry["value_date"]
    return domain.Told(
        status=entry["status"], money=money, **texts,
        booking_date=datetime.date.fromisoformat(booked) if booked else None,
        value_date=datetime.date.fromisoformat(value) if value else None,
    )  # fmt: skip
