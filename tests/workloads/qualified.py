"""Certificates with PSD2's statements, as a trust service provider would issue them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from workloads.chassis import psd2

PSP_AI = ("0.4.0.19495.1.3", "PSP_AI")
PSP_PI = ("0.4.0.19495.1.2", "PSP_PI")
QUALIFIED = bytes.fromhex("3008060604008e460101")
"""The statement that a certificate is qualified (ETSI EN 319 412-5, section 4.2.1); others stand beside PSD2's."""


def statements(*roles: tuple[str, str]) -> x509.UnrecognizedExtension:
    """The extension, with PSD2's statement among others; without it where there are no roles."""
    listed = [psd2.RoleOfPsp(oid=x509.ObjectIdentifier(oid), name=name) for oid, name in roles]
    info = psd2.Psd2QcType(roles=listed, authority="BaFin", authority_id="DE-BAFIN")
    ours = asn1.encode_der(psd2.Psd2Statement(id=psd2.PSD2, info=info)) if roles else b""
    body = QUALIFIED + ours
    return x509.UnrecognizedExtension(psd2.QC_STATEMENTS, bytes([0x30, len(body)]) + body)


def certificate(
    key: rsa.RSAPrivateKey, roles: Sequence[tuple[str, str]] = (PSP_AI,), days: tuple[float, float] = (-1, 1)
) -> x509.Certificate:
    """A seal's. days: from and until when it is valid, from now."""
    name = x509.Name.from_rfc4514_string("CN=QSeal CA 1,O=Trust Services,C=DE")
    now = datetime.datetime.now(datetime.UTC)
    start, end = (now + datetime.timedelta(days=each) for each in days)
    made = x509.CertificateBuilder(name, name, key.public_key(), 0x9FA1, start, end)
    return made.add_extension(statements(*roles), critical=False).sign(key, hashes.SHA256())
