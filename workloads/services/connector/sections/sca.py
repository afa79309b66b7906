"""Strong customer authentication: how the person authorises a consent (XS2A Guidelines 1.3, section 5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from workloads.services.connector.sections.base import Section


class Encryption(Section):
    """Encryption of the person's password with the bank's key, as a JWE in compact form (RFC 7516)."""

    algorithm: Literal["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A256KW"] = Field(
        default="RSA-OAEP-256", description="JWE `alg`"
    )
    content: Literal["A256GCM", "A128GCM", "A256CBC-HS512", "A128CBC-HS256"] = Field(
        default="A256GCM", description="JWE `enc`"
    )
    key: Literal["link", "path", "given"] = Field(
        default="link",
        description="where the bank's key comes from: its `aspspCertificates` link, the path of the operation "
        "`password_certificate`, or `certificate` here",
    )
    certificate: str | None = Field(default=None, description="the bank's certificate or public key, PEM or JWK (JSON)")
    header: dict[str, Any] = Field(default={}, description="further members of the JWE's protected header")


class Sca(Section):
    """How the customer authorises. The links of the bank's answers decide; of several, the approach chosen here."""

    approach: Literal["redirect", "oauth", "decoupled", "embedded"] = Field(
        default="redirect", description="what is asked for and, where the bank offers several, taken"
    )
    start: Literal["implicit", "explicit"] = Field(
        default="implicit",
        description="`explicit`: an authorisation is always started by a request of its own (sends "
        "TPP-Explicit-Authorisation-Preferred); else where the bank's links want it",
    )
    start_body: dict[str, Any] | None = Field(default={}, description="body of that request; null for none")
    prefer_redirect: bool | None = Field(
        default=None, description="TPP-Redirect-Preferred; null: `true` with redirect and oauth, else `false`"
    )
    password: Literal["by_link", "plain", "encrypted"] = Field(
        default="by_link",
        description="how the password is sent with the embedded approach; `by_link`: encrypted where the bank's link "
        "says so (`…EncryptedPsuAuthentication`)",
    )
    encryption: Encryption = Field(default=Encryption(), description="encrypted passwords")
    poll_seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        default=3, description="decoupled: least time between two questions to the bank; doubles up to 30 s"
    )
    give_up_seconds: Annotated[int, Field(ge=30, le=86_400)] = Field(
        default=600, description="decoupled: after that long without an answer of the person, it has failed"
    )

    @field_validator("encryption")
    @classmethod
    def _given(cls, value: Encryption) -> Encryption:
        if (value.key == "given") != bool(value.certificate):
            raise ValueError("certificate is set if and only if key is given")
        return value

    @property
    def redirect_preferred(self) -> bool:
        """The value of TPP-Redirect-Preferred."""
        if self.prefer_redirect is not None:
            return self.prefer_redirect
        return self.approach in ("redirect", "oauth")
