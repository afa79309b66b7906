"""The embedded Azure in one process: opens the state, serves ARM and the data planes, closes in order."""

from __future__ import annotations

import json
import logging
import ssl
from pathlib import Path

from aiohttp import web

from local.azure import discover
from local.azure.arm import bootstrap
from local.azure.arm.app import FrontDoor
from local.azure.arm.authorize import LocalAuthorizer
from local.azure.arm.database import connect
from local.azure.arm.identities import Identities
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.store import LocalStore
from local.azure.context import Azure, DataPlane
from local.azure.entra import deployer
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.endpoints import EntraEndpoints
from local.azure.entra.federation import Federation
from local.azure.entra.graph.endpoint import Graph
from local.azure.entra.graph.objects import Objects
from local.azure.entra.graph.store import GraphStore
from local.azure.entra.keys import signing_key
from local.azure.entra.tokens import Tokens
from local.instance import TENANT_ID, Instance

_log = logging.getLogger(__name__)


class _Endpoints(dict[str, str]):
    """What listens where; every change is written to ``azure/endpoints.json`` at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._keep()

    def __setitem__(self, name: str, url: str) -> None:
        super().__setitem__(name, url)
        self._keep()

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._keep()

    def pop(self, name: str, *default: str) -> str:  # type: ignore[override]  # the plain case of dict.pop
        """Take one away."""
        value = super().pop(name, *default)
        self._keep()
        return value

    def _keep(self) -> None:
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(self, indent=1, sort_keys=True) + "\n")
        scratch.replace(self._path)


class LocalAzure(Azure):
    """The context with its listeners. Made by ``Daemon`` once the state folder is prepared."""

    def __init__(
        self, instance: Instance, store: LocalStore, directory: LocalDirectory, authorizer: LocalAuthorizer
    ) -> None:
        endpoints = _Endpoints(instance.azure / "endpoints.json")
        super().__init__(instance, store, directory, authorizer, endpoints)
        self._runners: dict[int, web.AppRunner] = {}
        self._tls: ssl.SSLContext | None = None

    def server_tls(self) -> ssl.SSLContext:
        """TLS for a loopback listener: a leaf for 127.0.0.1 and localhost, signed by the instance's CA."""
        if self._tls is None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self._tls.load_cert_chain(self.instance.azure / "loopback.pem", self.instance.azure / "loopback.key")
        return self._tls

    async def serve(self, application: web.Application, port: int) -> None:
        """Serve an application on https://127.0.0.1:port until ``stop_serving(port)`` or the daemon ends.

        Serving the same port again replaces what was served. Raises OSError when another process holds the port.
        """
        await self.stop_serving(port)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=self.server_tls(), reuse_address=True).start()
        self._runners[port] = runner

    async def stop_serving(self, port: int) -> None:
        """Close a listener."""
        if runner := self._runners.pop(port, None):
            await runner.cleanup()

    async def close(self) -> None:
        """Close every listener."""
        for port in list(self._runners):
            await self.stop_serving(port)


class AzureDaemon:
    """Runs the embedded Azure of an instance within an event loop. The state folder must have been prepared."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._database = connect(instance.azure / "azure.db")
        store = LocalStore(self._database, instance.dynamic_ports)
        key = signing_key(instance.azure / "signing-key.pem")
        tokens = Tokens(key, TENANT_ID, f"https://{instance.arm}/{TENANT_ID}/v2.0")
        self.directory = LocalDirectory(self._database, tokens)
        self.azure = LocalAzure(instance, store, self.directory, LocalAuthorizer(store))
        identities = Identities(store, self.directory)
        self.lifecycle = Lifecycle(self.azure, store, identities, discover.behaviours(self.azure))
        self._planes: list[DataPlane] = []

    async def start(self) -> None:
        """Serve: data planes first, then what was open before, ARM last, so that who reaches ARM reaches all."""
        bootstrap.seed(self.instance, self.lifecycle.store, self.directory)
        for module in discover.data_plane_modules():
            for plane in module.data_planes(self.azure):
                await plane.start()
                self._planes.append(plane)
        await self.lifecycle.resume()
        objects = Objects(GraphStore(self._database), self.directory)
        federation = Federation(self.instance, self.lifecycle.store, self.directory, objects.store)
        entra = EntraEndpoints(
            self.instance, self.directory, federation, objects.store, deployer.node_header(self.instance)
        )
        door = FrontDoor(self.azure, self.lifecycle, entra, Graph(self.directory, self.azure.authorizer, objects))
        await self.azure.serve(door.application(), self.instance.port("arm"))
        self.azure.endpoints["Azure Resource Manager"] = f"https://{self.instance.arm}"
        _log.info("serving on https://%s", self.instance.arm)

    async def stop(self) -> None:
        """Close everything in the opposite order."""
        await self.azure.stop_serving(self.instance.port("arm"))
        await self.lifecycle.settle(5)
        for plane in reversed(self._planes):
            await plane.stop()
        await self.azure.close()
        self._database.close()
