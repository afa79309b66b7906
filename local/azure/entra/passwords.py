"""Client secrets and test users' passwords, kept as scrypt hashes (RFC 7914)."""

from __future__ import annotations

import hashlib
import hmac
import os


def protect(secret: str) -> tuple[bytes, bytes]:
    """Salt and hash to keep instead of the secret."""
    salt = os.urandom(16)
    return salt, _hash(secret, salt)


def matches(secret: str, salt: bytes | None, kept: bytes | None) -> bool:
    """Whether this is the secret, in constant time."""
    return bool(salt and kept) and hmac.compare_digest(_hash(secret, salt or b""), kept or b"")


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**12, r=8, p=1)
