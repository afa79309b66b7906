"""Azure Notification Hubs as push service, over its REST API: Microsoft publishes no client for Python.

https://learn.microsoft.com/rest/api/notificationhubs/, version 2020-06, which knows browsers.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx

from workloads.services.notification.push import (
    Address,
    Gone,
    Message,
    Refused,
    Unavailable,
    Unknown,
    bodies,
)

_VERSION = "2020-06"
_FORMATS = {"apns": "apple", "browser": "browser", "fcmv1": "fcmv1"}
_VALID_SECONDS = 300
_CONNECT_SECONDS, _ANSWER_SECONDS = 3, 10
_FAULTS_OF_OURS = {401, 403, 404}
"""A key that was changed and has not arrived here, a quota, a hub that is not there yet: all of them pass."""


@dataclass(frozen=True)
class Rule:
    """A shared access rule, as its connection string tells it. endpoint: https address of the namespace."""

    endpoint: str
    name: str
    key: str = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> Rule:
        """That of a file, which is written anew when the key changes. Raises Unavailable, without its content."""
        try:
            split = (each.partition("=") for each in file.read_text().strip().split(";"))
            parts = {name: value for name, _, value in split}
            endpoint = parts["Endpoint"].replace("sb://", "https://", 1).rstrip("/")
            return cls(endpoint, parts["SharedAccessKeyName"], parts["SharedAccessKey"])
        except (OSError, KeyError) as error:
            raise Unavailable(f"{file.name} is no connection string: {type(error).__name__}") from None

    def signature(self, resource: str) -> str:
        """A shared access signature over a resource (learn.microsoft.com/rest/api/eventhub/generate-sas-token)."""
        target, expiry = quote_plus(resource.lower()), int(time.time()) + _VALID_SECONDS
        signed = hmac.new(self.key.encode(), f"{target}\n{expiry}".encode(), hashlib.sha256).digest()
        signature = quote_plus(base64.b64encode(signed))
        return f"SharedAccessSignature sr={target}&sig={signature}&se={expiry}&skn={quote_plus(self.name)}"


class Hub:
    """A hub. listen, send: files with the connection strings of the two rules; neither may do the other's."""

    def __init__(self, name: str, listen: Path, send: Path, tls: ssl.SSLContext) -> None:
        self._name, self._listen, self._send = name, listen, send
        limits = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(verify=tls, timeout=limits, follow_redirects=False)

    def register(self, address: Address, channel: Any, tags: list[str]) -> None:
        """Create or overwrite the installation: it is of the person who registered last."""
        body = {
            "installationId": str(address.installation), "platform": address.platform, "pushChannel": channel,
            "tags": [*tags, address.tag],
        }  # fmt: skip
        self._accepted(self._ask(self._listen, "PUT", _installation(address), json=body))

    def unregister(self, address: Address) -> None:
        """Delete the installation, unless it is another person's by now."""
        known = self._installation(address)
        if known and address.tag in known["tags"]:
            self._accepted(self._ask(self._listen, "DELETE", _installation(address)))

    def send(self, address: Address, message: Message) -> None:
        """Send to the installation by its person's tag, so that it can reach nobody else's."""
        known = self._installation(address)
        if known is None:
            raise Unknown
        if known.get("expiredPushChannel") or address.tag not in known["tags"]:
            raise Gone
        headers = {
            "ServiceBusNotification-Format": _FORMATS[address.platform], "ServiceBusNotification-Tags": address.tag,
            "Content-Type": "application/json;charset=utf-8",
        }  # fmt: skip
        if address.platform == "apns":
            headers |= {"apns-push-type": "alert", "apns-collapse-id": str(message.id)}
        body = bodies(message)[address.platform]
        self._accepted(self._ask(self._send, "POST", "messages/", headers=headers, json=body))

    def _installation(self, address: Address) -> dict[str, Any] | None:
        answer = self._ask(self._listen, "GET", _installation(address))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._accepted(answer).json()

    def _ask(self, rule: Path, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        signer = Rule.read(rule)
        hub = f"{signer.endpoint}/{self._name}"
        given = {"Authorization": signer.signature(hub), **(headers or {})}
        try:
            return self._http.request(
                method, f"{hub}/{path}", params={"api-version": _VERSION}, headers=given, **options
            )
        except httpx.HTTPError as error:
            raise Unavailable(type(error).__name__) from None

    @staticmethod
    def _accepted(answer: httpx.Response) -> httpx.Response:
        """The answer. Raises Unavailable where it passes, Refused where it does not."""
        status = answer.status_code
        if answer.is_success:
            return answer
        if status in _FAULTS_OF_OURS or status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
            raise Unavailable(f"status {status}", _after(answer.headers.get("Retry-After")))
        raise Refused(f"status {status}")

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


def _installation(address: Address) -> str:
    return f"installations/{address.installation}"


def _after(told: str | None) -> datetime.timedelta | None:
    return datetime.timedelta(seconds=int(told)) if told and told.isdigit() else None
