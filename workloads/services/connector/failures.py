"""What goes wrong at a bank, told in our terms (message codes: XS2A Guidelines 1.3, section 14.11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workloads.chassis.problems import Problem
from workloads.services.connector.sections.reading import Errors

_CODE = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{2,60}$")


class BankFailure(Problem):
    """A bank refused, failed or could not be understood.

    kind: consent-expired and consent-invalid (409) need the person again; bank-quota-exceeded (429) needs time;
    the others are the bank's fault or ours. bank_code: its own message code, where it sent one. doubtful: whether a
    consent was refused by one answer alone, which may be wrong for a moment; a token is not, where none can be had.
    """

    def __init__(
        self, kind: str, detail: str, status: int = 502, bank_code: str | None = None, *, doubtful: bool = False
    ) -> None:
        super().__init__(status, kind, detail)
        self.doubtful = doubtful
        if bank_code:
            self.extra["bank_code"] = bank_code


_TOLD: Mapping[str, tuple[int, str]] = {
    "consent-expired": (409, "The consent has expired at the bank."),
    "consent-invalid": (409, "The bank does not accept the consent any more."),
    "bank-quota-exceeded": (429, "The bank allows no more reads for now."),
    "credentials-wrong": (422, "The bank does not accept what the person entered."),
    "not-found": (404, "The bank does not know this."),
    "bank-unauthorized": (502, "The bank refused who is asking."),
}
"""HTTP status and words of each kind; bank-failed and bank-refused tell the bank's status."""
CONSENT_OVER = ("consent-expired", "consent-invalid")
"""Kinds after which the person must act."""
_MEANING: Mapping[str, str] = {
    "CONSENT_EXPIRED": "consent-expired",
    "CONSENT_INVALID": "consent-invalid",
    "CONSENT_UNKNOWN": "consent-invalid",
    "ACCESS_EXCEEDED": "bank-quota-exceeded",
    "RESOURCE_UNKNOWN": "not-found",
    "PSU_CREDENTIALS_INVALID": "credentials-wrong",
    "SCA_INVALID": "credentials-wrong",
    "SCA_METHOD_UNKNOWN": "credentials-wrong",
    "UK.OBIE.Resource.NotFound": "not-found",
    "UK.OBIE.Resource.InvalidConsentStatus": "consent-invalid",
    "UK.OBIE.Reauthenticate": "consent-expired",
    "U011": "consent-invalid",
}


def code_of(body: Any, paths: tuple[str, ...] = ()) -> str | None:
    """The bank's message code: at the paths, of tppMessages, or of a problem's code member; never its free text."""
    messages = body.get("tppMessages") if isinstance(body, dict) else None
    listed = messages if isinstance(messages, list) else [messages, body]
    found = [_at(body, each) for each in paths] + [each.get("code") for each in listed if isinstance(each, dict)]
    found.append(_at(body, "Errors.0.ErrorCode"))  # UK Open Banking, OBErrorResponse1
    return next((each for each in found if isinstance(each, str) and _CODE.match(each)), None)


def _at(body: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(body, list):
            body = body[int(name)] if name.isdigit() and int(name) < len(body) else None
        else:
            body = body.get(name) if isinstance(body, dict) else None
    return body


def from_answer(status: int, body: Any, errors: Errors | None = None, *, token_is_dead: bool = False) -> BankFailure:
    """The failure that an answer outside 2xx stands for. errors: how this bank tells them.

    token_is_dead: whether one was sent for which no other can be had: a refusal of it is final.
    """
    errors = errors or Errors()
    code = code_of(body, errors.code)
    kind = errors.meaning.get(code or "") or _MEANING.get(code or "") or errors.statuses.get(status)
    kind = kind or _by_status(status, code or "")
    if kind in _TOLD:
        answered, words = _TOLD[kind]
        final = token_is_dead and (code or "").startswith("TOKEN_")
        return BankFailure(kind, words, answered, code, doubtful=kind in CONSENT_OVER and not final)
    if kind == "bank-failed":
        return BankFailure(kind, f"The bank failed with status {status}.", 502, code)
    return BankFailure("bank-refused", f"The bank refused the request with status {status}.", 502, code)


def _by_status(status: int, code: str) -> str:
    if code.startswith("TOKEN_"):
        return "consent-invalid"
    known = {401: "bank-unauthorized", 404: "not-found", 429: "bank-quota-exceeded"}
    return known.get(status) or ("bank-failed" if status >= 500 else "bank-refused")
