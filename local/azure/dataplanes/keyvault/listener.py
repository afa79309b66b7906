"""The Key Vault data plane: one HTTPS listener a vault, for Azure's own secrets, keys and certificates clients.

REST API: https://learn.microsoft.com/rest/api/keyvault/, versions 7.0 to 7.6, 2025-07-01 and 2026-04-01.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from local.azure.context import Azure, Resource
from local.azure.dataplanes.keyvault.access import Gate
from local.azure.dataplanes.keyvault.certificates import Certificates
from local.azure.dataplanes.keyvault.common import Vault, known
from local.azure.dataplanes.keyvault.errors import VaultError, bad
from local.azure.dataplanes.keyvault.keys import Keys
from local.azure.dataplanes.keyvault.operations import Operations
from local.azure.dataplanes.keyvault.secrets import Secrets
from local.azure.dataplanes.keyvault.store import VaultStore

_LOG = logging.getLogger(__name__)
_VERSIONS = re.compile(r"7\.[0-6]|2025-07-01|2026-04-01")
_stores: dict[str, VaultStore] = {}


def store_of(azure: Azure) -> VaultStore:
    """The one store of an instance, opened on first use."""
    folder = azure.instance.azure
    if str(folder) not in _stores:
        folder.mkdir(parents=True, exist_ok=True)
        _stores[str(folder)] = VaultStore(folder)
    return _stores[str(folder)]


def vault_of(azure: Azure, resource_id: str) -> Vault:
    """A vault's contents. Its port is kept for as long as the vault is."""
    address = f"127.0.0.1:{azure.store.port(resource_id)}"
    return Vault(azure, store_of(azure), Gate(azure, address), resource_id, f"https://{address}")


def application(vault: Vault) -> web.Application:
    """What a vault's listener serves."""

    @web.middleware
    async def answer(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            vault.gate.authenticate(request.headers.get("Authorization"))
            version = request.query.get("api-version", "")
            if not _VERSIONS.fullmatch(version):
                raise bad(
                    f"The specified version ({version}) is not recognized. Consider using the latest supported "
                    "version (2026-04-01)."
                )
            known(request.query, {"api-version", "maxresults", "$skiptoken"}, "?")
            response = await handler(request)
        except VaultError as refused:
            _LOG.info("%s %s: %s %s %s", request.method, request.path, refused.status, refused.code, refused.inner)
            response = refused.response()
        except web.HTTPException as unrouted:
            message = f"{request.method} {request.path} is not an operation that this embedded vault has."
            response = VaultError(unrouted.status, "BadParameter", message).response()
        response.headers["x-ms-keyvault-service-version"] = "1.9.0.0"
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        response.headers["Cache-Control"] = "no-cache"
        return response

    routes = web.Application(middlewares=[answer], client_max_size=1024 * 1024)
    for part in (Secrets(vault), Keys(vault), Operations(vault), Certificates(vault)):
        part.register(routes)
    return routes


async def open_vault(azure: Azure, resource: Resource) -> str:
    """Serve a vault; answers its address with a trailing slash."""
    vault = vault_of(azure, resource.id)
    port = azure.store.port(resource.id)
    await azure.serve(application(vault), port)
    azure.endpoints[f"Key Vault {resource.name}"] = vault.uri
    return vault.uri + "/"


async def close_vault(azure: Azure, resource: Resource) -> None:
    """Stop serving a vault and give its port back; what it holds stays."""
    await azure.stop_serving(azure.store.port(resource.id))
    azure.store.release(resource.id)
    azure.endpoints.pop(f"Key Vault {resource.name}", None)
