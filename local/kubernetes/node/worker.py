"""The life of one pod on this node: volumes, init containers, containers, status, deletion."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import logging
import shutil
from typing import Any

from local.kubernetes.node import admission, security
from local.kubernetes.node.client import UNREACHABLE, ApiError, Object
from local.kubernetes.node.container import Container
from local.kubernetes.node.context import Node, Pod
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.environment import Environment
from local.kubernetes.node.events import timestamp
from local.kubernetes.node.status import Verdict, compute
from local.kubernetes.node.volumes import Volumes

_log = logging.getLogger(__name__)
REFRESH_SECONDS = 15


class Worker:
    """Drives one pod; ``run`` ends when nothing of it is left.

    ip: the pod's address as Kubernetes knows it.
    """

    def __init__(self, node: Node, pod: Object, ip: str) -> None:
        self.node = node
        owner = security.owner(pod, switches=security.is_root() and node.namespaces)
        folder = node.files.pods / pod["metadata"]["uid"]
        volumes = Volumes(folder / "volumes", node.sources, node.vaults, pod, ip, owner, node.allocatable)
        environment = Environment(node.sources, pod, ip, node.allocatable)
        self.pod = Pod(node, pod, ip, volumes, environment, self._changed)
        policy = pod["spec"].get("restartPolicy", "Always")
        once = "Never" if policy == "Never" else "OnFailure"
        self.init = [
            Container(self.pod, each, each.get("restartPolicy") or once)
            for each in pod["spec"].get("initContainers") or ()
        ]
        self.containers = [Container(self.pod, each, policy) for each in pod["spec"]["containers"]]
        self.verdict: Verdict | None = None
        self.prepared = False
        self.dirty = asyncio.Event()
        self.ending = asyncio.Event()
        self.gone = self.debugged = False
        self.shutdown = False
        self.running: dict[str, asyncio.Task[int]] = {}

    @property
    def every(self) -> list[Container]:
        """Init containers, then containers."""
        return [*self.init, *self.containers]

    # What the agent tells it ------------------------------------------------------------------------------------

    def update(self, pod: Object) -> None:
        """A new version of the object; a deletion begins, or its grace period is shortened."""
        self.pod.object = self.pod.volumes.pod = self.pod.environment.pod = pod
        if pod["spec"].get("ephemeralContainers") and not self.debugged:
            self.debugged = True
            self.pod.event("Warning", "NotSupported", "ephemeral containers are not supported by this node")
        if "deletionTimestamp" in pod["metadata"]:
            self.end(float(pod["metadata"].get("deletionGracePeriodSeconds", 30)))

    def vanish(self) -> None:
        """The object is gone: end at once, report nothing."""
        self.gone = True
        self.end(0.0)

    def end(self, grace: float) -> None:
        """End every container within a grace period in seconds."""
        for container in self.every:
            container.stop(grace)
        self.ending.set()

    # Life -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """From whatever an earlier agent left until the pod is deleted."""
        self._recall()
        publisher = asyncio.create_task(self._publish())
        refresher = asyncio.create_task(self._refresh())
        deadline = asyncio.create_task(self._deadline())
        try:
            await self._live()
            self._changed()
            await self.ending.wait()
            if self.shutdown:
                return
            if not self.gone:
                publisher.cancel()
                await self._finish()
            await self._remove()
        finally:
            for task in (publisher, refresher, deadline, *self.running.values()):
                task.cancel()

    def _recall(self) -> None:
        (self.pod.folder / "containers").mkdir(parents=True, exist_ok=True)
        record = {"ip": self.pod.ip, "name": self.pod.name}
        (self.pod.folder / "pod.json").write_text(json.dumps(record))
        status = self.pod.object.get("status") or {}
        known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        for container in self.every:
            container.recall(next((each for each in known if each["name"] == container.name), None))
        self.over = status.get("phase") in ("Succeeded", "Failed")
        if self.over:
            for container in self.every:
                container.finished = True
            if status.get("reason"):
                self.verdict = Verdict(status["phase"], status["reason"], status.get("message", ""))
        for container in self.init:
            container.finished = container.state.get("terminated", {}).get("exitCode") == 0

    async def _live(self) -> None:
        """Until every container has ended for good."""
        if self.over or self.ending.is_set():
            await self._stop_leftovers()
            return
        refused = admission.refusals(self.pod.object)
        if refused:
            self._refuse("not supported by this node: " + "; ".join(refused))
            return
        self._warn_of_weaknesses()
        if not await self._prepare():
            return
        self.prepared = True
        self._changed()
        if not await self._initialise():
            return
        for container in self.containers:
            self._start(container)
        await asyncio.gather(*(self.running[each.name] for each in self.containers))
        for container in self.init:
            container.stop(float(self.pod.spec.get("terminationGracePeriodSeconds", 30)))
        await asyncio.gather(*self.running.values())

    def _start(self, container: Container) -> None:
        async def run() -> int:
            code = await container.run()
            container.finished = True
            self._changed()
            return code

        self.running[container.name] = asyncio.create_task(run())

    async def _initialise(self) -> bool:
        """Init containers in order; a sidecar (restartPolicy Always) need only have started."""
        for container in self.init:
            if container.finished and container.policy != "Always":
                continue
            self._start(container)
            task = self.running[container.name]
            if container.policy == "Always":
                await container.until_started(task)
                continue
            code = await task
            if self.ending.is_set():
                return False
            if code != 0:
                for other in self.containers:
                    other.finished = True
                    other.state = {"waiting": {"reason": "PodInitializing"}}
                return False
        return not self.ending.is_set()

    def _refuse(self, message: str) -> None:
        """Not Failed: a ReplicaSet would replace it at once, for ever. So it waits, and says why."""
        self.verdict = Verdict("Pending", "NotSupported", message)
        for container in self.every:
            container.state = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
        self.pod.event("Warning", "NotSupported", message)
        self._changed()

    def _warn_of_weaknesses(self) -> None:
        if not self.node.namespaces:
            message = (
                "this machine grants no mount namespace: containers see the machine's files, runAsUser and "
                "readOnlyRootFilesystem are not enforced, mount paths are replaced in command and env only"
            )
            self.pod.event("Warning", "NotIsolated", message)

    async def _prepare(self) -> bool:
        """Volumes; False when the pod is ended meanwhile."""
        delay = 0.2
        while not self.ending.is_set():
            try:
                await self.pod.volumes.refresh()
                return True
            except ConfigError as problem:
                self.pod.event("Warning", "FailedMount", f"MountVolume.SetUp failed: {problem}")
            except (ApiError, *UNREACHABLE) as problem:
                self.pod.event(
                    "Warning", "FailedMount", f"MountVolume.SetUp failed: {type(problem).__name__}: {problem}"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), delay)
            delay = min(delay * 2, 5)
        return False

    async def _refresh(self) -> None:
        """ConfigMaps and Secrets that changed, tokens that are about to expire."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            if self.prepared and not self.ending.is_set():
                try:
                    await self.pod.volumes.refresh()
                except (ConfigError, ApiError, *UNREACHABLE) as problem:
                    _log.warning("volumes of %s: %s", self.pod.name, problem)

    async def _deadline(self) -> None:
        seconds = self.pod.spec.get("activeDeadlineSeconds")
        if seconds is None or self.over:
            return
        begun = (self.pod.object.get("status") or {}).get("startTime") or timestamp()
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(begun.replace("Z", "+00:00"))
        await asyncio.sleep(max(seconds - age.total_seconds(), 0))
        message = "Pod was active on the node longer than the specified deadline"
        self.verdict = Verdict("Failed", "DeadlineExceeded", message)
        self.pod.event("Normal", "DeadlineExceeded", message)
        for container in self.every:
            container.stop(float(self.pod.spec.get("terminationGracePeriodSeconds", 30)))

    # Status and deletion ----------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self.dirty.set()

    async def _publish(self) -> None:
        """Write the status whenever something of it changed, until it is accepted."""
        while True:
            await self.dirty.wait()
            await asyncio.sleep(0.01)  # changes come in flocks
            self.dirty.clear()
            if not await self._write():
                self.dirty.set()
                await asyncio.sleep(1)

    async def _write(self) -> bool:
        metadata = self.pod.object["metadata"]
        status = compute(
            self.pod.object, self.pod.ip, self.init, self.containers, verdict=self.verdict, prepared=self.prepared
        )
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        try:
            # The UID is the precondition: a new pod of the same name must not get this one's status.
            written = await self.node.api.call("PATCH", path, {"metadata": {"uid": metadata["uid"]}, "status": status})
        except ApiError as refusal:
            if refusal.status in (404, 409):
                return True
            _log.warning("status of %s: %s", self.pod.name, refusal)
            return refusal.status == 422
        except UNREACHABLE as problem:
            _log.warning("status of %s: %s", self.pod.name, problem)
            return False
        self.pod.object["status"] = written["status"]
        return True

    async def _finish(self) -> None:
        """The last status, then the deletion that the API server waits for."""
        metadata = self.pod.object["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        while not self.gone:
            options: dict[str, Any] = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
            with contextlib.suppress(ApiError):
                if await self._write():
                    try:
                        await self.node.api.call("DELETE", path, options)
                        return
                    except UNREACHABLE as problem:
                        _log.warning("deleting %s: %s", self.pod.name, problem)
                    except ApiError as refusal:
                        if refusal.status in (404, 409):
                            return
                        _log.warning("deleting %s: %s", self.pod.name, refusal)
            await asyncio.sleep(1)

    async def _stop_leftovers(self) -> None:
        for container in self.every:
            for number in container.attempts():
                await container.attempt(number).kill()

    async def _remove(self) -> None:
        await self._stop_leftovers()
        await asyncio.to_thread(shutil.rmtree, self.pod.folder, True)
