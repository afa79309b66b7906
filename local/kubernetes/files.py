"""Where the control plane's and the node's files lie, so that no two modules spell a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.instance import Instance

NODE_NAME = "aks-local-00000000-vmss000000"
"""The one node, named as AKS names the first machine of a pool."""
NODE_POOL = "local"


@dataclass(frozen=True)
class Files:
    """Files below ``<state>/kubernetes``."""

    root: Path

    @classmethod
    def of(cls, instance: Instance) -> Files:
        """The files of an instance."""
        return cls(instance.kubernetes)

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def client_ca(self) -> Path:
        """CA of the client certificates that the API server and the node agent accept."""
        return self.pki / "client-ca.pem"

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def pods(self) -> Path:
        """One folder a pod that runs here, by its UID."""
        return self.root / "node" / "pods"

    @property
    def images(self) -> Path:
        """Unpacked images by digest."""
        return self.root / "images"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one client, e.g. "kube-scheduler"."""
        return self.root / f"{user}.kubeconfig"
