"""What the document service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid

from pydantic import BaseModel, ConfigDict, Field

from workloads.services.document.models import Document


class DocumentView(BaseModel):
    """What is known of a document."""

    id: uuid.UUID
    name: str = Field(examples=["Supermarkt.pdf"])
    kind: str = Field(description="media type", examples=["application/pdf"])
    size: int = Field(description="in bytes", examples=[48213])
    sha256: str = Field(description="of its content", examples=["0" * 64])
    uploaded: datetime.datetime
    transaction_id: uuid.UUID | None = Field(description="which transaction it belongs to")

    @classmethod
    def of(cls, row: Document, details: dict[str, str]) -> DocumentView:
        """As it stands."""
        return cls(
            id=row.id, name=details["name"], kind=row.kind, size=row.size, sha256=details["sha256"],
            uploaded=row.uploaded, transaction_id=row.transaction_id,
        )  # fmt: skip


class DocumentList(BaseModel):
    """Documents, newest first."""

    documents: list[DocumentView]


class Attachment(BaseModel):
    """Which transaction a document belongs to."""

    model_config = ConfigDict(extra="forbid")
    transaction_id: uuid.UUID


class MatchView(BaseModel):
    """A transaction that a receipt may belong to."""

    transaction_id: uuid.UUID
    date: datetime.date
    minor: int = Field(description="signed minor units", examples=[-480])
    currency: str = Field(examples=["EUR"])
    counterparty: str | None = Field(examples=["Backhaus Sommer"])


class MatchList(BaseModel):
    """Transactions that a receipt may belong to, the nearest in time first."""

    matches: list[MatchView]
