"""The Container Registry data plane: distribution as a daemon, and one listener for each registry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from aiohttp import web

from local.azure.context import ArmError, Azure, DataPlane, Resource
from local.azure.dataplanes import registry_backend
from local.azure.dataplanes.registry_gate import Gate
from local.azure.dataplanes.registry_login import RegistryLogin
from local.azure.dataplanes.registry_metadata import RegistryMetadata
from local.azure.dataplanes.registry_proxy import RegistryProxy
from local.azure.dataplanes.registry_storage import RegistryStorage
from local.azure.dataplanes.registry_tokens import RegistryTokens
from local.daemon import Daemon
from local.instance import Instance


class RegistryPlane:
    """The container registries of one embedded Azure."""

    def __init__(self, azure: Azure) -> None:
        self._azure, self._gate = azure, Gate()
        self._session: aiohttp.ClientSession | None = None
        self._open: set[int] = set()

    async def start(self) -> None:
        """Open the connections to the backend; registries are opened as ARM restores them."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            auto_decompress=False,
        )

    async def stop(self) -> None:
        """Close them."""
        for port in list(self._open):
            await self._azure.stop_serving(port)
            self._open.discard(port)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def open(self, registry: Resource) -> str:
        """Serve a registry; answers its loginServer, host and port."""
        port = self._azure.store.port(registry.id)
        service = f"127.0.0.1:{port}"
        if port not in self._open:
            await self._azure.serve(self._application(registry, service), port)
            self._open.add(port)
        self._azure.endpoints[f"Container Registry {registry.name}"] = f"https://{service}"
        return service

    async def remove(self, registry: Resource) -> None:
        """End a registry for good: its listener, its port, its data.

        Raises ArmError 409 while uploads to other registries keep the storage busy.
        """
        port = self._azure.store.port(registry.id)
        if port in self._open:
            await self._azure.stop_serving(port)
            self._open.discard(port)
        try:
            async with self._gate.sweeping():
                await asyncio.to_thread(self._storage(registry).remove)
        except TimeoutError:
            message = f"The images of {registry.name} can't be removed while uploads are under way; try again."
            raise ArmError(409, "Conflict", message) from None
        self._azure.store.release(registry.id)
        self._azure.endpoints.pop(f"Container Registry {registry.name}", "")

    def _application(self, registry: Resource, service: str) -> web.Application:
        if self._session is None:
            raise RuntimeError("the Container Registry data plane was not started")
        tokens = RegistryTokens(registry_backend.signing_key(self._azure.instance), service)
        login = RegistryLogin(self._azure, registry.id, tokens)
        metadata = RegistryMetadata(service, self._storage(registry), self._gate, login)
        backend = registry_backend.url(self._azure.instance)
        proxy = RegistryProxy(registry.name, backend, self._session, self._gate, login, tokens)
        application = web.Application()
        application.add_routes([*login.routes(), *metadata.routes(), *proxy.routes()])
        return application

    def _storage(self, registry: Resource) -> RegistryStorage:
        return RegistryStorage(registry_backend.folder(self._azure.instance) / "data", registry.name)


_planes: dict[int, tuple[Azure, RegistryPlane]] = {}


def plane(azure: Azure) -> RegistryPlane:
    """The one registry data plane of an embedded Azure: its behaviour and its daemon ask for the same."""
    return _planes.setdefault(id(azure), (azure, RegistryPlane(azure)))[1]


def data_planes(azure: Azure) -> list[DataPlane]:
    """What the embedded Azure starts and stops with itself."""
    return [plane(azure)]


def prepare(instance: Instance, tools: Mapping[str, str]) -> None:
    """Write the backend's settings and keys before it is started."""
    registry_backend.prepare(instance)


def daemons(instance: Instance, tools: Mapping[str, str]) -> list[Daemon]:
    """Distribution itself; without it, registries answer 503."""
    return [registry_backend.daemon(instance, Path(tools["registry"]))] if "registry" in tools else []
