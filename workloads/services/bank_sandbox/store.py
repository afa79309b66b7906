"""Loads and keeps the bank's rows."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.services.bank_sandbox import domain
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Access, Authorisation, Consent


def as_uuid(text: str) -> uuid.UUID | None:
    """The UUID, None when it is none: then nothing of that id exists."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def consent_in_path(session: Session, consent_id: str) -> Consent:
    """The consent of a path. Raises Refusal 403 CONSENT_UNKNOWN, as the guidelines want it for a path."""
    key = as_uuid(consent_id)
    found = session.get(Consent, key) if key else None
    if found is None:
        raise Refusal(403, "CONSENT_UNKNOWN", "There is no such consent.")
    return found


def consent_in_header(session: Session, consent_id: str) -> Consent:
    """The consent of the Consent-ID header. Raises Refusal 400 CONSENT_UNKNOWN."""
    key = as_uuid(consent_id)
    found = session.get(Consent, key) if key else None
    if found is None:
        raise Refusal(400, "CONSENT_UNKNOWN", "There is no such consent.")
    return found


def authorisation(session: Session, consent: Consent | None, authorisation_id: str) -> Authorisation:
    """An authorisation, locked. Raises Refusal 404 when there is none (of the consent, if one is given)."""
    key = as_uuid(authorisation_id)
    query = dialect.locked(select(Authorisation).where(Authorisation.id == key), Authorisation)
    found = session.scalar(query) if key else None
    if found is None or (consent is not None and found.consent_id != consent.id):
        raise Refusal(404, "RESOURCE_UNKNOWN", "There is no such authorisation.")
    return found


def authorisations(session: Session, consent: Consent) -> list[uuid.UUID]:
    """The ids of a consent's authorisations, oldest first."""
    query = select(Authorisation.id).where(Authorisation.consent_id == consent.id).order_by(Authorisation.created)
    return list(session.scalars(query))


def expire_former(session: Session, consent: Consent) -> None:
    """A new recurring consent ends the customer's former one (XS2A Implementation Guidelines, section 6.4.1.1)."""
    session.execute(
        update(Consent)
        .where(Consent.customer == consent.customer, Consent.recurring, Consent.status == "valid")
        .where(Consent.id != consent.id)
        .values(status="expired")
    )


def grant(session: Session, authorisation: Authorisation, consent: Consent, granted: dict[str, Any]) -> None:
    """The customer has approved: the consent is valid, and ends the former one."""
    authorisation.status, consent.status, consent.granted = "finalised", "valid", granted
    consent.customer, consent.last_action = authorisation.customer, clock.today()
    if consent.recurring:
        expire_former(session, consent)


def spend(session: Session, consent: Consent, uri: str, day: datetime.date) -> None:
    """Count one access. Raises Refusal 429 ACCESS_EXCEEDED when the day's are used up."""
    new = {"consent_id": consent.id, "uri": uri, "day": day, "used": 0}
    dialect.upsert(session, Access, [new], key=["consent_id", "uri", "day"])
    where = (Access.consent_id == consent.id, Access.uri == uri, Access.day == day)
    row = session.scalars(dialect.locked(select(Access).where(*where), Access)).one()
    if row.used >= consent.frequency:
        raise Refusal(429, "ACCESS_EXCEEDED", f"This was read {row.used} times today; the consent allows no more.")
    row.used += 1


def rules(consent: Consent) -> domain.Consent:
    """What the rules need to know of a consent."""
    return domain.Consent(
        consent.status, consent.valid_until, consent.frequency, consent.recurring, consent.granted or {}
    )
