"""Configuration of the kubernetes stand-in: the official provider's keys, and the kubeconfig they lead to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.plugins.provider import ProviderError, is_unknown, unknown_setting

_TRUE = {"true", "True", "1"}
_FLAGS = {
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
_PLAIN = {"cluster", "clusterIdentifier", "context", "kubeconfig", "namespace"}
_HARMLESS = {
    "kubeClientSettings",
    "suppressDeprecationWarnings",
    "suppressHelmHookWarnings",
    "version",
    "rejectUnknownResources",
}
_REFUSED = {
    "alwaysRender",
    "deleteUnreachable",
    "helmReleaseSettings",
    "renderYamlToDirectory",
    "skipUpdateUnreachable",
}


@dataclass(frozen=True)
class Settings:
    """A provider's configuration. kubeconfig: parsed; namespace: for objects that name none."""

    kubeconfig: dict[str, Any]
    context: str | None
    namespace: str
    patch_force: bool = False
    upsert: bool = False
    config_maps_mutable: bool = False
    secrets_mutable: bool = False


def read(config: Mapping[str, Any]) -> Settings | None:
    """The settings; None when one is known only after deployment. Raises ProviderError for a strange or missing one."""
    given = {key: value for key, value in config.items() if value not in (None, "")}
    if any(is_unknown(value) for value in given.values()):
        return None
    for key in sorted(_REFUSED & set(given)):
        if str(given[key]) not in ("false", "False"):
            raise ProviderError(f"The stand-in for kubernetes does not do kubernetes:{key}; use the official plugin.")
    known = frozenset({*_FLAGS, *_PLAIN, *_HARMLESS, *_REFUSED, "enableServerSideApply"})
    unknown_setting(given, known, "kubernetes")
    server_side = given.get("enableServerSideApply", os.environ.get("PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", "true"))
    if str(server_side) not in _TRUE:
        raise ProviderError("The stand-in for kubernetes applies server-side only; leave enableServerSideApply true.")
    flags = {key: str(given.get(key, os.environ.get(name, "false"))) in _TRUE for key, name in _FLAGS.items()}
    kubeconfig, context = _kubeconfig(given.get("kubeconfig")), given.get("context")
    if "cluster" in given:
        kubeconfig = _with_cluster(kubeconfig, context, str(given["cluster"]))
    return Settings(
        kubeconfig=kubeconfig,
        context=context,
        namespace=given.get("namespace") or _context(kubeconfig, context).get("namespace") or "default",
        patch_force=flags["enablePatchForce"],
        upsert=flags["upsertExistingObjects"],
        config_maps_mutable=flags["enableConfigMapMutable"],
        secrets_mutable=flags["enableSecretMutable"],
    )


def server(config: Mapping[str, Any]) -> str | None:
    """The API server that a configuration leads to, to see whether it is still the same cluster; None if unknown."""
    try:
        settings = read(config)
    except ProviderError:
        return None
    if settings is None:
        return None
    wanted = _context(settings.kubeconfig, settings.context).get("cluster")
    for each in settings.kubeconfig.get("clusters") or []:
        if each.get("name") == wanted:
            return str((each.get("cluster") or {}).get("server"))
    return None


def _kubeconfig(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    text = given
    if text is None or ("\n" not in text and not text.lstrip().startswith("{")):
        files = [text] if text else os.environ.get("KUBECONFIG", str(Path("~/.kube/config"))).split(os.pathsep)
        path = next((Path(each).expanduser() for each in files if Path(each).expanduser().is_file()), None)
        if path is None:
            raise ProviderError(
                f"No kubeconfig: {', '.join(files)} is not there. "
                "Set kubernetes:kubeconfig, or KUBECONFIG (`make env`)."
            )
        text = path.read_text()
    try:
        parsed = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        parsed = None
    if not isinstance(parsed, dict) or not parsed.get("contexts"):
        raise ProviderError("The kubeconfig of the kubernetes provider is malformed: it holds no contexts.")
    return parsed


def _context(kubeconfig: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    wanted = name or kubeconfig.get("current-context")
    for each in kubeconfig.get("contexts") or []:
        if each.get("name") == wanted:
            return each.get("context") or {}
    names = ", ".join(str(each.get("name")) for each in kubeconfig.get("contexts") or [])
    raise ProviderError(f"The kubeconfig has no context {wanted!r}; it has {names}.")


def _with_cluster(kubeconfig: dict[str, Any], context: str | None, cluster: str) -> dict[str, Any]:
    wanted = context or kubeconfig.get("current-context")
    contexts = [
        {**each, "context": {**(each.get("context") or {}), "cluster": cluster}} if each.get("name") == wanted else each
        for each in kubeconfig.get("contexts") or []
    ]
    return {**kubeconfig, "contexts": contexts}
