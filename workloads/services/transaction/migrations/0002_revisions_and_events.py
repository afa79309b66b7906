"""A revision a change, tombstones, transfers, categories, text to search; outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0002"
down_revision = "0001"

_ROW = sa.table(
    "ledger_transaction",
    *(sa.column(name) for name in ("user_id", "sequence", "revision", "search", "counterparty", "remittance")),
)
_LEDGER = sa.table("ledger", sa.column("user_id"), sa.column("revision"))


def upgrade() -> None:
    """Change the ledger; rows that are there get their sequence as revision."""
    table = "ledger_transaction"
    op.add_column(table, sa.Column("state", Text(10), nullable=False, server_default="listed"))
    op.add_column(table, sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(table, sa.Column("search", Text(1200), nullable=False, server_default=""))
    op.add_column(table, sa.Column("category", Text(60), nullable=True))
    op.add_column(table, sa.Column("merchant", Text(80), nullable=True))
    op.add_column(table, sa.Column("transfer_id", sa.Uuid(), nullable=True))
    op.add_column(table, sa.Column("formerly", sa.Uuid(), nullable=True))
    text = sa.func.lower(sa.func.concat(_ROW.c.counterparty, " ", _ROW.c.remittance))
    op.execute(sa.update(_ROW).values(revision=_ROW.c.sequence, search=text))
    op.drop_index("ix_ledger_transaction_page", table)
    op.create_index("ix_ledger_transaction_page", table, ["user_id", "state", "date", "sequence"])
    op.create_index("ix_ledger_transaction_revision", table, ["user_id", "revision"])
    op.create_table(
        "ledger",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_ledger"),
    )
    heads = sa.select(_ROW.c.user_id, sa.func.max(_ROW.c.sequence)).group_by(_ROW.c.user_id)
    op.execute(sa.insert(_LEDGER).from_select(["user_id", "revision"], heads))
    op.create_table(
        "match_suggestion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("pending_id", sa.Uuid(), nullable=False),
        sa.Column("booked_id", sa.Uuid(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_match_suggestion"),
    )
    op.create_index("ix_match_suggestion_user_id", "match_suggestion", ["user_id", "created"])
    tables.create()
