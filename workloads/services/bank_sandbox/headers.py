"""The headers of an XS2A request, checked against the forms that the specification gives them."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request

from workloads.services.bank_sandbox import tpp
from workloads.services.bank_sandbox.errors import Refusal


def _uri(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in value


def _base64(value: str) -> bool:
    try:
        return bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


def _ipv4(value: str) -> bool:
    return bool(ipaddress.IPv4Address(value))


_PLACE = re.compile(r"GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}")
_FORMS: dict[str, Callable[[str], object]] = {
    "PSU-IP-Address": _ipv4,
    "PSU-Http-Method": lambda value: value in ("GET", "POST", "PUT", "PATCH", "DELETE"),
    "PSU-Device-ID": uuid.UUID,
    "PSU-Geo-Location": re.compile(
        r"GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}"
    ).search,  # the document does not anchor it
    "TPP-Redirect-Preferred": lambda value: value in ("true", "false"),
    "TPP-Decoupled-Preferred": lambda value: value in ("true", "false"),
    "TPP-Explicit-Authorisation-Preferred": lambda value: value in ("true", "false"),
    "TPP-Redirect-URI": _uri,
    "TPP-Nok-Redirect-URI": _uri,
    "TPP-Signature-Certificate": _base64,
}


def check(request: Request) -> None:
    """A dependency of every XS2A endpoint. Raises Refusal 400 FORMAT_ERROR naming the header, 406 for other formats."""
    given = request.headers
    try:
        uuid.UUID(given.get("X-Request-ID", ""))
    except ValueError:
        raise Refusal(400, "FORMAT_ERROR", "X-Request-ID must be a UUID", "X-Request-ID") from None
    for name, form in _FORMS.items():
        if name in given:
            try:
                well = form(given[name])
            except ValueError:
                well = False
            if not well:
                raise Refusal(400, "FORMAT_ERROR", f"{name} is malformed", name)
    if ("Digest" in given) != ("Signature" in given):
        raise Refusal(400, "FORMAT_ERROR", "Digest and Signature come together or not at all", "Digest")
    if certificate := given.get("TPP-Signature-Certificate"):
        tpp.check(certificate)
    accepted = [each.partition(";")[0].strip() for each in given.get("Accept", "*/*").split(",")]
    if not {"*/*", "application/*", "application/json"} & set(accepted):
        raise Refusal(406, "REQUESTED_FORMATS_INVALID", "This bank answers with application/json only")


def attended(request: Request) -> bool:
    """Whether the customer asked for this request: then, and only then, the TPP tells the customer's address."""
    return "PSU-IP-Address" in request.headers


def origin(request: Request) -> str:
    """Where the bank is reached by this caller: for the page that a person's browser is sent to."""
    return f"{request.url.scheme}://{request.url.netloc}"
