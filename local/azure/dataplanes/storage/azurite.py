"""Azurite as a daemon: Azure's own storage emulator, reachable by whoever holds the backend key, which is our proxy."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from local.daemon import Daemon
from local.instance import Instance
from local.pki import write_private

SERVICES = ("blob", "queue", "table")
_PRELOAD = Path(__file__).with_name("azurite_preload.cjs")


def backend_key_file(instance: Instance) -> Path:
    """Where the key lies that Azurite and the proxy share."""
    return instance.azure / "azurite.key"


def backend_key(instance: Instance) -> bytes:
    """The key that the proxy signs its requests to Azurite with, made on first use."""
    path = backend_key_file(instance)
    if not path.exists():
        write_private(path, base64.b64encode(secrets.token_bytes(64)))
    return base64.b64decode(path.read_bytes())


def prepare(instance: Instance, tools: Mapping[str, str]) -> None:
    """Make the key and the folder. Idempotent."""
    backend_key(instance)
    (instance.state / "azurite").mkdir(parents=True, exist_ok=True, mode=0o700)


def daemons(instance: Instance, tools: Mapping[str, str]) -> list[Daemon]:
    """Azurite's three services in one process; none where the toolchain has no Azurite."""
    if "azurite" not in tools or "node" not in tools:
        return []
    listeners = [
        argument
        for service in SERVICES
        for argument in (f"--{service}Host", "127.0.0.1", f"--{service}Port", str(instance.port(f"azurite-{service}")))
    ]
    argv = (
        tools["node"],
        "--require",
        str(_PRELOAD),
        tools["azurite"],
        "--location",
        str(instance.state / "azurite"),
        "--cert",
        str(instance.azure / "loopback.pem"),
        "--key",
        str(instance.azure / "loopback.key"),
        "--silent",
        "--disableProductStyleUrl",  # the account is always the path's first segment
        "--skipApiVersionCheck",  # Azure's clients name newer versions than an emulator knows
        "--disableTelemetry",
        *listeners,
    )
    environment = {"AZURITE_BACKEND_KEY_FILE": str(backend_key_file(instance))}
    return [Daemon(name="azurite", argv=argv, environment=environment, ready=lambda: ready(instance))]


def ready(instance: Instance) -> bool:
    """Whether all three services listen."""
    for service in SERVICES:
        with socket.socket() as probe:
            probe.settimeout(0.3)
            if probe.connect_ex(("127.0.0.1", instance.port(f"azurite-{service}"))):
                return False
    return True
