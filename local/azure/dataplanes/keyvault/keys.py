"""Keys of a vault: the routes under /keys and /deletedkeys (Key Vault REST API 7.6)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from local.azure.dataplanes.keyvault import material
from local.azure.dataplanes.keyvault.access import KEYS
from local.azure.dataplanes.keyvault.common import (
    Vault,
    attributes,
    body_of,
    known,
    new_version,
    page_of,
    tags,
)
from local.azure.dataplanes.keyvault.errors import bad
from local.azure.dataplanes.keyvault.rotation import default_policy, expiry_of, policy_of
from local.azure.dataplanes.keyvault.secrets import backup, restore
from local.azure.dataplanes.keyvault.store import Deletion, Version

_KIND = "key"
_RSA_OPERATIONS = list(material.OPERATIONS)
_EC_OPERATIONS = ["sign", "verify"]


def _operations(given: Any, kty: str) -> list[str]:
    allowed = _RSA_OPERATIONS if kty.startswith("RSA") else _EC_OPERATIONS
    if given is None:
        return list(allowed)
    if not isinstance(given, list) or not set(given) <= set(allowed):
        raise bad(f"Property 'key_ops' has invalid value {given!r}; allowed for {kty}: {', '.join(allowed)}.")
    return given


def _keep(vault: Vault, name: str, kty: str, key: material.PrivateKey, body: dict[str, Any], ops: Any) -> Version:
    vault.reserve(_KIND, name)
    public: dict[str, Any] = {
        "key": {"kty": kty, "key_ops": _operations(ops, kty), **material.public_jwk(key)},
        "attributes": attributes(body.get("attributes")),
    }
    public |= {"tags": tags(body["tags"])} if body.get("tags") else {}
    version = Version(name, new_version(), public, material.dump(key))
    vault.store.add(vault.key, _KIND, version)
    return version


async def create_key(vault: Vault, name: str, body: dict[str, Any]) -> Version:
    """A new key, or a new version of one. Raises VaultError 400, 409."""
    known(body, {"kty", "key_size", "key_ops", "attributes", "tags", "crv", "public_exponent"})
    vault.reserve(_KIND, name)
    kty = material.key_type(body.get("kty"), premium=vault.premium)
    _operations(body.get("key_ops"), kty)
    attributes(body.get("attributes"))
    made = (kty, body.get("key_size"), body.get("crv"), body.get("public_exponent"))
    key = await asyncio.to_thread(material.generate, *made)  # RSA 4096 takes seconds
    return _keep(vault, name, kty, key, body, body.get("key_ops"))


class Keys:
    """The routes of one vault's keys."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def register(self, application: web.Application) -> None:
        """Add the routes."""
        add = application.router
        add.add_get("/keys", self._list)
        add.add_post("/keys/restore", self._restore)
        add.add_post("/keys/{name}/create", self._create)
        add.add_put("/keys/{name}", self._import)
        add.add_delete("/keys/{name}", self._delete)
        add.add_post("/keys/{name}/backup", self._backup)
        add.add_post("/keys/{name}/rotate", self._rotate)
        add.add_get("/keys/{name}/rotationpolicy", self._policy)
        add.add_put("/keys/{name}/rotationpolicy", self._set_policy)
        add.add_get("/keys/{name}/versions", self._versions)
        for path in ("/keys/{name}", "/keys/{name}/", "/keys/{name}/{version}"):
            add.add_get(path, self._get)
            add.add_patch(path, self._update)
        add.add_get("/deletedkeys", self._list_deleted)
        add.add_get("/deletedkeys/{name}", self._get_deleted)
        add.add_delete("/deletedkeys/{name}", self._purge)
        add.add_post("/deletedkeys/{name}/recover", self._recover)

    def _bundle(self, version: Version) -> dict[str, Any]:
        _, recovery = self._vault.recovery()
        kid = self._vault.identifier(_KIND, version.name, version.version)
        return {
            **version.public,
            "key": {"kid": kid, **version.public["key"]},
            "attributes": version.public["attributes"] | recovery,
        }

    def _item(self, version: Version, *, versioned: bool) -> dict[str, Any]:
        bundle = self._bundle(version)
        kid = self._vault.identifier(_KIND, version.name, version.version if versioned else "")
        return {"kid": kid, "attributes": bundle["attributes"]} | (
            {"tags": version.public["tags"]} if "tags" in version.public else {}
        )

    def _deleted_bundle(self, deletion: Deletion, version: Version) -> dict[str, Any]:
        return self._bundle(version) | self._vault.deletion_fields(_KIND, deletion)

    async def _create(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["create"], name)
        return web.json_response(self._bundle(await create_key(self._vault, name, await body_of(request))))

    async def _import(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["import"], name)
        body = await body_of(request)
        known(body, {"key", "Hsm", "hsm", "attributes", "tags"})
        jwk = body.get("key")
        if not isinstance(jwk, dict):
            raise bad("Property 'key' is missing or not an object.")
        known(jwk, {"kid", "kty", "key_ops", "n", "e", "d", "p", "q", "dp", "dq", "qi", "crv", "x", "y"}, "key.")
        kty = jwk.get("kty")
        if (body.get("Hsm") or body.get("hsm")) and kty in ("RSA", "EC"):
            kty = f"{kty}-HSM"
        kty = material.key_type(kty, premium=self._vault.premium)
        return web.json_response(
            self._bundle(_keep(self._vault, name, kty, material.load(jwk), body, jwk.get("key_ops")))
        )

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["get"], name)
        return web.json_response(self._bundle(self._vault.current(_KIND, name, request.match_info.get("version", ""))))

    async def _update(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["update"], name)
        body = await body_of(request)
        known(body, {"key_ops", "attributes", "tags"})
        version = self._vault.current(_KIND, name, request.match_info.get("version", ""))
        public = version.public | {"attributes": attributes(body.get("attributes"), version.public["attributes"])}
        if body.get("key_ops") is not None:
            operations = _operations(body["key_ops"], public["key"]["kty"])
            public["key"] = public["key"] | {"key_ops": operations}
        public |= {"tags": tags(body["tags"])} if body.get("tags") is not None else {}
        updated = Version(version.name, version.version, public, version.value)
        self._vault.store.update(self._vault.key, _KIND, updated)
        return web.json_response(self._bundle(updated))

    async def _list(self, request: web.Request) -> web.Response:
        self._vault.allow(request, KEYS["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=False, after=after, limit=limit + 1)
        return self._vault.page(
            request, names, lambda name: self._item(self._vault.current(_KIND, name), versioned=False), limit
        )

    async def _versions(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["list"], name)
        after, limit = page_of(request)
        self._vault.current(_KIND, name)
        versions = {each.version: each for each in self._vault.store.versions(self._vault.key, _KIND, name)}
        names = sorted(each for each in versions if each > after)[: limit + 1]
        return self._vault.page(request, names, lambda version: self._item(versions[version], versioned=True), limit)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["delete"], name)
        version = self._vault.current(_KIND, name)
        deletion = self._vault.delete(_KIND, name)
        return web.json_response(self._deleted_bundle(deletion, version) if deletion else self._bundle(version))

    async def _get_deleted(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["get"], name)
        return web.json_response(self._deleted_bundle(*self._vault.deleted(_KIND, name)))

    async def _list_deleted(self, request: web.Request) -> web.Response:
        self._vault.allow(request, KEYS["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=True, after=after, limit=limit + 1)

        def item(name: str) -> dict[str, Any]:
            deletion, version = self._vault.deleted(_KIND, name)
            return self._item(version, versioned=False) | self._vault.deletion_fields(_KIND, deletion)

        return self._vault.page(request, names, item, limit)

    async def _recover(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["recover"], name)
        _, version = self._vault.deleted(_KIND, name)
        self._vault.store.recover(self._vault.key, _KIND, name)
        return web.json_response(self._bundle(version))

    async def _purge(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["purge"], name)
        self._vault.purge(_KIND, name)
        return web.Response(status=204)

    async def _backup(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["backup"], name)
        self._vault.current(_KIND, name)
        return web.json_response({"value": backup(self._vault, _KIND, name)})

    async def _restore(self, request: web.Request) -> web.Response:
        self._vault.allow(request, KEYS["restore"])
        return web.json_response(self._bundle(restore(self._vault, _KIND, await body_of(request))))

    async def _rotate(self, request: web.Request) -> web.Response:
        """A new version like the current one, expiring when the rotation policy says."""
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["rotate"], name)
        current = self._vault.current(_KIND, name)
        jwk, key = current.public["key"], material.undump(current.value)
        size = key.key_size if jwk["kty"].startswith("RSA") else None
        fresh = await asyncio.to_thread(material.generate, jwk["kty"], size, jwk.get("crv"), None)
        body: dict[str, Any] = {"tags": current.public.get("tags"), "attributes": {}}
        lasts = expiry_of(self._vault.store.policy(self._vault.key, name) or {})
        if lasts:
            body["attributes"] = {"exp": int(time.time()) + lasts}
        version = _keep(self._vault, current.name, jwk["kty"], fresh, body, jwk["key_ops"])
        return web.json_response(self._bundle(version))

    async def _policy(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["getrotationpolicy"], name)
        self._vault.current(_KIND, name)
        policy = self._vault.store.policy(self._vault.key, name) or default_policy()
        return web.json_response({"id": f"{self._vault.identifier(_KIND, name)}/rotationpolicy", **policy})

    async def _set_policy(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, KEYS["setrotationpolicy"], name)
        self._vault.current(_KIND, name)
        policy = policy_of(await body_of(request), self._vault.store.policy(self._vault.key, name))
        self._vault.store.set_policy(self._vault.key, name, policy)
        return web.json_response({"id": f"{self._vault.identifier(_KIND, name)}/rotationpolicy", **policy})
