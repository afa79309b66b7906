"""Identity through the real engine: made, made again with no change, changed in place, destroyed with nothing left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.instance import TENANT_ID
from tests.azure_contents import client
from tests.engine.deployment import Deployment, changes
from tests.engine.program import Program

PROGRAM = """\
import json, pathlib, pulumi
from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity import Identity, IdentityArgs
from components.identity_claims import EnrichmentArgs

told = json.loads(pathlib.Path("told.json").read_text())
tenant = GraphTenant(tenant_id=told["tenant"], endpoint=told["graph"])
uri = f"api://claims.example/{told['name']}"
claims = GraphObject("claims-api", GraphObjectArgs(
    tenant=tenant, path="v1.0/applications", unique_name=f"{told['name']}-claims",
    body={"displayName": "Claims", "identifierUris": [uri]}))
identity = Identity(told["name"], IdentityArgs(
    tenant=tenant, issuer=f"{told['graph']}/{told['tenant']}/v2.0", title="Tributary", scopes=told["scopes"],
    redirects={"spa": told["redirects"]},
    enrichment=EnrichmentArgs(
        url="https://claims.example/", claims=["plan"], resource_id=claims.object_id.apply(lambda _: uri))))
pulumi.export("audience", identity.audience)
pulumi.export("client", identity.client_id)
"""
COLLECTIONS = (
    "applications",
    "directory/deletedItems",
    "identity/authenticationEventsFlows",
    "identity/authenticationEventListeners",
    "identity/conditionalAccess/policies",
    "identity/customAuthenticationExtensions",
    "oauth2PermissionGrants",
    "policies/claimsMappingPolicies",
)


@pytest.fixture
def graph(deployment: Deployment) -> Iterator[httpx.Client]:
    with client(deployment.instance, "https://graph.microsoft.com", "/v1.0") as found:
        yield found


def there(graph: httpx.Client) -> dict[str, list[str]]:
    return {each: sorted(str(one) for one in graph.get(f"/{each}").json()["value"]) for each in COLLECTIONS}


def tell(folder: Path, deployment: Deployment, **more: Any) -> None:
    told = {
        "name": "people",
        "tenant": TENANT_ID,
        "graph": f"https://{deployment.instance.arm}",
        "scopes": {"accounts.read": "Reads accounts", "consents.write": "Connects banks"},
        "redirects": ["https://app.example.com/"],
    }
    (folder / "told.json").write_text(json.dumps(told | more))


def test_identity_comes_changes_and_goes(deployment: Deployment, graph: httpx.Client, tmp_path: Path) -> None:
    before = there(graph)
    (tmp_path / "Pulumi.yaml").write_text("name: people\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    tell(tmp_path, deployment)
    program = Program(deployment.instance, tmp_path)
    program.init({})
    program.run("up")
    made = program.outputs()
    api = graph.get(f"/applications(appId='{made['audience']}')").json()
    assert [each["value"] for each in api["api"]["oauth2PermissionScopes"]] == ["accounts.read", "consents.write"]
    assert changes(program.run("up", "--refresh", "--expect-no-changes")) == []

    tell(tmp_path, deployment, scopes={"accounts.read": "Reads accounts"}, redirects=["https://other.example.com/"])
    program.run("up")
    assert program.outputs() == made
    api = graph.get(f"/applications(appId='{made['audience']}')").json()
    assert [each["value"] for each in api["api"]["oauth2PermissionScopes"]] == ["accounts.read"]
    app = graph.get(f"/applications(appId='{made['client']}')").json()
    assert app["spa"]["redirectUris"] == ["https://other.example.com/"]

    # Somebody's change in the portal is seen, and undone.
    path = f"/applications/{app['id']}"
    assert graph.patch(path, json={"displayName": "Changed by hand"}).is_success
    assert changes(program.run("up", "--refresh")) != []
    assert graph.get(path).json()["displayName"] == "Tributary"

    program.run("destroy")
    assert there(graph) == before
