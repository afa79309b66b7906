"""Identity: section of how people sign in, where the stack sets that up itself."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.sections.foundation import HttpsUrl, Section, Uuid


class Enrichment(Section):
    """Where further claims come from. url: of the function; resource_id: whom Entra's tokens to it are for."""

    url: HttpsUrl
    resource_id: Annotated[str, Field(pattern="^api://.+", description="an identifier such as api://<host>/<app id>")]
    claims: Annotated[list[str], Field(min_length=1, description="names of claims, at least one")]


class Redirects(Section):
    """Addresses after signing in: of the website, and of apps on people's own devices."""

    website: list[HttpsUrl] = Field(default_factory=list)
    mobile: list[str] = Field(default_factory=list)


class Identity(Section):
    """The tenant that people sign in at, whose applications and flows this stack makes.

    tenant_id: of an Entra External ID tenant, or of an existing Azure AD B2C tenant (kind "b2c", without second_factor
    and enrichment, which are parts of its user flows); without, the one that issues the tokens. client_id: application
    there that the pipeline signs in as; without, whoever deploys. graph: base URL of Microsoft Graph.
    redirects: without, the website's own address.
    """

    kind: Literal["external-id", "b2c"] = "external-id"
    tenant_id: Uuid | None = None
    client_id: Uuid | None = None
    graph: HttpsUrl = "https://graph.microsoft.com"
    redirects: Redirects = Redirects()
    second_factor: bool = True
    enrichment: Enrichment | None = None

    @model_validator(mode="after")
    def _of_b2c(self) -> Self:
        if self.kind == "b2c" and (self.second_factor or self.enrichment):
            raise ValueError("kind: b2c goes without second_factor and enrichment; allowed is secondFactor: false")
        return self
