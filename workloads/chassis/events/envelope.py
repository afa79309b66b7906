"""The envelope of an event: CloudEvents 1.0 in structured JSON mode (cloudevents.io, spec v1.0.2, JSON format)."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from workloads.chassis import clock, correlation, ids

CONTENT_TYPE = "application/cloudevents+json"
NOBODY = "-"
"""Partition key of an event about no user."""


class Malformed(ValueError):
    """What came is no event of this form; the message names the attributes, never their values."""


class Event(BaseModel):
    """An event.

    id, source: together unique; source is the publishing service. subject: pseudonym of the user it is about.
    partitionkey: events of one key are handled in the order they were written (CloudEvents' partitioning extension).
    traceparent: the trace that it belongs to (CloudEvents' distributed tracing extension). data: ids, amounts and
    dates; never a name, an account number or a token.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: uuid.UUID
    source: str = Field(pattern="^/services/[a-z-]{1,40}$", examples=["/services/transaction"])
    type: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=60, examples=["transactions.imported"])
    subject: str | None = Field(default=None, max_length=40)
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    partitionkey: str = Field(default=NOBODY, max_length=40)
    traceparent: str | None = Field(default=None, max_length=60)
    data: dict[str, Any]

    @classmethod
    def new(cls, service: str, type_: str, user: uuid.UUID | None, data: dict[str, Any]) -> Self:
        """An event that happens now. user: whom it is about, None for nobody."""
        return cls(
            id=ids.new_id(), source=f"/services/{service}", type=type_, subject=str(user) if user else None,
            time=clock.now(), partitionkey=str(user) if user else NOBODY, data=data,
            traceparent=correlation.outgoing().get("traceparent"),
        )  # fmt: skip

    @property
    def user(self) -> uuid.UUID | None:
        """Whom it is about. Raises Malformed when the subject is no pseudonym of ours."""
        try:
            return uuid.UUID(self.subject) if self.subject else None
        except ValueError:
            raise Malformed(f"event {self.id}: its subject is no UUID") from None

    @property
    def age(self) -> datetime.timedelta:
        """Time since it was written."""
        return clock.now() - self.time

    def encode(self) -> str:
        """As JSON text. Attributes without a value are left out, as the JSON format asks."""
        return self.model_dump_json(exclude_none=True)

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """From JSON text. Raises Malformed."""
        try:
            return cls.model_validate(json.loads(text))
        except ValidationError as error:
            wrong = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
            raise Malformed(f"not a CloudEvent of this platform: {', '.join(wrong)}") from None
        except (ValueError, RecursionError):
            raise Malformed("not JSON") from None
