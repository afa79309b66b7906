"""Once: has CrossGuard do for a request once what it does anew for every policy of the pack.

pulumi-policy 1.21 converts the resource, and for a policy about the stack every resource of it, anew for each policy
(pulumi_policy/policy.py, `Analyze` and `AnalyzeStack`), and converts it for remediations that nobody asked for: with
hundreds of rules that is most of what the pack costs. It offers no hook, so its functions are wrapped by their names
there. Where a version has one of them no longer, nothing is touched, and the pack is as slow as pulumi-policy makes it.
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pulumi_policy import policy

_SERVICER = "_PolicyAnalyzerServicer"
_METHODS = ("Analyze", "AnalyzeStack", "Remediate", "Configure")
_CONVERSIONS = ("deserialize_properties", "unknown_checking_proxy")
_READERS = ("_get_resource_options", "_get_provider_resource")
"""Methods that read a resource's message."""
_ENVIRONMENT = "_configure_runtime_settings"
"""Method that reads the process's environment, which stays as it is; no policy here asks Pulumi's runtime anything."""
_STACK = "StackValidationArgs"


class _Request(threading.local):
    """The request that this thread answers.

    converted: by conversion and its value's identity, value and result. type: of the one resource that it is about.
    stack: the resources that it is about, converted.
    """

    converted: dict[tuple[Any, int], tuple[Any, Any]] | None = None
    type: str | None = None
    stack: list[Any] | None = None


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
    """Wraps pulumi-policy's functions; whether it could. Call it before the pack is served."""
    servicer = getattr(policy, _SERVICER, None)
    messages = getattr(policy, "json_format", None)
    found = [getattr(servicer, each, None) for each in (*_METHODS, *_READERS, _ENVIRONMENT)]
    found += [getattr(policy, each, None) for each in (*_CONVERSIONS, _STACK)]
    if not all(map(callable, [*found, getattr(messages, "MessageToDict", None)])):
        return False
    _wrap_methods(servicer)
    for name in _CONVERSIONS:
        setattr(policy, name, _once(getattr(policy, name)))
    setattr(policy, _STACK, _alike(getattr(policy, _STACK)))
    own = types.ModuleType(policy.json_format.__name__)
    vars(own).update(vars(policy.json_format), MessageToDict=_once(policy.json_format.MessageToDict))
    setattr(policy, "json_format", own)  # noqa: B010  # a module of another name, to the type checker
    return True


def _wrap_methods(servicer: Any) -> None:
    servicer.Analyze = _remembering(servicer.Analyze)
    servicer.AnalyzeStack = _remembering(servicer.AnalyzeStack, _ShownOnce)
    servicer.Configure, servicer.Remediate = _where_asked(servicer.Configure, servicer.Remediate)
    for name in _READERS:
        setattr(servicer, name, _reading(getattr(servicer, name)))
    setattr(servicer, _ENVIRONMENT, functools.cache(getattr(servicer, _ENVIRONMENT)))


def _remembering(method: Callable[..., Any], shown: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    """The method, with a memory that ends with the request. shown: what it is given in the request's place."""

    @functools.wraps(method)
    def answered(servicer: Any, request: Any, *more: Any) -> Any:
        _request.converted, _request.type = {}, getattr(request, "type", None)
        try:
            return method(servicer, shown(request) if shown else request, *more)
        finally:
            _request.converted = _request.type = _request.stack = None

    return answered


class _ShownOnce:
    """A request about a stack whose resources are there to be converted by one policy: the others get the same."""

    def __init__(self, request: Any) -> None:
        self._request, self._shown = request, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    @property
    def resources(self) -> Sequence[Any]:
        shown, self._shown = self._shown, True
        return () if shown else self._request.resources


def _alike(make: Callable[..., Any]) -> Callable[..., Any]:
    """What a policy about the stack is given, with the resources that the request's first one was given."""

    def made(resources: list[Any], *more: Any, **named: Any) -> Any:
        if _request.stack is None:
            _request.stack = resources
        return make(_request.stack if _request.converted is not None else resources, *more, **named)

    return made


def _where_asked(
    configure: Callable[..., Any], remediate: Callable[..., Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Both methods, of which the second only does anything where a config has a policy remediate.

    A pack whose own levels say so is not for this: the levels of this one are all mandatory.
    """
    asked: dict[int, bool] = {}

    @functools.wraps(configure)
    def configured(servicer: Any, request: Any, *more: Any) -> Any:
        levels = [each.enforcementLevel for each in request.policyConfig.values()]
        asked[id(servicer)] = policy.proto.REMEDIATE in levels
        return configure(servicer, request, *more)

    @functools.wraps(remediate)
    def remediated(servicer: Any, request: Any, *more: Any) -> Any:
        if not asked.get(id(servicer)):
            return policy.proto.RemediateResponse()
        return remediate(servicer, request, *more)

    return configured, remediated


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
