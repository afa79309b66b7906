"""Prod turns on what the blocks offer to a regulated platform; dev can be deleted and made again under its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.components.mocks import Registration
from tests.stacks.program import deployed

ZONES = ["1", "2", "3"]
_ON: dict[str, dict[str, Any]] = {
    "containerregistry:Registry": {
        "sku.name": "Premium",
        "adminUserEnabled": False,
        "anonymousPullEnabled": False,
        "zoneRedundancy": "Enabled",
        "policies.exportPolicy.status": "disabled",
        "policies.retentionPolicy.days": 30,
        "publicNetworkAccess": "Disabled",
        "encryption.status": "enabled",
    },
    "containerregistry:Replication": {"location": "northeurope", "zoneRedundancy": "Enabled"},
    "containerregistry:CacheRule": {"sourceRepository": "mcr.microsoft.com/*"},
    "containerservice:ManagedCluster": {
        "sku.tier": "Standard",
        "networkProfile.networkPluginMode": "overlay",
        "networkProfile.networkDataplane": "cilium",
        "networkProfile.outboundType": "userDefinedRouting",
        "apiServerAccessProfile.enableVnetIntegration": True,
        "apiServerAccessProfile.enablePrivateCluster": True,
        "disableLocalAccounts": True,
        "aadProfile.enableAzureRBAC": True,
        "oidcIssuerProfile.enabled": True,
        "securityProfile.workloadIdentity.enabled": True,
        "securityProfile.imageCleaner.enabled": True,
        "securityProfile.defender.securityMonitoring.enabled": True,
        "addonProfiles.azurepolicy.enabled": True,
        "addonProfiles.omsagent.enabled": True,
        "addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation": "true",
        "workloadAutoScalerProfile.keda.enabled": True,
        "azureMonitorProfile.metrics.enabled": True,
        "autoUpgradeProfile.upgradeChannel": "patch",
        "autoUpgradeProfile.nodeOSUpgradeChannel": "NodeImage",
        "agentPoolProfiles.0.availabilityZones": ZONES,
        "agentPoolProfiles.0.osDiskType": "Ephemeral",
        "agentPoolProfiles.0.osSKU": "AzureLinux",
        "agentPoolProfiles.0.enableEncryptionAtHost": True,
    },
    "containerservice:AgentPool": {"mode": "User", "availabilityZones": ZONES, "osDiskType": "Ephemeral"},
    "apimanagement:ApiManagementService": {
        "sku.name": "Premium",
        "zones": ZONES,
        "virtualNetworkType": "Internal",
    },
    "servicebus:Namespace": {
        "sku.name": "Premium",
        "disableLocalAuth": True,
        "zoneRedundant": True,
        "publicNetworkAccess": "Disabled",
        "encryption.requireInfrastructureEncryption": True,
        "geoDataReplication.locations.1.locationName": "northeurope",
    },
    "sql:Server": {
        "administrators.azureADOnlyAuthentication": True,
        "minimalTlsVersion": "1.2",
        "publicNetworkAccess": "Disabled",
    },
    "sql:ElasticPool": {"zoneRedundant": True},
    "sql:EncryptionProtector": {"serverKeyType": "AzureKeyVault", "autoRotationEnabled": True},
    "sql:FailoverGroup": {"readWriteEndpoint.failoverPolicy": "Automatic"},
    "sql:BackupShortTermRetentionPolicy": {"retentionDays": 35},
    "sql:LongTermRetentionPolicy": {"weeklyRetention": "P12W", "monthlyRetention": "P12M"},
    "sql:ServerSecurityAlertPolicy": {"state": "Enabled"},
    "sql:DatabaseSecurityAlertPolicy": {"state": "Enabled"},
    "sql:SqlVulnerabilityAssessmentsSetting": {"state": "Enabled"},
    "sql:ExtendedServerBlobAuditingPolicy": {"isAzureMonitorTargetEnabled": True},
    "keyvault:Vault": {
        "properties.sku.name": "premium",
        "properties.enableRbacAuthorization": True,
        "properties.enablePurgeProtection": True,
        "properties.softDeleteRetentionInDays": 90,
        "properties.networkAcls.defaultAction": "Deny",
        "properties.publicNetworkAccess": "Disabled",
    },
    "keyvault:Key": {"properties.kty": "RSA-HSM", "properties.rotationPolicy.attributes.expiryTime": "P730D"},
    "storage:StorageAccount": {
        "sku.name": "Standard_GZRS",
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "encryption.keySource": "Microsoft.Keyvault",
        "encryption.requireInfrastructureEncryption": True,
        "publicNetworkAccess": "Disabled",
    },
    "storage:BlobServiceProperties": {"isVersioningEnabled": True, "deleteRetentionPolicy.days": 30},
    "storage:BlobContainerImmutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": 1826},
    "notificationhubs:Namespace": {
        "sku.name": "Standard",
        "zoneRedundancy": "Enabled",
        "publicNetworkAccess": "Disabled",
    },
    "applicationinsights:Component": {"ingestionMode": "LogAnalytics", "disableLocalAuth": True},
    "operationalinsights:Workspace": {"retentionInDays": 365, "publicNetworkAccessForQuery": "Disabled"},
    "web:AppServicePlan": {"zoneRedundant": True},
    "web:WebApp": {"httpsOnly": True, "publicNetworkAccess": "Disabled"},
    "network:ApplicationGateway": {"sku.tier": "WAF_v2", "zones": ZONES},
    "network:WebApplicationFirewallPolicy": {"policySettings.mode": "Prevention"},
    "network:AzureFirewall": {"zones": ZONES},
    "alertsmanagement:SmartDetectorAlertRule": {"state": "Enabled"},
    "consumption:Budget": {"timeGrain": "Monthly"},
}
"""By type: property → value of every resource of that type."""


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        value = value[int(part)] if isinstance(value, Sequence) else value.get(part) if value is not None else None
    return value


def _found(type_: str) -> Iterator[Registration]:
    yield from (each for each in deployed("prod").of(type_) if each.type == f"azure-native:{type_}")


@pytest.mark.parametrize(("type_", "wanted"), _ON.items(), ids=_ON)
def test_prod_turns_it_on(type_: str, wanted: Mapping[str, Any]) -> None:
    resources = list(_found(type_))
    assert resources, "prod has one"
    for each in resources:
        assert {path: _at(each.inputs, path.split(".")) for path in wanted} == wanted, each.name


def test_both_channels_of_upgrades_have_a_window() -> None:
    windows = {each.inputs["configName"] for each in _found("containerservice:MaintenanceConfiguration")}
    assert windows == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}


def test_evidence_is_locked_for_good() -> None:
    assert len(deployed("prod").of(":ImmutabilityLock")) == len(list(_found("storage:BlobContainerImmutabilityPolicy")))


def test_nothing_keeps_dev_from_being_deleted_and_made_again() -> None:
    dev = deployed("dev")
    assert {each.inputs["kind"] for each in dev.of(":NameRelease")} == {"vault", "gateway"}
    assert "enablePurgeProtection" not in dev.one("keyvault:Vault").inputs["properties"]
    assert dev.of("storage:BlobContainerImmutabilityPolicy") == dev.of(":ManagementLockByScope") == []
    assert not [each for each in dev.of("sql:Database") if each.inputs.get("isLedgerOn")]
