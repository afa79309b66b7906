"""What AKS's secrets store add-on puts into a cluster: the kind SecretProviderClass, the driver, who may read."""

from __future__ import annotations

from local.kubernetes.node.client import Object
from local.kubernetes.node.secrets_store import AUDIENCE, DRIVER

_GROUP, _PLURAL = "secrets-store.csi.x-k8s.io", "secretproviderclasses"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NAME = "local:secrets-store"


def objects() -> list[tuple[str, Object]]:
    """Path and document of each."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return [
        (f"{crds}/{_PLURAL}.{_GROUP}", _kind()),
        (f"/apis/storage.k8s.io/v1/csidrivers/{DRIVER}", _driver()),
        (f"{_RBAC}/clusterroles/{_NAME}", _role()),
        (f"{_RBAC}/clusterrolebindings/{_NAME}", _binding()),
    ]


def _kind() -> Object:
    any_list = {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    parameters = {"type": "object", "additionalProperties": {"type": "string"}}
    properties = {"provider": {"type": "string"}, "parameters": parameters, "secretObjects": any_list}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{_PLURAL}.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": "SecretProviderClass",
                "listKind": "SecretProviderClassList",
                "plural": _PLURAL,
                "singular": "secretproviderclass",
            },
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _driver() -> Object:
    """Without its tokenRequests the API server gives a node no token of a pod's for that audience."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER},
        "spec": {
            "attachRequired": False,
            "podInfoOnMount": True,
            "volumeLifecycleModes": ["Ephemeral"],
            "tokenRequests": [{"audience": AUDIENCE}],
        },
    }


def _role() -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _NAME},
        "rules": [{"apiGroups": [_GROUP], "resources": [_PLURAL], "verbs": ["get"]}],
    }


def _binding() -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _NAME},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}],
    }
