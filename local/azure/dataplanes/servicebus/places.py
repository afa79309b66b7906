"""Where messages wait: a queue or subscription, or its dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.dataplanes.servicebus.entities import Queue


@dataclass(frozen=True)
class Place:
    """One of the two. sessions are for the former only."""

    queue: Queue
    dead: bool = False

    @property
    def key(self) -> tuple[str, bool]:
        """Which place it is, whatever its entity's present properties."""
        return self.queue.key, self.dead

    @property
    def sessions(self) -> bool:
        """Whether its messages are received session by session."""
        return self.queue.sessions and not self.dead
