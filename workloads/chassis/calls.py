"""Calls to another service: bounded in time, retried where that is safe, on behalf of the user."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Any

import httpx
import structlog
from fastapi import Request
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from workloads.chassis import correlation, problems
from workloads.chassis.identity import ACTING_FOR, User
from workloads.chassis.problems import Problem

PSU_ADDRESS = "PSU-IP-Address"
"""Header between services: the address of the person who asked for this call; absent when nobody did."""


def person_address(request: Request) -> str:
    """The address of the person who asks: as the gateway tells it (PSU-IP-Address), else the caller's own.

    Raises Problem 422 when it is no address.
    """
    told = request.headers.get(PSU_ADDRESS) or (request.client.host if request.client else "")
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        raise Problem(422, "invalid-request", f"{PSU_ADDRESS} is not an IP address.") from None


_SAFE = frozenset({"GET", "DELETE"})
_PASSING = frozenset({502, 503, 504})
_ATTEMPTS = 3
_log = structlog.get_logger(__name__)


class _PassingFault(Exception):
    """Worth another attempt."""


def trust(roots: str | None) -> ssl.SSLContext:
    """TLS that verifies servers against a PEM file of roots, or the system's."""
    return ssl.create_default_context(cafile=roots)


class ServiceClient:
    """Another service of ours.

    name: for people, in errors. base: its URL. timeout: seconds for a whole answer to arrive between two bytes.
    """

    def __init__(self, name: str, base: str, tls: ssl.SSLContext, timeout: float = 30) -> None:
        self.name = name
        limits = httpx.Timeout(timeout, connect=3)
        self._http = httpx.Client(base_url=base, verify=tls, timeout=limits, follow_redirects=False)

    def call(self, method: str, path: str, user: User, *, attended_from: str | None = None, **options: Any) -> Any:
        """The JSON body of the answer, None when there is none.

        attended_from: address of the person who asked for this call. options: as httpx takes them (json, params).
        Raises Problem: the other service's own where it refuses (4xx), 502 when it fails, 503 when it can't be reached.
        """
        response = self._answer(method, path, user, attended_from, options)
        return response.json() if response.content else None

    def fetch(self, path: str, user: User, *, attended_from: str | None = None, **options: Any) -> bytes:
        """The body of the answer to a GET, whatever it is, not looked into. Otherwise as ``call``."""
        return self._answer("GET", path, user, attended_from, options).content

    def _answer(
        self, method: str, path: str, user: User, attended_from: str | None, options: dict[str, Any]
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {user.token}", **correlation.outgoing()}
        if user.acting:
            headers[ACTING_FOR] = str(user.id)
        if attended_from:
            headers[PSU_ADDRESS] = attended_from
        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS if method in _SAFE else 1),
            wait=wait_random_exponential(0.1, max=1),
            retry=retry_if_exception_type((_PassingFault, httpx.TransportError)),
            reraise=True,
        )
        try:
            response = attempts(self._once, method, path, headers, options)
        except (_PassingFault, httpx.HTTPError) as error:
            _log.warning("call failed", service_called=self.name, method=method, error=type(error).__name__)
            raise Problem(503, f"{self.name}-unreachable", f"The {self.name} service does not answer now.") from None
        return self._accepted(response)

    def _once(self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        response = self._http.request(method, path, headers=headers, **options)
        if response.status_code in _PASSING and method in _SAFE and not _is_problem(response):
            raise _PassingFault
        return response

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        told = response.json() if _is_problem(response) else {}
        if told and (response.status_code < 500 or response.status_code in _PASSING):
            extra = {k: v for k, v in told.items() if k not in {"type", "title", "status", "detail", "instance"}}
            kind = str(told.get("type", "")).rpartition("/")[2] or "refused"
            raise Problem(response.status_code, kind, str(told.get("detail", "")), **extra)
        _log.warning("call failed", service_called=self.name, status=response.status_code)
        raise Problem(502, f"{self.name}-failed", f"The {self.name} service failed.")

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


def _is_problem(response: httpx.Response) -> bool:
    return response.headers.get("content-type", "").startswith(problems.MEDIA_TYPE)
