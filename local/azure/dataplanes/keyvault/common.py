"""What secrets and keys of a vault have in common: attributes, identifiers, body checks, paging, deletion."""

from __future__ import annotations

import base64
import binascii
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.azure.context import Azure, Resource
from local.azure.dataplanes.keyvault.access import Gate, Permission
from local.azure.dataplanes.keyvault.errors import (
    VaultError,
    bad,
    deleted_not_found,
    held_by_deleted,
    not_found,
)
from local.azure.dataplanes.keyvault.store import Deletion, VaultStore, Version

_PAGE = 25
_ATTRIBUTES = {"enabled", "nbf", "exp"}
_READ_ONLY = {"created", "updated", "recoveryLevel", "recoverableDays"}


def b64(data: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: Any, what: str) -> bytes:
    """The bytes of unpadded base64url. Raises VaultError 400 naming the property."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", text):
        raise bad(f"Property '{what}' has invalid value: base64url is expected.")
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        raise bad(f"Property '{what}' has invalid value: base64url is expected.") from None


def known(body: Mapping[str, Any], allowed: Iterable[str], where: str = "") -> None:
    """Refuse properties that this vault does not know instead of ignoring them."""
    for name in body:
        if name not in allowed:
            raise bad(f"Property '{where}{name}' is not known here; allowed: {', '.join(sorted(allowed))}.")


def new_version() -> str:
    """A version's name: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def attributes(given: Any, previous: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Attributes as they are kept. given: of a request body; previous: those being updated, times in seconds."""
    now = int(time.time())
    base = dict(previous or {"enabled": True, "created": now})
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise bad("Property 'attributes' has invalid value: an object is expected.")
    known(given, _ATTRIBUTES | _READ_ONLY | {"exportable"}, "attributes.")
    if given.get("exportable"):
        raise bad("Property 'attributes.exportable' is not supported here: a key never leaves the vault.")
    for name in _ATTRIBUTES & given.keys():
        value, expected = given[name], bool if name == "enabled" else int
        if value is None:
            continue
        if type(value) is not expected:
            raise bad(f"Property 'attributes.{name}' has invalid value {value!r}: {expected.__name__} is expected.")
        base[name] = value
    if "nbf" in base and "exp" in base and base["nbf"] >= base["exp"]:
        raise bad("Property 'attributes.exp' has invalid value: it must be later than 'nbf'.")
    return base | {"updated": now}


def tags(given: Any) -> dict[str, str] | None:
    """Tags of a body, checked: at most 15, text."""
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise bad("Property 'tags' has invalid value: an object of strings is expected.")
    if len(given) > 15:
        raise bad(f"Property 'tags' has {len(given)} entries; at most 15 are allowed.")
    return given


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request. Raises VaultError 400."""
    try:
        body = await request.json()
    except ValueError:
        raise bad("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise bad("The request body has invalid value: an object is expected.")
    return body


@dataclass
class Vault:
    """One vault's contents behind its gate, as the routes see it."""

    azure: Azure
    store: VaultStore
    gate: Gate
    id: str
    uri: str
    """``https://127.0.0.1:<port>`` without a trailing slash."""

    @property
    def resource(self) -> Resource:
        """The vault's ARM resource as it is now. Raises VaultError 404 when it is gone."""
        found = self.azure.store.get(self.id)
        if found is None:
            raise VaultError(404, "VaultNotFound", f"The vault at {self.uri} has been deleted.")
        return found

    @property
    def key(self) -> str:
        """The vault in the store."""
        return self.id.lower()

    @property
    def premium(self) -> bool:
        """Whether the vault's tier has HSM keys."""
        return str((self.resource.properties.get("sku") or {}).get("name", "")).lower() == "premium"

    def recovery(self) -> tuple[bool, dict[str, Any]]:
        """Whether deletion is soft, and what attributes say about it."""
        properties = self.resource.properties
        if properties.get("enableSoftDelete") is False:
            return False, {"recoveryLevel": "Purgeable", "recoverableDays": 0}
        days = int(properties.get("softDeleteRetentionInDays") or 90)
        level = "Recoverable" if days == 90 else "CustomizedRecoverable"
        if not properties.get("enablePurgeProtection"):
            level += "+Purgeable"
        return True, {"recoveryLevel": level, "recoverableDays": days}

    def allow(self, request: web.Request, permission: Permission, name: str = "") -> None:
        """Raises VaultError 401 or 403 unless the caller may."""
        principal = self.gate.authenticate(request.headers.get("Authorization"))
        self.gate.require(principal, self.resource, permission, name)

    def identifier(self, kind: str, name: str, version: str = "", *, deleted: bool = False) -> str:
        """The id of a secret or key, or of a version."""
        collection = f"deleted{kind}s" if deleted else f"{kind}s"
        return f"{self.uri}/{collection}/{name}" + (f"/{version}" if version else "")

    def current(self, kind: str, name: str, version: str = "") -> Version:
        """A version of something not deleted. Raises VaultError 404."""
        found = self.store.get(self.key, kind, name, version)
        if found is None or self.store.deletion(self.key, kind, name):
            raise not_found(kind, f"{name}/{version}" if version else name)
        return found

    def reserve(self, kind: str, name: str) -> None:
        """Refuse a name that a deleted object holds, or that is malformed."""
        if not re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name):
            raise bad(f"The name {name!r} is invalid: 1 to 127 letters, digits and hyphens are allowed.")
        if self.store.deletion(self.key, kind, name):
            raise held_by_deleted(kind, name)

    def delete(self, kind: str, name: str) -> Deletion | None:
        """Delete; None when the vault does not keep what is deleted."""
        self.current(kind, name)
        soft, recovery = self.recovery()
        if soft:
            return self.store.delete(self.key, kind, name, recovery["recoverableDays"])
        self.store.purge(self.key, kind, name)
        return None

    def deleted(self, kind: str, name: str) -> tuple[Deletion, Version]:
        """A soft-deleted object and its newest version. Raises VaultError 404."""
        deletion, version = self.store.deletion(self.key, kind, name), self.store.get(self.key, kind, name)
        if deletion is None or version is None:
            raise deleted_not_found(kind, name)
        return deletion, version

    def deletion_fields(self, kind: str, deletion: Deletion) -> dict[str, Any]:
        """What a deleted bundle adds."""
        return {
            "recoveryId": self.identifier(kind, deletion.name, deleted=True),
            "deletedDate": deletion.deleted,
            "scheduledPurgeDate": deletion.purge,
        }

    def purge(self, kind: str, name: str) -> None:
        """Purge what is deleted. Raises VaultError 403 under purge protection, 404."""
        self.deleted(kind, name)
        if self.resource.properties.get("enablePurgeProtection"):
            raise VaultError(
                403,
                "Forbidden",
                'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault '
                "service will automatically purge it after the retention period has passed.",
                "PurgeProtectionEnabled",
            )
        self.store.purge(self.key, kind, name)

    def page(
        self, request: web.Request, names: list[str], item: Callable[[str], dict[str, Any]], limit: int
    ) -> web.Response:
        """A page of items; ``names`` holds one more than the page when there is a next one."""
        link = None
        if len(names) > limit:
            query = {"api-version": request.query["api-version"], "$skiptoken": b64(names[limit - 1].encode())}
            if "maxresults" in request.query:
                query["maxresults"] = request.query["maxresults"]
            link = str(request.url.with_host("127.0.0.1").with_query(query))
        return web.json_response({"value": [item(name) for name in names[:limit]], "nextLink": link})


def page_of(request: web.Request) -> tuple[str, int]:
    """Where a page starts (after which name) and how long it is. Raises VaultError 400."""
    text = request.query.get("maxresults", str(_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= _PAGE:
        raise bad(f"The query parameter maxresults is {text!r}; allowed are 1 to {_PAGE}.")
    return unb64(request.query.get("$skiptoken", ""), "$skiptoken").decode("utf-8", "replace"), int(text)
