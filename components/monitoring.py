"""Monitoring: a Log Analytics workspace, an Application Insights component on it, a place for metrics.

Leaves out: alerts, action group, workbook and budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import applicationinsights, monitor, operationalinsights

from components.cluster_observability import CollectionArgs
from components.common import PrivateAccess, Site, private_endpoint
from components.lock import lock
from components.private_link_scope import LinkScope, link_scope


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What monitoring needs to know.

    site: resource group, region and tags that every block shares.
    retention_days: days that logs are kept. sampling_percentage: share of the requests that is recorded.
    metrics: whether there is a place for Prometheus' metrics.
    private: whether data goes in, and is asked for, by a private link scope alone; see place_endpoints. What Azure
    itself sends by diagnostic settings comes in all the same. locked: keeps the workspace from being deleted.
    """

    site: Site
    retention_days: int
    sampling_percentage: float
    metrics: bool = False
    private: bool = False
    locked: bool = False

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
    collection: CollectionArgs | None
    """Where a cluster's agents send to, where there is a place for metrics."""
    connection_string: pulumi.Output[str]
    """Address of the ingestion endpoint. Not a credential, as local authentication is off."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Monitoring", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site, public = args.site, "Disabled" if args.private else "Enabled"
        self._name, self._site = name, site

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
            public_network_access_for_ingestion=public,
            public_network_access_for_query=public,
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
            public_network_access_for_ingestion=public,
            public_network_access_for_query=public,
            tags=site.tags,
            opts=child,
        )
        reached: dict[str, pulumi.CustomResource] = {"workspace": workspace, "component": component}

        self.collection, self._metrics = None, None
        if args.metrics:
            self._metrics, endpoint = self._place_for_metrics(public)
            self.collection = CollectionArgs(metrics_workspace_id=self._metrics.id, endpoint_id=endpoint.id)
            reached["collection"] = endpoint
        self._scope: LinkScope | None = link_scope(name, reached, site, child) if args.private else None
        if args.locked:
            lock(f"{name}-workspace", workspace, self)
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

    def _place_for_metrics(self, public: str) -> tuple[monitor.AzureMonitorWorkspace, monitor.DataCollectionEndpoint]:
        """A workspace of metrics, and the endpoint that a cluster's agents are told and send by."""
        name, site, child = self._name, self._site, pulumi.ResourceOptions(parent=self)
        workspace = monitor.AzureMonitorWorkspace(
            name,
            azure_monitor_workspace_name=site.name("amw", name),
            resource_group_name=site.resource_group,
            location=site.location,
            public_network_access=public,
            tags=site.tags,
            opts=child,
        )
        endpoint = monitor.DataCollectionEndpoint(
            name,
            data_collection_endpoint_name=site.name("dce", name),
            kind="Linux",
            resource_group_name=site.resource_group,
            location=site.location,
            network_acls=monitor.DataCollectionEndpointNetworkAclsArgs(public_network_access=public),
            tags=site.tags,
            opts=child,
        )
        return workspace, endpoint

    def place_endpoints(self, access: PrivateAccess, metrics: PrivateAccess | None = None) -> None:
        """Lets a virtual network in. access, metrics: to the scope, and to where metrics are asked for.

        Raises ValueError where private is off, or metrics are asked for and there are none.
        """
        if self._scope is None:
            raise ValueError("private: is off, so there is no scope to reach. Set it, or leave the endpoints out.")
        # A link beside it changes what the endpoint must hold, and Azure refuses the endpoint (bicep-types-az#2122).
        after = pulumi.ResourceOptions(parent=self, depends_on=[self._scope.linked])
        private_endpoint(f"{self._name}-monitor", self._scope.scope, "azuremonitor", access, self._site, after)
        if metrics is None:
            return
        if self._metrics is None:
            raise ValueError("metrics: there is no workspace of metrics to reach. Set it in the arguments.")
        child = pulumi.ResourceOptions(parent=self)
        private_endpoint(f"{self._name}-metrics", self._metrics, "prometheusMetrics", metrics, self._site, child)
