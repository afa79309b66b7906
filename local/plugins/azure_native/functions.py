"""Functions of azure-native: the client's own identity, a GET of any resource of the table, and known POST actions."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from local.azure.arm.types import Type, by_token
from local.plugins.azure_native import mapping
from local.plugins.azure_native.operations import Operations
from local.plugins.provider import ProviderError
from local.plugins.values import Secret

_ACTIONS = {  # function → type, action, arguments that go into the query
    "containerregistry:listRegistryCredentials": ("containerregistry:Registry", "listCredentials", ()),
    "containerservice:listManagedClusterAdminCredentials": (
        "containerservice:ManagedCluster",
        "listClusterAdminCredential",
        ("server-fqdn",),
    ),
    "containerservice:listManagedClusterUserCredentials": (
        "containerservice:ManagedCluster",
        "listClusterUserCredential",
        ("server-fqdn", "format"),
    ),
    "notificationhubs:listNamespaceKeys": ("notificationhubs:NamespaceAuthorizationRule", "listKeys", ()),
    "notificationhubs:listNotificationHubKeys": ("notificationhubs:NotificationHubAuthorizationRule", "listKeys", ()),
    "operationalinsights:getSharedKeys": ("operationalinsights:Workspace", "sharedKeys", ()),
    "operationalinsights:getWorkspaceSharedKeys": ("operationalinsights:Workspace", "sharedKeys", ()),
    "servicebus:listNamespaceKeys": ("servicebus:NamespaceAuthorizationRule", "listKeys", ()),
    "storage:listStorageAccountKeys": ("storage:StorageAccount", "listKeys", ("$expand",)),
    "web:listWebAppApplicationSettings": ("web:WebApp", "config/appsettings/list", ()),
    "web:listWebAppHostKeys": ("web:WebApp", "host/default/listkeys", ()),
}
_SDK_NAMES = {"server-fqdn": "serverFqdn", "$expand": "expand"}


class Functions:
    """Functions of one configured provider."""

    def __init__(self, operations: Operations) -> None:
        self._arm = operations

    def call(self, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A function's answer. Raises ProviderError for one that is not known here, or when ARM refuses."""
        package, _, name = token.partition(":")
        if name == "authorization:getClientConfig":
            return self._client()
        if name == "authorization:getClientToken":
            return {"token": Secret(self._arm.endpoint.token(arguments.get("endpoint")))}
        if name in _ACTIONS:
            owner, action, in_query = _ACTIONS[name]
            return self._act(_type(token, f"{package}:{owner}"), action, in_query, arguments)
        module, _, function = name.partition(":")
        if function.startswith("get"):
            return self._get(_type(token, f"{package}:{module}:{function[3:]}"), arguments)
        raise _strange(token)

    def _client(self) -> dict[str, Any]:
        settings = self._arm.endpoint.settings
        claims = self._arm.endpoint.token().split(".")[1]
        known = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return {
            "clientId": settings.client_id,
            "objectId": known.get("oid", ""),
            "subscriptionId": settings.subscription_id,
            "tenantId": settings.tenant_id,
        }

    def _get(self, kind: Type, arguments: Mapping[str, Any]) -> dict[str, Any]:
        identity = self._identity(kind, arguments, ())
        found = self._arm.get(kind, identity)
        if found is None:
            raise ProviderError(f"{identity} was not found.")
        return {"id": str(found.get("id") or identity), **mapping.outputs(kind, identity, found)}

    def _act(self, kind: Type, action: str, in_query: tuple[str, ...], arguments: Mapping[str, Any]) -> dict[str, Any]:
        said = {name: _SDK_NAMES.get(name, name) for name in in_query}
        query = {name: str(arguments[sdk]) for name, sdk in said.items() if arguments.get(sdk) is not None}
        identity = self._identity(kind, arguments, tuple(said.values()))
        answer = self._arm.post(kind, identity, action, query, {})
        return {key: Secret(value) for key, value in answer.items()}  # these actions exist to hand out secrets

    def _identity(self, kind: Type, arguments: Mapping[str, Any], beside: tuple[str, ...]) -> str:
        strange = sorted(set(arguments) - set(kind.parameters) - set(beside) - {"subscriptionId"})
        if strange:
            raise ProviderError(f"{kind.token}: the stand-in does not know the argument {strange[0]!r}.")
        try:
            return kind.to_arm(arguments, self._arm.endpoint.settings.subscription_id)[0]
        except ValueError as error:
            raise ProviderError(str(error)) from None


def _type(function: str, token: str) -> Type:
    found = by_token(token)
    if found is None:
        raise _strange(function)
    return found


def _strange(token: str) -> ProviderError:
    return ProviderError(
        f"The stand-in for azure-native does not know the function {token}: it knows getClientConfig, getClientToken, "
        f"get… of every type in the table, and {', '.join(sorted(_ACTIONS))}."
    )
