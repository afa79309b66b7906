"""Once: has CrossGuard convert the properties of a request once, not again for every policy of the pack.

pulumi-policy 1.21 converts the resource, and for a policy about the stack every resource of it, anew for each policy
(pulumi_policy/policy.py, `Analyze` and `AnalyzeStack`): with hundreds of rules that is most of what the pack costs. It
offers no hook, so the three conversions and the two methods are wrapped by their names there. Where a version has them
no longer, nothing is touched, and the pack is as slow as pulumi-policy makes it.
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable
from typing import Any

from pulumi_policy import policy

_SERVICER = "_PolicyAnalyzerServicer"
_METHODS = ("Analyze", "AnalyzeStack")  # not Remediate: policies write into what it hands out
_CONVERSIONS = ("deserialize_properties", "unknown_checking_proxy")


class _Request(threading.local):
    """The request that this thread answers. converted: by conversion and its value's identity, value and result."""

    converted: dict[tuple[Any, int], tuple[Any, Any]] | None = None


_request = _Request()


def convert_once() -> bool:
    """Wraps pulumi-policy's conversions; whether it could. Call it before the pack is served."""
    servicer = getattr(policy, _SERVICER, None)
    messages = getattr(policy, "json_format", None)
    found = [getattr(servicer, each, None) for each in _METHODS]
    found += [getattr(policy, each, None) for each in _CONVERSIONS] + [getattr(messages, "MessageToDict", None)]
    if not all(map(callable, found)):
        return False
    for name in _METHODS:
        setattr(servicer, name, _remembering(getattr(servicer, name)))
    for name in _CONVERSIONS:
        setattr(policy, name, _once(getattr(policy, name)))
    own = types.ModuleType(policy.json_format.__name__)
    vars(own).update(vars(policy.json_format), MessageToDict=_once(policy.json_format.MessageToDict))
    policy.json_format = own
    return True


def _remembering(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with a memory of conversions that ends with the request."""

    @functools.wraps(method)
    def answered(*given: Any) -> Any:
        _request.converted = {}
        try:
            return method(*given)
        finally:
            _request.converted = None

    return answered


def _once(convert: Callable[..., Any]) -> Callable[..., Any]:
    """The conversion, done once for a value of the request under way; outside of one as ever."""

    @functools.wraps(convert)
    def converted(value: Any, *more: Any, **named: Any) -> Any:
        kept = _request.converted
        if kept is None or more or named:
            return convert(value, *more, **named)
        key = (convert, id(value))
        if key not in kept:
            kept[key] = (value, convert(value))  # holding the value keeps its identity from being given to another
        return kept[key][1]

    return converted
