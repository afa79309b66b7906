"""The API server's configuration files: anonymous access, encryption at rest, audit."""

from __future__ import annotations

import base64
import os
from typing import Any

import yaml

from local.instance import Instance
from local.kubernetes.files import Files
from local.pki import write_private

ANONYMOUS_PATHS = ("/livez", "/readyz", "/healthz", "/.well-known/openid-configuration", "/openid/v1/jwks")
"""Health, and what the token exchange needs to verify projected tokens (OIDC Discovery 1.0)."""


def write_all(instance: Instance) -> None:
    """Write every file. The encryption key is kept: without it the stored Secrets can't be read again."""
    files = Files.of(instance)
    _write(files, "authentication", _authentication())
    _write(files, "audit-policy", _audit_policy())
    if not (files.root / "encryption.yaml").exists():
        _write(files, "encryption", _encryption())


def _write(files: Files, stem: str, document: dict[str, Any]) -> None:
    write_private(files.root / f"{stem}.yaml", yaml.safe_dump(document, sort_keys=False).encode())


def _authentication() -> dict[str, Any]:
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": [{"path": path} for path in ANONYMOUS_PATHS]},
    }


def _encryption() -> dict[str, Any]:
    key = base64.b64encode(os.urandom(32)).decode()
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {"resources": ["secrets"], "providers": [{"secretbox": {"keys": [{"name": "key1", "secret": key}]}}]}
        ],
    }


def _audit_policy() -> dict[str, Any]:
    """Who wrote what, without bodies: they could hold secrets. Heartbeats and events would only fill the disk."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}]},
            {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
            {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
            {"level": "None"},
        ],
    }
