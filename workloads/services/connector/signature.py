"""HTTP signatures of requests to a bank (XS2A Implementation Guidelines 1.3, section 12; draft-cavage-10)."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from workloads.services.connector.request import BankRequest
from workloads.services.connector.seal import Seal, SealAlgorithm
from workloads.services.connector.sections.security import Signature

_ALGORITHMS: Mapping[str, SealAlgorithm] = {"rsa-sha256": "RS256", "rsa-sha512": "RS512"}
_DIGESTS = {"SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}


def signed(
    asked: BankRequest, content: bytes | None, form: Signature, seal: Seal, now: datetime.datetime
) -> BankRequest:
    """The request with Digest, Signature and TPP-Signature-Certificate. now: at the bank.

    Raises Problem 503 without the vault.
    """
    digest = base64.b64encode(_DIGESTS[form.digest](content or b"").digest()).decode()
    headers = {"Date": format_datetime(now, usegmt=True), **asked.headers, "Digest": f"{form.digest}={digest}"}
    values = {name.lower(): each for name, each in headers.items()}
    names = [each for each in form.headers if each.lower() in values]
    lines = [f"{each.lower()}: {values[each.lower()]}" for each in names]
    if form.request_target:
        parts = urlsplit(asked.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        names.insert(0, "(request-target)")
        lines.insert(0, f"(request-target): {asked.method.lower()} {target}")
    certificate = seal.certificate()
    signature = base64.b64encode(seal.sign(_ALGORITHMS[form.algorithm], "\n".join(lines).encode())).decode()
    told = {
        "keyId": key_id(certificate, form), "algorithm": form.algorithm, "headers": " ".join(names),
        "signature": signature,
    }  # fmt: skip
    headers["Signature"] = ",".join(f'{name}="{each}"' for name, each in told.items())
    headers["TPP-Signature-Certificate"] = _encoded(certificate, form)
    return replace(asked, headers=headers)


def key_id(certificate: x509.Certificate, form: Signature) -> str:
    """What names the certificate in Signature, in the bank's form."""
    if form.key_id == "thumbprint":
        return certificate.fingerprint(SHA256()).hex()
    serial = f"{certificate.serial_number:X}"
    if form.key_id == "serial-hex":
        return serial
    issuer = quote(certificate.issuer.rfc4514_string(), safe="=,.-_~")
    return f"SN={serial},CA={issuer}"


def _encoded(certificate: x509.Certificate, form: Signature) -> str:
    encoding = Encoding.DER if form.certificate == "der" else Encoding.PEM
    return base64.b64encode(certificate.public_bytes(encoding)).decode()
