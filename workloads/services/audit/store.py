"""Adds to the chain, and reads it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import dialect
from workloads.chassis.events.envelope import Event
from workloads.services.audit import domain
from workloads.services.audit.models import Entry, Head

_BATCH = 500
_LISTED = 100


def add(session: Session, event: Event) -> None:
    """An event happened: the chain's next entry."""
    head = session.scalars(dialect.locked(select(Head), Head)).one()
    content = domain.Content(
        head.number + 1, event.id, event.time, event.source, event.type, event.subject, domain.about(event.data)
    )
    digest = content.digest(head.digest)
    session.add(Entry(**vars(content), digest=digest))
    head.number, head.digest = content.number, digest


def of_subject(session: Session, subject: str, before: int | None) -> list[Entry]:
    """What is kept of a user, newest first. before: only entries with a smaller number."""
    query = select(Entry).where(Entry.subject == subject)
    if before is not None:
        query = query.where(Entry.number < before)
    return list(session.scalars(query.order_by(Entry.number.desc()).limit(_LISTED)))


def end(session: Session) -> domain.End:
    """Where the chain ends."""
    head = session.scalars(select(Head)).one()
    return domain.End(head.number, head.digest)


def verify(session: Session, end: domain.End, noted: domain.End | None) -> domain.Break | None:
    """Where the chain does not hold, up to an end of it: what is added meanwhile is not looked at.

    noted: an earlier end, kept elsewhere.
    """
    return domain.verify(_entries(session, end.number), end, noted)


def _entries(session: Session, end: int) -> Iterator[tuple[domain.Content, str]]:
    last = 0
    query = select(Entry).where(Entry.number <= end).order_by(Entry.number).limit(_BATCH)
    while rows := list(session.scalars(query.where(Entry.number > last))):
        for row in rows:
            yield domain.Content(
                row.number, row.event_id, row.at, row.source, row.type, row.subject, row.about
            ), row.digest  # fmt: skip
        last = rows[-1].number
        session.expunge_all()
