"""What each building block promises, whatever it is asked for."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
import yaml

from components.cluster import Cluster, ClusterArgs
from components.common import Site
from components.kubeconfig import unattended
from components.monitoring import Monitoring, MonitoringArgs
from components.runner import RunnerArgs
from components.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from tests.components.mocks import run, unknown


def blocks(site: Site) -> dict[str, Any]:
    """Each component with typical arguments."""
    return {
        "monitoring": lambda: Monitoring(
            "main", MonitoringArgs(site=site, retention_days=30, sampling_percentage=50.0)
        ),
        "cluster": lambda: Cluster("main", cluster_args(site)),
        "identity": lambda: WorkloadIdentity(
            "consent",
            WorkloadIdentityArgs(
                site=site,
                issuer="https://issuer.example/",
                namespace="tributary",
                service_account="consent",
                grants={"wraps-keys": Grant("Key Vault Crypto User", "/vault")},
            ),
        ),
    }


def cluster_args(site: Site) -> ClusterArgs:
    return ClusterArgs(
        site=site,
        subnet_id="/subnet",
        pods="10.244.0.0/16",
        services="10.96.0.0/16",
        dns_service_ip="10.96.0.10",
        registry_id="/registry",
        tier="Standard",
        kubernetes_version="1.34",
        node_size="Standard_D4ds_v5",
        node_count=3,
        node_maximum=5,
        os_disk="Ephemeral",
        os_disk_gb=64,
        zones=["1", "2", "3"],
        login="workloadidentity",
        admin_groups=["g"],
    )


NAMES = sorted(blocks(None))  # type: ignore[arg-type]  # nothing is built yet


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_of_a_block_is_its_child_and_carries_its_tags(site: Site, name: str) -> None:
    registered = run(blocks(site)[name]).resources
    component, *children = registered
    assert component.type.startswith("tributary:azure:")
    assert children
    for each in children:
        assert each.parent == component.urn, each.name
        assert each.inputs.get("tags", {"owner": "me"}) == {"owner": "me"}, each.name
    assert any("tags" in each.inputs for each in children)


@pytest.mark.parametrize("name", NAMES)
def test_a_block_can_be_previewed_while_what_it_depends_on_is_unknown(site: Site, name: str) -> None:
    def program() -> None:
        blocks(replace(site, resource_group=unknown(), workspace_id=unknown()))[name]()

    planned, known = run(program, preview=True).resources, run(blocks(site)[name]).resources
    assert sorted((r.type, r.name) for r in planned) == sorted((r.type, r.name) for r in known)


def test_telemetry_is_taken_from_entra_identities_only(site: Site) -> None:
    registered = run(blocks(site)["monitoring"])
    assert registered.one(":Workspace").inputs["features"]["disableLocalAuth"] is True
    assert registered.one(":Component").inputs["disableLocalAuth"] is True


def test_the_cluster_has_no_local_accounts_and_federates_its_service_accounts(site: Site) -> None:
    cluster = run(blocks(site)["cluster"]).one(":ManagedCluster").inputs
    assert cluster["disableLocalAccounts"] is True
    assert cluster["aadProfile"]["managed"] is cluster["aadProfile"]["enableAzureRBAC"] is True
    assert cluster["oidcIssuerProfile"]["enabled"] is True
    assert cluster["securityProfile"]["workloadIdentity"]["enabled"] is True
    assert len(cluster["agentPoolProfiles"]) == 1


def test_the_nodes_may_pull_images_and_join_the_subnet_but_nothing_else(site: Site) -> None:
    registered = run(blocks(site)["cluster"])
    grants = {(r.inputs["principalId"], r.inputs["scope"]) for r in registered.of(":RoleAssignment")}
    assert grants == {("object of the kubelet", "/registry"), ("object of main-cluster", "/subnet")}
    assert registered.one(":RoleAssignment", "main-joins-subnet").urn in registered.one(":ManagedCluster").after


def test_kubeconfigs_ask_no_person_to_sign_in() -> None:
    user = {"name": "u", "user": {"exec": {"command": "kubelogin", "args": ["get-token", "--login", "devicecode"]}}}
    asked = yaml.safe_dump({"users": [user]}).encode()
    assert yaml.safe_load(unattended(asked, "azurecli"))["users"][0]["user"]["exec"]["args"] == [
        "get-token",
        "--login",
        "azurecli",
    ]
    certificate = {"users": [{"name": "u", "user": {"client-key-data": base64.b64encode(b"k").decode()}}]}
    assert yaml.safe_load(unattended(yaml.safe_dump(certificate).encode(), "azurecli")) == certificate


def test_only_the_named_service_account_can_act_as_an_identity(site: Site) -> None:
    registered = run(blocks(site)["identity"])
    trust = registered.one(":FederatedIdentityCredential").inputs
    assert trust["subject"] == "system:serviceaccount:tributary:consent"
    assert trust["issuer"] == "https://issuer.example/"
    assert trust["audiences"] == ["api://AzureADTokenExchange"]
    grant = registered.one(":RoleAssignment").inputs
    assert (grant["principalId"], grant["scope"]) == ("object of consent", "/vault")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer": "http://issuer.example"}, "issuer: 'http://issuer.example' is not allowed"),
        ({"namespace": "Apps"}, "namespace: 'Apps' is not allowed"),
        ({"service_account": ""}, "service_account: '' is not allowed"),
    ],
)
def test_a_workload_that_could_never_sign_in_is_refused_before_anything_is_registered(
    site: Site, changes: dict[str, Any], message: str
) -> None:
    good: dict[str, Any] = {"issuer": "https://issuer.example", "namespace": "apps", "service_account": "consent"}
    with pytest.raises(ValueError, match=message):
        WorkloadIdentityArgs(site=site, grants={}, **(good | changes))
    with pytest.raises(ValueError, match="role: 'Emperor' is not known; allowed are AcrPull"):
        Grant("Emperor", "/vault")


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"size": "big"}, "size: 'big' is not allowed"), ({"ssh_public_key": "ecdsa x"}, "allowed are ssh-rsa and")],
)
def test_a_runner_that_azure_would_refuse_is_refused_before_anything_is_registered(
    site: Site, changes: dict[str, Any], message: str
) -> None:
    good: dict[str, Any] = {"subnet_id": "/subnet", "size": "Standard_D2ads_v5", "ssh_public_key": "ssh-ed25519 AAAA"}
    with pytest.raises(ValueError, match=message):
        RunnerArgs(site=site, **(good | changes))
