"""The QWAC: the certificate that says to banks who asks (mutual TLS), taken from the vault when the service starts."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from workloads.chassis.credential import credential


def present(tls: ssl.SSLContext, vault: str, name: str) -> ssl.SSLContext:
    """The context with a certificate of the vault and its key. Raises AzureError when the vault can't be asked."""
    from azure.keyvault.secrets import SecretClient  # 0.3 s to import: only where there is a QWAC

    # A certificate's secret of the same name holds its key too (Key Vault, composition of a certificate).
    found = SecretClient(vault, credential()).get_secret(name)
    value = found.value or ""
    return load(tls, value.encode() if "pem" in (found.properties.content_type or "") else _pem(value))


def _pem(value: str) -> bytes:
    key, certificate, chain = pkcs12.load_key_and_certificates(base64.b64decode(value), None)
    if key is None or certificate is None:
        raise ValueError("the vault's certificate has no exportable key: a QWAC needs one")
    parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    return b"".join([*parts, *(each.public_bytes(Encoding.PEM) for each in [certificate, *chain])])


def load(tls: ssl.SSLContext, pem: bytes) -> ssl.SSLContext:
    """The context with key and certificate from PEM: OpenSSL reads files only, so it lies in one for a moment."""
    handle, path = tempfile.mkstemp(suffix=".pem")  # mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        tls.load_cert_chain(path)
    finally:
        Path(path).unlink()
    return tls
