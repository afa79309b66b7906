"""Cluster: a managed Kubernetes cluster (AKS) whose pods sign in to Azure by workload identity.

Leaves out: Windows nodes, node auto-provisioning, service mesh, GitOps.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import authorization, containerservice, managedidentity

from components.cluster_maintenance import MaintenanceArgs, maintain
from components.cluster_observability import CollectionArgs, collect
from components.cluster_pools import PoolArgs, system_pool, user_pools
from components.cluster_profiles import addons, api_server, networks, security
from components.common import Site, assign_role, diagnose
from components.ingress import IngressArgs, ingress_profile, ingress_rights
from components.kubeconfig import unattended


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster needs to know.

    site: resource group, region, tags and workspace that every block shares.
    subnet_id: subnet of the nodes. pods, services: CIDR blocks inside the cluster, outside the virtual network.
    dns_service_ip: address of the cluster's DNS, inside services.
    registry_id: registry that the nodes pull from.
    tier, kubernetes_version: see AKS. node_size, node_count, node_maximum, os_disk, os_disk_gb, zones: of the system's
    nodes.
    pools: nodes of the services, by name; none puts them beside the system.
    outbound: "userAssignedNATGateway", "userDefinedRouting" or "loadBalancer", as the subnet has it; way_out: what must
    be there before.
    login: how kubelogin signs in; the cluster's own kubeconfig would ask a person (pulumi-azure-native#2399).
    admin_groups: object ids of the Entra groups that administer the cluster.
    allowed_addresses: CIDR blocks of IPv4 that a public API server answers; none lets every address in. Nodes behind a
    NAT gateway or firewall call it from there: that address must be among them.
    maintenance: when upgrades happen; None leaves that to Azure. collection: where its metrics go; with it, logs go to
    the site's workspace, too.
    private: whether the API server is in the virtual network alone; it needs api_subnet_id then. zone_id: private DNS
    zone private.<region>.azmk8s.io that its name is put into; without, AKS makes a zone that is known in the cluster's
    own network alone (learn.microsoft.com/azure/aks/private-clusters): who deploys from a peered one would not find it.
    network_id: the virtual network whose link to that zone the cluster looks after; both or neither.
    encryption_at_host: of the nodes' disks and caches (the subscription must have the feature). defender: whether
    Microsoft Defender watches it. ingress: how requests come in; None for clusters without.
    """

    site: Site
    subnet_id: pulumi.Input[str]
    pods: str
    services: str
    dns_service_ip: str
    registry_id: pulumi.Input[str]
    tier: str
    kubernetes_version: str
    node_size: str
    node_count: int
    node_maximum: int
    os_disk: str
    os_disk_gb: int
    zones: Sequence[str]
    login: str
    admin_groups: Sequence[str]
    pools: Mapping[str, PoolArgs] = field(default_factory=dict)
    outbound: str = "loadBalancer"
    way_out: Sequence[pulumi.Resource] = ()
    allowed_addresses: Sequence[pulumi.Input[str]] = ()
    maintenance: MaintenanceArgs | None = None
    collection: CollectionArgs | None = None
    private: bool = False
    api_subnet_id: pulumi.Input[str] | None = None
    zone_id: pulumi.Input[str] | None = None
    network_id: pulumi.Input[str] | None = None
    encryption_at_host: bool = False
    defender: bool = False
    ingress: IngressArgs | None = None

    @property
    def system(self) -> PoolArgs:
        """The system's nodes."""
        return PoolArgs(
            size=self.node_size,
            count=self.node_count,
            maximum=self.node_maximum,
            os_disk=self.os_disk,
            os_disk_gb=self.os_disk_gb,
            zones=self.zones,
            encryption_at_host=self.encryption_at_host,
        )

    def __post_init__(self) -> None:
        if self.outbound not in ("loadBalancer", "userAssignedNATGateway", "userDefinedRouting"):
            raise ValueError(
                f"outbound: {self.outbound!r} is not allowed; allowed are loadBalancer, userAssignedNATGateway and "
                "userDefinedRouting."
            )
        if self.private and self.allowed_addresses:
            raise ValueError("allowed_addresses: a private API server has no public address. Leave them out.")
        if self.private and self.api_subnet_id is None:
            raise ValueError("api_subnet_id: is missing, and the API server is private. Give it a subnet of its own.")
        if (self.zone_id is None) is not (self.network_id is None) or (self.zone_id is not None and not self.private):
            raise ValueError("zone_id, network_id: belong to a private API server, both or neither.")
        if self.defender and self.site.workspace_id is None:
            raise ValueError("defender: needs a workspace, and the site has none. Give the site a workspace.")


class Cluster(pulumi.ComponentResource):
    """A cluster without local accounts, with an OIDC issuer for its pods' identities."""

    name: pulumi.Output[str]
    """Name of the managed cluster."""
    node_group: str
    """Name of the resource group that Azure keeps the nodes in."""
    cluster_id: pulumi.Output[str]
    """Resource id: stays the same when the kubeconfig does not."""
    issuer: pulumi.Output[str]
    """OIDC issuer of service-account tokens."""
    kubeconfig: pulumi.Output[str]
    """How to reach its API server; secret."""
    pools: Sequence[containerservice.AgentPool]
    """Nodes of the services, where they are apart: pods that run there wait for them."""
    pull: authorization.RoleAssignment
    """The nodes' right to pull images: pods wait for it."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Cluster", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site
        self.node_group = site.name("rg", f"{name}-nodes")

        identity = managedidentity.UserAssignedIdentity(
            f"{name}-cluster",
            resource_name_=site.name("id", f"{name}-cluster"),
            resource_group_name=site.resource_group,
            location=site.location,
            tags=site.tags,
            opts=child,
        )
        joins = [
            assign_role(
                f"{name}-{purpose}", role, principal_id=identity.principal_id, scope=scope, site=site, opts=child
            )
            for purpose, (role, scope) in _placement(args).items()
        ]
        cluster = containerservice.ManagedCluster(
            name,
            resource_name_=site.name("aks", name),
            resource_group_name=site.resource_group,
            location=site.location,
            sku=containerservice.ManagedClusterSKUArgs(name="Base", tier=args.tier),
            kubernetes_version=args.kubernetes_version,
            dns_prefix=site.name("aks", name),
            node_resource_group=self.node_group,
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            enable_rbac=True,
            disable_local_accounts=True,
            aad_profile=containerservice.ManagedClusterAADProfileArgs(
                managed=True, enable_azure_rbac=True, admin_group_object_ids=list(args.admin_groups)
            ),
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=security(args),
            api_server_access_profile=api_server(args),
            addon_profiles=addons(args),
            ingress_profile=ingress_profile(args.ingress) if args.ingress else None,
            azure_monitor_profile=containerservice.ManagedClusterAzureMonitorProfileArgs(
                metrics=containerservice.ManagedClusterAzureMonitorProfileMetricsArgs(enabled=True)
            )
            if args.collection
            else None,
            workload_auto_scaler_profile=containerservice.ManagedClusterWorkloadAutoScalerProfileArgs(
                keda=containerservice.ManagedClusterWorkloadAutoScalerProfileKedaArgs(enabled=True)
            ),
            auto_upgrade_profile=containerservice.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel="patch", node_os_upgrade_channel="NodeImage"
            ),
            network_profile=networks(args),
            # Exactly one inline pool: more of them make replacement surprises (pulumi-azure-native#579, #2719).
            agent_pool_profiles=[system_pool(args.system, args.subnet_id, alone=not args.pools)],
            tags=site.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # ARM does not say so: without the role AKS can't put its nodes into the subnet, and nodes that reach
                # no registry never get ready.
                depends_on=[*joins, *args.way_out],
                # The autoscaler's business.
                ignore_changes=["agentPoolProfiles[0].count"],
            ),
        )
        self.pull = assign_role(
            f"{name}-pulls-images",
            "AcrPull",
            principal_id=cluster.identity_profile.apply(_kubelet),
            scope=args.registry_id,
            site=site,
            opts=child,
        )
        self.pools = user_pools(name, args.pools, args.subnet_id, cluster, site, child)
        if args.maintenance:
            maintain(name, args.maintenance, cluster, site, child)
        if args.collection:
            collect(name, args.collection, cluster, site, child)
        if args.ingress:
            ingress_rights(name, args.ingress, cluster, site, child)
        diagnose(f"{name}-cluster", cluster, site, child, logs=["kube-audit-admin", "guard", "cluster-autoscaler"])

        credentials = containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=site.resource_group,
            resource_name=cluster.name,
            format="exec",
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        self.name = cluster.name
        self.cluster_id = cluster.id
        self.issuer = cluster.oidc_issuer_profile.apply(_issuer)
        self.kubeconfig = pulumi.Output.secret(
            credentials.apply(lambda answer: unattended(base64.b64decode(answer.kubeconfigs[0].value), args.login))
        )
        self.register_outputs({"name": self.name, "cluster_id": self.cluster_id, "issuer": self.issuer})


def _placement(args: ClusterArgs) -> dict[str, tuple[str, pulumi.Input[str]]]:
    """Role and scope of what the cluster's own identity does, by what it is for: nodes and API server in their subnets,
    its name in a zone of ours, whose link to the network it looks after."""
    found = {"joins-subnet": ("Network Contributor", args.subnet_id)}
    if args.private and args.api_subnet_id is not None:
        found["joins-api-subnet"] = ("Network Contributor", args.api_subnet_id)
    if args.zone_id is not None and args.network_id is not None:
        found["joins-network"] = ("Network Contributor", args.network_id)
        found["writes-name"] = ("Private DNS Zone Contributor", args.zone_id)
    return found


def _kubelet(profile: Mapping[str, containerservice.outputs.UserAssignedIdentityManagedClusterResponse] | None) -> str:
    kubelet = (profile or {}).get("kubeletidentity")
    if kubelet is None or not kubelet.object_id:
        raise ValueError("AKS reports no kubelet identity for the cluster: images can't be pulled. Look at its state.")
    return kubelet.object_id


def _issuer(profile: containerservice.outputs.ManagedClusterOIDCIssuerProfileResponse | None) -> str:
    if profile is None:
        raise ValueError("AKS reports no OIDC issuer for the cluster: pods can't sign in. Look at its state.")
    return profile.issuer_url
