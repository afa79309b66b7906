"""Identity declares what signs people in, refuses what can't work, and a lost answer is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import graph_client, graph_object
from components.graph_client import GraphClient, GraphError
from components.graph_object import GraphTenant, _GraphProvider
from components.identity import Identity, IdentityArgs
from components.identity_claims import EnrichmentArgs
from components.identity_directory import DirectoryArgs
from components.pipeline_credential import credential
from tests.components.mocks import Registered, run

TENANT = GraphTenant(tenant_id="7e4a7c11-0c0a-4d5e-9d3b-7f1b0a2c4401", client_id="c", endpoint="https://graph.example")


def args(**changes: Any) -> IdentityArgs:
    everything: dict[str, Any] = {
        "tenant": TENANT,
        "issuer": "https://t.ciamlogin.com/t/v2.0",
        "title": "Tributary",
        "scopes": {"accounts.read": "Reads your accounts", "consents.write": "Connects banks"},
        "redirects": {"spa": ["https://app.example.com/"]},
        "enrichment": EnrichmentArgs(url="https://f.example/claims", resource_id="api://f.example/x", claims=["plan"]),
    }
    return IdentityArgs(**everything | changes)


def registered(**changes: Any) -> Registered:
    return run(lambda: Identity("tributary", args(**changes)))


def paths(found: Registered) -> set[str]:
    return {each.inputs["path"] for each in found.of(":GraphObject")}


def test_people_sign_up_in_external_id_with_a_second_factor_and_enriched_tokens() -> None:
    found = {each.name: each.inputs for each in registered().of(":GraphObject")}
    policy = found["tributary-second-factor"]["body"]
    assert policy["grantControls"]["builtInControls"] == ["mfa"]
    assert policy["state"] == "enabled"
    assert found["tributary-flow"]["body"]["onInteractiveAuthFlowStart"]["isSignUpAllowed"] is True
    assert found["tributary-claims"]["body"]["claimsForTokenConfiguration"] == [{"claimIdInApiResponse": "plan"}]
    assert '"JwtClaimType":"plan"' in found["tributary-claims-mapping"]["body"]["definition"][0]
    assert found["tributary-email-code"]["kind"] == "setting"


def test_no_application_has_a_secret() -> None:
    for each in registered().of(":GraphObject"):
        assert not {"passwordCredentials", "keyCredentials"} & set(each.inputs["body"])


def test_who_changes_and_deletes_accounts_may_do_just_that_and_proves_itself_by_an_outside_token() -> None:
    trusted = DirectoryArgs(issuer="https://cluster.example/", subject="system:serviceaccount:a:b")
    found = registered(directory=trusted)
    given = {each.inputs["body"]["appRoleId"] for each in found.of(":GraphObject") if "appRole" in each.inputs["path"]}
    assert given == {"741f803b-c850-494e-b5df-cde7c675a1ca", "eccc023d-eccf-4e7b-9683-8813ab36cecc"}
    trust = found.one(":GraphObject", "tributary-directory-trust").inputs
    assert trust["path"] == "v1.0/applications/object of tributary-directory/federatedIdentityCredentials"
    assert (trust["body"]["issuer"], trust["body"]["subject"]) == (trusted.issuer, trusted.subject)
    assert trust["body"]["audiences"] == ["api://AzureADTokenExchange"]
    assert not [each for each in registered().of(":GraphObject") if "directory" in each.name]
    with pytest.raises(ValueError, match="subject: it is empty"):
        DirectoryArgs(issuer="https://cluster.example/", subject="")


def test_a_b2c_tenant_gets_its_own_flows_over_beta() -> None:
    found = paths(registered(kind="b2c", second_factor=False, enrichment=None))
    assert "beta/identity/b2cUserFlows" in found
    assert not {each for each in found if "conditionalAccess" in each or "authenticationEventsFlows" in each}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer": "http://t"}, "issuer: 'http://t' is not allowed"),
        ({"scopes": {}}, "scopes: none are named"),
        ({"redirects": {"web": []}}, r"redirects: \['web'\] are not allowed"),
        ({"kind": "b2c"}, "kind: 'b2c' is not allowed with second_factor or enrichment"),
    ],
)
def test_what_can_not_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        args(**changes)
    with pytest.raises(ValueError, match="timeout: 5000 is not allowed"):
        EnrichmentArgs(url="https://f", resource_id="api://f", claims=["plan"], timeout=5000)


def test_the_same_permission_keeps_its_id_so_that_consent_to_it_stays() -> None:
    first, second = (
        {
            each["value"]: each["id"]
            for each in found.one(":GraphObject", "tributary-api").inputs["body"]["api"]["oauth2PermissionScopes"]
        }
        for found in (registered(), registered(scopes={"accounts.read": "Other text"}))
    )
    assert first["accounts.read"] == second["accounts.read"]
    assert first["accounts.read"] != first["consents.write"]


class Tenant:
    """Graph with one collection, that loses the answers it is told to lose."""

    def __init__(self, *, lose: int = 0) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.lose, self.seen = lose, []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.method, request.url.path))
        key = request.url.path.removeprefix("/v1.0/things").strip("/")
        match request.method:
            case "POST":
                made = {**httpx.Response(200, content=request.content).json(), "id": str(len(self.objects) + 1)}
                self.objects[made["id"]] = made
                if self.lose:
                    self.lose -= 1
                    raise httpx.ReadError("the connection broke")
                return httpx.Response(201, json=made)
            case "GET" if not key:
                return httpx.Response(200, json={"value": list(self.objects.values())})
            case "GET":
                return httpx.Response(200, json=self.objects[key]) if key in self.objects else httpx.Response(404)
            case "PATCH":
                self.objects[key] |= httpx.Response(200, content=request.content).json()
                return httpx.Response(204)
            case _:
                return httpx.Response(204 if self.objects.pop(key, None) else 404)


class _Credential:
    def get_token(self, *_: str, **__: str) -> Any:
        return type("Token", (), {"token": "secret-token"})()


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    made = Tenant()

    def connected(endpoint: str, tenant_id: str, client_id: str | None) -> GraphClient:
        client = GraphClient(endpoint, tenant_id, client_id)
        client._http = httpx.Client(base_url=endpoint, transport=httpx.MockTransport(made.answer))
        return client

    monkeypatch.setattr(graph_client, "credential", lambda *_: _Credential())
    monkeypatch.setattr(graph_object, "_client", lambda p: connected(p["endpoint"], p["tenant_id"], p["client_id"]))
    return made


def thing(name: str = "one", **more: Any) -> dict[str, Any]:
    return {
        "endpoint": "https://graph.example",
        "tenant_id": "t",
        "client_id": "",
        "path": "v1.0/things",
        "body": {"displayName": name, **more},
        "found_by": ["displayName"],
        "unique_name": "",
        "fixed": [],
        "kind": "object",
    }


def test_an_object_whose_answer_was_lost_is_taken_over_not_made_twice(tenant: Tenant) -> None:
    tenant.lose = 1
    with pytest.raises(httpx.ReadError):
        _GraphProvider().create(thing())
    made = _GraphProvider().create(thing(color="red"))
    assert list(tenant.objects) == ["1"] == [made.id]
    assert tenant.objects["1"]["color"] == "red"


def test_an_object_is_made_changed_read_and_deleted_and_each_can_be_repeated(tenant: Tenant) -> None:
    provider = _GraphProvider()
    made = provider.create(thing(color="red"))
    assert provider.create(thing(color="red")).id == made.id
    provider.update(str(made.id), thing(color="red"), thing(color="blue"))
    tenant.objects["1"]["color"] = "green"
    seen = provider.read("1", thing(color="blue")).outs
    assert seen is not None
    assert seen["body"]["color"] == "green"
    provider.delete("1", thing())
    provider.delete("1", thing())
    assert provider.read("1", thing()).id == ""


@given(st.dictionaries(st.sampled_from(["displayName", "color", "size"]), st.integers(), min_size=1))
def test_the_same_properties_are_no_change_and_others_are(body: Mapping[str, Any]) -> None:
    before = {**thing(), "body": {"displayName": 0, "color": 0, "size": 0}}
    after = {**thing(), "body": {**before["body"], **body}}
    assert _GraphProvider().diff("1", before, after).changes == (before["body"] != after["body"])


def test_what_graph_can_not_change_is_replaced(tenant: Tenant) -> None:
    moved = _GraphProvider().diff(
        "1", {**thing(), "fixed": ["displayName"]}, {**thing("two"), "fixed": ["displayName"]}
    )
    assert (moved.changes, moved.replaces, moved.delete_before_replace) == (True, ["body"], True)
    elsewhere = _GraphProvider().diff("1", thing(), {**thing(), "tenant_id": "other"})
    assert elsewhere.replaces == ["tenant_id"]


def test_a_permission_is_disabled_before_it_goes() -> None:
    def api(*scopes: tuple[str, bool]) -> dict[str, Any]:
        return {"api": {"oauth2PermissionScopes": [{"id": v, "value": v, "isEnabled": e} for v, e in scopes]}}

    before = api(("a", True), ("b", True))
    assert (
        graph_object._retired(before, api(("a", True)))
        == api(("a", True), ("b", False))["api"]["oauth2PermissionScopes"]
    )
    assert graph_object._retired(before, api(("a", True), ("b", True), ("c", True))) == []


def test_a_refusal_names_request_code_and_what_to_do_and_no_token(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}
    monkeypatch.setattr(tenant, "answer", lambda _: httpx.Response(403, json=refusal))
    with pytest.raises(GraphError) as refused:
        _GraphProvider().create(thing())
    assert str(refused.value) == (
        "Graph: GET /v1.0/things was answered 403, Authorization_RequestDenied: Insufficient privileges. "
        "The application lacks a permission of Graph, or an administrator's consent to it (docs/deploy.md)."
    )


GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}
AZURE_PIPELINES = {
    "SYSTEM_OIDCREQUESTURI": "https://dev.example/",
    "SYSTEM_ACCESSTOKEN": "x",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "y",
}


@pytest.mark.parametrize(
    ("environment", "client_id", "kind"),
    [
        (GITHUB, "c", "ClientAssertionCredential"),
        (AZURE_PIPELINES, "c", "AzurePipelinesCredential"),
        ({"AZURE_FEDERATED_TOKEN_FILE": "/token"}, "c", "WorkloadIdentityCredential"),
        ({}, "c", "DefaultAzureCredential"),
        (GITHUB, None, "DefaultAzureCredential"),
    ],
)
def test_a_pipeline_signs_in_by_a_token_of_its_own(
    environment: dict[str, str], client_id: str | None, kind: str
) -> None:
    assert type(credential(TENANT.tenant_id, client_id, environment)).__name__ == kind
