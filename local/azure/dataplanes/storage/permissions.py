"""What each storage operation needs: an RBAC action, or letters of a shared access signature.

Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory, "Permissions for
blob, queue and table service operations". An operation that is not listed here is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.dataplanes.storage.errors import bad, unsupported
from local.azure.dataplanes.storage.target import Target

_ROOT = "Microsoft.Storage/storageAccounts/"


Table = dict[tuple[str, str | None], "list[Need]"]


@dataclass(frozen=True)
class Need:
    """One way to be allowed: all of ``actions`` (data actions when ``data``).

    sas: letters of which one suffices; empty where only an account's key or token will do.
    creates_only: this way is for what does not exist yet.
    """

    actions: tuple[str, ...]
    sas: str = ""
    data: bool = True
    creates_only: bool = False
    level: str = "o"
    """Resource type of an account SAS: s(ervice), c(ontainer) or o(bject)."""


def _action(path: str, sas: str = "", level: str = "s") -> list[Need]:
    return [Need((_ROOT + path,), sas, data=False, level=level)]


def _data(path: str, sas: str, level: str = "o", *, creates_only: bool = False) -> Need:
    return Need((_ROOT + path,), sas, creates_only=creates_only, level=level)


def needs(target: Target) -> list[Need]:
    """The ways to be allowed this operation, the first that fits counts. Raises StorageError for an unknown one."""
    chosen = {"blob": _blob, "queue": _queue, "table": _table}[target.service](target)
    if chosen is None:
        shown = ", ".join(f"{name}={target.query[name]}" for name in ("restype", "comp") if name in target.query)
        raise bad(
            "InvalidQueryParameterValue",
            f"{target.method} with {shown or 'these parameters'} is not an operation that this embedded Azure knows.",
        )
    return chosen


def _blob(target: Target) -> list[Need] | None:
    if target.name:
        return _of_blob(target)
    if target.container:
        return _of_container(target)
    comp, restype, method = target.query.get("comp"), target.query.get("restype"), target.method
    if comp == "batch":
        raise unsupported("A batch of blob operations")
    table: dict[tuple[str, str | None, str | None], list[Need]] = {
        ("GET", None, "list"): _action("blobServices/containers/read", "l"),
        ("GET", "service", "properties"): _action("blobServices/read", "r"),
        ("PUT", "service", "properties"): _action("blobServices/write", "w"),
        ("GET", "service", "stats"): _action("blobServices/read", "r"),
        ("POST", "service", "userdelegationkey"): _action("blobServices/generateUserDelegationKey/action"),
        ("GET", None, "blobs"): [_data("blobServices/containers/blobs/filter/action", "f", "s")],
    }
    if restype == "account" and comp == "properties" and method in ("GET", "HEAD"):
        return _action("blobServices/getInfo/action", "rwdlacu")
    return table.get((method, restype, comp))


def _of_container(target: Target) -> list[Need] | None:
    comp, method = target.query.get("comp"), "GET" if target.method == "HEAD" else target.method
    if target.query.get("restype") == "account" and comp == "properties" and method == "GET":
        return _action("blobServices/getInfo/action", "rwdlacu")
    if target.query.get("restype") != "container":
        return None
    if comp == "batch":
        raise unsupported("A batch of blob operations")
    write = _action("blobServices/containers/write", "w", "c")
    read = _action("blobServices/containers/read", "r", "c")
    table: Table = {
        ("PUT", None): _action("blobServices/containers/write", "cw", "c"),
        ("GET", None): read,
        ("GET", "metadata"): read,
        ("PUT", "metadata"): write,
        ("PUT", "lease"): write,
        ("GET", "acl"): _action("blobServices/containers/getAcl/action"),
        ("PUT", "acl"): _action("blobServices/containers/setAcl/action"),
        ("DELETE", None): _action("blobServices/containers/delete", "d", "c"),
        ("GET", "list"): [_data("blobServices/containers/blobs/read", "l", "c")],
        ("GET", "blobs"): [_data("blobServices/containers/blobs/filter/action", "f", "c")],
    }
    return table.get((method, comp))


def _of_blob(target: Target) -> list[Need] | None:
    comp, method = target.query.get("comp"), "GET" if target.method == "HEAD" else target.method
    blobs = "blobServices/containers/blobs"
    write = [_data(f"{blobs}/write", "w")]
    # Whoever may add but not write makes new blobs and leaves those that are there alone.
    create = [*write, _data(f"{blobs}/add/action", "c", creates_only=True)]
    add = [_data(f"{blobs}/write", "w"), _data(f"{blobs}/add/action", "a")]
    if "restype" in target.query:
        return None
    table: Table = {
        ("GET", None): [_data(f"{blobs}/read", "r")],
        ("GET", "metadata"): [_data(f"{blobs}/read", "r")],
        ("GET", "blocklist"): [_data(f"{blobs}/read", "r")],
        ("GET", "pagelist"): [_data(f"{blobs}/read", "r")],
        ("POST", "query"): [_data(f"{blobs}/read", "r")],
        ("GET", "tags"): [_data(f"{blobs}/tags/read", "t")],
        ("PUT", "tags"): [_data(f"{blobs}/tags/write", "t")],
        ("PUT", None): create,
        ("PUT", "blocklist"): create,
        ("PUT", "block"): [*write, _data(f"{blobs}/add/action", "c")],
        ("PUT", "appendblock"): add,
        ("PUT", "snapshot"): [*write, _data(f"{blobs}/write", "c")],
        ("DELETE", None): [_data(f"{blobs}/delete", "d")],
    }
    if method == "PUT" and comp in ("properties", "metadata", "lease", "page", "tier", "undelete", "copy", "seal"):
        return write
    if method == "DELETE" and "versionid" in target.query:
        return [_data(f"{blobs}/deleteBlobVersion/action", "x")]
    return table.get((method, comp))


def _queue(target: Target) -> list[Need] | None:
    comp, method = target.query.get("comp"), "GET" if target.method == "HEAD" else target.method
    queues = "queueServices/queues"
    if len(target.parts) == 0:
        table: Table = {
            ("GET", "list"): _action(f"{queues}/read", "l"),
            ("GET", "properties"): _action("queueServices/read", "r"),
            ("PUT", "properties"): _action("queueServices/write", "w"),
            ("GET", "stats"): _action("queueServices/read", "r"),
        }
        return table.get((method, comp))
    if len(target.parts) == 1:
        table: Table = {
            ("PUT", None): _action(f"{queues}/write", "cw", "c"),
            ("DELETE", None): _action(f"{queues}/delete", "d", "c"),
            ("GET", "metadata"): _action(f"{queues}/read", "r", "c"),
            ("PUT", "metadata"): _action(f"{queues}/write", "w", "c"),
            ("GET", "acl"): _action(f"{queues}/getAcl/action"),
            ("PUT", "acl"): _action(f"{queues}/setAcl/action"),
        }
        return table.get((method, comp))
    messages = f"{queues}/messages"
    if len(target.parts) == 2 and target.parts[1] == "messages":
        peek = target.query.get("peekonly", "").lower() == "true"
        table: Table = {
            ("POST", None): [_data(f"{messages}/add/action", "a"), _data(f"{messages}/write", "a")],
            ("GET", None): [_data(f"{messages}/read", "r")] if peek else [_data(f"{messages}/process/action", "p")],
            ("DELETE", None): [_data(f"{messages}/delete", "d")],
        }
        return table.get((method, comp))
    if len(target.parts) == 3 and target.parts[1] == "messages":
        table: Table = {
            ("PUT", None): [_data(f"{messages}/write", "u")],
            ("DELETE", None): [_data(f"{messages}/process/action", "p"), _data(f"{messages}/delete", "p")],
        }
        return table.get((method, comp))
    return None


def _table(target: Target) -> list[Need] | None:
    comp, method = target.query.get("comp"), "GET" if target.method == "HEAD" else target.method
    tables, entities = "tableServices/tables", "tableServices/tables/entities"
    if not target.parts:
        table: Table = {
            ("GET", "properties"): _action("tableServices/read", "r"),
            ("PUT", "properties"): _action("tableServices/write", "w"),
            ("GET", "stats"): _action("tableServices/read", "r"),
        }
        return table.get((method, comp))
    if len(target.parts) > 1:
        return None
    first = target.container
    if first == "$batch":
        raise unsupported("A batch of table operations")
    if first == "Tables" or first.startswith("Tables("):
        chosen = {
            "GET": _action(f"{tables}/read", "l", "c"),
            "POST": _action(f"{tables}/write", "cw", "c"),
            "DELETE": _action(f"{tables}/delete", "d", "c"),
        }
        return chosen.get(method) if comp is None else None
    if comp == "acl":
        return _action(f"{tables}/getAcl/action" if method == "GET" else f"{tables}/setAcl/action")
    write = _data(f"{entities}/write", "u")
    both = Need((f"{_ROOT}{entities}/add/action", f"{_ROOT}{entities}/update/action"), "u")
    chosen = {
        "GET": [_data(f"{entities}/read", "r")],
        "POST": [_data(f"{entities}/write", "a"), _data(f"{entities}/add/action", "a")],
        "PUT": [write, both],
        "MERGE": [write, both],
        "PATCH": [write, both],
        "DELETE": [_data(f"{entities}/delete", "d")],
    }
    return chosen.get(method) if comp is None else None
