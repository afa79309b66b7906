"""Monitoring is reached in public, or by a private link scope alone."""

from __future__ import annotations

from typing import Any

import pytest

from components.common import PrivateAccess
from components.monitoring import Monitoring, MonitoringArgs
from tests.components.mocks import Registered, unknown
from tests.components.samples import build
from tests.components.site import ACCESS, SITE

MONITOR = PrivateAccess(
    subnet_id=ACCESS.subnet_id, zone_id=ACCESS.zone_id, further_zone_ids={"ods": "/id/of/PrivateZone/ods"}
)


def made(access: PrivateAccess | None = MONITOR, **changes: Any) -> Registered:
    """Monitoring with everything; access: None leaves its endpoints out."""

    def program() -> None:
        monitoring = Monitoring("main", args(**changes))
        if access:
            monitoring.place_endpoints(access, access)

    return build(program)


def args(**changes: Any) -> MonitoringArgs:
    everything: dict[str, Any] = {
        "site": SITE,
        "retention_days": 90,
        "sampling_percentage": 20.0,
        "metrics": True,
        "private": True,
    }
    return MonitoringArgs(**everything | changes)


def flags(registered: Registered) -> set[str]:
    return {
        value
        for each in registered.resources
        for holder in (each.inputs, each.inputs.get("networkAcls") or {})
        for key, value in holder.items()
        if key.startswith("publicNetworkAccess")
    }


def test_nothing_is_taken_or_told_in_public_where_it_is_private() -> None:
    assert flags(made()) == {"Disabled"}
    assert flags(made(None, private=False)) == {"Enabled"}


def test_the_scope_holds_everything_and_lets_its_networks_reach_nothing_else() -> None:
    registered = made()
    modes = registered.one(":PrivateLinkScope").inputs["accessModeSettings"]
    assert modes == {"ingestionAccessMode": "PrivateOnly", "queryAccessMode": "PrivateOnly"}
    linked = [each.inputs["linkedResourceId"] for each in registered.of(":PrivateLinkScopedResource")]
    assert linked == [f"/id/of/{each}/main" for each in ("Workspace", "Component", "DataCollectionEndpoint")]


def test_links_and_the_endpoint_are_made_one_after_the_other() -> None:
    """azurerm#22236, bicep-types-az#2122."""
    registered = made()
    links = registered.of(":PrivateLinkScopedResource")
    for before, after in zip(links, [*links[1:], registered.one(":PrivateEndpoint", "main-monitor")], strict=True):
        assert before.urn in after.after


def test_the_endpoint_has_its_names_in_all_of_azure_monitors_zones() -> None:
    registered = made()
    endpoint = registered.one(":PrivateEndpoint", "main-monitor").inputs["privateLinkServiceConnections"]
    assert [each["groupIds"] for each in endpoint] == [["azuremonitor"]]
    zones = registered.one(":PrivateDnsZoneGroup", "main-monitor").inputs["privateDnsZoneConfigs"]
    assert {each["privateDnsZoneId"] for each in zones} == {"/id/of/PrivateZone/zone", "/id/of/PrivateZone/ods"}
    metrics = registered.one(":PrivateEndpoint", "main-metrics").inputs["privateLinkServiceConnections"]
    assert [each["groupIds"] for each in metrics] == [["prometheusMetrics"]]


def test_a_preview_plans_the_same_while_nothing_is_known() -> None:
    def program() -> None:
        access = PrivateAccess(subnet_id=unknown(), zone_id=unknown(), further_zone_ids={"ods": unknown()})
        Monitoring("main", args()).place_endpoints(access, access)

    planned = build(program, preview=True).resources
    assert {(each.type, each.name) for each in planned} == {(each.type, each.name) for each in made().resources}


@pytest.mark.parametrize(
    ("changes", "message"), [({"private": False}, "private: is off"), ({"metrics": False}, "metrics: there is no")]
)
def test_endpoints_that_lead_nowhere_are_refused(changes: dict[str, Any], message: str) -> None:
    def program() -> None:
        monitoring = Monitoring("main", args(**changes))
        with pytest.raises(ValueError, match=message):
            monitoring.place_endpoints(MONITOR, ACCESS)

    build(program)


@pytest.mark.parametrize("changes", [{"retention_days": 29}, {"sampling_percentage": 0}], ids=str)
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not allowed"):
        args(**changes)
