"""One request to a bank, built from its profile: path, query in the bank's order, headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from urllib.parse import quote, urlencode

from workloads.chassis import clock
from workloads.services.connector.profile import STANDARD, Profile

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class BankRequest:
    """Ready to send. request_id: its X-Request-ID."""

    method: str
    url: str
    headers: Mapping[str, str]
    request_id: str


def fill(template: str, values: Mapping[str, str | None]) -> str | None:
    """The template with its variables' values; None when one of them has none."""
    names = _PLACEHOLDER.findall(template)
    if any(values.get(name) is None for name in names):
        return None
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)


def build(
    profile: Profile, base: str, operation: str, values: Mapping[str, str | None], psu_address: str | None
) -> BankRequest:
    """The request of an operation.

    base: the configured base URL. values: of the profile's variables. psu_address: present iff a person asked.
    Raises KeyError for an unknown operation, ValueError when the path needs a value that is missing.
    """
    method, path, query = STANDARD[operation]
    wanted = profile.operation(operation)
    if operation == "accounts" and profile.balances.source == "accounts":
        query = (("withBalance", "true"),)
    known = {
        "request_id": str(uuid.uuid4()),
        "http_date": format_datetime(clock.now(), usegmt=True),
        "iso_datetime": clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "psu_id_type": profile.psu.id_type,
        **values,
    }
    segments = {name: None if each is None else quote(each, safe="=@:!$&'()*,;~") for name, each in known.items()}
    filled = fill(wanted.path or path, segments)
    if filled is None:
        raise ValueError(f"{operation} of {profile.id} lacks a value for its path {wanted.path or path}")
    items = [(fill(name, known), fill(each, known)) for name, each in (query if wanted.query is None else wanted.query)]
    pairs = [(name, each) for name, each in items if name is not None and each is not None]
    url = base.rstrip("/") + filled + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")
    return BankRequest(method, url, headers(profile, operation, known, psu_address), str(known["request_id"]))


def headers(
    profile: Profile, operation: str, known: Mapping[str, str | None], psu_address: str | None
) -> dict[str, str]:
    """Standard headers of an operation, then the profile's, which replace those of the same name."""
    wanted = profile.operation(operation)
    starts = operation in ("create_consent", "start_authorisation")
    result: dict[str, str | None] = {"X-Request-ID": known["request_id"], "Accept": profile.accept}
    if STANDARD[operation][0] == "POST":
        result["Content-Type"] = profile.content_type
    if operation in ("accounts", "balances", "transactions"):
        result["Consent-ID"] = known.get("consent_id")
    if starts:
        result |= {
            "PSU-ID": known.get("psu_id"),
            "PSU-ID-Type": profile.psu.id_type if known.get("psu_id") else None,
            "PSU-Corporate-ID": known.get("psu_corporate_id"),
            "PSU-Corporate-ID-Type": profile.psu.corporate_id_type if known.get("psu_corporate_id") else None,
            "TPP-Redirect-Preferred": "true" if profile.sca.prefer_redirect else None,
            "TPP-Redirect-URI": known.get("redirect_uri"),
            "TPP-Nok-Redirect-URI": known.get("nok_redirect_uri"),
        }
        if profile.sca.start == "explicit" and operation == "create_consent":
            result["TPP-Explicit-Authorisation-Preferred"] = "true"
    result["PSU-IP-Address"] = psu_address
    names = {name.lower(): name for name in result}
    for name, template in {**profile.headers, **wanted.headers}.items():
        result.pop(names.get(name.lower(), name), None)
        result[name] = fill(template, known)
    return {n: each for n, each in result.items() if each is not None and n.lower() not in wanted.omit_headers}
