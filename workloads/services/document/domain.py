"""What may be uploaded, and which transactions a receipt may belong to."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

LARGEST_BYTES = 5 * 1024 * 1024
"""Of one document: a photograph of a receipt has 2 to 4 MB."""
MOST_BYTES = 50 * 1024 * 1024
"""Of all of a person's: an export holds them in memory."""
LONGEST_NAME = 120
TYPES = ("application/pdf", "image/jpeg", "image/png", "image/webp")
"""Media types that are kept: those that browsers show without running anything of their own."""
_EXTENSIONS = dict(zip(TYPES, ("pdf", "jpg", "png", "webp"), strict=True))
_BOOKED_WITHIN = datetime.timedelta(days=7)
"""A payment by card is booked some days after the receipt was printed."""
_ZONES = datetime.timedelta(days=1)
"""The till's day may be the day after the bank's."""


def media_type(content: bytes) -> str | None:
    """What the content is, by its first bytes; None when it is nothing that is kept. What a client says is no proof."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def extension(kind: str) -> str:
    """Of a file of a media type that is kept, without the dot."""
    return _EXTENSIONS[kind]


def file_name(encoded: str) -> str:
    """A file's name from its percent-encoded UTF-8. Raises ValueError when it is none that can be shown."""
    name = unicodedata.normalize("NFC", unquote(encoded, errors="strict")).strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"a file's name has 1 to {LONGEST_NAME} printable characters and no slash")
    return name


@dataclass(frozen=True)
class Receipt:
    """What a receipt says. minor: paid, in minor units, positive."""

    minor: int
    currency: str
    date: datetime.date

    @property
    def earliest(self) -> datetime.date:
        """When its payment may first be listed."""
        return self.date - _ZONES

    @property
    def latest(self) -> datetime.date:
        """When its payment may last be listed."""
        return self.date + _BOOKED_WITHIN


def candidates(receipt: Receipt, transactions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The transactions that a receipt may belong to, the nearest in time first.

    transactions: as the transaction service tells them.
    """

    def days(each: dict[str, Any]) -> int:
        return abs((datetime.date.fromisoformat(each["date"]) - receipt.date).days)

    fitting = [
        each
        for each in transactions
        if (each["minor"], each["currency"]) == (-receipt.minor, receipt.currency)
        and receipt.earliest <= datetime.date.fromisoformat(each["date"]) <= receipt.latest
    ]
    return sorted(fitting, key=days)
