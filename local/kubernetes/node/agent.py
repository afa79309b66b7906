"""The node agent as a whole: what it starts, what it watches, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from local.instance import Instance
from local.kubernetes.files import NODE_NAME, Files
from local.kubernetes.network import PodAddresses, loopback
from local.kubernetes.node import bootstrap, memory, runtime
from local.kubernetes.node.client import UNREACHABLE, Api, ApiError, Cache, Object
from local.kubernetes.node.context import Node
from local.kubernetes.node.events import Recorder
from local.kubernetes.node.forwarding import Forwarder
from local.kubernetes.node.images import Images
from local.kubernetes.node.registration import Registration
from local.kubernetes.node.runtime import Process, StartError
from local.kubernetes.node.sandbox import SYSTEM
from local.kubernetes.node.secrets_store import SecretsStore
from local.kubernetes.node.server import Server
from local.kubernetes.node.sources import Sources
from local.kubernetes.node.worker import Worker
from local.kubernetes.webhook import Webhook

_log = logging.getLogger(__name__)
SHUTDOWN_SECONDS = 5.0
RETRY_SECONDS = 5.0


class Agent:
    """One node."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.files = instance, Files.of(instance)
        self.api = Api(self.files.kubeconfig("kubelet"), "kubelet/v1.34.2")
        self.proxy = Api(self.files.kubeconfig("kube-proxy"), "kube-proxy/v1.34.2")
        self.workers: dict[str, Worker] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.working: set[asyncio.Task[None]] = set()
        self.addresses = PodAddresses(instance)
        self.ready = False
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Until SIGTERM or SIGINT; then ends the pods' processes. Killed otherwise, it leaves them running."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        await self.api.open()
        await self.proxy.open()
        webhook = Webhook(self.instance, Api(self.files.kubeconfig("webhook"), "workload-identity-webhook"))
        services = Cache(self.proxy, "/api/v1/services", lambda item, gone: forwarder.service(item, gone))
        registration = Registration(self.instance, self.api)
        self.recorder = Recorder(self.api)
        self.forwarder = forwarder = Forwarder(self.recorder)
        slices = Cache(self.proxy, "/apis/discovery.k8s.io/v1/endpointslices", forwarder.slice)
        namespaces = await supports_namespaces(self.files)
        _log.info("containers run %s", "in namespaces of their own" if namespaces else "without namespaces")
        sources = Sources(self.api)
        self.node = Node(
            self.instance, self.api, self.recorder, Images(self.instance), sources,
            SecretsStore(self.instance, sources), services, registration.capacity(), namespaces, exposed(),
        )  # fmt: skip
        pods = Cache(self.api, "/api/v1/pods", self._pod, fieldSelector=f"spec.nodeName={NODE_NAME}")
        server = Server(self.instance, lambda: self.workers, lambda: self.ready)
        await webhook.start()
        await server.start()
        await self._until_done(self._bootstrap)
        await self._until_done(registration.register)
        for work in (services.run(), slices.run(), registration.run(), memory.enforce(lambda: self.workers)):
            self._spawn(work)
        await services.synchronised.wait()
        self._spawn(pods.run())
        await pods.synchronised.wait()
        await self._reap_orphans(set(pods.objects))
        self.ready = True
        await self.stopping.wait()
        await self._shut_down()
        await forwarder.close()
        await server.close()
        await webhook.close()
        await self.api.close()
        await self.proxy.close()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)  # type: ignore[arg-type]  # whatever kind of future it is
        if not task.cancelled() and task.exception() is not None:
            _log.error("a task of the agent ended", exc_info=task.exception())

    async def _until_done(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a first step until the API server is there for it."""
        while not self.stopping.is_set():
            try:
                await step()
                return
            except (ApiError, *UNREACHABLE) as problem:
                _log.warning("starting: %s: %s", type(problem).__name__, problem)
                await asyncio.sleep(0.5)

    async def _bootstrap(self) -> None:
        administrator = Api(self.files.kubeconfig("admin"), "local-bootstrap")
        await administrator.open()
        try:
            await bootstrap.apply(self.instance, administrator)
        finally:
            await administrator.close()

    def _pod(self, pod: Object, gone: bool) -> None:
        uid = pod["metadata"]["uid"]
        worker = self.workers.get(uid)
        if worker is None:
            if not gone and not self.stopping.is_set():
                self.workers[uid] = worker = Worker(self.node, pod, self._address(pod))
                worker.update(pod)
                task = asyncio.create_task(self._work(uid, worker))
                self.working.add(task)
                task.add_done_callback(self.working.discard)
                task.add_done_callback(self._done)
        elif gone:
            worker.vanish()
        else:
            if "deletionTimestamp" in pod["metadata"]:
                self.forwarder.drain(loopback(worker.pod.ip))  # before it is told to end
            worker.update(pod)

    async def _work(self, uid: str, worker: Worker) -> None:
        try:
            while not await self._ended(worker):
                # Its processes still run: a new worker finds them again.
                await asyncio.sleep(RETRY_SECONDS)
                fresh = Worker(self.node, worker.pod.object, worker.pod.ip)
                fresh.update(worker.pod.object)
                if worker.gone:
                    fresh.vanish()
                self.workers[uid] = worker = fresh
        finally:
            self.workers.pop(uid, None)
            self.forwarder.forget(loopback(worker.pod.ip))

    async def _ended(self, worker: Worker) -> bool:
        """Run a pod; False after an error that nobody foresaw."""
        try:
            await worker.run()
        except Exception as problem:
            _log.exception("pod %s", worker.pod.name)
            worker.pod.event("Warning", "FailedSync", f"error in the node agent: {type(problem).__name__}; see its log")
            return self.stopping.is_set()
        return True

    def _address(self, pod: Object) -> str:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((self.files.pods / pod["metadata"]["uid"] / "pod.json").read_text())["ip"])
        given = (pod.get("status") or {}).get("podIP")
        return str(given) if given else self.addresses.take(each.pod.ip for each in self.workers.values())

    async def _reap_orphans(self, known: set[str]) -> None:
        """Processes of pods that were deleted while no agent ran."""
        for folder in _folders(self.files):
            if folder.name not in known and folder.name not in self.workers:
                await reap(folder)

    async def _shut_down(self) -> None:
        self.ready = False
        for worker in self.workers.values():
            worker.shutdown = True
            worker.end(SHUTDOWN_SECONDS)
        if self.working:
            await asyncio.wait(self.working, timeout=SHUTDOWN_SECONDS + 3)
        for folder in _folders(self.files):
            await reap(folder, remove=False)
        await self.recorder.drain()
        for task in tuple(self.tasks):
            task.cancel()


def _folders(files: Files) -> list[Path]:
    return list(files.pods.glob("*"))


async def reap(folder: Path, *, remove: bool = True) -> None:
    """Kill what still runs of a pod, given its folder."""
    for record in await asyncio.to_thread(lambda: list(folder.glob("containers/*/*/process.json"))):
        await Process(record.parent).kill()
    if remove:
        await asyncio.to_thread(shutil.rmtree, folder, True)


async def supports_namespaces(files: Files) -> bool:
    """Whether a container can have mount and process namespaces here: tried, because nothing else tells surely."""
    if sys.platform != "linux":
        return False
    files.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=files.root) as scratch:
        spec = {
            **{"namespaces": True, "argv": ["true"], "environment": {"PATH": "/usr/bin:/bin"}, "folder": "/"},
            **{"uid": 1000, "gid": 1000, "groups": [], "switch": False, "capabilities": [], "no_new_privileges": True},
            **{"read_only": True, "mounts": [], "image": [], "expose": [], "hide": str(files.root)},
        }
        try:
            process = await runtime.start(Path(scratch) / "probe", spec)
        except StartError as problem:
            _log.warning("no namespaces: %s", problem)
            return False
        return bool((await process.wait())["exitCode"] == 0)


def exposed() -> list[str]:
    """Folders outside of the system's that the interpreter and its packages live in, as spelled and as they are."""
    found: list[str] = []
    links = [Path(sys.executable)]
    while links[-1].is_symlink():
        links.append(links[-1].parent / links[-1].readlink())
    prefixes = {
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        sys.base_exec_prefix,
        *(str(each.parent) for each in links),
    }
    for path in sorted({*prefixes, *(str(Path(each).resolve()) for each in prefixes)}, key=len):
        if not any(f"{path}/".startswith(f"{parent}/") for parent in (*SYSTEM, *found)):
            found.append(path)
    return found
