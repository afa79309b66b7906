"""The embedded Azure of a test session: a daemon of its own, and the deployer's credential."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.identity import ClientSecretCredential

from local.azure.daemons import prepare, ready
from local.instance import REPOSITORY, SUBSCRIPTION_ID, Instance
from tests import programs


@dataclass
class RunningAzure:
    """The daemon as a subprocess. deployer: what ``azure/deployer.json`` says."""

    instance: Instance
    deployer: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"https://{self.instance.arm}"

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{SUBSCRIPTION_ID}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.instance.ca_bundle))

    @property
    def log(self) -> Path:
        return self.instance.logs / "azure.log"

    def start(self) -> None:
        self.instance.logs.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.azure", "--state", str(self.instance.state)],
                cwd=REPOSITORY,
                stderr=log,
                stdout=log,
            )
        deadline = time.monotonic() + 30
        while not ready(self.instance):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the daemon did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def credential(self, **who: str) -> ClientSecretCredential:
        """A credential of the deployer, or of the service principal given."""
        who = who or {"client_id": self.deployer["client_id"], "client_secret": self.deployer["client_secret"]}
        return ClientSecretCredential(
            self.deployer["tenant_id"],
            **who,
            authority=self.url,
            disable_instance_discovery=True,
            connection_verify=str(self.instance.ca_bundle),
        )

    def client(self, token: str | None = None) -> httpx.Client:
        """A plain ARM client of the deployer, or of the bearer of a token."""
        token = token or self.credential().get_token("https://management.azure.com/.default").token
        return httpx.Client(
            base_url=self.url,
            verify=self.tls,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )


def running_at(instance: Instance) -> RunningAzure:
    """The embedded Azure of an instance, whoever started it."""
    deployer = json.loads((instance.azure / "deployer.json").read_text())
    return RunningAzure(instance, deployer, None)  # type: ignore[arg-type]  # start() sets the process


@pytest.fixture(scope="session")
def azure(instance: Instance) -> Iterator[RunningAzure]:
    """The embedded Azure, running on the session's instance."""
    prepare(instance, programs.known())
    running = running_at(instance)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def deployer_credential(azure: RunningAzure) -> ClientSecretCredential:
    """The deployer's credential, as azure-identity makes it."""
    return azure.credential()


@pytest.fixture(scope="session")
def arm(azure: RunningAzure) -> Iterator[httpx.Client]:
    """A plain ARM client of the deployer."""
    with azure.client() as client:
        yield client


@pytest.fixture(scope="session")
def client_options(azure: RunningAzure) -> dict[str, Any]:
    """What azure-mgmt-* clients are pointed at the embedded Azure with."""
    return {
        "base_url": azure.url,
        "credential_scopes": ["https://management.azure.com/.default"],
        "connection_verify": str(azure.instance.ca_bundle),
        "retry_total": 0,
    }
