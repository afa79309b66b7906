"""Erasure of a person (GDPR Art. 17): every row that a service holds of a user, and the word to privacy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import DeclarativeBase, Session

from workloads.chassis import tasks
from workloads.chassis.events import outbox
from workloads.chassis.events.catalogue import ERASURE_DONE
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.schema import Owned

REQUESTED = "erasure.requested"


def owned_models(bases: Sequence[type[DeclarativeBase]]) -> list[Any]:
    """Every mapped class whose rows belong to users, those that refer to others first."""
    found = []
    for base in bases:
        by_table = {mapper.local_table: mapper.class_ for mapper in base.registry.mappers}
        ordered = [by_table[table] for table in reversed(base.metadata.sorted_tables) if table in by_table]
        found += [each for each in ordered if issubclass(each, Owned)]
    return found


def erase_rows(session: Session, bases: Sequence[type[DeclarativeBase]]) -> int:
    """Remove every row of the session's user; how many."""
    rows = 0
    for model in owned_models(bases):
        result: Any = session.execute(delete(model))
        rows += result.rowcount
    return rows


def handler(
    service: str, bases: Sequence[type[DeclarativeBase]], before: Callable[[Handling], int] | None = None
) -> Handler:
    """Handles ``erasure.requested`` for a service.

    bases: of all its tables with users' rows, the users' keys among them where it has some. before: what must go first
    and is not in the database (a consent at a bank, a blob); how many things went. It may run again.
    """

    def erase(handling: Handling) -> None:
        elsewhere = before(handling) if before else 0
        user = handling.user
        with handling.transaction() as session:
            rows = erase_rows(session, bases)
            rows += tasks.forget(session, user) if _has_tasks(bases) else 0
            session.execute(delete(OutboxEvent).where(OutboxEvent.key == str(user)))
            told = {"erasure_id": str(uuid.UUID(handling.event.data["erasure_id"])), "service": service}
            told["round"] = handling.event.data["round"]
            outbox.write(session, service, ERASURE_DONE, user, {**told, "rows": rows, "elsewhere": elsewhere})

    return erase


def _has_tasks(bases: Sequence[type[DeclarativeBase]]) -> bool:
    return tasks.Base in bases
