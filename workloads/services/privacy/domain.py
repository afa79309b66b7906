"""The saga of an erasure: in each round every service that holds data answers; after the last one it is complete."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from workloads.chassis.erasure import ROUNDS

HOLDERS = frozenset(
    {
        "account", "budget", "connector", "consent", "document", "enrichment", "forecast", "help", "notification",
        "recurring", "sync", "transaction", "user",
    }
)  # fmt: skip
"""The services that hold rows of users: each must say that it has erased."""

Step = Literal["wait", "next-round", "complete"]


def step(round_: int, answered: Collection[str]) -> Step:
    """What follows once these services have answered in a round."""
    if HOLDERS - set(answered):
        return "wait"
    return "next-round" if round_ < ROUNDS else "complete"
