"""What all components share: names, role assignments, diagnostic settings."""

from __future__ import annotations

import dataclasses
import uuid

import pulumi
import pytest

from components.common import ROLES, Site, assign_role
from components.vault import Vault, VaultArgs
from tests.components.mocks import SUBSCRIPTION, run
from tests.components.samples import made


def assigned(site: Site, scope: str = "/scope", principal: str = "p", role: str = "AcrPull") -> str:
    def program() -> None:
        opts = pulumi.ResourceOptions()
        assign_role("x", role, principal_id=principal, scope=scope, site=site, opts=opts)

    return run(program).one("RoleAssignment").inputs["roleAssignmentName"]


def test_a_role_assignment_has_the_same_name_whenever_it_is_made(site: Site) -> None:
    name = assigned(site)
    assert str(uuid.UUID(name)) == name
    assert name == assigned(site) == assigned(site, scope="/SCOPE")
    others = {
        assigned(site, scope="/b"),
        assigned(site, principal="q"),
        assigned(site, role="Network Contributor"),
    }
    assert len(others | {name}) == 4


def test_a_role_assignment_says_what_kind_of_principal_it_is_for(site: Site) -> None:
    def program() -> None:
        assign_role("x", "AcrPull", principal_id="p", scope="/s", site=site, opts=pulumi.ResourceOptions())

    inputs = run(program).one("RoleAssignment").inputs
    assert inputs["principalType"] == "ServicePrincipal"
    assert inputs["roleDefinitionId"] == (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLES['AcrPull']}"
    )


def test_an_unknown_role_is_refused_before_anything_is_registered(site: Site) -> None:
    with pytest.raises(KeyError, match="Emperor"):
        assigned(site, role="Emperor")


def test_global_names_carry_the_suffix_and_are_refused_when_too_long(site: Site) -> None:
    assert site.global_name("kv", "main", longest=24) == "kv-main-test-abc234"
    assert site.global_name("st", "files", longest=24, separator="") == "stfilestestabc234"
    with pytest.raises(ValueError, match=r"has 33 characters; allowed are 24\. Shorten the stack's name \('test'\)"):
        site.global_name("kv", "mainmainmainmainma", longest=24)


def test_logs_go_into_tables_of_their_own_where_there_are_some() -> None:
    """Else into the one table AzureDiagnostics (Diagnostic Settings REST API, logAnalyticsDestinationType)."""
    destinations = {
        block: {
            each.name: each.inputs.get("logAnalyticsDestinationType") for each in made(block).of(":DiagnosticSetting")
        }
        for block in ("functions", "cluster", "database", "notifications")
    }
    assert set(destinations["functions"].values()) == set(destinations["cluster"].values()) == {"Dedicated"}
    # Azure knows no tables of theirs.
    assert set(destinations["database"].values()) == set(destinations["notifications"].values()) == {None}


def test_without_a_workspace_there_are_no_diagnostic_settings(site: Site) -> None:
    args = VaultArgs(site=site, sku="standard", purge_protection=False, soft_delete_days=7)
    assert run(lambda: Vault("main", args)).one("DiagnosticSetting").inputs["workspaceId"] == "/id/of/workspace"
    alone = dataclasses.replace(args, site=dataclasses.replace(site, workspace_id=None))
    assert run(lambda: Vault("main", alone)).of("DiagnosticSetting") == []
