"""Inputs made from the table itself: every writable field, values unknown except where only some are allowed."""

from __future__ import annotations

from typing import Any

from local.azure.arm.shapes import UNKNOWN, Shape, alternatives
from local.azure.arm.types import Type, shapes


def everything(kind: Type) -> dict[str, Any]:
    """Inputs that set every writable field of a type, four levels deep."""
    inputs = dict.fromkeys(kind.parameters, UNKNOWN)
    for name, rule in kind.names.items():
        if "enum" in rule:
            inputs[name] = rule["enum"][0]
    return {**_object(kind.shape, 0), **inputs}


def _object(shape: Shape, depth: int) -> dict[str, Any]:
    result = {}
    for name, each in shape.fields.items():
        if each.read_only or (depth == 0 and name in ("id", "type", "name", "etag")):
            continue
        value = _value(each.type, depth)
        if value is not None:
            result[name] = value
    return result


def _value(kind: str, depth: int) -> Any:
    match kind[0]:
        case "[":
            inner = _value(kind[1:-1], depth)
            return None if inner is None else [inner]
        case "{":
            inner = _value(kind[1:-1], depth)
            return None if inner is None else {"key": inner}
        case "@":
            return _object(shapes()[kind[1:]], depth + 1) if depth < 4 else None
        case "=":
            return shapes()[kind[1:]][0]
        case "%":
            by, options = alternatives(kind)
            first = sorted(options)[0]
            inner = _value(options[first], depth)
            return None if inner is None else {**inner, by: first}
    return ["<unknown>"] if kind == "ids" else UNKNOWN
