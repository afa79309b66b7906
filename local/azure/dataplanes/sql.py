"""The Azure SQL data plane: the PostgreSQL cluster as a daemon, and one TLS proxy for each server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from local.azure.context import Azure, DataPlane, Principal, Resource
from local.azure.dataplanes import sql_cluster
from local.azure.dataplanes.sql_admin import ClusterAdmin
from local.azure.dataplanes.sql_proxy import SqlProxy
from local.daemon import Daemon
from local.instance import Instance

AUDIENCES = ("https://database.windows.net", "https://database.windows.net/")


class SqlPlane:
    """The servers of one embedded Azure: who serves which port, and the way into the cluster."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._backend = sql_cluster.Socket(azure.instance)
        self._proxies: dict[str, SqlProxy] = {}
        self.admin = ClusterAdmin(self._backend)

    async def start(self) -> None:
        """Nothing: servers are opened as ARM restores them."""

    async def stop(self) -> None:
        """Close every server's listener and sessions."""
        for key in list(self._proxies):
            await self.close(key)
        self._backend.close()

    async def open(self, server: Resource) -> int:
        """Serve a server on its port, which is answered; once, however often it is asked for."""
        key, port = server.id.lower(), self._azure.store.port(server.id)
        if key not in self._proxies:
            tls = self._azure.server_tls()
            # The context may be shared with HTTPS listeners: their clients offer no such protocol and see no change.
            tls.set_alpn_protocols(["postgresql"])
            proxy = SqlProxy(
                server.name,
                self._backend,
                tls,
                self._verify,
                lambda: self._administrator(server.id),
            )
            await proxy.start(port)
            self._proxies[key] = proxy
        self._azure.endpoints[f"SQL server {server.name}"] = f"127.0.0.1:{port}"
        return port

    async def remove(self, server: Resource) -> None:
        """End a server for good: its listener, its sessions, its port, its databases and roles."""
        await self.close(server.id)
        await self.admin.drop_server(server.name)
        self._azure.store.release(server.id)
        self._azure.endpoints.pop(f"SQL server {server.name}", "")

    async def close(self, server_id: str) -> None:
        """End a server's listener and sessions; nothing when it has none."""
        proxy = self._proxies.pop(server_id.lower(), None)
        if proxy is not None:
            await proxy.stop()

    def _verify(self, token: str) -> Principal:
        return self._azure.directory.verify(token, AUDIENCES)

    def _administrator(self, server_id: str) -> str | None:
        server = self._azure.store.get(server_id)
        return (server.properties.get("administrators") or {}).get("sid") if server else None


_planes: dict[int, tuple[Azure, SqlPlane]] = {}


def plane(azure: Azure) -> SqlPlane:
    """The one SQL data plane of an embedded Azure: its behaviours and its daemon ask for the same."""
    return _planes.setdefault(id(azure), (azure, SqlPlane(azure)))[1]


def data_planes(azure: Azure) -> list[DataPlane]:
    """What the embedded Azure starts and stops with itself."""
    return [plane(azure)]


def prepare(instance: Instance, tools: Mapping[str, str]) -> None:
    """Make the cluster's files before its daemon is started."""
    if "postgres" in tools:
        sql_cluster.prepare(instance, Path(tools["postgres"]))


def daemons(instance: Instance, tools: Mapping[str, str]) -> list[Daemon]:
    """PostgreSQL itself; without it, SQL servers and databases can't be created."""
    return [sql_cluster.daemon(instance, Path(tools["postgres"]))] if "postgres" in tools else []
