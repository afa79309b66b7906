"""Security: signed requests (QSealC) and mutual TLS (QWAC) as the bank wants them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workloads.services.connector.sections.base import Section


class Signature(Section):
    """An HTTP signature over chosen headers (XS2A Implementation Guidelines 1.3, section 12; draft-cavage-10)."""

    use: Literal["never", "always"] = Field(default="never", description="whether requests are signed")
    headers: tuple[str, ...] = Field(
        default=("Digest", "X-Request-ID", "PSU-ID", "PSU-Corporate-ID", "TPP-Redirect-URI", "Date"),
        description="what is signed, in this order; one that a request lacks is left out",
    )
    request_target: bool = Field(default=False, description="sign `(request-target)` first")
    algorithm: Literal["rsa-sha256", "rsa-sha512"] = Field(default="rsa-sha256", description="as named in Signature")
    digest: Literal["SHA-256", "SHA-512"] = Field(default="SHA-256", description="of the Digest header")
    key_id: Literal["serial-and-issuer", "serial-hex", "thumbprint"] = Field(
        default="serial-and-issuer", description="form of keyId; the first is the standard's, `SN=…,CA=…`"
    )
    certificate: Literal["der", "pem"] = Field(
        default="der", description="TPP-Signature-Certificate: base64 of the certificate, or of its PEM file"
    )
