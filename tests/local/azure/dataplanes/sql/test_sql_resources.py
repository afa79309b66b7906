"""The ARM types: what they refuse and what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from local.azure.context import ArmError, Body, Resource
from local.instance import TENANT_ID
from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.sql.conftest import SERVERS, Backend, Server, new_server

SID = "6f1cf8f5-63a5-4d0d-9a31-0f7fbc2a2d10"
ADMINISTRATORS = {"sid": SID, "login": "dba", "tenantId": TENANT_ID, "azureADOnlyAuthentication": True}


def check(embedded: Embedded, kind: str, name: str, properties: Body) -> None:
    async def run() -> None:
        resource = Resource(f"{embedded.group}/providers/{kind}/{name}", name, kind, {"properties": properties})
        await embedded.daemon.lifecycle.behaviour(kind).check(resource, None)

    embedded.run(run())


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"administratorLogin": "sa"}, "properties.administratorLogin"),
        ({"administratorLoginPassword": "x"}, "properties.administratorLoginPassword"),
        ({"administrators": None}, "properties.administrators"),
        (
            {"administrators": {**ADMINISTRATORS, "azureADOnlyAuthentication": False}},
            "properties.administrators.azureADOnlyAuthentication",
        ),
        ({"administrators": {**ADMINISTRATORS, "sid": "me"}}, "properties.administrators.sid"),
        ({"administrators": {**ADMINISTRATORS, "tenantId": SID}}, "properties.administrators.tenantId"),
    ],
)
def test_a_server_that_would_take_passwords_or_has_no_administrator_is_refused(
    embedded: Embedded, change: dict[str, Any], target: str
) -> None:
    with pytest.raises(ArmError) as refusal:
        check(embedded, SERVERS, "sql-x", {"administrators": ADMINISTRATORS, **change})
    assert (refusal.value.status, refusal.value.target) == (400, target)


def test_a_server_whose_administrator_is_known_only_later_passes_a_dry_run(embedded: Embedded) -> None:
    check(embedded, SERVERS, "sql-x", {"administrators": {**ADMINISTRATORS, "sid": "<unknown>"}})


@pytest.mark.parametrize(
    ("name", "properties"),
    [("master", {}), ("TempDB", {}), ("app", {"createMode": "Copy"}), ("app", {"sampleName": "AdventureWorksLT"})],
)
def test_a_database_that_can_not_be_made_here_is_refused(embedded: Embedded, name: str, properties: Body) -> None:
    with pytest.raises(ArmError) as refusal:
        check(embedded, f"{SERVERS}/databases", name, properties)
    assert refusal.value.status == 400


def test_password_logins_can_not_be_switched_on(embedded: Embedded) -> None:
    with pytest.raises(ArmError, match="no password login"):
        check(embedded, f"{SERVERS}/azureADOnlyAuthentications", "Default", {"azureADOnlyAuthentication": False})


def test_creating_a_server_and_a_database_again_changes_nothing(embedded: Embedded, server: Server) -> None:
    again = embedded.put(SERVERS, server.resource.name, server.resource.body)
    assert again.properties["fullyQualifiedDomainName"] == server.resource.properties["fullyQualifiedDomainName"]
    database = embedded.put(f"{SERVERS}/databases", f"{server.resource.name}/consent", {"properties": {}})
    assert database.properties["status"] == "Online"
    with server.connect(server.admin, "consent") as session:
        assert session.execute("SELECT to_regclass('entry') IS NOT NULL").fetchone() == (True,)


def test_an_update_that_names_no_administrator_leaves_the_one_there_is(embedded: Embedded, server: Server) -> None:
    embedded.put(SERVERS, server.resource.name, {"properties": {"publicNetworkAccess": "Disabled"}})
    with server.connect(server.admin, "consent") as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_names_are_compared_without_case_and_may_be_long(embedded: Embedded, postgres: Backend) -> None:
    made = new_server(embedded)
    long = "Ledger" * 20
    embedded.put(f"{SERVERS}/databases", f"{made.resource.name}/{long}", {"properties": {}})
    embedded.put(f"{SERVERS}/databases", f"{made.resource.name}/{long}2", {"properties": {}})
    with made.connect(made.admin, long.upper()) as session:
        session.execute("CREATE TABLE here (x int)")
    with made.connect(made.admin, long.lower() + "2") as session:
        assert session.execute("SELECT to_regclass('here')").fetchone() == (None,)
    embedded.delete(made.resource)
