"""Erasure of a person (GDPR Art. 17): every row that a service holds of a user, and the word to privacy."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import DeclarativeBase, Session

from workloads.chassis import clock, dialect, tasks
from workloads.chassis.events import inbox, outbox
from workloads.chassis.events.catalogue import ERASURE_DONE
from workloads.chassis.events.consumer import Handler, Handling, Unprocessable
from workloads.chassis.events.tables import HandledEvent, OutboxEvent
from workloads.chassis.schema import Owned
from workloads.chassis.userkeys import UserKey

REQUESTED = "erasure.requested"
ROUNDS = 2
"""Every service erases twice: the second round takes what events on their way have brought after the first."""


def owned_models(bases: Sequence[type[DeclarativeBase]]) -> list[Any]:
    """Every mapped class whose rows belong to users, those that refer to others first."""
    found = []
    for base in bases:
        by_table = {mapper.local_table: mapper.class_ for mapper in base.registry.mappers}
        ordered = [by_table[table] for table in reversed(base.metadata.sorted_tables) if table in by_table]
        found += [each for each in ordered if issubclass(each, Owned)]
    return found


def applied(session: Session, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these erasures this database has had, both rounds of them."""
    query = select(HandledEvent.event_id).where(HandledEvent.source == inbox.ERASURES, HandledEvent.event_id.in_(ids))
    return set(session.scalars(query)) if ids else set()


def checked(session: Session) -> None:
    """Write down that this very database has every erasure there was."""
    row = {"source": inbox.CHECKS, "event_id": _itself(session), "at": dialect.database_time(session)}
    dialect.upsert(session, HandledEvent, [row], key=["source", "event_id"], update=["at"])


def last_checked(session: Session) -> datetime.timedelta | None:
    """How long ago that was; None for a database that was never looked at, or was restored since."""
    where = (HandledEvent.source == inbox.CHECKS, HandledEvent.event_id == _itself(session))
    at = session.scalar(select(HandledEvent.at).where(*where))
    return dialect.database_time(session) - at if at else None


def _itself(session: Session) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, dialect.database_identity(session))


def _remember(session: Session, erasure_id: uuid.UUID) -> None:
    row = {"source": inbox.ERASURES, "event_id": erasure_id, "at": clock.now()}
    dialect.insert_new(session, HandledEvent, row, key=["source", "event_id"])


def erase_rows(session: Session, bases: Sequence[type[DeclarativeBase]]) -> int:
    """Remove every row of the session's user; how many. The key goes first: see ``UserKeys.hold``."""
    rows = 0
    for model in sorted(owned_models(bases), key=lambda each: each is not UserKey):
        result: Any = session.execute(delete(model))
        rows += result.rowcount
    return rows


def handler(
    service: str,
    bases: Sequence[type[DeclarativeBase]],
    before: Callable[[Handling], int] | None = None,
    *,
    last_round: bool = False,
) -> Handler:
    """Handles ``erasure.requested`` for a service.

    bases: of all its tables with users' rows, the users' keys among them where it has some. before: what must go first
    and is not in the database (a consent at a bank, a blob); how many things went. It may run again.
    last_round: whether it erases in the last round only, since others need its rows in the first.
    """

    def erase(handling: Handling) -> None:
        try:
            erasure_id, round_ = str(uuid.UUID(handling.event.data["erasure_id"])), int(handling.event.data["round"])
        except (KeyError, TypeError, ValueError):
            raise Unprocessable("its erasure_id or round is malformed") from None
        waits = last_round and round_ < ROUNDS
        elsewhere = before(handling) if before and not waits else 0
        user, rows = handling.user, 0
        with handling.transaction() as session:
            if not waits:
                rows = erase_rows(session, bases)
                rows += tasks.forget(session, user) if tasks.Base in bases else 0
                session.execute(delete(OutboxEvent).where(OutboxEvent.key == str(user)))
            told = {"erasure_id": erasure_id, "service": service, "round": round_, "rows": rows}
            if round_ == ROUNDS:
                _remember(session, uuid.UUID(erasure_id))
            outbox.write(session, service, ERASURE_DONE, user, told | {"elsewhere": elsewhere})

    return erase
