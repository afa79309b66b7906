"""Loads and keeps consents of the session's user."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.chassis.problems import not_found
from workloads.services.consent import domain, events
from workloads.services.consent.models import Consent, Evidence


def now(session: Session) -> datetime.datetime:
    """The present moment as the law's limits are judged by it: the earlier of our clock's and the database's.

    A clock that is ahead would end every consent, and say of a new one that it was given later than it was.
    """
    return min(clock.now(), dialect.database_time(session))


def get(session: Session, consent_id: uuid.UUID, *, lock: bool = False) -> Consent:
    """A consent of the user's. Raises Problem 404."""
    found = find(session, consent_id, lock=lock)
    if found is None:
        raise not_found("consent")
    return found


def find(session: Session, consent_id: uuid.UUID, *, lock: bool = False) -> Consent | None:
    """A consent of the user's, if there is one."""
    query = select(Consent).where(Consent.id == consent_id)
    return session.scalar(dialect.locked(query, Consent) if lock else query)


def newest_first(session: Session) -> list[Consent]:
    """The user's consents."""
    return list(session.scalars(select(Consent).order_by(Consent.created.desc())))


def add(session: Session, consent: Consent) -> None:
    """A new consent, with its first evidence."""
    session.add(consent)
    session.flush()
    _witness(session, consent, "person")


def tell(session: Session, user: uuid.UUID, consent: Consent, status: str, source: str) -> None:
    """Take over a status that the bank, the person or the law gave; of a change evidence is kept, and others told."""
    consent.checked = clock.now()
    after = domain.advance(consent.status, status)
    if after != consent.status:
        consent.status = after
        if after == "valid":
            consent.authorised = now(session)
        _witness(session, consent, source)
        events.changed(session, user, consent)


def evidence(session: Session, consent: Consent) -> list[Evidence]:
    """What happened to a consent, oldest first."""
    return list(session.scalars(select(Evidence).where(Evidence.consent_id == consent.id).order_by(Evidence.at)))


def _witness(session: Session, consent: Consent, source: str) -> None:
    session.add(Evidence(consent_id=consent.id, at=clock.now(), status=consent.status, source=source))
