"""What the consent service publishes, and what falls due: warnings a week ahead, and the end."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, tasks
from workloads.chassis.events import outbox
from workloads.services.consent import domain
from workloads.services.consent.models import Consent

SERVICE = "consent"
WARN, END, POLL = "warn", "end", "poll"
"""Kinds of tasks: warn that a consent ends, end it, and ask whether the person has decided on another device."""
LONGEST_PAUSE = 30
"""Seconds between two questions, where the connector names no time."""


def changed(session: Session, user: uuid.UUID, consent: Consent) -> None:
    """A consent's status changed: tell of it, and plan what falls due."""
    about = {"consent_id": str(consent.id), "bank": consent.bank}
    if consent.status == "valid" and consent.authorised:
        until = act_by(consent)
        type_ = "consent.renewed" if _had_one(session, consent) else "consent.authorised"
        outbox.write(session, SERVICE, type_, user, about | {"act_by": until.date().isoformat()})
        tasks.schedule(session, WARN, user, until - domain.WARNED, consent.id)
        tasks.schedule(session, END, user, until, consent.id)
        return
    if consent.status in domain.FINAL:
        for kind in (WARN, END):
            tasks.cancel(session, kind, user, consent.id)
    if consent.status == "expired":
        outbox.write(session, SERVICE, "consent.expired", user, about)
    elif consent.status in ("revokedByPsu", "terminatedByTpp"):
        outbox.write(session, SERVICE, "consent.revoked", user, about)


def poll(session: Session, user: uuid.UUID, consent_id: uuid.UUID, seconds: int | None) -> None:
    """Have the bank asked for the person's decision, though the app may be closed. seconds: until it is of use."""
    due = clock.now() + datetime.timedelta(seconds=seconds or LONGEST_PAUSE)
    tasks.schedule(session, POLL, user, due, consent_id)


def warn(session: Session, user: uuid.UUID, consent: Consent, *, reaches: bool) -> None:
    """Tell that a consent ends, unless a newer one reaches the bank already. reaches: accounts, by this one still."""
    if consent.status == "valid" and (reaches or not _has_newer(session, consent)):
        about = {"consent_id": str(consent.id), "bank": consent.bank, "act_by": act_by(consent).date().isoformat()}
        outbox.write(session, SERVICE, "consent.expiring", user, about)


def act_by(consent: Consent) -> datetime.datetime:
    """When the person must have acted again."""
    law: Any = consent.jurisdiction
    return domain.act_by(consent.authorised or clock.now(), law, consent.valid_until)


def ended_by(consent: Consent) -> str:
    """On whose word a consent's time is over: the bank's, where that is shorter than the law's."""
    law: Any = consent.jurisdiction
    longest = domain.act_by(consent.authorised or clock.now(), law)
    return "bank" if act_by(consent) < longest else "law"


def _had_one(session: Session, consent: Consent) -> bool:
    earlier = (Consent.bank == consent.bank, Consent.id != consent.id, Consent.authorised.is_not(None))
    return bool(session.scalar(select(func.count(Consent.bank)).where(*earlier)))


def _has_newer(session: Session, consent: Consent) -> bool:
    newer = (Consent.bank == consent.bank, Consent.status == "valid", Consent.created > consent.created)
    return bool(session.scalar(select(func.count(Consent.bank)).where(*newer)))
