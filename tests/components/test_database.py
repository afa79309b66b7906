"""A database server lets in Entra identities alone, is watched, and survives its region."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.database import Database
from components.database_backups import RetentionArgs
from components.database_failover import SecondaryArgs
from components.database_server import PoolArgs
from components.sensitivity_labels import LabelArgs
from tests.components.core_samples import database_args
from tests.components.mocks import Registered
from tests.components.samples import build
from tests.components.samples import made as whole
from tests.components.site import ACCESS, SITE

ALONE: dict[str, Any] = {
    "zone_redundant": False,
    "pool": None,
    "key": None,
    "protection": None,
    "retention": None,
    "maintenance": None,
    "secondary": None,
    "locked": False,
}


def made(**changes: Any) -> Registered:
    return build(lambda: Database("main", database_args(**changes)))


@pytest.mark.parametrize("name", ["main", "main-secondary"])
def test_a_server_knows_no_password_and_no_public_address(name: str) -> None:
    server = whole("database").one("sql:Server", name).inputs
    assert server["administrators"]["azureADOnlyAuthentication"] is True
    assert server["administrators"]["sid"] == "object of main-dbadmin"
    assert not {"administratorLogin", "administratorLoginPassword"} & set(server)
    assert (server["publicNetworkAccess"], server["minimalTlsVersion"]) == ("Disabled", "1.2")
    endpoint = whole("database").one(":PrivateEndpoint", f"{name}-sql").inputs
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["sqlServer"]
    assert endpoint["location"] == "westeurope", "an endpoint is where its virtual network is"


def test_both_regions_are_encrypted_by_our_key_which_is_followed_as_it_rotates() -> None:
    registered = whole("database")
    for name in ("main", "main-secondary"):
        server = registered.one("sql:Server", name)
        assert server.inputs["primaryUserAssignedIdentityId"] == f"/id/of/UserAssignedIdentity/{name}-sql-key"
        assert registered.one(":RoleAssignment", f"{name}-sql-uses-key").urn in server.after
        protector = registered.one(":EncryptionProtector", name).inputs
        assert (protector["serverKeyType"], protector["autoRotationEnabled"]) == ("AzureKeyVault", True)
        assert protector["serverKeyName"] == "kv_data_0"
        assert registered.one(":ServerKey", name).inputs["uri"] == "https://kv.example/keys/data/0"


def test_the_audit_of_both_servers_goes_to_the_workspace_without_any_statements_values() -> None:
    registered = whole("database")
    for name in ("main", "main-secondary"):
        policy = registered.one(":ExtendedServerBlobAuditingPolicy", name)
        assert policy.inputs["isAzureMonitorTargetEnabled"] is True
        assert policy.inputs["state"] == "Enabled"
        groups = policy.inputs["auditActionsAndGroups"]
        assert {"FAILED_DATABASE_AUTHENTICATION_GROUP", "DATABASE_ROLE_MEMBER_CHANGE_GROUP"} <= set(groups)
        assert not any("BATCH" in each for each in groups)
        setting = registered.one(":DiagnosticSetting", f"{name}-server-audit")
        assert setting.inputs["resourceUri"] == f"/id/of/Server/{name}/databases/master"
        assert policy.urn in setting.after


def test_threat_protection_is_on_for_server_and_databases_and_the_assessment_after_it() -> None:
    registered = whole("database")
    assert {r.name for r in registered.of(":ServerSecurityAlertPolicy")} == {"main", "main-secondary"}
    assert {r.name for r in registered.of(":DatabaseSecurityAlertPolicy")} == {"main-audit", "main-consent"}
    for each in registered.of("SecurityAlertPolicy"):
        assert (each.inputs["state"], each.inputs["emailAccountAdmins"]) == ("Enabled", True)
        assert "disabledAlerts" not in each.inputs
    for name in ("main", "main-secondary"):
        assessment = registered.one(":SqlVulnerabilityAssessmentsSetting", name)
        assert assessment.inputs["state"] == "Enabled"
        assert registered.one(":ServerSecurityAlertPolicy", name).urn in assessment.after


def test_only_the_named_databases_are_ledgers() -> None:
    ledgers = {r.inputs["databaseName"]: r.inputs.get("isLedgerOn") for r in whole("database").of("sql:Database")}
    assert ledgers == {"audit": True, "consent": None}


def test_databases_share_the_pool_and_follow_into_the_one_of_the_same_name() -> None:
    registered = whole("database")
    pools = {each.name: each.inputs for each in registered.of(":ElasticPool")}
    assert {each["elasticPoolName"] for each in pools.values()} == {"sqlep-main-test"}
    assert {name: each["location"] for name, each in pools.items()} == {
        "main": "westeurope",
        "main-secondary": "northeurope",
    }
    for each in pools.values():
        assert (each["zoneRedundant"], each["maxSizeBytes"]) == (True, 32 * 2**30)
        region = {"westeurope": "WestEurope", "northeurope": "NorthEurope"}[each["location"]]
        assert each["maintenanceConfigurationId"].endswith(f"/publicMaintenanceConfigurations/SQL_{region}_DB_2")
    for each in registered.of("sql:Database"):
        assert each.inputs["elasticPoolId"] == "/id/of/ElasticPool/main"
        assert not {"sku", "zoneRedundant", "maintenanceConfigurationId"} & set(each.inputs)


def test_one_address_leads_to_whichever_region_serves() -> None:
    group = whole("database").one(":FailoverGroup")
    assert group.inputs["partnerServers"] == [{"id": "/id/of/Server/main-secondary"}]
    assert set(group.inputs["databases"]) == {"/id/of/Database/main-audit", "/id/of/Database/main-consent"}
    assert group.inputs["readWriteEndpoint"]["failoverPolicy"] == "Automatic"
    assert whole("database").one(":ElasticPool", "main-secondary").urn in group.after


def test_both_regions_have_the_key_before_databases_are_copied() -> None:
    """Azure SQL refuses a copy whose server lacks the protector's key (transparent-data-encryption-byok-overview)."""
    registered = whole("database")
    protectors = {each.name: each.urn for each in registered.of(":EncryptionProtector")}
    assert set(protectors) == {"main", "main-secondary"}
    assert set(protectors.values()) <= set(registered.one(":FailoverGroup").after)


def test_backups_reach_back_as_asked() -> None:
    registered = whole("database")
    for each in registered.of(":BackupShortTermRetentionPolicy"):
        assert each.inputs["retentionDays"] == 35
    for each in registered.of(":LongTermRetentionPolicy"):
        kept = {name: each.inputs[f"{name}Retention"] for name in ("weekly", "monthly", "yearly")}
        assert kept == {"weekly": "P5W", "monthly": "P12M", "yearly": "P7Y"}


def test_a_cheap_server_has_none_of_what_costs() -> None:
    registered = made(**ALONE)
    dear = ("FailoverGroup", "SecurityAlertPolicy", "EncryptionProtector", "RetentionPolicy", "ManagementLockByScope")
    assert [each.name for kind in dear for each in registered.of(kind)] == []
    assert registered.one(":ExtendedServerBlobAuditingPolicy").inputs["state"] == "Enabled"
    for each in registered.of("sql:Database"):
        assert each.inputs["sku"] == {"name": "S0"}


def test_a_region_without_maintenance_windows_keeps_azures_own() -> None:
    registered = made(site=replace(SITE, location="spaincentral"), secondary=None)
    assert "maintenanceConfigurationId" not in registered.one(":ElasticPool").inputs


def test_labels_wait_for_the_columns_they_name() -> None:
    def program() -> None:
        database = Database("main", database_args(**ALONE))
        label = LabelArgs(
            table="accounts", column="iban", information="Banking", label="Confidential - GDPR", rank="High"
        )
        database.classify("consent", [label], after=database.prerequisites("audit"))

    registered = build(program)
    label = registered.one(":SensitivityLabel")
    assert (label.inputs["databaseName"], label.inputs["columnName"], label.inputs["rank"]) == (
        "consent",
        "iban",
        "High",
    )
    assert label.inputs["sensitivityLabelSource"] == "current"
    assert registered.one("sql:Database", "main-audit").urn in label.after


BAD: list[tuple[dict[str, Any], str]] = [
    ({"databases": ["a", "a"], "ledger": []}, "are not all different"),
    ({"ledger": ["ledger"]}, r"ledger: \['ledger'\] are no databases"),
    ({"maintenance": "now"}, "allowed are weekday and weekend"),
    (
        {"pool": PoolArgs(sku="StandardPool", tier="Standard", capacity=50, storage_gb=50)},
        "zone_redundant: tier Standard has no zones",
    ),
    ({"secondary": SecondaryArgs(location="westeurope", access=ACCESS)}, "the region it is to stand in for"),
    ({"backup_redundancy": "Local"}, "allowed are Geo and GeoZone"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:24] for each in BAD])
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        database_args(**changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"days": 36}, "allowed are 1 to 35"), ({"days": 7, "weeks": 521}, "allowed are 0 to 520")],
)
def test_backups_cannot_be_kept_longer_than_azure_does(given: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetentionArgs(**given)
