"""Integers of requests, as JSON Schema has them: 4 and 4.0, but neither true nor "4"."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it should be a number")
    return value


# pydantic's own int takes true and "4", its StrictInt refuses 4.0 (JSON Schema 2020-12, validation, section 6.1.1).
NUMBER = BeforeValidator(_number)
"""Of an integer's annotation, after its bounds: pydantic forgets in the document those that come later."""
Integer = Annotated[int, NUMBER]
"""A member of a request that its document calls an integer."""
