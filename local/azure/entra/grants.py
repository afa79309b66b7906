"""The grants that need no other party: client secret, and a test user's password (RFC 6749, 4.3 and 4.4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from local.azure.context import Principal
from local.azure.entra import audiences
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.graph.store import GraphStore
from local.azure.entra.refusal import TokenRefused
from local.instance import Instance

_EVERY = ".default"
_UNNAMED = "user_impersonation"
"""The one scope of a resource that names none."""


def audience_of(form: Mapping[str, str], instance: Instance, graph: GraphStore) -> tuple[str, str]:
    """The audience that a request asks for, and the delegated scopes: from ``resource`` (v1) or ``scope`` (v2).

    A registered API whose tokens are of version 2 is known by its identifiers; its tokens are for its application id.
    Raises TokenRefused for a malformed scope, for one that a registered API does not offer, for more than one resource
    and for a resource that is not known.
    """
    resource, names = _asked(form)
    for application in graph.list("applications"):
        if resource in (application["appId"], *application["identifierUris"]):
            scopes = _offered(application, names)
            if application["api"]["requestedAccessTokenVersion"] == 2:
                resource = application["appId"]
            return resource, scopes
    if not audiences.known(resource, instance):
        raise TokenRefused(
            "invalid_resource",
            500011,
            f"The resource principal named {resource!r} was not found in the tenant. Ask for one of Azure's resources, "
            "e.g. https://management.azure.com/.default, or an own API as api://<name>/.default.",
        )
    return resource, " ".join(sorted(_UNNAMED if each == _EVERY else each for each in names or {_EVERY}))


def _asked(form: Mapping[str, str]) -> tuple[str, set[str]]:
    """The resource, and its scopes by name. Raises TokenRefused for a malformed one, and for more than one resource."""
    if resource := form.get("resource", ""):
        return resource, set()
    names: set[str] = set()
    for scope in form.get("scope", "").split():
        if scope in ("openid", "profile", "offline_access", "email"):
            continue
        audience, slash, name = scope.rpartition("/")
        if not slash or ("://" not in scope and name != _EVERY):
            raise TokenRefused("invalid_scope", 70011, f"The scope {scope!r} is not valid; use <resource>/.default.")
        if resource and audience != resource:
            raise TokenRefused("invalid_scope", 28000, "Scopes of one request must belong to one resource.")
        resource = audience
        names.add(name)
    return resource, names


def _offered(application: Mapping[str, Any], names: set[str]) -> str:
    """What a token for a registered API grants: what was asked for by name, else all it offers, as if consented to.

    Raises TokenRefused for a scope that the API does not offer.
    """
    offered = {each["value"] for each in application["api"]["oauth2PermissionScopes"] if each["isEnabled"]}
    if strange := names - offered - {_EVERY}:
        raise TokenRefused(
            "invalid_client",
            650053,
            f"The application asked for scope {min(strange)!r} that doesn't exist on the resource "
            f"{application['appId']!r}; it offers: {', '.join(sorted(offered)) or 'none'}.",
        )
    return " ".join(sorted(names - {_EVERY} or offered)) or _UNNAMED


def with_basic(form: Mapping[str, str], authorization: str | None) -> Mapping[str, str]:
    """The form with client id and secret taken from HTTP Basic authentication, where they came that way."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenRefused("invalid_request", 900144, "The Authorization header is no valid Basic one.") from None
    return {**form, "client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}


def client_secret(form: Mapping[str, str], directory: LocalDirectory) -> Principal:
    """The service principal of a client id and secret. Raises TokenRefused 401."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if not secret:
        raise TokenRefused(
            "invalid_client",
            7000216,
            "'client_assertion' or 'client_secret' is required for the 'client_credentials' grant type.",
            401,
        )
    principal = directory.by_client_id(client_id)
    if principal is None:
        raise unknown_client(client_id)
    if not directory.knows_secret(principal, secret):
        raise TokenRefused("invalid_client", 7000215, f"Invalid client secret provided for app '{client_id}'.", 401)
    return principal


def password(form: Mapping[str, str], directory: LocalDirectory) -> Principal:
    """The test user of a name and password. Raises TokenRefused without telling which of the two is wrong."""
    user = directory.by_upn(form.get("username", ""))
    if user is None or not directory.knows_secret(user, form.get("password", "")):
        raise TokenRefused("invalid_grant", 50126, "Error validating credentials due to invalid username or password.")
    return user


def unknown_client(client_id: str) -> TokenRefused:
    """No identity has this client id."""
    return TokenRefused(
        "unauthorized_client", 700016, f"Application with identifier '{client_id}' was not found in the directory."
    )
