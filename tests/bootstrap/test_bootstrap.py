"""The bootstrap trusts one environment's pipeline with one stack, and can't be talked into more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from bootstrap.pipelines import only_assigns
from bootstrap.settings import parse
from components.common import ROLES
from components.identity_directory import PERMISSIONS as DIRECTORY
from local.azure.arm import roles
from local.azure.arm.types import by_token
from local.azure.arm.validate import Judge
from local.commands.arm import bodies
from tests.bootstrap.program import CONFIG, registered
from tests.components.test_arm import as_planned, hidden
from tests.judge import BOOTSTRAP_WITHOUT_SCHEMA, judged, needs_judge

ASSIGNS_ROLES = "06b708a9-e830-4db3-a914-8e69da51d44f"
"""AppRoleAssignment.ReadWrite.All."""
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def roles_of(stack: str) -> dict[str, Mapping[str, Any]]:
    """Assignments of a stack's pipeline, by the role's id."""
    made = registered().of("authorization:RoleAssignment")
    mine = [each.inputs for each in made if each.inputs["principalId"] == f"object of deploys-{stack}"]
    return {each["roleDefinitionId"].rsplit("/", 1)[-1]: each for each in mine}


def test_a_job_of_an_environment_and_nobody_else_acts_as_its_identity() -> None:
    trusted = {
        (each.name, each.inputs["issuer"], each.inputs["subject"], tuple(each.inputs["audiences"]))
        for each in registered().of(":FederatedIdentityCredential")
    }
    github, audience = "https://token.actions.githubusercontent.com", ("api://AzureADTokenExchange",)
    assert trusted == {
        ("dev-github", github, "repo:org/tributary:environment:dev", audience),
        ("prod-github", github, "repo:org/tributary:environment:prod", audience),
        ("prod-azure-devops", "https://login.microsoftonline.com/t/v2.0", "/eid1/c/pub/sc/prod", audience),
    }


def test_a_pipeline_is_no_owner_and_gives_only_the_roles_that_stacks_give() -> None:
    granted = roles_of("dev")
    names = {roles.built_in()[each]["roleName"] for each in granted}
    assert names == {
        "Azure Kubernetes Service RBAC Cluster Admin",
        "Contributor",
        "Key Vault Crypto User",
        "Locks Contributor",
        "Role Based Access Control Administrator",
        "Storage Blob Data Contributor",
    }
    condition = granted["f58310d9-a9f6-439a-9e8d-f62e7b41a168"]["condition"]
    assert set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", condition)) == set(ROLES.values())
    assert OWNER not in condition
    assert "'ServicePrincipal'" in condition


def test_none_of_the_roles_that_stacks_give_gives_rights() -> None:
    for role in ROLES.values():
        actions = [a for each in roles.built_in()[role]["permissions"] for a in each["actions"]]
        assert not [
            each for each in actions if each in ("*", "Microsoft.Authorization/*") or "roleAssignments/w" in each
        ]


def test_the_condition_covers_giving_and_taking_away() -> None:
    condition = only_assigns([OWNER])
    for action, source in (("write", "Request"), ("delete", "Resource")):
        assert f"roleAssignments/{action}'" in condition
        assert f"@{source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId]" in condition
    assert condition.count("(") == condition.count(")")


def test_one_stack_reads_neither_state_nor_secrets_of_another() -> None:
    for stack, other in (("dev", "prod"), ("prod", "dev")):
        scopes = [each["scope"] for each in roles_of(stack).values()]
        assert f"/id/of/BlobContainer/state-{stack}" in scopes
        assert f"/id/of/Key/pulumi-{stack}" in scopes
        assert not [each for each in scopes if other in each]


def test_the_keys_of_state_encrypt_and_do_nothing_else() -> None:
    keys = {each.name: each.inputs["properties"]["keyOps"] for each in registered().of("keyvault:Key")}
    assert keys == {f"pulumi-{each}": ["encrypt", "decrypt"] for each in ("dev", "prod", "bootstrap")}


def test_the_runner_costs_nothing_at_rest_and_has_no_public_address() -> None:
    runner = registered().one(":VirtualMachineScaleSet").inputs
    assert runner["sku"]["capacity"] == 0
    assert "publicIPAddressConfiguration" not in json.dumps(runner)
    assert "identity" not in runner
    assert not registered(runner={}).of(":VirtualMachineScaleSet")


def test_the_runner_reaches_a_private_stack_in_both_directions() -> None:
    directions = {each.name: each.inputs["virtualNetworkName"] for each in registered().of(":VirtualNetworkPeering")}
    assert directions["prod-back"] == "vnet-main-prod"
    assert set(directions) == {"prod-there", "prod-back"}
    assert registered().one(":VirtualNetworkLink").inputs["privateZoneName"] == "privatelink.database.windows.net"


def test_an_application_of_the_sign_in_tenant_trusts_the_same_jobs() -> None:
    objects = registered().of(":GraphObject")
    trusted = {each.inputs["body"]["subject"] for each in objects if "federatedIdentity" in each.inputs["path"]}
    assert trusted == {each.inputs["subject"] for each in registered().of(":FederatedIdentityCredential")}
    assert not registered(signIn={}).of(":GraphObject")


def test_a_pipeline_owns_the_application_that_reaches_accounts_and_can_give_nobody_permissions() -> None:
    objects = {each.name: each.inputs for each in registered().of(":GraphObject")}
    given: dict[str, set[str]] = {}
    for each in objects.values():
        if each["path"].endswith("/appRoleAssignments"):
            given.setdefault(each["body"]["principalId"], set()).add(each["body"]["appRoleId"])
    assert given["object of tributary-dev-directory-principal"] == set(DIRECTORY.values())
    assert not given["object of tributary-dev-pipeline-principal"] & {ASSIGNS_ROLES, *DIRECTORY.values()}
    owner = objects["tributary-dev-directory-owner"]
    assert owner["path"] == "v1.0/applications/object of tributary-dev-directory/owners"
    assert owner["body"]["@odata.id"].endswith("/directoryObjects/object of tributary-dev-pipeline-principal")


WRONG = [
    ({"location": "eastus"}, 'tributary-bootstrap:location is "eastus". Allowed: austriaeast, '),
    (
        {"environments": {}},
        "environments is {}. Allowed: github, azureDevOps or both, by a stack's name; at least one stack.",
    ),
    (
        {"environments": {"dev": {}}},
        "environments.dev is {}: neither github nor azureDevOps is named.",
    ),
    (
        {"environments": {"dev": {"github": {"repository": "x"}}}},
        'repository is "x". Allowed: organisation/repository.',
    ),
    ({"runner": {"sshPublicKey": "-----BEGIN"}}, "tributary-bootstrap:runner.sshPublicKey is"),
    ({"addressSpace": "8.8.8.0/24"}, 'tributary-bootstrap:addressSpace is "8.8.8.0/24": it is not a private network'),
    ({"peers": {"prod": {"networkId": "vnet"}}}, 'peers.prod.networkId is "vnet". Allowed: a resource id'),
]


@pytest.mark.parametrize(("wrong", "complaint"), WRONG, ids=[next(iter(each[0])) for each in WRONG])
def test_a_wrong_setting_is_refused_by_name_before_anything_is_registered(
    wrong: dict[str, Any], complaint: str
) -> None:
    values = CONFIG | {f"tributary-bootstrap:{name}": value for name, value in wrong.items()}
    with pytest.raises(pulumi.RunError) as refused:
        parse({key: v if isinstance(v, str) else json.dumps(v) for key, v in values.items()})
    assert complaint in str(refused.value)


@needs_judge
def test_azures_published_types_accept_every_resource(tmp_path: Path) -> None:
    judgement = judged(bodies(as_planned(each) for each in registered().resources), tmp_path)
    assert judgement.errors + judgement.warnings == []
    assert judgement.unknown == BOOTSTRAP_WITHOUT_SCHEMA
    assert judgement.checked > 25


def test_the_embedded_azure_would_take_every_body() -> None:
    for each in registered().resources:
        known = by_token(each.type)
        if known:
            _, body = known.to_arm(hidden(dict(each.inputs)))
            Judge(known, body, None, pinned=True).check([])
        else:
            assert each.type.startswith(("tributary:", "pulumi-python:")), each.type
