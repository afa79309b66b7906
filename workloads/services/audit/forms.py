"""What the audit service answers."""

from __future__ import annotations

import datetime
import uuid

from pydantic import BaseModel, Field

from workloads.services.audit.models import Entry


class EntryView(BaseModel):
    """Something that happened to the person's data."""

    number: int = Field(examples=[1024])
    event_id: uuid.UUID
    at: datetime.datetime
    source: str = Field(examples=["/services/consent"])
    type: str = Field(examples=["consent.authorised"])
    about: str = Field(description="ids and dates, as JSON text", examples=['{"bank":"aurora"}'])
    digest: str = Field(description="SHA-256 over this entry and the digest before it", examples=["0" * 64])

    @classmethod
    def of(cls, row: Entry) -> EntryView:
        """As it was written."""
        return cls(
            number=row.number, event_id=row.event_id, at=row.at, source=row.source, type=row.type, about=row.about,
            digest=row.digest,
        )  # fmt: skip


class EntryList(BaseModel):
    """Entries, newest first; the next page is asked for with the last number."""

    entries: list[EntryView]
