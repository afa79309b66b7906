"""Cluster observability: metrics into managed Prometheus, logs and inventory by Container Insights."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice, monitor

from components.common import Site

_METRICS = "Microsoft-PrometheusMetrics"
_LOGS = [
    "Microsoft-ContainerLogV2",
    "Microsoft-KubeEvents",
    "Microsoft-KubePodInventory",
    "Microsoft-KubeNodeInventory",
]
_COLLECTED = {
    "dataCollectionSettings": {"interval": "1m", "namespaceFilteringMode": "Off", "enableContainerLogV2": True}
}
"""Unless it is said, pods' output goes to the older table ContainerLog, for which there is no stream here, and is lost
(learn.microsoft.com/azure/azure-monitor/containers/kubernetes-data-collection-configure)."""


@dataclass(frozen=True, kw_only=True)
class CollectionArgs:
    """Where agents send to. metrics_workspace_id: an Azure Monitor workspace. endpoint_id: the data collection endpoint
    that they are told what to collect by, and send by, in the cluster's region."""

    metrics_workspace_id: pulumi.Input[str]
    endpoint_id: pulumi.Input[str]


def agent(site: Site) -> dict[str, containerservice.ManagedClusterAddonProfileArgs]:
    """The add-on that sends logs: by the cluster's identity, as the workspace takes no keys."""
    if site.workspace_id is None:
        return {}
    config: dict[str, pulumi.Input[str]] = {
        "logAnalyticsWorkspaceResourceID": site.workspace_id,
        "useAADAuth": "true",
    }
    return {"omsagent": containerservice.ManagedClusterAddonProfileArgs(enabled=True, config=config)}


def collect(
    name: str,
    args: CollectionArgs,
    cluster: containerservice.ManagedCluster,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """What the agents collect, and where they send it (learn.microsoft.com/azure/azure-monitor/containers/
    kubernetes-monitoring-enable)."""
    place = {"resource_group_name": site.resource_group, "location": site.location, "tags": site.tags, "opts": opts}
    metrics = monitor.DataCollectionRule(
        f"{name}-metrics",
        data_collection_rule_name=site.name("dcr", f"{name}-metrics"),
        kind="Linux",
        data_collection_endpoint_id=args.endpoint_id,
        data_sources=monitor.DataCollectionRuleDataSourcesArgs(
            prometheus_forwarder=[monitor.PrometheusForwarderDataSourceArgs(name="prometheus", streams=[_METRICS])]
        ),
        destinations=monitor.DataCollectionRuleDestinationsArgs(
            monitoring_accounts=[
                monitor.MonitoringAccountDestinationArgs(name="metrics", account_resource_id=args.metrics_workspace_id)
            ]
        ),
        data_flows=[monitor.DataFlowArgs(streams=[_METRICS], destinations=["metrics"])],
        **place,
    )
    _associate(f"{name}-metrics", metrics, cluster, opts)
    # The endpoint that agents ask for their rules has this name, and no other (learn.microsoft.com/azure/azure-monitor/
    # agents/azure-monitor-agent-private-link).
    monitor.DataCollectionRuleAssociation(
        f"{name}-endpoint",
        association_name="configurationAccessEndpoint",
        resource_uri=cluster.id,
        data_collection_endpoint_id=args.endpoint_id,
        opts=opts,
    )
    if site.workspace_id is None:
        return
    logs = monitor.DataCollectionRule(
        f"{name}-logs",
        data_collection_rule_name=site.name("dcr", f"{name}-logs"),
        kind="Linux",
        data_collection_endpoint_id=args.endpoint_id,
        data_sources=monitor.DataCollectionRuleDataSourcesArgs(
            extensions=[
                monitor.ExtensionDataSourceArgs(
                    name="ContainerInsightsExtension",
                    extension_name="ContainerInsights",
                    streams=_LOGS,
                    extension_settings=_COLLECTED,
                )
            ]
        ),
        destinations=monitor.DataCollectionRuleDestinationsArgs(
            log_analytics=[
                monitor.LogAnalyticsDestinationArgs(name="workspace", workspace_resource_id=site.workspace_id)
            ]
        ),
        data_flows=[monitor.DataFlowArgs(streams=_LOGS, destinations=["workspace"])],
        **place,
    )
    _associate(f"{name}-logs", logs, cluster, opts)


def _associate(
    name: str,
    rule: monitor.DataCollectionRule,
    cluster: containerservice.ManagedCluster,
    opts: pulumi.ResourceOptions,
) -> None:
    monitor.DataCollectionRuleAssociation(
        name, association_name=name, resource_uri=cluster.id, data_collection_rule_id=rule.id, opts=opts
    )
