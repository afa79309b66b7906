"""What a person hands in so that a bank grants a consent: taken by the consent service, passed on to the connector."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

RETURN_ADDRESS = r"^(https://[^\s/?#@]+|http://(localhost|127(\.\d{1,3}){3})(:\d+)?)([/?][^\s#]*)?$"
"""Where a bank sends the person back to: https, or http on loopback."""


class AccountReference(BaseModel):
    """An account that a bank wants named beforehand."""

    model_config = ConfigDict(extra="forbid")
    iban: str = Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$", examples=["DE89370400440532013000"])
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$", examples=["EUR"])


class PsuPassword(BaseModel):
    """The person's password at the bank: passed on, never kept."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    password: str = Field(min_length=1, max_length=200, repr=False)


class ScaMethodChoice(BaseModel):
    """How the person wants to authenticate: the id of an offered method."""

    model_config = ConfigDict(extra="forbid")
    method: str = Field(min_length=1, max_length=100, examples=["pushtan"])


class OneTimePassword(BaseModel):
    """The one-time password: passed on, never kept."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    otp: str = Field(min_length=1, max_length=100, repr=False)


class AuthorisationCode(BaseModel):
    """``code``, ``state`` and ``id_token`` as they stand in the address that the bank sent the person back to: in its
    query, or in its fragment where the bank speaks OpenID Connect's hybrid flow.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    code: str = Field(min_length=1, max_length=4000, repr=False)
    state: str | None = Field(default=None, max_length=500, repr=False)
    id_token: str | None = Field(
        default=None, max_length=20_000, repr=False, description="where the bank sent one beside the code"
    )
