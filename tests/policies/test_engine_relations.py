"""Whole-stack rules in the real engine: they see what refers to what, before there are ids and after."""

from __future__ import annotations

import pytest

from tests.local.plugins.engine import Program
from tests.policies.test_engine import DEV, PACK

RELATED = """
import pulumi
from pulumi_azure_native import authorization, eventgrid, keyvault, monitor, network, operationalinsights, privatedns
from pulumi_azure_native import resources

tags = {"project": "p", "stack": "test", "managed-by": "pulumi"}
group = resources.ResourceGroup("g", resource_group_name="rg-related", location="westeurope", tags=tags)
here = {"resource_group_name": group.name, "location": "westeurope", "tags": tags}
logs = operationalinsights.Workspace(
    "logs", workspace_name="log-related", retention_in_days=90, sku={"name": "PerGB2018"}, **here
)
vault = keyvault.Vault(
    "vault", vault_name="kv-related-0", **here,
    properties={
        "tenant_id": authorization.get_client_config().tenant_id, "sku": {"family": "A", "name": "standard"},
        "enable_rbac_authorization": True, "enable_purge_protection": True,
        "network_acls": {"default_action": "Deny", "bypass": "AzureServices"},
    },
)
monitor.DiagnosticSetting(
    "audit", name="audit", resource_uri=vault.id, workspace_id=logs.id,
    logs=[{"category_group": "audit", "enabled": True}],
)
topic = eventgrid.SystemTopic(
    "expiry", system_topic_name="egst-related", source=vault.id, topic_type="Microsoft.KeyVault.vaults", **here
)
eventgrid.SystemTopicEventSubscription(
    "expiry", event_subscription_name="expiry", system_topic_name=topic.name, resource_group_name=group.name,
    event_delivery_schema="CloudEventSchemaV1_0",
    filter={
        "included_event_types": [f"Microsoft.KeyVault.{each}NearExpiry" for each in ("Certificate", "Key", "Secret")]
    },
    destination=eventgrid.MonitorAlertEventSubscriptionDestinationArgs(
        endpoint_type="MonitorAlert", severity="Sev1", description="renew it"
    ),
)
authorization.ManagementLockByScope("lock", lock_name="cannot-delete", scope=vault.id, level="CanNotDelete")
guard = network.NetworkSecurityGroup("guard", network_security_group_name="nsg-related", **here)
net = network.VirtualNetwork(
    "net", virtual_network_name="vnet-related", address_space={"address_prefixes": ["10.0.0.0/16"]}, **here
)
subnet = network.Subnet(
    "subnet", subnet_name="endpoints", virtual_network_name=net.name, resource_group_name=group.name,
    address_prefix="10.0.1.0/24", network_security_group={"id": guard.id},
)
zone = privatedns.PrivateZone(
    "zone", private_zone_name="ZONE", location="global", resource_group_name=group.name, tags=tags
)
endpoint = network.PrivateEndpoint(
    "endpoint", private_endpoint_name="pep-related", subnet={"id": subnet.id}, **here,
    private_link_service_connections=[
        {"name": "vault", "private_link_service_id": vault.id, "group_ids": ["vault"]}
    ],
)
network.PrivateDnsZoneGroup(
    "named", private_dns_zone_group_name="default", private_endpoint_name=endpoint.name,
    resource_group_name=group.name,
    private_dns_zone_configs=[{"name": "vault", "private_dns_zone_id": zone.id}],
)
"""
RELATIONS = ("TRB-STACK-001", "TRB-STACK-002", "TRB-STACK-005", "TRB-STACK-006")


@pytest.mark.full
def test_references_are_followed_in_a_preview_and_in_an_existing_state(program: Program) -> None:
    right = RELATED.replace("ZONE", "privatelink.vaultcore.azure.net")
    program.write(right)
    said = program.run("up", "--yes", *PACK, DEV)
    assert [each for each in RELATIONS if each in said] == []

    analyzed = program.run("policy", "analyze", "--policy-pack", PACK[1], fails=True)
    assert "TRB-STACK-003" in analyzed  # without a config all is mandatory, the budget too
    assert [each for each in RELATIONS if each in analyzed] == []

    program.write(
        right.replace("resource_uri=vault.id", "resource_uri=logs.id").replace(
            "scope=vault.id, level", "scope=logs.id, level"
        )
    )
    said = program.run("preview", *PACK, DEV, fails=True)
    assert [each for each in RELATIONS if each in said] == ["TRB-STACK-002", "TRB-STACK-005"]
