"""Looks a resource up where its provider would have made it: for resources that the Pulumi state does not know."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local.azure.arm.types import by_token
from local.plugins import diffs
from local.plugins.azure_native import mapping
from local.plugins.azure_native import settings as azure_settings
from local.plugins.azure_native.endpoint import Endpoint
from local.plugins.azure_native.operations import Operations
from local.plugins.kubernetes import objects
from local.plugins.kubernetes import settings as kubernetes_settings
from local.plugins.kubernetes.cluster import Cluster, UnknownKind
from local.plugins.naming import urn_type
from local.plugins.values import plain


@dataclass(frozen=True)
class Found:
    """What is there. id, outputs: as the provider would have answered. differs: inputs that it does not have."""

    id: str
    outputs: Mapping[str, Any]
    differs: tuple[str, ...] = ()


class Lookup(Protocol):
    """Finds resources of one provider instance."""

    def find(self, urn: str, inputs: Mapping[str, Any]) -> Found | None:
        """The resource that these inputs stand for; None when it is not there. Raises ProviderError."""
        ...


class AzureLookup:
    """Resources of an ARM endpoint."""

    def __init__(self, config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        settings = azure_settings.read(config, environment)
        assert settings is not None  # noqa: S101  # a provider in the state has a known configuration
        self._subscription = settings.subscription_id
        self._arm = Operations(Endpoint(settings, environment.get("SSL_CERT_FILE")), threading.Event())

    def find(self, urn: str, inputs: Mapping[str, Any]) -> Found | None:
        """The ARM resource."""
        kind, said = by_token(urn_type(urn)), plain(dict(inputs))
        if kind is None or any(said.get(each) is None for each in kind.parameters):
            return None
        identity, _ = mapping.to_arm(kind, said, self._subscription)
        body = self._arm.get(kind, identity)
        if body is None:
            return None
        outputs = mapping.outputs(kind, identity, body)
        wanted = {k: v for k, v in mapping.writable(kind, said).items() if not kind.shape.fields[k].write_only}
        there = objects.pruned(mapping.writable(kind, plain(outputs)), wanted)
        differs = tuple(path for path, _ in diffs.changes(wanted, there, mapping.same))
        return Found(str(body.get("id") or identity), outputs, differs)


class KubernetesLookup:
    """Objects of a cluster that this very resource has applied, or nobody."""

    def __init__(self, config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        settings = kubernetes_settings.read(config)
        assert settings is not None  # noqa: S101  # a provider in the state has a known configuration
        self._cluster = Cluster(settings)

    def find(self, urn: str, inputs: Mapping[str, Any]) -> Found | None:
        """The live object."""
        metadata, manager = plain(dict(inputs)).get("metadata") or {}, objects.manager_of(urn)
        try:
            kind = self._cluster.kind(*objects.api_kind(urn))
        except UnknownKind:
            return None
        live = self._cluster.get(kind, metadata.get("namespace"), metadata["name"]) if metadata.get("name") else None
        if live is None:
            return None
        # An object of which nothing but its name was said has no manager at all.
        if not objects.managed_by(live, manager) and live["metadata"].get("managedFields"):
            return None
        return Found(objects.identity(live), objects.state(dict(inputs), live, manager))


LOOKUPS: dict[str, type[AzureLookup] | type[KubernetesLookup]] = {
    "azure-native": AzureLookup,
    "kubernetes": KubernetesLookup,
}
"""By package."""
