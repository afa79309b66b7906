"""The constraint catalogue, enforced: what Azure refuses although the body has the right shape.

Its data and their evaluation are policies/constraints.yaml and policies/constraints, which the policy pack uses, too.
What a resource refers to is judged as it is stored: before it is there, in a preview, only the policy pack sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.azure.arm.ids import Address
from local.azure.arm.store import LocalStore
from local.azure.arm.types import UNKNOWN, Type, by_path
from local.azure.arm.validate import refused
from local.azure.context import Resource
from policies.constraints.constraint import Constraint, of_type

CODE = "AzureConstraint"


def check(store: LocalStore, address: Address, kind: Type, body: Mapping[str, Any], previous: Resource | None) -> None:
    """Raises ArmError 400 with one detail a constraint that does not hold, naming the rule and its source."""
    found = of_type(kind.token)
    if not found:
        return
    inputs = {**_inputs(kind, address.path, body), **kind.parse_id(address.path)}
    before = _inputs(kind, previous.id, previous.body) if previous else None
    details = [
        {"code": CODE, "target": _target(kind, each, path), "message": _message(each, demanded)}
        for each in found
        for path, demanded in _broken(each, kind, inputs, before, store, address)
    ]
    if details:
        raise refused(kind.type, details)


def _broken(
    constraint: Constraint,
    kind: Type,
    inputs: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    store: LocalStore,
    address: Address,
) -> Iterator[tuple[str, str]]:
    """Path and demand of what does not hold."""
    if constraint.immutable:
        # What the table marks as fixed at creation is refused by rules.immutable, and replaced by the provider.
        changed = constraint.changes(before, inputs) if before is not None else ()
        yield from ((path, f"{path} stays as it is") for path in changed if not kind.fixed_at_creation(path))
        return
    for others in _related(constraint, kind, inputs, store, address) if constraint.related else ({},):
        answer = constraint.judge({**inputs, **others})
        if answer.holds is False:
            yield answer.path, answer.reason


def _related(
    constraint: Constraint, kind: Type, inputs: Mapping[str, Any], store: LocalStore, address: Address
) -> Iterator[dict[str, Any]]:
    """The inputs of each stored resource of the related type that the property refers to."""
    by = constraint.related["by"]
    ids = _texts(inputs.get(by)) if by not in kind.parameters else [_up_to(kind, by, address.path)]
    for each in ids:
        other = by_path(each) if each.startswith("/") and UNKNOWN not in each else None
        stored = store.get(each) if other and other.token == constraint.related["type"] else None
        if other and stored:
            yield {"related": _inputs(other, stored.id, stored.body)}


def _inputs(kind: Type, resource_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as azure-native names it; an object that is one input and the envelope of outputs stays whole, too."""
    whole = {each.name: body.get(each.wire) for each in kind.shape.fields.values() if each.path in kind.shape.envelopes}
    return {**kind.from_arm(resource_id, body), **{key: value for key, value in whole.items() if value is not None}}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for each in parts for text in _texts(each)]


def _up_to(kind: Type, parameter: str, path: str) -> str:
    """The part of an id that ends with a path parameter: the id of an enclosing resource."""
    segments = kind.path.strip("/").split("/")
    return "/" + "/".join(path.strip("/").split("/")[: segments.index(f"{{{parameter}}}") + 1])


def _target(kind: Type, constraint: Constraint, path: str) -> str:
    own = constraint.related["by"] if path.startswith("related.") else path
    return kind.wire_path(re.sub(r"\.(\d+)", r"[\1]", own))


def _message(constraint: Constraint, demanded: str) -> str:
    said = f"{constraint.id}: {constraint.title}. {constraint.reason} Demanded: {demanded}. {constraint.fix}"
    return f"{said} Source: {constraint.source}"
