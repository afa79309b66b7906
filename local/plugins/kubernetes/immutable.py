"""Fields whose change needs a new object: the official provider's list, by kind (pulumi-kubernetes, diff.go)."""

from __future__ import annotations

from collections.abc import Iterable

from local.plugins.kubernetes.settings import Settings

_IDENTITY = ("metadata.name", "metadata.namespace", "kind")
_SELECTOR = ("spec.selector",)
_BY_KIND: dict[str, tuple[str, ...]] = {
    "apps/DaemonSet": _SELECTOR,
    "apps/Deployment": _SELECTOR,
    "apps/StatefulSet": (
        *_SELECTOR,
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch/Job": (*_SELECTOR, "spec.completions", "spec.parallelism", "spec.template"),
    "core/PersistentVolumeClaim": (
        *_SELECTOR,
        "spec.accessModes",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    "core/Pod": ("spec",),
    "core/ResourceQuota": ("spec.scopes",),
    "core/Secret": ("type",),
    "core/Service": ("spec.clusterIP",),
    "rbac.authorization.k8s.io/ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/RoleBinding": ("roleRef",),
    "storage.k8s.io/StorageClass": ("parameters", "provisioner"),
}


def fixed_fields(api_version: str, kind: str, settings: Settings | None, *, immutable: bool) -> tuple[str, ...]:
    """Property paths fixed at creation. immutable: the object's own field of that name."""
    group = api_version.rpartition("/")[0] or "core"
    fields = _IDENTITY + _BY_KIND.get(f"{group}/{kind}", ())
    if (group, kind) == ("core", "ConfigMap") and (immutable or not (settings and settings.config_maps_mutable)):
        fields += ("data", "binaryData")
    if (group, kind) == ("core", "Secret") and (immutable or not (settings and settings.secrets_mutable)):
        fields += ("data", "stringData")
    return fields


def touched(changed: Iterable[str], fields: Iterable[str]) -> list[str]:
    """The changed paths that lie in one of the fields, or contain one."""
    return [
        path
        for path in changed
        if any(
            path == each or path.startswith((f"{each}.", f"{each}[")) or each.startswith(f"{path}.") for each in fields
        )
    ]
