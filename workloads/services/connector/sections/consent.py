"""Consent: what the bank wants to know of its customer, and in which form it is asked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from workloads.services.connector.sections.base import Section


class Psu(Section):
    """What the bank wants to know of its customer beforehand."""

    id: Literal["never", "optional", "required"] = Field(
        default="optional", description="PSU-ID: `required` asks the person beforehand"
    )
    id_type: str | None = Field(default=None, description="PSU-ID-Type, a fixed value, sent with PSU-ID")
    corporate_id: Literal["never", "optional", "required"] = Field(default="never", description="PSU-Corporate-ID")
    corporate_id_type: str | None = Field(default=None, description="PSU-Corporate-ID-Type, a fixed value")


class ConsentForm(Section):
    """How a consent is asked for."""

    access: Literal[
        "accounts", "bankOffered", "allPsd2", "availableAccounts", "availableAccountsWithBalance", "none"
    ] = Field(
        default="bankOffered",
        description="`accounts` lists those that the person names; `bankOffered` sends empty lists, the person chooses "
        "at the bank; the `all…` and `available…` name everything; `none`: the bank has no consents, its token is one",
    )
    scopes: tuple[Literal["accounts", "balances", "transactions"], ...] = Field(
        default=("accounts", "balances", "transactions"), description="which lists are sent"
    )
    reference: tuple[Literal["iban", "currency"], ...] = Field(
        default=("iban",), description="members of a listed account"
    )
    everything: Literal["allAccounts", "allAccountsWithOwnerName"] = Field(
        default="allAccounts", description="value of `allPsd2` and the others that name everything"
    )
    recurring: bool = Field(default=True, description="a one-off consent (`false`) has frequency 1")
    frequency: Annotated[int, Field(ge=1, le=24)] = Field(default=4, description="frequencyPerDay")
    valid_days: Annotated[int, Field(ge=0, le=3650)] | None = Field(
        default=None, description="days from today; null asks for the bank's maximum, 9999-12-31"
    )
    body: dict[str, Any] = Field(default={}, description="members added to the request, or replacing its own")

    @model_validator(mode="after")
    def _one_off_once(self) -> Self:
        if not self.recurring and self.frequency != 1:
            raise ValueError("a one-off consent (recurring: false) has frequency 1")
        return self
