"""Cluster pools: the nodes. Exactly one inline pool, for the system; each further one is a resource of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """Nodes of one kind. size: of the machines, e.g. "Standard_D4ds_v5". count, maximum: fewest and most nodes.

    os_disk: "Ephemeral" or "Managed". os_disk_gb: its size, 30 or more. An ephemeral one lies on the machine's own
    disk, which must hold it: AKS refuses its default of 128 where that is smaller, and takes all of a larger one
    (learn.microsoft.com/azure/aks/concepts-storage).
    zones: "1" to "3". encryption_at_host: of disks and caches.
    """

    size: str
    count: int
    maximum: int
    os_disk: str = "Ephemeral"
    os_disk_gb: int = 128
    zones: Sequence[str] = ()
    encryption_at_host: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.count <= self.maximum <= 1000:
            raise ValueError(
                f"count, maximum: {self.count} and {self.maximum} are not allowed; allowed are 1 to 1000, the maximum "
                "not less than the count."
            )
        if not 30 <= self.os_disk_gb <= 2048:
            raise ValueError(f"os_disk_gb: {self.os_disk_gb} is not allowed; allowed are 30 to 2048.")

    def nodes(self, subnet_id: pulumi.Input[str]) -> dict[str, Any]:
        """What an inline pool and one of its own say alike."""
        return {
            "os_type": "Linux",
            "os_sku": "AzureLinux",
            "os_disk_type": self.os_disk,
            "os_disk_size_gb": self.os_disk_gb,
            "vm_size": self.size,
            "vnet_subnet_id": subnet_id,
            "enable_auto_scaling": True,
            "count": self.count,
            "min_count": self.count,
            "max_count": self.maximum,
            "availability_zones": list(self.zones) or None,
            "enable_encryption_at_host": self.encryption_at_host,
        }


def system_pool(
    pool: PoolArgs, subnet_id: pulumi.Input[str], *, alone: bool
) -> containerservice.ManagedClusterAgentPoolProfileArgs:
    """The inline pool. alone: whether there is no other, so that it takes services as well."""
    return containerservice.ManagedClusterAgentPoolProfileArgs(
        name="system",
        mode="System",
        type="VirtualMachineScaleSets",
        node_taints=None if alone else ["CriticalAddonsOnly=true:NoSchedule"],
        **pool.nodes(subnet_id),
    )


def user_pools(
    name: str,
    pools: Mapping[str, PoolArgs],
    subnet_id: pulumi.Input[str],
    cluster: containerservice.ManagedCluster,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> list[containerservice.AgentPool]:
    """The pools that services run in. Inline ones would replace the cluster (pulumi-azure-native#579, #2719, #4264)."""
    return [
        containerservice.AgentPool(
            f"{name}-{label}",
            agent_pool_name=label,
            resource_name_=cluster.name,
            resource_group_name=site.resource_group,
            mode="User",
            upgrade_settings=containerservice.AgentPoolUpgradeSettingsArgs(max_surge="33%"),
            tags=site.tags,
            **pool.nodes(subnet_id),
            # The autoscaler's business; and Azure can't move or reshape a pool.
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(ignore_changes=["count"], delete_before_replace=True)
            ),
        )
        for label, pool in pools.items()
    ]
