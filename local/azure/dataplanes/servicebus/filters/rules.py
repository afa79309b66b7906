"""A subscription's rules, as ARM keeps them, over messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.dataplanes.servicebus.filters.sql import Evaluation, compiled
from local.azure.dataplanes.servicebus.filters.values import FilterError, Scope, compare

_CORRELATION = {
    "contentType": "contenttype",
    "correlationId": "correlationid",
    "label": "label",
    "messageId": "messageid",
    "replyTo": "replyto",
    "replyToSessionId": "replytosessionid",
    "sessionId": "sessionid",
    "to": "to",
}
"""ARM's name of a correlation filter's field, and the system property it must equal."""
DEFAULT: Mapping[str, Any] = {
    "filterType": "SqlFilter",
    "sqlFilter": {"sqlExpression": "1=1", "compatibilityLevel": 20},
}
"""What the rule $Default of a new subscription says: everything."""


@dataclass(frozen=True)
class Rule:
    """One rule. name: e.g. "$Default". matches: True, False or None for a scope; may raise FilterError."""

    name: str
    matches: Evaluation


def rule_of(name: str, properties: Mapping[str, Any]) -> Rule:
    """The rule of a body that ARM keeps. Raises FilterError for one that is not done here or can't be read."""
    action = properties.get("action") or {}
    if action.get("sqlExpression"):
        raise FilterError(f"action.sqlExpression {action['sqlExpression']!r}: rule actions are not done here")
    kind = properties.get("filterType") or ("CorrelationFilter" if properties.get("correlationFilter") else "SqlFilter")
    if kind == "CorrelationFilter":
        return Rule(name, _correlation(properties.get("correlationFilter") or {}))
    given = properties.get("sqlFilter") or {}
    return Rule(name, compiled(str(given.get("sqlExpression") or "1=1")))


def _correlation(given: Mapping[str, Any]) -> Evaluation:
    wanted = [(_CORRELATION[name], str(given[name])) for name in _CORRELATION if given.get(name) is not None]
    user = [(str(name).lower(), value) for name, value in (given.get("properties") or {}).items()]
    if not wanted and not user:
        raise FilterError("correlationFilter names no property; it needs one at least")

    def matches(scope: Scope) -> bool:
        return all(str(scope.system.get(name)) == value for name, value in wanted) and all(
            _equal(scope.user.get(name), value) for name, value in user
        )

    return matches


def _equal(found: Any, value: Any) -> bool:
    try:
        return compare("=", found, value) is True
    except FilterError:
        return False
