"""Names of people: what may stand in one."""

from __future__ import annotations

import unicodedata

LONGEST = 256
"""Characters of a display name, as Microsoft Graph counts them."""
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of Unicode that show nothing of themselves, or change what stands beside them (UAX #44)."""
_JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: names in Persian and Indic scripts are spelled with them (UAX #31, section 2.3)."""


def fault(name: str) -> str | None:
    """What is wrong with a name; None where nothing is.

    Controls, bidirectional marks and other unseen characters are refused: a name made of them looks like another.
    """
    if name != name.strip() or not name:
        return "it is empty, or begins or ends with a space"
    if len(name.encode("utf-16-le")) // 2 > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if any(unicodedata.category(each) in _UNSEEN and each not in _JOINERS for each in name):
        return "it holds a character that can't be seen"
    if not any(unicodedata.category(each)[0] in "LN" for each in name):
        return "it holds no letter"
    return None
