"""The key that signs the local tenant's tokens, and its public half as a JWKS (RFC 7517)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

from local.pki import write_private


def signing_key(path: Path) -> RSAKey:
    """The RSA key kept at a path, made on first use. Its key id is its RFC 7638 thumbprint."""
    if not path.exists():
        fresh = RSAKey.generate_key(2048, auto_kid=False)
        write_private(path, fresh.as_pem(private=True))
    key = RSAKey.import_key(path.read_bytes(), {"use": "sig", "alg": "RS256"})
    key.ensure_kid()
    return key


def jwks(key: RSAKey) -> dict[str, Any]:
    """The document that a verifier fetches: public numbers only."""
    return {"keys": [key.as_dict(private=False)]}
