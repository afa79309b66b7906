"""What a SecretProviderClass asks the Azure provider for: read strictly, what is not known is refused.

Source: azure.github.io/secrets-store-csi-driver-provider-azure, "Getting Certs, Secrets and Keys", v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from local.kubernetes.node.client import Object
from local.kubernetes.node.downward import ConfigError

_PARAMETERS = {
    *("clientID", "cloudName", "keyvaultName", "objects", "tenantId", "usePodIdentity", "useVMManagedIdentity"),
}
_OFF = ("usePodIdentity", "useVMManagedIdentity")
_CLOUDS = ("", "AzurePublicCloud")
_OBJECT = {
    *("objectAlias", "objectEncoding", "objectFormat", "objectName", "objectType", "objectVersion", "filePermission"),
}
_CHOICES = {
    "objectType": ("secret", "key", "cert"),
    "objectFormat": ("pem", "pfx"),
    "objectEncoding": ("utf-8", "base64", "hex"),
}
_DEFAULTS = {"objectFormat": "pem", "objectEncoding": "utf-8"}


@dataclass(frozen=True)
class Wanted:
    """One object of a vault. kind: secret, key or cert. format: of a certificate's secret. mode: of the file."""

    name: str
    kind: str
    version: str
    file: str
    format: str
    encoding: str
    mode: int | None


@dataclass(frozen=True)
class ProviderClass:
    """A vault by its name, the identity that reads it, and what of it."""

    vault: str
    tenant: str
    client: str
    objects: tuple[Wanted, ...]


def read(name: str, document: Object) -> ProviderClass:
    """A SecretProviderClass. Raises ConfigError naming what is missing, malformed or not known here."""
    spec, where = document["spec"], f"SecretProviderClass {name}"
    if spec.get("provider") != "azure":
        raise ConfigError(f"{where}: provider {spec.get('provider')!r} (known: azure)")
    _none_but(where, spec, {"provider", "parameters"})
    parameters = spec.get("parameters") or {}
    _none_but(f"{where}: parameters", parameters, _PARAMETERS)
    for each in _OFF:
        if parameters.get(each, "false") != "false":
            raise ConfigError(f"{where}: {each} {parameters[each]!r} (known: 'false'; clientID is a workload identity)")
    if parameters.get("cloudName", "") not in _CLOUDS:
        raise ConfigError(f"{where}: cloudName {parameters['cloudName']!r} (known: AzurePublicCloud)")
    for each in ("keyvaultName", "tenantId", "clientID", "objects"):
        if not parameters.get(each):
            raise ConfigError(f"{where}: parameters.{each} is missing")
    objects = tuple(_wanted(where, each) for each in _listed(where, parameters["objects"]))
    if len({each.file for each in objects}) < len(objects):
        raise ConfigError(f"{where}: two objects have one file name; give one of them an objectAlias")
    return ProviderClass(parameters["keyvaultName"], parameters["tenantId"], parameters["clientID"], objects)


def _listed(where: str, text: str) -> list[dict[str, Any]]:
    """The objects: YAML whose ``array`` holds YAML again, a text each."""
    try:
        listed = yaml.safe_load(text)["array"]
        found = [yaml.safe_load(each) for each in listed]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ConfigError(f"{where}: parameters.objects is no YAML with an array of YAML texts") from None
    if not found or not all(isinstance(each, dict) for each in found):
        raise ConfigError(f"{where}: parameters.objects.array holds no objects")
    return found


def _wanted(where: str, told: dict[str, Any]) -> Wanted:
    name = told.get("objectName")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: an object has no objectName")
    where = f"{where}: object {name}"
    _none_but(where, told, _OBJECT)
    chosen = {each: str(told.get(each) or _DEFAULTS.get(each, "")) for each in _CHOICES}
    for each, allowed in _CHOICES.items():
        if chosen[each] not in allowed:
            raise ConfigError(f"{where}: {each} {chosen[each]!r} (known: {', '.join(allowed)})")
    if chosen["objectFormat"] == "pfx" and chosen["objectType"] != "secret":
        raise ConfigError(f"{where}: objectFormat pfx is for objectType secret only")
    file = str(told.get("objectAlias") or name)
    if "/" in file or file.startswith("."):
        raise ConfigError(f"{where}: objectAlias {file!r} must be a plain file name")
    return Wanted(
        name, chosen["objectType"], str(told.get("objectVersion") or ""), file, chosen["objectFormat"],
        chosen["objectEncoding"], _mode(where, told.get("filePermission")),
    )  # fmt: skip


def _mode(where: str, told: object) -> int | None:
    if told in (None, ""):
        return None
    try:
        mode = int(str(told), 8) if isinstance(told, str) else int(str(told))
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise ConfigError(f"{where}: filePermission {told!r} is no octal mode up to 0777")
    return mode


def _none_but(where: str, given: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(key for key in given if key not in known and given[key] not in (None, "", [], {}))
    if unknown:
        raise ConfigError(f"{where}: {', '.join(unknown)} not known here (known: {', '.join(sorted(known))})")
