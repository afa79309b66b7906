"""A pod's status as a kubelet computes it from its containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local.kubernetes.node.client import Object
from local.kubernetes.node.container import Container
from local.kubernetes.node.events import timestamp


@dataclass(frozen=True)
class Verdict:
    """What holds for the whole pod, whatever its containers are: a refusal, a missed deadline.

    phase: "Pending" (refused) or "Failed".
    """

    phase: str
    reason: str
    message: str


def compute(
    pod: Object,
    ip: str,
    init: Sequence[Container],
    containers: Sequence[Container],
    *,
    verdict: Verdict | None,
    prepared: bool,
) -> Object:
    """The ``status`` to write.

    prepared: whether volumes are there, so that containers can be started.
    """
    before = pod.get("status") or {}
    initialised = all(_passed(each) for each in init)
    phase = verdict.phase if verdict else _phase(init, containers, initialised=initialised)
    over = phase in ("Succeeded", "Failed")
    ready = not over and initialised and all(each.ready for each in containers)
    ready = ready and all(each.ready for each in init if each.policy == "Always")
    gates = {each["conditionType"] for each in pod["spec"].get("readinessGates") or ()}
    fulfilled = {each["type"] for each in before.get("conditions") or () if each["status"] == "True"}
    why = "PodCompleted" if over else "ContainersNotReady"
    unready = [each.name for each in containers if not each.ready]
    message = "" if over else f"containers with unready status: [{' '.join(unready)}]"
    passed = phase == "Succeeded" or initialised
    conditions = [
        _condition(before, "PodReadyToStartContainers", prepared and not over, "", ""),
        _condition(before, "Initialized", passed, "ContainersNotInitialized", "waiting for init containers"),
        _condition(before, "ContainersReady", ready, why, message),
        _condition(before, "Ready", ready and gates <= fulfilled, "ReadinessGatesNotReady" if ready else why, message),
    ]
    return {
        "phase": phase,
        "reason": verdict.reason if verdict else None,
        "message": verdict.message if verdict else None,
        "observedGeneration": pod["metadata"].get("generation"),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": before.get("startTime") or timestamp(),
        "qosClass": before.get("qosClass"),
        "conditions": conditions,
        "initContainerStatuses": [container_status(each) for each in init],
        "containerStatuses": [container_status(each) for each in containers],
    }


def container_status(container: Container) -> Object:
    """One entry of containerStatuses."""
    image = container.image
    status: Object = {
        "name": container.name,
        "image": container.spec["image"],
        "imageID": image.id if image else "",
        "ready": container.ready
        if container.policy == "Always" or "running" in container.state
        else _passed(container),
        "started": container.started,
        "restartCount": container.restarts,
        "state": container.state,
        "lastState": container.last_state,
    }
    if container.process is not None:
        status["containerID"] = container.identifier()
    return status


def _passed(container: Container) -> bool:
    """Whether an init container lets the pod go on: it ended well, or it is a sidecar that has started."""
    if container.policy == "Always":
        return container.started
    return container.state.get("terminated", {}).get("exitCode") == 0


def _phase(init: Sequence[Container], containers: Sequence[Container], *, initialised: bool) -> str:
    if any(each.finished and not _passed(each) and each.policy != "Always" for each in init):
        return "Failed"
    if all(each.finished for each in containers):
        return "Succeeded" if all(each.exit_code == 0 for each in containers) else "Failed"
    if not initialised and not any("running" in each.state for each in containers):
        return "Pending"
    begun = any("running" in each.state or each.restarts or each.last_state or each.finished for each in containers)
    return "Running" if begun else "Pending"


def _condition(before: Object, kind: str, holds: bool, reason: str, message: str) -> Object:
    status = "True" if holds else "False"
    known = next((each for each in before.get("conditions") or () if each["type"] == kind), None)
    same = known is not None and known["status"] == status
    return {
        "type": kind,
        "status": status,
        "reason": None if holds else reason or None,
        "message": None if holds else message or None,
        "lastTransitionTime": known["lastTransitionTime"] if known and same else timestamp(),
    }
