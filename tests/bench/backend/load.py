"""An open loop: each request is sent when it is due, whether earlier ones were answered or not, so waiting counts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_AT_ONCE = 64


@dataclass(frozen=True)
class Answered(Generic[T]):
    """A request that was answered. took: seconds since it was due. late: of these, before it was sent."""

    request: T
    took: float
    late: float


def offer(requests: Iterator[T], rate: float, seconds: float, send: Callable[[T], object]) -> list[Answered[T]]:
    """Send requests at random times (Poisson), so many a second on average. send: raises what is no answer."""
    waiting: list[Future[Answered[T]]] = []
    draw = random.Random(7)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        start = due = time.perf_counter()
        while (due := due + draw.expovariate(rate)) < start + seconds:
            request = next(requests)
            if (pause := due - time.perf_counter()) > 0:
                time.sleep(pause)
            waiting.append(pool.submit(_answered, request, due, send))
    return [each.result() for each in waiting]


def _answered(request: T, due: float, send: Callable[[T], object]) -> Answered[T]:
    sent = time.perf_counter()
    send(request)
    return Answered(request, time.perf_counter() - due, sent - due)
