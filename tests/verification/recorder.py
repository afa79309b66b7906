"""Recorder: an endpoint on loopback that passes Resource Manager's traffic on and keeps it.

Pulumi's plugins are told of it as their metadata host: it answers with the cloud's own metadata, but names itself as
Resource Manager. Sign-in and data planes are reached directly; headers, where tokens are, are not kept.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.verification.exchange import Exchange

_SECONDS = 300
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}
"""RFC 9110, section 7.6.1; lengths and the host are those of each leg."""
_ADDRESSES = ("Location", "Azure-AsyncOperation")


class Recorder:
    """What passed so far. upstream: base URL of Resource Manager. trust: certificates that it is believed by."""

    def __init__(self, upstream: str, trust: Path, certificate: Path, key: Path) -> None:
        self.upstream, self.exchanges = upstream.rstrip("/"), list[Exchange]()
        self._trust = ssl.create_default_context(cafile=str(trust))
        self._serve = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._serve.load_cert_chain(certificate, key)
        self.host = ""

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Serves meanwhile, in a thread; the value is host and port."""
        loop, ready = asyncio.new_event_loop(), threading.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(self._run(ready, stop)), daemon=True)
        stop = asyncio.Event()
        thread.start()
        if not ready.wait(_SECONDS):
            raise RuntimeError("The recorder did not start.")
        try:
            yield self.host
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()

    async def _run(self, ready: threading.Event, stop: asyncio.Event) -> None:
        application = web.Application(client_max_size=16 * 2**20)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._serve)
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as self._client:
            await site.start()
            self.host = f"127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await stop.wait()
            await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        sent = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = self.upstream + request.raw_path
        async with self._client.request(
            request.method, url, headers=headers, data=sent, ssl=self._trust, allow_redirects=False
        ) as answer:
            body = await answer.read()
            told = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        told.pop("Content-Encoding", None)  # it is decompressed
        parsed = _json(body)
        if request.path == "/metadata/endpoints":
            body = json.dumps(_pointed(parsed, f"https://{self.host}")).encode()
        elif "dryRun" not in request.query:  # which the embedded Azure alone has
            self.exchanges.append(
                Exchange(request.method, request.path, dict(request.query), _json(sent), answer.status, parsed)
            )
        if isinstance(parsed, dict) and isinstance(parsed.get("nextLink"), str):
            body = json.dumps({**parsed, "nextLink": self._here(parsed["nextLink"])}).encode()
        moved = {name: self._here(told[name]) for name in _ADDRESSES if name in told}
        return web.Response(status=answer.status, body=body, headers={**told, **moved})

    def _here(self, url: str) -> str:
        return url.replace(self.upstream, f"https://{self.host}", 1)


def _pointed(metadata: Any, here: str) -> Any:
    """The metadata of a cloud, or of a list of them, with another Resource Manager."""
    if isinstance(metadata, list):
        return [_pointed(each, here) for each in metadata]
    return {**metadata, "resourceManager": here} if isinstance(metadata, Mapping) else metadata


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
