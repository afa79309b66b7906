"""Events as a kubelet reports them: one object a reason and message, counted up when it happens again."""

from __future__ import annotations

import asyncio
import datetime
import logging
import uuid

from local.kubernetes.files import NODE_NAME
from local.kubernetes.node.client import UNREACHABLE, Api, ApiError, Object

_log = logging.getLogger(__name__)


def timestamp() -> str:
    """Now, as metav1.Time."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Recorder:
    """Sends events in the background: an API server that is away must not hold up a pod."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.known: dict[tuple[str, ...], tuple[str, int]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.order = asyncio.Lock()

    def record(self, regarding: Object, kind: str, reason: str, message: str, container: str = "") -> None:
        """Report on an object.

        kind: "Normal" or "Warning". container: name of the pod's container it is about.
        """
        _log.info("%s %s: %s", regarding["metadata"]["name"], reason, message)
        task = asyncio.get_running_loop().create_task(self._send(regarding, kind, reason, message, container))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _send(self, regarding: Object, kind: str, reason: str, message: str, container: str) -> None:
        metadata = regarding["metadata"]
        namespace = metadata.get("namespace", "default")
        key = (metadata["uid"], container, kind, reason, message)
        path = f"/api/v1/namespaces/{namespace}/events"
        try:
            async with self.order:
                if key in self.known:
                    name, count = self.known[key]
                    self.known[key] = (name, count + 1)
                    update = {"count": count + 1, "lastTimestamp": timestamp()}
                    try:
                        await self.api.call("PATCH", f"{path}/{name}", update, patch="merge")
                        return
                    except ApiError as refusal:
                        if refusal.status != 404:  # 404: expired meanwhile, so it begins anew
                            raise
                name = f"{metadata['name'][:230]}.{uuid.uuid4().hex[:16]}"
                await self.api.call("POST", path, _event(regarding, name, kind, reason, message, container))
                if len(self.known) > 2000:
                    self.known.clear()
                self.known[key] = (name, 1)
        except (ApiError, *UNREACHABLE) as problem:
            _log.warning("event %s for %s was lost: %s", reason, metadata["name"], problem)

    async def drain(self) -> None:
        """Wait a moment for what is still under way."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=2)


def _event(regarding: Object, name: str, kind: str, reason: str, message: str, container: str) -> Object:
    metadata, now = regarding["metadata"], timestamp()
    namespace = metadata.get("namespace", "default")
    involved = {
        "kind": regarding.get("kind", "Pod"),
        "apiVersion": regarding.get("apiVersion", "v1"),
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    if "namespace" in metadata:
        involved["namespace"] = namespace
    if container:
        involved["fieldPath"] = f"spec.containers{{{container}}}"
    return {
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved,
        "type": kind,
        "reason": reason,
        "message": message[:1024],
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": "kubelet", "host": NODE_NAME},
        "reportingComponent": "kubelet",
        "reportingInstance": NODE_NAME,
    }
