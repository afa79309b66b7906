"""Addresses of Graph: ``applications(uniqueName='x')/federatedIdentityCredentials/…`` to collection and id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from local.azure.context import ArmError
from local.azure.entra.graph.kinds import KINDS, Kind
from local.azure.entra.graph.store import GraphStore

_KEYED = re.compile(r"(?P<name>\w+)\((?P<key>\w+)='(?P<value>(?:[^']|'')*)'\)")


@dataclass(frozen=True)
class Address:
    """Where a request goes. collection: with the ids of what it is in. key: the object's id, None for the collection.

    named: alternate key and value of an object that is not there. reference: whether a link is meant ("$ref").
    """

    kind: Kind
    collection: str
    key: str | None
    named: tuple[str, str] | None = None
    reference: bool = False


def parse(path: str, store: GraphStore) -> Address:
    """The address of a path without its version. Raises ArmError 404 for what is not part of Graph here."""
    parts = [unquote(each) for each in path.strip("/").split("/")]
    reference = parts[-1] == "$ref"
    collection, template, key, named = "", "", None, None
    for part in parts[:-1] if reference else parts:
        if named is not None:
            raise not_found(path)
        keyed = _KEYED.fullmatch(part)
        if keyed:
            collection = _joined(collection, key, keyed["name"])
            template = _joined(template, "{}" if key else None, keyed["name"])
            if template not in KINDS or keyed["key"] not in KINDS[template].keys:
                raise _unknown(path)
            value = keyed["value"].replace("''", "'")
            found = next((each for each in store.list(collection) if each.get(keyed["key"]) == value), None)
            key, named = (found["id"], None) if found else (None, (keyed["key"], value))
        elif template in KINDS and key is None:
            key = part
        else:
            collection = _joined(collection, key, part)
            template = _joined(template, "{}" if key else None, part)
            key = None
    if template not in KINDS:
        raise _unknown(path)
    _check_parents(collection, store)
    return Address(KINDS[template], collection, key, named, reference)


def not_found(what: str) -> ArmError:
    """Graph's answer for an object that is not there."""
    return ArmError(404, "Request_ResourceNotFound", f"Resource '{what}' does not exist.")


def _joined(*parts: str | None) -> str:
    return "/".join(each for each in parts if each)


def _check_parents(collection: str, store: GraphStore) -> None:
    """What a collection is in must be there."""
    found = re.match(r"(applications|servicePrincipals|identity/authenticationEventsFlows)/([^/]+)/", collection)
    if found and store.get(found[1], found[2]) is None:
        raise not_found(found[2])


def _unknown(path: str) -> ArmError:
    known = ", ".join(sorted(KINDS))
    return ArmError(400, "Request_BadRequest", f"{path} is not part of Graph here; allowed: users, {known}.")
