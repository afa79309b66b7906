"""ARM's rules that need more than the body: names, versions, parents, preconditions, locks, what may not change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.azure.arm.ids import Address, ancestors, canonical
from local.azure.arm.shapes import UNKNOWN
from local.azure.arm.store import LocalStore, merged
from local.azure.arm.types import Type, all_types, by_path
from local.azure.context import ArmError, Body, Resource
from local.instance import SUBSCRIPTION_ID

LOCK_TYPE = "Microsoft.Authorization/locks"


def known_type(address: Address, version: str) -> Type:
    """The type of an address. Raises ArmError for one that the table lacks, or an API version that it does not list."""
    kind = by_path(address.path, version.lower())
    if kind is None:
        raise unknown_type(address)
    check_version(kind, version)
    return kind


def listed_types(address: Address, version: str) -> str:
    """The type whose collection an address is. Raises ArmError as ``known_type``."""
    for kind in all_types():
        if kind.type.lower() == address.type.lower():
            check_version(kind, version)
            return kind.type
    raise unknown_type(address)


def unknown_type(address: Address) -> ArmError:
    """A type that is not in the table."""
    spaces = {each.type.split("/")[0].lower() for each in all_types()}
    if address.namespace.lower() not in spaces:
        return ArmError(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{address.namespace}' is invalid: the embedded Azure does not know it.",
        )
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{address.type}' could not be found in the namespace '{address.namespace}': "
        "the embedded Azure's table of types has no line for it.",
    )


def check_version(kind: Type, version: str) -> None:
    """Raises ArmError 400 for a missing or unlisted API version."""
    if not version:
        raise ArmError(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
        )
    if version.lower() not in (kind.version, *kind.versions):
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{version}' for type '{kind.type}'. "
            f"The supported api-versions are '{', '.join(sorted((kind.version, *kind.versions)))}'.",
        )


def names(address: Address, kind: Type) -> list[Body]:
    """One detail a path parameter that breaks its rule; an unknown name is not judged."""
    details: list[Body] = []
    for parameter, value in kind.parse_id(address.path).items():
        rule = kind.names.get(parameter)
        if rule is None or UNKNOWN in value:
            continue
        low, high = rule.get("min", 1), rule.get("max", 260)
        fine = low <= len(value) <= high and re.search(rule.get("pattern", ""), value)
        if "enum" in rule:
            fine = fine and value.lower() in [each.lower() for each in rule["enum"]]
        if not fine:
            wants = f"{low} to {high} characters" + (f", matching {rule['pattern']}" if "pattern" in rule else "")
            wants = f"one of {', '.join(rule['enum'])}" if "enum" in rule else wants
            details.append(
                {
                    "code": "InvalidResourceName",
                    "target": parameter,
                    "message": f"'{value}' is not a valid {parameter} of {kind.type}; allowed: {wants}.",
                }
            )
    return details


def same_identity(address: Address, kind: Type, body: Mapping[str, Any]) -> None:
    """Raises ArmError 400 when the body names another resource than the address."""
    said = {"id": canonical(address.path), "name": address.name.lower(), "type": kind.type.lower()}
    for member, expected in said.items():
        value = body.get(member)
        if member in kind.shape.by_path and not kind.shape.by_path[member].read_only:
            continue  # an input of this type, e.g. a subnet's own name
        if isinstance(value, str) and UNKNOWN not in value and value.lower().rstrip("/") != expected:
            raise ArmError(
                400, "InvalidRequestContent", f"The body's {member} is {value!r}; by its address it is {expected!r}."
            )


_VAULT_OBJECTS = ("keys", "secrets", "certificates")


def parent_exists(store: LocalStore, address: Address) -> None:
    """Raises ArmError 404 (ResourceGroupNotFound or ParentResourceNotFound) when what encloses it is not there."""
    parts = address.path.strip("/").split("/")
    if parts[0].lower() == "subscriptions" and parts[1].lower() != SUBSCRIPTION_ID:
        raise subscription_not_found(parts[1])
    if len(parts) > 4 and parts[2].lower() == "resourcegroups":
        group = store.get("/" + "/".join(parts[:4]))
        if group is None:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{parts[3]}' could not be found.")
        if group.properties.get("provisioningState") == "Deleting":
            raise ArmError(
                409,
                "ResourceGroupBeingDeleted",
                f"The resource group '{parts[3]}' is in deprovisioning state and cannot perform this operation.",
            )
    if (
        "/providers/" in address.parent
        and store.get(address.parent) is None
        and not _made_by_azure(store, address.parent)
        and not _in_a_vault(store, address.parent)
    ):
        raise ArmError(
            404,
            "ParentResourceNotFound",
            f"Can not perform requested operation on nested resource. Parent resource '{address.parent}' not found.",
            address.path,
        )


def _in_a_vault(store: LocalStore, path: str) -> bool:
    """Whether it is an object of a vault that is there: roles are given at one, which ARM need not know of.

    Source: learn.microsoft.com/azure/key-vault/general/rbac-guide, "Secret scope role assignment".
    """
    vault, _, kept = path.rpartition("/")[0].rpartition("/")
    owner = store.get(vault) if kept.lower() in _VAULT_OBJECTS else None
    return owner is not None and owner.type.lower() == "microsoft.keyvault/vaults"


def _made_by_azure(store: LocalStore, path: str) -> bool:
    """Whether it comes with its own parent, and can only be configured: a storage account's blobServices/default."""
    kind, owner = by_path(path), path.rsplit("/", 2)[0]
    only = len(kind.names.get(kind.name_parameter or "", {}).get("enum", ())) == 1 if kind else False
    return only and store.get(owner) is not None


def subscription_not_found(subscription: str) -> ArmError:
    """Not the one local subscription."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def not_found(address: Address) -> ArmError:
    """The resource of an address is not there."""
    parts = address.path.strip("/").split("/")
    if len(parts) == 4 and parts[2].lower() == "resourcegroups":
        return ArmError(404, "ResourceGroupNotFound", f"Resource group '{parts[3]}' could not be found.")
    return ArmError(
        404, "ResourceNotFound", f"The Resource '{address.type}/{address.name}' was not found: {address.path}"
    )


def preconditions(headers: Mapping[str, str], etag: str | None) -> None:
    """Raises ArmError 412 unless ``If-Match`` and ``If-None-Match`` hold (RFC 9110, 13.1)."""
    match, none = headers.get("If-Match"), headers.get("If-None-Match")
    wrong = match is not None and (etag is None or (match != "*" and etag not in match))
    wrong = wrong or (none is not None and etag is not None and (none == "*" or etag in none))
    if wrong:
        raise ArmError(412, "PreconditionFailed", "The resource's entity tag does not meet the request's precondition.")


def no_lock(store: LocalStore, path: str, *, writing: bool) -> None:
    """Raises ArmError 409 ScopeLocked when a management lock above (for a deletion: or below) forbids it."""
    if "/microsoft.authorization/" in path.lower():
        return
    above, here = set(ancestors(path)), canonical(path)
    for lock in store.list(LOCK_TYPE):
        scope = canonical(lock.id).rsplit("/providers/microsoft.authorization/", 1)[0]
        level = lock.properties.get("level")
        reaches = scope in above or (not writing and scope.startswith(here + "/"))
        if reaches and (level == "ReadOnly" or (level == "CanNotDelete" and not writing)):
            verb = "write" if writing else "delete"
            raise ArmError(
                409,
                "ScopeLocked",
                f"The scope '{path}' cannot perform {verb} operation because following scope(s) are locked: '{scope}'. "
                "Please remove the lock and try again.",
            )


def immutable(kind: Type, body: Mapping[str, Any], previous: Resource | None) -> None:
    """Raises ArmError 409 PropertyChangeNotAllowed with one detail a changed property that is fixed at creation."""
    if previous is None:
        return
    resource_id = previous.id
    old, new = kind.from_arm(resource_id, previous.body), kind.from_arm(resource_id, body)
    same_path = dict.fromkeys(kind.parameters, "")
    changed = kind.replaces({**old, **same_path}, {**new, **same_path})
    details = [
        {
            "code": "PropertyChangeNotAllowed",
            "target": kind.wire_path(path),
            "message": f"Changing property '{kind.wire_path(path)}' of {kind.type} is not allowed.",
        }
        for path in changed
        if not _unknown_at(new, path)
    ]
    if details:
        code = "InvalidResourceLocation" if changed == ["location"] else "PropertyChangeNotAllowed"
        message = (
            f"The resource '{previous.name}' already exists in location '{old.get('location')}'. A resource with the "
            f"same name cannot be created in location '{new.get('location')}'. Please select a new resource name."
            if changed == ["location"]
            else f"Changing {', '.join(d['target'] for d in details)} of '{previous.name}' is not allowed."
        )
        raise ArmError(409, code, message, details[0]["target"], details)


def _unknown_at(value: Any, path: str) -> bool:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return isinstance(value, str) and UNKNOWN in value


def proper_id(address: Address, kind: Type) -> str:
    """An address with the table's spelling of its fixed words; names keep the caller's."""
    words, parts = kind.path.strip("/").split("/"), address.path.strip("/").split("/")
    if kind.path.startswith("/{"):  # a scope of any number of segments: keep it, spell the rest
        words = words[1:]
        scope, parts = parts[: len(parts) - len(words)], parts[len(parts) - len(words) :]
    else:
        scope = []
    return "/" + "/".join([*scope, *(p if w.startswith("{") else w for w, p in zip(words, parts, strict=True))])


def name_is_free(store: LocalStore, address: Address, kind: Type) -> None:
    """Raises ArmError 409 when a globally unique name is taken, or still held by a soft-deleted resource."""
    if kind.unique != "global" or UNKNOWN in address.name:
        return
    for other in store.list(kind.type):
        if other.name.lower() == address.name.lower() and canonical(other.id) != canonical(address.path):
            raise ArmError(
                409,
                kind.taken_code,
                f"The name '{address.name}' of {kind.type} is already taken by {other.id}. Choose another.",
            )


def stored_body(kind: Type, body: Mapping[str, Any], previous: Resource | None) -> Body:
    """What is kept: the request's body without the address' parts, with the read-only outputs that were there."""
    apart = ("id", "name", "type", "systemData", "etag", "apiVersion")
    kept = {k: _without_null(v) for k, v in body.items() if k not in apart and v is not None}
    if previous is None:
        return kept
    for each in kind.shape.fields.values():
        if not each.read_only:
            continue
        source: Any = previous.body
        steps = each.path.split(".")
        for step in steps:
            source = source.get(step) if isinstance(source, Mapping) else None
        if source is not None:
            layer: Body = source
            for step in reversed(steps):
                layer = {step: layer}
            kept = merged(kept, layer)
    return kept


def _without_null(value: Any) -> Any:
    """ARM takes null as absent."""
    if isinstance(value, Mapping):
        return {k: _without_null(v) for k, v in value.items() if v is not None}
    return [_without_null(each) for each in value] if isinstance(value, list) else value


def not_deleting(previous: Resource | None) -> None:
    """Raises ArmError 409 while a resource is being deleted."""
    if previous is not None and previous.properties.get("provisioningState") == "Deleting":
        raise ArmError(
            409, "AnotherOperationInProgress", f"{previous.id} is being deleted. Wait until it is gone, then retry."
        )


def patched(kind: Type, stored: Mapping[str, Any], patch: Mapping[str, Any]) -> Body:
    """The body after a JSON merge patch (RFC 7396), read-only properties of the patch refused later."""
    result = dict(stored)
    for key, value in patch.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(old, Mapping) and key != "tags":
            result[key] = patched(kind, old, value)
        else:
            result[key] = value
    return result
