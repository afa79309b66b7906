"""Who asks, by the certificate of a signed request: a bank takes account information's providers alone.

Codes: XS2A Implementation Guidelines 1.3, section 14.11. Who issued it, and whether the signature is right, a real bank
judges as well: this one trusts any issuer.
"""

from __future__ import annotations

import base64

from cryptography import x509

from workloads.chassis import clock, psd2
from workloads.services.bank_sandbox.errors import Refusal


def check(told: str) -> None:
    """Judge a TPP-Signature-Certificate. Raises Refusal 401 for none, one that is not valid now, and another role."""
    found = _certificate(base64.b64decode(told))
    if not found.not_valid_before_utc <= clock.now() <= found.not_valid_after_utc:
        raise Refusal(401, "CERTIFICATE_EXPIRED", "The certificate is not valid now.")
    if not psd2.has_role(found, psd2.ACCOUNT_INFORMATION):
        raise Refusal(401, "ROLE_INVALID", "The certificate's QCStatements do not name the role PSP_AI.")


def _certificate(told: bytes) -> x509.Certificate:
    """From DER, or a PEM file, as banks want it."""
    try:
        load = x509.load_pem_x509_certificate if told.startswith(b"-----") else x509.load_der_x509_certificate
        return load(told)
    except ValueError:
        raise Refusal(401, "CERTIFICATE_INVALID", "TPP-Signature-Certificate is no certificate.") from None
