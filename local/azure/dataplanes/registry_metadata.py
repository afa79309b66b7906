"""What a container registry tells of its content: /v2/_catalog and ACR's own API /acr/v1/ (version 2021-07-01)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from local.azure.context import Body
from local.azure.dataplanes.registry_errors import error
from local.azure.dataplanes.registry_gate import Gate
from local.azure.dataplanes.registry_login import REPOSITORY, RegistryLogin
from local.azure.dataplanes.registry_storage import Manifest, RegistryStorage, Tag
from local.azure.dataplanes.registry_tokens import Access

_Item = TypeVar("_Item")
_DEFAULT_PAGE, _LARGEST_PAGE = 100, 1000
_CATALOG = [Access("registry", "catalog", frozenset({"*"}))]
_UNLOCKED = {"deleteEnabled": True, "writeEnabled": True, "listEnabled": True, "readEnabled": True}


class RegistryMetadata:
    """The routes of one registry. service: its loginServer."""

    def __init__(self, service: str, storage: RegistryStorage, gate: Gate, login: RegistryLogin) -> None:
        self._service, self._storage, self._gate, self._login = service, storage, gate, login

    def routes(self) -> list[web.RouteDef]:
        """Listing, reading and deleting; attributes (locks) can't be changed."""
        name = "/acr/v1/{name:.+}"
        routes = [web.get(path, self._catalog) for path in ("/v2/_catalog", "/acr/v1/_catalog")]
        return [
            *routes,
            web.get(name + "/_tags", self._tags),
            web.get(name + "/_tags/{tag:[^/]+}", self._tag),
            web.get(name + "/_manifests", self._manifests),
            web.get(name + "/_manifests/{digest:[^/]+}", self._manifest),
            web.get(name, self._repository),
            web.delete(name + "/_tags/{tag:[^/]+}", self._untag),
            web.delete(name, self._delete),
            web.patch(name + "/{part:_tags|_manifests}/{reference:[^/]+}", self._lock),
            web.patch(name, self._lock),
        ]

    async def _catalog(self, request: web.Request) -> web.Response:
        self._login.require(request, _CATALOG)
        names = await asyncio.to_thread(self._storage.repositories)
        page, headers = _page(request, names, lambda each: each)
        return web.json_response({"repositories": page}, headers=headers)

    async def _repository(self, request: web.Request) -> web.Response:
        name = await self._known(request, "metadata_read")
        tags, manifests = await self._content(name)
        created, updated = await asyncio.to_thread(self._storage.times, name)
        counts = {"manifestCount": len(manifests), "tagCount": len(tags)}
        times = {"createdTime": _iso(created), "lastUpdateTime": _iso(updated)}
        return web.json_response({**self._head(name), **times, **counts, "changeableAttributes": _UNLOCKED})

    async def _tags(self, request: web.Request) -> web.Response:
        name = await self._known(request, "metadata_read")
        tags = _ordered(request, await asyncio.to_thread(self._storage.tags, name), lambda each: each.updated)
        if digest := request.query.get("digest"):
            tags = [each for each in tags if each.digest == digest]
        page, headers = _page(request, tags, lambda each: each.name)
        return web.json_response({**self._head(name), "tags": [_tag_body(each) for each in page]}, headers=headers)

    async def _tag(self, request: web.Request) -> web.Response:
        name = await self._known(request, "metadata_read")
        wanted = request.match_info["tag"]
        for each in await asyncio.to_thread(self._storage.tags, name):
            if each.name == wanted:
                return web.json_response({**self._head(name), "tag": _tag_body(each)})
        raise error(404, "TAG_UNKNOWN", f"The repository {name} has no tag {wanted!r}.")

    async def _manifests(self, request: web.Request) -> web.Response:
        name = await self._known(request, "metadata_read")
        found = _ordered(request, await asyncio.to_thread(self._storage.manifests, name), lambda each: each.pushed)
        page, headers = _page(request, found, lambda each: each.digest)
        body = {**self._head(name), "manifests": [_manifest_body(each) for each in page]}
        return web.json_response(body, headers=headers)

    async def _manifest(self, request: web.Request) -> web.Response:
        name = await self._known(request, "metadata_read")
        wanted = request.match_info["digest"]
        for each in await asyncio.to_thread(self._storage.manifests, name):
            if each.digest == wanted:
                return web.json_response({**self._head(name), "manifest": _manifest_body(each)})
        raise error(404, "MANIFEST_UNKNOWN", f"The repository {name} has no manifest {wanted!r}.")

    async def _untag(self, request: web.Request) -> web.Response:
        name = await self._known(request, "delete")
        async with self._gate.writing():
            if not await asyncio.to_thread(self._storage.remove_tag, name, request.match_info["tag"]):
                raise error(404, "TAG_UNKNOWN", f"The repository {name} has no tag {request.match_info['tag']!r}.")
        return web.Response(status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        name = await self._known(request, "delete")
        tags, manifests = await self._content(name)
        try:
            async with self._gate.sweeping():
                await asyncio.to_thread(self._storage.remove_repository, name)
        except TimeoutError:
            raise error(503, "UNAVAILABLE", "Uploads are under way; try again.", headers={"Retry-After": "5"}) from None
        body = {"manifestsDeleted": [each.digest for each in manifests], "tagsDeleted": [each.name for each in tags]}
        return web.json_response(body, status=202)

    async def _lock(self, request: web.Request) -> web.Response:
        await self._known(request, "metadata_write")
        raise error(501, "UNSUPPORTED", "Attributes of repositories, tags and manifests can't be changed here.")

    async def _known(self, request: web.Request, action: str) -> str:
        name = request.match_info["name"]
        if not REPOSITORY.fullmatch(name):
            raise error(400, "NAME_INVALID", f"The repository's name {name!r} is malformed.")
        self._login.require(request, [Access("repository", name, frozenset({action}))])
        if not await asyncio.to_thread(self._storage.exists, name):
            raise error(404, "NAME_UNKNOWN", f"The repository {name!r} is not known to this registry.", {"name": name})
        return name

    async def _content(self, name: str) -> tuple[list[Tag], list[Manifest]]:
        tags = await asyncio.to_thread(self._storage.tags, name)
        return tags, await asyncio.to_thread(self._storage.manifests, name)

    def _head(self, name: str) -> Body:
        return {"registry": self._service, "imageName": name}


def _ordered(request: web.Request, items: list[_Item], time: Callable[[_Item], datetime]) -> list[_Item]:
    order = request.query.get("orderby", "none")
    if order not in ("", "none", "timeasc", "timedesc"):
        raise error(400, "UNSUPPORTED", f"orderby is {order!r}; allowed are none, timeasc and timedesc.")
    return sorted(items, key=time, reverse=order == "timedesc") if order.startswith("time") else items


def _page(
    request: web.Request, items: Sequence[_Item], key: Callable[[_Item], str]
) -> tuple[list[_Item], dict[str, str]]:
    """The items behind ``last``, ``n`` at most, and the Link header to the next page."""
    text = request.query.get("n", str(_DEFAULT_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST_PAGE:
        raise error(400, "PAGINATION_NUMBER_INVALID", f"n is {text!r}; allowed is 1 to {_LARGEST_PAGE}.")
    keys, last, start = [key(each) for each in items], request.query.get("last"), 0
    if last is not None:
        behind = [at for at, each in enumerate(keys) if each == last]
        start = behind[0] + 1 if behind else sum(each <= last for each in keys)
    page = list(items[start : start + int(text)])
    if start + len(page) >= len(items):
        return page, {}
    following = request.rel_url.update_query({"last": keys[start + len(page) - 1], "n": text})
    return page, {"Link": f'<{following}>; rel="next"'}


def _tag_body(tag: Tag) -> dict[str, Any]:
    times = {"createdTime": _iso(tag.created), "lastUpdateTime": _iso(tag.updated)}
    return {"name": tag.name, "digest": tag.digest, **times, "signed": False, "changeableAttributes": _UNLOCKED}


def _manifest_body(manifest: Manifest) -> dict[str, Any]:
    times = {"createdTime": _iso(manifest.pushed), "lastUpdateTime": _iso(manifest.pushed)}
    body = {"digest": manifest.digest, "imageSize": manifest.size, "mediaType": manifest.media_type, **times}
    return {**body, "tags": list(manifest.tags), "changeableAttributes": _UNLOCKED}


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
