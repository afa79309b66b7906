"""Pods: how every container of ours runs: unprivileged, read-only, probed, under one identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes import core, meta

from stacks.environment import PORT

_USES_IDENTITY = {"azure.workload.identity/use": "true"}
_SCRATCH = "scratch"
_SCRATCH_PATH = "/scratch"
"""Not /tmp: a node may keep there what its containers run with."""


def labels(name: str, component: str = "service") -> dict[str, str]:
    """The recommended labels (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels)."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "tributary",
    }


def selector(name: str) -> dict[str, str]:
    """What a service's pods are told from all others by."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "service"}


def pod(
    name: str,
    component: str,
    service_account: pulumi.Input[str],
    container: core.v1.ContainerArgs,
    *,
    restart: str = "Always",
    spread: Sequence[core.v1.TopologySpreadConstraintArgs] = (),
    volumes: Sequence[core.v1.VolumeArgs] = (),
) -> core.v1.PodTemplateSpecArgs:
    """A pod of one container that signs in by workload identity. spread: how its replicas lie apart.

    volumes: that it mounts beside its scratch folder.
    """
    # The image is read-only; telemetry spools what it could not deliver, and libraries want a temporary folder.
    scratch = core.v1.VolumeArgs(name=_SCRATCH, empty_dir=core.v1.EmptyDirVolumeSourceArgs(size_limit="64Mi"))
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(labels={**labels(name, component), **_USES_IDENTITY}),
        spec=core.v1.PodSpecArgs(
            service_account_name=service_account,
            # Only the token for Entra is mounted: no container of ours speaks to the Kubernetes API.
            automount_service_account_token=False,
            restart_policy=restart,
            topology_spread_constraints=list(spread) or None,
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True, seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault")
            ),
            containers=[container],
            volumes=[scratch, *volumes],
        ),
    )


def container(
    name: str,
    image: pulumi.Input[str],
    environment: Mapping[str, pulumi.Input[str]],
    *,
    command: Sequence[str] | None = None,
    serves: bool = True,
    mounts: Sequence[core.v1.VolumeMountArgs] = (),
) -> core.v1.ContainerArgs:
    """A container of one of our images. serves: whether it listens and is probed; a job does neither.

    mounts: of the pod's volumes, beside its scratch folder.
    """
    told = {"TMPDIR": _SCRATCH_PATH, **environment}
    variables = [core.v1.EnvVarArgs(name=each, value=value) for each, value in told.items()]
    address = core.v1.EnvVarArgs(
        name="POD_IP",
        value_from=core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path="status.podIP")),
    )
    return core.v1.ContainerArgs(
        name=name,
        image=image,
        command=list(command) if command else None,
        env=[address, *variables] if serves else variables,
        ports=[core.v1.ContainerPortArgs(name="http", container_port=PORT)] if serves else None,
        startup_probe=_probe("startup", period=1, failures=120) if serves else None,
        liveness_probe=_probe("live", period=5, failures=3) if serves else None,
        readiness_probe=_probe("ready", period=2, failures=3) if serves else None,
        volume_mounts=[core.v1.VolumeMountArgs(name=_SCRATCH, mount_path=_SCRATCH_PATH), *mounts],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "512Mi"}
        ),
        security_context=core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
    )


def _probe(kind: str, *, period: int, failures: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=f"/healthz/{kind}", port=PORT),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=2,
    )
