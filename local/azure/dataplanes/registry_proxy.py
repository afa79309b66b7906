"""The registry API (/v2/) of one container registry: checks the token, then passes on to its part of the backend.

A repository NAME of the registry REG is REG/NAME in the backend; clients never see that.
Source: OCI distribution specification 1.1.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, quote, urlencode

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from local.azure.dataplanes.registry_errors import error
from local.azure.dataplanes.registry_gate import Gate
from local.azure.dataplanes.registry_login import REPOSITORY, RegistryLogin, covers
from local.azure.dataplanes.registry_tokens import Access, RegistryTokens

_LOG = logging.getLogger(__name__)
_CHUNK = 256 * 1024
_NOT_PASSED_ON = {
    "authorization", "connection", "expect", "forwarded", "host", "keep-alive", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}  # fmt: skip
_NOT_PASSED_BACK = {"connection", "keep-alive", "transfer-encoding", "www-authenticate", "date", "server"}
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_MANIFEST_METHODS = ("GET", "HEAD", "PUT", "DELETE")


class RegistryProxy:
    """The routes of one registry.

    registry: its name. backend: URL of distribution. session: to call it with. gate: held by what writes.
    """

    def __init__(
        self,
        registry: str,
        backend: str,
        session: aiohttp.ClientSession,
        gate: Gate,
        login: RegistryLogin,
        tokens: RegistryTokens,
    ) -> None:
        self._prefix, self._backend, self._session, self._gate = registry.lower() + "/", backend, session, gate
        self._login, self._tokens = login, tokens

    def routes(self) -> list[web.RouteDef]:
        """What the specification lists, the catalogue apart."""
        return [
            web.get("/v2/", self._base),
            web.route("*", "/v2/{name:.+}/manifests/{reference:[^/]+}", self._manifest),
            web.route("*", "/v2/{name:.+}/blobs/uploads/{session:[^/]*}", self._upload),
            web.route("*", "/v2/{name:.+}/blobs/{digest:[^/]+}", self._blob),
            web.get("/v2/{name:.+}/tags/list", self._read),
            web.get("/v2/{name:.+}/referrers/{digest:[^/]+}", self._read),
        ]

    async def _base(self, request: web.Request) -> web.Response:
        self._login.require(request, [])
        return web.json_response({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})

    async def _read(self, request: web.Request) -> web.StreamResponse:
        return await self._checked(request, {"pull"})

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        return await self._checked(request, _needed(request, _MANIFEST_METHODS))

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        return await self._checked(request, _needed(request, ("GET", "HEAD", "DELETE")))

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "POST", "PUT", "PATCH", "DELETE"))
        return await self._checked(request, {"pull", "push"})

    async def _checked(self, request: web.Request, actions: set[str]) -> web.StreamResponse:
        name = request.match_info["name"]
        if not REPOSITORY.fullmatch(name):
            raise error(400, "NAME_INVALID", f"The repository's name {name!r} is malformed.")
        granted = self._login.require(request, [Access("repository", name, frozenset(actions))])
        if request.method in _WRITES:
            async with self._gate.writing():
                return await self._pass_on(request, name, granted)
        return await self._pass_on(request, name, granted)

    async def _pass_on(self, request: web.Request, name: str, granted: list[Access]) -> web.StreamResponse:
        mine = [self._prefix + name]
        query = request.rel_url.raw_query_string
        if "from=" in query:
            query, source = self._mount(query, granted)
            mine += [source] if source else []
        path = request.rel_url.raw_path.removeprefix("/v2/")
        target = f"{self._backend}/v2/{self._prefix}{path}" + (f"?{query}" if query else "")
        # Clients written in Go name what they accept in a header line each: a dict would keep the last one only.
        headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.lower() not in _NOT_PASSED_ON)
        headers["Authorization"] = "Bearer " + self._tokens.backend_pass(mine)
        body = _chunks(request) if request.body_exists else None
        try:
            async with self._session.request(
                request.method, URL(target, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as answer:
                return await self._answer(request, answer)
        except aiohttp.ClientConnectionError as failure:
            _LOG.warning("the registry's backend failed: %s", type(failure).__name__)
            message = "The registry's backend did not answer; try again."
            raise error(503, "UNAVAILABLE", message, headers={"Retry-After": "1"}) from None

    def _mount(self, query: str, granted: list[Access]) -> tuple[str, str | None]:
        """A blob mounted from another repository, where the client may pull it; else an ordinary upload."""
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        source = pairs.get("from", "")
        if not covers(granted, Access("repository", source, frozenset({"pull"}))):
            pairs.pop("from", None), pairs.pop("mount", None)
            return urlencode(pairs), None
        return urlencode({**pairs, "from": self._prefix + source}), self._prefix + source

    async def _answer(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        if answer.status == 401:
            _LOG.error("the registry's backend refused the proxy's pass: its key or its clock is wrong")
            raise error(503, "UNAVAILABLE", "The registry's backend refused its own proxy; see the log.")
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for key, value in answer.headers.items():
            if key.lower() not in _NOT_PASSED_BACK:
                response.headers.add(key, self._outside(value) if key.lower() in ("location", "link") else value)
        if (answer.content_type or "").endswith("json") and answer.url.path.endswith("/tags/list"):
            return await self._renamed(answer, response)
        await response.prepare(request)
        if request.method != "HEAD":
            async for chunk in answer.content.iter_chunked(_CHUNK):
                await response.write(chunk)
        await response.write_eof()
        return response

    async def _renamed(self, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> web.Response:
        """The list of tags, which names the repository."""
        body = await answer.json(content_type=None)
        if "name" in body:
            body["name"] = body["name"].removeprefix(self._prefix)
        headers = {key: value for key, value in response.headers.items() if key.lower() not in ("content-length",)}
        return web.json_response(
            body, status=answer.status, headers={k: v for k, v in headers.items() if k != "Content-Type"}
        )

    def _outside(self, address: str) -> str:
        return address.replace("/v2/" + quote(self._prefix), "/v2/", 1)


def _needed(request: web.Request, methods: tuple[str, ...]) -> set[str]:
    if request.method not in methods:
        raise web.HTTPMethodNotAllowed(request.method, methods)
    return {"GET": {"pull"}, "HEAD": {"pull"}, "PUT": {"pull", "push"}, "DELETE": {"delete"}}[request.method]


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(_CHUNK):
        yield chunk
