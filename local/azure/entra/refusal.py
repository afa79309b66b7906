"""How Entra says no: OAuth 2.0 error codes (RFC 6749, 5.2) with an AADSTS number that clients parse."""

from __future__ import annotations

import datetime
import uuid
from typing import Any


class TokenRefused(Exception):
    """A token request that is turned down. number: the AADSTS code, e.g. 7000215."""

    def __init__(self, error: str, number: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error, self.number, self.message, self.status = error, number, message, status

    def body(self) -> dict[str, Any]:
        """Entra's error body."""
        trace = str(uuid.uuid4())
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.message} Trace ID: {trace}",
            "error_codes": [self.number],
            "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
            "trace_id": trace,
            "correlation_id": trace,
        }
