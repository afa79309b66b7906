"""What a person's shell, the engine and the tests need to know to use an instance: one dictionary of variables."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from local.azure.entra import deployer
from local.commands.engine_home import engine_home
from local.instance import Instance
from local.pki import write_private


class NotRunning(Exception):
    """The instance has not been brought up yet."""


def tools(instance: Instance) -> dict[str, str]:
    """Name → absolute path, as the toolchain wrote it down. Raises NotRunning."""
    kept = instance.state / "tools.json"
    if not kept.exists():
        raise NotRunning(f"There is no {kept}: the toolchain has not run for this instance. What to do: make up")
    return json.loads(kept.read_text())


def stand_ins(instance: Instance) -> list[str]:
    """The Pulumi plugins of ours that are in use."""
    kept = instance.state / "stand-ins.json"
    return json.loads(kept.read_text()) if kept.exists() else []


def environment(instance: Instance) -> dict[str, str]:
    """The variables that point pulumi, kubectl and Azure's clients at the instance.

    Raises NotRunning when it was never brought up.
    """
    if not (instance.azure / "deployer.json").exists():
        raise NotRunning(f"Nothing has been brought up in {instance.state} yet. What to do: make up")
    who = deployer.deployer(instance)
    bundle = str(instance.ca_bundle)
    variables = {
        "PATH": _path(instance),
        # Without files of attributes: an engine that is killed while it writes one leaves it cut off, and the stack
        # can't be opened any more ("failed to load checkpoint: EOF"; gocloud.dev/blob/fileblob, URLOpener).
        "PULUMI_BACKEND_URL": f"file://{backend(instance)}?metadata=skip",
        "PULUMI_HOME": str(engine_home(instance)),
        "PULUMI_CONFIG_PASSPHRASE": passphrase(instance),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TRIBUTARY_STACK_FILE": str(instance.state / "Pulumi.local.yaml"),
        "KUBECONFIG": str(instance.kubeconfig),
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": bundle,
        "ARM_CLIENT_ID": who["client_id"],
        "ARM_CLIENT_SECRET": who["client_secret"],
        "ARM_TENANT_ID": who["tenant_id"],
        "ARM_SUBSCRIPTION_ID": who["subscription_id"],
        "ARM_METADATA_HOSTNAME": instance.arm,
        "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
        "AZURE_CLIENT_ID": who["client_id"],
        "AZURE_CLIENT_SECRET": who["client_secret"],
        "AZURE_TENANT_ID": who["tenant_id"],
        "AZURE_SUBSCRIPTION_ID": who["subscription_id"],
        "AZURE_AUTHORITY_HOST": f"https://{instance.arm}",
        "NO_PROXY": _without_proxy(os.environ),
    }
    variables["no_proxy"] = variables["NO_PROXY"]
    if stand_ins(instance):
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return variables


def backend(instance: Instance) -> Path:
    """The folder of Pulumi's file backend, made on first use."""
    folder = instance.state / "pulumi"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def passphrase(instance: Instance) -> str:
    """What the stack's secrets are encrypted with: random, an instance's own, readable by its owner only."""
    path = instance.state / "passphrase"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_text()


def _path(instance: Instance) -> str:
    ours = [str(instance.bin), str(Path(tools(instance)["python"]).parent)]
    others = [each for each in os.environ.get("PATH", "").split(os.pathsep) if each and each not in ours]
    return os.pathsep.join(ours + others)


def _without_proxy(given: Mapping[str, str]) -> str:
    """Loopback is never reached through a proxy."""
    present = given.get("NO_PROXY") or given.get("no_proxy") or ""
    parts = [each for each in present.split(",") if each]
    return ",".join(dict.fromkeys([*parts, "127.0.0.1", "localhost"]))
