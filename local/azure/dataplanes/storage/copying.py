"""Copies whose source is a blob: the source is checked like a read, before Azurite fetches it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from local.azure.dataplanes.storage.errors import StorageError, bad, unsupported
from local.azure.dataplanes.storage.guard import Guard, Passage
from local.azure.dataplanes.storage.permissions import needs
from local.azure.dataplanes.storage.target import Target, parse


def check_source(guard: Guard, service: str, port: int, headers: dict[str, str], passage: Passage, remote: str) -> None:
    """Refuse a source that the caller may not read, or that Azurite could not be trusted with.

    A source within the same account is passed on without its signature, as Azurite reads it from its own store.
    Raises StorageError.
    """
    source = headers.get("x-ms-copy-source")
    if source is None:
        return
    if "x-ms-copy-source-authorization" in headers:
        raise unsupported("x-ms-copy-source-authorization")
    address = urlsplit(source)
    if service != "blob" or address.scheme != "https" or address.netloc != f"127.0.0.1:{port}":
        raise unsupported("Copying from outside this embedded Azure's blobs")
    target = parse("blob", "GET", address.path + (f"?{address.query}" if address.query else ""))
    if target.account != passage.account.name:
        raise unsupported("Copying between storage accounts")
    if not target.name or set(target.query) - {"snapshot"}:
        raise bad("InvalidHeaderValue", "x-ms-copy-source does not name a blob or a snapshot of one.")
    _authorise(guard, target, passage, remote, headers)
    query = f"?{target.query_string}" if target.query else ""
    headers["x-ms-copy-source"] = f"https://127.0.0.1:{port}{target.path}{query}"


def _authorise(guard: Guard, target: Target, passage: Passage, remote: str, headers: Mapping[str, str]) -> None:
    if "sig" in target.signature:
        guard.check(target, {"x-ms-version": headers.get("x-ms-version", "")}, remote)
    elif passage.principal is not None:
        guard.allowed(passage.account, target, passage.principal, needs(target))
    elif headers.get("authorization", "").startswith("SharedKey "):
        return
    else:
        raise StorageError(
            401, "CannotVerifyCopySource", "The copy source needs a signature of its own: the request's opens one blob."
        )
