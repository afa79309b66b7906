"""What the user service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workloads.services.user import domain, names
from workloads.services.user.models import Profile


def _known(name: str) -> str:
    if not domain.is_zone(name):
        raise ValueError("no such time zone of the IANA database, e.g. Europe/Berlin")
    return name


def _nameable(name: str) -> str:
    if fault := names.fault(name):
        raise ValueError(fault)
    return name


Language = Literal["en", "de", "sv", "fr"]


class ProfileChange(BaseModel):
    """What changes; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    language: Language = Field(default="en", examples=["de"])
    timezone: Annotated[str, Field(max_length=40, examples=["Europe/Berlin"]), AfterValidator(_known)] = "Europe/Berlin"
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$", examples=["EUR"])


class NameForm(BaseModel):
    """How the person is called from now on."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[
        str, Field(min_length=1, max_length=names.LONGEST, examples=["Anna Berg"]), AfterValidator(_nameable)
    ]


class NameView(BaseModel):
    """How the person is called."""

    name: str | None = Field(
        description="null where none is given, or by an identity provider that this platform does not administer",
        examples=["Anna Berg"],
    )


class ProfileView(BaseModel):
    """A person, as far as this platform needs to know."""

    id: uuid.UUID = Field(description="pseudonym: the same for the same person at the same identity provider")
    registered: datetime.datetime
    language: Language
    timezone: str = Field(examples=["Europe/Berlin"])
    currency: str = Field(examples=["EUR"])

    @classmethod
    def of(cls, row: Profile) -> ProfileView:
        """As it stands."""
        language: Any = row.language
        return cls(
            id=row.user_id, registered=row.registered, language=language, timezone=row.timezone, currency=row.currency
        )  # fmt: skip
