"""What the parts of the node agent share: the node's connections and caches, and one pod's surroundings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from local.instance import Instance
from local.kubernetes.files import Files
from local.kubernetes.node.client import Api, Cache, Object
from local.kubernetes.node.environment import Environment
from local.kubernetes.node.events import Recorder
from local.kubernetes.node.images import Images
from local.kubernetes.node.secrets_store import SecretsStore
from local.kubernetes.node.sources import Sources
from local.kubernetes.node.volumes import Volumes


@dataclass
class Node:
    """The node's parts.

    namespaces: whether this machine lets a container have namespaces of its own (else paths are rewritten).
    exposed: folders of the machine that hold the interpreter, shown to containers besides the system's.
    """

    instance: Instance
    api: Api
    recorder: Recorder
    images: Images
    sources: Sources
    vaults: SecretsStore
    services: Cache
    allocatable: Object
    namespaces: bool
    exposed: list[str]
    python: str = sys.executable

    @property
    def files(self) -> Files:
        """The node's files."""
        return Files.of(self.instance)


@dataclass
class Pod:
    """One pod that runs here.

    object: as the API server last had it. ip: its address as Kubernetes knows it. changed: to be called when
    something of its status is different.
    """

    node: Node
    object: Object
    ip: str
    volumes: Volumes
    environment: Environment
    changed: Callable[[], None]
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        """The pod's UID."""
        return str(self.object["metadata"]["uid"])

    @property
    def name(self) -> str:
        """Namespace and name, as logs have it."""
        return f"{self.object['metadata']['name']}_{self.object['metadata']['namespace']}({self.uid})"

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.node.files.pods / self.uid

    @property
    def spec(self) -> Object:
        """Its specification."""
        spec: Object = self.object["spec"]
        return spec

    def event(self, kind: str, reason: str, message: str, container: str = "") -> None:
        """Report an event on it."""
        self.node.recorder.record(self.object, kind, reason, message, container)
