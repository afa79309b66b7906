"""What the official provider fills in where a program says nothing: name, location, API version.

Rules: pulumi-azure-native, autonaming (random suffix at a resource group's first level, else the Pulumi name; UUIDs for
role assignments) and default location (old input, provider setting, the resource group's).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as rpc

from local.azure.arm.types import Type, by_token
from local.plugins.azure_native.operations import ArmRefused, Operations
from local.plugins.naming import unique_name, unique_uuid, urn_name
from local.plugins.values import UNKNOWN

API_VERSION = "azureApiVersion"
RANDOMLY_NAMED = "__createBeforeDelete"
"""Input that marks a name with a random suffix, which lets a replacement be made before the old one goes."""
BOOKKEEPING = frozenset({API_VERSION, RANDOMLY_NAMED})
_ALWAYS_RANDOM = {"endpointName", "customDomainName"}
_UUIDS = {"roleAssignmentName", "roleDefinitionId"}
_Mode = rpc.CheckRequest.AutonamingOptions


class Defaults:
    """Fills in defaults; remembers the locations of resource groups."""

    def __init__(self, operations: Operations | None, subscription: str, location: str | None) -> None:
        self._operations, self._subscription, self._location = operations, subscription, location
        self._groups: dict[str, str] = {}
        self._lock = threading.Lock()

    def filled(self, kind: Type, request: rpc.CheckRequest, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict:
        """The defaults to add to the inputs. olds, news: plain inputs of before and now."""
        added: dict[str, Any] = {}
        parameter = kind.name_parameter
        if parameter and news.get(parameter) is None:
            added |= self._name(kind, parameter, request, olds)
        field = kind.shape.fields.get("location")
        if field and not field.read_only and news.get("location") is None:
            location = self._place(kind, olds, news)
            if location:
                added["location"] = location
        added[API_VERSION] = kind.version
        return added

    def _name(self, kind: Type, parameter: str, request: rpc.CheckRequest, olds: Mapping[str, Any]) -> dict[str, Any]:
        if parameter in olds:
            kept = {parameter: olds[parameter]}
            return {**kept, RANDOMLY_NAMED: True} if olds.get(RANDOMLY_NAMED) else kept
        rule = kind.names.get(parameter, {})
        if parameter in _UUIDS or rule.get("format") == "uuid":
            strategy = "uuid"
        elif parameter in _ALWAYS_RANDOM or _first_level(kind.path):
            strategy = "random"
        else:
            strategy = "copy"
        if request.HasField("autonaming"):
            options = request.autonaming
            if options.mode == _Mode.DISABLE:
                return {}
            if options.mode == _Mode.ENFORCE or strategy != "uuid":
                return {parameter: options.proposed_name, RANDOMLY_NAMED: True}
        name = urn_name(request.urn)
        if strategy == "copy":
            return {parameter: name}
        made = unique_uuid(request.randomSeed) if strategy == "uuid" else unique_name(request.randomSeed, name)
        return {parameter: made, RANDOMLY_NAMED: True}

    def _place(self, kind: Type, olds: Mapping[str, Any], news: Mapping[str, Any]) -> str | None:
        if olds.get("location") is not None:
            return olds["location"]
        if self._location:
            return self._location
        group = news.get("resourceGroupName")
        if group is None or kind.name_parameter == "resourceGroupName":
            return None
        return UNKNOWN if group == UNKNOWN else self._group_location(group)

    def _group_location(self, group: str) -> str | None:
        with self._lock:
            if group not in self._groups and self._operations:
                groups = by_token("azure-native:resources:ResourceGroup")
                path = f"/subscriptions/{self._subscription}/resourceGroups/{group}"
                try:
                    found = self._operations.get(groups, path) if groups else None
                except ArmRefused:  # may not read the group: the program has to say the location
                    found = None
                if found is None:
                    return None
                self._groups[group] = str(found["location"])
            return self._groups.get(group)


def _first_level(path: str) -> bool:
    after = re.split("microsoft\\.", path.lower())
    return len(after) == 1 or after[-1].count("{") == 1
