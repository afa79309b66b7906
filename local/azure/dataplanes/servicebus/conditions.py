"""Refusals in AMQP's and Service Bus's words (AMQP 1.0 part 2, 2.8.15; the SDKs' error codes)."""

from __future__ import annotations

import uuid

from proton import Condition, symbol

NOT_FOUND = "amqp:not-found"
UNAUTHORIZED = "amqp:unauthorized-access"
NOT_ALLOWED = "amqp:not-allowed"
NOT_IMPLEMENTED = "amqp:not-implemented"
DECODE = "amqp:decode-error"
DELETED = "amqp:resource-deleted"
TOO_LARGE = "amqp:link:message-size-exceeded"
ARGUMENT = "com.microsoft:argument-error"
DISABLED = "com.microsoft:entity-disabled"
LOCK_LOST = "com.microsoft:message-lock-lost"
SESSION_LOCK_LOST = "com.microsoft:session-lock-lost"
SESSION_TAKEN = "com.microsoft:session-cannot-be-locked"
MESSAGE_NOT_FOUND = "com.microsoft:message-not-found"
TIMEOUT = "com.microsoft:timeout"

STATUS = {
    NOT_FOUND: 404,
    MESSAGE_NOT_FOUND: 404,
    UNAUTHORIZED: 401,
    NOT_IMPLEMENTED: 501,
    LOCK_LOST: 410,
    SESSION_LOCK_LOST: 410,
    TOO_LARGE: 413,
}
"""HTTP status of a management answer by condition; 400 for the rest."""


class Refusal(Exception):
    """A refused operation. condition: one of the above; description: what is wrong and what to do."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.condition, self.description = condition, description

    @property
    def status(self) -> int:
        """The HTTP status that a management answer carries."""
        return STATUS.get(self.condition, 400)

    def as_amqp(self) -> Condition:
        """The refusal as an AMQP error. azure-servicebus hangs on a rejected message whose error has no info."""
        return Condition(self.condition, self.description, {symbol("tracking-id"): uuid.uuid4().hex})
