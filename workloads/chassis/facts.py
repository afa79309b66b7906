"""Facts of transactions: what enrichment's events say of each, kept by every service that reckons with spending.

Facts come at least once and perhaps late: a version tells which of two is newer. They hold no name and no text.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from workloads.chassis import bulk
from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.chassis.schema import Text

CATEGORISED = "transactions.categorised"
MOST_IN_EVENT = 400
"""Service Bus' Standard tier takes messages of 256 KB; a fact has at most 400 bytes."""
_LARGEST_IN = 500


class Fact(BaseModel):
    """A fact. version: the higher of two is newer. minor: signed minor units. merchant: one that enrichment knows.

    party: stands for the other side, whose name it does not tell; equal for the same one, and for no two of whose other
    side nothing is told. transfer: between the person's own accounts. removed: withdrawn by the bank, or deleted by the
    person.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    id: uuid.UUID
    version: int
    account_id: uuid.UUID
    date: datetime.date
    minor: int
    currency: str = Field(pattern="^[A-Z]{3}$")
    status: str = Field(pattern="^(booked|pending)$")
    category: str = Field(max_length=60)
    merchant: str | None = Field(default=None, max_length=80)
    party: str = Field(max_length=32)
    transfer: bool = False
    removed: bool = False


class FactColumns:
    """The columns of a service's table of facts, beside its owner."""

    transaction_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid(), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid())
    date: Mapped[datetime.date]
    minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text(3))
    status: Mapped[str] = mapped_column(Text(10))
    category: Mapped[str] = mapped_column(Text(60))
    merchant: Mapped[str | None] = mapped_column(Text(80))
    party: Mapped[str] = mapped_column(Text(32))
    transfer: Mapped[bool]
    removed: Mapped[bool]


def create() -> None:
    """Create the table ``fact``, in a migration. Frozen: a change of it is a function of its own beside this one."""
    from alembic import op  # 11 MB of every service, which only migrations need

    op.create_table(
        "fact",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("status", Text(10), nullable=False),
        sa.Column("category", Text(60), nullable=False),
        sa.Column("merchant", Text(80), nullable=True),
        sa.Column("party", Text(32), nullable=False),
        sa.Column("transfer", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_fact"),
    )
    op.create_index("ix_fact_user_id_date", "fact", ["user_id", "date"])
    op.create_index("ix_fact_user_id_party", "fact", ["user_id", "party"])


def of(handling: Handling) -> list[Fact]:
    """The facts of an event. Raises Unprocessable when they are malformed."""
    try:
        return [Fact.model_validate(each) for each in handling.event.data["facts"]]
    except (ValidationError, KeyError, TypeError):
        raise Unprocessable("its facts are malformed") from None


def apply(session: Session, model: Any, user: uuid.UUID, facts: Iterable[Fact]) -> list[Fact]:
    """Keep what is newer than what is kept; which facts that were.

    model: the service's mapped class with ``FactColumns``.
    """
    newest: dict[uuid.UUID, Fact] = {}
    for each in facts:
        if each.id not in newest or newest[each.id].version < each.version:
            newest[each.id] = each
    known = _versions(session, model, list(newest))
    new = [each for key, each in newest.items() if key not in known]
    newer = [each for key, each in newest.items() if key in known and known[key] < each.version]
    bulk.insert_many(session, model, [_row(each) | {"user_id": user} for each in new])
    bulk.update_many(session, model, "transaction_id", [_row(each) for each in newer], newer="version")
    session.expire_all()
    return [*new, *newer]


def _versions(session: Session, model: Any, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    found: dict[uuid.UUID, int] = {}
    for start in range(0, len(ids), _LARGEST_IN):
        some = model.transaction_id.in_(ids[start : start + _LARGEST_IN])
        for key, version in session.execute(select(model.transaction_id, model.version).where(some)):
            found[key] = version
    return found


def _row(fact: Fact) -> dict[str, Any]:
    values = fact.model_dump()
    return {"transaction_id": values.pop("id"), **values}
