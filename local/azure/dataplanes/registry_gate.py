"""Writes to the backend's storage: many at once, but none while it is swept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """A readers-writer lock in which pushes are the readers and a sweep is the writer.

    patience: seconds that a sweep waits for the writes under way.
    """

    def __init__(self, patience: float = 60) -> None:
        self._patience = patience
        self._changed = asyncio.Condition()
        self._writing, self._sweeping = 0, False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Held by a request that writes."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._sweeping)
            self._writing += 1
        try:
            yield
        finally:
            async with self._changed:
                self._writing -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Held by a sweep; new writes wait for its end, it waits for those under way.

        Raises TimeoutError when those do not end: a stalled upload must not keep everyone else from pushing.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: not self._sweeping)
            self._sweeping = True
        try:
            async with asyncio.timeout(self._patience), self._changed:
                await self._changed.wait_for(lambda: not self._writing)
            yield
        finally:
            async with self._changed:
                self._sweeping = False
                self._changed.notify_all()
