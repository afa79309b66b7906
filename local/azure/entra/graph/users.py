"""Users ``/v1.0/users``: create, read, change the display name, delete; what opens each to an application.

Permissions: learn.microsoft.com/graph/api/user-get, user-update, user-delete and directory-deleteditems-delete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.azure.context import ArmError, Body, Principal
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.graph.kinds import DELETED
from local.azure.entra.graph.objects import Objects

USER = "#microsoft.graph.user"
"""The type by which a user is told from other deleted items."""
_KNOWN = {"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"}
_SHOWN = ("id", "userPrincipalName", "displayName")
_COLLECTION = "users"
_ONE = r"users/([^/]+)"


def permissions(method: str, path: str) -> tuple[str, ...]:
    """Which permissions of an application open it; none does what only who administers the tenant does here."""
    if path == DELETED:
        return ("User.DeleteRestore.All",)
    by_method = {
        "GET": ("User.ReadWrite.All",),
        "PATCH": ("User.ReadWrite.All",),
        "DELETE": ("User.DeleteRestore.All", "User.ReadWrite.All"),
    }
    return by_method.get(method, ()) if re.fullmatch(_ONE, path) else ()


class Users:
    """The test users of the tenant. objects: keep their display names, and those who were deleted."""

    def __init__(self, directory: LocalDirectory, objects: Objects) -> None:
        self._directory, self._objects = directory, objects

    def handle(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> web.Response:
        """Answer a request. Raises ArmError."""
        if unknown := set(query) - {"$select"}:
            raise _bad(f"Not known here: {', '.join(sorted(unknown))}; allowed: $select.")
        found = re.fullmatch(_ONE, path)
        if path == _COLLECTION and method == "POST":
            return web.json_response(self._create(body), status=201)
        if path == _COLLECTION and method == "GET":
            return web.json_response({"value": [self._shown(each, query) for each in self._directory.users()]})
        if found and method in ("GET", "PATCH", "DELETE"):
            user = self._user(found[1])
            if method == "GET":
                return web.json_response(self._shown(user, query))
            self._rename(user, body) if method == "PATCH" else self._delete(user)
            return web.Response(status=204)
        raise _bad(f"{method} {path} is not part of Graph here.")

    def _create(self, body: Any) -> Body:
        if not isinstance(body, dict) or set(body) - _KNOWN:
            wrong = ", ".join(sorted(set(body) - _KNOWN)) if isinstance(body, dict) else "the body"
            raise _bad(f"Not known here: {wrong}; allowed: {', '.join(sorted(_KNOWN))}.")
        name = body.get("userPrincipalName")
        profile = body.get("passwordProfile")
        password = profile.get("password") if isinstance(profile, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", name):
            raise _bad("userPrincipalName must have the form name@domain.")
        if not isinstance(password, str) or len(password) < 8:
            raise _bad("passwordProfile.password must have 8 characters or more.")
        if self._directory.by_upn(name):
            raise _bad("Another object with the same value for property userPrincipalName exists.")
        called = _display_name(body) if "displayName" in body else None
        user = self._directory.add(name, "User", secret=password)
        if called is not None:
            self._call(user, called)
        return self._shown(user, {})

    def _rename(self, user: Principal, body: Any) -> None:
        if not isinstance(body, dict) or set(body) != {"displayName"}:
            raise _bad("Of a user displayName alone is changed here.")
        self._call(user, _display_name(body))

    def _call(self, user: Principal, name: str) -> None:
        self._objects.store.put(_COLLECTION, {"displayName": name}, {"id": user.object_id})

    def _delete(self, user: Principal) -> None:
        self._objects.bin({"@odata.type": USER, **self._shown(user, {})})
        self._objects.store.remove(_COLLECTION, user.object_id)
        self._directory.remove(user.object_id)

    def _user(self, key: str) -> Principal:
        user = self._directory.principal(key) or self._directory.by_upn(key)
        if user is None or user.kind != "User":
            raise ArmError(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        return user

    def _shown(self, user: Principal, query: Mapping[str, str]) -> Body:
        kept = self._objects.store.get(_COLLECTION, user.object_id) or {}
        name = kept.get("displayName", user.name.partition("@")[0])
        whole = {"id": user.object_id, "userPrincipalName": user.name, "displayName": name}
        wanted = query["$select"].split(",") if "$select" in query else _SHOWN
        if unknown := set(wanted) - set(_SHOWN):
            raise _bad(f"$select: not known here: {', '.join(sorted(unknown))}; allowed: {', '.join(_SHOWN)}.")
        return {each: whole[each] for each in wanted}


def _display_name(body: Body) -> str:
    name = body["displayName"]
    if not isinstance(name, str) or not 1 <= len(name) <= 256:
        raise _bad("Invalid value specified for property 'displayName': it is a text of 1 to 256 characters.")
    return name


def _bad(message: str) -> ArmError:
    return ArmError(400, "Request_BadRequest", message)
