"""What objects of Graph need of each other: what must exist, and what may not change or go."""

from __future__ import annotations

from collections.abc import Callable

from local.azure.context import ArmError, Body
from local.azure.entra.graph.permissions import APP_ROLES, GRAPH_APP
from local.azure.entra.graph.store import GraphStore

_Check = Callable[[Body, Body | None, GraphStore], None]


def check(collection: str, body: Body, previous: Body | None, store: GraphStore) -> None:
    """Raises ArmError 400 naming what is missing or must stay. collection: the kind's."""
    if collection in _CHECKS:
        _CHECKS[collection](body, previous, store)


def _application(body: Body, previous: Body | None, store: GraphStore) -> None:
    taken = {
        uri for other in store.list("applications") if other["id"] != body["id"] for uri in other["identifierUris"]
    }
    if wrong := sorted(taken & set(body["identifierUris"])):
        raise _bad(f"Another object with the same value for property identifierUris already exists: {wrong[0]}.")
    scopes = {each["id"]: each for each in body["api"]["oauth2PermissionScopes"]}
    for before in (previous or {}).get("api", {}).get("oauth2PermissionScopes", []):
        after = scopes.get(before["id"])
        if before["isEnabled"] and (after is None or after["value"] != before["value"]):
            raise ArmError(
                400,
                "CannotDeleteOrUpdateEnabledEntitlement",
                f"Permission (scope or role) {before['value']} cannot be deleted or updated unless disabled first.",
            )


def _service_principal(body: Body, previous: Body | None, store: GraphStore) -> None:
    if body["appId"] != GRAPH_APP and not any(each["appId"] == body["appId"] for each in store.list("applications")):
        raise _bad(
            f"The appId '{body['appId']}' of the service principal does not reference a valid application object."
        )


def _app_role_assignment(body: Body, _: Body | None, store: GraphStore) -> None:
    _principal(body["principalId"], store)
    if _principal(body["resourceId"], store)["appId"] != GRAPH_APP or body["appRoleId"] not in APP_ROLES.values():
        raise _bad(f"Permission being assigned was not found on application '{body['resourceId']}'.")


def _permission_grant(body: Body, _: Body | None, store: GraphStore) -> None:
    _principal(body["clientId"], store)
    resource = _principal(body["resourceId"], store)
    if resource["appId"] == GRAPH_APP:
        offered = {"openid", "profile", "email", "offline_access", "User.Read"}
    else:
        application = next(each for each in store.list("applications") if each["appId"] == resource["appId"])
        offered = {each["value"] for each in application["api"]["oauth2PermissionScopes"]}
    if wrong := sorted(set(body["scope"].split()) - offered):
        raise _bad(f"The scope {wrong[0]} is not offered by '{resource['displayName']}'.")


def _included(body: Body, _: Body | None, store: GraphStore) -> None:
    _of_application(body["appId"], store)


def _listener(body: Body, _: Body | None, store: GraphStore) -> None:
    for each in body["conditions"]["applications"]["includeApplications"]:
        _of_application(each["appId"], store)
    extension = body["handler"]["customExtension"]["id"]
    if store.get("identity/customAuthenticationExtensions", extension) is None:
        raise _bad(f"There is no custom authentication extension {extension}.")


def _conditional_access(body: Body, _: Body | None, store: GraphStore) -> None:
    for each in body["conditions"]["applications"]["includeApplications"]:
        if each not in ("All", "None"):
            _of_application(each, store)


def _extension(body: Body, _: Body | None, store: GraphStore) -> None:
    resource = body["authenticationConfiguration"]["resourceId"]
    if not any(resource in each["identifierUris"] for each in store.list("applications")):
        raise _bad(f"The application with identifier '{resource}' was not found in the directory.")


def _principal(key: str, store: GraphStore) -> Body:
    found = store.get("servicePrincipals", key)
    if found is None:
        raise _bad(f"There is no service principal {key}.")
    return found


def _of_application(app_id: str, store: GraphStore) -> None:
    if not any(each["appId"] == app_id for each in store.list("servicePrincipals")):
        raise _bad(f"No service principal has the appId {app_id}.")


def _bad(message: str) -> ArmError:
    return ArmError(400, "Request_BadRequest", message)


_CHECKS: dict[str, _Check] = {
    "applications": _application,
    "servicePrincipals": _service_principal,
    "servicePrincipals/{}/appRoleAssignments": _app_role_assignment,
    "oauth2PermissionGrants": _permission_grant,
    "identity/authenticationEventsFlows/{}/conditions/applications/includeApplications": _included,
    "identity/authenticationEventListeners": _listener,
    "identity/conditionalAccess/policies": _conditional_access,
    "identity/customAuthenticationExtensions": _extension,
}
