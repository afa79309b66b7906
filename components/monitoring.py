"""Monitoring: a Log Analytics workspace, an Application Insights component on it, a place for metrics.

Leaves out: alerts, action group, workbook and budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import applicationinsights, monitor, operationalinsights

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What monitoring needs to know.

    site: resource group, region and tags that every block shares.
    retention_days: days that logs are kept. sampling_percentage: share of the requests that is recorded.
    metrics: whether there is a place for Prometheus' metrics.
    """

    site: Site
    retention_days: int
    sampling_percentage: float
    metrics: bool = False

    def __post_init__(self) -> None:
        if not 30 <= self.retention_days <= 730:
            raise ValueError(f"retention_days: {self.retention_days} is not allowed; allowed are 30 to 730.")
        if not 0 < self.sampling_percentage <= 100:
            raise ValueError(f"sampling_percentage: {self.sampling_percentage} is not allowed; allowed is up to 100.")


class Monitoring(pulumi.ComponentResource):
    """Where logs, metrics and traces go; only Entra identities can send and read."""

    workspace_id: pulumi.Output[str]
    """Resource id of the workspace."""
    component_id: pulumi.Output[str]
    """Resource id of the Application Insights component: the scope of "Monitoring Metrics Publisher"."""
    metrics_workspace_id: pulumi.Output[str] | None
    """Resource id of the Azure Monitor workspace, where there is one."""
    connection_string: pulumi.Output[str]
    """Address of the ingestion endpoint. Not a credential, as local authentication is off."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Monitoring", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        workspace = operationalinsights.Workspace(
            name,
            workspace_name=site.name("log", name),
            resource_group_name=site.resource_group,
            location=site.location,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=args.retention_days,
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
            ),
            tags=site.tags,
            opts=child,
        )
        component = applicationinsights.Component(
            name,
            resource_name_=site.name("appi", name),
            resource_group_name=site.resource_group,
            location=site.location,
            kind="web",
            application_type="web",
            ingestion_mode="LogAnalytics",
            workspace_resource_id=workspace.id,
            sampling_percentage=args.sampling_percentage,
            disable_local_auth=True,
            tags=site.tags,
            opts=child,
        )

        self.metrics_workspace_id = None
        if args.metrics:
            self.metrics_workspace_id = monitor.AzureMonitorWorkspace(
                name,
                azure_monitor_workspace_name=site.name("amw", name),
                resource_group_name=site.resource_group,
                location=site.location,
                tags=site.tags,
                opts=child,
            ).id
        self.workspace_id = workspace.id
        self.component_id = component.id
        self.connection_string = component.connection_string
        self.register_outputs(
            {
                "workspace_id": self.workspace_id,
                "component_id": self.component_id,
                "connection_string": self.connection_string,
            }
        )
