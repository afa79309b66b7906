"""Kubernetes objects as Pulumi has them: kinds of tokens, names, what is a secret, what a program has said."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins.naming import unique_name, urn_name, urn_type
from local.plugins.provider import ProviderError
from local.plugins.values import UNKNOWN, Secret, has_secret, plain

Object = dict[str, Any]
AUTONAMED = "pulumi.com/autonamed"
INPUTS, API_VERSION, MANAGER = "__inputs", "__initialApiVersion", "__fieldManager"
"""What the official provider keeps in the state beside the live object."""
_SERVER_SIDE = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields")
_READ_ONLY = (*_SERVER_SIDE, "resourceVersion", "selfLink", "uid")
_COMPONENTS = ("helm.sh/", "yaml", "kustomize")


def api_kind(urn: str) -> tuple[str, str]:
    """apiVersion and kind of a resource. Raises ProviderError for what is no single Kubernetes object."""
    token = urn_type(urn)
    _, module, kind = token.split(":", 2)
    if module.startswith(_COMPONENTS):
        raise ProviderError(
            f"{token} is run by the official kubernetes plugin; the stand-in takes single objects only. "
            "Declare the chart's or file's objects one by one."
        )
    if kind.endswith("Patch") or (kind.endswith("List") and kind != "List"):
        raise ProviderError(f"{token}: the stand-in takes neither patches nor lists. Declare the object itself.")
    group, _, version = module.partition("/")
    return (version if group == "core" else f"{group}/{version}"), kind


def manager_of(urn: str) -> str:
    """The field manager of a resource: like the official one a suffix a resource, but the same in every run, so that
    an object whose creation was never answered is known as this resource's own."""
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def managed_by(live: Object, manager: str) -> bool:
    """Whether a field manager has applied the object."""
    fields = (live.get("metadata") or {}).get("managedFields") or []
    return any(each.get("manager") == manager and each.get("operation") == "Apply" for each in fields)


def named(inputs: Object, olds: Object, request: rpc.CheckRequest) -> Object:
    """The inputs with a name: as said, as before, or chosen. Raises ProviderError where none may be chosen."""
    metadata = inputs.get("metadata") or {}
    if not isinstance(metadata, Mapping) or metadata.get("name") is not None:
        return inputs
    if metadata.get("generateName"):
        raise ProviderError("metadata.generateName does not go with server-side apply; leave the name out or say it.")
    before = olds.get("metadata") or {}
    if before.get("name") and (before.get("annotations") or {}).get(AUTONAMED) == "true":
        name = before["name"]
    elif request.HasField("autonaming"):
        if request.autonaming.mode == rpc.CheckRequest.AutonamingOptions.DISABLE:
            raise ProviderError("autonaming is disabled: metadata.name is required")
        name = request.autonaming.proposed_name
    else:
        name = unique_name(request.randomSeed, f"{urn_name(request.urn)}-")
    annotations = metadata.get("annotations") or {}
    marked = {**annotations, AUTONAMED: "true"} if isinstance(annotations, Mapping) else annotations
    return {**inputs, "metadata": {**metadata, "name": name, "annotations": marked}}


def identity(live: Object) -> str:
    """A resource's id: namespace and name, or the name alone."""
    metadata = live["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def parts(resource_id: str) -> tuple[str | None, str]:
    """Namespace and name of an id."""
    namespace, slash, name = resource_id.rpartition("/")
    return (namespace if slash else None), name


def wanted(inputs: Mapping[str, Any], api_version: str, kind: str) -> Object:
    """What is applied: the inputs in clear, without what the server sets."""
    value = {key: each for key, each in plain(dict(inputs)).items() if not key.startswith("__") and key != "status"}
    metadata = {key: each for key, each in (value.get("metadata") or {}).items() if key not in _READ_ONLY}
    return _dashed({**value, "apiVersion": api_version, "kind": kind, "metadata": metadata})


def state(inputs: Object, live: Object, manager: str) -> Object:
    """What Pulumi keeps: the live object with its secrets marked, and the official provider's bookkeeping."""
    shown = annotated(_underscored(live), inputs)
    bookkeeping = {INPUTS: annotated(plain(inputs), inputs), API_VERSION: live.get("apiVersion"), MANAGER: manager}
    return {**shown, **bookkeeping}


def annotated(value: Any, given: Any, *, top: bool = True) -> Any:
    """A value with those parts secret that were given as secrets, and a Secret's data always."""
    if not isinstance(value, dict):
        return value
    result = dict(value)
    if top and result.get("kind") == "Secret" and result.get("apiVersion", "v1") == "v1":
        for key in ("data", "stringData"):
            if result.get(key) is not None and not isinstance(result[key], Secret):
                result[key] = Secret(plain(result[key]))
        metadata = given.get("metadata") if isinstance(given, Mapping) else None
        return {**result, "metadata": annotated(result.get("metadata"), metadata, top=False)}
    for key, said in given.items() if isinstance(given, Mapping) else ():
        if key not in result or isinstance(result[key], Secret):
            continue
        if isinstance(result[key], dict) and isinstance(said, Mapping):
            result[key] = annotated(result[key], said, top=False)
        elif has_secret(said):
            result[key] = Secret(plain(result[key]))
    return result


def pruned(live: Any, said: Any) -> Any:
    """The live object reduced to what a program has said, as the official provider does on refresh."""
    if isinstance(live, Mapping) and isinstance(said, Mapping):
        return {key: pruned(live[key], each) for key, each in said.items() if key in live}
    if isinstance(live, list) and isinstance(said, list):
        return [pruned(each, said[i]) if i < len(said) else each for i, each in enumerate(live)][: max(len(said), 0)]
    return live


def refreshed(live: Object, said: Object) -> Object:
    """The inputs as the live object has them now."""
    result = pruned(live, said)
    if live.get("kind") == "Secret" and isinstance(said.get("stringData"), Mapping):
        data = live.get("data") or {}
        result["stringData"] = {
            key: base64.b64decode(data[key]).decode(errors="replace") for key in said["stringData"] if key in data
        }
    return result


def imported(live: Object) -> Object:
    """Inputs that stand for a live object nobody has declared yet."""
    metadata = {key: each for key, each in live["metadata"].items() if key not in _READ_ONLY}
    return {**{key: each for key, each in live.items() if key != "status"}, "metadata": metadata}


def expected(inputs: Object, before: Object | None = None) -> Object:
    """The state as far as it is known before deployment."""
    result: Object = {**inputs, "status": UNKNOWN}
    metadata = inputs.get("metadata")
    if isinstance(metadata, Mapping):
        kept = (before or {}).get("metadata") or {}
        result["metadata"] = {
            **metadata,
            **{key: kept.get(key, UNKNOWN) for key in ("uid", "creationTimestamp")},
            **dict.fromkeys(("resourceVersion", "generation"), UNKNOWN),
        }
    spec = inputs.get("spec")
    if inputs.get("kind") == "Service" and isinstance(spec, Mapping) and "clusterIP" not in spec:
        kept = (before or {}).get("spec") or {}
        result["spec"] = {**spec, **{key: kept.get(key, UNKNOWN) for key in ("clusterIP", "clusterIPs")}}
    return result


def comparable(live: Object) -> Object:
    """A live object without its status and what changes by every write, to see whether a dry run changes anything."""
    metadata = {key: each for key, each in live["metadata"].items() if key not in ("resourceVersion", "generation")}
    managers = [
        {key: value for key, value in each.items() if key != "time"}
        for each in metadata.get("managedFields") or []
        if not each.get("subresource")
    ]
    rest = {key: value for key, value in live.items() if key != "status"}
    return {**rest, "metadata": {**metadata, "managedFields": managers}}


def _dashed(value: Any) -> Any:
    return _renamed(value, "x_kubernetes_", lambda key: key.replace("_", "-"))


def _underscored(value: Any) -> Any:
    return _renamed(value, "x-kubernetes-", lambda key: key.replace("-", "_"))


def _renamed(value: Any, prefix: str, rename: Any) -> Any:
    match value:
        case dict():
            return {(rename(k) if k.startswith(prefix) else k): _renamed(v, prefix, rename) for k, v in value.items()}
        case list():
            return [_renamed(each, prefix, rename) for each in value]
    return value
