"""What a vault's keys do: encrypt, decrypt, wrap, unwrap, sign, verify (Key Vault REST API 7.6)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local.azure.dataplanes.keyvault import crypto
from local.azure.dataplanes.keyvault.access import KEYS
from local.azure.dataplanes.keyvault.common import Vault, b64, body_of, known, unb64
from local.azure.dataplanes.keyvault.errors import bad, forbidden
from local.azure.dataplanes.keyvault.material import undump
from local.azure.dataplanes.keyvault.store import Version

_ROUTES = {
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "wrapkey": "wrapKey",
    "unwrapkey": "unwrapKey",
    "sign": "sign",
    "verify": "verify",
}
_OUTSIDE_LIFETIME = {"decrypt", "unwrapKey", "verify"}
"""What Azure allows before nbf and after exp, so that old data stays readable."""
_INITIALISATION = {"iv", "aad", "tag"}
"""Parameters of AES algorithms, which only a managed HSM has."""


class Operations:
    """The routes of one vault's key operations."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def register(self, application: web.Application) -> None:
        """Add the routes, with and without a version."""
        for route, operation in _ROUTES.items():
            for path in ("/keys/{name}/{version}", "/keys/{name}/", "/keys/{name}"):
                application.router.add_post(f"{path}/{route}", self._handler(operation))

    def _handler(self, operation: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            name = request.match_info["name"]
            self._vault.allow(request, KEYS[operation], name)
            version = self._vault.current("key", name, request.match_info.get("version", ""))
            body = {name: value for name, value in (await body_of(request)).items() if value is not None}
            _usable(version, operation)
            kid = self._vault.identifier("key", version.name, version.version)
            return web.json_response(_run(version, operation, body, kid))

        return handle


def _usable(version: Version, operation: str) -> None:
    state, now = version.public["attributes"], time.time()
    if not state["enabled"]:
        raise forbidden(f"Operation {operation} is not allowed on a disabled key.", "KeyDisabled")
    if operation not in _OUTSIDE_LIFETIME:
        if state.get("nbf", 0) > now:
            raise forbidden(f"Operation {operation} is not allowed on a key that is not yet valid.", "KeyNotYetValid")
        if state.get("exp", now) < now:
            raise forbidden(f"Operation {operation} is not allowed on an expired key.", "KeyExpired")
    if operation not in version.public["key"]["key_ops"]:
        raise forbidden(f"Operation {operation} is not permitted on this key.", "KeyOperationForbidden")


def _run(version: Version, operation: str, body: dict[str, Any], kid: str) -> dict[str, Any]:
    key, algorithm = undump(version.value), body.get("alg")
    if not isinstance(algorithm, str):
        raise bad("The parameter 'alg' is missing or not a string.")
    if operation == "verify":
        known(body, {"alg", "digest", "value"})
        digest, signature = unb64(body.get("digest"), "digest"), unb64(body.get("value"), "value")
        return {"value": crypto.verify(key, algorithm, digest, signature)}
    if given := _INITIALISATION & body.keys():
        raise bad(f"Property '{min(given)}' belongs to AES algorithms, which only a managed HSM has.")
    known(body, {"alg", "value"})
    value = unb64(body.get("value"), "value")
    act = {"sign": crypto.sign, "encrypt": crypto.encrypt, "wrapKey": crypto.encrypt}.get(operation, crypto.decrypt)
    return {"kid": kid, "value": b64(act(key, algorithm, value))}
