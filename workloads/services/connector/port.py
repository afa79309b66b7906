"""The port to a bank, whatever its standard: a consent and its authorisation step by step, then reads."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field

from workloads.services.connector.parse import Balance, BankAccount, Entry
from workloads.services.connector.profile import Profile

StepKind = Literal["redirect", "oauth", "decoupled", "password", "method", "otp", "done", "failed"]


class ScaMethod(BaseModel):
    """A way to authenticate that the bank offers this person (authenticationObject)."""

    id: str = Field(examples=["pushtan"])
    type: str | None = Field(default=None, description="authenticationType", examples=["PUSH_OTP"])
    name: str | None = Field(default=None, examples=["App on Anna's phone"])
    explanation: str | None = None


class Challenge(BaseModel):
    """What the person needs to find the one-time password (challengeData)."""

    data: list[str] = []
    image: str | None = Field(default=None, description="PNG in base64")
    image_link: str | None = None
    otp_max_length: int | None = Field(default=None, examples=[6])
    otp_format: Literal["characters", "integer"] | None = None
    explanation: str | None = Field(default=None, description="must be shown to the person")


class Step(BaseModel):
    """What the person has to do next.

    kind: redirect and oauth go to the bank's page (oauth comes back with a code), decoupled waits for the person's
    other device, password, method and otp are asked by us; done and failed are final.
    """

    kind: StepKind
    sca_status: str | None = Field(default=None, description="scaStatus", examples=["psuAuthenticated"])
    redirect: str | None = None
    message: str | None = Field(default=None, description="psuMessage: the bank's word to the person")
    methods: list[ScaMethod] = []
    challenge: Challenge | None = None


class Progress(BaseModel):
    """How far an authorisation has come; kept sealed between two requests.

    consent_id: the bank's; None before it was asked for. links: the bank's, by name. accounts: the references to ask
    with, while the consent is still to be asked for. state, verifier, nonce: of the authorization request (RFC 6749,
    7636, OpenID Connect).
    server: authorization and token endpoint. polls, polled: questions to the bank so far, and when the last was.
    """

    step: Step
    consent_id: str | None = None
    status: str = "received"
    authorisation_id: str | None = None
    psu_corporate_id: str | None = None
    links: dict[str, str] = {}
    accounts: list[dict[str, str]] = []
    state: str | None = None
    verifier: str | None = None
    nonce: str | None = None
    server: tuple[str, str] | None = None
    polls: int = 0
    polled: datetime.datetime | None = None
    since: datetime.datetime | None = None


@dataclass(frozen=True)
class Tokens:
    """What an authorization server gave. refresh: None where it gives none. expires: None where it does not say."""

    access: str
    refresh: str | None
    expires: datetime.datetime | None


@dataclass(frozen=True)
class History:
    """All pages of an account's transactions. covers_pending: whether the bank told its pending entries.

    complete: whether it told every booked one of the period, as far as its word can be relied on.
    """

    entries: list[Entry]
    unreadable: int
    covers_pending: bool
    complete: bool
    pages: int


class Ledger(Protocol):
    """Where every request to a bank is written down, before it is sent and after."""

    def begin(self, operation: str, request_id: str, page: int) -> None:
        """A request is about to be sent. Raises Problem 429 when the quota does not allow it."""
        ...

    def end(self, request_id: str, status: int | None) -> None:
        """It was answered with this HTTP status; None: it was not answered."""
        ...


class Token(Protocol):
    """A user's access token."""

    @property
    def value(self) -> str | None:
        """The token, renewed when it is over; None where there is none."""
        ...

    def renew(self, refused: str) -> str | None:
        """Another one in the place of one that the bank refused; None where none can be had."""
        ...


@dataclass(frozen=True, kw_only=True)
class Context:
    """For whom a bank is asked, and under what. values: of the profile's variables.

    psu_address: the person's address, present iff that person asked for this. page: of one access, from 0.
    token: the user's, where the bank wants one and it is there.
    """

    values: Mapping[str, str | None]
    psu_address: str | None
    ledger: Ledger
    page: int = 0
    token: Token | None = None


class Bank(Protocol):
    """One bank. Every method raises BankFailure when the bank refuses, fails or can't be understood."""

    profile: Profile

    @property
    def today(self) -> datetime.date:
        """The date by the bank's own clock: it may not be ours."""
        ...

    def start(self, context: Context, accounts: list[dict[str, str]]) -> Progress:
        """Ask for a consent. accounts: iban and currency of those to be read, where the profile wants them listed."""
        ...

    def authenticate(self, context: Context, progress: Progress, password: str) -> Progress:
        """Send the person's password."""
        ...

    def select_method(self, context: Context, progress: Progress, method: str) -> Progress:
        """Choose how the person authenticates."""
        ...

    def send_otp(self, context: Context, progress: Progress, otp: str) -> Progress:
        """Send the one-time password."""
        ...

    def accept_code(
        self, context: Context, progress: Progress, code: str, id_token: str | None = None
    ) -> tuple[Progress, Tokens | None]:
        """Take what the person came back from the bank with: a code that becomes tokens, or that confirms.

        id_token: came back beside it, where the profile asks for the hybrid flow.
        """
        ...

    def poll(self, context: Context, progress: Progress) -> Progress:
        """Ask where the authorisation stands."""
        ...

    def refresh(self, context: Context, progress: Progress, refresh_token: str) -> Tokens:
        """New tokens for an old one's refresh token."""
        ...

    def consent_status(self, context: Context) -> str:
        """Where the consent stands now, in XS2A's words (consentStatus)."""
        ...

    def valid_until(self, context: Context) -> datetime.date | None:
        """The last day on which a consent is valid, as the bank has set it; None where it tells none."""
        ...

    def delete_consent(self, context: Context) -> None:
        """End the consent; one that the bank no longer knows counts as ended."""
        ...

    def accounts(self, context: Context) -> list[BankAccount]:
        """The accounts that the consent grants."""
        ...

    def balances(self, context: Context) -> list[Balance]:
        """An account's balances."""
        ...

    def history(self, context: Context) -> History:
        """An account's transactions of the asked period, all pages: if one fails, none of them counts."""
        ...

    def close(self) -> Any:
        """Close its connections."""
        ...
