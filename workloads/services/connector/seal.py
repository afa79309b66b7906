"""The QSealC: signs for us in the vault; the private key never leaves it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

import structlog
from cryptography import x509

from workloads.chassis import psd2
from workloads.chassis.credential import credential
from workloads.chassis.problems import Problem

SealAlgorithm = Literal["RS256", "RS512", "PS256"]
_HASHES = {"RS256": hashlib.sha256, "RS512": hashlib.sha512, "PS256": hashlib.sha256}
_KEEP_SECONDS = 3600
"""How long the certificate is taken for the newest: it is renewed once in years."""
_log = structlog.get_logger(__name__)


class Seal(Protocol):
    """Signs, and says by which certificate."""

    def certificate(self) -> x509.Certificate:
        """The certificate, with its public key."""
        ...

    def sign(self, algorithm: SealAlgorithm, data: bytes) -> bytes:
        """The signature (RFC 7518, section 3)."""
        ...


class VaultSeal:
    """A certificate of the Key Vault. vault: its URL. name: the certificate's."""

    def __init__(self, vault: str, name: str) -> None:
        self._vault, self._name, self._lock = vault, name, threading.Lock()
        self._known: tuple[float, x509.Certificate, Any] | None = None

    def _newest(self) -> tuple[x509.Certificate, Any]:
        from azure.keyvault.certificates import CertificateClient  # 0.3 s to import: only when something is signed
        from azure.keyvault.keys.crypto import CryptographyClient

        with self._lock:
            if self._known is None or self._known[0] < time.monotonic() - _KEEP_SECONDS:
                found = CertificateClient(self._vault, credential()).get_certificate(self._name)
                certificate = x509.load_der_x509_certificate(bytes(found.cer or b""))
                if not psd2.has_role(certificate, psd2.ACCOUNT_INFORMATION):
                    _log.error("the seal's certificate names no role PSP_AI: banks refuse it", certificate=self._name)
                self._known = (time.monotonic(), certificate, CryptographyClient(str(found.key_id), credential()))
            return self._known[1], self._known[2]

    def certificate(self) -> x509.Certificate:
        """The newest version's. Raises Problem 503 when the vault can't be asked."""
        return _asked(lambda: self._newest()[0])

    def sign(self, algorithm: SealAlgorithm, data: bytes) -> bytes:
        """Signed by the newest version's key, in the vault. Raises Problem 503 when the vault can't be asked."""
        from azure.keyvault.keys.crypto import SignatureAlgorithm

        digest = _HASHES[algorithm](data).digest()
        return _asked(lambda: self._newest()[1].sign(SignatureAlgorithm(algorithm), digest).signature)


def _asked(question: Callable[[], Any]) -> Any:
    from azure.core.exceptions import AzureError

    try:
        return question()
    except (AzureError, ValueError) as error:
        raise Problem(503, "vault-unreachable", f"The key vault failed: {type(error).__name__}.") from None
