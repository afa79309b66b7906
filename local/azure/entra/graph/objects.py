"""Creates, changes and deletes objects of Graph, judged by their shapes and by what they need of each other."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from local.azure.context import ArmError, Body
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.graph.checks import check
from local.azure.entra.graph.kinds import DELETED, LINKS, SETTINGS, Kind
from local.azure.entra.graph.paths import Address, not_found
from local.azure.entra.graph.permissions import APP_ROLES, GRAPH_APP
from local.azure.entra.graph.shapes import Shape
from local.azure.entra.graph.store import GraphStore

_SETTINGS = "settings"


class Objects:
    """The tenant's objects. directory: where a service principal becomes somebody who can sign in."""

    def __init__(self, store: GraphStore, directory: LocalDirectory) -> None:
        self.store, self._directory = store, directory
        self._seed()

    def create(self, address: Address, given: Any) -> Body:
        """A new object. Raises ArmError 400, or 409 when there is one of its keys."""
        kind = address.kind
        if address.reference:
            return self._link(address, given)
        given = _object(given)
        added = {name: given.pop(name) for name in kind.given if name in given}
        own = _judged(kind.shape, given)
        added |= self._born(kind, own)
        for other in self.store.list(address.collection):
            if other["id"] == added["id"] or _same(other, own | added, kind.unique):
                names = ", ".join(kind.unique) or "id"
                raise ArmError(409, "Request_MultipleObjectsWithSameKeyValue", f"Another object has the same {names}.")
        check(kind.collection, own | added, None, self.store)
        if address.collection == "servicePrincipals":
            added |= self._become(own["appId"], added["id"])
        self.store.put(address.collection, own, added)
        return own | added

    def change(self, address: Address, given: Any) -> None:
        """Replaces properties of an object; objects within are merged. Raises ArmError."""
        before, given = self.read(address), _object(given)
        own = self.store.own(address.collection, before["id"])
        added = {name: value for name, value in before.items() if name not in own}
        for name in {*added, *address.kind.fixed} & set(given):
            if given[name] != before[name]:
                raise ArmError(400, "Request_BadRequest", f"Property {name} is read-only.")
        own = _judged(address.kind.shape, _merged(own, {n: v for n, v in given.items() if n not in added}))
        check(address.kind.collection, own | added, before, self.store)
        self.store.put(address.collection, own, added)

    def read(self, address: Address) -> Body:
        """An object. Raises ArmError 404."""
        found = self.store.get(address.collection, address.key or "")
        if found is None:
            raise not_found(address.key or (address.named or ("", ""))[1])
        return found

    def delete(self, address: Address) -> None:
        """Forget an object; an application can be had back until it is deleted from deletedItems, too."""
        found = self.read(address)
        if address.collection == "applications":
            self.bin(found)
            for each in self.store.list("servicePrincipals"):
                if each["appId"] == found["appId"]:
                    self._forget_principal(each["id"])
        if address.collection == "servicePrincipals":
            self._forget_principal(found["id"])
        self.store.remove(address.collection, found["id"])

    def bin(self, found: Body) -> None:
        """Keep what was deleted elsewhere, until it is deleted here, too."""
        self.store.put(DELETED, {}, {**found, "deletedDateTime": _now()})

    def setting(self, path: str) -> Body:
        """One of the objects that every tenant has."""
        name = path.rsplit("/", 1)[1].capitalize()
        kind = f"#microsoft.graph.{name.lower()}AuthenticationMethodConfiguration"
        return self.store.get(_SETTINGS, path) or {"@odata.type": kind, "state": "disabled", "id": path}

    def change_setting(self, path: str, given: Any) -> None:
        """Changes one of them. Raises ArmError 400."""
        own = {name: value for name, value in self.setting(path).items() if name != "id"}
        self.store.put(_SETTINGS, _judged(SETTINGS[path], _merged(own, _object(given))), {"id": path})

    def _born(self, kind: Kind, own: Body) -> Body:
        key = own[kind.identified_by] if kind.identified_by else str(uuid.uuid4())
        if kind.collection == "identity/b2cUserFlows" and not key.startswith("B2C_1_"):
            key = f"B2C_1_{key}"
        born = {"id": key, "createdDateTime": _now()}
        if kind.collection == "applications":
            return born | {"appId": str(uuid.uuid4())}
        return born

    def _become(self, app_id: str, key: str) -> Body:
        """The application of a new service principal can sign in from now on."""
        application = next((each for each in self.store.list("applications") if each["appId"] == app_id), None)
        name = application["displayName"] if application else "Microsoft Graph"
        self._directory.add(name, "ServicePrincipal", object_id=key, client_id=app_id)
        return {"displayName": name, "servicePrincipalType": "Application"}

    def _forget_principal(self, key: str) -> None:
        self._directory.remove(key)
        self.store.remove("servicePrincipals", key)

    def _link(self, address: Address, given: Any) -> Body:
        target = str(given.get("@odata.id", "")) if isinstance(given, dict) else ""
        before, collection = LINKS.get(address.kind.collection, ("", ""))
        found = self.store.get(collection, target.partition(before)[2]) if collection else None
        if found is None:
            raise ArmError(400, "Request_BadRequest", f"@odata.id {target!r} names nothing in {collection or 'there'}.")
        self.store.put(address.collection, {}, found)
        return found

    def _seed(self) -> None:
        """Graph's own service principal, whose permissions are assigned."""
        if not any(each["appId"] == GRAPH_APP for each in self.store.list("servicePrincipals")):
            roles = [
                {"id": key, "value": value, "allowedMemberTypes": ["Application"]} for value, key in APP_ROLES.items()
            ]
            body = {"id": str(uuid.uuid4()), "appId": GRAPH_APP, "displayName": "Microsoft Graph", "appRoles": roles}
            self.store.put("servicePrincipals", {}, body)


def _judged(shape: type[Shape] | None, given: Any) -> Body:
    if shape is None:
        raise ArmError(400, "Request_BadRequest", "This collection holds links only: add one with $ref.")
    try:
        return shape.model_validate(given).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        details = [
            {"code": each["type"], "target": ".".join(map(str, each["loc"])), "message": each["msg"]}
            for each in error.errors(include_url=False, include_input=False)
        ]
        first = details[0]
        message = f"Invalid value specified for property '{first['target']}': {first['message']}"
        raise ArmError(400, "Request_BadRequest", message, details=details) from None


def _object(given: Any) -> Body:
    if not isinstance(given, dict):
        raise ArmError(400, "Request_BadRequest", "The body must be a JSON object.")
    return dict(given)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Body:
    merged = dict(base)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


def _same(one: Body, other: Body, names: tuple[str, ...]) -> bool:
    return bool(names) and all(one.get(name) is not None and one.get(name) == other.get(name) for name in names)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
