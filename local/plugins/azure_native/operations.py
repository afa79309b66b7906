"""ARM operations as the official provider runs them: PUT, GET, DELETE, POST, dry run, and waiting for the end.

Long-running operations: ARM RPC, "asynchronous operations" (Azure-AsyncOperation before Location).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from local.azure.arm.types import Type
from local.plugins.azure_native.endpoint import Endpoint
from local.plugins.provider import ProviderError

_TWO_HOURS = 7200.0  # the official provider's default timeout
_ENDED = {"succeeded", "failed", "canceled", "cancelled"}


class ArmRefused(ProviderError):
    """ARM's refusal, legibly. status: of HTTP. error: ARM's error object."""

    def __init__(self, what: str, status: int, error: Mapping[str, Any]) -> None:
        self.status, self.error = status, error
        lines = [f"{what}: {error.get('code', f'HTTP {status}')}: {error.get('message', 'no message')}"]
        for detail in _details(error):
            target = f"{detail['target']}: " if detail.get("target") else ""
            lines.append(f"  - {target}{detail.get('message', detail.get('code', ''))}")
        super().__init__("\n".join(lines))

    @property
    def code(self) -> str:
        """ARM's error code."""
        return str(self.error.get("code", ""))


class Unfinished(ProviderError):
    """ARM took the request, but the operation failed or did not end in time: the resource may exist."""


class Operations:
    """ARM requests about typed resources. cancelled: ends every waiting."""

    def __init__(self, endpoint: Endpoint, cancelled: threading.Event) -> None:
        self.endpoint, self._cancelled = endpoint, cancelled

    def get(self, kind: Type, resource_id: str) -> dict[str, Any] | None:
        """The resource; None when it is not there. Raises ArmRefused."""
        status, body, _ = self.endpoint.request("GET", resource_id, {"api-version": kind.version})
        if status == 404:
            return None
        if status != 200:
            raise _refused(f"Reading {resource_id}", status, body)
        return body

    def dry_run(self, kind: Type, resource_id: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What is wrong with a request, as ARM's error object; None when nothing is."""
        query = {"api-version": kind.version, "dryRun": "All"}
        status, answer, _ = self.endpoint.request("PUT", resource_id, query, body)
        return None if status == 200 else answer.get("error") or {"code": f"HTTP {status}", "message": str(answer)}

    def put(self, kind: Type, resource_id: str, body: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Bring a resource about and wait until it is there. Raises ArmRefused, Unfinished."""
        deadline = time.monotonic() + (seconds or _TWO_HOURS)
        query = {"api-version": kind.version}
        status, answer, headers = self.endpoint.request("PUT", resource_id, query, body, seconds or _TWO_HOURS)
        if status not in (200, 201, 202):
            raise _refused(f"Writing {resource_id}", status, answer)
        self._wait(f"writing {resource_id}", headers, deadline)
        return self.get(kind, resource_id) or answer

    def delete(self, kind: Type, resource_id: str, seconds: float) -> None:
        """Take a resource down and wait until it is gone; one that is not there is gone. Raises ArmRefused."""
        deadline = time.monotonic() + (seconds or _TWO_HOURS)
        query = {"api-version": kind.version}
        status, answer, headers = self.endpoint.request("DELETE", resource_id, query, None, seconds or _TWO_HOURS)
        if status not in (200, 202, 204, 404):
            raise _refused(f"Deleting {resource_id}", status, answer)
        if status == 202:
            self._wait(f"deleting {resource_id}", headers, deadline)

    def post(self, kind: Type, resource_id: str, action: str, query: Mapping[str, str], body: Any) -> dict[str, Any]:
        """An action's answer. Raises ArmRefused."""
        path = f"{resource_id}/{action}"
        status, answer, headers = self.endpoint.request("POST", path, {"api-version": kind.version, **query}, body)
        if status == 202:
            self._wait(path, headers, time.monotonic() + _TWO_HOURS)
            status, answer, _ = self.endpoint.request("GET", headers["Location"], {})
        if status != 200:
            raise _refused(f"{action} of {resource_id}", status, answer)
        return answer

    def _wait(self, what: str, headers: Mapping[str, str], deadline: float) -> None:
        watched, by_status = headers.get("Azure-AsyncOperation"), True
        if not watched:
            watched, by_status = headers.get("Location"), False
        while watched:
            self._pause(what, headers, deadline)
            status, answer, headers = self.endpoint.request("GET", watched, {})
            if status >= 400:
                raise Unfinished(str(_refused(what, status, answer)))
            if by_status:
                state = str(answer.get("status", "")).lower()
                if state not in _ENDED:
                    continue
                if state != "succeeded":
                    raise Unfinished(str(_refused(what, 409, answer)))
                return
            if status != 202:
                return
            watched = headers.get("Location", watched)

    def _pause(self, what: str, headers: Mapping[str, str], deadline: float) -> None:
        asked = headers.get("retry-after-ms")
        seconds = float(asked) / 1000 if asked else float(headers.get("Retry-After") or 10)
        if time.monotonic() + seconds > deadline:
            raise Unfinished(f"{what} did not end within the timeout. Raise custom_timeouts, or refresh later.")
        if self._cancelled.wait(seconds):
            raise Unfinished(f"{what} was not waited for: the update was cancelled.")


def _refused(what: str, status: int, body: Mapping[str, Any]) -> ArmRefused:
    error = body.get("error")
    return ArmRefused(what, status, error if isinstance(error, dict) else body)


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = [each for each in error.get("details") or [] if isinstance(each, dict)]
    same = len(found) == 1 and found[0].get("message") == error.get("message")
    return [{"target": found[0].get("target"), "code": found[0].get("code")}] if same else found
