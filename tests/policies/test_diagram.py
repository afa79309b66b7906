"""The diagram: what stands where, its lines, and the same picture for the same stack in whatever order."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree

from policies.diagram.picture import picture
from policies.diagram.svg import svg
from tests.policies.test_reachability import Made, endpoint

ZONE = "privatelink.vaultcore.azure.net"


def stack() -> list[Made]:
    identity = Made("azure-native:managedidentity:UserAssignedIdentity", "/ids/gateway", {})
    gateway = Made(
        "azure-native:apimanagement:ApiManagementService",
        "/apim",
        {
            "virtualNetworkType": "Internal",
            "virtualNetworkConfiguration": {"subnetResourceId": "/net/subnets/a"},
            "identity": {"userAssignedIdentities": {"/IDS/gateway": {}}},
        },
    )
    role = Made(
        "azure-native:authorization:RoleAssignment", "/r", {"scope": "/vaults/KV"}, {"principalId": [identity.urn]}
    )
    return [*endpoint(ZONE, ZONE), identity, gateway, role]


def test_zones_hold_what_stands_in_them_and_lines_lead_to_services() -> None:
    drawn = picture(stack(), "a stack")
    assert [(zone.title, [each.title for each in zone.items]) for zone in drawn.zones] == [
        ("a 10.0.1.0/24", ["API Management"]),
        ("b 10.0.2.0/24", ["pep"]),
    ]
    assert [each.title for each in drawn.services] == ["Key Vault"]
    assert ("/pep", "/vaults/kv", "private endpoint") in drawn.lines
    assert ("/apim", "/vaults/kv", "identity") in drawn.lines


def test_the_same_stack_gives_the_same_drawing_and_it_is_xml() -> None:
    resources = stack()
    first = svg(picture(resources, "a < b"))
    for seed in range(5):
        random.Random(seed).shuffle(resources)
        assert svg(picture(resources, "a < b")) == first
    assert ElementTree.fromstring(first).tag.endswith("svg")
