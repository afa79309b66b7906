"""Loads and keeps the session user's profile."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.chassis.events import outbox
from workloads.services.user import domain
from workloads.services.user.models import Profile

SERVICE = "user"


def profile(session: Session, user: uuid.UUID) -> Profile:
    """The person's profile; who asks for the first time is registered by it, once."""
    row = {"user_id": user, "registered": clock.now(), "version": 0, **domain.DEFAULTS}
    if dialect.insert_new(session, Profile, row, key=["user_id"]):
        outbox.write(session, SERVICE, "user.registered", user, {})
    found = session.scalars(select(Profile)).one()
    return found if found.version else _told(session, _locked(session))


def change(session: Session, user: uuid.UUID, values: dict[str, Any]) -> Profile:
    """Take over what the person says; what is left out stays."""
    profile(session, user)
    row = _locked(session)
    before = _for_others(row)
    for name, value in values.items():
        setattr(row, name, value)
    return row if _for_others(row) == before else _told(session, row)


def _locked(session: Session) -> Profile:
    """The profile as it is now, until the transaction ends: what is told of it has its order."""
    query = dialect.locked(select(Profile), Profile).execution_options(populate_existing=True)
    return session.scalars(query).one()


def _for_others(row: Profile) -> dict[str, str]:
    return {"language": row.language, "timezone": row.timezone}


def _told(session: Session, row: Profile) -> Profile:
    """The profile, of which others are told. Versions are times: they rise after a backup was restored, too."""
    row.version = max(row.version + 1, time.time_ns() // 1000)
    outbox.write(session, SERVICE, "profile.changed", row.user_id, {"version": row.version, **_for_others(row)})
    return row
