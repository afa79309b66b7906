"""Encrypts a person's password with the bank's key: a JWE in compact form (RFC 7516), as psuData.encryptedPassword."""

from __future__ import annotations

import json
from typing import Any

from cryptography import x509
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from workloads.services.connector.failures import BankFailure
from workloads.services.connector.sections.sca import Encryption


def public_key(told: bytes) -> Any:
    """The bank's key from a certificate or public key in PEM or DER, a JWK, a JWK set, or a JWK's x5c.

    Raises BankFailure when it is none of them.
    """
    try:
        if told.lstrip()[:1] == b"{":
            return _jwk(json.loads(told))
        if b"-----BEGIN CERTIFICATE" in told:
            return _key(x509.load_pem_x509_certificate(told).public_key())
        if b"-----BEGIN" in told:
            return RSAKey.import_key(told) if b"RSA" in told else _from_pem(told)
        return _key(x509.load_der_x509_certificate(told).public_key())
    except (ValueError, TypeError, KeyError, JoseError):
        raise BankFailure("bank-answer-unreadable", "The bank's key for passwords can't be read.") from None


def _jwk(told: dict[str, Any]) -> Any:
    if isinstance(told.get("keys"), list):
        usable = [each for each in told["keys"] if each.get("use", "enc") == "enc"]
        return _jwk(usable[0]) if usable else _jwk(told["keys"][0])
    if "kty" not in told and told.get("x5c"):
        return public_key(f"-----BEGIN CERTIFICATE-----\n{told['x5c'][0]}\n-----END CERTIFICATE-----".encode())
    return JWKRegistry.import_key(told)


def _from_pem(told: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return _key(load_pem_public_key(told))


def _key(found: Any) -> Any:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = found.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return RSAKey.import_key(pem) if isinstance(found, RSAPublicKey) else ECKey.import_key(pem)


def encrypt(password: str, key: Any, form: Encryption) -> str:
    """The password as a compact JWE. Raises BankFailure when the key does not fit the algorithm."""
    header = {**form.header, "alg": form.algorithm, "enc": form.content}
    try:
        return jwe.encrypt_compact(header, password.encode(), key, algorithms=[form.algorithm, form.content])
    except (ValueError, TypeError, JoseError):
        raise BankFailure("bank-answer-unreadable", "The bank's key does not fit the profile's algorithm.") from None
