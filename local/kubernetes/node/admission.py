"""What this node can run. A field that is not listed is refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterable

from local.kubernetes.node.client import Object
from local.kubernetes.node.secrets_store import DRIVER

_POD = {
    *("activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsPolicy"),
    *("enableServiceLinks", "hostname", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os"),
    *("preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "schedulerName"),
    *("schedulingGates", "securityContext", "serviceAccount", "serviceAccountName", "subdomain", "volumes"),
    *("terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "hostUsers"),
}
_CONTAINER = {
    *("args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports"),
    *("readinessProbe", "resources", "restartPolicy", "securityContext", "startupProbe", "terminationMessagePath"),
    *("terminationMessagePolicy", "volumeMounts", "workingDir"),
}
_SECURITY = {
    *("allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot", "runAsUser"),
    *("seccompProfile", "appArmorProfile", "fsGroup", "fsGroupChangePolicy", "supplementalGroups"),
    *("supplementalGroupsPolicy", "privileged", "procMount"),
}
_VOLUMES = {"configMap", "secret", "projected", "emptyDir", "downwardAPI", "csi"}
_CSI = {"driver", "readOnly", "volumeAttributes"}
_PROJECTIONS = {"serviceAccountToken", "configMap", "secret", "downwardAPI"}
_MOUNT = {"name", "mountPath", "readOnly", "subPath", "subPathExpr", "recursiveReadOnly", "mountPropagation"}
_PROBE = {
    *("exec", "httpGet", "tcpSocket", "failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold"),
    *("terminationGracePeriodSeconds", "timeoutSeconds"),
}
_HOOK = {"exec", "httpGet", "sleep"}
_CAPABILITIES = {"NET_BIND_SERVICE"}


def refusals(pod: Object) -> list[str]:
    """Why this node does not run a pod; empty when it does."""
    spec = pod["spec"]
    found = [*_unknown("spec", spec, _POD)]
    found += _security("spec.securityContext", spec.get("securityContext") or {})
    for volume in spec.get("volumes") or ():
        where = f"spec.volumes[{volume['name']}]"
        found += _unknown(where, volume, {"name", *_VOLUMES})
        found += _csi(f"{where}.csi", volume.get("csi") or {})
        for source in (volume.get("projected") or {}).get("sources") or ():
            found += _unknown(f"{where}.projected", source, _PROJECTIONS)
        if (volume.get("emptyDir") or {}).get("medium", "") not in ("", "Memory"):
            found.append(f"{where}.emptyDir.medium {volume['emptyDir']['medium']!r} (known: Memory)")
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            found += _container(f"spec.{kind}[{container['name']}]", container)
    return found


def _csi(where: str, csi: Object) -> Iterable[str]:
    """A volume of the secrets store driver; the driver itself demands readOnly."""
    if not csi:
        return
    yield from _unknown(where, csi, _CSI)
    if csi["driver"] != DRIVER:
        yield f"{where}.driver {csi['driver']!r} (known: {DRIVER})"
        return
    if not csi.get("readOnly"):
        yield f"{where}.readOnly is not true"
    attributes = csi.get("volumeAttributes") or {}
    yield from _unknown(f"{where}.volumeAttributes", attributes, {"secretProviderClass"})
    if not attributes.get("secretProviderClass"):
        yield f"{where}.volumeAttributes.secretProviderClass is missing"


def _container(where: str, container: Object) -> Iterable[str]:
    yield from _unknown(where, container, _CONTAINER)
    yield from _security(f"{where}.securityContext", container.get("securityContext") or {})
    for port in container.get("ports") or ():
        yield from _unknown(f"{where}.ports[{port['containerPort']}]", port, {"name", "containerPort", "protocol"})
        if port.get("protocol", "TCP") != "TCP":
            yield f"{where}.ports[{port['containerPort']}].protocol {port['protocol']!r} (known: TCP)"
    for mount in container.get("volumeMounts") or ():
        yield from _unknown(f"{where}.volumeMounts[{mount['name']}]", mount, _MOUNT)
        if mount.get("mountPropagation", "None") != "None":
            yield f"{where}.volumeMounts[{mount['name']}].mountPropagation {mount['mountPropagation']!r}"
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield from _unknown(f"{where}.{kind}", container.get(kind) or {}, _PROBE)
    lifecycle = container.get("lifecycle") or {}
    yield from _unknown(f"{where}.lifecycle", lifecycle, {"postStart", "preStop"})
    for name, hook in lifecycle.items():
        yield from _unknown(f"{where}.lifecycle.{name}", hook if isinstance(hook, dict) else {}, _HOOK)
    yield from _unknown(f"{where}.resources", container.get("resources") or {}, {"limits", "requests"})
    for kind, amounts in (container.get("resources") or {}).items():
        if kind in ("limits", "requests"):
            yield from _unknown(f"{where}.resources.{kind}", amounts, {"cpu", "memory", "ephemeral-storage"})


def _security(where: str, context: Object) -> Iterable[str]:
    yield from _unknown(where, context, _SECURITY)
    if context.get("privileged"):
        yield f"{where}.privileged"
    if context.get("procMount", "Default") != "Default":
        yield f"{where}.procMount {context['procMount']!r}"
    for profile in ("seccompProfile", "appArmorProfile"):
        kind = (context.get(profile) or {}).get("type", "RuntimeDefault")
        if kind == "Localhost":
            yield f"{where}.{profile}.type {kind!r} (known: RuntimeDefault, Unconfined)"
    for name in (context.get("capabilities") or {}).get("add") or ():
        if name not in _CAPABILITIES:
            yield f"{where}.capabilities.add {name!r} (known: {', '.join(sorted(_CAPABILITIES))})"


def _unknown(where: str, given: Object, known: set[str]) -> Iterable[str]:
    """Fields that hold something and are not known. False and empty ask for nothing."""
    return [
        f"{where}.{key}" for key in sorted(given) if key not in known and given[key] not in (None, False, "", [], {})
    ]
