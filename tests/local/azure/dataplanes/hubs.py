"""A notification hub of the embedded Azure within the test process, and a client that signs as Azure documents it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus

import httpx

from local.azure.context import Resource
from local.azure.dataplanes.notificationhubs.listener import store_of
from local.azure.dataplanes.notificationhubs.store import HubStore, Pushed
from tests.local.azure.dataplanes.conftest import Embedded

NAMESPACE = "Microsoft.NotificationHubs/namespaces"
HUB = f"{NAMESPACE}/notificationHubs"
CREDENTIALS = {
    "fcmV1Credential": {"properties": {"projectId": "p"}},
    "apnsCredential": {"properties": {"keyId": "k"}},
    "browserCredential": {"properties": {"subject": "mailto:a@example.com"}},
}


def token(resource: str, rule: str, key: str, *, expires: int | None = None) -> str:
    """A shared access signature over a resource's address."""
    target, expiry = quote_plus(resource), int(time.time()) + 300 if expires is None else expires
    signed = hmac.new(key.encode(), f"{target}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = quote_plus(base64.b64encode(signed))
    return f"SharedAccessSignature sr={target}&sig={signature}&se={expiry}&skn={quote_plus(rule)}"


@dataclass
class Hub:
    """A hub with a rule that listens and one that sends."""

    embedded: Embedded
    namespace: Resource
    resource: Resource
    rules: dict[str, Resource]

    @property
    def address(self) -> str:
        return str(self.namespace.properties["serviceBusEndpoint"]).rstrip("/")

    @property
    def url(self) -> str:
        return f"{self.address}/{self.resource.name}"

    @cached_property
    def http(self) -> httpx.Client:
        """A client that trusts the embedded Azure, and signs nothing by itself."""
        trust = ssl.create_default_context(cafile=str(self.embedded.instance.ca_bundle))
        return httpx.Client(verify=trust, timeout=30)

    @property
    def store(self) -> HubStore:
        """What the hub holds; to be looked at on the daemon's own thread."""
        return store_of(self.embedded.daemon.azure)

    def keys(self, rule: str) -> dict[str, Any]:

        async def now() -> Resource | None:
            return self.embedded.daemon.azure.store.get(self.rules[rule].id)

        found = self.embedded.run(now())
        assert found
        return self.embedded.act(found, "listKeys")

    def token(self, rule: str, resource: str | None = None, key: str = "primaryKey", **more: Any) -> str:
        return token(resource or self.url, rule, self.keys(rule)[key], **more)

    def call(
        self, rule: str, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        given = {"Authorization": self.token(rule), **(headers or {})}
        version = {"api-version": "2020-06", **options.pop("params", {})}
        return self.http.request(method, f"{self.url}/{path}", headers=given, params=version, **options)

    def install(self, name: str, *tags: str, platform: str = "fcmv1", channel: Any = None) -> httpx.Response:
        body = {
            "installationId": name,
            "platform": platform,
            "pushChannel": channel or f"channel of {name}",
            "tags": tags,
        }
        return self.call("listen", "PUT", f"installations/{name}", json=body)

    def send(self, tags: str | None, body: Any = None, form: str = "fcmv1", **headers: str) -> httpx.Response:
        told = {"ServiceBusNotification-Format": form, "Content-Type": "application/json;charset=utf-8", **headers}
        told |= {"ServiceBusNotification-Tags": tags} if tags is not None else {}
        content = body if body is not None else {"message": {"notification": {"title": "T"}}}
        return self.call("send", "POST", "messages/", headers=told, json=content)

    def pushed(self) -> list[Pushed]:
        """What was pushed through this hub, oldest first."""

        async def look() -> list[Pushed]:
            return [each for each in self.store.pushed() if each.hub == self.resource.id.lower()]

        return self.embedded.run(look())

    def installations(self) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]]:
            return self.store.every(self.resource.id.lower())

        return self.embedded.run(look())


def make_hub(embedded: Embedded, tier: str = "Standard", **credentials: Any) -> Hub:
    """A new namespace with a hub."""
    name = f"ntfns-{uuid.uuid4().hex[:8]}"
    namespace = embedded.put(NAMESPACE, name, {"sku": {"name": tier}, "properties": {}})
    hub = embedded.put(HUB, f"{name}/ntf", {"properties": credentials or CREDENTIALS})
    rules = {
        each: embedded.put(
            f"{HUB}/authorizationRules", f"{name}/ntf/{each}", {"properties": {"rights": [each.title()]}}
        )
        for each in ("listen", "send")
    }
    return Hub(embedded, namespace, hub, rules)
