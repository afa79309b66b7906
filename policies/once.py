"""Once: has CrossGuard convert the properties of a request once, not again for every policy of the pack.

pulumi-policy 1.21 converts the resource, and for a policy about the stack every resource of it, anew for each policy
(pulumi_policy/policy.py, `Analyze` and `AnalyzeStack`): with hundreds of rules that is most of what the pack costs. It
offers no hook, so the conversions and the two methods are wrapped by their names there. Where a version has them no
longer, nothing is touched, and the pack is as slow as pulumi-policy makes it.
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pulumi_policy import policy

_SERVICER = "_PolicyAnalyzerServicer"
_METHODS = ("Analyze", "AnalyzeStack")  # not Remediate: policies write into what it hands out
_CONVERSIONS = ("deserialize_properties", "unknown_checking_proxy")
_READERS = ("_get_resource_options", "_get_provider_resource")
"""Methods that read a resource's message."""


class _Request(threading.local):
    """The request that this thread answers.

    converted: by conversion and its value's identity, value and result. type: of the one resource that it is about.
    """

    converted: dict[tuple[Any, int], tuple[Any, Any]] | None = None
    type: str | None = None


_request = _Request()


class Policies(list[policy.Policy]):
    """A pack's policies; while one resource is judged, only those that are about its type.

    judging: by type of resource, places of policies in the list.
    """

    def __init__(self, policies: Iterable[policy.Policy], judging: Callable[[str], Sequence[int]]) -> None:
        super().__init__(policies)
        self._judging = functools.cache(judging)

    def __iter__(self) -> Iterator[policy.Policy]:
        if _request.type is None:
            return super().__iter__()
        return iter([self[place] for place in self._judging(_request.type)])


def convert_once() -> bool:
    """Wraps pulumi-policy's conversions; whether it could. Call it before the pack is served."""
    servicer = getattr(policy, _SERVICER, None)
    messages = getattr(policy, "json_format", None)
    found = [getattr(servicer, each, None) for each in (*_METHODS, *_READERS)]
    found += [getattr(policy, each, None) for each in _CONVERSIONS] + [getattr(messages, "MessageToDict", None)]
    if not all(map(callable, found)):
        return False
    for name in _METHODS:
        setattr(servicer, name, _remembering(getattr(servicer, name)))
    for name in _READERS:
        setattr(servicer, name, _reading(getattr(servicer, name)))
    for name in _CONVERSIONS:
        setattr(policy, name, _once(getattr(policy, name)))
    own = types.ModuleType(policy.json_format.__name__)
    vars(own).update(vars(policy.json_format), MessageToDict=_once(policy.json_format.MessageToDict))
    setattr(policy, "json_format", own)  # noqa: B010  # a module of another name, to the type checker
    return True


def _remembering(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with a memory of conversions that ends with the request."""

    @functools.wraps(method)
    def answered(servicer: Any, request: Any, *more: Any) -> Any:
        _request.converted, _request.type = {}, getattr(request, "type", None)
        try:
            return method(servicer, request, *more)
        finally:
            _request.converted = _request.type = None

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


def _reading(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The method, which asks nothing of its servicer, likewise."""
    read = _once(functools.partial(method, None))

    def reading(_servicer: Any, message: Any) -> Any:
        return read(message)

    return reading
