"""What every section of a profile is made of: strict models, and templates with known variables."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

VARIABLES = frozenset(
    {"request_id", "http_date", "iso_datetime", "consent_id", "authorisation_id", "account_id"}
    | {"psu_id", "psu_id_type", "psu_corporate_id", "psu_corporate_id_type", "redirect_uri", "nok_redirect_uri"}
    | {"psu_password", "authentication_method_id", "otp", "confirmation_code", "client_id"}
    | {"date_from", "date_to", "booking_status"}
)
"""What ``{…}`` may stand for in a path, header, query parameter or body. One without a value leaves its item out."""
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_FORBIDDEN = frozenset(
    {
        "psu-ip-address",
        "x-fapi-customer-ip-address",
        "authorization",
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "cookie",
    }
)
"""Headers a profile may not set: PSU-IP-Address tells whether a person asked, which only the call knows; the token is
the user's."""


class Section(BaseModel):
    """A part of a profile: unknown properties are refused, nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _template(value: str) -> str:
    unknown = set(PLACEHOLDER.findall(value)) - VARIABLES
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is no variable; allowed: {', '.join(sorted(VARIABLES))}")
    if any(ord(each) < 32 for each in value):
        raise ValueError("a line break or other control character is not allowed")
    return value


def _header(name: str) -> str:
    if not _TOKEN.match(name) or name.lower() in _FORBIDDEN:
        raise ValueError(f"{name!r} can't be set by a profile")
    return name


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("a path starts with /")
    return value


def _body(value: dict[str, Any]) -> dict[str, Any]:
    _walk(value)
    return value


def _walk(value: Any) -> None:
    if isinstance(value, str):
        _template(value)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _walk(each)


Template = Annotated[str, AfterValidator(_template)]
PathTemplate = Annotated[str, AfterValidator(_path), AfterValidator(_template)]
Headers = dict[Annotated[str, AfterValidator(_header)], Template]
Query = tuple[tuple[Template, Template], ...]
Body = Annotated[dict[str, Any], AfterValidator(_body)]
