"""Nothing sensitive leaves in a log line: IBANs, card numbers, e-mail addresses and tokens are masked."""

from __future__ import annotations

import re
from typing import Any

MASK = "[redacted]"
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?\b")
_UK_NUMBER = re.compile(r"(?<![\d-])\d{2}-\d{2}-\d{2}[ ,/-]{0,2}\d{8}(?!\d)")
_EMAIL = re.compile(r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}|(?i:\b(?:bearer|basic)\s+[\w.~+/=-]{8,})")
_CARD = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?!\w|-\w)")
_CREDENTIAL = re.compile(r"(?i)\b([a-z_]*(?:password|secret|token|assertion|signature))=([^&;\s]+)")
_URL_USER = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_NAMES = re.compile(
    r"(?i)authori[sz]ation$|password|secret|token|cookie|iban|uk_?number|sort_?code|\bpan\b|psu_?id|e-?mail|api_?key"
)


def text(value: str) -> str:
    """The text with everything sensitive masked."""
    value = _TOKEN.sub(MASK, value)
    value = _CREDENTIAL.sub(rf"\1={MASK}", value)
    value = _URL_USER.sub(MASK, value)
    value = _EMAIL.sub(MASK, value)
    value = _UK_NUMBER.sub(MASK, value)
    value = _IBAN.sub(lambda match: MASK if _is_iban(match[0]) else match[0], value)
    return _CARD.sub(lambda match: MASK if _luhn(match[0]) else match[0], value)


def value(item: Any, name: str = "") -> Any:
    """The same for a value of a log event, into lists and mappings; a telling name masks the whole value."""
    if name and _NAMES.search(name) and item is not None:
        return MASK
    if isinstance(item, str):
        return text(item)
    if isinstance(item, dict):
        return {key: value(each, str(key)) for key, each in item.items()}
    if isinstance(item, list | tuple | set):
        return [value(each) for each in item]
    return item if isinstance(item, int | float | bool | None) else text(str(item))


def _is_iban(candidate: str) -> bool:
    """Whether it has an IBAN's form; the check digits are not asked, a mistyped IBAN is personal data too."""
    compact = re.sub("[ -]", "", candidate)
    return 15 <= len(compact) <= 34 and sum(map(str.isdigit, compact)) >= len(compact) // 2


def _luhn(candidate: str) -> bool:
    digits = [int(each) for each in candidate if each.isdigit()]
    doubled = [each if i % 2 == 0 else sum(divmod(each * 2, 10)) for i, each in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
