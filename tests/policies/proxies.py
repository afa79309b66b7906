"""Resources as CrossGuard hands them to a pack: through protobuf, its deserialization and its proxies."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi_policy import deserialize, proxy

from policies.rule import Example, Rule
from policies.subject import Stack, Subject, without_version

UNKNOWN = proxy.UNKNOWN_STRING_VALUE
STACK_URN = "urn:pulumi:prod::tributary::pulumi:pulumi:Stack::tributary-prod"


def secret(value: Any) -> dict[str, Any]:
    """How the engine marks a secret."""
    return {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": value}


def proxied(properties: dict[str, Any]) -> Any:
    """Inputs after the whole way through CrossGuard."""
    message = struct_pb2.Struct()
    message.update(properties)
    return proxy.unknown_checking_proxy(deserialize.deserialize_properties(json_format.MessageToDict(message)))


def urn(type_: str, name: str = "it") -> str:
    """The URN of a resource of the stack prod."""
    return f"urn:pulumi:prod::tributary::{type_}::{name}"


def subject(
    type_: str, properties: dict[str, Any], name: str = "it", *, protected: bool = False, **uses: list[str]
) -> Subject:
    """A resource. uses: by property, names of the resources (type::name) that its value comes from."""
    return Subject(
        without_version(type_),
        name,
        urn(type_, name),
        proxied(properties),
        protected,
        uses={key: [urn(*each.rsplit("::", 1)) for each in value] for key, value in uses.items()},
    )


def stack(*subjects: Subject) -> Stack:
    """A stack with its root."""
    return Stack([subject("pulumi:pulumi:Stack", {}, "tributary-prod"), *subjects])


def changed(properties: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path; `...` removes what is there."""
    made = copy.deepcopy(properties)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = made
    for part in way:
        at = at[part] if isinstance(part, int) else at.setdefault(part, {})
    if value is ...:
        at.pop(last, None)
    else:
        at[last] = value
    return made


def type_of(rule: Rule) -> str:
    """The first type that a rule is about."""
    return rule.on[0].replace("azure-native:*", "azure-native:storage:StorageAccount")


def of_rule(rule: Rule, properties: dict[str, Any]) -> Subject:
    """A resource of the rule's first type; deployed as the rule's example says."""
    return replace(subject(type_of(rule), properties), deployed=rule.deployed)


def compliant(rule: Rule) -> Subject:
    """The rule's own example, as the first of its types."""
    return of_rule(rule, dict(rule.passes))


def example_stack(examples: Sequence[Example]) -> Stack:
    """A rule's example for the whole stack."""
    made = [
        subject(
            each.type,
            dict(each.properties),
            each.name,
            protected=each.protected,
            **{k: list(v) for k, v in each.uses.items()},
        )
        for each in examples
    ]
    return Stack(made)
