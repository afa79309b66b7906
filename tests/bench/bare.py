"""A bare-SDK program: the resources that a plan lists, registered with the SDKs' classes alone, no component between.

Written down from a preview of the real program (``write``), and run from that file by the engine (``register``). Each
resource has the same inputs, depends on the same others through the same properties, and is protected alike.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from local.plugins.values import ENGINE_UNKNOWN

_SECRET = "[secret]"  # what the engine shows instead of one
_ADD_ONS = ("secrets-store.csi.x-k8s.io/",)
"""API groups that add-ons of a cluster bring."""
_ADDED = ("azureApiVersion", "version", "__internal", "__createBeforeDelete")
"""Inputs that engine and providers add, where a class takes none of that name."""


def write(states: Iterable[Mapping[str, Any]], file: Path) -> int:
    """Keep what a program registered, in its order; returns how many. states: of a preview's steps, as JSON."""
    kept = [
        {
            "urn": each["urn"],
            "type": each["type"],
            "inputs": each.get("inputs") or {},
            "uses": each.get("propertyDependencies") or {},
            "needs": each.get("dependencies") or [],
            "protect": bool(each.get("protect")),
            "provider": each.get("provider", "").rsplit("::", 1)[0],
        }
        for each in states
        if each.get("custom")
    ]
    file.write_text(json.dumps(kept))
    return len(kept)


def register(file: str, copies: int, *, aliases: bool) -> None:
    """Register all that ``write`` kept, so many times. aliases: keep those that azure-native's classes carry."""
    if not aliases:
        pulumi.runtime.register_stack_transformation(_without_aliases)
    kept = json.loads(Path(file).read_text())
    for copy in range(copies):
        made: dict[str, pulumi.Resource] = {}
        for each in kept:
            made[each["urn"]] = _registered(each, made, copy)


def _without_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    args.opts.aliases = []
    return pulumi.ResourceTransformationResult(args.props, args.opts)


def _registered(kept: Mapping[str, Any], made: Mapping[str, pulumi.Resource], copy: int) -> pulumi.Resource:
    uses = {key: [made[urn] for urn in urns if urn in made] for key, urns in kept["uses"].items()}
    through_properties = {urn for urns in kept["uses"].values() for urn in urns}
    provider = made.get(kept["provider"])
    opts = pulumi.ResourceOptions(
        protect=kept["protect"] or None,
        depends_on=[made[urn] for urn in kept["needs"] if urn in made and urn not in through_properties],
        provider=provider if isinstance(provider, pulumi.ProviderResource) else None,
    )
    given = {key: _with_outputs(value, uses.get(key, [])) for key, value in kept["inputs"].items()}
    name = kept["urn"].rsplit("::", 1)[1]
    return _maker(kept["type"])(f"{name}-{copy}" if copy else name, given, opts)


def _with_outputs(value: Any, uses: list[pulumi.Resource]) -> Any:
    """A property as a program says it: what comes from other resources is an output of theirs."""
    if isinstance(value, dict):
        return {key: _with_outputs(each, uses) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_outputs(each, uses) for each in value]
    if value == ENGINE_UNKNOWN and uses:
        return uses[0].id if len(uses) == 1 else pulumi.Output.all(*(each.id for each in uses)).apply(str)  # type: ignore[attr-defined]
    return pulumi.Output.secret("secret") if value == _SECRET else value


def _maker(token: str) -> Callable[[str, dict[str, Any], pulumi.ResourceOptions], pulumi.Resource]:
    package, module, name = token.split(":")
    if package == "pulumi-python":
        return lambda name, given, opts: pulumi.CustomResource(token, name, given, opts)
    if module.startswith(_ADD_ONS):
        return _custom_object
    if package == "pulumi":
        cls = importlib.import_module(f"pulumi_{name}").Provider
    else:
        group, _, version = module.partition("/")
        path = f"{group.split('.')[0]}.{version}" if version else group  # rbac.authorization.k8s.io/v1 is rbac.v1
        cls = getattr(importlib.import_module(f"pulumi_{package.replace('-', '_')}.{path}"), name)
    named = {_folded(each): each for each in inspect.signature(cls._internal_init).parameters}

    def make(name: str, given: dict[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
        said = {key: value for key, value in given.items() if key not in _ADDED or _folded(key) in named}
        return cls(name, opts=opts, **{named[_folded(key)]: value for key, value in said.items()})

    return make


def _custom_object(name: str, given: dict[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """An object of a kind that Kubernetes itself does not know, for which the SDK has one class."""
    said = {"api_version" if key == "apiVersion" else key: value for key, value in given.items()}
    return CustomResource(name, opts=opts, **said)


def _folded(name: str) -> str:
    """A name as it is in Python and in the SDK's schema alike."""
    return name.replace("_", "").lower()
