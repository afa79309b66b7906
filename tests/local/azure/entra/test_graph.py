"""What Graph keeps, refuses and lets go: plain requests, as its documentation writes them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.instance import TENANT_ID
from tests.local.azure.entra.test_tokens import AUDIENCE, Issuer, claims_of, exchange, issuer
from workloads.chassis.credential import application as application_credential
from workloads.services.user.directory import SCOPE as SCOPE_OF_GRAPH
from workloads.services.user.directory import Directory

__all__ = ["issuer"]
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
SCOPE = {
    "id": str(uuid.uuid4()),
    "value": "accounts.read",
    "type": "User",
    "isEnabled": True,
    "adminConsentDisplayName": "Read accounts",
    "adminConsentDescription": "Reads accounts.",
}
FLOW: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.externalUsersSelfServiceSignUpEventsFlow",
    "onAuthenticationMethodLoadStart": {
        "@odata.type": "#microsoft.graph.onAuthenticationMethodLoadStartExternalUsersSelfServiceSignUp",
        "identityProviders": [{"id": "EmailPassword-OAUTH"}],
    },
    "onInteractiveAuthFlowStart": {
        "@odata.type": "#microsoft.graph.onInteractiveAuthFlowStartExternalUsersSelfServiceSignUp",
        "isSignUpAllowed": True,
    },
    "onAttributeCollection": {
        "@odata.type": "#microsoft.graph.onAttributeCollectionExternalUsersSelfServiceSignUp",
        "attributes": [{"id": "email"}],
        "attributeCollectionPage": {
            "views": [{"inputs": [{"attribute": "email", "label": "Email", "inputType": "text"}]}]
        },
    },
}


@pytest.fixture(scope="module")
def graph(azure: Any) -> Iterator[httpx.Client]:
    """Graph as the owner of the subscription sees it."""
    with azure.client(azure.credential().get_token("https://graph.microsoft.com/.default").token) as client:
        yield client


def application(graph: httpx.Client, **more: Any) -> dict[str, Any]:
    name = f"app-{uuid.uuid4().hex[:8]}"
    made = graph.patch(
        f"/v1.0/applications(uniqueName='{name}')",
        headers={"Prefer": "create-if-missing"},
        json={"displayName": name, **more},
    )
    assert made.status_code == 201, made.text
    return made.json()


def principal(graph: httpx.Client, app: dict[str, Any]) -> dict[str, Any]:
    made = graph.post("/v1.0/servicePrincipals", json={"appId": app["appId"]})
    assert made.status_code == 201, made.text
    return made.json()


def refused(answer: httpx.Response, status: int, message: str) -> None:
    assert answer.status_code == status, answer.text
    assert message in answer.json()["error"]["message"]


def test_an_application_is_made_once_by_its_unique_name_then_changed(graph: httpx.Client) -> None:
    made = application(graph, api={"oauth2PermissionScopes": [SCOPE]})
    path = f"/v1.0/applications(uniqueName='{made['uniqueName']}')"
    again = graph.patch(path, headers={"Prefer": "create-if-missing"}, json={"displayName": "Other"})
    assert (again.status_code, again.content) == (204, b"")
    kept = graph.get(path).json()
    assert kept["displayName"] == "Other"
    assert (kept["id"], kept["appId"], kept["api"]["oauth2PermissionScopes"][0]["value"]) == (
        made["id"],
        made["appId"],
        "accounts.read",
    )
    assert graph.get(f"/v1.0/applications(appId='{made['appId']}')").json() == kept
    assert graph.get(f"/v1.0/applications/{made['id']}").json() == kept
    refused(graph.patch("/v1.0/applications(uniqueName='none')", json={"displayName": "x"}), 404, "does not exist")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "displayName"),
        ({"displayName": "x", "displayname": "y"}, "displayname"),
        ({"displayName": "x", "signInAudience": "Everybody"}, "signInAudience"),
        ({"displayName": "x", "spa": {"redirectUris": ["somewhere"]}}, "spa.redirectUris.0"),
        (
            {"displayName": "x", "api": {"oauth2PermissionScopes": [{**SCOPE, "id": "1"}]}},
            "oauth2PermissionScopes.0.id",
        ),
        ({"displayName": "x", "passwordCredentials": []}, "passwordCredentials"),
        ([], "must be a JSON object"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(graph: httpx.Client, body: Any, message: str) -> None:
    refused(graph.post("/v1.0/applications", json=body), 400, message)


def test_an_enabled_permission_stays_until_it_is_disabled(graph: httpx.Client) -> None:
    path = f"/v1.0/applications/{application(graph, api={'oauth2PermissionScopes': [SCOPE]})['id']}"
    none = {"api": {"oauth2PermissionScopes": []}}
    assert graph.patch(path, json=none).json()["error"]["code"] == "CannotDeleteOrUpdateEnabledEntitlement"
    assert graph.patch(path, json={"api": {"oauth2PermissionScopes": [{**SCOPE, "isEnabled": False}]}}).is_success
    assert graph.patch(path, json=none).is_success


def test_a_deleted_application_takes_its_principal_along_and_can_be_deleted_for_good(graph: httpx.Client) -> None:
    made = application(graph)
    own = principal(graph, made)
    assert graph.delete(f"/v1.0/applications/{made['id']}").status_code == 204
    assert graph.get(f"/v1.0/servicePrincipals/{own['id']}").status_code == 404
    deleted = graph.get(f"/v1.0/directory/deletedItems/{made['id']}").json()
    assert deleted["uniqueName"] == made["uniqueName"]
    assert graph.delete(f"/v1.0/directory/deletedItems/{made['id']}").status_code == 204
    assert graph.get(f"/v1.0/directory/deletedItems/{made['id']}").status_code == 404


def test_what_an_object_refers_to_must_be_there(graph: httpx.Client) -> None:
    nobody = str(uuid.uuid4())
    refused(
        graph.post("/v1.0/servicePrincipals", json={"appId": nobody}), 400, "does not reference a valid application"
    )
    own = principal(graph, application(graph))
    grant = {"clientId": own["id"], "consentType": "AllPrincipals", "resourceId": nobody, "scope": "openid"}
    refused(graph.post("/v1.0/oauth2PermissionGrants", json=grant), 400, nobody)
    policy = {
        "displayName": "p",
        "state": "enabled",
        "conditions": {"applications": {"includeApplications": [nobody]}, "users": {"includeUsers": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    refused(graph.post("/v1.0/identity/conditionalAccess/policies", json=policy), 400, nobody)


def test_a_flow_is_used_by_the_applications_that_were_added(graph: httpx.Client) -> None:
    name = f"flow {uuid.uuid4().hex[:6]}"
    flow = graph.post("/v1.0/identity/authenticationEventsFlows", json={**FLOW, "displayName": name}).json()
    twice = graph.post("/v1.0/identity/authenticationEventsFlows", json={**FLOW, "displayName": name})
    assert twice.status_code == 409
    app = application(graph)
    path = f"/v1.0/identity/authenticationEventsFlows/{flow['id']}/conditions/applications/includeApplications"
    included = {"@odata.type": "#microsoft.graph.authenticationConditionApplication", "appId": app["appId"]}
    refused(graph.post(path, json=included), 400, "No service principal")
    principal(graph, app)
    assert graph.post(path, json=included).status_code == 201
    assert [each["appId"] for each in graph.get(path).json()["value"]] == [app["appId"]]
    assert graph.delete(f"{path}/{app['appId']}").status_code == 204
    assert graph.delete(f"/v1.0/identity/authenticationEventsFlows/{flow['id']}").status_code == 204
    assert graph.get(path).status_code == 404


def test_the_older_flows_are_beta_only(graph: httpx.Client) -> None:
    body = {"id": "signin", "userFlowType": "signUpOrSignIn", "userFlowTypeVersion": 3}
    refused(graph.post("/v1.0/identity/b2cUserFlows", json=body), 400, "beta only")
    assert graph.post("/beta/identity/b2cUserFlows", json=body).json()["id"] == "B2C_1_signin"


def test_a_setting_is_always_there_and_only_changed(graph: httpx.Client) -> None:
    path = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/email"
    body = {"@odata.type": "#microsoft.graph.emailAuthenticationMethodConfiguration", "state": "enabled"}
    assert graph.patch(path, json=body).status_code == 204
    assert graph.get(path).json()["state"] == "enabled"
    refused(graph.delete(path), 405, "always there")
    refused(graph.patch(path, json={"state": "on"}), 400, "state")


class AsApplication:
    """Graph as an application sees it that signs in by a token it trusts."""

    def __init__(self, graph: httpx.Client, azure: Any, issuer: Issuer) -> None:
        self._graph = graph
        self.app = application(graph)
        self.own = principal(graph, self.app)
        trusted = {"name": "pipeline", "issuer": issuer.url, "subject": "repo:o/r:environment:dev"}
        path = f"/v1.0/applications/{self.app['id']}/federatedIdentityCredentials"
        assert graph.post(path, json={**trusted, "audiences": [AUDIENCE]}).status_code == 201
        form = {
            "grant_type": "client_credentials",
            "client_id": self.app["appId"],
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": issuer.token(sub=trusted["subject"]),
            "scope": "https://graph.microsoft.com/.default",
        }
        signed_in = httpx.post(f"{azure.url}/{TENANT_ID}/oauth2/v2.0/token", data=form, verify=azure.tls)
        assert signed_in.status_code == 200, signed_in.text
        self.client = azure.client(signed_in.json()["access_token"])

    def permit(self, permission: str) -> dict[str, str]:
        """Gives it a permission; as it was asked for."""
        resource = self._graph.get(f"/v1.0/servicePrincipals(appId='{GRAPH_APP}')").json()
        role = next(each["id"] for each in resource["appRoles"] if each["value"] == permission)
        given = {"principalId": self.own["id"], "resourceId": resource["id"], "appRoleId": role}
        assert self._graph.post(self.assignments, json=given).status_code == 201
        return given

    @property
    def assignments(self) -> str:
        return f"/v1.0/servicePrincipals/{self.own['id']}/appRoleAssignments"


@pytest.fixture
def as_application(graph: httpx.Client, azure: Any, issuer: Issuer) -> Iterator[AsApplication]:
    found = AsApplication(graph, azure, issuer)
    with found.client:
        yield found


def test_an_application_signs_in_by_a_token_it_trusts_and_may_do_what_it_was_given(
    azure: Any, issuer: Issuer, as_application: AsApplication
) -> None:
    who = {"properties": {"clientId": as_application.app["appId"]}}
    assert exchange(azure, who, issuer.token(sub="repo:o/r:environment:prod")).status_code == 401
    client = as_application.client
    refused(client.post("/v1.0/applications", json={"displayName": "x"}), 403, "Application.ReadWrite.OwnedBy")
    as_application.permit("Application.ReadWrite.OwnedBy")
    assert client.post("/v1.0/applications", json={"displayName": "x"}).status_code == 201
    refused(
        client.post("/v1.0/identity/conditionalAccess/policies", json={}), 403, "Policy.ReadWrite.ConditionalAccess"
    )
    refused(client.get("/v1.0/users"), 403, "Insufficient privileges")


def test_who_registers_applications_sees_their_permissions_and_gives_none(as_application: AsApplication) -> None:
    given = as_application.permit("Application.ReadWrite.OwnedBy")
    listed = as_application.client.get(as_application.assignments).json()["value"]
    assert [each["appRoleId"] for each in listed] == [given["appRoleId"]]
    refused(as_application.client.post(as_application.assignments, json=given), 403, "AppRoleAssignment.ReadWrite.All")


def test_an_applications_owner_is_a_service_principal_that_is_there(graph: httpx.Client) -> None:
    app, owner = application(graph), principal(graph, application(graph))
    path = f"/v1.0/applications/{app['id']}/owners"
    for wrong in (f"https://graph/v1.0/directoryObjects/{uuid.uuid4()}", f"https://graph/v1.0/users/{owner['id']}", ""):
        refused(graph.post(f"{path}/$ref", json={"@odata.id": wrong}), 400, "names nothing in servicePrincipals")
    named = {"@odata.id": f"https://graph/v1.0/directoryObjects/{owner['id']}"}
    assert graph.post(f"{path}/$ref", json=named).status_code == 204
    assert [each["id"] for each in graph.get(path).json()["value"]] == [owner["id"]]
    assert graph.delete(f"{path}/{owner['id']}/$ref").status_code == 204
    assert graph.get(path).json()["value"] == []


PASSWORD = "a long password"


def person(graph: httpx.Client) -> dict[str, str]:
    body = {
        "userPrincipalName": f"{uuid.uuid4().hex[:8]}@tributary.local",
        "displayName": "Ada",
        "passwordProfile": {"password": PASSWORD},
    }
    made = graph.post("/v1.0/users", json=body)
    assert made.status_code == 201, made.text
    return made.json()


def test_an_application_reads_and_changes_a_name_with_the_permission_for_it(
    graph: httpx.Client, as_application: AsApplication
) -> None:
    path = f"/v1.0/users/{person(graph)['id']}"
    client = as_application.client
    refused(client.get(path), 403, "User.ReadWrite.All")
    refused(client.patch(path, json={"displayName": "Grace"}), 403, "User.ReadWrite.All")
    as_application.permit("User.ReadWrite.All")
    assert client.patch(path, json={"displayName": "Grace"}).status_code == 204
    assert client.get(path, params={"$select": "displayName"}).json() == {"displayName": "Grace"}
    refused(client.get(path, params={"$select": "mail"}), 400, "mail")
    refused(client.get(path, params={"$expand": "manager"}), 400, "$expand")
    for wrong in ({"displayName": ""}, {"displayName": 1}, {"displayName": "x" * 257}):
        refused(client.patch(path, json=wrong), 400, "displayName")
    for wrong in ({"mail": "a@b.example"}, {}, []):
        refused(client.patch(path, json=wrong), 400, "displayName alone")
    refused(client.post("/v1.0/users", json={}), 403, "Insufficient privileges")


def test_a_user_is_deleted_then_deleted_for_good_with_the_permission_for_it(
    graph: httpx.Client, azure: Any, as_application: AsApplication
) -> None:
    user = person(graph)
    path, deleted = f"/v1.0/users/{user['id']}", f"/v1.0/directory/deletedItems/{user['id']}"
    client = as_application.client
    refused(client.delete(path), 403, "User.DeleteRestore.All")
    assert graph.get(deleted).status_code == 404
    as_application.permit("Application.ReadWrite.OwnedBy")
    assert graph.delete(path).status_code == 204
    assert graph.get(path).status_code == 404
    form = {"grant_type": "password", "client_id": "any", "username": user["userPrincipalName"], "password": PASSWORD}
    signed_in = graph.post(f"/{TENANT_ID}/oauth2/v2.0/token", data={**form, "scope": "api://any/.default"})
    assert "AADSTS50126" in signed_in.json()["error_description"]
    refused(client.delete(deleted), 403, "User.DeleteRestore.All")
    as_application.permit("User.DeleteRestore.All")
    assert client.delete(path).status_code == 404
    assert client.delete(deleted).status_code == 204
    assert client.delete(deleted).status_code == 404
    made = application(graph)
    assert graph.delete(f"/v1.0/applications/{made['id']}").status_code == 204
    assert client.delete(f"/v1.0/directory/deletedItems/{made['id']}").status_code == 204


def test_a_service_signs_in_as_the_application_that_trusts_its_account(
    graph: httpx.Client,
    azure: Any,
    issuer: Issuer,
    as_application: AsApplication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As its pod is told to: by azure-identity, with the account's token in a file."""
    token = tmp_path / "token"
    token.write_text(issuer.token(sub="repo:o/r:environment:dev"))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azure.instance.ca_bundle))
    as_application.permit("User.ReadWrite.All")
    user, client_id = person(graph), as_application.app["appId"]
    credential = application_credential(TENANT_ID, client_id)
    people = Directory(azure.url, azure.tls, lambda: credential.get_token(SCOPE_OF_GRAPH).token)
    assert people.name(uuid.UUID(user["id"])) == "Ada"
    people.close()


def test_who_deletes_users_deletes_nothing_else(graph: httpx.Client, as_application: AsApplication) -> None:
    as_application.permit("User.DeleteRestore.All")
    made = application(graph)
    assert graph.delete(f"/v1.0/applications/{made['id']}").status_code == 204
    deleted = f"/v1.0/directory/deletedItems/{made['id']}"
    refused(as_application.client.delete(deleted), 403, "Application.ReadWrite.OwnedBy")
    assert as_application.client.delete(f"/v1.0/directory/deletedItems/{uuid.uuid4()}").status_code == 404


def test_tokens_of_a_registered_api_are_for_its_application_id(graph: httpx.Client, azure: Any) -> None:
    uri = f"api://{TENANT_ID}/{uuid.uuid4().hex[:6]}"
    app = application(graph, identifierUris=[uri], api={"requestedAccessTokenVersion": 2})
    for asked in (uri, app["appId"]):
        claims = claims_of(azure.credential().get_token(f"{asked}/.default").token, azure)
        assert (claims["aud"], claims["ver"]) == (app["appId"], "2.0")


def test_a_users_token_grants_what_a_registered_api_offers_and_was_asked_for(graph: httpx.Client, azure: Any) -> None:
    user = {"username": f"{uuid.uuid4().hex[:8]}@tributary.local", "password": "a long password"}
    body = {
        "userPrincipalName": user["username"],
        "displayName": "U",
        "passwordProfile": {"password": user["password"]},
    }
    assert graph.post("/v1.0/users", json=body).status_code == 201
    uri = f"api://{TENANT_ID}/{uuid.uuid4().hex[:6]}"
    offered = [SCOPE, {**SCOPE, "id": str(uuid.uuid4()), "value": "b"}]
    offered.append({**SCOPE, "id": str(uuid.uuid4()), "value": "off", "isEnabled": False})
    application(graph, identifierUris=[uri], api={"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": offered})

    def ask(*scopes: str) -> httpx.Response:
        form = {**user, "grant_type": "password", "client_id": "any", "scope": " ".join(f"{uri}/{s}" for s in scopes)}
        return graph.post(f"/{TENANT_ID}/oauth2/v2.0/token", data=form)

    for asked, granted in ((("b",), {"b"}), (("b", SCOPE["value"]), {"b", SCOPE["value"]}),
                           ((".default",), {"b", SCOPE["value"]})):  # fmt: skip
        assert set(claims_of(ask(*asked).json()["access_token"], azure)["scp"].split()) == granted
    for strange in ("c", "off"):
        assert "AADSTS650053" in ask("b", strange).json()["error_description"]


def test_objects_outlive_a_kill(graph: httpx.Client, azure: Any) -> None:
    made = application(graph)
    azure.kill()
    azure.start()
    for _ in range(20):
        answer = graph.get(f"/v1.0/applications/{made['id']}")
        if answer.is_success:
            break
        time.sleep(0.1)
    assert answer.json()["uniqueName"] == made["uniqueName"]
