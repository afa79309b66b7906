"""A bank's profile: how it wants to be asked, as data. The schema of ``workloads/banks/*.yaml``; see docs/banks.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import Field, HttpUrl, ValidationError, field_validator, model_validator

from workloads.services.connector.sections.base import Headers, Section
from workloads.services.connector.sections.consent import ConsentForm, Psu
from workloads.services.connector.sections.oauth import OAuth
from workloads.services.connector.sections.operation import BY_STANDARD, STANDARD, Operation
from workloads.services.connector.sections.reading import Answers, Balances, Errors, Quota, Transactions
from workloads.services.connector.sections.sca import Sca
from workloads.services.connector.sections.security import Signature
from workloads.services.connector.sections.uk import UkConsent


class ProfileError(ValueError):
    """A profile that is not valid; the message names file, property and what is allowed."""


class Profile(Section):
    """A bank."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9-]{1,40}$", description="also the file's stem")
    name: str = Field(description="as people know it")
    countries: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(description="ISO 3166 codes")
    bic: Annotated[str, Field(pattern="^[A-Z]{6}[A-Z0-9]{2}$")] | None = Field(
        default=None, description="ISO 9362, of the head office; people find the bank by any branch's"
    )
    jurisdiction: Literal["EU", "UK"] = Field(
        description="whose law counts: EU, SCA again after 180 days; UK, confirmation after 90"
    )
    standard: Literal["berlin-group-1.3", "uk-open-banking-3.1", "uk-open-banking-4.0"] = Field(
        default="berlin-group-1.3", description="what the bank speaks"
    )
    base_url: HttpUrl = Field(description="of its API, without the version segment; BANK_URLS replaces it")
    accept: str = Field(default="application/json", description="the Accept header, verbatim")
    content_type: str = Field(default="application/json", description="the Content-Type of bodies, verbatim")
    headers: Headers = Field(default={}, description="added to every request; templates")
    psu: Psu = Field(default=Psu(), description="the bank's customer")
    consent: ConsentForm = Field(default=ConsentForm(), description="the consent")
    uk: UkConsent = Field(default=UkConsent(), description="the consent, with UK Open Banking")
    sca: Sca = Field(default=Sca(), description="its authorisation")
    oauth: OAuth | None = Field(default=None, description="tokens; absent: the bank wants none")
    balances: Balances = Field(default=Balances(), description="balances")
    transactions: Transactions = Field(default=Transactions(), description="transactions")
    answers: Answers = Field(default=Answers(), description="the form of answers")
    errors: Errors = Field(default=Errors(), description="the form of errors")
    quota: Quota = Field(default=Quota(), description="unattended accesses")
    signature: Signature = Field(default=Signature(), description="signed requests")
    link_roots: tuple[str, ...] = Field(
        default=(),
        description='paths, besides that of base_url, that stand for the API\'s root in links, e.g. "/gateway/xs2a"',
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = Field(
        default=30, description="silence after which the bank has failed"
    )
    operations: dict[str, Operation] = Field(default={}, description="how single operations are asked for")

    @field_validator("operations")
    @classmethod
    def _operations(cls, value: dict[str, Operation]) -> dict[str, Operation]:
        if unknown := set(value) - set(STANDARD):
            raise ValueError(f"{', '.join(sorted(unknown))} is no operation; allowed: {', '.join(STANDARD)}")
        return value

    @model_validator(mode="after")
    def _tokens(self) -> Self:
        if self.oauth is None and (self.sca.approach == "oauth" or self.consent.access == "none"):
            raise ValueError("sca.approach oauth and consent.access none want an oauth section")
        if self.standard != "berlin-group-1.3" and self.oauth is None:
            raise ValueError(f"{self.standard} wants an oauth section")
        if self.consent.access == "none" and self.oauth and self.oauth.flow != "pre_step":
            raise ValueError("consent.access none wants oauth.flow pre_step: there is nothing to integrate it with")
        return self

    def operation(self, name: str) -> Operation:
        """An operation as this bank wants it."""
        return self.operations.get(name, Operation())

    def asked(self, name: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """Method, path and query of an operation in the bank's standard. Raises KeyError for one it does not have."""
        return BY_STANDARD[self.standard][name]

    @property
    def root(self) -> str:
        """The path of base_url."""
        return urlsplit(str(self.base_url)).path.rstrip("/")


FOLDER = Path(__file__).resolve().parents[2] / "banks"


def load(path: Path) -> Profile:
    """A profile from its file. Raises ProfileError."""
    try:
        profile = Profile.model_validate(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError) as error:
        raise ProfileError(f"{path.name}: {error}") from None
    if profile.id != path.stem:
        raise ProfileError(f"{path.name}: id is {profile.id!r}; the file must be called {profile.id}.yaml")
    return profile


def load_all(folder: Path = FOLDER) -> dict[str, Profile]:
    """Every bank by id. Raises ProfileError."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}
