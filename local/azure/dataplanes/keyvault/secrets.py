"""Secrets of a vault: the routes under /secrets and /deletedsecrets (Key Vault REST API 7.6)."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidTag

from local.azure.dataplanes.keyvault.access import SECRETS
from local.azure.dataplanes.keyvault.common import (
    Vault,
    attributes,
    b64,
    body_of,
    known,
    new_version,
    page_of,
    tags,
    unb64,
)
from local.azure.dataplanes.keyvault.errors import VaultError, bad, forbidden
from local.azure.dataplanes.keyvault.store import Deletion, Version

_KIND = "secret"
_LONGEST = 25 * 1024


def set_secret(vault: Vault, name: str, body: dict[str, Any]) -> Version:
    """A new version of a secret, kept. Raises VaultError 400, 409."""
    known(body, {"value", "contentType", "attributes", "tags"})
    value = body.get("value")
    if not isinstance(value, str):
        raise bad("The parameter 'value' is missing or not a string.")
    if len(value.encode()) > _LONGEST:
        raise bad(f"The secret value is {len(value.encode())} bytes long; at most {_LONGEST} are allowed.")
    vault.reserve(_KIND, name)
    public: dict[str, Any] = {"attributes": attributes(body.get("attributes"))}
    public |= {"contentType": body["contentType"]} if body.get("contentType") else {}
    public |= {"tags": tags(body.get("tags"))} if body.get("tags") else {}
    version = Version(name, new_version(), public, value.encode())
    vault.store.add(vault.key, _KIND, version)
    return version


class Secrets:
    """The routes of one vault's secrets."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def register(self, application: web.Application) -> None:
        """Add the routes."""
        add = application.router
        add.add_get("/secrets", self._list)
        add.add_post("/secrets/restore", self._restore)
        add.add_put("/secrets/{name}", self._set)
        add.add_delete("/secrets/{name}", self._delete)
        add.add_post("/secrets/{name}/backup", self._backup)
        add.add_get("/secrets/{name}/versions", self._versions)
        for path in ("/secrets/{name}", "/secrets/{name}/", "/secrets/{name}/{version}"):
            add.add_get(path, self._get)
            add.add_patch(path, self._update)
        add.add_get("/deletedsecrets", self._list_deleted)
        add.add_get("/deletedsecrets/{name}", self._get_deleted)
        add.add_delete("/deletedsecrets/{name}", self._purge)
        add.add_post("/deletedsecrets/{name}/recover", self._recover)

    def _bundle(self, version: Version, *, value: bool = False, versioned: bool = True) -> dict[str, Any]:
        _, recovery = self._vault.recovery()
        bundle = {"id": self._vault.identifier(_KIND, version.name, version.version if versioned else "")}
        bundle |= {**version.public, "attributes": version.public["attributes"] | recovery}
        return bundle | ({"value": version.value.decode()} if value else {})

    def _deleted_bundle(self, deletion: Deletion, version: Version, *, versioned: bool = True) -> dict[str, Any]:
        return self._bundle(version, versioned=versioned) | self._vault.deletion_fields(_KIND, deletion)

    async def _set(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["set"], name)
        version = set_secret(self._vault, name, await body_of(request))
        return web.json_response(self._bundle(version, value=True))

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["get"], name)
        version = self._vault.current(_KIND, name, request.match_info.get("version", ""))
        if not version.public["attributes"]["enabled"]:
            raise forbidden("Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return web.json_response(self._bundle(version, value=True))

    async def _update(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["update"], name)
        body = await body_of(request)
        known(body, {"contentType", "attributes", "tags"})
        version = self._vault.current(_KIND, name, request.match_info.get("version", ""))
        public = version.public | {"attributes": attributes(body.get("attributes"), version.public["attributes"])}
        public |= {name: body[name] for name in ("contentType",) if body.get(name) is not None}
        public |= {"tags": tags(body["tags"])} if body.get("tags") is not None else {}
        updated = Version(version.name, version.version, public, version.value)
        self._vault.store.update(self._vault.key, _KIND, updated)
        return web.json_response(self._bundle(updated))

    async def _list(self, request: web.Request) -> web.Response:
        self._vault.allow(request, SECRETS["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=False, after=after, limit=limit + 1)
        return self._vault.page(
            request, names, lambda name: self._bundle(self._vault.current(_KIND, name), versioned=False), limit
        )

    async def _versions(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["list"], name)
        after, limit = page_of(request)
        self._vault.current(_KIND, name)
        versions = {each.version: each for each in self._vault.store.versions(self._vault.key, _KIND, name)}
        names = sorted(each for each in versions if each > after)[: limit + 1]
        return self._vault.page(request, names, lambda version: self._bundle(versions[version]), limit)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["delete"], name)
        version = self._vault.current(_KIND, name)
        deletion = self._vault.delete(_KIND, name)
        return web.json_response(self._deleted_bundle(deletion, version) if deletion else self._bundle(version))

    async def _get_deleted(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["getDeleted"], name)
        return web.json_response(self._deleted_bundle(*self._vault.deleted(_KIND, name)))

    async def _list_deleted(self, request: web.Request) -> web.Response:
        self._vault.allow(request, SECRETS["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=True, after=after, limit=limit + 1)
        return self._vault.page(
            request, names, lambda name: self._deleted_bundle(*self._vault.deleted(_KIND, name), versioned=False), limit
        )

    async def _recover(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["recover"], name)
        _, version = self._vault.deleted(_KIND, name)
        self._vault.store.recover(self._vault.key, _KIND, name)
        return web.json_response(self._bundle(version))

    async def _purge(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["purge"], name)
        self._vault.purge(_KIND, name)
        return web.Response(status=204)

    async def _backup(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, SECRETS["backup"], name)
        self._vault.current(_KIND, name)
        return web.json_response({"value": backup(self._vault, _KIND, name)})

    async def _restore(self, request: web.Request) -> web.Response:
        self._vault.allow(request, SECRETS["restore"])
        return web.json_response(self._bundle(restore(self._vault, _KIND, await body_of(request))))


def backup(vault: Vault, kind: str, name: str) -> str:
    """Every version of a secret or key, sealed: it opens in a vault of this embedded Azure only."""
    versions = [
        {"name": each.name, "version": each.version, "public": each.public, "value": b64(each.value)}
        for each in reversed(vault.store.versions(vault.key, kind, name))
    ]
    return b64(vault.store.seal(json.dumps(versions).encode(), f"backup of a {kind}"))


def restore(vault: Vault, kind: str, body: dict[str, Any]) -> Version:
    """Bring a backup back under its name; answers its newest version. Raises VaultError 400, 409."""
    known(body, {"value"})
    try:
        kept = json.loads(vault.store.open(unb64(body.get("value"), "value"), f"backup of a {kind}"))
    except InvalidTag:
        raise bad(f"The parameter 'value' is not a backup of a {kind} made by this embedded Azure.") from None
    versions = [Version(each["name"], each["version"], each["public"], unb64(each["value"], "value")) for each in kept]
    name = versions[-1].name
    vault.reserve(kind, name)
    if vault.store.get(vault.key, kind, name):
        raise VaultError(409, "Conflict", f"The {kind} {name} already exists in this vault; it cannot be restored.")
    vault.store.add_all(vault.key, kind, versions)
    return versions[-1]
