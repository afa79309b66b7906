"""Loads and keeps the session user's profile."""

from __future__ import annotations

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
    row = {"user_id": user, "registered": clock.now(), **domain.DEFAULTS}
    if dialect.insert_new(session, Profile, row, key=["user_id"]):
        outbox.write(session, SERVICE, "user.registered", user, {})
    return session.scalars(select(Profile)).one()


def change(session: Session, user: uuid.UUID, values: dict[str, Any]) -> Profile:
    """Take over what the person says; what is left out stays."""
    row = profile(session, user)
    for name, value in values.items():
        setattr(row, name, value)
    return row
