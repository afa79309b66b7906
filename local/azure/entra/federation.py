"""Workload-identity exchange: a token of an outside issuer for one of a managed identity or application (RFC 7523).

The outside token (a projected Kubernetes service-account token) is verified as Entra does it: the issuer's OIDC
discovery document and JWKS are fetched over HTTPS, and issuer, subject and audience must match a
federatedIdentityCredential of the identity.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from local.azure.context import Body, Principal, Store
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.grants import unknown_client
from local.azure.entra.graph.store import GraphStore
from local.azure.entra.refusal import TokenRefused
from local.instance import Instance

CREDENTIAL_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256"]
_KEYS_LIVE = 300
"""Seconds that an issuer's keys are remembered; an unknown key id fetches them anew."""


class Federation:
    """Verifies outside tokens. store, graph: hold the federated credentials of managed identities and applications."""

    def __init__(self, instance: Instance, store: Store, directory: LocalDirectory, graph: GraphStore) -> None:
        self._instance, self._store, self._directory, self._graph = instance, store, directory, graph
        self._keys: dict[str, tuple[float, KeySet]] = {}

    async def exchange(self, form: Mapping[str, str]) -> Principal:
        """The managed identity that an assertion stands for. Raises TokenRefused."""
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise TokenRefused("invalid_request", 900144, f"client_assertion_type must be {_ASSERTION_TYPE}.")
        client_id = form.get("client_id", "")
        principal = self._directory.by_client_id(client_id)
        if principal is None:
            raise unknown_client(client_id)
        assertion = form["client_assertion"]
        claims = _unverified(assertion)
        credential = self._match(principal, claims)
        await self._verify(assertion, credential["issuer"])
        _check_times(claims)
        return principal

    def _match(self, principal: Principal, claims: Mapping[str, Any]) -> Body:
        credentials = self._credentials(principal)
        if not credentials:
            raise TokenRefused(
                "invalid_client",
                70025,
                f"The client '{principal.client_id}' has no configured federated identity credentials.",
                401,
            )
        issuer, subject = claims.get("iss"), claims.get("sub")
        audience = claims.get("aud")
        audience = audience if isinstance(audience, list) else [audience]
        by_issuer = [c for c in credentials if c.get("issuer") == issuer]
        if not by_issuer:
            raise _mismatch(700211, "issuer", issuer)
        by_subject = [c for c in by_issuer if c.get("subject") == subject]
        if not by_subject:
            raise _mismatch(700213, "subject", subject)
        for credential in by_subject:
            if set(audience) & set(credential.get("audiences") or ()):
                return credential
        raise _mismatch(700212, "audience", audience)

    def _credentials(self, principal: Principal) -> list[Body]:
        if owner := self._directory.resource_of(principal):
            return [each.properties for each in self._store.list(CREDENTIAL_TYPE, owner)]
        applications = (a for a in self._graph.list("applications") if a["appId"] == principal.client_id)
        application = next(applications, None)
        return self._graph.list(f"applications/{application['id']}/federatedIdentityCredentials") if application else []

    async def _verify(self, assertion: str, issuer: str) -> None:
        kid = _json_part(assertion, 0).get("kid")
        keys = await self._issuer_keys(issuer, kid)
        try:
            jwt.decode(assertion, keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise TokenRefused(
                "invalid_client",
                700027,
                f"The client assertion's signature is not of issuer {issuer}: {type(error).__name__}.",
                401,
            ) from None

    async def _issuer_keys(self, issuer: str, kid: object) -> KeySet:
        kept = self._keys.get(issuer)
        if kept and kept[0] > time.monotonic() and any(key.kid == kid for key in kept[1].keys):
            return kept[1]
        if not issuer.startswith("https://"):
            raise _unreachable(issuer, "it is no https URL")
        context = ssl.create_default_context(cafile=str(self._instance.ca_bundle))
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=timeout) as session:
                discovery = await _get(session, issuer.rstrip("/") + "/.well-known/openid-configuration")
                if discovery.get("issuer") != issuer:
                    raise _unreachable(issuer, f"its discovery document names issuer {discovery.get('issuer')!r}")
                keys = KeySet.import_key_set(await _get(session, str(discovery.get("jwks_uri", ""))))  # type: ignore[arg-type]
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise _unreachable(issuer, f"{type(error).__name__}: {error}") from error
        self._keys[issuer] = (time.monotonic() + _KEYS_LIVE, keys)
        return keys


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as response:
        response.raise_for_status()
        return await response.json(content_type=None)


def _check_times(claims: Mapping[str, Any]) -> None:
    now = time.time()
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or expires < now - 60:
        raise TokenRefused("invalid_client", 700024, "The client assertion has expired.", 401)
    if not isinstance(starts, int | float) or starts > now + 300:
        raise TokenRefused("invalid_client", 700024, "The client assertion is not valid yet.", 401)


def _json_part(token: str, index: int) -> dict[str, Any]:
    try:
        part = token.split(".")[index]
        decoded = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        decoded = None
    if not isinstance(decoded, dict):
        raise TokenRefused("invalid_client", 50027, "The client assertion is no JSON web token.", 401)
    return decoded


def _unverified(token: str) -> dict[str, Any]:
    return _json_part(token, 1)


def _mismatch(number: int, what: str, value: object) -> TokenRefused:
    return TokenRefused(
        "invalid_client",
        number,
        f"No matching federated identity record found for presented assertion {what} {value!r}.",
        401,
    )


def _unreachable(issuer: str, why: str) -> TokenRefused:
    return TokenRefused("invalid_client", 50166, f"The keys of issuer {issuer} could not be had: {why}.", 401)
