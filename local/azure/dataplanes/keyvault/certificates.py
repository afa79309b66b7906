"""Certificates of a vault: the routes under /certificates and /deletedcertificates (Key Vault REST API 7.6).

A certificate is three things of one name and version: itself, its key, and the secret that holds both.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from local.azure.dataplanes.keyvault import material, x509
from local.azure.dataplanes.keyvault.access import CERTIFICATES
from local.azure.dataplanes.keyvault.common import Vault, attributes, b64, body_of, known, new_version, page_of, tags
from local.azure.dataplanes.keyvault.errors import VaultError, bad
from local.azure.dataplanes.keyvault.store import Version

_KIND, _PENDING = "certificate", "pending-certificate"
_PARTS = ("certificate", "key", "secret")
_POLICY = {"id", "key_props", "secret_props", "x509_props", "lifetime_actions", "issuer", "attributes"}


class Certificates:
    """The routes of one vault's certificates."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def register(self, application: web.Application) -> None:
        """Add the routes."""
        add = application.router
        add.add_get("/certificates", self._list)
        add.add_post("/certificates/{name}/create", self._create)
        add.add_post("/certificates/{name}/import", self._import)
        add.add_get("/certificates/{name}/pending", self._pending)
        add.add_delete("/certificates/{name}/pending", self._forget_pending)
        add.add_post("/certificates/{name}/pending/merge", self._merge)
        add.add_get("/certificates/{name}/policy", self._policy)
        add.add_get("/certificates/{name}/versions", self._versions)
        add.add_delete("/certificates/{name}", self._delete)
        for path in ("/certificates/{name}", "/certificates/{name}/", "/certificates/{name}/{version}"):
            add.add_get(path, self._get)
        add.add_get("/deletedcertificates", self._list_deleted)
        add.add_get("/deletedcertificates/{name}", self._get_deleted)
        add.add_delete("/deletedcertificates/{name}", self._purge)
        add.add_post("/deletedcertificates/{name}/recover", self._recover)

    def _bundle(self, version: Version) -> dict[str, Any]:
        _, recovery = self._vault.recovery()
        own = {
            "id": self._vault.identifier(_KIND, version.name, version.version),
            "kid": self._vault.identifier("key", version.name, version.version),
            "sid": self._vault.identifier("secret", version.name, version.version),
        }
        policy = {**version.public["policy"], "id": f"{self._vault.identifier(_KIND, version.name)}/policy"}
        return {**own, **version.public, "policy": policy, "attributes": version.public["attributes"] | recovery}

    def _item(self, version: Version, *, versioned: bool = False) -> dict[str, Any]:
        bundle = self._bundle(version)
        key = self._vault.identifier(_KIND, version.name, version.version if versioned else "")
        return {"id": key} | {name: bundle[name] for name in ("x5t", "attributes", "tags") if name in bundle}

    def _keep(self, name: str, pair: x509.Pair, policy: dict[str, Any], body: dict[str, Any]) -> Version:
        """Keep all three parts, with the certificate's own times."""
        certificate, form = pair.certificate, policy["secret_props"]["contentType"]
        for kind in _PARTS:
            self._vault.reserve(kind, name)
            found = self._vault.store.get(self._vault.key, kind, name)
            if kind != _KIND and found and not found.public.get("managed"):
                raise VaultError(409, "Conflict", f"The name {name} is that of a {kind} already.")
        until = {
            "nbf": int(certificate.not_valid_before_utc.timestamp()),
            "exp": int(certificate.not_valid_after_utc.timestamp()),
        }
        given = {n: each for n, each in (body.get("attributes") or {}).items() if n == "enabled"}
        shown: dict[str, Any] = {"attributes": attributes({**given, **until})}
        shown |= {"tags": tags(body["tags"])} if body.get("tags") else {}
        kty = "RSA" if isinstance(pair.key, rsa.RSAPrivateKey) else "EC"
        wanted = str(policy["key_props"].get("kty") or kty)
        kty = wanted if wanted == f"{kty}-HSM" else kty
        operations = list(material.OPERATIONS) if kty.startswith("RSA") else ["sign", "verify"]
        parts = {
            "key": (
                {"key": {"kty": kty, "key_ops": operations, **material.public_jwk(pair.key)}, "managed": True},
                material.dump(pair.key),
            ),
            "secret": (
                {"contentType": form, "managed": True},
                pair.secret(form, exportable=policy["key_props"].get("exportable", True)).encode(),
            ),
            "certificate": (
                {
                    "cer": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(), "contentType": form,
                    "x5t": b64(certificate.fingerprint(SHA1())), "policy": policy,  # noqa: S303  # x5t is SHA-1 by definition
                },
                b"",
            ),
        }  # fmt: skip
        version, kept = new_version(), None
        for kind, (public, value) in parts.items():
            kept = Version(name, version, {**shown, **public}, value)
            self._vault.store.add(self._vault.key, kind, kept)
        assert kept is not None  # noqa: S101  # three parts were kept
        return kept

    async def _create(self, request: web.Request) -> web.Response:
        """Self-signed at once, or a signing request for an authority outside: there is none in here."""
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["create"], name)
        body = await body_of(request)
        known(body, {"policy", "attributes", "tags"})
        policy = _policy_of(body.get("policy"))
        issuer = (policy.get("issuer") or {}).get("name")
        if issuer not in ("Self", "Unknown"):
            raise bad(f"Property 'policy.issuer.name' is {issuer!r}; allowed here: 'Self', 'Unknown'.")
        material.key_type(policy["key_props"].get("kty") or "RSA", premium=self._vault.premium)
        key = await asyncio.to_thread(x509.key_of, policy)
        if issuer == "Self":
            self._keep(name, x509.made(policy, key), policy, body)
            return web.json_response(self._operation(name, policy) | {"status": "inProgress"}, status=202)
        csr = base64.b64encode(x509.request(policy, key)).decode()
        self._vault.reserve(_KIND, name)
        waiting = Version(name, new_version(), {"policy": policy, "csr": csr}, material.dump(key))
        self._vault.store.add(self._vault.key, _PENDING, waiting)
        return web.json_response(self._waiting(waiting), status=202)

    def _operation(self, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        here = self._vault.identifier(_KIND, name)
        return {
            "id": f"{here}/pending", "issuer": policy.get("issuer"), "cancellation_requested": False,
            "status": "completed", "target": here,
        }  # fmt: skip

    def _waiting(self, waiting: Version) -> dict[str, Any]:
        """The operation of a certificate that an authority outside has to sign."""
        told = self._operation(waiting.name, waiting.public["policy"])
        del told["target"]
        return told | {"csr": waiting.public["csr"], "status": "inProgress"}

    def _found_waiting(self, name: str) -> Version:
        found = self._vault.store.get(self._vault.key, _PENDING, name)
        if found is None:
            raise VaultError(404, "PendingCertificateNotFound", f"Pending certificate not found: {name}")
        return found

    async def _pending(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["get"], name)
        found = self._vault.store.get(self._vault.key, _KIND, name)
        if found and found.public["policy"].get("issuer", {}).get("name") == "Self":
            return web.json_response(self._operation(name, found.public["policy"]))
        return web.json_response(self._waiting(self._found_waiting(name)))

    async def _forget_pending(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["create"], name)
        waiting = self._found_waiting(name)
        self._vault.store.purge(self._vault.key, _PENDING, name)
        return web.json_response(self._waiting(waiting))

    async def _merge(self, request: web.Request) -> web.Response:
        """Take over what an authority signed for the waiting key."""
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["create"], name)
        body = await body_of(request)
        known(body, {"x5c", "attributes", "tags"})
        waiting = self._found_waiting(name)
        pair = x509.merged(material.undump(waiting.value), body.get("x5c"))
        kept = self._keep(name, pair, waiting.public["policy"], body)
        self._vault.store.purge(self._vault.key, _PENDING, name)
        return web.json_response(self._bundle(kept), status=201)

    async def _import(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["import"], name)
        body = await body_of(request)
        known(body, {"value", "pwd", "policy", "attributes", "tags", "preserveCertOrder"})
        if not isinstance(body.get("value"), str):
            raise bad("The parameter 'value' is missing or not a string.")
        pair, form = x509.read(body["value"], body.get("pwd"))
        policy = _policy_of(body.get("policy"))
        policy = {**policy, "secret_props": {"contentType": form}, "issuer": {"name": "Unknown"}}
        return web.json_response(self._bundle(self._keep(name, pair, policy, body)))

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["get"], name)
        return web.json_response(self._bundle(self._vault.current(_KIND, name, request.match_info.get("version", ""))))

    async def _policy(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["get"], name)
        # The newest one, whether its certificate is there yet or not.
        waiting = self._vault.store.get(self._vault.key, _PENDING, name)
        newest = waiting or self._vault.current(_KIND, name)
        return web.json_response({**newest.public["policy"], "id": f"{self._vault.identifier(_KIND, name)}/policy"})

    async def _list(self, request: web.Request) -> web.Response:
        self._vault.allow(request, CERTIFICATES["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=False, after=after, limit=limit + 1)
        return self._vault.page(request, names, lambda name: self._item(self._vault.current(_KIND, name)), limit)

    async def _versions(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["list"], name)
        after, limit = page_of(request)
        self._vault.current(_KIND, name)
        versions = {each.version: each for each in self._vault.store.versions(self._vault.key, _KIND, name)}
        names = sorted(each for each in versions if each > after)[: limit + 1]
        return self._vault.page(request, names, lambda each: self._item(versions[each], versioned=True), limit)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["delete"], name)
        version = self._vault.current(_KIND, name)
        deletion = self._vault.delete(_KIND, name)
        for kind in ("key", "secret"):
            self._vault.delete(kind, name)
        fields = self._vault.deletion_fields(_KIND, deletion) if deletion else {}
        return web.json_response(self._bundle(version) | fields)

    async def _get_deleted(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["get"], name)
        deletion, version = self._vault.deleted(_KIND, name)
        return web.json_response(self._bundle(version) | self._vault.deletion_fields(_KIND, deletion))

    async def _list_deleted(self, request: web.Request) -> web.Response:
        self._vault.allow(request, CERTIFICATES["list"])
        after, limit = page_of(request)
        names = self._vault.store.names(self._vault.key, _KIND, deleted=True, after=after, limit=limit + 1)

        def item(name: str) -> dict[str, Any]:
            deletion, version = self._vault.deleted(_KIND, name)
            return self._item(version) | self._vault.deletion_fields(_KIND, deletion)

        return self._vault.page(request, names, item, limit)

    async def _recover(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["recover"], name)
        _, version = self._vault.deleted(_KIND, name)
        for kind in _PARTS:
            self._vault.store.recover(self._vault.key, kind, name)
        return web.json_response(self._bundle(version))

    async def _purge(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._vault.allow(request, CERTIFICATES["purge"], name)
        for kind in _PARTS:
            self._vault.purge(kind, name)
        return web.Response(status=204)


def _policy_of(given: Any) -> dict[str, Any]:
    """A policy with what is not said. Raises VaultError 400."""
    policy = {} if given is None else given
    if not isinstance(policy, dict):
        raise bad("Property 'policy' has invalid value: an object is expected.")
    known(policy, _POLICY, "policy.")
    told = {name: each for name, each in policy.items() if each is not None}
    form = {"contentType": x509.PFX, **{n: e for n, e in (told.get("secret_props") or {}).items() if e is not None}}
    if form["contentType"] not in (x509.PFX, x509.PEM):
        raise bad(f"Property 'policy.secret_props.contentType' is none of {x509.PFX}, {x509.PEM}.")
    key = {n: e for n, e in (told.get("key_props") or {}).items() if e is not None}
    return {**told, "key_props": {"exportable": True, **key}, "secret_props": form}
