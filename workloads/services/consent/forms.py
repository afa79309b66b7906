"""What the consent service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloads.chassis.authorisation_forms import RETURN_ADDRESS, AccountReference
from workloads.services.consent import domain
from workloads.services.consent.models import Consent, Evidence

ReturnAddress = Annotated[
    str,
    Field(
        pattern=RETURN_ADDRESS,
        max_length=1500,
        description="where the bank sends the person back to: https, or http on loopback",
        examples=["https://app.example/consents/return"],
    ),
]


class ConsentRequest(BaseModel):
    """Connect a bank."""

    model_config = ConfigDict(extra="forbid")
    bank: str = Field(pattern="^[a-z0-9][a-z0-9-]{1,40}$", examples=["aurora"])
    return_address: ReturnAddress
    psu_id: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$", examples=["anna"],
        description="the person's name at the bank, where the bank wants it beforehand; it is not kept here",
    )  # fmt: skip
    psu_corporate_id: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$", description="likewise, of the company"
    )
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
        status: Any = domain.today_status(consent.status, consent.authorised, law, now, consent.valid_until)
        until = domain.act_by(consent.authorised, law, consent.valid_until) if consent.authorised else None
        return cls(
            id=consent.id, bank=consent.bank, status=status, created=consent.created, authorised=consent.authorised,
            act_by=until, bank_consent_id=consent.bank_consent_id,
        )  # fmt: skip


class ScaMethod(BaseModel):
    """A way to authenticate that the bank offers this person."""

    id: str = Field(examples=["pushtan"])
    type: str | None = Field(default=None, examples=["PUSH_OTP"])
    name: str | None = Field(default=None, examples=["App on Anna's phone"])
    explanation: str | None = None


class Challenge(BaseModel):
    """What the person needs to find the one-time password. explanation: must be shown."""

    data: list[str] = []
    image: str | None = Field(default=None, description="PNG in base64")
    image_link: str | None = None
    otp_max_length: int | None = Field(default=None, examples=[6])
    otp_format: Literal["characters", "integer"] | None = None
    explanation: str | None = None


class Authorisation(BaseModel):
    """What the person has to do next so that the bank grants the consent."""

    step: Literal["redirect", "oauth", "decoupled", "password", "method", "otp", "done", "failed"] = Field(
        description="redirect: go to authorise_at; oauth: likewise, and hand in the code that comes back; decoupled: "
        "confirm on the device that message tells of; password, method, otp: asked here; done, failed: over"
    )
    authorise_at: str | None = Field(default=None, examples=["https://bank.example/authorise/5f0c"])
    message: str | None = Field(default=None, description="the bank's word to the person; must be shown")
    methods: list[ScaMethod] = []
    challenge: Challenge | None = None
    ask_again: int | None = Field(default=None, description="seconds until asking is of use", examples=[3])
    status: str = Field(description="the consent's status", examples=["received"])

    @classmethod
    def of(cls, told: dict[str, Any], status: str) -> Authorisation:
        """As the connector tells it."""
        named = {"step": told["kind"], "authorise_at": told["redirect"], "status": status}
        return cls.model_validate({name: each for name, each in told.items() if name in cls.model_fields} | named)


class StartedConsent(ConsentView):
    """A consent that waits for the person: authorisation says what to do; authorise_at is where the browser goes."""

    authorise_at: str | None = Field(examples=["https://bank.example/authorise/5f0c"])
    authorisation: Authorisation


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
