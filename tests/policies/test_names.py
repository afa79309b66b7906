"""Every type that a rule judges and every property that it names exist in the providers' SDKs: no rule can't fire."""

from __future__ import annotations

import functools
import importlib
import re
import sys
import typing
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi._types as types
import pytest

from policies import pack
from policies.rule import Rule

pytestmark = pytest.mark.full  # loading the SDKs takes its time
PROGRAMS_OWN = "pulumi-python:"
"""Resources of the program's own have no SDK."""
RULES = [each for each in pack.load() if not each.judges_stack and not each.on[0].startswith(PROGRAMS_OWN)]
STACK_RULES = [each for each in pack.load() if each.judges_stack]


def arguments_of(token: str) -> type:
    """The class of a resource's inputs."""
    package, module, name = token.split(":")
    library = {"azure-native": "pulumi_azure_native", "kubernetes": "pulumi_kubernetes"}[package]
    path = "" if module == "" else "." + module.replace(".k8s.io", "").replace("rbac.authorization", "rbac")
    if package == "kubernetes":
        path += {"autoscaling": ".v2"}.get(module, ".v1")
    found = importlib.import_module(library + path)
    return getattr(found, f"{name}InitArgs", None) or getattr(found, f"{name}Args")


@functools.cache
def fields(arguments: type) -> dict[str, Any]:
    """Types of the properties, by the name that goes over the wire."""
    known = {**vars(pulumi.output), **vars(sys.modules[arguments.__module__])}  # Input names what is there only
    return {
        wire: typing.get_type_hints(getattr(arguments, name).fget, known).get("return")
        for name, wire in types.input_type_py_to_pulumi_names(arguments).items()
    }


def strange(hint: Any, value: Any, path: str = "") -> list[str]:
    """Paths of a value that the type does not have."""
    if isinstance(value, list):
        return [each for item in value for each in strange(hint, item, f"{path}[]")]
    if not isinstance(value, Mapping):
        return []
    kind, inner = _object(hint)
    if kind == "free":
        return [each for key in value for each in strange(inner, value[key], f"{path}.{key}")]
    have = fields(inner) if kind == "class" else dict.fromkeys(value)
    wrong = [f"{path}.{key}" for key in value if key not in have]
    return wrong + [each for key in value if key in have for each in strange(have[key], value[key], f"{path}.{key}")]


def _object(hint: Any) -> tuple[str, Any]:
    """What an object of this type is: of a class, with free names ("free") for values of a type, or anything."""
    queue = [hint]
    while queue:
        each = queue.pop(0)
        if isinstance(each, type) and types.is_input_type(each):
            return "class", each
        inner = typing.get_args(each)
        if typing.get_origin(each) is Mapping and _object(inner[1])[0] == "class":
            return "free", inner[1]
        if typing.get_origin(each) is not Mapping:
            queue += [option for option in inner if option is not each]
    return "anything", None


def _tree(path: str) -> Any:
    value: Any = None
    for part in reversed(path.split(".")):
        value = [value] if part.isdigit() else {part: value}
    return value


def test_a_name_that_does_not_exist_is_noticed_at_any_depth() -> None:
    cluster = arguments_of("azure-native:containerservice:ManagedCluster")
    assert strange(cluster, {"agentPoolProfiles": [{"maxCount": 1, "maximumCount": 1}]}) == [
        ".agentPoolProfiles[].maximumCount"
    ]
    deployment = arguments_of("kubernetes:apps:Deployment")
    pod = {"spec": {"template": {"spec": {"containers": [{"securityContext": {"readOnlyRoot": True}}]}}}}
    assert len(strange(deployment, pod)) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_its_types_and_properties_exist(rule: Rule) -> None:
    tokens = ["azure-native:storage:StorageAccount"] if rule.on[0].endswith("*") else rule.on
    wrong = {token: strange(arguments_of(token), rule.passes) for token in tokens}
    if rule.service == "K8S":  # its examples are of the first kind only
        wrong = {rule.on[0]: wrong[rule.on[0]]}
    assert {token: each for token, each in wrong.items() if each} == {}
    first = arguments_of(tokens[0])
    assert [each for path in rule.breaks for each in strange(first, _tree(path))] == []
    assert [each for path in rule.defaults for each in strange(first, _tree(path))] == []


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.id)
def test_the_types_of_its_examples_exist(rule: Rule) -> None:
    for example in {each.type: each for examples in (rule.passes, *rule.breaks.values()) for each in examples}.values():
        if example.type.startswith(("pulumi:", PROGRAMS_OWN)):
            continue
        have = fields(arguments_of(re.sub(r"/v\d\w*", "", example.type)))
        assert {*example.uses, *example.properties} - {"kind"} <= set(have)
