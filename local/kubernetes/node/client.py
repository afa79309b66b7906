"""The API server seen through the official client: plain JSON objects, and lists kept current by watching."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client, config

Object = dict[str, Any]
_log = logging.getLogger(__name__)
_PATCHES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """What the API server refused: HTTP status, reason and message of its Status object."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


class Api:
    """One user's connection to the API server."""

    def __init__(self, kubeconfig: Path, user_agent: str) -> None:
        self.kubeconfig, self.user_agent = kubeconfig, user_agent
        self.client: client.ApiClient | None = None

    async def open(self) -> None:
        """Read the kubeconfig. Raises ``kubernetes`` ConfigException when it is malformed."""
        settings = client.Configuration()
        await config.load_kube_config(str(self.kubeconfig), client_configuration=settings)
        settings.connection_pool_maxsize = 200  # watches hold a connection each
        settings.client_session_kwargs = {"trust_env": False}  # loopback never goes through a proxy
        self.client = client.ApiClient(settings)
        self.client.user_agent = self.user_agent

    async def close(self) -> None:
        """Let go of all connections."""
        if self.client is not None:
            await self.client.close()

    async def call(self, method: str, path: str, body: Any = None, *, patch: str = "strategic", **query: Any) -> Object:
        """One request; the answer's JSON object.

        path: e.g. "/api/v1/nodes". patch: "strategic", "merge" or "apply".
        Raises ApiError for a refusal; OSError, aiohttp.ClientError or TimeoutError when nobody answers.
        """
        answer = await self._request(method, path, body, patch, query, 15)
        data = await answer.read()
        if answer.status >= 400:
            raise _error(answer.status, data)
        result: Object = json.loads(data)
        return result

    async def _request(
        self, method: str, path: str, body: Any, patch: str, query: dict[str, Any], seconds: float
    ) -> Any:
        if self.client is None:
            raise RuntimeError("open() comes first")
        url = self.client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json", "User-Agent": self.user_agent}
        if body is not None:
            headers["Content-Type"] = _PATCHES[patch] if method == "PATCH" else "application/json"
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=5)
        return await self.client.call_api(method, url, headers, body=body, _request_timeout=limits)

    async def watch(self, path: str, version: str, **query: Any) -> AsyncIterator[Object]:
        """Watch events after a resource version, until the server closes the stream. Raises like ``call``."""
        query |= {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": "300"}
        answer = await self._request("GET", path, None, "", query, 330)
        try:
            if answer.status >= 400:
                raise _error(answer.status, await answer.read())
            async for line in answer.response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status.get("code", 500), status.get("reason", ""), status.get("message", ""))
                yield event
        finally:
            answer.response.close()


def _error(status: int, data: bytes) -> ApiError:
    with contextlib.suppress(ValueError):
        document = json.loads(data)
        return ApiError(status, document.get("reason", ""), document.get("message", ""))
    return ApiError(status, "", data[:300].decode(errors="replace"))


UNREACHABLE = (OSError, aiohttp.ClientError, TimeoutError, ValueError)
"""What a request raises while the API server is down or going down (ValueError: a stream cut inside a line)."""


class Cache:
    """All objects of a kind, kept current: list, watch, and list again with back-off after any failure.

    path: of the collection. changed: called with the new object, or the last known one and True when it is gone.
    """

    def __init__(self, api: Api, path: str, changed: Callable[[Object, bool], None], **query: Any) -> None:
        self.api, self.path, self.changed, self.query = api, path, changed, query
        self.objects: dict[str, Object] = {}
        self.synchronised = asyncio.Event()

    async def run(self) -> None:
        """Never returns; cancel it."""
        delay = 0.1
        while True:
            try:
                version = await self._list()
                while True:
                    delay = 0.1
                    version = await self._follow(version)
            except ApiError as refusal:
                if refusal.status != 410:  # 410 Gone: the version is too old, a fresh list is all it takes
                    _log.warning("watching %s: %s", self.path, refusal)
            except UNREACHABLE as problem:
                _log.warning("watching %s: %s: %s", self.path, type(problem).__name__, problem)
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
            delay = min(delay * 2, 3)

    async def _list(self) -> str:
        answer = await self.api.call("GET", self.path, **self.query)
        present = {item["metadata"]["uid"]: item for item in answer["items"]}
        for uid in [each for each in self.objects if each not in present]:
            self.changed(self.objects.pop(uid), True)
        for uid, item in present.items():
            known = self.objects.get(uid)
            self.objects[uid] = item
            if known is None or known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self.changed(item, False)
        self.synchronised.set()
        return str(answer["metadata"]["resourceVersion"])

    async def _follow(self, version: str) -> str:
        async for event in self.api.watch(self.path, version, **self.query):
            item = event["object"]
            version = item["metadata"]["resourceVersion"]
            if event["type"] == "BOOKMARK":
                continue
            gone = event["type"] == "DELETED"
            if gone:
                self.objects.pop(item["metadata"]["uid"], None)
            else:
                self.objects[item["metadata"]["uid"]] = item
            self.changed(item, gone)
        return version
