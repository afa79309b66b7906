"""What the enrichment service publishes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from workloads.chassis import facts
from workloads.chassis.events import outbox

SERVICE = "enrichment"
_TOLD = ("version", "account_id", "date", "minor", "currency", "status", "category", "merchant", "party", "transfer",
         "removed")  # fmt: skip


def categorised(session: Session, user: uuid.UUID, rows: Sequence[dict[str, Any]]) -> None:
    """Facts of transactions, in as many events as the bus' limit asks for. rows: of the assignment's table."""
    for start in range(0, len(rows), facts.MOST_IN_EVENT):
        told = [_fact(each) for each in rows[start : start + facts.MOST_IN_EVENT]]
        outbox.write(session, SERVICE, facts.CATEGORISED, user, {"facts": told})


def _fact(row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in _TOLD}
    return {
        "id": str(row["transaction_id"]),
        **plain,
        "account_id": str(row["account_id"]),
        "date": row["date"].isoformat(),
    }
