"""What a filter reads of a message, and how its values compare: C#'s rules, and unknown for what is not there."""

from __future__ import annotations

import operator
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # ARM reads filters, too, and needs no AMQP for it
    from local.azure.dataplanes.servicebus.message import Message

SYSTEM = {
    "messageid": "message_id",
    "correlationid": "correlation_id",
    "to": "to",
    "replyto": "reply_to",
    "label": "subject",
    "subject": "subject",
    "sessionid": "group_id",
    "replytosessionid": "reply_to_group_id",
    "contenttype": "content_type",
}
"""System properties by the name that filters give them, in lower case, and AMQP's name."""
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FilterError(ValueError):
    """A filter that can't be read, or that can't be evaluated for a message."""


@dataclass(frozen=True)
class Scope:
    """A message as a filter reads it: user properties by lower-case name; None is unknown."""

    user: Mapping[str, Any]
    system: Mapping[str, Any]

    @classmethod
    def of(cls, message: Message) -> Scope:
        """The scope of a message."""
        user = {str(name).lower(): value for name, value in message.application.items()}
        return cls(user, {name: message.properties.get(amqp) for name, amqp in SYSTEM.items()})


def compare(sign: str, left: Any, right: Any) -> bool | None:
    """A comparison; None when a side is unknown. Raises FilterError for two kinds that don't compare."""
    if left is None or right is None:
        return None
    left, right = _comparable(left), _comparable(right)
    if type(left) is not type(right) and not (is_number(left) and is_number(right)):
        raise FilterError(f"{_kind(left)} and {_kind(right)} can't be compared with {sign}")
    if isinstance(left, (bool, uuid.UUID)) and sign not in ("=", "<>", "!="):
        raise FilterError(f"{_kind(left)} can't be compared with {sign}")
    return _COMPARISONS[sign](left, right)


def calculate(sign: str, left: Any, right: Any) -> Any:
    """Arithmetic as C# does it: whole numbers stay whole, + joins text; None when a side is unknown.

    Raises FilterError for what is no number, and for a division by zero.
    """
    if left is None or right is None:
        return None
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (is_number(left) and is_number(right)):
        raise FilterError(f"{_kind(left)} and {_kind(right)} can't be joined with {sign}")
    whole = isinstance(left, int) and isinstance(right, int)
    if sign in "/%" and right == 0:
        raise FilterError(f"{sign} by zero")
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return _toward_zero(left, right) if whole else left / right
    return left - right * _toward_zero(left, right)


def like(text: Any, pattern: Any, escape: Any = None) -> bool | None:
    """LIKE with % and _; None when an operand is unknown. Raises FilterError for what is no text."""
    if text is None or pattern is None:
        return None
    if not isinstance(text, str) or not isinstance(pattern, str):
        raise FilterError("LIKE needs text on both sides")
    if escape is not None and (not isinstance(escape, str) or len(escape) != 1):
        raise FilterError("ESCAPE needs one character")
    return bool(re.fullmatch(_expression(pattern, escape), text, re.DOTALL))


def is_number(value: Any) -> bool:
    """Whether it counts as a number; a truth value does not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _expression(pattern: str, escape: str | None) -> str:
    found, characters = [], iter(pattern)
    for each in characters:
        if each == escape:
            following = next(characters, None)
            if following is None:
                raise FilterError("the pattern ends with its escape character")
            found.append(re.escape(following))
        else:
            found.append({"%": ".*", "_": "."}.get(each) or re.escape(each))
    return "".join(found)


def _toward_zero(left: Any, right: Any) -> Any:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _comparable(value: Any) -> Any:
    match value:
        case bool() | uuid.UUID():
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return str(value)
    raise FilterError(f"{_kind(value)} can't be compared")


def _kind(value: Any) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", uuid.UUID: "a UUID"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)
