"""Seals the IBANs of transactions that the ledger held in clear: each ledger of that time once, as a task."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import bulk, tasks
from workloads.chassis.database import Database
from workloads.chassis.money import Money
from workloads.chassis.tasks import Due, Task
from workloads.chassis.userkeys import Cipher
from workloads.services.transaction import domain, imports, sealed_ibans, store
from workloads.services.transaction.models import Transaction

SEAL = "seal-ibans"
"""Kind of the task. Migration 0005 schedules one a ledger."""
_AT_A_TIME = 1000
_KEPT = (
    Transaction.sequence, Transaction.key, Transaction.status, Transaction.minor, Transaction.currency,
    Transaction.booking_date, Transaction.value_date, Transaction.counterparty, Transaction.remittance,
    Transaction.transaction_id, Transaction.entry_reference,
)  # fmt: skip


def before_a_list(app: Any, database: Database, user: uuid.UUID) -> None:
    """Seal a ledger whose task is still to come: a list's entries are compared with what is sealed."""
    with database.session(user) as session:
        waiting = session.scalar(select(Task.due).where(Task.kind == SEAL, Task.subject == user))
    if waiting is not None:
        seal(Due(user, tasks.NO_ITEM, database, app))


def seal(due: Due) -> datetime.datetime | None:
    """Seal what is in clear of the user's ledger, some at a time. The transactions do not change for their owner."""
    after = 0
    while True:
        with due.database.session(due.user) as session:
            store.ledger(session, due.user)  # nobody takes over a list meanwhile
            query = select(*_KEPT).where(Transaction.sequence > after, Transaction.ibans.is_(None))
            some = session.execute(query.order_by(Transaction.sequence).limit(_AT_A_TIME)).all()
            if not some:
                return None
            _seal(session, due.app.keys.cipher(session, due.user), some)
            after = some[-1].sequence


def _seal(session: Session, cipher: Cipher, some: Sequence[Any]) -> None:
    rows, hider = [], sealed_ibans.Hider(cipher)
    for each in some:
        hidden = hider.hide(each._mapping, None)
        if hidden.numbers:
            told = domain.Told(
                each.status, Money(each.minor, each.currency), **hidden.texts, booking_date=each.booking_date,
                value_date=each.value_date, numbers=hidden.numbers,
            )  # fmt: skip
            key = domain.rekeyed(each.key, told)
            rows.append({"sequence": each.sequence, "key": key, **imports.values(told, cipher)})
    bulk.update_many(session, Transaction, "sequence", rows)
