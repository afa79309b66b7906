"""Text of requests that is kept as it is: without control characters, of which PostgreSQL refuses U+0000."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A member of a request that is one line of text."""
