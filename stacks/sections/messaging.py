"""Messaging: sections of what moves events and notifications."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.sections.foundation import Addresses, Section


class Messaging(Section):
    """The Service Bus. capacity and replicated need Premium.

    capacity: messaging units. replicated: whether messages are copied to a second region under the same law.
    allowed_addresses: that Standard's public address lets in; with none, Entra alone decides. Events of uploads don't
    arrive then, as Event Grid comes from addresses of its own. Premium has a private endpoint only.
    """

    tier: Literal["Standard", "Premium"]
    capacity: Literal[1, 2, 4, 8, 16] | None
    replicated: bool
    allowed_addresses: list[Addresses]

    @model_validator(mode="after")
    def _premium(self) -> Self:
        if self.tier == "Premium" and self.capacity is None:
            raise ValueError("capacity: it is missing with tier Premium; allowed is 1, 2, 4, 8 or 16 units")
        if self.tier != "Premium" and self.capacity is not None:
            raise ValueError(f"capacity: {self.capacity} needs tier Premium, and tier is {self.tier}")
        if self.tier != "Premium" and self.replicated:
            raise ValueError(f"replicated: true needs tier Premium, and tier is {self.tier}")
        return self


class GooglePush(Section):
    """Firebase Cloud Messaging v1: fields of the service account's key file."""

    project_id: Annotated[str, Field(min_length=1, description="the project_id of the key file")]
    client_email: Annotated[str, Field(min_length=1, repr=False, description="the client_email of the key file")]
    private_key: Annotated[str, Field(min_length=1, repr=False, description="the private_key of the key file (PEM)")]


class ApplePush(Section):
    """Apple Push Notification service by token. stage: "sandbox" for apps that run from Xcode."""

    stage: Literal["production", "sandbox"]
    bundle_id: Annotated[str, Field(min_length=1, description="the app's bundle id")]
    team_id: Annotated[str, Field(min_length=1, description="the developer account's team id")]
    key_id: Annotated[str, Field(min_length=1, description="the id of the key")]
    token: Annotated[str, Field(min_length=1, repr=False, description="the key (.p8) without its first and last line")]


class Notifications(Section):
    """The notification hub: reaches browsers with a key of the stack's own, and phones when credentials are given.

    Credentials are secrets: pulumi config set --secret --path tributary:notifications.google.privateKey.
    """

    tier: Literal["Free", "Basic", "Standard"]
    zone_redundant: bool
    google: GooglePush | None
    apple: ApplePush | None

    @model_validator(mode="after")
    def _standard(self) -> Self:
        if self.zone_redundant and self.tier != "Standard":
            raise ValueError(f"zoneRedundant: true needs tier Standard, and tier is {self.tier}")
        return self
