"""People's accounts at the identity provider, over Microsoft Graph v1.0: their names, and their end.

https://learn.microsoft.com/graph/api/resources/user. One GET, one PATCH and two DELETEs: Microsoft's SDK brings
thousands of models for them. A name is handed through, never kept or logged here; no error says whose account it is
about.
"""

from __future__ import annotations

import datetime
import ssl
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import structlog
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

SCOPE = "https://graph.microsoft.com/.default"
"""What a token is asked for, wherever Graph is: it is the resource's name, no address."""
_CONNECT_SECONDS, _ANSWER_SECONDS = 3, 10
_ATTEMPTS = 3
_GONE = frozenset({204, 404})
_log = structlog.get_logger(__name__)


class Unavailable(Exception):
    """Graph can't be asked now. after: when it wants to be asked again, where it says so."""

    def __init__(self, reason: str, after: datetime.timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class _PassingFault(Exception):
    """Worth another attempt at once."""


class Directory:
    """The tenant's accounts. url: of Graph, without version. token: gives a token for ``SCOPE``, of an application's.

    Each operation raises Unavailable where Graph does not do it, whatever the reason: a permission that is missing, a
    quota, no answer. All of them pass.
    """

    def __init__(self, url: str, tls: ssl.SSLContext, token: Callable[[], str]) -> None:
        limits = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/v1.0", verify=tls, timeout=limits, follow_redirects=False
        )
        self._token = token

    def name(self, account: uuid.UUID) -> str | None:
        """The display name; None where there is no such account, or none is given."""
        answer = self._ask("GET", f"/users/{account}", {200, 404}, params={"$select": "displayName"})
        try:
            found = answer.json()["displayName"] if answer.is_success else None
        except (ValueError, KeyError, TypeError):
            raise Unavailable("its answer is no user") from None
        return found if isinstance(found, str) else None

    def rename(self, account: uuid.UUID, name: str) -> bool:
        """Change the display name; whether there is such an account."""
        return self._ask("PATCH", f"/users/{account}", _GONE, json={"displayName": name}).is_success

    def delete(self, account: uuid.UUID) -> None:
        """Delete an account for good; nothing happens where it is gone. It may be asked again after each failure."""
        deleted = self._ask("DELETE", f"/users/{account}", _GONE).is_success
        # Else it can be had back for 30 days (learn.microsoft.com/graph/api/directory-deleteditems-delete).
        for_good = self._ask("DELETE", f"/directory/deletedItems/{account}", _GONE).is_success
        if deleted and not for_good:
            raise Unavailable("what was deleted is not among the deleted items yet")

    def _ask(self, method: str, path: str, taken: frozenset[int] | set[int], **options: Any) -> httpx.Response:
        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(0.1, max=1),
            retry=retry_if_exception_type((_PassingFault, httpx.TransportError)),
            reraise=True,
        )
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        try:
            answer = attempts(self._once, method, path, headers, options)
        except (_PassingFault, httpx.HTTPError) as error:
            raise _unavailable(str(error) if isinstance(error, _PassingFault) else type(error).__name__) from None
        if answer.status_code not in taken:
            raise _unavailable(f"status {answer.status_code}", _after(answer.headers.get("Retry-After")))
        return answer

    def _once(self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        answer = self._http.request(method, path, headers=headers, **options)
        if answer.status_code >= 500 and "Retry-After" not in answer.headers:
            raise _PassingFault(f"status {answer.status_code}")
        return answer

    def _bearer(self) -> str:
        from azure.core.exceptions import AzureError

        try:
            return self._token()
        except (AzureError, OSError, ValueError) as error:  # the last two of a token file that is not there, or named
            raise _unavailable(f"no token: {type(error).__name__}") from None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


def _unavailable(reason: str, after: datetime.timedelta | None = None) -> Unavailable:
    _log.warning("the directory can't be asked", reason=reason)
    return Unavailable(reason, after)


def _after(told: str | None) -> datetime.timedelta | None:
    return datetime.timedelta(seconds=int(told)) if told and told.isdigit() else None
