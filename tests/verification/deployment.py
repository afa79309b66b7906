"""Deployment: a stack that goes up, is tried and goes down again through a recorder of Resource Manager's traffic."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.azure.daemons import authority
from local.instance import Instance
from local.pki import write_private
from tests.verification.exchange import Exchange
from tests.verification.recorder import Recorder


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """stack, folder: of the program. upstream: base URL of Resource Manager.

    journey: command that tries the stack; its last argument is a file with the stack's outputs. "" for none.
    unasked: whether the engine goes on without its question. destroyed: whether the stack goes down again, even when
    its journey failed.
    """

    stack: str
    folder: Path
    upstream: str
    journey: str
    unasked: bool
    destroyed: bool

    def record(self, instance: Instance, exchanges: list[Exchange]) -> None:
        """Adds what passes. instance: whose certificates the recorder uses. Raises CalledProcessError.

        What was exchanged before a failure is there, too.
        """
        trusted = _trusted(instance)
        certificate = authority(instance).issue_files(instance.state, "recorder", ["127.0.0.1"])
        recorder = Recorder(self.upstream, trusted, *certificate)
        recorder.exchanges = exchanges
        with recorder.listening() as host:
            file = self._configured(instance, host)
            bundle = {"SSL_CERT_FILE": str(trusted), "REQUESTS_CA_BUNDLE": str(trusted)}
            variables = {**os.environ, **bundle, "ARM_METADATA_HOSTNAME": host}
            with self._down(file, variables):
                self._pulumi("up", file, variables)
                if self.journey:
                    command = [*shlex.split(self.journey), str(self._outputs(instance.state, variables))]
                    subprocess.run(command, env=variables, check=True)

    def _configured(self, instance: Instance, host: str) -> Path:
        """The stack's configuration, with the recorder as the cloud's metadata host."""
        given = yaml.safe_load((self.folder / f"Pulumi.{self.stack}.yaml").read_text())
        given["config"]["azure-native:metadataHost"] = host
        file = instance.state / f"Pulumi.{self.stack}.yaml"
        file.write_text(yaml.safe_dump(given))
        return file

    @contextlib.contextmanager
    def _down(self, file: Path, variables: Mapping[str, str]) -> Iterator[None]:
        try:
            yield
        finally:
            if self.destroyed:
                self._pulumi("destroy", file, variables)

    def _outputs(self, folder: Path, variables: Mapping[str, str]) -> Path:
        """A file with the stack's outputs, secrets shown, for its owner alone."""
        command = ("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", self.stack)
        told = subprocess.run(command, cwd=self.folder, env=variables, check=True, stdout=subprocess.PIPE).stdout
        file = folder / "outputs.json"
        write_private(file, told)
        return file

    def _pulumi(self, command: str, file: Path, variables: Mapping[str, str]) -> None:
        unasked = ("--yes", "--skip-preview", "--non-interactive") if self.unasked else ()
        arguments = ("pulumi", command, *unasked, "--stack", self.stack, "--config-file", str(file))
        subprocess.run(arguments, cwd=self.folder, env=variables, check=True)


def _trusted(instance: Instance) -> Path:
    """Certificates that clients believe meanwhile: what the environment says, and the recorder's authority."""
    given = os.environ.get("SSL_CERT_FILE")
    joint = instance.state / "trusted.pem"
    joint.write_text((Path(given).read_text() if given else "") + instance.ca_bundle.read_text())
    return joint
