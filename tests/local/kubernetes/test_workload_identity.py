"""Workload identity: the webhook's mutation, the projected token, and its verification as Entra does it."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from local.instance import TENANT_ID
from tests.local.kubernetes.conftest import Namespace
from tests.local.kubernetes.running import ControlPlane

pytestmark = pytest.mark.xdist_group("kubernetes")

_USE = {"azure.workload.identity/use": "true"}


def _account(namespace: Namespace, **annotations: str) -> dict[str, Any]:
    prefixed = {f"azure.workload.identity/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return namespace.document("ServiceAccount", "payer", metadata={"annotations": prefixed})


def _anonymous(plane: ControlPlane, path: str) -> Any:
    context = ssl.create_default_context(cafile=str(plane.instance.ca_certificate))
    url = f"https://127.0.0.1:{plane.instance.port('kube-apiserver')}{path}"
    with urllib.request.urlopen(url, context=context, timeout=5) as answer:
        return json.loads(answer.read())


def test_a_labelled_pod_gets_its_identity_and_a_token_that_verifies(
    namespace: Namespace, control_plane: ControlPlane
) -> None:
    namespace.apply(_account(namespace, client_id="11111111-2222-3333-4444-555555555555"))
    namespace.script(
        "payer",
        'echo "$AZURE_CLIENT_ID $AZURE_TENANT_ID $AZURE_AUTHORITY_HOST"; cat "$AZURE_FEDERATED_TOKEN_FILE"',
        metadata={"labels": _USE},
        serviceAccountName="payer",
        automountServiceAccountToken=False,
        securityContext={"runAsNonRoot": True, "runAsUser": 10001},
    )
    namespace.await_phase("payer", "Succeeded")
    variables, token = namespace.kubectl("logs", "payer").splitlines()
    authority = f"https://{control_plane.instance.arm}/"
    assert variables == f"11111111-2222-3333-4444-555555555555 {TENANT_ID} {authority}"

    discovery = _anonymous(control_plane, "/.well-known/openid-configuration")
    assert discovery["issuer"] == f"https://127.0.0.1:{control_plane.instance.port('kube-apiserver')}"
    path = discovery["jwks_uri"].removeprefix(discovery["issuer"])
    claims = jwt.decode(token, KeySet.import_key_set(_anonymous(control_plane, path))).claims
    assert claims["iss"] == discovery["issuer"]
    assert claims["aud"] == ["api://AzureADTokenExchange"]
    assert claims["sub"] == f"system:serviceaccount:{namespace.name}:payer"


def test_what_the_author_set_stays_and_skipped_containers_are_left_alone(namespace: Namespace) -> None:
    namespace.apply(_account(namespace, client_id="id"))
    own = [{"name": "AZURE_CLIENT_ID", "value": "mine"}]
    containers = [namespace.container(env=own), {**namespace.container(), "name": "plain"}]
    annotations = {
        "azure.workload.identity/skip-containers": "plain",
        "azure.workload.identity/service-account-token-expiration": "7200",
    }
    namespace.pod("two", metadata={"labels": _USE, "annotations": annotations}, serviceAccountName="payer",
                  containers=containers)  # fmt: skip
    spec = namespace.get("pod", "two")["spec"]
    values = [{each["name"]: each.get("value") for each in container["env"]} for container in spec["containers"]]
    assert values[0]["AZURE_CLIENT_ID"] == "mine"
    assert "AZURE_TENANT_ID" in values[0]
    assert set(values[1]) == {"POD_IP"}
    volume = next(each for each in spec["volumes"] if each["name"] == "azure-identity-token")
    assert volume["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 7200


def test_a_malformed_expiration_is_refused_at_creation(namespace: Namespace) -> None:
    annotations = {"azure.workload.identity/service-account-token-expiration": "60"}
    document = namespace.document(
        "Pod",
        "short",
        metadata={"labels": _USE, "annotations": annotations},
        spec={"containers": [namespace.container()]},
    )
    with pytest.raises(AssertionError, match="allowed are 3600 to 86400"):
        namespace.apply(document)


def test_pods_without_the_label_are_not_touched(namespace: Namespace) -> None:
    namespace.pod("plain")
    environment = namespace.get("pod", "plain")["spec"]["containers"][0]["env"]
    assert [each["name"] for each in environment] == ["POD_IP"]


def test_anonymous_callers_reach_nothing_else(control_plane: ControlPlane) -> None:
    for path in ("/api/v1/namespaces", "/version", "/metrics"):
        with pytest.raises(urllib.error.HTTPError, match=r"401|403"):
            _anonymous(control_plane, path)
