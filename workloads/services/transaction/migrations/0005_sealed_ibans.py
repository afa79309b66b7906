"""IBANs of transactions sealed: users' keys, what is kept of an IBAN, and a task a ledger that seals what is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import tasks, userkeys
from workloads.chassis.schema import Text

revision = "0005"
down_revision = "0004"

_TASK = sa.table("task", *(sa.column(name) for name in ("kind", "subject", "item", "due", "attempts")))
_SYNCHRONISED = sa.table("synchronised_account", sa.column("digest"))
_LEDGER = sa.table("ledger", sa.column("user_id", sa.Uuid()))


def upgrade() -> None:
    """Add columns and tables. No key is at hand here, so the service seals, as soon as it has started."""
    table = "ledger_transaction"
    op.add_column(table, sa.Column("ibans", sa.LargeBinary(), nullable=True))
    op.add_column(table, sa.Column("counterparty_index", Text(13), nullable=True))
    op.add_column(table, sa.Column("iban_indexes", Text(1500), nullable=True))
    op.execute(sa.update(_SYNCHRONISED).values(digest=None))  # made without a key; the next list is read instead
    userkeys.create()
    tasks.create()
    scheduled = sa.select(
        sa.literal("seal-ibans"), _LEDGER.c.user_id, sa.literal(tasks.NO_ITEM, sa.Uuid()), sa.func.current_timestamp(),
        sa.literal(0),
    )  # fmt: skip
    op.execute(sa.insert(_TASK).from_select(["kind", "subject", "item", "due", "attempts"], scheduled))
