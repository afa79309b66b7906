"""The Node object and its Lease: what this machine offers, and that it is alive (Kubernetes "Nodes", heartbeats)."""

from __future__ import annotations

import asyncio
import datetime
import logging
import platform
from pathlib import Path

import psutil

from local.instance import Instance
from local.kubernetes.files import NODE_NAME, NODE_POOL
from local.kubernetes.network import pod_cidr
from local.kubernetes.node.client import UNREACHABLE, Api, ApiError, Object
from local.kubernetes.node.events import timestamp

_log = logging.getLogger(__name__)
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE_NAME}"
LEASE_SECONDS = 40
RENEW_SECONDS = 10
MAXIMUM_PODS = 110
VERSION = "v1.34.2"


class Registration:
    """Keeps the node registered."""

    def __init__(self, instance: Instance, api: Api) -> None:
        self.instance, self.api = instance, api
        self.ready_since = timestamp()

    async def register(self) -> None:
        """Create or correct the Node, then report it Ready. Raises ApiError or what UNREACHABLE lists."""
        try:
            await self.api.call("POST", "/api/v1/nodes", self._node())
        except ApiError as refusal:
            if refusal.status != 409:
                raise
            labels = {"metadata": {"labels": self._labels()}}
            await self.api.call("PATCH", f"/api/v1/nodes/{NODE_NAME}", labels)
        await self.report()
        await self.renew()

    async def report(self) -> None:
        """Write the node's status."""
        await self.api.call("PATCH", f"/api/v1/nodes/{NODE_NAME}/status", {"status": self._status()})

    async def renew(self) -> None:
        """Renew the Lease, made on first use."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        spec = {"holderIdentity": NODE_NAME, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
        try:
            await self.api.call("PATCH", _LEASE, {"spec": spec}, patch="merge")
        except ApiError as refusal:
            if refusal.status != 404:
                raise
            lease = {"metadata": {"name": NODE_NAME, "namespace": "kube-node-lease"}, "spec": spec}
            await self.api.call("POST", _LEASE.rpartition("/")[0], lease)

    async def run(self) -> None:
        """Heartbeats for ever; an API server that is away is tried again sooner."""
        beats = 0
        while True:
            try:
                await self.renew()
                beats += 1
                if beats % 30 == 0:
                    await self.report()
                pause = RENEW_SECONDS
            except (ApiError, *UNREACHABLE) as problem:
                _log.warning("heartbeat: %s", problem)
                pause = 2
                if isinstance(problem, ApiError) and problem.status == 404:
                    await self._again()
            await asyncio.sleep(pause)

    async def _again(self) -> None:
        try:
            await self.register()
        except (ApiError, *UNREACHABLE) as problem:
            _log.warning("registering: %s", problem)

    def _labels(self) -> dict[str, str]:
        architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
        return {
            "kubernetes.io/hostname": NODE_NAME,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": architecture,
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": architecture,
            "node.kubernetes.io/instance-type": "local",
            "topology.kubernetes.io/region": "local",
            "topology.kubernetes.io/zone": "0",
            "agentpool": NODE_POOL,
            "kubernetes.azure.com/agentpool": NODE_POOL,
            "kubernetes.azure.com/mode": "system",
            "kubernetes.azure.com/cluster": "local",
        }

    def _node(self) -> Object:
        return {
            "metadata": {"name": NODE_NAME, "labels": self._labels()},
            "spec": {"podCIDR": f"{pod_cidr(self.instance)}", "providerID": f"azure:///local/{NODE_NAME}"},
        }

    def capacity(self) -> Object:
        """What the machine offers."""
        return {
            "cpu": str(psutil.cpu_count() or 1),
            "memory": f"{psutil.virtual_memory().total // 1024}Ki",
            "ephemeral-storage": f"{psutil.disk_usage(str(self.instance.state)).total // 1024}Ki",
            "pods": str(MAXIMUM_PODS),
        }

    def _status(self) -> Object:
        capacity = self.capacity()
        now = timestamp()

        def condition(kind: str, status: str, reason: str, message: str) -> Object:
            times = {"lastHeartbeatTime": now, "lastTransitionTime": self.ready_since}
            return {"type": kind, "status": status, "reason": reason, "message": message, **times}

        return {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": NODE_NAME},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.instance.port("kubelet")}},
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "not measured"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "not measured"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "not measured"),
                condition("Ready", "True", "KubeletReady", "the node agent runs pods as processes"),
            ],
            "nodeInfo": {
                "machineID": _read("/etc/machine-id"),
                "systemUUID": _read("/etc/machine-id"),
                "bootID": _read("/proc/sys/kernel/random/boot_id"),
                "kernelVersion": platform.release(),
                "osImage": "this machine; pods are processes",
                "containerRuntimeVersion": "process://1.0",
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            },
        }


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
