"""What each building block promises, whatever it is asked for."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
import yaml

from components.cluster import Cluster, ClusterArgs, unattended
from components.common import PrivateAccess, Site
from components.database import Database, DatabaseArgs, PoolArgs
from components.file_store import FileStore, FileStoreArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.network import Network, NetworkArgs
from components.registry import Registry, RegistryArgs
from components.vault import Vault, VaultArgs
from components.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from tests.components.mocks import run, unknown


def blocks(site: Site) -> dict[str, Any]:
    """Each component with typical arguments."""
    access = PrivateAccess(subnet_id="/subnet", zone_id="/zone")
    return {
        "network": lambda: Network(
            "main",
            NetworkArgs(
                site=site,
                address_space="10.0.0.0/16",
                subnets={"cluster": "10.0.0.0/20", "private-endpoints": "10.0.16.0/24"},
                pods="10.244.0.0/16",
                private_zones=["privatelink.database.windows.net"],
            ),
        ),
        "monitoring": lambda: Monitoring(
            "main", MonitoringArgs(site=site, retention_days=30, sampling_percentage=50.0)
        ),
        "registry": lambda: Registry(
            "main", RegistryArgs(site=site, sku="Premium", zone_redundant=True, retention_days=7)
        ),
        "vault": lambda: Vault(
            "main",
            VaultArgs(
                site=site,
                sku="standard",
                purge_protection=False,
                soft_delete_days=7,
                subnet_ids=["/subnet"],
                keys=["user-data"],
            ),
        ),
        "file store": lambda: FileStore(
            "files",
            FileStoreArgs(
                site=site,
                replication="Standard_ZRS",
                soft_delete_days=7,
                containers=["uploads"],
                subnet_ids=["/subnet"],
            ),
        ),
        "database": lambda: Database(
            "main",
            DatabaseArgs(site=site, databases=["consent"], sku="S0", backup_redundancy="Local", access=access),
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


def test_the_registry_has_no_password_and_lets_nobody_in_unknown(site: Site) -> None:
    inputs = run(blocks(site)["registry"]).one("containerregistry:Registry").inputs
    assert (inputs["adminUserEnabled"], inputs["anonymousPullEnabled"]) == (False, False)
    assert inputs["zoneRedundancy"] == "Enabled"
    basic = run(lambda: Registry("main", RegistryArgs(site=site, sku="Basic"))).resources[1].inputs
    assert "policies" not in basic
    assert basic["zoneRedundancy"] == "Disabled"


def test_the_vault_is_opened_by_roles_and_from_its_subnets(site: Site) -> None:
    properties = run(blocks(site)["vault"]).one("keyvault:Vault").inputs["properties"]
    assert properties["enableRbacAuthorization"] is True
    assert properties["networkAcls"]["defaultAction"] == "Deny"
    assert properties["networkAcls"]["virtualNetworkRules"] == [{"id": "/subnet"}]
    assert "accessPolicies" not in properties


def test_purge_protection_is_on_or_absent_but_never_false(site: Site) -> None:
    def protection(wanted: bool) -> Any:
        args = VaultArgs(site=site, sku="standard", purge_protection=wanted, soft_delete_days=90)
        return run(lambda: Vault("main", args)).one("keyvault:Vault").inputs["properties"].get("enablePurgeProtection")

    assert protection(True) is True
    assert protection(False) is None


def test_only_a_vault_without_purge_protection_gives_its_name_back_after_it_is_gone(site: Site) -> None:
    registered = run(blocks(site)["vault"])
    assert registered.one(":NameRelease").urn in registered.one("keyvault:Vault").after
    args = VaultArgs(site=site, sku="premium", purge_protection=True, soft_delete_days=90)
    assert run(lambda: Vault("main", args)).of(":NameRelease") == []


def test_the_wrapping_key_can_do_nothing_but_wrap(site: Site) -> None:
    key = run(blocks(site)["vault"]).one(":Key").inputs
    assert key["properties"]["keyOps"] == ["wrapKey", "unwrapKey"]
    assert key["properties"]["keySize"] >= 3072


def test_files_are_reached_by_entra_identities_only_and_kept_when_deleted(site: Site) -> None:
    registered = run(blocks(site)["file store"])
    account = registered.one(":StorageAccount").inputs
    assert account["allowSharedKeyAccess"] is account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["networkRuleSet"]["defaultAction"] == "Deny"
    assert registered.one(":BlobServiceProperties").inputs["deleteRetentionPolicy"] == {"enabled": True, "days": 7}
    assert registered.one(":BlobContainer").inputs["publicAccess"] == "None"


def test_the_database_server_knows_no_password_and_no_public_address(site: Site) -> None:
    registered = run(blocks(site)["database"])
    server = registered.one(":Server").inputs
    assert server["administrators"]["azureADOnlyAuthentication"] is True
    assert server["administrators"]["sid"] == "object of main-dbadmin"
    assert not {"administratorLogin", "administratorLoginPassword"} & set(server)
    assert server["publicNetworkAccess"] == "Disabled"
    assert server["minimalTlsVersion"] == "1.2"
    endpoint = registered.one(":PrivateEndpoint").inputs
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["sqlServer"]


def test_databases_share_a_pool_where_there_is_one(site: Site) -> None:
    pool = PoolArgs(sku="GP_Gen5", tier="GeneralPurpose", capacity=2, storage_gb=32)
    access = PrivateAccess(subnet_id="/subnet", zone_id="/zone")
    args = DatabaseArgs(
        site=site,
        databases=["a", "b"],
        sku="S0",
        backup_redundancy="Geo",
        pool=pool,
        zone_redundant=True,
        access=access,
    )
    registered = run(lambda: Database("main", args))
    assert registered.one(":ElasticPool").inputs["maxSizeBytes"] == 32 * 2**30
    for each in registered.of("sql:Database"):
        assert each.inputs["elasticPoolId"] == "/id/of/ElasticPool/main"
        assert "sku" not in each.inputs


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
