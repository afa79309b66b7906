"""One running embedded Azure: where its state lies and which loopback addresses it uses.

Everything that listens or keeps a file asks here, so that several instances (a person's and a test's) run side by
side. The state folder is chosen by ``TRIBUTARY_STATE`` (default ``.local`` in the repository), the ports by
``TRIBUTARY_PORT_BASE`` (default 7400, a multiple of 100); the choice is kept in ``<state>/instance.json``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_PORT_BASE = 7400
DYNAMIC_PORTS = range(40, 99)
"""Offsets from the base that the embedded Azure hands to vaults, registries and SQL servers as they are created."""

TENANT_ID = "7e4a7c11-0c0a-4d5e-9d3b-7f1b0a2c4401"
"""The one local Entra tenant. Not a secret: stack files name it."""
SUBSCRIPTION_ID = "51b5c9a2-6f0e-4a57-8a3c-2d9e6b8f4402"
"""The one local subscription."""

_OFFSETS = {
    "arm": 1,  # ARM, metadata, Entra tokens, Graph, managed identity
    "storage": 2,  # Azurite's three services behind the checking proxy: blob; queue and table follow
    "storage-queue": 3,
    "storage-table": 4,
    "insights": 5,
    "kube-apiserver": 10,
    "etcd-client": 11,
    "etcd-peer": 12,
    "kube-controller-manager": 13,
    "kube-scheduler": 14,
    "kubelet": 15,
    "workload-identity-webhook": 16,
    "azurite-blob": 20,
    "azurite-queue": 21,
    "azurite-table": 22,
    "registry": 23,  # distribution, behind the checking proxy of each container registry
}


@dataclass(frozen=True)
class Instance:
    """Addresses and folders of one embedded Azure.

    state: absolute folder that holds all state; removing it removes the instance.
    port_base: first of the hundred ports it may use, a multiple of 100 between 1100 and 60000.
    """

    state: Path
    port_base: int = DEFAULT_PORT_BASE

    def __post_init__(self) -> None:
        if self.port_base % 100 or not 1100 <= self.port_base <= 60000:
            raise ValueError(
                f"TRIBUTARY_PORT_BASE is {self.port_base}; allowed is a multiple of 100 from 1100 to 60000. "
                "Choose another, e.g. 8400."
            )

    @classmethod
    def load(cls, state: Path | None = None, port_base: int | None = None) -> Instance:
        """The instance of a state folder: as it was kept there, else as the arguments, the environment or defaults say.

        Raises ValueError when the port base is malformed.
        """
        folder = (state or Path(os.environ.get("TRIBUTARY_STATE") or REPOSITORY / ".local")).absolute()
        kept = folder / "instance.json"
        if kept.exists():
            return cls(folder, int(json.loads(kept.read_text())["port_base"]))
        return cls(folder, port_base or int(os.environ.get("TRIBUTARY_PORT_BASE") or DEFAULT_PORT_BASE))

    def keep(self) -> None:
        """Write the choice down, so that every later command finds the same instance."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.state / "instance.json").write_text(json.dumps({"port_base": self.port_base}) + "\n")

    def port(self, name: str) -> int:
        """The port of a fixed listener, e.g. "arm". Raises KeyError for an unknown name."""
        return self.port_base + _OFFSETS[name]

    @property
    def fixed_ports(self) -> tuple[str, ...]:
        """Names of the fixed listeners."""
        return tuple(_OFFSETS)

    @property
    def arm(self) -> str:
        """Host and port of the ARM endpoint, also the metadata host and the login authority."""
        return f"127.0.0.1:{self.port('arm')}"

    @property
    def dynamic_ports(self) -> range:
        """Ports that resources get as they are created."""
        return range(self.port_base + DYNAMIC_PORTS.start, self.port_base + DYNAMIC_PORTS.stop)

    @property
    def _shift(self) -> int:
        return (self.port_base - DEFAULT_PORT_BASE) // 100

    @property
    def pod_octet(self) -> int:
        """Second octet of the pods' network: 10.<octet>.0.0/16 to Kubernetes, 127.<octet>.0.0/16 on this machine."""
        return 192 + (52 + self._shift) % 64

    @property
    def service_octet(self) -> int:
        """Second octet of the Services' network, likewise."""
        return 64 + (32 + self._shift) % 64

    def loopback(self, number: int) -> str:
        """An address of the instance's own, for a service whose clients insist on its port. number: 1 to 254."""
        return f"127.{128 + self._shift % 64}.{self._shift // 64 % 256}.{number}"

    @property
    def azure(self) -> Path:
        """Folder of the embedded Azure's own state."""
        return self.state / "azure"

    @property
    def kubernetes(self) -> Path:
        """Folder of the control plane's and the node's state."""
        return self.state / "kubernetes"

    @property
    def ca_certificate(self) -> Path:
        """PEM of the CA that signs every loopback endpoint of the embedded Azure."""
        return self.azure / "ca.pem"

    @property
    def ca_bundle(self) -> Path:
        """PEM of the machine's own roots plus our CA: what clients are pointed at (SSL_CERT_FILE and the like)."""
        return self.state / "ca-bundle.pem"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig of the local control plane."""
        return self.kubernetes / "admin.kubeconfig"

    @property
    def bin(self) -> Path:
        """Launchers put on PATH: pulumi, kubectl, language host, stand-in plugins."""
        return self.state / "bin"

    @property
    def logs(self) -> Path:
        """One log a daemon."""
        return self.state / "log"
