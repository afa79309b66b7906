"""Cluster maintenance: when Azure may upgrade Kubernetes and the nodes' operating system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import containerservice

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class MaintenanceArgs:
    """A weekly window. day: e.g. "Saturday". hour: of its start in UTC. hours: that it lasts, 4 to 24."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    hour: int
    hours: int = 4

    def __post_init__(self) -> None:
        if self.hour not in range(24):
            raise ValueError(f"hour: {self.hour} is not allowed; allowed are 0 to 23.")
        if not 4 <= self.hours <= 24:
            raise ValueError(f"hours: {self.hours} is not allowed; allowed are 4 to 24.")


def maintain(
    name: str,
    args: MaintenanceArgs,
    cluster: containerservice.ManagedCluster,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """A window for each of the two channels, by the names that AKS looks for (learn.microsoft.com/azure/aks/
    planned-maintenance)."""
    for channel in ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"):
        containerservice.MaintenanceConfiguration(
            f"{name}-{channel}",
            config_name=channel,
            resource_name_=cluster.name,
            resource_group_name=site.resource_group,
            maintenance_window=containerservice.MaintenanceWindowArgs(
                schedule=containerservice.ScheduleArgs(
                    weekly=containerservice.WeeklyScheduleArgs(day_of_week=args.day, interval_weeks=1)
                ),
                start_time=f"{args.hour:02}:00",
                utc_offset="+00:00",
                duration_hours=args.hours,
            ),
            opts=opts,
        )
