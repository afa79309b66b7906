"""A bank's profile: how it wants to be asked, as data. The schema of ``workloads/banks/*.yaml``; see docs/banks.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator, model_validator

VARIABLES = frozenset(
    {"request_id", "http_date", "iso_datetime", "consent_id", "authorisation_id", "account_id"}
    | {"psu_id", "psu_id_type", "psu_corporate_id", "redirect_uri", "nok_redirect_uri"}
    | {"date_from", "date_to", "booking_status"}
)
"""What ``{…}`` may stand for in a path, header or query parameter. One without a value leaves its item out."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_FORBIDDEN = frozenset({"psu-ip-address", "host", "content-length", "connection", "transfer-encoding", "cookie"})
"""Headers a profile may not set: PSU-IP-Address tells whether a person asked, which only the call knows."""


class ProfileError(ValueError):
    """A profile that is not valid; the message names file, property and what is allowed."""


def _template(value: str) -> str:
    unknown = set(_PLACEHOLDER.findall(value)) - VARIABLES
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is no variable; allowed: {', '.join(sorted(VARIABLES))}")
    if any(ord(each) < 32 for each in value):
        raise ValueError("a line break or other control character is not allowed")
    return value


def _header(name: str) -> str:
    if not _TOKEN.match(name) or name.lower() in _FORBIDDEN:
        raise ValueError(f"{name!r} can't be set by a profile")
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Operation(_Strict):
    """How one operation is asked for. Each property replaces the standard's form; headers are added to it.

    query: name and value in the order in which they are sent. omit_headers: standard headers left out.
    """

    path: str | None = None
    query: tuple[tuple[str, str], ...] | None = None
    headers: dict[str, str] = {}
    omit_headers: frozenset[str] = frozenset()

    @field_validator("path")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError("a path starts with /")
        return None if value is None else _template(value)

    @field_validator("query")
    @classmethod
    def _query(cls, value: tuple[tuple[str, str], ...] | None) -> tuple[tuple[str, str], ...] | None:
        for name, each in value or ():
            _template(name), _template(each)
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        return {_header(name): _template(each) for name, each in value.items()}

    @field_validator("omit_headers")
    @classmethod
    def _omitted(cls, value: frozenset[str]) -> frozenset[str]:
        return frozenset(each.lower() for each in value)


STANDARD: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "create_consent": ("POST", "/v1/consents", ()),
    "start_authorisation": ("POST", "/v1/consents/{consent_id}/authorisations", ()),
    "read_consent": ("GET", "/v1/consents/{consent_id}", ()),
    "consent_status": ("GET", "/v1/consents/{consent_id}/status", ()),
    "sca_status": ("GET", "/v1/consents/{consent_id}/authorisations/{authorisation_id}", ()),
    "delete_consent": ("DELETE", "/v1/consents/{consent_id}", ()),
    "accounts": ("GET", "/v1/accounts", ()),
    "balances": ("GET", "/v1/accounts/{account_id}/balances", ()),
    "transactions": (
        "GET",
        "/v1/accounts/{account_id}/transactions",
        (("dateFrom", "{date_from}"), ("dateTo", "{date_to}"), ("bookingStatus", "{booking_status}")),
    ),
}
"""Method, path and query of each operation in XS2A 1.3."""


class Psu(_Strict):
    """What the bank wants to know of its customer beforehand. id_type, corporate_id_type: fixed header values."""

    id: Literal["never", "optional", "required"] = "optional"
    id_type: str | None = None
    corporate_id: Literal["never", "optional", "required"] = "never"
    corporate_id_type: str | None = None


class ConsentForm(_Strict):
    """How a consent is asked for.

    access: accounts lists them (IBANs known beforehand), bankOffered sends empty lists (chosen at the bank), the
    others name everything. scopes: which lists are sent. reference: members of an account's entry.
    everything: the value of allPsd2 and availableAccounts…. valid_days: None asks for the bank's maximum, 9999-12-31.
    body: members added to, or replacing those of, the request.
    """

    access: Literal["accounts", "bankOffered", "allPsd2", "availableAccounts", "availableAccountsWithBalance"] = (
        "bankOffered"
    )
    scopes: tuple[Literal["accounts", "balances", "transactions"], ...] = ("accounts", "balances", "transactions")
    reference: tuple[Literal["iban", "currency"], ...] = ("iban",)
    everything: Literal["allAccounts", "allAccountsWithOwnerName"] = "allAccounts"
    recurring: bool = True
    frequency: Annotated[int, Field(ge=1, le=24)] = 4
    valid_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    body: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_off_once(self) -> Self:
        if not self.recurring and self.frequency != 1:
            raise ValueError("a one-off consent (recurring: false) has frequency 1")
        return self


class Sca(_Strict):
    """How the customer authorises. start: explicit always asks for an authorisation resource after the consent.

    prefer_redirect: sends TPP-Redirect-Preferred. start_body: body of that request, null for none.
    """

    approach: Literal["redirect"] = "redirect"
    start: Literal["implicit", "explicit"] = "implicit"
    prefer_redirect: bool = True
    start_body: dict[str, Any] | None = {}


class Transactions(_Strict):
    """How transactions are read. booking_statuses: one request each. history_days: how far back the bank answers.

    amounts: signed, or by_party: unsigned, negative when only a creditor is named.
    """

    booking_statuses: tuple[Literal["booked", "pending", "both", "information", "all"], ...] = ("booked",)
    history_days: Annotated[int, Field(ge=1, le=7300)] = 730
    amounts: Literal["signed", "by_party"] = "signed"
    max_pages: Annotated[int, Field(ge=1, le=1000)] = 200


class Balances(_Strict):
    """Where balances are read: own endpoint, from the account list (withBalance), or nowhere."""

    source: Literal["endpoint", "accounts", "none"] = "endpoint"


class Quota(_Strict):
    """Unattended accesses in a rolling day, per account and operation; whether each further page counts as one."""

    per_day: Annotated[int, Field(ge=1, le=100)] = 4
    pages_count: bool = False


class Profile(_Strict):
    """A bank. id: also the file's stem. base_url: of its API, without the version segment."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9-]{1,40}$")
    name: str
    countries: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...]
    jurisdiction: Literal["EU", "UK"]
    standard: Literal["berlin-group-1.3"] = "berlin-group-1.3"
    base_url: HttpUrl
    accept: str = "application/json"
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    psu: Psu = Psu()
    consent: ConsentForm = ConsentForm()
    sca: Sca = Sca()
    balances: Balances = Balances()
    transactions: Transactions = Transactions()
    quota: Quota = Quota()
    link_roots: tuple[str, ...] = ()
    """Paths, besides that of base_url, that stand for the API's root in the bank's links, e.g. "/gateway/xs2a"."""
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 30
    operations: dict[str, Operation] = {}

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        return {_header(name): _template(each) for name, each in value.items()}

    @field_validator("operations")
    @classmethod
    def _operations(cls, value: dict[str, Operation]) -> dict[str, Operation]:
        if unknown := set(value) - set(STANDARD):
            raise ValueError(f"{', '.join(sorted(unknown))} is no operation; allowed: {', '.join(STANDARD)}")
        return value

    def operation(self, name: str) -> Operation:
        """An operation as this bank wants it."""
        return self.operations.get(name, Operation())

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
