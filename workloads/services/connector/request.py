"""One request to a bank, built from its profile: path, query in the bank's order, headers, body."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode

from workloads.services.connector.profile import Profile
from workloads.services.connector.sections.operation import AUTHORISING, READING, STARTING

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OF_A_CLIENT = frozenset({"token", "authorization_server", "password_certificate"})
"""Operations that are no XS2A requests: nothing of the person is said there."""


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


def fill_body(template: Any, values: Mapping[str, str | None]) -> Any:
    """A body with its variables' values; a member or item of which one has no value is left out."""
    if isinstance(template, dict):
        filled = {name: fill_body(each, values) for name, each in template.items()}
        return {name: each for name, each in filled.items() if each is not None or template[name] is None}
    if isinstance(template, list):
        return [each for each in (fill_body(each, values) for each in template) if each is not None]
    return fill(template, values) if isinstance(template, str) else template


def build(
    profile: Profile,
    base: str,
    operation: str,
    values: Mapping[str, str | None],
    psu_address: str | None,
    target: str | None,
    now: datetime.datetime,
) -> BankRequest:
    """The request of an operation.

    base: the configured base URL. values: of the profile's variables. psu_address: present iff a person asked.
    target: the address, where it comes of a link instead of path and query. now: at the bank.
    Raises KeyError for an unknown operation, ValueError when the path needs a value that is missing.
    """
    method, wanted = profile.asked(operation)[0], profile.operation(operation)
    known = {
        "request_id": str(uuid.uuid4()),
        "http_date": format_datetime(now, usegmt=True),
        "iso_datetime": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "psu_id_type": profile.psu.id_type,
        "psu_corporate_id_type": profile.psu.corporate_id_type,
        "client_id": profile.oauth.client_id if profile.oauth else None,
        **values,
    }
    url = target or base.rstrip("/") + _address(profile, operation, known)
    sent = headers(profile, operation, known, psu_address)
    return BankRequest(wanted.method or method, url, sent, str(known["request_id"]))


def _address(profile: Profile, operation: str, known: Mapping[str, str | None]) -> str:
    """Path and query of an operation."""
    _, path, query = profile.asked(operation)
    wanted = profile.operation(operation)
    if operation == "accounts" and profile.balances.source == "accounts":
        query = (("withBalance", "true"),)
    segments = {name: None if each is None else quote(each, safe="=@:!$&'()*,;~") for name, each in known.items()}
    filled = fill(wanted.path or path, segments)
    if filled is None:
        raise ValueError(f"{operation} of {profile.id} lacks a value for its path {wanted.path or path}")
    items = [(fill(name, known), fill(each, known)) for name, each in (query if wanted.query is None else wanted.query)]
    pairs = [(name, each) for name, each in items if name is not None and each is not None]
    return filled + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")


def headers(
    profile: Profile, operation: str, known: Mapping[str, str | None], psu_address: str | None
) -> dict[str, str]:
    """Standard headers of an operation, then the profile's, which replace those of the same name."""
    result: dict[str, str | None] = {"X-Request-ID": known["request_id"], "Accept": profile.accept}
    if profile.asked(operation)[0] in ("POST", "PUT"):
        result["Content-Type"] = profile.content_type
    if operation == "transactions" and profile.transactions.format == "camt":
        result["Accept"] = "application/xml"
    if profile.standard != "berlin-group-1.3":
        return _own(profile, operation, known, _fapi(known, result, psu_address))
    if operation in READING:
        result["Consent-ID"] = known.get("consent_id")
    if operation in AUTHORISING:
        result |= _customer(profile, known)
    if operation in STARTING:
        result |= _return(profile, operation, known)
    result["PSU-IP-Address"] = None if operation in _OF_A_CLIENT else psu_address
    return _own(profile, operation, known, result)


def _own(
    profile: Profile, operation: str, known: Mapping[str, str | None], standard: Mapping[str, str | None]
) -> dict[str, str]:
    """The standard's headers, with the profile's added, or in the place of those of the same name."""
    wanted, result = profile.operation(operation), dict(standard)
    names = {name.lower(): name for name in result}
    for name, template in {**profile.headers, **wanted.headers}.items():
        result.pop(names.get(name.lower(), name), None)
        result[name] = fill(template, known)
    return {n: each for n, each in result.items() if each is not None and n.lower() not in wanted.omit_headers}


def _fapi(
    known: Mapping[str, str | None], standard: Mapping[str, str | None], psu_address: str | None
) -> dict[str, str | None]:
    """Headers of UK Open Banking: an id of the interaction, and the person's address iff that person asked."""
    told = {"x-fapi-interaction-id": known["request_id"], "x-fapi-customer-ip-address": psu_address}
    return {**{name: each for name, each in standard.items() if name != "X-Request-ID"}, **told}


def _customer(profile: Profile, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """Who the person is to the bank, as far as that is known."""
    return {
        "PSU-ID": known.get("psu_id"),
        "PSU-ID-Type": profile.psu.id_type if known.get("psu_id") else None,
        "PSU-Corporate-ID": known.get("psu_corporate_id"),
        "PSU-Corporate-ID-Type": profile.psu.corporate_id_type if known.get("psu_corporate_id") else None,
    }


def _return(profile: Profile, operation: str, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """Where the person comes back to, and which approach is preferred."""
    explicit = profile.sca.start == "explicit" and operation == "create_consent"
    return {
        "TPP-Redirect-Preferred": "true" if profile.sca.redirect_preferred else "false",
        "TPP-Decoupled-Preferred": "true" if profile.sca.approach == "decoupled" else None,
        "TPP-Redirect-URI": known.get("redirect_uri"),
        "TPP-Nok-Redirect-URI": known.get("nok_redirect_uri"),
        "TPP-Explicit-Authorisation-Preferred": "true" if explicit else None,
    }
