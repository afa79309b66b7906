"""The sign-in of a container registry: Entra token → refresh token → access token, and what each request may do.

Protocol: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md and the distribution project's token specification.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from aiohttp import web

from local.azure.context import ArmError, Azure, Principal
from local.azure.dataplanes.registry_errors import AUTHENTICATE, error
from local.azure.dataplanes.registry_tokens import Access, RegistryTokens, TokenRefused

AUDIENCES = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://containerregistry.azure.net",
)
TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105  # a user name
"""The user name that says: the password is a refresh token (what `az acr login --expose-token` prints)."""
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
"""A repository's name (OCI distribution specification, "Pulling manifests")."""
_PULL = "Microsoft.ContainerRegistry/registries/pull/read"
_PUSH = "Microsoft.ContainerRegistry/registries/push/write"
_ACTIONS = {
    "pull": _PULL,
    "metadata_read": _PULL,
    "push": _PUSH,
    "metadata_write": _PUSH,
    "delete": "Microsoft.ContainerRegistry/registries/artifacts/delete",
}


class RegistryLogin:
    """Who may do what in one registry.

    registry_id: ARM id, the scope of role assignments. tokens: of this registry.
    """

    def __init__(self, azure: Azure, registry_id: str, tokens: RegistryTokens) -> None:
        self._azure, self._id, self._tokens = azure, registry_id, tokens

    def routes(self) -> list[web.RouteDef]:
        """The sign-in endpoints."""
        return [
            web.post("/oauth2/exchange", self._exchange),
            web.post("/oauth2/token", self._token),
            web.get("/oauth2/token", self._token_by_basic),
        ]

    def require(self, request: web.Request, wanted: Sequence[Access]) -> list[Access]:
        """What the request's bearer was granted. Raises the 401 challenge when that is less than wanted."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() == "bearer":
                granted = self._tokens.granted(value.strip())
            elif scheme.lower() == "basic":
                granted = self._grant(self._basic(value), wanted)
            else:
                raise self._challenge(wanted)
        except TokenRefused:
            raise self._challenge(wanted, "invalid_token") from None
        if any(not covers(granted, each) for each in wanted):
            raise self._challenge(wanted, "insufficient_scope")
        return granted

    async def _exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        grant = str(form.get("grant_type", ""))
        if grant not in ("access_token", "access_token_refresh_token"):
            raise error(400, "UNSUPPORTED", f"grant_type is {grant!r}; allowed is access_token.")
        self._check_service(str(form.get("service", "")))
        if form.get("tenant") not in (None, "", self._azure.directory.tenant_id):
            raise error(401, "UNAUTHORIZED", f"The tenant here is {self._azure.directory.tenant_id}.")
        try:
            principal = self._azure.directory.verify(str(form.get("access_token", "")), AUDIENCES)
        except ArmError as refusal:
            raise error(401, "UNAUTHORIZED", f"{AUTHENTICATE} {refusal.message}") from None
        if not any(self._allows(principal, action) for action in _ACTIONS):
            message = (
                f"{AUTHENTICATE} The identity {principal.object_id} has no role on this registry, such as AcrPull."
            )
            raise error(401, "UNAUTHORIZED", message)
        return web.json_response({"refresh_token": self._tokens.refresh_token(principal.object_id)})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        grant = form.get("grant_type")
        if grant == "refresh_token":
            proof = str(form.get("refresh_token", ""))
        elif grant == "password" and form.get("username") == TOKEN_USER:
            proof = str(form.get("password", ""))
        else:
            message = f"A refresh_token, or a password of the user {TOKEN_USER}, is needed: there are no admin users."
            raise error(401, "UNAUTHORIZED", message)
        self._check_service(str(form.get("service", "")))
        return self._answer(proof, [str(each) for each in form.getall("scope", [])])

    async def _token_by_basic(self, request: web.Request) -> web.Response:
        """Docker's older way: a GET with the refresh token as password."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        self._check_service(request.query.get("service", ""))
        if scheme.lower() != "basic":
            raise error(401, "UNAUTHORIZED", AUTHENTICATE)  # anonymous pull is off
        try:
            proof = self._password(value)
        except TokenRefused as refusal:
            raise error(401, "UNAUTHORIZED", f"{AUTHENTICATE} {refusal}") from None
        return self._answer(proof, request.query.getall("scope", []))

    def _answer(self, refresh_token: str, scopes: Iterable[str]) -> web.Response:
        wanted = [_scope(each) for joined in scopes for each in joined.split()]
        try:
            object_id = self._tokens.bearer(refresh_token)
            granted = self._grant(object_id, wanted)
        except TokenRefused as refusal:
            raise error(401, "UNAUTHORIZED", f"{AUTHENTICATE} {refusal}") from None
        if wanted and not any(each.actions for each in granted):
            detail = [
                {"Type": each.kind, "Name": each.name, "Action": a} for each in wanted for a in sorted(each.actions)
            ]
            raise error(401, "UNAUTHORIZED", AUTHENTICATE, detail)
        return web.json_response({"access_token": self._tokens.access_token(object_id, granted)})

    def _basic(self, value: str) -> str:
        return self._tokens.bearer(self._password(value))

    def _password(self, value: str) -> str:
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise TokenRefused("the Basic credentials are malformed") from None
        if user != TOKEN_USER:
            raise TokenRefused(f"the only user is {TOKEN_USER}: there are no admin users here")
        return password

    def _grant(self, object_id: str, wanted: Iterable[Access]) -> list[Access]:
        """The part of what is wanted that role assignments allow now."""
        principal = self._azure.directory.principal(object_id)
        if principal is None:
            raise TokenRefused("its identity is no more")
        allowed = {action for action in _ACTIONS if self._allows(principal, action)}
        granted = []
        for each in wanted:
            if each.kind == "registry":
                may = each.actions if "pull" in allowed else frozenset[str]()
            else:
                may = frozenset(allowed) if "*" in each.actions else each.actions & allowed
            granted.append(Access(each.kind, each.name, may))
        return granted

    def _allows(self, principal: Principal, action: str) -> bool:
        # AcrPull and AcrPush grant these as actions, not as data actions.
        return self._azure.authorizer.allows(principal, self._id, _ACTIONS[action], data=False)

    def _check_service(self, service: str) -> None:
        if service != self._tokens.service:
            raise error(400, "UNSUPPORTED", f"service is {service!r}; this registry is {self._tokens.service}.")

    def _challenge(self, wanted: Sequence[Access], why: str = "") -> Exception:
        service = self._tokens.service
        challenge = f'Bearer realm="https://{service}/oauth2/token",service="{service}"'
        order = ("pull", "push", "delete", "metadata_read", "metadata_write", "*")
        scopes = (f"{a.kind}:{a.name}:{','.join(sorted(a.actions, key=order.index))}" for a in wanted)
        if wanted:
            challenge += f',scope="{" ".join(scopes)}"'
        if why:
            challenge += f',error="{why}"'
        detail = [{"Type": each.kind, "Name": each.name, "Action": a} for each in wanted for a in sorted(each.actions)]
        headers = {"WWW-Authenticate": challenge, "Docker-Distribution-Api-Version": "registry/2.0"}
        return error(401, "UNAUTHORIZED", AUTHENTICATE, detail or None, headers)


def covers(granted: Iterable[Access], wanted: Access) -> bool:
    """Whether all of the wanted actions were granted."""
    actions = [each.actions for each in granted if (each.kind, each.name) == (wanted.kind, wanted.name)]
    return wanted.actions <= frozenset[str]().union(*actions)


def _scope(text: str) -> Access:
    """A scope such as ``repository:hello:pull,push``. Raises the 400 answer."""
    kind, _, rest = text.partition(":")
    name, _, actions = rest.rpartition(":")
    listed = frozenset(each for each in actions.split(",") if each)
    known = {"*", *_ACTIONS}
    fits = bool(REPOSITORY.fullmatch(name)) if kind == "repository" else (kind, name) == ("registry", "catalog")
    if not fits or not listed:
        raise error(
            400,
            "UNSUPPORTED",
            f"scope is {text!r}; allowed is repository:NAME:ACTIONS with {', '.join(sorted(known))}, "
            "or registry:catalog:*.",
        )
    return Access(kind, name, listed)
