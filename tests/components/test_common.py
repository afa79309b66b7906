"""What all components share: names, role assignments, diagnostic settings."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.common import ROLES, Site, assign_role
from components.database import Database
from components.file_store import FileStore
from components.gateway import Gateway
from components.messaging import Messaging
from components.notifications import Notifications
from components.registry import Registry
from components.vault import Vault, VaultArgs
from components.website import WebSite
from tests.components.core_samples import database_args, registry_args, store_args, vault_args
from tests.components.mocks import SUBSCRIPTION, run
from tests.components.samples import gateway_args, made, messaging_args, notifications_args, website_args


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


_LONG = "a-name-that-is-much-longer-than-azure-takes-of-anything-of-its-own"
_NAMED = {
    "vault": lambda: Vault(_LONG, vault_args()),
    "registry": lambda: Registry(_LONG, registry_args()),
    "file_store": lambda: FileStore(_LONG, store_args()),
    "database": lambda: Database(_LONG, database_args()),
    "messaging": lambda: Messaging(_LONG, messaging_args()),
    "gateway": lambda: Gateway(_LONG, gateway_args()),
    "notifications": lambda: Notifications(_LONG, notifications_args()),
    "website": lambda: WebSite(_LONG, website_args()),
}


@pytest.mark.parametrize("block", _NAMED.values(), ids=_NAMED)
def test_a_name_that_azure_would_refuse_is_refused_before_anything_is_registered(block: Callable[[], Any]) -> None:
    def program() -> None:
        with pytest.raises(ValueError, match="Shorten the stack's name"):
            block()

    assert run(program).resources == []


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
