"""Certificates as a vault keeps them: self-signed ones made, PEM and PKCS #12 read, the secret that holds the key."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ObjectIdentifier

from local.azure.dataplanes.keyvault import material
from local.azure.dataplanes.keyvault.errors import bad

PFX, PEM = "application/x-pkcs12", "application/x-pem-file"


@dataclass(frozen=True)
class Pair:
    """A certificate, its key, and the certificates above it."""

    certificate: x509.Certificate
    key: material.PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    def secret(self, content_type: str, *, exportable: bool) -> str:
        """What the secret of the same name holds: with the key only where that may leave the vault."""
        certificates = [self.certificate, *self.chain]
        if content_type == PEM:
            key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) if exportable else b""
            return (key + b"".join(each.public_bytes(Encoding.PEM) for each in certificates)).decode()
        key_in = self.key if exportable else None
        made = pkcs12.serialize_key_and_certificates(
            None, key_in, self.certificate if exportable else None,
            list(self.chain) if exportable else certificates, NoEncryption(),
        )  # fmt: skip
        return base64.b64encode(made).decode()


def key_of(policy: dict[str, Any]) -> material.PrivateKey:
    """A new key as a policy says. Raises VaultError 400."""
    form = policy["key_props"]
    return material.generate(form.get("kty") or "RSA", form.get("key_size"), form.get("crv"), None)


def _subject(policy: dict[str, Any]) -> tuple[x509.Name, list[x509.ExtensionType]]:
    """The subject and the extensions that a policy asks for. Raises VaultError 400."""
    wanted = policy.get("x509_props") or {}
    try:
        # Azure takes a space after each comma, which RFC 4514 does not.
        name = x509.Name.from_rfc4514_string(re.sub(r"(?<!\\),\s+", ",", wanted.get("subject") or ""))
        names = [x509.DNSName(each) for each in (wanted.get("sans") or {}).get("dns_names") or []]
        usages = [ObjectIdentifier(each) for each in wanted.get("ekus") or ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]]
    except (ValueError, TypeError):
        raise bad("The property policy.x509_props has a subject, sans or ekus that can't be read.") from None
    more: list[x509.ExtensionType] = [x509.SubjectAlternativeName(names)] if names else []
    return name, [x509.ExtendedKeyUsage(usages), *more]


def request(policy: dict[str, Any], key: material.PrivateKey) -> bytes:
    """A signing request (PKCS #10, DER) for an authority outside. Raises VaultError 400."""
    name, extensions = _subject(policy)
    builder = x509.CertificateSigningRequestBuilder(name)
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def merged(key: material.PrivateKey, given: Any) -> Pair:
    """What an authority signed, with the key that waited for it. given: DER in base64. Raises VaultError 400."""
    try:
        found = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in given]
        return _pair(found[0], key, found[1:])
    except (ValueError, TypeError, IndexError, binascii.Error):
        raise bad("Property 'x5c' is no list of certificates in base64.") from None


def made(policy: dict[str, Any], key: material.PrivateKey) -> Pair:
    """A self-signed certificate as a policy says. Raises VaultError 400."""
    name, extensions = _subject(policy)
    wanted = policy.get("x509_props") or {}
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=30 * int(wanted.get("validity_months") or 12))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, until)
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def read(value: str, password: str | None) -> tuple[Pair, str]:
    """A given certificate with its key, and its form.

    value: PEM as it is or in base64, or PKCS #12 in base64. Raises VaultError 400.
    """
    try:
        content = value.encode() if "-----BEGIN" in value else base64.b64decode(value, validate=True)
        if b"-----BEGIN" in content:  # Azure's clients send PEM in base64 too
            found = x509.load_pem_x509_certificates(content)
            key: Any = load_pem_private_key(_key_part(content), None)
            return _pair(found[0], key, found[1:]), PEM
        secret = password.encode() if password else None
        loaded, certificate, more = pkcs12.load_key_and_certificates(content, secret)
        if certificate is None:
            raise ValueError
        return _pair(certificate, loaded, more), PFX
    except (ValueError, TypeError, IndexError, binascii.Error):
        raise bad("The parameter 'value' is no certificate with its key, as PEM or as PKCS #12 in base64.") from None


def _pair(certificate: x509.Certificate, key: Any, chain: list[x509.Certificate]) -> Pair:
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise bad("The parameter 'value' holds no private key of type RSA or EC.")
    if key.public_key() != certificate.public_key():
        raise bad("The parameter 'value' holds a key that is not the certificate's.")
    return Pair(certificate, key, tuple(chain))


def _key_part(content: bytes) -> bytes:
    found = re.search(b"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \\1-----", content, re.DOTALL)
    if found is None:
        raise ValueError("no private key")
    return found[0]
