"""What blocks are handed when each is deployed alone: made beside Pulumi, so that the stack holds the block only."""

from __future__ import annotations

from typing import Any

from local.azure.entra.deployer import deployer
from local.instance import TENANT_ID
from tests.components.deployed.blocks import REGION
from tests.components.deployed.cloud import Cloud

_GROUP = "resourceGroups/rg-handed"
_PROVIDERS = f"{_GROUP}/providers"
_SUBNETS = {
    "cluster": None,
    "endpoints": None,
    "gateway": None,
    "edge": None,
    "web": "Microsoft.Web/serverFarms",
    "functions": "Microsoft.App/environments",
}
"""Delegation by name."""
_ZONES = (
    "azurecr.io",
    "azurewebsites.net",
    "blob.core.windows.net",
    "database.windows.net",
    "monitor.azure.com",
    "servicebus.windows.net",
    "vaultcore.azure.net",
)


def _subnet(number: int, name: str) -> dict[str, Any]:
    delegation = _SUBNETS[name]
    delegations = [{"name": "service", "properties": {"serviceName": delegation}}] if delegation else []
    return {"name": name, "properties": {"addressPrefix": f"10.9.{number}.0/24", "delegations": delegations}}


def hand(cloud: Cloud) -> dict[str, str]:
    """Ids and addresses by what they are."""
    place = {"location": REGION}
    cloud.put(_GROUP, place)
    workspace = cloud.put(f"{_PROVIDERS}/Microsoft.OperationalInsights/workspaces/log-handed", place)["id"]
    component = cloud.put(
        f"{_PROVIDERS}/Microsoft.Insights/components/appi-handed",
        {**place, "kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": workspace}},
    )
    subnets = [_subnet(number, name) for number, name in enumerate(_SUBNETS)]
    network = cloud.put(
        f"{_PROVIDERS}/Microsoft.Network/virtualNetworks/vnet-handed",
        {**place, "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": subnets}},
    )["id"]
    zones = {
        zone: cloud.put(f"{_PROVIDERS}/Microsoft.Network/privateDnsZones/privatelink.{zone}", {"location": "global"})[
            "id"
        ]
        for zone in _ZONES
    }
    vault = cloud.put(
        f"{_PROVIDERS}/Microsoft.KeyVault/vaults/kv-handed",
        {
            **place,
            "properties": {
                "tenantId": TENANT_ID,
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "enablePurgeProtection": True,
                "accessPolicies": [],
            },
        },
    )
    key = cloud.put(
        f"{_PROVIDERS}/Microsoft.KeyVault/vaults/kv-handed/keys/data", {"properties": {"kty": "RSA", "keySize": 3072}}
    )
    robot = cloud.put(f"{_PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/id-handed", place)
    group = cloud.put(
        f"{_PROVIDERS}/Microsoft.Insights/actionGroups/ag-handed",
        {"location": "global", "properties": {"groupShortName": "handed", "enabled": True}},
    )["id"]
    return {
        "workspace": workspace,
        "component": component["id"],
        "connection": component["properties"]["ConnectionString"],
        **{f"subnet {name}": f"{network}/subnets/{name}" for name in _SUBNETS},
        **{f"zone {name}": each for name, each in zones.items()},
        "vault": vault["id"],
        "vault uri": vault["properties"]["vaultUri"],
        "key": key["id"],
        "key version": key["properties"]["keyUriWithVersion"],
        "action group": group,
        "principal": robot["properties"]["principalId"],
        "deployer": deployer(cloud.instance)["object_id"],
    }


def hand_backed(cloud: Cloud) -> dict[str, str]:
    """The same, and what needs a data plane's backend."""
    place = {"location": REGION}
    account = cloud.put(
        f"{_PROVIDERS}/Microsoft.Storage/storageAccounts/sthanded",
        {**place, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}},
    )
    for name in ("packages", "uploads", "undelivered"):
        container = f"{_PROVIDERS}/Microsoft.Storage/storageAccounts/sthanded/blobServices/default/containers/{name}"
        cloud.put(container, {"properties": {}})
    namespace = cloud.put(
        f"{_PROVIDERS}/Microsoft.ServiceBus/namespaces/sb-handed",
        {**place, "sku": {"name": "Premium", "tier": "Premium", "capacity": 1}, "properties": {}},
    )["id"]
    queue = cloud.put(f"{_PROVIDERS}/Microsoft.ServiceBus/namespaces/sb-handed/queues/uploads", {"properties": {}})
    registry = cloud.put(
        f"{_PROVIDERS}/Microsoft.ContainerRegistry/registries/crhanded",
        {**place, "sku": {"name": "Basic"}, "properties": {}},
    )["id"]
    return {
        "account": account["id"],
        "blobs": account["properties"]["primaryEndpoints"]["blob"],
        "namespace": namespace,
        "queue": queue["id"],
        "registry": registry,
    }
