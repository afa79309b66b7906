"""The distribution registry behind every local container registry: its settings, its keys, its daemon."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from local.daemon import Daemon
from local.instance import Instance
from local.pki import key_pem, write_private

ISSUER = "tributary-registry-proxy"
SERVICE = "tributary-registry"
"""Issuer and audience of the tokens that the backend takes: the proxy's own, none that a client ever holds."""


def folder(instance: Instance) -> Path:
    """Everything of the backend."""
    return instance.state / "registry"


def url(instance: Instance) -> str:
    """Where the backend listens; plain HTTP on loopback, useless without a token of the proxy's key."""
    return f"http://127.0.0.1:{instance.port('registry')}"


def signing_key(instance: Instance) -> ECKey:
    """The key of all registry tokens, kept apart from Entra's: who holds one can't forge the other's.

    Raises FileNotFoundError before ``prepare``.
    """
    key = ECKey.import_key((folder(instance) / "token-key.pem").read_bytes())
    key.ensure_kid()
    return key


def prepare(instance: Instance) -> None:
    """Write key, key set and settings. Idempotent."""
    home = folder(instance)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / "token-key.pem").exists():
        write_private(home / "token-key.pem", key_pem(ec.generate_private_key(ec.SECP256R1())))
    key = signing_key(instance)
    public = {**key.as_dict(private=False), "kid": key.kid, "alg": "ES256", "use": "sig"}
    write_private(home / "jwks.json", json.dumps({"keys": [public]}).encode())
    settings = home / "config.yml"
    kept = yaml.safe_load(settings.read_text()) if settings.exists() else {}
    secret = kept.get("http", {}).get("secret") or secrets.token_hex(32)  # of upload sessions: must outlive a restart
    write_private(settings, yaml.safe_dump(_settings(instance, secret)).encode())


def _settings(instance: Instance, secret: str) -> dict[str, object]:
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder(instance) / "data")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": True, "age": "24h", "interval": "1h", "dryrun": False}},
        },
        "http": {"addr": f"127.0.0.1:{instance.port('registry')}", "secret": secret, "relativeurls": True},
        "auth": {
            "token": {
                "realm": url(instance),
                "service": SERVICE,
                "issuer": ISSUER,
                "jwks": str(folder(instance) / "jwks.json"),
                "signingalgorithms": ["ES256"],
            }
        },
    }


def daemon(instance: Instance, program: Path) -> Daemon:
    """The supervised registry."""
    return Daemon(
        name="registry",
        argv=[str(program), "serve", str(folder(instance) / "config.yml")],
        ready=lambda: is_ready(instance),
        folder=folder(instance),
        environment={"OTEL_TRACES_EXPORTER": "none"},  # else it looks for a collector on every request
    )


def is_ready(instance: Instance) -> bool:
    """Whether the backend answers, with its refusal of a request without a token."""
    try:
        urllib.request.urlopen(url(instance) + "/v2/", timeout=1)  # noqa: S310  # our own loopback address
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return False  # it let us in without a token: not the registry that was configured
