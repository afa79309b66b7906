"""UK account numbers: six digits of a sort code and eight of the account, alone or at the end of a GB IBAN."""

from __future__ import annotations

import re

_DIGITS = 14
_GB = re.compile(rf"GB\d{{2}}[A-Z]{{4}}(\d{{{_DIGITS}}})")
_SPELLED = re.compile(r"(?<![\d-])\d{2}-\d{2}-\d{2}[ ,/-]{0,2}\d{8}(?!\d)")


def read(told: str | None) -> str | None:
    """Fourteen digits, however they are grouped; None for anything else."""
    digits = (told or "").translate(str.maketrans("", "", " -"))
    return digits if len(digits) == _DIGITS and digits.isascii() and digits.isdigit() else None


def of_iban(iban: str) -> str | None:
    """Those within a GB IBAN without separators; None for other IBANs."""
    found = _GB.fullmatch(iban)
    return found[1] if found else None


def spelled(number: str) -> str:
    """As people write it: 20-20-15 55555555."""
    return f"{number[:2]}-{number[2:4]}-{number[4:6]} {number[6:]}"


def find(text: str) -> list[tuple[str, str]]:
    """Those that stand in a text as people write them, each as it is spelled there, and its digits.

    Fourteen digits in a row are no sign of one: orders and invoices have as many.
    """
    return [(each[0], re.sub(r"\D", "", each[0])) for each in _SPELLED.finditer(text)]
