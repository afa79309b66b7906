"""What docs/costs.md counts is what the stacks have, and its sums are right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from tests.components.mocks import Registered
from tests.stacks.program import ROOT, deployed

PAGE = ROOT / "docs" / "costs.md"


def number(type_: str) -> Callable[[Registered], int]:
    return lambda stack: len([each for each in stack.of(type_) if each.type.startswith("azure-native:")])


def tier(type_: str, name: str) -> Callable[[Registered], int]:
    """Units of a SKU: its capacity, where it has one."""

    def units(stack: Registered) -> int:
        skus = [each.inputs["sku"] for each in stack.of(type_) if each.type.startswith("azure-native:")]
        return sum(int(sku.get("capacity", 1)) for sku in skus if sku["name"] == name)

    return units


def pools(name: str) -> Callable[[Registered], int]:
    return lambda stack: len([each for each in stack.of("sql:ElasticPool") if each.inputs["sku"]["name"] == name])


def capacity_units(stack: Registered) -> int:
    return sum(int(e.inputs["autoscaleConfiguration"]["minCapacity"]) for e in stack.of("network:ApplicationGateway"))


def regions_of_messages(stack: Registered) -> int:
    return sum(
        int(each.inputs["sku"]["capacity"]) * len((each.inputs.get("geoDataReplication") or {}).get("locations") or [1])
        for each in stack.of("servicebus:Namespace")
        if each.inputs["sku"]["name"] == "Premium"
    )


def regions_of_images(stack: Registered) -> int:
    premium = tier("containerregistry:Registry", "Premium")(stack)
    return premium + (number("containerregistry:Replication")(stack) if premium else 0)


def hardware_keys(stack: Registered) -> int:
    keys = [each.inputs["properties"] for each in stack.of("keyvault:Key")]
    return len([each for each in keys if each["kty"] == "RSA-HSM"])


def nodes(size: str) -> Callable[[Registered], int]:
    def count(stack: Registered) -> int:
        inline = [pool for each in stack.of(":ManagedCluster") for pool in each.inputs["agentPoolProfiles"]]
        pools = [*inline, *(each.inputs for each in stack.of("containerservice:AgentPool"))]
        return sum(int(each["count"]) for each in pools if each["vmSize"] == size)

    return count


def alerts_on_logs(stack: Registered) -> int:
    rules = [each.inputs["evaluationFrequency"] for each in stack.of("monitor:ScheduledQueryRule")]
    return len([each for each in rules if each in ("PT15M", "PT30M", "PT1H")])


def time_series(stack: Registered) -> int:
    """Of metrics; a criterion without dimensions is one."""
    return sum(len(each.inputs["criteria"]["allOf"]) for each in stack.of("monitor:MetricAlert"))


COUNTS: Mapping[str, Callable[[Registered], int]] = {
    "API Management, Developer unit": tier(":ApiManagementService", "Developer"),
    "API Management, Premium unit": tier(":ApiManagementService", "Premium"),
    "Application Gateway, WAF_v2": number("network:ApplicationGateway"),
    "its capacity units, at the least": capacity_units,
    "Azure Firewall, Standard": number("network:AzureFirewall"),
    "NAT gateway": number("network:NatGateway"),
    "public IPv4 address": number("network:PublicIPAddress"),
    "private endpoint": number("network:PrivateEndpoint"),
    "private DNS zone": number("privatedns:PrivateZone"),
    "AKS, Standard tier": lambda stack: len(
        [each for each in stack.of(":ManagedCluster") if each.inputs["sku"]["tier"] == "Standard"]
    ),
    "container registry, Basic": tier("containerregistry:Registry", "Basic"),
    "container registry, Premium, a region": regions_of_images,
    "Service Bus, Standard": tier("servicebus:Namespace", "Standard"),
    "Service Bus, Premium messaging unit, a region": regions_of_messages,
    "SQL elastic pool, Standard, 50 DTU": pools("StandardPool"),
    "SQL elastic pool, GP_Gen5, 4 vCores, zone-redundant": pools("GP_Gen5"),
    "its storage, 256 GB, zone-redundant": pools("GP_Gen5"),
    "App Service, S1 instance": tier("web:AppServicePlan", "S1"),
    "App Service, P1v3 instance": tier("web:AppServicePlan", "P1v3"),
    "Notification Hubs, Standard": tier("notificationhubs:Namespace", "Standard"),
    "HSM key of 3072 bits": hardware_keys,
    "node, Standard_D4ds_v5": nodes("Standard_D4ds_v5"),
    "alert on logs, each 15 minutes or less often": alerts_on_logs,
    "alert on a metric, a time series": time_series,
}


def rows() -> list[list[str]]:
    """The cells of the tables with counts."""
    counted = PAGE.read_text().split("## By use")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in counted.splitlines() if line[:1] == "|"]
    return [each for each in cells if each[0] != "what" and not each[0].startswith("---")]


def test_every_row_is_counted_here() -> None:
    assert {each[0] for each in rows()} == {*COUNTS, "**sum**"}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_counts_are_those_of_the_stack(stack: str) -> None:
    column = {"dev": -3, "prod": -2}
    said = {each[0]: int(each[column[stack]]) for each in rows() if each[0] != "**sum**"}
    assert said == {name: count(deployed(stack)) for name, count in COUNTS.items()}


def test_the_sums_are_right() -> None:
    *lines, total = rows()
    for column in (2, 3):
        assert sum(Decimal(each[1]) * int(each[column]) for each in lines) == Decimal(total[column].strip("*"))


def test_what_has_a_fixed_size_in_the_table_has_it_in_the_stacks() -> None:
    (dev,) = deployed("dev").of("sql:ElasticPool")
    assert dev.inputs["sku"]["capacity"] == 50
    for pool in deployed("prod").of("sql:ElasticPool"):
        assert (pool.inputs["sku"]["capacity"], pool.inputs["zoneRedundant"]) == (4, True)
        assert pool.inputs["maxSizeBytes"] == 256 * 2**30
    for stack in ("dev", "prod"):
        rules = deployed(stack).of("monitor:ScheduledQueryRule")
        assert alerts_on_logs(deployed(stack)) == len(rules), "oftener costs more"
    (wall,) = deployed("prod").of("network:AzureFirewall")
    assert wall.inputs["sku"]["tier"] == "Standard"


def test_the_quota_that_is_asked_for_holds_the_nodes_at_their_most() -> None:
    """vCPUs of sizes whose number says them, e.g. 4 of Standard_D4ds_v5."""
    asked = (ROOT / "docs" / "deploy.md").read_text()
    for stack in ("dev", "prod"):
        (cluster,) = deployed(stack).of(":ManagedCluster")
        pools = [
            *cluster.inputs["agentPoolProfiles"],
            *(e.inputs for e in deployed(stack).of("containerservice:AgentPool")),
        ]
        (size,) = {each["vmSize"] for each in pools}
        (cores,) = map(int, re.findall(r"Standard_D(\d+)", size))
        first, most = (int(sum(each[name] for each in pools)) for name in ("minCount", "maxCount"))
        wanted = rf"`{stack}` {first} . {size}\s+\({first * cores}\s+vCPU, growing to {most * cores}\)"
        assert re.search(wanted, asked), wanted
