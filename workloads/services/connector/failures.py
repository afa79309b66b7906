"""What goes wrong at a bank, told in our terms (XS2A Implementation Guidelines 1.3, section 14.11: message codes)."""

from __future__ import annotations

import re
from typing import Any

from workloads.chassis.problems import Problem

_CODE = re.compile(r"^[A-Z][A-Z0-9_]{2,40}$")


class BankFailure(Problem):
    """A bank refused, failed or could not be understood.

    kind: consent-expired and consent-invalid (409) need the person again; bank-quota-exceeded (429) needs time;
    the others are the bank's fault or ours. bank_code: its own message code, where it sent one.
    """

    def __init__(self, kind: str, detail: str, status: int = 502, bank_code: str | None = None) -> None:
        super().__init__(status, kind, detail)
        if bank_code:
            self.extra["bank_code"] = bank_code


def code_of(body: Any) -> str | None:
    """The bank's message code: of tppMessages, or of a problem's code member. Its free text is never passed on."""
    messages = body.get("tppMessages") if isinstance(body, dict) else None
    candidates = messages if isinstance(messages, list) else [messages, body]
    for each in candidates:
        code = each.get("code") if isinstance(each, dict) else None
        if isinstance(code, str) and _CODE.match(code):
            return code
    return None


def from_answer(status: int, body: Any) -> BankFailure:
    """The failure that an answer outside 2xx stands for."""
    code = code_of(body)
    if code == "CONSENT_EXPIRED":
        return BankFailure("consent-expired", "The consent has expired at the bank.", 409, code)
    if code in ("CONSENT_INVALID", "CONSENT_UNKNOWN") or (code or "").startswith("TOKEN_"):
        return BankFailure("consent-invalid", "The bank does not accept the consent any more.", 409, code)
    if status == 429 or code == "ACCESS_EXCEEDED":
        return BankFailure("bank-quota-exceeded", "The bank allows no more reads for now.", 429, code)
    if status == 404 or code == "RESOURCE_UNKNOWN":
        return BankFailure("not-found", "The bank does not know this.", 404, code)
    if status == 401:
        return BankFailure("bank-unauthorized", "The bank refused who is asking.", 502, code)
    if status >= 500:
        return BankFailure("bank-failed", f"The bank failed with status {status}.", 502, code)
    return BankFailure("bank-refused", f"The bank refused the request with status {status}.", 502, code)
