"""Faults: how the embedded Azure misbehaves on request, so that a program can be tried against it.

``PUT /faults`` with the token of the subscription's Owner replaces the plan, ``GET /faults`` says what was done so far.
A plan is a JSON list of faults, e.g. ``[{"kind": "lost", "method": "PUT", "path": "/virtualNetworks/", "times": 1}]``:

- ``kind``: see ``KINDS``.
- ``method``: of the requests that it befalls, e.g. "PUT"; every method when left out.
- ``path``: regular expression searched in their path, without case; every path when left out.
- ``times``: how often it befalls each path, 1 when left out.
- ``seconds``: of silence before a connection is closed (timeout), 30 when left out.

A plan is kept in memory only: a daemon that was restarted behaves. Dry runs, sign-ins and ``/faults`` itself are never
befallen.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.azure.context import ArmError

KINDS = {
    "conflict": "409 AnotherOperationInProgress, nothing done",
    "throttled": "429 TooManyRequests with Retry-After, nothing done",
    "error": "500 InternalServerError, nothing done",
    "unavailable": "503 ServiceUnavailable with Retry-After, nothing done",
    "timeout": "silence, then the connection closed, nothing done",
    "lost": "done, and the connection closed instead of an answer",
}
_REFUSALS = {
    "conflict": (409, "AnotherOperationInProgress", "Another operation on this resource is in progress. Retry later."),
    "throttled": (429, "TooManyRequests", "The request is being throttled. Retry after the time in Retry-After."),
    "error": (500, "InternalServerError", "The server encountered an error and could not complete the request."),
    "unavailable": (503, "ServiceUnavailable", "The service is unavailable. Retry after the time in Retry-After."),
}
_PROPERTIES = ("kind", "method", "path", "times", "seconds")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """One entry of a plan; see the module's docstring."""

    kind: str
    method: str | None
    path: re.Pattern[str]
    times: int
    seconds: float

    def befalls(self, request: web.Request) -> bool:
        """Whether a request is one that it is meant for."""
        return self.method in (None, request.method) and self.path.search(request.path) is not None


class Faults:
    """The plan of faults, and how often each befell each request so far."""

    def __init__(self) -> None:
        self._plan: list[Fault] = []
        self._done: Counter[tuple[int, str, str]] = Counter()

    def plan(self, given: Any) -> None:
        """Replace the plan. Raises ArmError 400 naming the entry, its property, and what is allowed."""
        if not isinstance(given, list):
            raise _wrong("a plan is a list of faults")
        self._plan = [_read(index, each) for index, each in enumerate(given)]
        self._done.clear()

    def told(self) -> dict[str, Any]:
        """What was done so far: a line for each fault and request."""
        return {
            "value": [
                {"kind": self._plan[index].kind, "method": method, "path": path, "times": times}
                for (index, method, path), times in self._done.items()
            ]
        }

    def _next(self, request: web.Request) -> Fault | None:
        if request.query.get("dryRun"):
            return None
        for index, fault in enumerate(self._plan):
            key = (index, request.method, request.path)
            if fault.befalls(request) and self._done[key] < fault.times:
                self._done[key] += 1
                return fault
        return None

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or fail it as the plan says. Raises ArmError for a fault with an answer."""
        fault = self._next(request) if self._plan else None
        if fault is None:
            return await handler(request)
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "lost":
            with contextlib.suppress(ArmError):  # a refusal is lost, too
                await handler(request)
        else:
            raise ArmError(*_REFUSALS[fault.kind])
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("closed instead of an answer, as the plan of faults says")


def _read(index: int, given: Any) -> Fault:
    where = f"fault {index}"
    if not isinstance(given, dict):
        raise _wrong(f"{where} is not an object")
    if strange := sorted(set(given) - set(_PROPERTIES)):
        raise _wrong(f"{where} has the property {strange[0]!r}; allowed are {', '.join(_PROPERTIES)}")
    if given.get("kind") not in KINDS:
        raise _wrong(f"{where} has kind {given.get('kind')!r}; allowed are {', '.join(KINDS)}")
    times = given.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise _wrong(f"{where} has times {times!r}; allowed is a whole number from 1 on")
    seconds = given.get("seconds", 30)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds <= 7200:
        raise _wrong(f"{where} has seconds {seconds!r}; allowed is a number above 0, at most 7200")
    try:
        path = re.compile(str(given.get("path", "")), re.IGNORECASE)
    except re.error as error:
        raise _wrong(f"{where} has the path {given['path']!r}, which is no regular expression: {error}") from None
    return Fault(given["kind"], given.get("method"), path, times, seconds)


def _wrong(message: str) -> ArmError:
    return ArmError(400, "InvalidFaults", f"The plan of faults was not changed: {message}.")
