"""Objects the cluster needs before the first pod, applied on every start: access rules, the webhook's registration."""

from __future__ import annotations

import base64

from local.instance import Instance
from local.kubernetes.node import secrets_store_objects
from local.kubernetes.node.client import Api, Object

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def apply(instance: Instance, administrator: Api) -> None:
    """Server-side apply of every object. Raises ApiError or what UNREACHABLE lists."""
    for path, document in [*_objects(instance), *secrets_store_objects.objects()]:
        await administrator.call("PATCH", path, document, patch="apply", fieldManager="local-bootstrap", force="true")


def _objects(instance: Instance) -> list[tuple[str, Object]]:
    return [
        _binding(
            # A token exchange outside of the cluster verifies projected tokens with these two documents only.
            "local:service-account-issuer-discovery",
            "system:service-account-issuer-discovery",
            {"kind": "Group", "name": "system:unauthenticated"},
        ),
        (
            f"{_RBAC}/clusterroles/local:workload-identity-webhook",
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": "local:workload-identity-webhook"},
                "rules": [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]}],
            },
        ),
        _binding(
            "local:workload-identity-webhook",
            "local:workload-identity-webhook",
            {"kind": "User", "name": "workload-identity-webhook"},
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
            "azure-wi-webhook-mutating-webhook-configuration",
            _webhook(instance),
        ),
    ]


def _binding(name: str, role: str, subject: dict[str, str]) -> tuple[str, Object]:
    return (
        f"{_RBAC}/clusterrolebindings/{name}",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", **subject}],
        },
    )


def _webhook(instance: Instance) -> Object:
    """As AKS registers it: only labelled pods, and none of them without it."""
    address = f"https://127.0.0.1:{instance.port('workload-identity-webhook')}/mutate-v1-pod"
    bundle = base64.b64encode(instance.ca_certificate.read_bytes()).decode()
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "azure-wi-webhook-mutating-webhook-configuration"},
        "webhooks": [
            {
                "name": "mutation.azure-workload-identity.io",
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": address, "caBundle": bundle},
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "reinvocationPolicy": "IfNeeded",
                "sideEffects": "None",
                "timeoutSeconds": 10,
                "objectSelector": {"matchLabels": {"azure.workload.identity/use": "true"}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }
