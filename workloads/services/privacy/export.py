"""Everything of a person, asked of each service as that person, put together as it is sent: no copy is kept."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workloads.chassis.identity import User

_PARTS: Mapping[str, tuple[str, str, str | None]] = {
    "profile": ("user", "/profile", None),
    "consents": ("consent", "/consents", "consents"),
    "accounts": ("account", "/accounts", "accounts"),
    "transactions": ("transaction", "/transactions", "transactions"),
    "rules": ("enrichment", "/rules", "rules"),
    "recurring": ("recurring", "/series", "series"),
    "budgets": ("budget", "/budgets", "budgets"),
    "forecast": ("forecast", "/forecast", "currencies"),
    "notifications": ("notification", "/notifications", "notifications"),
    "preferences": ("notification", "/preferences", None),
    "schedule": ("sync", "/schedule", None),
    "runs": ("sync", "/runs", "runs"),
    "documents": ("document", "/documents", "documents"),
    "tickets": ("help", "/tickets", "tickets"),
    "audit": ("audit", "/entries", "entries"),
}
"""By part: the service, where it lists the part, and the name of the list; None where there is one thing."""
SERVICES = tuple(dict.fromkeys(service for service, _, _ in _PARTS.values()))
_PAGED = {"transactions"}
File = tuple[str, bytes]
"""Name in the archive, and content."""


def collect(services: Mapping[str, Any], user: User) -> dict[str, list[dict[str, Any]]]:
    """All parts, each a list of things as the service's API tells them. Raises Problem when one does not answer."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part, (service, path, name) in _PARTS.items():
        if part in _PAGED and name:
            found[part] = _pages(services[service], path, name, user)
        else:
            answer = services[service].call("GET", path, user)
            found[part] = answer[name] if name else [answer]
    return found


def _pages(client: Any, path: str, name: str, user: User) -> list[dict[str, Any]]:
    things, params = [], {"limit": 200}
    while True:
        page = client.call("GET", path, user, params=params)
        things += page[name]
        if page["next_cursor"] is None:
            return things
        params = {"limit": 200, "cursor": page["next_cursor"]}


def files(services: Mapping[str, Any], parts: Mapping[str, list[dict[str, Any]]], user: User) -> Iterator[File]:
    """The person's documents, each with a name of its own. Raises Problem when the document service does not answer."""
    for each in parts["documents"]:
        path = f"/documents/{each['id']}"
        yield f"documents/{each['id']}-{each['name']}", services["document"].fetch(f"{path}/content", user)


def archive(parts: Mapping[str, list[dict[str, Any]]], files: Iterable[File] = ()) -> bytes:
    """A ZIP file: everything as export.json, each part as a CSV file (RFC 4180), and files as they are."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("export.json", json.dumps(parts, ensure_ascii=False, indent=1))
        for part, things in parts.items():
            zipped.writestr(f"{part}.csv", _csv(things))
        for name, content in files:
            zipped.writestr(name, content, zipfile.ZIP_STORED)  # photographs are compressed already
    return target.getvalue()


def _csv(things: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for each in things for name in each))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for each in things:
        writer.writerow([_cell(each.get(name)) for name in names])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Lists and objects as JSON. A text that a spreadsheet would take for a formula gets an apostrophe (OWASP)."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()
