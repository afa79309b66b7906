"""HTTP to an embedded Azure: metadata, client-secret tokens, and connections that are kept open.

Formats: ``/metadata/endpoints`` 2022-09-01; OAuth 2.0 client credentials (RFC 6749, 4.4). What is asked again follows
the official plugin: pulumi-azure-native, provider/pkg/azure/client_azcore.go.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import tenacity
import urllib3

from local.plugins.azure_native.settings import Settings
from local.plugins.provider import ProviderError

_CONNECTIONS = 32
_EARLY = 120  # seconds before its expiry that a token is renewed
_ATTEMPTS = 4
_LONGEST_PAUSE = 8.0
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class NoAnswer(ProviderError):
    """A request that got no answer: whether it was carried out is not known."""


def _asks_again(answer: urllib3.BaseHTTPResponse) -> bool:
    busy = answer.status == 409 and (_json(answer.data).get("error") or {}).get("code") == "AnotherOperationInProgress"
    return busy or answer.status in _AGAIN


def _pause(state: tenacity.RetryCallState, first: float) -> float:
    """Seconds until the next attempt: what the answer asks for, else the first pause, then twice the one before."""
    answer = None if state.outcome is None or state.outcome.failed else state.outcome.result()
    if answer is not None and (asked := answer.headers.get("retry-after-ms")):
        return min(float(asked) / 1000, _LONGEST_PAUSE)
    if answer is not None and (asked := answer.headers.get("Retry-After", "")).isdecimal():
        return min(float(asked), _LONGEST_PAUSE)
    return first * 2 ** (state.attempt_number - 1)


class Endpoint:
    """An ARM endpoint as one service principal sees it; safe to use from several threads."""

    def __init__(self, settings: Settings, roots: str | None = None, cancelled: threading.Event | None = None) -> None:
        """roots: PEM file of trusted roots, by default what SSL_CERT_FILE names. cancelled: ends every pause."""
        _require_loopback(settings.metadata_host)
        self.settings, self._cancelled = settings, cancelled or threading.Event()
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=_CONNECTIONS,
            block=False,
            ssl_context=ssl.create_default_context(cafile=roots),
            retries=False,
        )
        self._lock = threading.Lock()
        self._cloud: dict[str, Any] | None = None
        self._tokens: dict[str, tuple[str, float]] = {}

    @property
    def cloud(self) -> dict[str, Any]:
        """What the metadata endpoint says. Raises ProviderError when it can't be reached."""
        with self._lock:
            if self._cloud is None:
                url = f"https://{self.settings.metadata_host}/metadata/endpoints?api-version=2022-09-01"
                answer = self._send("GET", url, {}, None, 30)
                if answer.status != 200:
                    raise ProviderError(f"{url} answered {answer.status}; it does not look like an Azure.")
                self._cloud = json.loads(answer.data)
            return self._cloud

    @property
    def manager(self) -> str:
        """Base URL of the resource manager."""
        url = str(self.cloud["resourceManager"]).rstrip("/")
        _require_loopback(urlsplit(url).netloc)
        return url

    def token(self, audience: str | None = None) -> str:
        """A bearer token for an audience, by default the resource manager's. Raises ProviderError when refused."""
        wanted = (audience or str(self.cloud["authentication"]["audiences"][0])).rstrip("/")
        with self._lock:
            kept = self._tokens.get(wanted)
            if kept and kept[1] - _EARLY > time.time():
                return kept[0]
            token, lifetime = self._sign_in(wanted)
            self._tokens[wanted] = token, time.time() + lifetime
            return token

    def _sign_in(self, audience: str) -> tuple[str, float]:
        assert self._cloud is not None  # noqa: S101  # token() read it before
        login = str(self._cloud["authentication"]["loginEndpoint"]).rstrip("/")
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "scope": f"{audience}/.default",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{login}/{self.settings.tenant_id}/oauth2/v2.0/token"
        answer = self._send("POST", url, headers, urlencode(form).encode(), 30)
        body = _json(answer.data)
        if answer.status != 200 or "access_token" not in body:
            reason = body.get("error_description") or body.get("error") or f"HTTP {answer.status}"
            raise ProviderError(
                f"Signing in at {login} as client {self.settings.client_id} failed: {reason} "
                "Check ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID."
            )
        return body["access_token"], float(body.get("expires_in", 3600))

    def request(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None, seconds: float = 120
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Status, body and headers of an ARM answer. path: below the manager, or a whole URL of it.

        Raises ProviderError when there is no answer.
        """
        whole = path.startswith("https://")
        if whole:
            _require_loopback(urlsplit(path).netloc)
        url = path if whole else self.manager + quote(path, safe="/")
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        headers = {"Authorization": f"Bearer {self.token()}", "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        answer = self._send(method, url, headers, data, seconds)
        return answer.status, _json(answer.data), answer.headers

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> urllib3.BaseHTTPResponse:
        """The answer, asked for again while that may help. Raises NoAnswer."""
        persistently = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS) | tenacity.stop_after_delay(seconds),
            wait=lambda state: _pause(state, self.settings.pause),
            retry=tenacity.retry_if_result(_asks_again) | tenacity.retry_if_exception_type(NoAnswer),
            # The last answer is the answer, and the last failure the error.
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
            sleep=tenacity.sleep_using_event(self._cancelled),
        )
        return persistently(self._send_once, method, url, headers, body, seconds)

    def _send_once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(method, url, headers=headers, body=body, timeout=seconds, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            parts = urlsplit(url)
            raise NoAnswer(
                f"{method} {parts.path} got no answer from {parts.netloc}: {_reason(error)}. "
                "Is the embedded Azure running (`make up`), and does SSL_CERT_FILE name its CA bundle (`make env`)?"
            ) from error


def _require_loopback(host: str) -> None:
    name = urlsplit(f"//{host}").hostname or ""
    try:
        fine = ipaddress.ip_address(name).is_loopback
    except ValueError:
        fine = name == "localhost"
    if not fine:
        raise ProviderError(
            f"The stand-in for azure-native talks to an embedded Azure on loopback only, not to {name!r}. "
            "For a real one install the official plugin: `pulumi plugin install resource azure-native`."
        )


def _json(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {"value": body}


def _reason(error: Exception) -> str:
    inner: BaseException = error
    while inner.__cause__ or getattr(inner, "reason", None):
        following = inner.__cause__ or getattr(inner, "reason", None)
        if not isinstance(following, BaseException) or following is inner:
            break
        inner = following
    return str(inner) or type(inner).__name__
