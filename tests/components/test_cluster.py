"""A cluster is private, has its nodes apart, is upgraded at night and watched; what contradicts itself is refused."""

from __future__ import annotations

from typing import Any

import pytest

from components.cluster import Cluster
from components.cluster_maintenance import MaintenanceArgs
from components.cluster_pools import PoolArgs
from tests.components.core_samples import cluster_args
from tests.components.mocks import Registered
from tests.components.samples import build
from tests.components.samples import made as whole

ALONE: dict[str, Any] = {
    "pools": {},
    "outbound": "loadBalancer",
    "private": False,
    "api_subnet_id": None,
    "defender": False,
    "maintenance": None,
    "collection": None,
}


def made(**changes: Any) -> Registered:
    return build(lambda: Cluster("main", cluster_args(**changes)))


def test_there_is_one_inline_pool_and_it_is_the_systems() -> None:
    (system,) = whole("cluster").one(":ManagedCluster").inputs["agentPoolProfiles"]
    assert (system["mode"], system["nodeTaints"]) == ("System", ["CriticalAddonsOnly=true:NoSchedule"])
    (alone,) = made(**ALONE).one(":ManagedCluster").inputs["agentPoolProfiles"]
    assert "nodeTaints" not in alone, "services have nowhere else to run"


def test_the_services_nodes_are_a_resource_of_their_own_with_the_same_machines() -> None:
    pool = whole("cluster").one(":AgentPool").inputs
    (system,) = whole("cluster").one(":ManagedCluster").inputs["agentPoolProfiles"]
    for name in ("osSKU", "osDiskType", "vnetSubnetID", "availabilityZones", "enableAutoScaling"):
        assert pool[name] == system[name], name
    assert (pool["mode"], pool["minCount"], pool["maxCount"]) == ("User", 3, 9)


def test_the_api_server_is_in_the_network_or_open_to_listed_addresses() -> None:
    private = whole("cluster").one(":ManagedCluster").inputs["apiServerAccessProfile"]
    assert private["enablePrivateCluster"] is private["enableVnetIntegration"] is True
    assert private["enablePrivateClusterPublicFQDN"] is False
    assert private["subnetId"] == "/api-subnet"
    listed = made(**ALONE, allowed_addresses=["198.51.100.0/24"]).one(":ManagedCluster").inputs
    assert listed["apiServerAccessProfile"] == {"authorizedIPRanges": ["198.51.100.0/24"]}


def test_the_name_of_a_private_api_server_is_known_where_deployments_come_from() -> None:
    """In a zone that AKS makes by itself, it is known in the cluster's own network alone."""
    assert whole("cluster").one(":ManagedCluster").inputs["apiServerAccessProfile"]["privateDNSZone"] == "system"
    registered = made(zone_id="/zone", network_id="/network")
    cluster = registered.one(":ManagedCluster")
    assert cluster.inputs["apiServerAccessProfile"]["privateDNSZone"] == "/zone"
    rights = {each.name: each for each in registered.of(":RoleAssignment")}
    for name, scope in (("main-writes-name", "/zone"), ("main-joins-network", "/network")):
        assert rights[name].inputs["scope"] == scope
        assert rights[name].inputs["principalId"] == "object of main-cluster"
        assert rights[name].urn in cluster.after


def test_nodes_say_how_large_their_disk_is_as_an_ephemeral_one_must_fit_onto_the_machine() -> None:
    for pool in (
        *whole("cluster").one(":ManagedCluster").inputs["agentPoolProfiles"],
        whole("cluster").one(":AgentPool").inputs,
    ):
        assert (pool["osDiskType"], pool["osDiskSizeGB"]) == ("Ephemeral", 128)


def test_nodes_leave_as_their_subnet_does_and_wait_for_its_way_out() -> None:
    assert whole("cluster").one(":ManagedCluster").inputs["networkProfile"]["outboundType"] == "userDefinedRouting"


def test_upgrades_of_both_channels_happen_in_the_window() -> None:
    windows = {each.inputs["configName"]: each.inputs for each in whole("cluster").of(":MaintenanceConfiguration")}
    assert set(windows) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    for each in windows.values():
        window = each["maintenanceWindow"]
        assert (window["startTime"], window["durationHours"]) == ("22:00", 4)
        assert window["schedule"]["weekly"]["dayOfWeek"] == "Saturday"


def test_metrics_and_logs_are_collected_without_keys() -> None:
    registered = whole("cluster")
    cluster = registered.one(":ManagedCluster").inputs
    assert cluster["azureMonitorProfile"]["metrics"]["enabled"] is True
    assert cluster["addonProfiles"]["omsagent"]["config"]["useAADAuth"] == "true"
    rules = {each.name: each.inputs["dataFlows"][0]["streams"] for each in registered.of(":DataCollectionRule")}
    assert rules["main-metrics"] == ["Microsoft-PrometheusMetrics"]
    assert "Microsoft-ContainerLogV2" in rules["main-logs"]
    (extension,) = registered.one(":DataCollectionRule", "main-logs").inputs["dataSources"]["extensions"]
    # Else pods' output goes to a table that no stream is asked for.
    assert extension["extensionSettings"]["dataCollectionSettings"]["enableContainerLogV2"] is True
    associations = {each.name: each.inputs for each in registered.of(":DataCollectionRuleAssociation")}
    asked = associations.pop("main-endpoint")
    assert asked["associationName"] == "configurationAccessEndpoint"
    assert asked["dataCollectionEndpointId"] == "/id/of/DataCollectionEndpoint/main"
    associated = {each["dataCollectionRuleId"] for each in associations.values()}
    assert associated == {f"/id/of/DataCollectionRule/{name}" for name in rules}


@pytest.mark.parametrize("changes", [{}, ALONE], ids=["whole", "alone"])
def test_what_costs_nothing_is_always_on(changes: dict[str, Any]) -> None:
    cluster = made(**changes).one(":ManagedCluster").inputs
    assert cluster["addonProfiles"]["azurepolicy"]["enabled"] is True
    assert cluster["addonProfiles"]["azureKeyvaultSecretsProvider"]["config"]["enableSecretRotation"] == "true"
    assert cluster["workloadAutoScalerProfile"]["keda"]["enabled"] is True
    assert cluster["securityProfile"]["imageCleaner"]["enabled"] is True
    assert cluster["networkProfile"]["networkDataplane"] == cluster["networkProfile"]["networkPolicy"] == "cilium"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"outbound": "nat"}, "allowed are loadBalancer"),
    ({"allowed_addresses": ["198.51.100.0/24"]}, "a private API server has no public address"),
    ({"api_subnet_id": None}, "api_subnet_id: is missing"),
    ({"zone_id": "/zone"}, "zone_id, network_id: belong to a private API server, both or neither"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:20] for each in BAD])
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cluster_args(**changes)


def test_pools_and_windows_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="the maximum not less than the count"):
        PoolArgs(size="Standard_D4ds_v5", count=3, maximum=2)
    with pytest.raises(ValueError, match="os_disk_gb: 20 is not allowed; allowed are 30 to 2048"):
        PoolArgs(size="Standard_D4ds_v5", count=3, maximum=3, os_disk_gb=20)
    with pytest.raises(ValueError, match="allowed are 0 to 23"):
        MaintenanceArgs(day="Saturday", hour=24)
    with pytest.raises(ValueError, match="allowed are 4 to 24"):
        MaintenanceArgs(day="Saturday", hour=1, hours=2)
