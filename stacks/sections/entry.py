"""Entry: sections of how requests come in, and of the apps that answer them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.sections.foundation import Section, Zone

Domain = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
        description="a DNS name such as tributary.example, below which the stack's host names lie",
    ),
]
Instances = Annotated[int, Field(ge=1, le=30, description="instances, 1 to 30")]


class Gateway(Section):
    """API Management, in the virtual network, which takes one of these tiers.

    internal: reached from there alone, else from the internet, too; purge: whether a deleted one goes at once.
    capacity: units, a multiple of the zones. calls_per_minute: of one user.
    """

    tier: Literal["Developer", "Premium"]
    capacity: Annotated[int, Field(ge=1, le=31, description="units, 1 to 31")]
    zones: list[Zone]
    internal: bool
    purge: bool
    calls_per_minute: Annotated[int, Field(ge=1, le=100000, description="requests a minute, 1 to 100000")]

    @model_validator(mode="after")
    def _zoned(self) -> Self:
        if self.zones and (self.tier != "Premium" or self.capacity % len(self.zones)):
            raise ValueError(
                f"zones: {self.zones} need tier Premium and a multiple of {len(self.zones)} units, and there are "
                f"{self.tier} and {self.capacity}"
            )
        return self


class Edge(Section):
    """The Application Gateway in front. Its certificates are in the vault, see docs/deploy.md.

    minimum, maximum: capacity units. requests_per_minute: of one address.
    """

    minimum: Annotated[int, Field(ge=0, le=125, description="capacity units, 0 to 125")]
    maximum: Annotated[int, Field(ge=2, le=125, description="capacity units, 2 to 125")]
    zones: list[Zone]
    requests_per_minute: Annotated[int, Field(ge=10, le=100000, description="requests a minute, 10 to 100000")]

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum: {self.maximum} is less than minimum ({self.minimum})")
        return self


class WebSite(Section):
    """The App Service of the web app. private: reached through a private endpoint alone."""

    sku: Annotated[
        str, Field(pattern=r"^(S[1-3]|P[0-5](m)?v[23]|P[1-3]v2)$", description="Standard or better, e.g. S1 or P1v3")
    ]
    instances: Instances
    zone_redundant: bool
    private: bool

    @model_validator(mode="after")
    def _zoned(self) -> Self:
        if self.zone_redundant and (self.instances < 2 or not self.sku.startswith("P")):
            raise ValueError(
                f"zoneRedundant: true needs a Premium plan and two instances, and there are {self.sku} and "
                f"{self.instances}"
            )
        return self


class Functions(Section):
    """The function app on Flex Consumption. private: reached, and its storage too, by private endpoints alone.

    build: who installs the packages that its code needs: "wheels", whoever deploys, or "remote", the app's deployment
    site, which must reach a package index then.
    """

    memory_mb: Literal[512, 2048, 4096]
    maximum: Annotated[int, Field(ge=1, le=1000, description="instances, 1 to 1000")]
    zone_redundant: bool
    private: bool
    build: Literal["wheels", "remote"]
