"""The person's own accounts, by the blind indexes of their numbers: what transfers between them are recognised by."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workloads.chassis import bulk, dialect
from workloads.chassis.userkeys import Cipher
from workloads.services.transaction import events, sealed_ibans, store, transfers
from workloads.services.transaction.models import Ledger, OwnAccount, Transaction

_MOVEMENT = (
    Transaction.id, Transaction.account_id, Transaction.date, Transaction.minor, Transaction.currency,
    Transaction.counterparty_index,
)  # fmt: skip


def known(session: Session) -> transfers.Accounts:
    """The accounts that have an IBAN, or a sort code and an account number."""
    return {account_id: frozenset(filter(None, both)) for account_id, both in _kept(session).items()}


def _kept(session: Session) -> dict[uuid.UUID, tuple[str | None, str | None]]:
    query = select(OwnAccount.account_id, OwnAccount.iban_index, OwnAccount.uk_index)
    return {row.account_id: (row.iban_index, row.uk_index) for row in session.execute(query)}


def keep(session: Session, user: uuid.UUID, cipher: Cipher, told: Iterable[Mapping[str, Any]]) -> None:
    """Take over which numbers the person's accounts have. Where one is new, the ledger is looked at with other eyes.

    told: account_id, iban and uk_number of each. What is known already writes nothing.
    """
    indexes = {
        uuid.UUID(each["account_id"]): (
            sealed_ibans.index(cipher, each["iban"]) if each["iban"] else None,
            sealed_ibans.uk_index(cipher, each["uk_number"]) if each["uk_number"] else None,
        )
        for each in told
    }
    if indexes.items() <= _kept(session).items():
        return
    head = store.ledger(session, user)
    start = head.revision
    rows = [
        {"account_id": each, "user_id": user, "iban_index": iban, "uk_index": uk}
        for each, (iban, uk) in indexes.items()
    ]
    dialect.upsert(session, OwnAccount, rows, key=["account_id"], update=["iban_index", "uk_index"])
    accounts = known(session)
    _mark(session, head, accounts)
    pair(session, head, accounts)
    if head.revision != start:
        events.imported(session, user, next(iter(indexes)), head.revision, (0, 0, 0))


def restore(session: Session, user: uuid.UUID, transaction_id: uuid.UUID) -> Transaction:
    """Bring back what the person deleted, and the transfer that it was one side of. Raises Problem 404 and 409."""
    row = store.restore(session, user, transaction_id)
    session.flush()
    pair(session, store.ledger(session, user), known(session), row.revision - 1)
    session.refresh(row)
    return row


def pair(session: Session, head: Ledger, accounts: transfers.Accounts, since: int = 0) -> None:
    """Find transfers among what changed since a revision, and what lies around it; end those that are none any more."""
    changed = Transaction.revision > since
    _part(session, head, accounts, since)
    first, last = session.execute(select(func.min(Transaction.date), func.max(Transaction.date)).where(changed)).one()
    if first is None:
        return
    window = transfers.ARRIVES_WITHIN
    query = select(*_MOVEMENT).where(
        Transaction.state == "listed", Transaction.status == "booked", Transaction.transfer_id.is_(None),
        Transaction.date >= _plus(first, -window), Transaction.date <= _plus(last, window),
    )  # fmt: skip
    movements = [transfers.Movement(*row) for row in session.execute(query)]
    rows = []
    for sides in transfers.pair(movements, accounts):
        for mine, other in (sides, sides[::-1]):
            rows.append({"id": mine, "transfer_id": other, "revision": store.next_revision(head)})
    bulk.update_many(session, Transaction, "id", rows)


def _part(session: Session, head: Ledger, accounts: transfers.Accounts, since: int) -> None:
    """End the transfers of what changed: a side was withdrawn, its amount corrected, or an IBAN says it was no pair."""
    query: Any = select(*_MOVEMENT, Transaction.transfer_id, Transaction.state)
    query = query.where(Transaction.transfer_id.is_not(None))
    changed: Any = session.execute(query.where(Transaction.revision > since)).all()
    known = {row.id: transfers.Movement(*row[:-2]) for row in changed if row.state == "listed"}
    others = [row.transfer_id for row in changed if row.transfer_id not in known]
    for start in range(0, len(others), store.LARGEST_IN):
        some: Any = session.execute(query.where(Transaction.id.in_(others[start : start + store.LARGEST_IN])))
        known |= {row.id: transfers.Movement(*row[:-2]) for row in some if row.state == "listed"}
    ended: dict[uuid.UUID, None] = {}
    for row in changed:
        here, there = known.get(row.id), known.get(row.transfer_id)
        if here is None or there is None or not transfers.may_be_one(here, there, accounts):
            ended |= dict.fromkeys([row.id, row.transfer_id])
    rows = [{"id": each, "transfer_id": None, "revision": store.next_revision(head)} for each in ended]
    bulk.update_many(session, Transaction, "id", rows)


def _plus(date: datetime.date, days: datetime.timedelta) -> datetime.date:
    """Moved, as far as there are dates: banks tell of the year 9999."""
    return datetime.date.fromordinal(min(max(date.toordinal() + days.days, 1), datetime.date.max.toordinal()))


def _mark(session: Session, head: Ledger, accounts: transfers.Accounts) -> None:
    """Say of each transaction that names an account whether it is with another account of the person's."""
    query = select(Transaction.id, Transaction.account_id, Transaction.counterparty_index, Transaction.with_own)
    rows = []
    for row in session.execute(query.where(Transaction.counterparty_index.is_not(None))):
        now = transfers.with_own(row.account_id, row.counterparty_index, accounts)
        if now != row.with_own:
            rows.append({"id": row.id, "with_own": now, "revision": store.next_revision(head)})
    bulk.update_many(session, Transaction, "id", rows)
