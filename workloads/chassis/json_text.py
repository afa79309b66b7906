"""Text of requests that is kept as it is: without control characters, of which PostgreSQL refuses U+0000."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from workloads.chassis import ibans, uk_numbers

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A member of a request that is one line of text."""


def without_numbers(text: str) -> str:
    """The text. Raises ValueError when an account number stands in it: it would be kept in clear."""
    if any(True for _ in ibans.find(text)) or uk_numbers.find(text):
        raise ValueError("it names an account number, which is kept sealed alone: leave it out")
    return text


PlainName = Annotated[Line, AfterValidator(without_numbers)]
"""A name that is kept as it is, and so may hold no account number."""
