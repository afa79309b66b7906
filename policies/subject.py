"""Subject: what rules judge: a resource as it is registered, or all resources of a stack."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from policies.properties import Property, Truth

_API_VERSION = re.compile(r"/v\d[^:/]*(?=:)")


@cache
def without_version(token: str) -> str:
    """A type without its API version: azure-native:sql/v20230801:Server and kubernetes:apps/v1:Deployment alike."""
    return _API_VERSION.sub("", token)


def stack_of(urn: str) -> str:
    """Stack and project of a URN: "prod::tributary"."""
    return "::".join(urn.removeprefix("urn:pulumi:").split("::")[:2])


@dataclass(frozen=True)
class Subject:
    """One resource.

    type: without API version. protected: Pulumi refuses to delete it. settings: of the rule that judges.
    defaults: what Azure takes for absent properties, as the rule declares it.
    uses: by property, URNs of the resources its value comes from.
    deployed: inputs that it is deployed with, none for one that is new; None where that is not known.
    """

    type: str
    name: str
    urn: str
    properties: Any
    protected: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    uses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    deployed: Mapping[str, Any] | None = None

    def __getitem__(self, path: str) -> Property:
        return Property(self.properties, "", self.defaults)[path]

    @property
    def stack(self) -> str:
        """Name of its stack."""
        return self.urn.removeprefix("urn:pulumi:").split("::")[0]

    @property
    def project(self) -> str:
        """Name of its project."""
        return self.urn.split("::")[1] if "::" in self.urn else ""

    def is_a(self, *types: str) -> bool:
        """Whether it is of one of these types, whatever their API version."""
        return self.type in map(without_version, types)

    def from_(self, path: str, *others: Subject) -> bool:
        """Whether a property's value comes from one of these resources: known even while the value is not."""
        return any(each.urn in self.uses.get(path, ()) for each in others)

    def uses_any(self, *others: Subject) -> bool:
        """Whether any property's value comes from one of these resources."""
        return any(self.from_(path, *others) for path in self.uses)


def completed(resource: Subject, inputs: Mapping[str, Any]) -> Subject:
    """A resource of a stack with the inputs it was registered with, by URN, in front of what the provider answered.

    Much of an answer is not known in a preview although the input is.
    """
    given = inputs.get(resource.urn)
    return resource if given is None else replace(resource, properties=ChainMap(given, resource.properties))


@dataclass(frozen=True)
class Stack:
    """All resources of a stack. settings: of the rule that judges."""

    resources: Sequence[Subject]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Subject]]:
        found: dict[str, list[Subject]] = {}
        for each in self.resources:
            found.setdefault(each.type, []).append(each)
        return found

    def of(self, *types: str) -> list[Subject]:
        """Resources of these types, whatever their API version."""
        return [each for type_ in dict.fromkeys(map(without_version, types)) for each in self._by_type.get(type_, ())]

    @cached_property
    def _sources(self) -> frozenset[str]:
        return frozenset(urn for each in self.resources for urns in each.uses.values() for urn in urns)

    def uses(self, resource: Subject) -> bool:
        """Whether a property of any resource takes its value from this one."""
        return resource.urn in self._sources

    def each(self, types: Sequence[str], holds: Callable[[Subject], Truth]) -> Answers:
        """The answer for every resource of these types."""
        return [(each, lambda each=each: holds(each)) for each in self.of(*types)]

    def whole(self, holds: Callable[[], Truth]) -> Answers:
        """One answer for the stack as such."""
        return [(None, holds)]


Answers = Sequence[tuple[Subject | None, Callable[[], Truth]]]
"""Which resource (None: the stack as such) is asked what. Asked one by one: what one does not know, another may."""
