"""Pods: where the kinds of Kubernetes workloads keep their pods and containers."""

from collections.abc import Callable, Mapping
from typing import Any

from policies.properties import Property, Truth, every
from policies.subject import Subject

TEMPLATED = (
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:ReplicaSet",
    "kubernetes:batch/v1:Job",
)
WORKLOADS = (*TEMPLATED, "kubernetes:batch/v1:CronJob", "kubernetes:core/v1:Pod")
SERVING = TEMPLATED[:3]
NAMESPACED = (
    *WORKLOADS,
    "kubernetes:core/v1:Service",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Secret",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
)
POD = "spec.template.spec"
FIRST = f"{POD}.containers.0"


def pod_of(workload: Subject) -> Property:
    """The pod's specification, wherever the kind keeps it."""
    if workload.type.endswith(":Pod"):
        return workload["spec"]
    if workload.type.endswith(":CronJob"):
        return workload["spec.jobTemplate.spec.template.spec"]
    return workload[POD]


def containers(workload: Subject, holds: Callable[[Property], Truth], *, starting: bool = True) -> Truth:
    """Whether it holds for every container, of which there must be one. starting: also for those that come first."""
    pod = pod_of(workload)
    answers = [pod["containers"].present, pod["containers"].every(holds)]
    return every([*answers, pod["initContainers"].every(holds)] if starting else answers)


def either(container: Property, pod: Property, name: str, holds: Callable[[Property], Truth]) -> Truth:
    """Whether it holds for what a container says itself, else for what its pod says for all."""
    own = container["securityContext"][name]
    return holds(own) | (own.absent & holds(pod["securityContext"][name]))


def workload_with(container: Mapping[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    """The example of a Deployment with one container."""
    return {"spec": {"template": {"spec": {**pod, "containers": [{"name": "it", **(container or {})}]}}}}


def labels_of(workload: Subject) -> Property:
    """The labels of its pods."""
    if workload.type.endswith(":Pod"):
        return workload["metadata.labels"]
    return workload["spec.template.metadata.labels"]


def selects(selector: Property, labels: Property) -> Truth:
    """Whether a label selector matches labels; an empty one matches all, an absent one and match expressions none."""
    if selector["matchExpressions"].present.value is not False:
        return Truth(None, f"{selector.path}.matchExpressions is not understood")
    wanted = selector["matchLabels"]
    return ~selector.absent & every(~labels.key(name).unlike(wanted.key(name)) for name in wanted.keys)
