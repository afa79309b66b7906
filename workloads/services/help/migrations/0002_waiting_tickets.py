"""Which tickets wait for support, since when: a task each, of those that are open already too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import tasks
from workloads.chassis.schema import Text, UtcDateTime

revision = "0002"
down_revision = "0001"

_TICKET = sa.table(
    "ticket", sa.column("id", sa.Uuid()), sa.column("user_id", sa.Uuid()), sa.column("status", Text(10)),
    sa.column("changed", UtcDateTime()),
)  # fmt: skip
_TASK = sa.table("task", *map(sa.column, ("kind", "subject", "item", "due", "attempts")))


def upgrade() -> None:
    """Create the table of tasks."""
    tasks.create()
    kind, attempts = sa.literal("answer", Text(40)), sa.literal(0)
    waiting = sa.select(kind, _TICKET.c.user_id, _TICKET.c.id, _TICKET.c.changed, attempts)
    waiting = waiting.where(_TICKET.c.status == "open")
    op.execute(_TASK.insert().from_select([each.name for each in _TASK.c], waiting))
