"""The managed cluster: outputs, credentials, and what is refused, in front of a real API server."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.local.azure.conftest import RunningAzure
from tests.local.kubernetes.running import ControlPlane

_VERSION = {"api-version": "2025-09-01"}
_DAEMONS = ("etcd", "kube-apiserver")


class Clusters:
    """Requests for managed clusters of one resource group."""

    def __init__(self, arm: httpx.Client, azure: RunningAzure) -> None:
        self.arm = arm
        self.group = f"{azure.subscription}/resourceGroups/clusters"
        arm.put(self.group, params={"api-version": "2024-03-01"}, json={"location": "westeurope"}).raise_for_status()

    def path(self, name: str) -> str:
        return f"{self.group}/providers/Microsoft.ContainerService/managedClusters/{name}"

    def body(self, **properties: Any) -> dict[str, Any]:
        pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}
        given = {
            "dnsPrefix": "aks",
            "agentPoolProfiles": [pool],
            "oidcIssuerProfile": {"enabled": True},
            "aadProfile": {"managed": True},  # without which Azure lets nobody do without local accounts
        }
        identity = {"type": "SystemAssigned"}
        return {"location": "westeurope", "identity": identity, "properties": given | properties}

    def put(self, name: str, **properties: Any) -> dict[str, Any]:
        """The outcome of a creation: the resource's body, or what went wrong."""
        answer = self.arm.put(self.path(name), params=_VERSION, json=self.body(**properties))
        if answer.status_code >= 400:
            return answer.json()
        operation = answer.headers.get("Azure-AsyncOperation")
        while operation:
            state = self.arm.get(operation).json()
            if state["status"] == "Failed":
                return state
            if state["status"] == "Succeeded":
                break
            time.sleep(0.1)
        return self.arm.get(self.path(name), params=_VERSION).json()

    def act(self, name: str, action: str) -> httpx.Response:
        return self.arm.post(f"{self.path(name)}/{action}", params=_VERSION)


@pytest.fixture(scope="module")
def plane(azure: RunningAzure) -> Iterator[ControlPlane]:
    running = ControlPlane(azure.instance)
    try:
        running.start(_DAEMONS)
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def clusters(arm: httpx.Client, azure: RunningAzure, plane: ControlPlane) -> Clusters:
    found = Clusters(arm, azure)
    created = found.put("aks-one", disableLocalAccounts=True)
    assert created.get("properties", {}).get("provisioningState") == "Succeeded", created
    return found


def test_outputs_lead_to_the_control_plane(clusters: Clusters, azure: RunningAzure) -> None:
    properties = clusters.put("aks-one", disableLocalAccounts=True)["properties"]
    address = f"127.0.0.1:{azure.instance.port('kube-apiserver')}"
    assert properties["fqdn"] == address
    assert properties["oidcIssuerProfile"]["issuerURL"] == f"https://{address}"
    assert properties["powerState"] == {"code": "Running"}
    assert properties["nodeResourceGroup"] == "MC_clusters_aks-one_westeurope"
    kubelet = properties["identityProfile"]["kubeletidentity"]
    assert kubelet["resourceId"].endswith("/userAssignedIdentities/aks-one-agentpool")

    node = json.loads((azure.instance.azure / "node-identity.json").read_text())
    answer = httpx.get(
        node["endpoint"],
        params={"resource": "https://containerregistry.azure.net", "client_id": kubelet["clientId"]},
        headers={"X-IDENTITY-HEADER": node["header"]},
        verify=ssl.create_default_context(cafile=str(azure.instance.ca_bundle)),
    )
    assert answer.status_code == 200, "the node gets a token of the kubelet identity"


def test_a_cluster_created_again_keeps_its_kubelet_identity(clusters: Clusters) -> None:
    before = clusters.put("aks-one", disableLocalAccounts=True)["properties"]["identityProfile"]
    answer = clusters.arm.delete(clusters.path("aks-one"), params=_VERSION)
    assert answer.status_code in (200, 202)
    while clusters.arm.get(clusters.path("aks-one"), params=_VERSION).status_code != 404:
        time.sleep(0.1)
    assert clusters.put("aks-one", disableLocalAccounts=True)["properties"]["identityProfile"] == before


def test_the_user_kubeconfig_opens_the_api_server(clusters: Clusters, tmp_path: Path, plane: ControlPlane) -> None:
    answer = clusters.act("aks-one", "listClusterUserCredential").json()
    assert [each["name"] for each in answer["kubeconfigs"]] == ["clusterUser"]
    text = base64.b64decode(answer["kubeconfigs"][0]["value"]).decode()
    assert yaml.safe_load(text)["current-context"] == "aks-one"
    (tmp_path / "config").write_text(text)
    assert "kube-system" in plane.kubectl("--kubeconfig", str(tmp_path / "config"), "get", "namespaces")


def test_static_credentials_are_refused_without_local_accounts(clusters: Clusters) -> None:
    answer = clusters.act("aks-one", "listClusterAdminCredential")
    assert answer.status_code == 400
    assert "disable local accounts" in answer.json()["error"]["message"]
    assert clusters.act("aks-one", "rotateClusterCertificates").status_code == 404


def test_a_second_cluster_and_another_version_are_refused(clusters: Clusters) -> None:
    assert clusters.put("aks-two")["error"]["code"] == "QuotaExceeded"
    refused = clusters.put("aks-one", kubernetesVersion="1.29.0")["error"]
    assert (refused["code"], refused["details"][0]["target"]) == (
        "K8sVersionNotSupported",
        "properties.kubernetesVersion",
    )


def test_a_stopped_control_plane_is_named(clusters: Clusters, plane: ControlPlane) -> None:
    plane.kill("kube-apiserver")
    try:
        answer = clusters.act("aks-one", "listClusterUserCredential")
        assert answer.status_code == 409
        assert "`make up` starts it" in answer.json()["error"]["message"]
    finally:
        plane.run("kube-apiserver")
        plane.await_ready("kube-apiserver")
