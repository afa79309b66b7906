"""Watches over a running container: hooks, probes, and its end, wanted or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from local.kubernetes.node.client import Object
from local.kubernetes.node.probes import Outcome, watch
from local.kubernetes.node.runtime import Process

if TYPE_CHECKING:
    from local.kubernetes.node.container import Container

_POST_START_SECONDS = 600.0


class Supervision:
    """One attempt of a container, from running to ended."""

    def __init__(self, container: Container, process: Process) -> None:
        self.container, self.process = container, process
        self.ended: asyncio.Future[Any] = asyncio.ensure_future(process.wait())
        self.probes: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Returns when the process has ended; cancelled, it leaves it running."""
        try:
            if self.process.shim() is not None:
                self.container.is_running(self.process)
                await self._post_start()
                if "startupProbe" not in self.container.spec or self.container.started:
                    self.container.has_started()
                self.probes = [
                    asyncio.create_task(self._watch(kind))
                    for kind in ("startup", "readiness", "liveness")
                    if f"{kind}Probe" in self.container.spec
                ]
                await self._until_asked()
                if not self.ended.done():
                    self.container.is_ending()
                    await self._end()
            await self.ended
        finally:
            for each in (*self.probes, self.ended):
                each.cancel()
            self.container.is_ending()

    async def _until_asked(self) -> None:
        """Until it ends by itself or someone wants it ended."""
        container = self.container
        requests = [asyncio.create_task(each.wait()) for each in (container.stopping, container.kill_request)]
        try:
            await asyncio.wait({self.ended, *requests}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in requests:
                each.cancel()

    async def _post_start(self) -> None:
        hook = (self.container.spec.get("lifecycle") or {}).get("postStart")
        if hook is None or self.container.started:
            return
        outcome = await self._hook(hook, _POST_START_SECONDS)
        if not outcome.success and not self.ended.done():
            self.container.event("Warning", "FailedPostStartHook", f"PostStartHook failed: {outcome.message}")
            self.container.kill("failed postStart hook", 30)

    async def _hook(self, hook: Object, seconds: float) -> Outcome:
        if "sleep" in hook:
            await asyncio.wait({self.ended}, timeout=min(hook["sleep"]["seconds"], seconds))
            return Outcome(True, "")
        check = asyncio.ensure_future(self.container.checker.check(hook, seconds))
        await asyncio.wait({check, self.ended}, return_when=asyncio.FIRST_COMPLETED, timeout=seconds)
        if check.done():
            return check.result()
        check.cancel()
        return Outcome(False, "it did not end in time")

    async def _watch(self, kind: str) -> None:
        container, probe = self.container, self.container.spec[f"{kind}Probe"]
        passed = asyncio.Event()

        def report(outcome: Outcome, decisive: bool) -> None:
            if not outcome.success:
                container.event("Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {outcome.message}")
            if not decisive:
                return
            if kind == "readiness":
                container.is_ready(outcome.success)
            elif not outcome.success:
                default = container.pod.spec.get("terminationGracePeriodSeconds", 30)
                container.kill(f"failed {kind} probe", probe.get("terminationGracePeriodSeconds", default))
            elif kind == "startup":
                passed.set()

        if kind != "startup":
            await container.startup.wait()
        elif container.started:
            return
        watching = asyncio.create_task(watch(container.checker, probe, report))
        try:
            if kind == "startup":
                await passed.wait()
                container.has_started()
            else:
                await watching
        finally:
            watching.cancel()

    async def _end(self) -> None:
        """preStop hook, SIGTERM, SIGKILL when the grace period is over; it may be shortened meanwhile."""
        container, loop = self.container, asyncio.get_running_loop()
        begin = loop.time()

        def remaining() -> float:
            grace = container.stop_grace if container.stopping.is_set() else container.kill_grace
            return grace - (loop.time() - begin)

        hook = (container.spec.get("lifecycle") or {}).get("preStop")
        if hook is not None and remaining() > 0:
            outcome = await self._hook(hook, remaining())
            if not outcome.success:
                container.event("Warning", "FailedPreStopHook", f"PreStopHook failed: {outcome.message}")
        self.process.terminate()
        while not self.ended.done() and remaining() > 0:
            await asyncio.wait({self.ended}, timeout=min(remaining(), 0.5))
        if not self.ended.done():
            await self.process.kill()
