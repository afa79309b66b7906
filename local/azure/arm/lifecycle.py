"""Brings resources about and takes them down: store, behaviours, locks, long-running operations."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from local.azure.arm.identities import Identities
from local.azure.arm.ids import canonical
from local.azure.arm.operations import Operation, Operations
from local.azure.arm.provisioning import Provisioning
from local.azure.arm.soft_delete import Deleted
from local.azure.arm.store import LocalStore, merged
from local.azure.arm.types import by_path
from local.azure.context import ArmError, Azure, Behaviour, Resource

_log = logging.getLogger(__name__)


class Lifecycle:
    """Runs every change of a resource; changes of one resource follow each other."""

    def __init__(
        self, azure: Azure, store: LocalStore, identities: Identities, behaviours: Mapping[str, Behaviour]
    ) -> None:
        self._azure, self.store, self.identities, self._behaviours = azure, store, identities, behaviours
        self.deleted = Deleted(store)
        self.operations = Operations(store.database)
        self.provisioning = Provisioning()
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    def behaviour(self, type_name: str) -> Behaviour:
        """The behaviour of a type; the plain one where no module defines it."""
        return self._behaviours.get(type_name.lower()) or Behaviour(self._azure)

    @asynccontextmanager
    async def exclusive(self, resource_id: str) -> AsyncIterator[None]:
        """One change of a resource at a time."""
        async with self._locks[canonical(resource_id)]:
            yield

    async def put(self, resource: Resource, previous: Resource | None, *, wait: bool) -> Operation:
        """Keep a resource and bring it about; call within ``exclusive``.

        wait: end before returning, and raise what went wrong; otherwise go on in the background.
        """
        state = "Updating" if previous else "Creating"
        with self.store.transaction():
            operation = self.operations.start("put", resource.id, previous.body if previous else None)
            self.store.put(_with_state(_with_outputs(resource, previous), state))
        if wait:
            await self._bring_about(operation, previous, keep_failed=False)
        else:
            self._spawn(self._later(operation, previous))
        return operation

    async def delete(self, resource: Resource, *, wait: bool) -> Operation:
        """Take a resource and everything below it down, likewise."""
        with self.store.transaction():
            operation = self.operations.start("delete", resource.id, None)
            self.store.put(_with_state(resource, "Deleting"))
        if wait:
            await self._take_down(operation)
        else:
            self._spawn(self._later(operation, None))
        return operation

    async def resume(self) -> None:
        """After a restart: open what was open, and go on with what was interrupted."""
        self.operations.forget_old()
        for resource in self.store.under("/"):
            try:
                await self.behaviour(resource.type).restore(resource)
            except Exception:
                _log.exception("restoring %s failed", resource.id)
        for operation in self.operations.unfinished():
            previous = None
            if operation.previous is not None and (now := self.store.get(operation.resource)):
                previous = Resource(now.id, now.name, now.type, operation.previous)
            self._spawn(self._later(operation, previous))

    async def settle(self, seconds: float) -> None:
        """Wait for what runs in the background, then stop it: the next daemon goes on with it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: asyncio.Future[None] | object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]  # a coroutine
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, operation: Operation, previous: Resource | None) -> None:
        async with self.exclusive(operation.resource):
            try:
                if operation.kind == "put":
                    await self._bring_about(operation, previous, keep_failed=True)
                else:
                    await self._take_down(operation)
            except ArmError as error:
                _log.warning("%s of %s failed: %s %s", operation.kind, operation.resource, error.code, error.message)

    async def _bring_about(self, operation: Operation, previous: Resource | None, *, keep_failed: bool) -> None:
        resource = self.store.get(operation.resource)
        if resource is None:  # its creation and its deletion were both interrupted
            self.operations.finish(operation.id)
            return
        try:
            resource = await self.identities.assign(resource)
            self.store.put(resource)
            if previous is None:
                await self.provisioning.created(resource.type)
            outputs = await self.behaviour(resource.type).put(resource, previous)
        except Exception as error:
            failure = _as_failure(error, resource.id)
            with self.store.transaction():
                self.operations.finish(operation.id, failure)
                if keep_failed:
                    self.store.put(_with_state(self.store.get(resource.id) or resource, "Failed"))
                elif previous is None:
                    self.store.remove(resource.id)
                else:
                    self.store.put(previous)
            raise failure from error
        with self.store.transaction():
            now = self.store.get(resource.id) or resource  # the behaviour may have merged outputs itself
            if outputs:
                properties = merged(now.properties, outputs)
                now = Resource(now.id, now.name, now.type, {**now.body, "properties": properties})
            self.store.put(_with_state(now, "Succeeded"))
            self.operations.finish(operation.id)

    async def _take_down(self, operation: Operation) -> None:
        try:
            below = self.store.under(operation.resource)
            for child in sorted(below, key=lambda each: each.id.count("/"), reverse=True):
                await self._remove(child, [each for each in below if each.id.startswith(child.id + "/")])
            resource = self.store.get(operation.resource)
            if resource is not None:
                await self._remove(resource, below)
        except Exception as error:
            failure = _as_failure(error, operation.resource)
            with self.store.transaction():
                self.operations.finish(operation.id, failure)
                if now := self.store.get(operation.resource):
                    self.store.put(_with_state(now, "Failed"))
            raise failure from error
        self.operations.finish(operation.id)

    async def _remove(self, resource: Resource, below: list[Resource]) -> None:
        await self.behaviour(resource.type).delete(resource)
        kind = by_path(resource.id)
        with self.store.transaction():
            if kind and kind.soft_delete:
                self.deleted.keep(resource, below)
            self.identities.forget(resource.id)
            self.store.remove(resource.id)


def _as_failure(error: Exception, resource_id: str) -> ArmError:
    if isinstance(error, ArmError):
        return error
    _log.error("%s failed", resource_id, exc_info=error)
    return ArmError(500, "InternalServerError", f"{resource_id} failed: {type(error).__name__}; see the daemon's log.")


def _with_outputs(resource: Resource, previous: Resource | None) -> Resource:
    """A resource with what Azure said of it before: data planes go on serving it while it is updated."""
    kind = by_path(resource.id)
    if kind is None or previous is None:
        return resource
    said = {each.wire for each in kind.shape.by_path.values() if each.read_only and each.where == "properties"}
    kept = {name: value for name, value in previous.properties.items() if name in said}
    body = {**resource.body, "properties": {**kept, **resource.properties}}
    return Resource(resource.id, resource.name, resource.type, body)


def _with_state(resource: Resource, state: str) -> Resource:
    kind = by_path(resource.id)
    if kind is None or not kind.has_state:
        return resource
    body = {**resource.body, "properties": {**resource.properties, "provisioningState": state}}
    return Resource(resource.id, resource.name, resource.type, body)
