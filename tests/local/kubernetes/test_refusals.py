"""What the node does not know it refuses, with an event and a reason, and runs nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from local.kubernetes.node.admission import refusals
from tests.local.kubernetes.conftest import Namespace
from tests.local.kubernetes.running import ControlPlane


def _pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "main", "image": "x", **(container or {})}], **spec}}


_SECRETS = {
    "driver": "secrets-store.csi.k8s.io", "readOnly": True, "volumeAttributes": {"secretProviderClass": "c"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pod", "named"),
    [
        (_pod(hostNetwork=True), "spec.hostNetwork"),
        (_pod(hostPID=True), "spec.hostPID"),
        (_pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "spec.volumes[v].hostPath"),
        (_pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]), "persistentVolumeClaim"),
        (
            _pod(volumes=[{"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"path": "p"}}]}}]),
            "TrustBundle",
        ),
        (_pod(volumes=[{"name": "v", "csi": {"driver": "disk.csi.azure.com"}}]), "driver 'disk.csi.azure.com'"),
        (_pod(volumes=[{"name": "v", "csi": {**_SECRETS, "readOnly": False}}]), "readOnly is not true"),
        (_pod(volumes=[{"name": "v", "csi": {**_SECRETS, "volumeAttributes": {}}}]), "secretProviderClass is missing"),
        (_pod(volumes=[{"name": "v", "csi": {**_SECRETS, "nodePublishSecretRef": {"name": "n"}}}]), "nodePublish"),
        (_pod(hostAliases=[{"ip": "127.0.0.1"}]), "spec.hostAliases"),
        (_pod({"securityContext": {"privileged": True}}), "privileged"),
        (_pod({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}), "SYS_ADMIN"),
        (_pod({"securityContext": {"seccompProfile": {"type": "Localhost"}}}), "Localhost"),
        (_pod({"livenessProbe": {"grpc": {"port": 1}}}), "livenessProbe.grpc"),
        (_pod({"ports": [{"containerPort": 80, "hostPort": 80}]}), "hostPort"),
        (_pod({"ports": [{"containerPort": 53, "protocol": "UDP"}]}), "UDP"),
        (_pod({"stdin": True}), "stdin"),
        (_pod({"resources": {"limits": {"nvidia.com/gpu": "1"}}}), "nvidia.com/gpu"),
        (_pod({"fieldOfTheFuture": {"x": 1}}), "fieldOfTheFuture"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unknown_wish_is_named(pod: dict[str, Any], named: str) -> None:
    assert any(named in each for each in refusals(pod))


def test_what_is_known_is_not_refused() -> None:
    probe = {"httpGet": {"path": "/", "port": 80}, "timeoutSeconds": 2}
    container = {
        "livenessProbe": probe,
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
        "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "privileged": False},
        "resources": {"limits": {"memory": "1Mi"}, "requests": {"cpu": "1"}},
    }
    assert refusals(_pod(container, hostNetwork=False, volumes=[{"name": "v", "emptyDir": {}}])) == []
    assert refusals(_pod(volumes=[{"name": "v", "csi": _SECRETS}])) == []


@pytest.mark.xdist_group("kubernetes")
def test_a_refused_pod_waits_and_says_why(namespace: Namespace, control_plane: ControlPlane) -> None:
    volumes = [{"name": "machine", "hostPath": {"path": "/"}}]
    namespace.script("refused", "echo ran", volumes=volumes)
    status = control_plane.until(lambda: namespace.status("refused").get("reason") and namespace.status("refused"))
    assert (status["phase"], status["reason"]) == ("Pending", "NotSupported")
    assert "spec.volumes[machine].hostPath" in status["message"]
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    control_plane.until(lambda: any(reason == "NotSupported" for reason, _ in namespace.events("refused")))
    namespace.kubectl("delete", "pod", "refused", "--timeout=10s")


@pytest.mark.xdist_group("kubernetes")
def test_an_image_that_is_not_there_is_reported_as_a_kubelet_does(
    namespace: Namespace, control_plane: ControlPlane
) -> None:
    unknown = f"{control_plane.registry.host}/nothing@sha256:{'0' * 64}"
    namespace.pod("absent", namespace.container(image=unknown))
    namespace.pod("elsewhere", namespace.container(image="nginx"))
    namespace.pod("never", namespace.container(image=unknown, imagePullPolicy="Never"))
    wanted = {"absent": "ImagePullBackOff", "elsewhere": "InvalidImageName", "never": "ErrImageNeverPull"}
    for name, reason in wanted.items():
        control_plane.until(lambda name=name, reason=reason: _waiting(namespace, name).get("reason") == reason)
    assert "answered 404" in _waiting(namespace, "absent")["message"]
    namespace.await_events("absent", "Pulling", "Failed", "BackOff")


def _waiting(namespace: Namespace, name: str) -> dict[str, str]:
    containers = namespace.status(name).get("containerStatuses") or [{}]
    return containers[0].get("state", {}).get("waiting", {})


@pytest.mark.xdist_group("kubernetes")
def test_a_missing_secret_and_config_map_are_named_until_they_appear(
    namespace: Namespace, control_plane: ControlPlane
) -> None:
    variable = {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "x"}}}
    namespace.script("waits", "echo $X", container={"env": [variable]})
    control_plane.until(lambda: _waiting(namespace, "waits").get("message") == 'configmap "later" not found')
    volumes = [{"name": "v", "secret": {"secretName": "later"}}]
    namespace.script("mounts", "echo", volumes=volumes)
    control_plane.until(lambda: any(reason == "FailedMount" for reason, _ in namespace.events("mounts")))
    namespace.apply(namespace.document("ConfigMap", "later", data={"x": "now"}), namespace.document("Secret", "later"))
    namespace.await_phase("waits", "Succeeded")
    namespace.await_phase("mounts", "Succeeded")
    assert namespace.kubectl("logs", "waits") == "now\n"


@pytest.mark.xdist_group("kubernetes")
def test_a_secrets_volume_waits_for_its_class_and_for_its_vault(
    namespace: Namespace, control_plane: ControlPlane
) -> None:
    """All that needs no vault: the kind, the driver, the node's right to read the one and to a token for the other."""
    namespace.script("sealed", "echo", volumes=[{"name": "v", "csi": _SECRETS}])

    def told(part: str) -> bool:
        return any(reason == "FailedMount" and part in message for reason, message in namespace.events("sealed"))

    control_plane.until(lambda: told('secretproviderclass "c" not found'))
    parameters = {
        "keyvaultName": "nowhere", "tenantId": "t", "clientID": "i",
        "objects": "array:\n- |\n  objectName: s\n  objectType: secret\n",
    }  # fmt: skip
    document = namespace.document("SecretProviderClass", "c", spec={"provider": "azure", "parameters": parameters})
    namespace.apply({**document, "apiVersion": "secrets-store.csi.x-k8s.io/v1"})
    control_plane.until(lambda: told("there is no vault nowhere"))
    namespace.kubectl("delete", "pod", "sealed", "--timeout=10s")


@pytest.mark.xdist_group("kubernetes")
def test_exec_is_refused_with_a_reason(namespace: Namespace, control_plane: ControlPlane) -> None:
    namespace.pod("main")
    namespace.await_ready("main")
    assert "error" in namespace.kubectl("exec", "main", "--", "true", check=False)
    control_plane.until(lambda: any("does not stream exec" in message for _, message in namespace.events("main")))
