"""What the privacy service answers."""

from __future__ import annotations

import datetime
import uuid

from pydantic import BaseModel, Field

from workloads.services.privacy.models import Erasure, Reply


class ReplyView(BaseModel):
    """What a service erased."""

    service: str = Field(examples=["transaction"])
    round: int = Field(description="every service erases twice: things may still have been on their way", examples=[1])
    rows: int = Field(examples=[796])
    elsewhere: int = Field(
        description="outside its database: consents at banks, files, devices, the account to sign in with", examples=[2]
    )
    at: datetime.datetime


class DueErasure(BaseModel):
    """An erasure that a service must have applied. answered: whether it has said so, of the last round."""

    id: uuid.UUID
    subject: uuid.UUID = Field(description="pseudonym of the person")
    round: int = Field(examples=[2])
    answered: bool


class DueErasures(BaseModel):
    """A page: what the calling service has not answered, then what it answered, the latest first."""

    erasures: list[DueErasure]
    before: datetime.datetime | None = Field(description="ask for the next page with it; null on the last one")


class Receipt(BaseModel):
    """An erasure, and what was erased."""

    id: uuid.UUID
    requested: datetime.datetime
    completed: datetime.datetime | None = Field(description="null while services still have to answer")
    replies: list[ReplyView]

    @classmethod
    def of(cls, erasure: Erasure, replies: list[Reply]) -> Receipt:
        """As it stands."""
        told = [
            ReplyView(service=each.service, round=each.round, rows=each.rows, elsewhere=each.elsewhere, at=each.at)
            for each in replies
        ]
        return cls(id=erasure.id, requested=erasure.requested, completed=erasure.completed, replies=told)
