"""The broker as a daemon: a listener for each deployed namespace, on an address of its own."""

from __future__ import annotations

import asyncio
import logging
import ssl
import weakref

from local.azure.arm.authorize import LocalAuthorizer
from local.azure.arm.database import connect
from local.azure.arm.store import LocalStore
from local.azure.daemons import authority
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.catalogue import Catalogue
from local.azure.dataplanes.servicebus.connection import ClientConnection, Service
from local.azure.dataplanes.servicebus.daemon import PORT, own_address
from local.azure.dataplanes.servicebus.engine import Engine
from local.azure.dataplanes.servicebus.store import MessageStore
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.keys import signing_key
from local.azure.entra.tokens import Tokens
from local.instance import TENANT_ID, Instance

_LOOK_SECONDS = 0.1
_LOG = logging.getLogger(__name__)


class BrokerServer:
    """Serves an instance's namespaces. Its state folder must have been prepared."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._database = connect(instance.azure / "azure.db")
        store = LocalStore(self._database, instance.dynamic_ports)
        key = signing_key(instance.azure / "signing-key.pem")
        tokens = Tokens(key, TENANT_ID, f"https://{instance.arm}/{TENANT_ID}/v2.0")
        self._directory, self._authorizer = LocalDirectory(self._database, tokens), LocalAuthorizer(store)
        self._broker = Broker(Catalogue(self._database, store), MessageStore(instance.azure / "servicebus.db"))
        self._listeners: dict[str, asyncio.Server] = {}
        self._engines: weakref.WeakSet[Engine] = weakref.WeakSet()
        self._clients: weakref.WeakSet[ClientConnection] = weakref.WeakSet()
        self._follower: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve what is deployed, and follow what will be."""
        self._broker.start()
        await self._listen()
        self._follower = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Close everything."""
        if self._follower is not None:
            self._follower.cancel()
        for listener in self._listeners.values():
            listener.close()
        for engine in list(self._engines):
            engine.close()
        await asyncio.sleep(0)
        self._broker.close()
        self._database.close()

    async def _follow(self) -> None:
        version = self._broker.catalogue.version
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._broker.refresh()
            if version != self._broker.catalogue.version:
                version = self._broker.catalogue.version
                for client in list(self._clients):
                    client.check()
                await self._listen()

    async def _listen(self) -> None:
        wanted = {each.address: each.id for each in self._broker.catalogue.namespaces.values()}
        wanted[own_address(self._instance)] = ""  # no namespace: there it answers whether it is up
        for address in self._listeners.keys() - wanted.keys():
            self._listeners.pop(address).close()
        # Its own address last: who sees the broker up there may use every namespace.
        for address in sorted(wanted.keys() - self._listeners.keys(), key=lambda each: not wanted[each]):
            try:
                self._listeners[address] = await self._open(address, wanted[address])
            except OSError as error:
                _LOG.error("%s:%s can't be listened on: %s", address, PORT, error)  # says it all

    async def _open(self, address: str, namespace: str) -> asyncio.Server:
        catalogue = self._broker.catalogue
        service = Service(self._broker, self._directory, self._authorizer, lambda: catalogue.namespaces.get(namespace))

        def connection() -> Engine:
            engine = Engine(namespace.rsplit("/", 1)[-1], lambda engine: self._client(engine, service))
            self._engines.add(engine)
            return engine

        return await asyncio.get_running_loop().create_server(connection, address, PORT, ssl=self._tls(address))

    def _client(self, engine: Engine, service: Service) -> ClientConnection:
        client = ClientConnection(engine, service)
        self._clients.add(client)
        return client

    def _tls(self, address: str) -> ssl.SSLContext:
        certificate, key = authority(self._instance).issue_files(
            self._instance.azure / "servicebus", address, (address,)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        return context
