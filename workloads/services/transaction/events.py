"""What the transaction service publishes."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from workloads.chassis.events import outbox
from workloads.services.transaction.models import Transaction

SERVICE = "transaction"


def imported(
    session: Session, user: uuid.UUID, account_id: uuid.UUID, revision: int, counted: tuple[int, int, int]
) -> None:
    """A list was taken over. counted: added, updated, removed."""
    added, updated, removed = counted
    about = {"account_id": str(account_id), "revision": revision}
    about |= {"added": added, "updated": updated, "removed": removed}
    outbox.write(session, SERVICE, "transactions.imported", user, about)


def withdrawn(session: Session, user: uuid.UUID, account_id: uuid.UUID, bank: str, count: int) -> None:
    """A bank does not list booked transactions any more that it did list."""
    about = {"account_id": str(account_id), "bank": bank, "count": count}
    outbox.write(session, SERVICE, "transactions.withdrawn", user, about)


def _about(row: Transaction) -> dict[str, object]:
    return {"id": str(row.id), "account_id": str(row.account_id), "revision": row.revision}


def booked(session: Session, user: uuid.UUID, row: Transaction) -> None:
    """A pending transaction was booked."""
    outbox.write(session, SERVICE, "transaction.booked", user, _about(row))


def amended(session: Session, user: uuid.UUID, row: Transaction) -> None:
    """A transaction changed."""
    formerly = {"formerly": str(row.formerly)} if row.formerly else {}
    outbox.write(session, SERVICE, "transaction.amended", user, _about(row) | formerly)


def removed(session: Session, user: uuid.UUID, row: Transaction) -> None:
    """A transaction is withdrawn or deleted."""
    outbox.write(session, SERVICE, "transaction.removed", user, _about(row))
