"""Loads and keeps the session user's schedule, accesses and runs."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, tasks
from workloads.chassis.events import outbox
from workloads.services.sync import domain
from workloads.services.sync.models import Access, Run, Schedule

SERVICE = "sync"
RUN = "run"
"""Kind of the task that reads a person's accounts."""
_LISTED = 50


def schedule(session: Session, user: uuid.UUID, *, lock: bool = False) -> Schedule:
    """How often the person's accounts are read; until they say otherwise, as often as the law lets us."""
    new = {"user_id": user, "enabled": True, "times_a_day": domain.PER_DAY}
    dialect.upsert(session, Schedule, [new], key=["user_id"])
    query = select(Schedule)
    return session.scalars(dialect.locked(query, Schedule) if lock else query).one()


def plan(session: Session, user: uuid.UUID, row: Schedule, *, soon: datetime.timedelta | None = None) -> None:
    """Have the next run done when it is time, or none. soon: not when it is time, but after that."""
    if row.enabled:
        now = clock.now()
        tasks.schedule(session, RUN, user, now + soon if soon else domain.next_run(row.times_a_day, now))
    else:
        tasks.cancel(session, RUN, user)


def accesses(session: Session, account_id: uuid.UUID) -> list[datetime.datetime]:
    """When an account was accessed with nobody there, as long as it may count."""
    since = clock.now() - domain.DAY - domain.SLACK
    return list(session.scalars(select(Access.at).where(Access.account_id == account_id, Access.at > since)))


def spend(session: Session, user: uuid.UUID, account_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Write down an unattended access to each account that has one left; those accounts.

    Written before the bank is asked: a worker that dies has spent it. Workers that race wait for each other.
    """
    schedule(session, user, lock=True)
    now, granted = clock.now(), []
    session.execute(delete(Access).where(Access.at < now - 2 * domain.DAY))
    session.execute(update(Access).where(Access.at > now).values(at=now))  # under a clock that was ahead
    for account_id in account_ids:
        held = accesses(session, account_id)
        if domain.left(held, now):
            session.add(Access(account_id=account_id, at=now))
            granted.append(account_id)
        else:
            told = {"account_id": str(account_id), "free_at": domain.free_at(held, now).isoformat()}
            outbox.write(session, SERVICE, "sync.quota_exhausted", user, told)
    return granted


def begin(session: Session, user: uuid.UUID, *, attended: bool) -> Run:
    """A run begins."""
    row = Run(attended=attended, started=clock.now(), ended=None, added=0, updated=0, removed=0, kinds="")
    session.add(row)
    session.flush()
    if not attended:
        outbox.write(session, SERVICE, "sync.requested", user, {"run_id": str(row.id)})
    return row


def end(session: Session, user: uuid.UUID, run_id: uuid.UUID, outcome: dict[str, Any]) -> Run:
    """A run is over. outcome: as the transaction service tells it."""
    row = session.scalars(select(Run).where(Run.id == run_id)).one()
    row.ended = clock.now()
    for name in ("added", "updated", "removed"):
        setattr(row, name, sum(each[name] for each in outcome["accounts"]))
    kinds = sorted({each["kind"] for each in outcome["failures"]})
    row.kinds = ",".join(kinds)[:400]
    about = {"run_id": str(row.id)}
    if kinds:
        outbox.write(session, SERVICE, "sync.failed", user, about | {"kinds": kinds})
    read: dict[str, Any] = {"accounts": [str(each["account_id"]) for each in outcome["accounts"]]}
    counts = {"added": row.added, "updated": row.updated, "removed": row.removed}
    outbox.write(session, SERVICE, "sync.completed", user, about | read | counts)
    return row


def read_since(session: Session, time: datetime.datetime) -> bool:
    """Whether a run that the person asked for began after a time and is over."""
    over = (Run.attended.is_(True), Run.started >= time, Run.ended.is_not(None))
    return session.scalar(select(Run.id).where(*over).limit(1)) is not None


def runs(session: Session, before: datetime.datetime | None = None) -> list[Run]:
    """The latest runs, newest first. before: only those that were started earlier."""
    query = select(Run) if before is None else select(Run).where(Run.started < before)
    return list(session.scalars(query.order_by(Run.started.desc()).limit(_LISTED)))
