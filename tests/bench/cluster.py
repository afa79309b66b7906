"""What controllers and nodes do with a deployment's objects, as far as the engine waits for it: ready after a time.

The bench has an API server and neither controllers nor nodes: a hundred pods would take this machine's time, not a
cluster's. Each Deployment and Job is answered once its time has passed, scaled as Azure's times are; a Service's
endpoints are there at once, since nothing waits to be ready behind them.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

from local.instance import Instance
from local.kubernetes.node import secrets_store_objects
from local.plugins.kubernetes.cluster import ApiRefused, Cluster, Object
from local.plugins.kubernetes.settings import Settings

SECONDS = {"Deployment": 60.0, "Job": 60.0}
"""Image pulled, started and probed; migrated. Guesses: nothing of Azure's waits for them, so no figure shows them."""
_PAUSE = 0.2  # seconds between two looks
_MERGE = "application/merge-patch+json"


@contextlib.contextmanager
def answered(instance: Instance, factor: float) -> Iterator[None]:
    """Answers for controllers and nodes within. factor: by which times are scaled. Raises ApiRefused."""
    found = Cluster(Settings(yaml.safe_load(instance.kubeconfig.read_text()), None, "default"))
    for path, document in secrets_store_objects.objects():  # an add-on of AKS, which a node brings here
        _accepted(document["kind"], found.request("POST", path.rpartition("/")[0], {}, document))
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(_answer, found, factor, done)
        try:
            yield
        finally:
            done.set()
    answering.result()


def _answer(cluster: Cluster, factor: float, done: threading.Event) -> None:
    seen: dict[str, float] = {}
    while not done.wait(_PAUSE):
        for version, kind, status in (("apps/v1", "Deployment", rolled_out), ("batch/v1", "Job", complete)):
            for live in cluster.list(version, kind, None):
                first = seen.setdefault(live["metadata"]["uid"], time.monotonic())
                if not live.get("status") and time.monotonic() - first >= SECONDS[kind] * factor:
                    _write_status(cluster, version, kind, live, status)
        for live in cluster.list("v1", "Service", None):
            if live["metadata"]["uid"] not in seen and live["spec"].get("selector"):
                _endpoints(cluster, live)
                seen[live["metadata"]["uid"]] = time.monotonic()


def rolled_out(live: Object) -> Object:
    """Status of a Deployment whose pods are all of its revision, and available."""
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    wanted = live["spec"]["replicas"]
    return {"observedGeneration": live["metadata"]["generation"], **dict.fromkeys(names, wanted)}


def complete(live: Object) -> Object:
    """Status of a Job that ended well."""
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [
        {"type": each, "status": "True", "reason": "CompletionsReached", "lastTransitionTime": at}
        for each in ("SuccessCriteriaMet", "Complete")
    ]
    return {"startTime": at, "completionTime": at, "succeeded": 1, "conditions": conditions}


def _write_status(
    cluster: Cluster, version: str, kind: str, live: Object, status: Callable[[Object], dict[str, Any]]
) -> None:
    path = cluster.kind(version, kind).path(live["metadata"]["namespace"], live["metadata"]["name"])
    _accepted(kind, cluster.request("PATCH", f"{path}/status", {}, {"status": status(live)}, _MERGE))


def _endpoints(cluster: Cluster, service: Object) -> None:
    metadata = service["metadata"]
    labels = {"kubernetes.io/service-name": metadata["name"]}
    path = cluster.kind("discovery.k8s.io/v1", "EndpointSlice").path(metadata["namespace"])
    wanted = {"metadata": {"generateName": f"{metadata['name']}-", "labels": labels}, "addressType": "IPv4"}
    _accepted("EndpointSlice", cluster.request("POST", path, {}, {**wanted, "endpoints": []}))


def _accepted(kind: str, answer: tuple[int, Object]) -> None:
    if answer[0] not in (200, 201):
        raise ApiRefused(f"answering for a {kind}", *answer)
