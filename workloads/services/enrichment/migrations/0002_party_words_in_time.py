"""When the person said what an other side is: of that and a rule, the newer holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the time; what was said before it was kept gives way to every rule, as it did then."""
    op.add_column(
        "party_category", sa.Column("said", UtcDateTime(), nullable=False, server_default="1970-01-01 00:00:00+00:00")
    )
