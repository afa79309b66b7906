"""Everything of a person, asked of each service as that person, put together as it is sent: no copy is kept."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from workloads.chassis.identity import User


@dataclass(frozen=True)
class Part:
    """A part of the export. service, path: where it lies. member: of the answer's list; None where there is one thing.

    order: the member of a thing by which a list goes on before it ("before"); None for a list that tells its next
    cursor, or all at once. of: the part whose things' ids stand in the path, and begin each thing here.
    """

    service: str
    path: str
    member: str | None = None
    order: str | None = None
    of: str | None = None


PARTS: Mapping[str, Part] = {
    "profile": Part("user", "/profile"),
    "name": Part("user", "/profile/name"),
    "consents": Part("consent", "/consents", "consents"),
    "consent_evidence": Part("consent", "/consents/{id}/evidence", "evidence", of="consents"),
    "accounts": Part("account", "/accounts", "accounts"),
    "account_numbers": Part("account", "/account-numbers", "numbers"),
    "transactions": Part("transaction", "/transactions?limit=200", "transactions"),
    "deleted_transactions": Part("transaction", "/transactions?limit=200&state=deleted", "transactions"),
    "withdrawn_transactions": Part("transaction", "/transactions?limit=200&state=withdrawn", "transactions"),
    "match_suggestions": Part("transaction", "/match-suggestions", "suggestions", order="created"),
    "rules": Part("enrichment", "/rules", "rules"),
    "corrections": Part("enrichment", "/corrections", "corrections"),
    "recurring": Part("recurring", "/series", "series"),
    "budgets": Part("budget", "/budgets", "budgets"),
    "budget_months": Part("budget", "/budgets/{id}/months", "months", of="budgets"),
    "forecast": Part("forecast", "/forecast", "currencies"),
    "notifications": Part("notification", "/notifications", "notifications", order="delivered"),
    "preferences": Part("notification", "/preferences"),
    "devices": Part("notification", "/devices", "devices"),
    "schedule": Part("sync", "/schedule"),
    "runs": Part("sync", "/runs", "runs", order="started"),
    "documents": Part("document", "/documents", "documents"),
    "tickets": Part("help", "/tickets", "tickets"),
    "audit": Part("audit", "/entries", "entries", order="number"),
}
"""By name in the archive."""
SERVICES = tuple(dict.fromkeys(each.service for each in PARTS.values()))
File = tuple[str, bytes]
"""Name in the archive, and content."""
Things = list[dict[str, Any]]


def collect(services: Mapping[str, Any], user: User) -> dict[str, Things]:
    """All parts, each a list of things as the service's API tells them. Raises Problem when one does not answer."""
    found: dict[str, Things] = {}
    for name, part in PARTS.items():
        client = services[part.service]
        if part.of:
            owners = [each["id"] for each in found[part.of]]
            found[name] = [
                {f"{part.of.removesuffix('s')}_id": owner, **thing}
                for owner in owners
                for thing in listed(client, part.path.format(id=owner), part, user)
            ]
        else:
            found[name] = listed(client, part.path, part, user)
    return found


def listed(client: Any, path: str, part: Part, user: User) -> Things:
    """A part's things, read to their end. path: the part's, with the id that stands in it. Raises Problem."""
    path, _, query = path.partition("?")
    asked = dict(parse_qsl(query))
    things: Things = []
    while True:
        answer = client.call("GET", path, user, params=asked)
        if part.member is None:
            return [answer]
        things += answer[part.member]
        following = _following(part, answer)
        if following is None:
            return things
        asked |= following


def _following(part: Part, answer: dict[str, Any]) -> dict[str, str] | None:
    """What the next page is asked for by; None after the last."""
    if cursor := answer.get("next_cursor"):
        return {"cursor": cursor}
    page = answer[part.member] if part.member and part.order else None
    return {"before": str(page[-1][part.order])} if page else None


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
