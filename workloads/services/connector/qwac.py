"""The QWAC: the certificate that says to banks who asks (mutual TLS), from the file that the vault's is mounted as."""

from __future__ import annotations

import ssl
from pathlib import Path

from workloads.chassis.settings import SettingsError


def present(tls: ssl.SSLContext, file: Path) -> ssl.SSLContext:
    """The context with key and certificate of a PEM file. Raises SettingsError when they are not in it."""
    try:
        tls.load_cert_chain(file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise SettingsError(
            f"QWAC_CERTIFICATE: {file} holds no certificate with its key ({reason}). Allowed is a PEM file with both: "
            "a certificate of the vault whose key may be exported, mounted as a secret."
        ) from None
    return tls
