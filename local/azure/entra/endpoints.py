"""Entra's HTTP endpoints: OIDC discovery, JWKS, token requests (v1 and v2), and managed identity.

Protocol: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and RFC 6749.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping

from aiohttp import web

from local.azure.context import Principal
from local.azure.entra import audiences, grants
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.federation import Federation
from local.azure.entra.graph.store import GraphStore
from local.azure.entra.keys import jwks
from local.azure.entra.refusal import TokenRefused
from local.azure.entra.tokens import LIFETIME
from local.instance import Instance


class EntraEndpoints:
    """Routes of the login authority.

    graph: holds the registered APIs. node_header: what a node must show to get managed identities' tokens.
    """

    def __init__(
        self, instance: Instance, directory: LocalDirectory, federation: Federation, graph: GraphStore, node_header: str
    ) -> None:
        self._instance, self._directory, self._federation = instance, directory, federation
        self._graph, self._node_header = graph, node_header
        self._base = f"https://{instance.arm}/{directory.tenant_id}"

    def register(self, application: web.Application) -> None:
        """Add the routes. They come before ARM's catch-all."""
        tenant = "/{tenant:" + self._directory.tenant_id + "|organizations|common}"
        add = application.router
        for version in ("", "/v2.0"):
            add.add_get(tenant + version + "/.well-known/openid-configuration", self._discovery)
        for version in ("", "/v2.0"):
            add.add_get(tenant + "/discovery" + version + "/keys", self._keys)
        add.add_post(tenant + "/oauth2/v2.0/token", self._token)
        add.add_post(tenant + "/oauth2/token", self._token)
        add.add_get("/msi/token", self._managed_identity)

    async def _discovery(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self._directory.tokens.v2_issuer,
                "token_endpoint": f"{self._base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{self._base}/oauth2/v2.0/authorize",
                "jwks_uri": f"{self._base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "grant_types_supported": ["client_credentials", "password"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "tenant_region_scope": None,
                "cloud_instance_name": self._instance.arm,
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response(jwks(self._directory.tokens.key))

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            audience, scopes = grants.audience_of(form, self._instance, self._graph)
            principal = await self._authenticate(grants.with_basic(form, request.headers.get("Authorization")))
        except TokenRefused as refused:
            return web.json_response(refused.body(), status=refused.status)
        extra = {"scp": scopes} if principal.kind == "User" else {}
        token = self._directory.issue(principal, audience, extra)
        answer = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}
        if request.path.endswith("/oauth2/token"):  # v1 answers in strings, and names the resource
            answer |= {"expires_in": str(LIFETIME), "ext_expires_in": str(LIFETIME), "resource": audience}
            answer |= {"expires_on": str(int(time.time()) + LIFETIME), "not_before": str(int(time.time()))}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _authenticate(self, form: Mapping[str, str]) -> Principal:
        grant = form.get("grant_type", "")
        if grant == "client_credentials" and form.get("client_assertion"):
            return await self._federation.exchange(form)
        if grant == "client_credentials":
            return grants.client_secret(form, self._directory)
        if grant == "password":
            return grants.password(form, self._directory)
        raise TokenRefused(
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type {grant!r}; allowed: client_credentials, password.",
        )

    async def _managed_identity(self, request: web.Request) -> web.Response:
        """App Service's managed-identity protocol (api-version 2019-08-01), for the node agent only."""
        shown = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(shown.encode(), self._node_header.encode()):
            return _msi_refused(401, "Unauthorized", "The header X-IDENTITY-HEADER is missing or wrong.")
        resource, client_id = request.query.get("resource", ""), request.query.get("client_id", "")
        if not audiences.known(resource, self._instance):
            return _msi_refused(400, "BadRequest", f"The resource {resource!r} is not known in this tenant.")
        principal = self._directory.by_client_id(client_id)
        if principal is None or self._directory.resource_of(principal) is None:
            return _msi_refused(400, "BadRequest", f"No managed identity has client_id {client_id!r}.")
        return web.json_response(
            {
                "access_token": self._directory.issue(principal, resource),
                "expires_on": str(int(time.time()) + LIFETIME),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": principal.client_id,
            },
            headers={"Cache-Control": "no-store"},
        )


def _msi_refused(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message, "code": code}, status=status)
