"""Graph client: finds, makes, changes and deletes objects of a tenant over Microsoft Graph (v1.0 and beta)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from components.pipeline_credential import credential

SCOPE = "https://graph.microsoft.com/.default"
_PATIENCE = 90.0
"""Seconds: Graph's copies of a directory agree after a while; until then a fresh object is not known everywhere."""
_BUSY = {408, 429, 500, 502, 503, 504}
_NOT_YET = {400, 404}
_ADVICE = {
    401: "Sign in anew; a pipeline needs a federated credential at an application of that tenant (docs/deploy.md)",
    403: "The application lacks a permission of Graph, or an administrator's consent to it (docs/deploy.md)",
}


class GraphError(RuntimeError):
    """Graph refused; the message names request, status, and Graph's own code and message."""


class GraphClient:
    """One tenant. Use as a context manager.

    endpoint: base URL, "https://graph.microsoft.com" in Azure's public cloud. client_id: see ``pipeline_credential``.
    """

    def __init__(self, endpoint: str, tenant_id: str, client_id: str | None) -> None:
        self._http = httpx.Client(base_url=endpoint, verify=ssl.create_default_context(), timeout=60)
        self._tenant, self._client = tenant_id, client_id
        self._credential = credential(tenant_id, client_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        """An object; None where there is none. Raises GraphError."""
        answer = self._send("GET", path)
        return None if answer.status_code == 404 else _checked(answer).json()

    def list(self, path: str) -> list[Any]:
        """Every object of a collection, page after page. Raises GraphError."""
        found: list[Any] = []
        following: str | None = path
        while following:
            page = _checked(self._send("GET", following)).json()
            found += page["value"]
            following = page.get("@odata.nextLink")
        return found

    def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Makes an object. Only what is lost on the way is for the caller to find out. Raises GraphError."""
        return _checked(self._send("POST", path, body, patient=True))

    def patch(self, path: str, body: Mapping[str, Any], *, create: bool = False) -> httpx.Response:
        """Changes an object. create: makes it where there is none, by an alternate key. Raises GraphError."""
        headers = {"Prefer": "create-if-missing"} if create else {}
        return _checked(self._send("PATCH", path, body, headers, patient=not create))

    def delete(self, path: str) -> None:
        """Deletes an object; nothing happens where there is none. Raises GraphError."""
        answer = self._send("DELETE", path)
        if answer.status_code != 404:
            _checked(answer)

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        patient: bool = False,
    ) -> httpx.Response:
        """Asks again while Graph is busy; with patience also while what the request refers to is not known yet."""
        pause, until = 1.0, time.monotonic() + _PATIENCE
        while True:
            token = self._credential.get_token(SCOPE, tenant_id=self._tenant).token
            answer = self._http.request(
                method, path, json=body, headers={**(headers or {}), "Authorization": f"Bearer {token}"}
            )
            again = answer.status_code in _BUSY or (patient and _refers_to_nothing(answer))
            if not again or time.monotonic() + pause > until:
                return answer
            time.sleep(float(answer.headers.get("Retry-After") or pause))
            pause = min(pause * 2, 15)


def _refers_to_nothing(answer: httpx.Response) -> bool:
    if answer.status_code not in _NOT_YET:
        return False
    said = answer.text.lower()
    return any(each in said for each in ("does not exist", "does not reference", "was not found", "could not be found"))


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        error = answer.json()["error"]
        said = f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        said = answer.reason_phrase
    advice = _ADVICE.get(answer.status_code)
    raise GraphError(
        f"Graph: {answer.request.method} {answer.request.url.path} was answered {answer.status_code}, {said}"
        + (f" {advice}." if advice else "")
    )


def same(one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether two objects agree in properties, given by dotted paths."""
    return all(_at(one, name) is not None and _at(one, name) == _at(other, name) for name in names)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
