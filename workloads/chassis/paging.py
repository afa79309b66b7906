"""Paging by key: a page starts after (date, sequence) of the last row seen, so a deep page costs no more."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from typing import Any

from sqlalchemy import Select, bindparam, or_

from workloads.chassis.problems import Problem

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
AFTER = ("after_date", "after_sequence")
"""Parameters of a page's query: the row that it comes after."""


def encode(date: datetime.date, sequence: int) -> str:
    """An opaque cursor that stands after this row."""
    return base64.urlsafe_b64encode(json.dumps([date.isoformat(), sequence]).encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime.date, int]:
    """The row a cursor stands after. Raises Problem 400 when it is not one of ours."""
    try:
        date, sequence = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        if type(sequence) is not int or not 0 <= sequence < 2**63:
            raise ValueError
        return datetime.date.fromisoformat(date), sequence
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Problem(400, "invalid-cursor", "cursor is not one that an earlier page returned.") from None


def after(cursor: str | None) -> dict[str, Any]:
    """Which row a page comes after, as parameters of its query; none for the first. Raises Problem 400."""
    return dict(zip(AFTER, decode(cursor), strict=True)) if cursor else {}


def newest_first(query: Select[Any], date: Any, sequence: Any, limit: int, *, first: bool) -> Select[Any]:
    """One page and one row more, which tells whether another page follows.

    first: whether it is the first one; another needs the parameters of ``after``.

    Written without row values (date, sequence) < (…): Azure SQL has none. And not as "earlier, or of that date and
    before": neither database looks an alternative up in an index, so that every row seen before would be read again.
    """
    if not first:
        day, last = (bindparam(name, type_=of.type) for name, of in zip(AFTER, (date, sequence), strict=True))
        query = query.where(date <= day, or_(date < day, sequence < last))
    return query.order_by(date.desc(), sequence.desc()).limit(limit + 1)
