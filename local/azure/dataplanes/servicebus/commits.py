"""Group commit: what happened in one turn of the event loop is made durable together, then acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from local.azure.dataplanes.servicebus.store import MessageStore

_LOG = logging.getLogger(__name__)


class Commits:
    """Runs actions after the transaction that they depend on is on disk."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._actions: list[Callable[[], None]] = []
        self._scheduled = False

    def after(self, action: Callable[[], None]) -> None:
        """Run an action once everything written so far is durable."""
        self._actions.append(action)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Commit, then run what waited for it. A commit that fails ends the process: nothing was acknowledged."""
        self._scheduled = False
        self._store.commit()
        actions, self._actions = self._actions, []
        for action in actions:
            try:
                action()
            except Exception:  # one connection's failure must not cost the others their acknowledgements
                _LOG.exception("an acknowledgement could not be sent")
