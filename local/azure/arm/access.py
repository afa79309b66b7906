"""Role definitions and assignments as ARM lists them: built-in roles, ``$filter``, scopes above and below."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.azure.arm import roles
from local.azure.arm.authorize import ASSIGNMENT_TYPE, DEFINITION_TYPE
from local.azure.arm.condition import attributes
from local.azure.arm.ids import Address, ancestors, canonical
from local.azure.arm.store import LocalStore
from local.azure.arm.types import Type
from local.azure.context import About, ArmError, Body
from local.instance import SUBSCRIPTION_ID

_CLAUSE = re.compile(r"\s*(?:(\w+)\s+eq\s+'([^']*)'|(atScope\(\)|asTarget\(\))|assignedTo\('([^']*)'\))\s*")


def about(kind: Type, **bodies: Body) -> About:
    """What conditions may ask of a request to a role assignment; nothing of others. bodies: by where they are from."""
    if kind.type != ASSIGNMENT_TYPE:
        return {}
    return {source: attributes(body.get("properties") or {}) for source, body in bodies.items()}


def definition_body(guid: str, properties: Mapping[str, Any]) -> Body:
    """A role definition as ARM answers it."""
    root = f"/subscriptions/{SUBSCRIPTION_ID}/providers/{DEFINITION_TYPE}"
    return {"id": f"{root}/{guid}", "name": guid, "type": DEFINITION_TYPE, "properties": dict(properties)}


def definition(address: Address) -> Body | None:
    """A built-in definition by an address at whatever scope; None for another."""
    known = roles.built_in().get(address.name.lower())
    return definition_body(address.name.lower(), known) if known else None


def definitions(store: LocalStore, filtered: str) -> list[Body]:
    """Every definition that a ``$filter`` (roleName, type) lets through."""
    wanted = _filter(filtered, {"roleName", "type"})
    listed = [definition_body(guid, properties) for guid, properties in roles.built_in().items()]
    listed += [definition_body(each.name, each.properties) for each in store.list(DEFINITION_TYPE)]
    return [
        each
        for each in listed
        if all(str(each["properties"].get(name, "")).lower() == value.lower() for name, value in wanted.items())
    ]


def assignments(store: LocalStore, scope: str, filtered: str) -> list[Body]:
    """Assignments that reach a scope from above, or (without ``atScope()``) lie at or below it."""
    wanted = _filter(filtered, {"principalId"})
    above, here = set(ancestors(scope or "/")), canonical(scope) if scope else "/"
    found = []
    for each in store.list(ASSIGNMENT_TYPE):
        where = canonical(each.id).rsplit("/providers/microsoft.authorization/", 1)[0] or "/"
        below = "atScope()" not in filtered and (here == "/" or where.startswith(here + "/"))
        if (where in above or below) and (
            not wanted or str(each.properties.get("principalId", "")).lower() == wanted["principalId"].lower()
        ):
            found.append({"id": each.id, "name": each.name, "type": each.type, **each.body})
    return found


def _filter(text: str, known: set[str]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", text) if text else ():
        found = _CLAUSE.fullmatch(clause)
        if found is None or (found[1] and found[1] not in known):
            raise ArmError(
                400,
                "InvalidFilter",
                f"The $filter {clause!r} is not known; allowed: {', '.join(sorted(known))} eq '…', atScope().",
            )
        if found[1]:
            wanted[found[1]] = found[2]
        elif found[4]:
            wanted["principalId"] = found[4]
    return wanted
