"""The daemons of the embedded Azure, and what must be on disk before they start."""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from local.azure import discover
from local.azure.entra import deployer
from local.azure.entra.keys import signing_key
from local.daemon import Daemon
from local.instance import REPOSITORY, Instance
from local.pki import Authority

_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def authority(instance: Instance) -> Authority:
    """The CA that signs every loopback endpoint of the instance, made on first use."""
    return Authority(instance.ca_certificate, instance.azure / "ca.key", "Tributary local CA")


def prepare(instance: Instance, tools: Mapping[str, str]) -> None:
    """Write what the daemons and their clients need: CA, bundle, credentials, signing key. Idempotent."""
    instance.azure.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority(instance).issue_files(instance.azure, "loopback", ("127.0.0.1", "localhost"))
    roots = _machine_roots()
    own = instance.ca_certificate.read_text()
    scratch = instance.ca_bundle.with_suffix(".new")
    scratch.write_text((roots.read_text() if roots else "") + own)
    scratch.replace(instance.ca_bundle)
    deployer.prepare(instance)
    signing_key(instance.azure / "signing-key.pem")
    for module in discover.data_plane_modules():
        if hasattr(module, "prepare"):
            module.prepare(instance, tools)


def daemons(instance: Instance, tools: Mapping[str, str]) -> list[Daemon]:
    """The embedded Azure itself, and the backends that its data planes need."""
    backends = [
        each
        for module in discover.data_plane_modules()
        if hasattr(module, "daemons")
        for each in module.daemons(instance, tools)
    ]
    azure = Daemon(
        name="azure",
        argv=(tools.get("python", sys.executable), "-m", "local.azure", "--state", str(instance.state)),
        ready=lambda: ready(instance),
        after=tuple(each.name for each in backends),
        folder=REPOSITORY,
    )
    return [*backends, azure]


def ready(instance: Instance) -> bool:
    """Whether the ARM endpoint answers."""
    try:
        context = ssl.create_default_context(cafile=str(instance.ca_certificate))
        with urllib.request.urlopen(f"https://{instance.arm}/healthz", timeout=1, context=context) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _machine_roots() -> Path | None:
    """The machine's own trusted roots, before any override by the environment."""
    known = (ssl.get_default_verify_paths().openssl_cafile, *_SYSTEM_ROOTS)
    return next((Path(each) for each in known if Path(each).exists()), None)
