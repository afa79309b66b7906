"""Operations: what is asked of a bank in the Berlin Group's standard, and how a bank wants it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from workloads.services.connector.sections.base import Body, Headers, PathTemplate, Query, Section


class Operation(Section):
    """How one operation is asked for. Each property replaces the standard's form; headers are added to it."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = Field(
        default=None, description="HTTP method; where a link is followed, that of the link's kind if absent"
    )
    path: PathTemplate | None = Field(default=None, description="template below `base_url`, e.g. `/v1/accounts`")
    query: Query | None = Field(default=None, description="list of `[name, value]`, sent in this order")
    headers: Headers = Field(default={}, description="added, or replacing those of the same name; templates")
    omit_headers: frozenset[Annotated[str, AfterValidator(str.lower)]] = Field(
        default=frozenset(), description="standard headers that this bank does not want"
    )
    body: Body | None = Field(
        default=None, description="JSON that replaces the standard's; a member whose variable has no value is left out"
    )
    follow_links: bool = Field(
        default=True, description="use the address of the bank's link where it sent one; `false`: always `path`"
    )


_AUTHORISATION = "/v1/consents/{consent_id}/authorisations/{authorisation_id}"
STANDARD: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "create_consent": ("POST", "/v1/consents", ()),
    "start_authorisation": ("POST", "/v1/consents/{consent_id}/authorisations", ()),
    "authenticate_psu": ("PUT", _AUTHORISATION, ()),
    "select_method": ("PUT", _AUTHORISATION, ()),
    "send_otp": ("PUT", _AUTHORISATION, ()),
    "confirm": ("PUT", _AUTHORISATION, ()),
    "read_consent": ("GET", "/v1/consents/{consent_id}", ()),
    "consent_status": ("GET", "/v1/consents/{consent_id}/status", ()),
    "sca_status": ("GET", _AUTHORISATION, ()),
    "delete_consent": ("DELETE", "/v1/consents/{consent_id}", ()),
    "accounts": ("GET", "/v1/accounts", ()),
    "balances": ("GET", "/v1/accounts/{account_id}/balances", ()),
    "transactions": (
        "GET",
        "/v1/accounts/{account_id}/transactions",
        (("dateFrom", "{date_from}"), ("dateTo", "{date_to}"), ("bookingStatus", "{booking_status}")),
    ),
    "password_certificate": ("GET", "/aspsp-certificates", ()),
    "authorization_server": ("GET", "/.well-known/oauth-authorization-server", ()),
    "token": ("POST", "/token", ()),
}
"""Method, path and query of each operation in XS2A 1.3, RFC 6749 (token) and RFC 8414 (authorization_server)."""


def _uk(version: str) -> Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]]:
    """UK Open Banking's operations; base_url ends in /open-banking."""
    here = f"/v{version}/aisp"
    consent, account = f"{here}/account-access-consents", f"{here}/accounts/{{account_id}}"
    period = (("fromBookingDateTime", "{date_from}"), ("toBookingDateTime", "{date_to}"))
    return {
        "create_consent": ("POST", consent, ()),
        "consent_status": ("GET", f"{consent}/{{consent_id}}", ()),
        "delete_consent": ("DELETE", f"{consent}/{{consent_id}}", ()),
        "accounts": ("GET", f"{here}/accounts", ()),
        "balances": ("GET", f"{account}/balances", ()),
        "transactions": ("GET", f"{account}/transactions", period),
        **{name: STANDARD[name] for name in ("authorization_server", "token")},
    }


BY_STANDARD = {"berlin-group-1.3": STANDARD, "uk-open-banking-3.1": _uk("3.1"), "uk-open-banking-4.0": _uk("4.0")}
"""The same of each standard that is spoken."""
STARTING = frozenset({"create_consent", "start_authorisation"})
"""Operations that say where the person comes back to, and which approach is preferred."""
AUTHORISING = STARTING | {"authenticate_psu", "select_method", "send_otp", "confirm"}
"""Operations that say who the person is to the bank."""
READING = frozenset({"accounts", "balances", "transactions"})
"""Operations under a consent's id, which the quota counts."""
