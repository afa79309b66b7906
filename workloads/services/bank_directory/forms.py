"""What the bank directory answers."""

from __future__ import annotations

import datetime
from typing import Any

from pydantic import BaseModel, Field

from workloads.services.bank_directory import domain
from workloads.services.bank_directory.domain import Health


class BankView(BaseModel):
    """A bank that can be connected, what it wants to know beforehand, and how it does."""

    id: str = Field(examples=["aurora"])
    name: str = Field(examples=["Aurora Bank"])
    countries: list[str] = Field(description="ISO 3166", examples=[["DE"]])
    bic: str | None = Field(description="ISO 9362, of its head office", examples=["DEUTDEFF"])
    jurisdiction: str = Field(description="whose law says when to confirm again", examples=["EU"])
    sca_approach: str = Field(description="how the person authorises", examples=["redirect"])
    psu_id: str = Field(
        description="whether it wants its customer's name: never, optional, required", examples=["never"]
    )
    accounts_required: bool = Field(description="whether IBANs must be listed when asking for a consent")
    health: Health = Field(description="unknown: not called for a day; failing: its last three calls failed")
    called: datetime.datetime | None = Field(description="when the platform last called it; to the minute")

    @classmethod
    def of(cls, told: dict[str, Any], now: datetime.datetime) -> BankView:
        """As the connector tells it."""
        called = datetime.datetime.fromisoformat(told["called"]) if told["called"] else None
        return cls.model_validate({**told, "health": domain.health(told["failures"], called, now)})
