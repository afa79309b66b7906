"""Between a resource as Pulumi has it and as ARM has it, beyond what the table of types does itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.azure.arm.shapes import Shape
from local.azure.arm.types import Type, plain_location, shapes
from local.plugins.azure_native.defaults import API_VERSION, BOOKKEEPING
from local.plugins.values import UNKNOWN, Secret

_SECRET_OUTPUT = re.compile(
    r"(?i)^(.*password|.*secret|(primary|secondary|shared|account|access|storage)\w*key|(primary|secondary)connectionstring"
    r"|kube_?configs?|sas_?token|access_?token)$"
)
_NOT_SECRET = re.compile(r"(?i)(uri|url|id|name|version|type|enabled|policy|identifier)$")


def to_arm(kind: Type, inputs: Mapping[str, Any], subscription: str) -> tuple[str, dict[str, Any]]:
    """The resource id and request body. Raises ValueError when a part of the id is missing."""
    return kind.to_arm({k: v for k, v in inputs.items() if k not in BOOKKEEPING}, subscription)


def outputs(kind: Type, resource_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's state: ARM's answer, its secrets marked."""
    flat = kind.from_arm(resource_id, body)
    flat.pop("id", None)  # the engine keeps it apart
    return {key: _guarded(key, value) for key, value in flat.items()} | {API_VERSION: kind.version}


def guarded(value: Any) -> Any:
    """A function's answer with its secrets marked."""
    match value:
        case dict():
            return {key: _guarded(key, each) for key, each in value.items()}
        case list():
            return [guarded(each) for each in value]
    return value


def _guarded(key: str, value: Any) -> Any:
    if value and _SECRET_OUTPUT.match(key) and not _NOT_SECRET.search(key) and not isinstance(value, bool):
        return Secret(value)
    return guarded(value)


def preview(kind: Type, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The state as far as it is known before deployment: what was said, and unknown all that Azure will add."""
    return _expected(kind.shape, {k: v for k, v in inputs.items() if k != "__createBeforeDelete"}, kind.parameters)


def _expected(shape: Shape, given: Mapping[str, Any], leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    result = {key: value for key, value in given.items() if key not in leave_out}
    for name, field in shape.fields.items():
        if field.write_only:
            result.pop(name, None)
        elif name not in result or field.type == "ids":  # a list of ids becomes a map of what Azure knows of them
            result[name] = UNKNOWN
        elif field.type.startswith("@") and isinstance(result[name], dict):
            result[name] = _expected(shapes()[field.type[1:]], result[name])
    result.pop("id", None)
    return result


def writable(kind: Type, state: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a state that a program could have said, path parameters apart."""
    fields = kind.shape.fields
    return {
        key: _writable(value, fields[key].type)
        for key, value in state.items()
        if key in fields and not fields[key].read_only and key not in ("id", "name", "type")
    }


def without_children(said: Mapping[str, Any], resource_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What could have been said, without lists of resources below this one that were not: a network's subnets that
    are resources of their own."""
    below = f"{resource_id}/".lower()

    def holds_children(value: Any) -> bool:
        entries = value if isinstance(value, list) else ()
        return any(isinstance(each, dict) and str(each.get("id", "")).lower().startswith(below) for each in entries)

    return {key: value for key, value in said.items() if key in inputs or not holds_children(value)}


def _writable(value: Any, word: str) -> Any:
    match word[0], value:
        case "[", list():
            return [_writable(each, word[1:-1]) for each in value]
        case "{", dict():
            return {key: _writable(each, word[1:-1]) for key, each in value.items()}
        case "@", dict():
            fields = shapes()[word[1:]].fields
            return {
                k: _writable(v, fields[k].type) for k, v in value.items() if k in fields and not fields[k].read_only
            }
    return value


def sdk_path(kind: Type, target: str) -> str:
    """Where a property of a request body lies in the resource's inputs, e.g. "properties.networkAcls.bypass"
    of a storage account is "networkRuleSet.bypass"."""
    if target in kind.parameters:
        return target
    shape: Shape | None = kind.shape
    word, where, found = "", "", []
    for step in target.split("."):
        name, bracket, index = step.partition("[")
        if word.startswith("{"):  # a map's key
            found.append(step)
            word = word[1:-1]
        else:
            inner = f"{where}.{name}" if where else name
            known = shape.by_path.get(inner) if shape else None
            if known is None and shape and inner in shape.envelopes:
                where = inner
                continue
            found.append((known.name if known else name) + bracket + index)
            word, where = (known.type if known else "any"), ""
            while word.startswith("[") and bracket:
                word = word[1:-1]
        shape = shapes()[word[1:]] if word.startswith("@") else None
    return ".".join(found) or target


def same(path: str, old: Any, new: Any) -> bool:
    """Whether two values of a property are one to Azure: regions are spelled in two ways."""
    if path == "location" and isinstance(old, str) and isinstance(new, str):
        return plain_location(old) == plain_location(new)
    return old == new and isinstance(old, bool) == isinstance(new, bool)
