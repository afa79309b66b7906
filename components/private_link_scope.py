"""Private link scope: what of Azure Monitor the virtual networks reach that its endpoint is in; they reach no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class LinkScope:
    """A scope. linked: what its private endpoint waits for."""

    scope: monitor.PrivateLinkScope
    linked: monitor.PrivateLinkScopedResource


def link_scope(
    name: str, resources: Mapping[str, pulumi.CustomResource], site: Site, opts: pulumi.ResourceOptions
) -> LinkScope:
    """A scope of workspaces, Application Insights components and data collection endpoints, by name.

    Private only: from its networks nothing goes to another's workspace (learn.microsoft.com/azure/azure-monitor/logs/
    private-link-design). A network takes one scope, as the names of all of Azure Monitor lead there.
    """
    scope = monitor.PrivateLinkScope(
        name,
        scope_name=site.name("ampls", name),
        resource_group_name=site.resource_group,
        location="global",
        access_mode_settings=monitor.AccessModeSettingsArgs(
            ingestion_access_mode=monitor.AccessMode.PRIVATE_ONLY, query_access_mode=monitor.AccessMode.PRIVATE_ONLY
        ),
        tags=site.tags,
        opts=opts,
    )
    link: monitor.PrivateLinkScopedResource | None = None
    for label, each in resources.items():
        # One after the other: a scope that takes one in refuses the next (azurerm#22236).
        waits = pulumi.ResourceOptions(depends_on=[link] if link else [])
        link = monitor.PrivateLinkScopedResource(
            f"{name}-{label}",
            name=label,
            scope_name=scope.name,
            resource_group_name=site.resource_group,
            linked_resource_id=each.id,
            opts=pulumi.ResourceOptions.merge(opts, waits),
        )
    if link is None:
        raise ValueError("resources: there are none. A scope of nothing would cut its networks off from Azure Monitor.")
    return LinkScope(scope=scope, linked=link)
