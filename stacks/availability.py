"""Availability: what keeps a service answering while nodes are upgraded, zones fail and load grows."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import autoscaling, core, meta, policy

from stacks.pods import selector

_BUSY = "400m"
"""CPU of a pod, on average, beyond which another one is started."""


def spread(name: str) -> list[core.v1.TopologySpreadConstraintArgs]:
    """A service's pods over zones, then nodes; where there are not enough of them, they run closer together."""
    return [
        core.v1.TopologySpreadConstraintArgs(
            topology_key=key,
            max_skew=1,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.v1.LabelSelectorArgs(match_labels=selector(name)),
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def disrupt_one_at_a_time(name: str, metadata: meta.v1.ObjectMetaArgs, opts: pulumi.ResourceOptions) -> None:
    """Lets one pod of a service go at a time: an upgrade passes, whatever the number of pods."""
    policy.v1.PodDisruptionBudget(
        name,
        metadata=metadata,
        spec=policy.v1.PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=selector(name))
        ),
        opts=opts,
    )


def scale(name: str, metadata: meta.v1.ObjectMetaArgs, least: int, most: int, opts: pulumi.ResourceOptions) -> None:
    """Starts pods of a service as they get busy, and ends them again. Nothing where there is no room."""
    if most == least:
        return
    busy = autoscaling.v2.MetricTargetArgs(type="AverageValue", average_value=_BUSY)
    autoscaling.v2.HorizontalPodAutoscaler(
        name,
        metadata=metadata,
        spec=autoscaling.v2.HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=autoscaling.v2.CrossVersionObjectReferenceArgs(
                api_version="apps/v1", kind="Deployment", name=name
            ),
            min_replicas=least,
            max_replicas=most,
            metrics=[
                autoscaling.v2.MetricSpecArgs(
                    type="Resource", resource=autoscaling.v2.ResourceMetricSourceArgs(name="cpu", target=busy)
                )
            ],
        ),
        opts=opts,
    )
