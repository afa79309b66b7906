"""The chain: each entry's digest (SHA-256) covers its content and the digest before it."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

START = "0" * 64
"""The digest before the first entry."""
_LONGEST = 2000
_TOLD = re.compile(r"^[\w:.\-]{1,80}$")
"""Ids, dates, kinds: nothing else of an event's data goes into the chain."""


@dataclass(frozen=True)
class Content:
    """What an entry says."""

    number: int
    event_id: uuid.UUID
    at: datetime.datetime
    source: str
    type: str
    subject: str | None
    about: str

    def digest(self, before: str) -> str:
        """Over the content and the digest of the entry before."""
        told = [
            before, self.number, str(self.event_id), self.at.astimezone(datetime.UTC).isoformat(), self.source,
            self.type, self.subject, self.about,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def about(data: dict[str, Any]) -> str:
    """What the chain keeps of an event's data: ids, dates, numbers; as JSON text in a fixed form."""
    kept = {
        name: value
        for name, value in sorted(data.items())
        if isinstance(value, bool | int) or (isinstance(value, str) and _TOLD.match(value))
    }
    return json.dumps(kept, separators=(",", ":"))[:_LONGEST]


class End(NamedTuple):
    """Where a chain ends, or ended: the last entry's number, 0 for none, and its digest."""

    number: int
    digest: str


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold. number: of the first entry that is not as it was written."""

    number: int
    reason: str


def verify(entries: Iterable[tuple[Content, str]], end: End, noted: End | None = None) -> Break | None:
    """Whether a chain holds. entries: in order, with their digests. end: of its head.

    noted: where it ended before, as it was kept elsewhere. Whoever can write all of the database can write a chain that
    holds; one that holds what was noted, too, was neither cut nor written anew before that.
    """
    number, before = 0, START
    for content, digest in entries:
        number += 1
        if content.number != number:
            return Break(number, f"it is missing: the next one there is number {content.number}")
        if content.digest(before) != digest:
            return Break(number, "its content or the entry before was changed")
        if noted and noted.number == number and noted.digest != digest:
            return Break(number, "it, or one before, is not what it was when its digest was noted")
        before = digest
    if noted and noted.number > number:
        return Break(number + 1, f"the chain had {noted.number} entries when that was noted")
    if (number, before) != end:
        return Break(number + 1, f"the head says that the chain ends at number {end[0]}")
    return None
