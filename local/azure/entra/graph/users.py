"""Test users: create, read and delete ``/v1.0/users``."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from local.azure.context import ArmError, Body, Principal
from local.azure.entra.directory import LocalDirectory

_KNOWN = {"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"}


class Users:
    """The test users of the tenant."""

    def __init__(self, directory: LocalDirectory) -> None:
        self._directory = directory

    def handle(self, method: str, path: str, body: Any) -> web.Response:
        """Answer a request. Raises ArmError."""
        found = re.fullmatch(r"users(?:/([^/]+))?", path)
        match (method, found and (found[1] or "")):
            case "POST", "":
                return web.json_response(self._create(body), status=201)
            case "GET", "":
                return web.json_response({"value": [_user(each) for each in self._directory.users()]})
            case "GET", str(key) if key:
                return web.json_response(_user(self._user(key)))
            case "DELETE", str(key) if key:
                self._directory.remove(self._user(key).object_id)
                return web.Response(status=204)
        raise ArmError(400, "Request_BadRequest", f"{method} {path} is not part of Graph here.")

    def _create(self, body: Any) -> Body:
        if not isinstance(body, dict) or set(body) - _KNOWN:
            wrong = ", ".join(sorted(set(body) - _KNOWN)) if isinstance(body, dict) else "the body"
            raise ArmError(400, "Request_BadRequest", f"Not known here: {wrong}; allowed: {', '.join(sorted(_KNOWN))}.")
        name = body.get("userPrincipalName")
        profile = body.get("passwordProfile")
        password = profile.get("password") if isinstance(profile, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", name):
            raise ArmError(400, "Request_BadRequest", "userPrincipalName must have the form name@domain.")
        if not isinstance(password, str) or len(password) < 8:
            raise ArmError(400, "Request_BadRequest", "passwordProfile.password must have 8 characters or more.")
        if self._directory.by_upn(name):
            raise ArmError(
                400, "Request_BadRequest", "Another object with the same value for property userPrincipalName exists."
            )
        return _user(self._directory.add(name, "User", secret=password))

    def _user(self, key: str) -> Principal:
        user = self._directory.principal(key) or self._directory.by_upn(key)
        if user is None or user.kind != "User":
            raise ArmError(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        return user


def _user(user: Principal) -> Body:
    return {"id": user.object_id, "userPrincipalName": user.name, "displayName": user.name.partition("@")[0]}
