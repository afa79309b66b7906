"""OAuth 2.0: who issues the tokens that reads carry, and how it is asked (RFC 6749, 7636, 8414, 8705, 7523)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from workloads.services.connector.sections.base import Query, Section, Template

_URL = "^(https://[^\\s]+|/[^\\s]*)$"


class OAuth(Section):
    """An authorization code grant with PKCE; tokens are kept sealed and sent as ``Authorization: Bearer``."""

    flow: Literal["integrated", "pre_step"] = Field(
        default="integrated",
        description="`integrated`: it authorises the consent that was asked for; `pre_step`: it comes first, and the "
        "consent is asked for with its token",
    )
    client_id: str = Field(description="what the bank knows us as; no secret")
    scope: Template = Field(default="AIS:{consent_id}", description="template; some banks want `AIS: {consent_id}`")
    authorization_endpoint: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None,
        description="where the person's browser goes: a URL, or a path below `base_url`; absent: as the metadata "
        "says (`scaOAuth` link, else the operation `authorization_server`)",
    )
    token_endpoint: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None,
        description="where codes become tokens, likewise; BANK_URLS replaces its host too",
    )
    authorization_query: Query = Field(default=(), description="further parameters of the authorization request")
    response_type: Literal["code", "code id_token"] = Field(
        default="code",
        description="`code id_token`: the hybrid flow of FAPI 1.0 Advanced; the ID token that comes back in the "
        "fragment is verified before the code is used",
    )
    issuer: Annotated[str, Field(pattern="^https://[^\\s]+$")] | None = Field(
        default=None, description="`iss` of ID tokens (hybrid flow)"
    )
    jwks: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None, description="where the keys are that ID tokens are signed with (hybrid flow)"
    )
    pkce: bool = Field(default=True, description="send a code challenge (S256)")
    client_authentication: Literal["tls", "private_key_jwt"] = Field(
        default="tls",
        description="`tls`: the QWAC proves who asks (RFC 8705); `private_key_jwt`: an assertion signed in the vault",
    )
    application_token: bool = Field(
        default=False, description="consents are asked for with a token of our own (client credentials)"
    )
    application_scope: str = Field(default="", description="scope of that token")
    request_object: bool = Field(
        default=False, description="the authorization request is a JWT signed in the vault (RFC 9101)"
    )
    audience: str | None = Field(
        default=None, description="`aud` of assertions and request objects; the token endpoint's URL if absent"
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.authorization_endpoint is None) != (self.token_endpoint is None):
            raise ValueError("authorization_endpoint and token_endpoint come together or not at all")
        return self

    @property
    def hybrid(self) -> bool:
        """Whether an ID token comes back with the code."""
        return self.response_type != "code"

    @model_validator(mode="after")
    def _hybrid_is_whole(self) -> Self:
        whole = self.request_object and self.issuer and self.jwks and "openid" in self.scope.split()
        if self.hybrid and not whole:
            raise ValueError("response_type code id_token needs request_object, issuer, jwks and openid in scope")
        return self
