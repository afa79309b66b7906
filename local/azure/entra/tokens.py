"""Access tokens of the local tenant: RS256 JWTs as Entra ID issues them, v1 for Azure's resources, v2 for own APIs.

Claims: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from local.azure.context import ArmError, Principal

LIFETIME = 3600
"""Seconds that a token is valid."""
_LEEWAY = 60
"""Seconds of clock skew that a verifier forgives."""


_APPLICATION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""One of Azure's resources that is known by its application id."""


def is_own_api(audience: str) -> bool:
    """Whether an audience is an application of the tenant (v2 tokens) and not one of Azure's resources (v1)."""
    return audience.startswith("api://") or (bool(_APPLICATION.fullmatch(audience)) and audience != _AKS)


class Tokens:
    """Issues and verifies the tenant's tokens.

    key: signs. tenant_id: of the tenant. v2_issuer: what the tenant's OIDC discovery document calls itself.
    """

    def __init__(self, key: RSAKey, tenant_id: str, v2_issuer: str) -> None:
        self.key, self.tenant_id = key, tenant_id
        self.v1_issuer, self.v2_issuer = f"https://sts.windows.net/{tenant_id}/", v2_issuer

    def issue(self, principal: Principal, audience: str, extra: Mapping[str, Any] | None = None) -> str:
        """A signed token for a principal, valid from now for ``LIFETIME`` seconds."""
        now = int(time.time())
        own = is_own_api(audience)
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": self.v2_issuer if own else self.v1_issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self.tenant_id,
            "uti": uuid.uuid4().hex,
            "ver": "2.0" if own else "1.0",
        }
        if principal.client_id:
            claims["azp" if own else "appid"] = principal.client_id
        if principal.kind == "User":
            claims |= {"idtyp": "user", "upn": principal.name, "preferred_username": principal.name}
        else:
            claims |= {"idtyp": "app"}
        claims |= dict(extra or {})
        header = {"alg": "RS256", "typ": "JWT", "kid": self.key.kid, "x5t": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["RS256"])

    def verify(self, token: str, audiences: Sequence[str]) -> Mapping[str, Any]:
        """The claims of a token of ours for one of the audiences, a trailing slash apart.

        Raises ArmError 401 (InvalidAuthenticationToken, ExpiredAuthenticationToken or
        InvalidAuthenticationTokenAudience) saying what is wrong, never showing the token.
        """
        try:
            decoded = jwt.decode(token, self.key, algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise _refused(f"The access token is invalid: {type(error).__name__}.") from None
        claims, now = decoded.claims, time.time()
        if claims.get("iss") not in (self.v1_issuer, self.v2_issuer):
            raise _refused(f"The access token is from the wrong issuer; it must match {self.v1_issuer}.")
        if not isinstance(claims.get("exp"), int) or claims["exp"] < now - _LEEWAY:
            raise _refused("The access token has expired.", "ExpiredAuthenticationToken")
        if not isinstance(claims.get("nbf", 0), int) or claims.get("nbf", 0) > now + _LEEWAY:
            raise _refused("The access token is not valid yet.")
        audience = claims.get("aud")
        allowed = [each.rstrip("/") for each in audiences]
        if not isinstance(audience, str) or audience.rstrip("/") not in allowed:
            raise _refused(
                f"The access token has been obtained for the wrong audience {audience!r}; "
                f"allowed: {', '.join(allowed)}.",
                "InvalidAuthenticationTokenAudience",
            )
        return claims


def _refused(message: str, code: str = "InvalidAuthenticationToken") -> ArmError:
    return ArmError(401, code, message)
