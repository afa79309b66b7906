"""The checking proxy in front of one of Azurite's services: decides, then streams both ways."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Mapping
from email.utils import formatdate

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from local.azure.context import Azure
from local.azure.dataplanes.storage import delegation, sharedkey
from local.azure.dataplanes.storage.accounts import Accounts
from local.azure.dataplanes.storage.copying import check_source
from local.azure.dataplanes.storage.errors import StorageError, bad
from local.azure.dataplanes.storage.guard import Guard, Passage
from local.azure.dataplanes.storage.target import Target, parse

_LOG = logging.getLogger(__name__)
_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "expect", "host"}
)
_CHUNK = 256 * 1024


class StorageProxy:
    """service: "blob", "queue" or "table"."""

    def __init__(self, azure: Azure, service: str, accounts: Accounts, backend_key: bytes) -> None:
        self._azure, self._service, self._accounts, self._key = azure, service, accounts, backend_key
        self._guard = Guard(azure, accounts)
        self._port = azure.instance.port("storage" if service == "blob" else f"storage-{service}")
        self._backend = f"https://127.0.0.1:{azure.instance.port(f'azurite-{service}')}"
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen. Azurite need not be there yet."""
        trust = ssl.create_default_context(cafile=str(self._azure.instance.ca_certificate))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=200, keepalive_timeout=3),  # Azurite closes after five
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        application = web.Application()
        application.router.add_route("*", "/{any:.*}", self._handle)
        # A runner of its own: bodies pass as they are, so none may be decompressed on the way.
        self._runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._azure.server_tls()).start()
        self._azure.endpoints[f"Storage {self._service}s"] = f"https://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Close listener and connections."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            target = parse(self._service, request.method, request.raw_path)
            headers = _lowered(request)
            passage = self._guard.check(target, headers, request.remote or "127.0.0.1")
            if target.query.get("comp") == "userdelegationkey" and passage.principal:
                return await delegation.answer(request, passage, self._accounts, self._azure.directory.tenant_id)
            check_source(self._guard, self._service, self._port, headers, passage, request.remote or "127.0.0.1")
            return await self._forward(request, target, passage, headers)
        except StorageError as refused:
            _LOG.info("%s %s: %s %s", request.method, request.path, refused.status, refused.code)
            response = refused.response(self._service, head=request.method == "HEAD")
            if request.can_read_body and not request.content.is_eof():
                response.force_close()  # the body that was not read must not be taken for the next request
            return response

    async def _forward(
        self, request: web.Request, target: Target, passage: Passage, headers: dict[str, str]
    ) -> web.StreamResponse:
        sent = {name: value for name, value in headers.items() if name not in _HOP and name != "authorization"}
        if passage.creates_only and "if-none-match" not in sent:
            sent["if-none-match"] = "*"
        sent.setdefault("x-ms-date", formatdate(usegmt=True))
        if "x-ms-version" not in sent and "sv" in target.signature:
            sent["x-ms-version"] = target.signature["sv"]
        if passage.signed:
            sent["authorization"] = sharedkey.authorization(self._key, target, sent)
        sent["host"] = f"127.0.0.1:{self._port}"  # Azurite writes it into the addresses it answers with
        url = URL(f"{self._backend}{target.path}" + (f"?{target.query_string}" if target.query else ""), encoded=True)
        try:
            return await self._exchange(request, url, sent)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as down:
            _LOG.warning("Azurite does not answer: %s", type(down).__name__)
            raise StorageError(
                503,
                "ServerBusy",
                "The storage backend does not answer; it may be starting.",
                headers={"Retry-After": "1"},
            ) from None

    async def _exchange(self, request: web.Request, url: URL, headers: dict[str, str]) -> web.StreamResponse:
        if self._session is None:
            raise RuntimeError("the proxy was not started")
        body = request.content.iter_chunked(_CHUNK) if request.can_read_body else None
        call = self._session.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        async with call as upstream:
            answered = CIMultiDict((k, v) for k, v in upstream.headers.items() if k.lower() not in _HOP)
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=answered)
            await response.prepare(request)
            if request.method != "HEAD":
                try:
                    async for chunk in upstream.content.iter_chunked(_CHUNK):
                        await response.write(chunk)
                except (aiohttp.ClientError, TimeoutError) as broken:
                    _LOG.warning("Azurite's answer broke off: %s", type(broken).__name__)
                    if request.transport:
                        request.transport.abort()  # a short answer must not look like a whole one
                    return response
            await response.write_eof()
            return response

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """A request of the embedded Azure's own to the backend, whatever roles there are: status and body.

        path: with the account first, and query. Raises StorageError 503 when Azurite does not answer.
        """
        if self._session is None:
            raise RuntimeError("the proxy was not started")
        target = parse(self._service, method, path)
        sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2025-01-05", **(headers or {})}
        if self._service == "table":
            sent |= {"accept": "application/json;odata=nometadata"}
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent["content-type"] = "application/json"
        if data is not None or method in ("PUT", "POST"):
            sent["content-length"] = str(len(data or b""))
        sent["authorization"] = sharedkey.authorization(self._key, target, sent)
        url = URL(f"{self._backend}{target.path}" + (f"?{target.query_string}" if target.query else ""), encoded=True)
        try:
            async with self._session.request(method, url, headers=sent, data=data) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError as down:
            raise StorageError(
                503, "ServerBusy", f"The storage backend does not answer ({type(down).__name__})."
            ) from down


def _lowered(request: web.Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        name = name.lower()
        if name in headers and (name.startswith("x-ms-") or name in ("authorization", "content-length")):
            raise bad("InvalidHeaderValue", f"The header {name} is given twice.")
        if name.startswith("x-ms-") and not value.isascii():
            raise bad("InvalidMetadata", f"The header {name} has characters beyond ASCII.")
        headers[name] = value
    return headers
