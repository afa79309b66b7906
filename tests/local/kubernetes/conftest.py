"""Fixtures of the Kubernetes tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.kubernetes.running import ControlPlane

Document = dict[str, Any]


class Namespace:
    """A namespace of one test, with shorthands."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.plane, self.name = plane, name

    def document(self, kind: str, name: str, api: str = "v1", **fields: Any) -> Document:
        metadata = {"name": name, "namespace": self.name, **fields.pop("metadata", {})}
        return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}

    def container(self, **fields: Any) -> Document:
        """A container of the test server; fields override."""
        address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
        environment = [address, *fields.pop("env", [])]
        ports = [{"name": "http", "containerPort": 8080}]
        return {"name": "main", "image": self.plane.image, "env": environment, "ports": ports, **fields}

    def pod_spec(self, container: Document, **fields: Any) -> Document:
        return {"terminationGracePeriodSeconds": 3, "containers": [container], **fields}

    def pod(self, name: str, container: Document | None = None, **fields: Any) -> None:
        metadata = fields.pop("metadata", {})
        spec = self.pod_spec(container or self.container(), **fields)
        self.apply(self.document("Pod", name, metadata=metadata, spec=spec))

    def script(self, name: str, script: str, **fields: Any) -> None:
        """A pod that runs a shell script once."""
        container = {"name": "main", "image": self.plane.image, "command": ["/bin/sh", "-c", script]}
        self.pod(name, container | fields.pop("container", {}), **{"restartPolicy": "Never", **fields})

    def apply(self, *documents: Document) -> None:
        self.plane.apply(*documents)

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        return self.plane.kubectl("-n", self.name, *arguments, check=check)

    def get(self, kind: str, name: str = "") -> Any:
        return self.plane.get(kind, name, self.name)

    def status(self, name: str) -> Any:
        return (self.get("pod", name) or {}).get("status", {})

    def await_ready(self, name: str) -> Any:
        return self.plane.until(lambda: _ready(self.status(name)) and self.status(name), what=f"{name} ready")

    def await_phase(self, name: str, phase: str) -> Any:
        return self.plane.until(
            lambda: self.status(name).get("phase") == phase and self.status(name), what=f"{name} {phase}"
        )

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reasons and messages of the events on a pod."""
        items = self.get("event")["items"]
        return [(each["reason"], each["message"]) for each in items if each["involvedObject"]["name"] == name]

    def await_events(self, name: str, *reasons: str) -> None:
        """Events of these reasons are there; the agent tells them beside the status, before or after it."""
        wanted = set(reasons)
        self.plane.until(lambda: wanted <= {reason for reason, _ in self.events(name)}, what=f"{wanted} of {name}")

    def address(self, name: str) -> str:
        """Where a pod's process listens."""
        return "127." + self.status(name)["podIP"].partition(".")[2]


def _ready(status: Document) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


@pytest.fixture(scope="module")
def namespace(control_plane: ControlPlane) -> Iterator[Namespace]:
    """A fresh namespace for the tests of a file; each test uses names of its own there."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.until(lambda: control_plane.get("serviceaccount", "default", name))
    yield Namespace(control_plane, name)
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
