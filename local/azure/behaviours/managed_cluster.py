"""Microsoft.ContainerService/managedClusters and their agent pools: the one local control plane, as AKS reports it."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.instance import Instance
from local.pki import write_private

VERSION = "1.34.2"
_TAKEN = ("1.34", "1.35", "1.36")
"""Minor versions that AKS offers (learn.microsoft.com/azure/aks/supported-kubernetes-versions, August 2026). Whichever
is asked for, VERSION runs, and `currentKubernetesVersion` says so."""
_SECONDS_TO_START = 20


class ManagedCluster(Behaviour):
    """A managed cluster (REST API 2025-09-01). One at a time: there is one control plane."""

    type = "Microsoft.ContainerService/managedClusters"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a version that AKS does not offer, and a patch that does not run here."""
        wanted = str(resource.properties.get("kubernetesVersion") or VERSION)
        if wanted not in (*_TAKEN, VERSION, "<unknown>"):
            message = (
                f"kubernetesVersion is {wanted!r}; here runs {VERSION}: give {', '.join(_TAKEN)}, {VERSION} or leave "
                "it out."
            )
            target = "properties.kubernetesVersion"
            details = [{"code": "K8sVersionNotSupported", "message": message, "target": target}]
            raise ArmError(400, "K8sVersionNotSupported", message, target, details)

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Take the control plane; tell the node agent which identity it pulls images with."""
        self._refuse_second(resource)
        await self._running(resource, _SECONDS_TO_START)
        properties, instance = resource.properties, self.azure.instance
        group = properties.get("nodeResourceGroup") or _node_group(resource)
        kubelet = ((properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
        kubelet = kubelet or _identity_id(resource, group)
        principal = await self.azure.directory.create_service_principal(kubelet.rpartition("/")[2], resource=kubelet)
        holder = {"resource_id": resource.id, "client_id": principal.client_id, "object_id": principal.object_id}
        write_private(_holder(instance), json.dumps(holder).encode())
        address = f"127.0.0.1:{instance.port('kube-apiserver')}"
        self.azure.endpoints[f"Kubernetes {resource.name}"] = f"https://{address}"
        outputs: Body = {
            "fqdn": address,
            "nodeResourceGroup": group,
            "powerState": {"code": "Running"},
            "currentKubernetesVersion": VERSION,
            "identityProfile": {
                "kubeletidentity": {
                    "resourceId": kubelet,
                    "clientId": principal.client_id,
                    "objectId": principal.object_id,
                }
            },
        }
        routing = (properties.get("ingressProfile") or {}).get("webAppRouting") or {}
        if routing.get("enabled"):
            outputs["ingressProfile"] = {"webAppRouting": {"identity": await self._routing_identity(resource, group)}}
        if (properties.get("apiServerAccessProfile") or {}).get("enablePrivateCluster"):
            outputs["privateFQDN"] = address
        if (properties.get("oidcIssuerProfile") or {}).get("enabled"):
            outputs["oidcIssuerProfile"] = {"issuerURL": f"https://{address}"}
        return outputs

    async def _routing_identity(self, resource: Resource, group: str) -> Body:
        """The identity that AKS makes for its application routing add-on."""
        identity = _identity_id(resource, group).replace(f"{resource.name}-agentpool", f"webapprouting-{resource.name}")
        principal = await self.azure.directory.create_service_principal(identity.rpartition("/")[2], resource=identity)
        return {"resourceId": identity, "clientId": principal.client_id, "objectId": principal.object_id}

    async def restore(self, resource: Resource) -> None:
        """Name its address again."""
        address = f"https://127.0.0.1:{self.azure.instance.port('kube-apiserver')}"
        self.azure.endpoints[f"Kubernetes {resource.name}"] = address

    async def delete(self, resource: Resource) -> None:
        """Let the control plane go. It keeps running, and what is stored in it stays."""
        if (_held(self.azure.instance) or "").lower() == resource.id.lower():
            _holder(self.azure.instance).unlink(missing_ok=True)
        self.azure.endpoints.pop(f"Kubernetes {resource.name}", "")

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """The actions listClusterUserCredential and listClusterAdminCredential."""
        known = {"listclusterusercredential": "clusterUser", "listclusteradmincredential": "clusterAdmin"}
        name = known.get(action.lower())
        if name is None:
            return await super().act(resource, action, body)
        if name == "clusterAdmin" and resource.properties.get("disableLocalAccounts"):
            raise ArmError(
                400,
                "BadRequest",
                f"Getting static credential is not allowed because cluster {resource.name} is set to disable local "
                "accounts. Use listClusterUserCredential.",
            )
        await self._running(resource, 0)
        document = renamed(self.azure.instance.kubeconfig.read_text(), resource, name)
        return {"kubeconfigs": [{"name": name, "value": base64.b64encode(document.encode()).decode()}]}

    def _refuse_second(self, resource: Resource) -> None:
        held = _held(self.azure.instance)
        if held and held.lower() != resource.id.lower() and self.azure.store.get(held):
            raise ArmError(
                409,
                "QuotaExceeded",
                f"Cluster {resource.name} can't be created: this embedded Azure has one control plane, and {held} uses "
                "it. Delete that cluster, or start another instance with its own TRIBUTARY_STATE and "
                "TRIBUTARY_PORT_BASE.",
            )

    async def _running(self, resource: Resource, seconds: float) -> None:
        """Raises ArmError 409 when the API server does not answer in time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not await asyncio.to_thread(_answers, self.azure.instance):
            if loop.time() >= end:
                raise ArmError(
                    409,
                    "ControlPlaneNotRunning",
                    f"Cluster {resource.name}: the API server at 127.0.0.1:"
                    f"{self.azure.instance.port('kube-apiserver')} does not answer. `make up` starts it; "
                    f"{self.azure.instance.logs / 'kube-apiserver.log'} says why it ended.",
                )
            await asyncio.sleep(0.3)


class AgentPool(Behaviour):
    """An agent pool (REST API 2025-09-01). Stored; there is one node whatever its count."""

    type = "Microsoft.ContainerService/managedClusters/agentPools"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """What AKS adds."""
        version = resource.properties.get("orchestratorVersion") or VERSION
        return {"powerState": {"code": "Running"}, "currentOrchestratorVersion": version}


def renamed(kubeconfig: str, resource: Resource, user: str) -> str:
    """The kubeconfig under the names that AKS gives: the cluster's, and ``clusterUser_<group>_<cluster>``."""
    document = yaml.safe_load(kubeconfig)
    account = f"{user}_{_segment(resource.id, 'resourceGroups')}_{resource.name}"
    document["clusters"][0]["name"] = document["contexts"][0]["name"] = document["current-context"] = resource.name
    document["users"][0]["name"] = account
    document["contexts"][0]["context"] = {"cluster": resource.name, "user": account}
    return yaml.safe_dump(document, sort_keys=False)


def _holder(instance: Instance) -> Path:
    return instance.kubernetes / "cluster.json"


def _held(instance: Instance) -> str | None:
    """The id of the cluster that has the control plane."""
    path = _holder(instance)
    return str(json.loads(path.read_text()).get("resource_id", "")) or None if path.exists() else None


def _segment(resource_id: str, name: str) -> str:
    parts = resource_id.split("/")
    position = [each.lower() for each in parts].index(name.lower())
    return parts[position + 1]


def _node_group(resource: Resource) -> str:
    location = str(resource.body.get("location", "")).replace(" ", "").lower()
    return f"MC_{_segment(resource.id, 'resourceGroups')}_{resource.name}_{location}"[:80]


def _identity_id(resource: Resource, group: str) -> str:
    subscription = _segment(resource.id, "subscriptions")
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/"
        f"userAssignedIdentities/{resource.name}-agentpool"
    )


def _answers(instance: Instance) -> bool:
    if not instance.kubeconfig.exists():
        return False
    trust = ssl.create_default_context(cafile=str(instance.ca_certificate))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(f"https://127.0.0.1:{instance.port('kube-apiserver')}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
