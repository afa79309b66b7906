"""Names that a provider chooses: the resource's Pulumi name and a random suffix, the same for the same seed."""

from __future__ import annotations

import hashlib
import secrets
import uuid


def unique_name(seed: bytes, prefix: str, digits: int = 8) -> str:
    """The prefix and random hexadecimal digits; the seed, which the engine keeps over a replacement, decides them."""
    return prefix + _digits(seed, prefix, digits)


def unique_uuid(seed: bytes) -> str:
    """A random UUID, the same for the same seed."""
    return str(uuid.UUID(_digits(seed, "", 32)))


def _digits(seed: bytes, prefix: str, digits: int) -> str:
    if not seed:
        return secrets.token_hex((digits + 1) // 2)[:digits]
    return hashlib.sha512(prefix.encode() + seed).hexdigest()[:digits]


def urn_name(urn: str) -> str:
    """The resource's Pulumi name."""
    return urn.split("::", 3)[3]


def urn_type(urn: str) -> str:
    """The resource's type token, without its parents'."""
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]
