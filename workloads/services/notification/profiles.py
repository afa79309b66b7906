"""What the user service says of how a person is spoken to, kept beside their preferences."""

from __future__ import annotations

import uuid
import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import dialect
from workloads.services.notification.models import Profile


def _known(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("no such time zone of the IANA database, e.g. Europe/Berlin")
    return name


Zone = Annotated[str, Field(max_length=40), AfterValidator(_known)]
"""Name of a time zone of the IANA database."""


class Told(BaseModel):
    """A profile as ``profile.changed`` tells it. version: the highest is the newest."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    version: int = Field(gt=0, lt=2**63)
    language: str = Field(pattern="^[a-z]{2}$")
    timezone: Zone


def keep(session: Session, user: uuid.UUID, told: Told) -> None:
    """Keep a profile, unless what is kept is newer: events come more than once and in any order."""
    if dialect.insert_new(session, Profile, {"user_id": user, **told.model_dump()}, key=["user_id"]):
        return
    row = session.scalars(dialect.locked(select(Profile), Profile)).one()
    if row.version < told.version:
        row.version, row.language, row.timezone = told.version, told.language, told.timezone
