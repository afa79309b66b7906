"""The embedded Azure within the test process, so that tests can put resources and roles straight into it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import secrets
import subprocess
import threading
import time
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from azure.identity import ClientSecretCredential

from local.azure.arm import roles
from local.azure.arm.authorize import ASSIGNMENT_TYPE, DEFINITION_TYPE
from local.azure.context import Principal, Resource
from local.azure.daemon import AzureDaemon
from local.azure.daemons import prepare
from local.azure.dataplanes import storage
from local.instance import SUBSCRIPTION_ID, TENANT_ID, Instance
from tests import programs
from tests.conftest import _claim

T = TypeVar("T")


ROLES: dict[str, dict[str, list[str]]] = {}
"""Permissions of roles that are not built in, by name: a test that needs one adds it."""


class Embedded:
    """The daemon on an event loop of its own thread."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/data-planes"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

        async def make() -> AzureDaemon:
            daemon = AzureDaemon(instance)
            await daemon.start()
            return daemon

        self.daemon = self.run(make())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        waiting: concurrent.futures.Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return waiting.result(60)

    def stop(self) -> None:
        self.run(self.daemon.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def put(self, provider: str, name: str, body: dict[str, Any]) -> Resource:
        """Bring a resource about, as ARM does after validating it.

        provider, name: e.g. "Microsoft.KeyVault/vaults/keys" and "kv-x/signing".
        """
        namespace, *types = provider.split("/")
        names = name.split("/")
        if len(types) > 2 and len(names) < len(types):
            names.insert(1, "default")  # as in storageAccounts/x/blobServices/default/containers/y
        pairs = zip(types, names, strict=True)
        identity = "/".join([f"{self.group}/providers/{namespace}", *(part for pair in pairs for part in pair)])
        resource = Resource(identity, identity.rsplit("/", 1)[-1], provider, {"location": "westeurope", **body})

        async def put() -> Resource:
            lifecycle = self.daemon.lifecycle
            async with lifecycle.exclusive(resource.id):
                await lifecycle.put(resource, lifecycle.store.get(resource.id), wait=True)
            found = lifecycle.store.get(resource.id)
            assert found is not None
            return found

        return self.run(put())

    def act(self, resource: Resource, action: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A POST action of a resource."""
        return self.run(self.daemon.lifecycle.behaviour(resource.type).act(resource, action, body or {}))

    def delete(self, resource: Resource) -> None:
        async def delete() -> None:
            async with self.daemon.lifecycle.exclusive(resource.id):
                await self.daemon.lifecycle.delete(resource, wait=True)

        self.run(delete())

    def identity(self, *granted: tuple[str, str]) -> Identity:
        """A new service principal with roles. granted: (built-in role's name, scope)."""
        secret = secrets.token_urlsafe(16)

        async def make() -> Principal:
            return self.daemon.directory.add(f"test-{uuid.uuid4().hex[:6]}", "ServicePrincipal", secret=secret)

        identity = Identity(self, self.run(make()), secret)
        for role, scope in granted:
            identity.grant(role, scope)
        return identity


class Identity:
    """A service principal of a test."""

    def __init__(self, embedded: Embedded, principal: Principal, secret: str) -> None:
        self._embedded, self.principal, self.secret = embedded, principal, secret
        self.credential = ClientSecretCredential(
            TENANT_ID,
            str(principal.client_id),
            secret,
            authority=f"https://{embedded.instance.arm}",
            disable_instance_discovery=True,
            connection_verify=str(embedded.instance.ca_bundle),
        )

    def grant(self, role: str, scope: str) -> Resource:
        guid = next((each for each, body in roles.built_in().items() if body["roleName"] == role), None)
        guid = guid or self._custom(role)
        name = str(uuid.uuid4())
        body = {"properties": {"principalId": self.principal.object_id, "roleDefinitionId": guid, "scope": scope}}
        resource = Resource(f"{scope}/providers/{ASSIGNMENT_TYPE}/{name}", name, ASSIGNMENT_TYPE, body)

        async def put() -> None:
            self._embedded.daemon.lifecycle.store.put(resource)

        self._embedded.run(put())
        return resource

    def _custom(self, role: str) -> str:
        guid = str(uuid.uuid5(uuid.NAMESPACE_URL, role))
        body = {"properties": {"roleName": role, "permissions": [ROLES[role]]}}

        async def put() -> None:
            store = self._embedded.daemon.lifecycle.store
            store.put(Resource(f"/providers/{DEFINITION_TYPE}/{guid}", guid, DEFINITION_TYPE, body))

        self._embedded.run(put())
        return guid

    def revoke(self, assignment: Resource) -> None:
        async def remove() -> None:
            self._embedded.daemon.lifecycle.store.remove(assignment.id)

        self._embedded.run(remove())


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance apart from the session's, on which a daemon of its own may run."""
    folder = tmp_path_factory.mktemp("data-planes")
    base, claim = _claim(folder)
    fresh = Instance(folder, base)
    fresh.keep()
    yield fresh
    claim.close()


@pytest.fixture(scope="session")
def embedded(instance: Instance) -> Iterator[Embedded]:
    prepare(instance, programs.known())
    running = Embedded(instance)
    yield running
    running.stop()


class Backend:
    """Azurite as its Daemon says it is started."""

    def __init__(self, instance: Instance, tools: dict[str, str]) -> None:
        (self.daemon,) = storage.daemons(instance, tools)
        self._log = instance.logs / "azurite.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self.daemon.argv, env={**os.environ, **self.daemon.environment}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while not self.daemon.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Azurite did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def azurite(embedded: Embedded) -> Iterator[Backend]:
    backend = Backend(embedded.instance, programs.needed("azurite", "node"))
    yield backend
    backend.kill()
