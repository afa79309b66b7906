"""Graph object: one object of Microsoft Graph as a resource of the stack, in whatever tenant.

Azure's provider speaks to Resource Manager only. What a lost answer left is found again by the object's own name and
taken over, so that a deployment can always be run again.
Leaves out: secrets; nothing here has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pulumi
from pulumi import dynamic

if TYPE_CHECKING:
    from components.graph_client import GraphClient

Kind = Literal["object", "link", "setting"]
_PLACE = ("endpoint", "tenant_id", "path", "unique_name", "kind")
_SETTLED = "applications"


@dataclass(frozen=True, kw_only=True)
class GraphTenant:
    """A tenant and how to get in.

    tenant_id: its directory id. client_id: application there that trusts the pipeline; None for a person.
    endpoint: base URL of Graph.
    """

    tenant_id: str
    client_id: str | None = None
    endpoint: str = "https://graph.microsoft.com"


@dataclass(frozen=True, kw_only=True)
class GraphObjectArgs:
    """What an object is.

    path: its collection with the API's version, e.g. "v1.0/applications"; of a setting, the object itself.
    body: its properties in Graph's own names. found_by: properties (dotted paths) that tell it from the others.
    unique_name: alternate key, for kinds that have one (applications); found_by is not needed then.
    fixed: properties that Graph can't change: a new value is a new object.
    kind: "object"; "link" between objects (body is the other one's "@odata.id"); "setting" that the tenant has anyway:
    it is only changed, and stays as it is when the stack goes.
    """

    tenant: GraphTenant
    path: pulumi.Input[str]
    body: Mapping[str, Any]
    found_by: Sequence[str] = ()
    unique_name: str | None = None
    fixed: Sequence[str] = ()
    kind: Kind = "object"


class _GraphProvider(dynamic.ResourceProvider):
    """Brings an object about; runs in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        with _client(props) as client:
            made = _bring_about(client, props)
        return dynamic.CreateResult(_key(made), _outputs(props, made))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in _PLACE if _olds.get(each) != _news.get(each)]
        before, after = _olds.get("body") or {}, _news["body"]
        if any(before.get(name) != after.get(name) for name in _news["fixed"]):
            moved.append("body")
        changed = bool(moved) or before != after
        # Names are unique: the old object must be gone first.
        return dynamic.DiffResult(changes=changed, replaces=moved, delete_before_replace=True)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        with _client(_news) as client:
            if _news["kind"] == "setting":
                client.patch(_news["path"], _news["body"])
            else:
                _change(client, _news, _id, _olds.get("body") or {})
        return dynamic.UpdateResult(_outputs(_news, {"id": _id, "appId": _olds.get("app_id")}))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        with _client(props) as client:
            if props["kind"] == "link":
                there = any(_key(each) == id_ for each in client.list(props["path"]))
                return dynamic.ReadResult(id_ if there else "", props)
            path = props["path"] if props["kind"] == "setting" else f"{props['path']}/{id_}"
            found = client.get(path)
        if found is None:
            return dynamic.ReadResult("", props)
        return dynamic.ReadResult(id_, {**props, "body": _seen(props["body"], found)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        if _props["kind"] == "setting":
            return
        with _client(_props) as client:
            client.delete(f"{_props['path']}/{_id}" + ("/$ref" if _props["kind"] == "link" else ""))
            if _props["path"].endswith(f"/{_SETTLED}"):
                # Its names are held for 30 days otherwise (Graph API, "Permanently delete item").
                client.delete(f"{_props['path'].removesuffix(_SETTLED)}directory/deletedItems/{_id}")


def _client(props: Mapping[str, Any]) -> GraphClient:
    # Imported here, as only this process needs it: the program that declares the object does not sign in.
    from components.graph_client import GraphClient

    return GraphClient(props["endpoint"], props["tenant_id"], props["client_id"] or None)


def _bring_about(client: GraphClient, props: Mapping[str, Any]) -> Mapping[str, Any]:
    """Makes the object, or takes over the one that an earlier attempt made."""
    if props["kind"] == "setting":
        client.patch(props["path"], props["body"])
        return {"id": props["path"].rsplit("/", 1)[1]}
    found = _found(client, props)
    if found is not None:
        if props["kind"] == "object":
            _change(client, props, _key(found), found)
        return found
    if props["unique_name"]:
        named = f"{props['path']}(uniqueName='{props['unique_name']}')"
        made = client.patch(named, props["body"], create=True)
        return made.json() if made.content else client.get(named)
    if props["kind"] == "link":
        client.post(f"{props['path']}/$ref", props["body"])
        return {"id": props["body"]["@odata.id"].rsplit("/", 1)[1]}
    return client.post(props["path"], props["body"]).json()


def _found(client: GraphClient, props: Mapping[str, Any]) -> Mapping[str, Any] | None:
    from components.graph_client import same

    if props["unique_name"]:
        return client.get(f"{props['path']}(uniqueName='{props['unique_name']}')")
    listed = client.list(props["path"])
    if props["kind"] == "link":
        return next((each for each in listed if props["body"]["@odata.id"].endswith(f"/{each['id']}")), None)
    return next((each for each in listed if same(each, props["body"], props["found_by"])), None)


def _change(client: GraphClient, props: Mapping[str, Any], key: str, before: Mapping[str, Any]) -> None:
    path = f"{props['path']}/{key}"
    body = {name: value for name, value in props["body"].items() if name not in props["fixed"]}
    if retired := _retired(before, body):
        # An API's permission can't be taken away while it is enabled (Graph: CannotDeleteOrUpdateEnabledEntitlement).
        client.patch(path, {"api": {"oauth2PermissionScopes": retired}})
    if body:
        client.patch(path, body)


def _key(made: Mapping[str, Any]) -> str:
    """Its id; an application among the conditions of a flow is known by its application's."""
    return made.get("id") or made["appId"]


def _retired(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All permissions of an API as they were, those that go disabled; empty where none goes."""
    known = before.get("api", {}).get("oauth2PermissionScopes", [])
    kept = {(each["id"], each["value"]) for each in after.get("api", {}).get("oauth2PermissionScopes", [])}
    if all((each["id"], each["value"]) in kept for each in known):
        return []
    return [{**each, "isEnabled": each["isEnabled"] and (each["id"], each["value"]) in kept} for each in known]


def _seen(wanted: Any, found: Any) -> Any:
    """What Graph says today of the properties that we set: a difference is drift."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return {name: _seen(value, found.get(name, value)) for name, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [_seen(one, other) for one, other in zip(wanted, found, strict=True)]
    return found


def _outputs(props: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in props.items() if name != "__provider"}
    return {**given, "object_id": _key(made), "app_id": made.get("appId") or ""}


class GraphObject(dynamic.Resource, module="tributary", name="GraphObject"):
    """An object of a tenant's directory, made, changed and deleted with the stack."""

    object_id: pulumi.Output[str]
    """Its id."""
    app_id: pulumi.Output[str]
    """Application (client) id of an application or service principal; empty for everything else."""

    def __init__(self, name: str, args: GraphObjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            _GraphProvider(),
            name,
            {
                "endpoint": args.tenant.endpoint,
                "tenant_id": args.tenant.tenant_id,
                # The engine drops what is None.
                "client_id": args.tenant.client_id or "",
                "path": args.path,
                "body": args.body,
                "found_by": list(args.found_by),
                "unique_name": args.unique_name or "",
                "fixed": ["@odata.id"] if args.kind == "link" else list(args.fixed),
                "kind": args.kind,
                "object_id": None,
                "app_id": None,
            },
            opts,
        )
