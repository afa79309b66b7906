"""The life of one container of a pod: image, start, probes, end, restart with back-off."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import shutil
from collections.abc import Awaitable
from typing import Any, TypeVar

from local.kubernetes.node import runtime
from local.kubernetes.node.client import UNREACHABLE, ApiError, Object
from local.kubernetes.node.context import Pod
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.events import timestamp
from local.kubernetes.node.images import Image
from local.kubernetes.node.logs import tail
from local.kubernetes.node.probes import Checker
from local.kubernetes.node.registry import PullError
from local.kubernetes.node.runtime import Process, StartError
from local.kubernetes.node.specification import specification
from local.kubernetes.node.supervision import Supervision

T = TypeVar("T")
BACK_OFF_SECONDS = (10.0, 300.0)
STABLE_SECONDS = 600.0
_KEPT_ATTEMPTS = 2
_MESSAGE_BYTES = 4096


class Stopped(Exception):
    """The pod is being ended, so nothing is started any more."""


class Container:
    """One container; ``run`` drives it until it ends for good.

    policy: "Always", "OnFailure" or "Never".
    """

    def __init__(self, pod: Pod, spec: Object, policy: str) -> None:
        self.pod, self.spec, self.policy = pod, spec, policy
        self.name: str = spec["name"]
        self.state: Object = {"waiting": {"reason": "ContainerCreating"}}
        self.last_state: Object = {}
        self.restarts = 0
        self.ready = False
        self.startup = asyncio.Event()
        self.image: Image | None = None
        self.process: Process | None = None
        self.exit_code: int | None = None
        self.finished = False
        self.out_of_memory = False
        self.stopping = asyncio.Event()
        self.stop_grace = 30.0
        self.kill_request = asyncio.Event()
        self.kill_grace = 30.0
        self.delay = 0.0
        ports = {each["name"]: each["containerPort"] for each in spec.get("ports") or () if each.get("name")}
        self.checker = Checker(pod.ip, ports, lambda: self.process)

    @property
    def started(self) -> bool:
        """Whether it runs and its startup probe, if any, has succeeded."""
        return self.startup.is_set()

    async def until_started(self, life: asyncio.Task[int]) -> None:
        """Wait for the startup probe, or for the end of its ``run``."""
        waiting = asyncio.create_task(self.startup.wait())
        await asyncio.wait({waiting, life}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    # Attempts on disk -------------------------------------------------------------------------------------------

    def attempt(self, number: int) -> Process:
        """The attempt after this many restarts."""
        return Process(self.pod.folder / "containers" / self.name / str(number))

    def attempts(self) -> list[int]:
        """Numbers of the attempts whose folders are kept."""
        folder = self.pod.folder / "containers" / self.name
        return sorted(int(each.name) for each in folder.glob("*") if each.name.isdigit()) if folder.exists() else []

    def recall(self, status: Object | None) -> None:
        """Take up what an earlier agent left: restarts, the last end, and from the API the probes' results."""
        numbers = self.attempts()
        if status:
            self.restarts = int(status.get("restartCount", 0))
        if not numbers:
            return
        self.restarts = numbers[-1]
        self.process = self.attempt(numbers[-1])
        if len(numbers) > 1:
            self.last_state = {"terminated": self._terminated(self.attempt(numbers[-2]))}
        running = self.process.shim() is not None
        if running and status and status.get("containerID") == self.identifier():
            self.ready = bool(status.get("ready"))
            if status.get("started"):
                self.startup.set()
        if running:
            with contextlib.suppress(PullError):
                self.image = self.pod.node.images.present(self.spec["image"])
            self.state = {"running": {"startedAt": _seconds(self.process.started())}}
        else:
            ended = self._terminated(self.process)
            self.state, self.exit_code = {"terminated": ended}, ended["exitCode"]

    def identifier(self) -> str:
        """What the status calls containerID."""
        return f"process://{self.pod.uid}/{self.name}/{self.restarts}"

    # Life -------------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Until it ends and is not restarted; its exit code."""
        process = self.process
        if process is None:
            process = await self._start()
        while True:
            if process is not None:
                self.exit_code = await self._supervise(process)
            if self.stopping.is_set() or not self._restarted(self.exit_code):
                return 137 if self.exit_code is None else self.exit_code
            if process is not None:
                self.last_state = self.state
            await self._back_off()
            if process is not None and not self.stopping.is_set():
                self.restarts += 1
            process = await self._start()

    def _restarted(self, code: int | None) -> bool:
        return self.policy == "Always" or (self.policy == "OnFailure" and code != 0) or code is None

    async def _start(self) -> Process | None:
        """Start an attempt; None when it is being stopped or could not even be tried."""
        try:
            image = await self._unless_stopping(self._image())
            self.image = image
            folder = self.attempt(self.restarts).folder
            spec = await self._unless_stopping(self._specification(image, folder))
        except Stopped:
            return None
        self.pod.event("Normal", "Created", f"Created container: {self.name}", self.name)
        try:
            process = await runtime.start(folder, spec)
        except StartError as problem:
            self.pod.event("Warning", "Failed", f"Error: {problem}", self.name)
            self.out_of_memory = False
            if self.attempt(self.restarts).started():
                return self.attempt(self.restarts)
            self._wait("RunContainerError", str(problem))
            self.exit_code = None
            return None
        self.pod.event("Normal", "Started", f"Started container {self.name}", self.name)
        return process

    async def _image(self) -> Image:
        reference, images = self.spec["image"], self.pod.node.images
        policy = self.spec.get("imagePullPolicy", "IfNotPresent")
        delay = BACK_OFF_SECONDS[0]
        while True:
            try:
                known = images.present(reference)
                if known is not None and policy != "Always":
                    self.event("Normal", "Pulled", f'Container image "{reference}" already present on machine')
                    return known
                if policy == "Never":
                    message = f'Container image "{reference}" is not present with pull policy of Never'
                    raise PullError("ErrImageNeverPull", message)
                self.event("Normal", "Pulling", f'Pulling image "{reference}"')
                image = await images.pull(reference)
                self.event("Normal", "Pulled", f'Successfully pulled image "{reference}" as {image.digest}')
                return image
            except PullError as problem:
                self.event("Warning", "Failed", f'Failed to pull image "{reference}": {problem.message}')
                self.event("Warning", "Failed", f"Error: {problem.reason}")
                self._wait(problem.reason, problem.message)
            await asyncio.sleep(1)
            if self.state["waiting"]["reason"] == "ErrImagePull":
                self.event("Normal", "BackOff", f'Back-off pulling image "{reference}"')
                self._wait(
                    "ImagePullBackOff", f'Back-off pulling image "{reference}": {self.state["waiting"]["message"]}'
                )
            await asyncio.sleep(delay)
            delay = min(delay * 2, BACK_OFF_SECONDS[1])

    async def _specification(self, image: Image, folder: Any) -> dict[str, Any]:
        delay = 0.5
        while True:
            try:
                return await specification(self.pod, self.spec, image, folder)
            except ConfigError as problem:
                self.event("Warning", "Failed", f"Error: {problem}")
                self._wait("CreateContainerConfigError", str(problem))
            except (ApiError, *UNREACHABLE) as problem:
                self._wait("CreateContainerConfigError", f"{type(problem).__name__}: {problem}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10)

    async def _supervise(self, process: Process) -> int:
        """From running to the record of its end."""
        self.process = process
        self.out_of_memory = False
        self.kill_request.clear()
        await Supervision(self, process).run()
        terminated = self._terminated(process)
        self.state = {"terminated": terminated}
        if _lifetime(terminated) >= STABLE_SECONDS:
            self.delay = 0.0
        self._forget_old()
        self.pod.changed()
        return int(terminated["exitCode"])

    # What its supervision reports -------------------------------------------------------------------------------

    def is_running(self, process: Process) -> None:
        """Its process was started, or found again."""
        self.state = {"running": {"startedAt": _seconds(process.started())}}
        self.pod.changed()

    def has_started(self) -> None:
        """The startup probe succeeded, or there is none."""
        self.startup.set()
        self.ready = self.ready or "readinessProbe" not in self.spec
        self.pod.changed()

    def is_ready(self, ready: bool) -> None:
        """The readiness probe decided."""
        if self.ready != ready:
            self.ready = ready
            self.pod.changed()

    def is_ending(self) -> None:
        """It gets no traffic any more."""
        self.startup.clear()
        self.ready = False
        self.pod.changed()

    # Ending -----------------------------------------------------------------------------------------------------

    def kill(self, why: str, grace: float) -> None:
        """Have the running attempt ended; the restart policy decides what follows."""
        if not self.kill_request.is_set():
            self.event("Normal", "Killing", f"Container {self.name} {why}, will be restarted")
            self.kill_grace = grace
            self.kill_request.set()

    def stop(self, grace: float) -> None:
        """Have it ended for good within a grace period in seconds; may be called again to shorten it."""
        if not self.stopping.is_set() and "running" in self.state:
            self.event("Normal", "Killing", f"Stopping container {self.name}")
        self.stop_grace = min(self.stop_grace, grace) if self.stopping.is_set() else grace
        self.stopping.set()

    def _terminated(self, process: Process) -> Object:
        record = process.ended()
        found = {"exitCode": record["exitCode"], "reason": record["reason"], "containerID": self.identifier()}
        if record["signal"] and record["exitCode"] == 137 and self.out_of_memory:
            found["reason"] = "OOMKilled"
        found["startedAt"] = _seconds(record["startedAt"]) or None
        found["finishedAt"] = _seconds(record["finishedAt"]) or timestamp()
        message = record["message"] or self._last_words(process, record["exitCode"])
        return found | ({"message": message} if message else {})

    def _last_words(self, process: Process, code: int) -> str:
        try:
            written = process.folder.with_name(f"{process.folder.name}.message").read_bytes()[:_MESSAGE_BYTES]
        except OSError:
            written = b""
        if not written and code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            return tail(process.log, 80)[-2048:]
        return written.decode(errors="replace")

    # Details ----------------------------------------------------------------------------------------------------

    async def _back_off(self) -> None:
        """The first restart is immediate, then 10 s, doubling to 5 min."""
        if self.delay:
            identity = f"{self.name} in pod {self.pod.name}"
            self.event("Warning", "BackOff", f"Back-off restarting failed container {identity}")
            message = f"back-off {self.delay:g}s restarting failed container={self.name} pod={self.pod.name}"
            self._wait("CrashLoopBackOff", message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), self.delay)
        self.delay = min(self.delay * 2, BACK_OFF_SECONDS[1]) or BACK_OFF_SECONDS[0]

    async def _unless_stopping(self, work: Awaitable[T]) -> T:
        """Do something that may be broken off. Raises Stopped when the pod is being ended."""
        task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            task.cancel()
            stopping.cancel()

    def _wait(self, reason: str, message: str) -> None:
        self.state = {"waiting": {"reason": reason, "message": message}}
        self.pod.changed()

    def event(self, kind: str, reason: str, message: str) -> None:
        """Report an event on it."""
        self.pod.event(kind, reason, message, self.name)

    def _forget_old(self) -> None:
        for number in self.attempts()[:-_KEPT_ATTEMPTS]:
            shutil.rmtree(self.attempt(number).folder, ignore_errors=True)


def _seconds(time: str | None) -> str:
    """RFC 3339 with whole seconds, as metav1.Time has it."""
    return f"{time[:19]}Z" if time else ""


def _lifetime(terminated: Object) -> float:
    if not terminated["startedAt"]:
        return 0.0
    begin, end = (datetime.datetime.fromisoformat(terminated[key][:19]) for key in ("startedAt", "finishedAt"))
    return (end - begin).total_seconds()
