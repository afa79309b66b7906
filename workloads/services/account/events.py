"""What the account service publishes."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from workloads.chassis.events import outbox

SERVICE = "account"


def linked(session: Session, user: uuid.UUID, account_id: uuid.UUID, bank: str, currency: str | None) -> None:
    """An account is reached for the first time."""
    about = {"account_id": str(account_id), "bank": bank, "currency": currency}
    outbox.write(session, SERVICE, "account.linked", user, about)


def balance_updated(
    session: Session, user: uuid.UUID, account_id: uuid.UUID, kind: str, minor: int, currency: str
) -> None:
    """A balance changed. minor: signed minor units."""
    about = {"account_id": str(account_id), "kind": kind, "minor": minor, "currency": currency}
    outbox.write(session, SERVICE, "account.balance.updated", user, about)


def closed(session: Session, user: uuid.UUID, account_id: uuid.UUID) -> None:
    """No valid consent reaches an account any more."""
    outbox.write(session, SERVICE, "account.closed", user, {"account_id": str(account_id)})
