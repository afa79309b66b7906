"""Expiry alerts: tells people before a vault's keys, secrets and certificates expire."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import eventgrid, keyvault

from components.common import Site

_EVENTS = [
    f"Microsoft.KeyVault.{kind}{when}"
    for kind in ("Certificate", "Key", "Secret")
    for when in ("NearExpiry", "Expired")
]
"""learn.microsoft.com/azure/event-grid/event-schema-key-vault; "near" is 30 days, for keys what their policy says."""


def tell_of_expiry(
    name: str,
    vault: keyvault.Vault,
    action_group_id: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """An alert for each expiry, now or soon, to an action group (learn.microsoft.com/azure/event-grid/
    handler-azure-monitor-alerts)."""
    topic = eventgrid.SystemTopic(
        f"{name}-vault",
        system_topic_name=site.name("egst", f"{name}-vault"),
        resource_group_name=site.resource_group,
        location=site.location,
        source=vault.id,
        topic_type="Microsoft.KeyVault.vaults",
        tags=site.tags,
        opts=opts,
    )
    eventgrid.SystemTopicEventSubscription(
        f"{name}-expiry",
        event_subscription_name="expiry",
        system_topic_name=topic.name,
        resource_group_name=site.resource_group,
        # Alerts take no other.
        event_delivery_schema=eventgrid.EventDeliverySchema.CLOUD_EVENT_SCHEMA_V1_0,
        filter=eventgrid.EventSubscriptionFilterArgs(included_event_types=_EVENTS),
        destination=eventgrid.MonitorAlertEventSubscriptionDestinationArgs(
            endpoint_type="MonitorAlert",
            severity=eventgrid.MonitorAlertSeverity.SEV1,
            description="A key, secret or certificate expires: renew it, docs/deploy.md.",
            action_groups=[action_group_id],
        ),
        opts=opts,
    )
