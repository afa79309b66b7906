"""Web Push key: the key pair that tells push services of browsers who sends (VAPID, RFC 8292).

Leaves out: rotation. Browsers subscribe to one public key: with another one, all of them have to subscribe anew.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import dynamic


class _Generator(dynamic.ResourceProvider):
    """Makes a key once; runs in a process of its own."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        public, private = generate()
        return dynamic.CreateResult(public[:16], {**props, "public_key": public, "private_key": private})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=False)


def generate() -> tuple[str, str]:
    """A P-256 key: its point, uncompressed, and its 32 secret bytes, each in base64url without padding."""
    # Imported here, as only a creation needs it: the program that declares the resource makes no key.
    import base64

    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    public, private = (base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in (point, secret))
    return public, private


class WebPushKey(dynamic.Resource, module="tributary", name="WebPushKey"):
    """A key that is made once and kept in the stack's state, its private part encrypted."""

    public_key: pulumi.Output[str]
    """What browsers subscribe with (base64url)."""
    private_key: pulumi.Output[str]
    """What signs (base64url); secret."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        super().__init__(
            _Generator(), name, {"public_key": None, "private_key": None}, pulumi.ResourceOptions.merge(secret, opts)
        )
