"""Text of requests that is kept as it is: without control characters, of which PostgreSQL refuses U+0000."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from workloads.chassis import ibans

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A member of a request that is one line of text."""


def without_ibans(text: str) -> str:
    """The text. Raises ValueError when an IBAN stands in it: it would be kept in clear."""
    if any(True for _ in ibans.find(text)):
        raise ValueError("it names an IBAN, which is kept sealed alone: leave it out")
    return text


PlainName = Annotated[Line, AfterValidator(without_ibans)]
"""A name that is kept as it is, and so may hold no IBAN."""
