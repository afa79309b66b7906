"""Which tickets wait for support, since when: a task each, of those that are open already too."""

from __future__ import annotations

from alembic import op

from workloads.chassis import tasks

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of tasks."""
    tasks.create()
    op.execute(
        "INSERT INTO task (kind, subject, item, due, attempts) "
        "SELECT 'answer', user_id, id, changed, 0 FROM ticket WHERE status = 'open'"
    )
