"""Letters as people search for them: whoever types "uberweisung" finds "Überweisung"."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """The text without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))
