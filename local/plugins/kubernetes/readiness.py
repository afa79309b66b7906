"""When an object is ready, as the official provider waits for it (pulumi-kubernetes, await), one function a kind.

Each answers with what is still missing, "" when nothing is, and raises NeverReady when waiting is of no use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.plugins.kubernetes.cluster import Cluster, Object

Check = Callable[[Cluster, Object], str]


class NeverReady(Exception):
    """The object has failed for good."""


def check_of(api_version: str, kind: str) -> Check | None:
    """The check of a kind; None where there is nothing to wait for."""
    group = api_version.rpartition("/")[0] or "core"
    return _CHECKS.get(f"{group}/{kind}")


def _status(live: Object) -> Object:
    return live.get("status") or {}


def _spec(live: Object) -> Object:
    return live.get("spec") or {}


def _condition(live: Object, name: str) -> Object:
    return next((each for each in _status(live).get("conditions") or [] if each.get("type") == name), {})


def _observed(live: Object) -> bool:
    return int(_status(live).get("observedGeneration") or 0) >= int(live["metadata"].get("generation") or 0)


def deployment(cluster: Cluster, live: Object) -> str:
    """Rolled out: every replica is of this revision and available, and the old ones are gone."""
    if not _observed(live):
        return "waiting for the deployment controller"
    progress = _condition(live, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        raise NeverReady(progress.get("message") or "the progress deadline was exceeded")
    failure = _condition(live, "ReplicaFailure")
    status, wanted = _status(live), int(_spec(live).get("replicas", 1))
    updated, available = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    if _spec(live).get("paused"):
        return ""
    if updated < wanted:
        why = f" ({failure['message']})" if failure.get("status") == "True" else ""
        return f"{updated} of {wanted} replicas updated{why}"
    if int(status.get("replicas") or 0) > updated:
        return f"{int(status['replicas']) - updated} old replicas to end"
    return f"{available} of {updated} replicas available" if available < updated else ""


def stateful_set(cluster: Cluster, live: Object) -> str:
    """Every replica is ready and of the current revision."""
    if not _observed(live):
        return "waiting for the StatefulSet controller"
    status, wanted = _status(live), int(_spec(live).get("replicas", 1))
    ready = int(status.get("readyReplicas") or 0)
    if ready < wanted:
        return f"{ready} of {wanted} replicas ready"
    by_hand = (_spec(live).get("updateStrategy") or {}).get("type") == "OnDelete"
    if not by_hand and status.get("updateRevision") != status.get("currentRevision"):
        return f"{int(status.get('updatedReplicas') or 0)} of {wanted} replicas updated"
    return ""


def daemon_set(cluster: Cluster, live: Object) -> str:
    """Every node that should run it does, at this revision."""
    if not _observed(live):
        return "waiting for the DaemonSet controller"
    status = _status(live)
    wanted = int(status.get("desiredNumberScheduled") or 0)
    for field, word in (("updatedNumberScheduled", "updated"), ("numberAvailable", "available")):
        if (_spec(live).get("updateStrategy") or {}).get("type") == "OnDelete" and word == "updated":
            continue
        if int(status.get(field) or 0) < wanted:
            return f"{int(status.get(field) or 0)} of {wanted} pods {word}"
    return ""


def job(cluster: Cluster, live: Object) -> str:
    """Complete. Raises NeverReady when it failed."""
    if _condition(live, "Complete").get("status") == "True" or _spec(live).get("suspend"):
        return ""
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        raise NeverReady(f"{failed.get('reason', 'Failed')}: {failed.get('message', 'the job failed')}")
    status = _status(live)
    return f"{int(status.get('active') or 0)} pods running, {int(status.get('failed') or 0)} failed"


def pod(cluster: Cluster, live: Object) -> str:
    """Ready, or ended well. Raises NeverReady when it failed."""
    phase = _status(live).get("phase")
    if phase == "Succeeded" or _condition(live, "Ready").get("status") == "True":
        return ""
    if phase == "Failed":
        raise NeverReady(_status(live).get("message") or "the pod failed")
    return f"pod is {str(phase or 'unknown').lower()}"


def service(cluster: Cluster, live: Object) -> str:
    """Its endpoints are there, and none is waiting to be ready; a load balancer has an address.

    As with the official provider, a selector that selects nothing is fine.
    """
    spec, metadata = _spec(live), live["metadata"]
    if spec.get("type") == "LoadBalancer" and not (_status(live).get("loadBalancer") or {}).get("ingress"):
        return "waiting for the load balancer's address"
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
        return ""
    label = f"kubernetes.io/service-name={metadata['name']}"
    slices = cluster.list("discovery.k8s.io/v1", "EndpointSlice", metadata.get("namespace"), labelSelector=label)
    if not slices:
        return "waiting for endpoints"
    states = [each.get("conditions") or {} for found in slices for each in found.get("endpoints") or []]
    waiting = sum(each.get("ready") is False and not each.get("terminating") for each in states)
    return f"{waiting} of {len(states)} endpoints not ready" if waiting else ""


def volume_claim(cluster: Cluster, live: Object) -> str:
    """Bound, or left to the first pod that uses it."""
    if _status(live).get("phase") == "Bound":
        return ""
    name = _spec(live).get("storageClassName")
    if name:
        found = cluster.get(cluster.kind("storage.k8s.io/v1", "StorageClass"), None, name)
        if found and found.get("volumeBindingMode") == "WaitForFirstConsumer":
            return ""
    return "waiting for a volume"


def namespace(cluster: Cluster, live: Object) -> str:
    """Active."""
    return "" if _status(live).get("phase") == "Active" else "waiting for the namespace to be active"


def definition(cluster: Cluster, live: Object) -> str:
    """Established: objects of the new kind can be made."""
    return "" if _condition(live, "Established").get("status") == "True" else "waiting to be established"


_CHECKS: dict[str, Check] = {
    "apiextensions.k8s.io/CustomResourceDefinition": definition,
    "apps/DaemonSet": daemon_set,
    "apps/Deployment": deployment,
    "apps/StatefulSet": stateful_set,
    "batch/Job": job,
    "core/Namespace": namespace,
    "core/PersistentVolumeClaim": volume_claim,
    "core/Pod": pod,
    "core/Service": service,
}


def reasons(cluster: Cluster, live: Object) -> list[str]:
    """Why an object's pods are not ready: their containers' states and the latest warnings."""
    if live.get("kind") == "Pod":
        pods = [live]
    else:
        labels = (_spec(live).get("selector") or {}).get("matchLabels") or {}
        if not labels or live.get("kind") == "Service":
            return []
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = cluster.list("v1", "Pod", live["metadata"].get("namespace"), labelSelector=selector)
    found: list[str] = []
    for each in pods:
        found += [f"pod {each['metadata']['name']}: {reason}" for reason in _pod_reasons(cluster, each)]
    return found[:12]


def _pod_reasons(cluster: Cluster, live: Object) -> list[str]:
    found = []
    scheduled = _condition(live, "PodScheduled")
    if scheduled.get("status") == "False":
        found.append(f"not scheduled: {scheduled.get('message') or scheduled.get('reason')}")
    statuses: list[Any] = [
        *(_status(live).get("initContainerStatuses") or []),
        *(_status(live).get("containerStatuses") or []),
    ]
    for status in statuses:
        state = status.get("state") or {}
        for word in ("waiting", "terminated"):
            detail = state.get(word) or {}
            if detail and detail.get("exitCode") != 0:
                code = f" with exit code {detail['exitCode']}" if "exitCode" in detail else ""
                text = f": {detail['message']}" if detail.get("message") else ""
                found.append(f"container {status.get('name')} {word}{code}: {detail.get('reason')}{text}")
        ended = (status.get("lastState") or {}).get("terminated") or {}
        if ended.get("exitCode") and not state.get("terminated"):
            found.append(f"container {status.get('name')} ended before with exit code {ended['exitCode']}")
        elif state.get("running") and status.get("ready") is False:
            found.append(f"container {status.get('name')} runs, but is not ready")
    selector = f"involvedObject.uid={live['metadata'].get('uid')},type=Warning"
    events = cluster.list("v1", "Event", live["metadata"].get("namespace"), fieldSelector=selector)
    latest = sorted(events, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))[-2:]
    return found + [f"{each.get('reason')}: {each.get('message')}" for each in latest]
