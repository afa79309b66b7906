"""What the consent service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloads.services.consent import domain
from workloads.services.consent.models import Consent, Evidence

ReturnAddress = Annotated[
    str,
    Field(
        pattern=r"^(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3})(:\d+)?)([/?][^\s#]*)?$",
        max_length=1500,
        description="where the bank sends the person back to: https, or http on loopback",
        examples=["https://app.example/consents/return"],
    ),
]


class AccountReference(BaseModel):
    """An account that a bank wants named beforehand."""

    model_config = ConfigDict(extra="forbid")
    iban: str = Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$", examples=["DE89370400440532013000"])
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$", examples=["EUR"])


class ConsentRequest(BaseModel):
    """Connect a bank."""

    model_config = ConfigDict(extra="forbid")
    bank: str = Field(pattern="^[a-z0-9][a-z0-9-]{1,40}$", examples=["aurora"])
    return_address: ReturnAddress
    psu_id: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$", examples=["anna"],
        description="the person's name at the bank, where the bank wants it beforehand; it is not kept here",
    )  # fmt: skip
    accounts: list[AccountReference] = Field(default=[], max_length=20)


class ConsentView(BaseModel):
    """A consent."""

    id: uuid.UUID
    bank: str = Field(examples=["aurora"])
    status: Literal[
        "received", "partiallyAuthorised", "valid", "rejected", "revokedByPsu", "expired", "terminatedByTpp"
    ]
    created: datetime.datetime
    authorised: datetime.datetime | None
    act_by: datetime.datetime | None = Field(description="when the person must authorise or confirm again")
    bank_consent_id: uuid.UUID = Field(description="the connector's name for it")

    @classmethod
    def of(cls, consent: Consent, now: datetime.datetime) -> ConsentView:
        """As it stands now."""
        law: Any = consent.jurisdiction
        status: Any = domain.today_status(consent.status, consent.authorised, law, now)
        until = domain.act_by(consent.authorised, law) if consent.authorised else None
        return cls(
            id=consent.id, bank=consent.bank, status=status, created=consent.created, authorised=consent.authorised,
            act_by=until, bank_consent_id=consent.bank_consent_id,
        )  # fmt: skip


class StartedConsent(ConsentView):
    """A consent that waits for the person: send their browser to authorise_at."""

    authorise_at: str = Field(examples=["https://bank.example/authorise/5f0c"])


class ConsentList(BaseModel):
    """Consents, newest first."""

    consents: list[ConsentView]


class EvidenceView(BaseModel):
    """A change of status, and on whose word."""

    at: datetime.datetime
    status: str = Field(examples=["valid"])
    source: Literal["bank", "person", "law"]

    @classmethod
    def of(cls, evidence: Evidence) -> EvidenceView:
        """As it was kept."""
        source: Any = evidence.source
        return cls(at=evidence.at, status=evidence.status, source=source)


class EvidenceList(BaseModel):
    """What happened to a consent, oldest first."""

    evidence: list[EvidenceView]
