"""AKS: who administers the cluster, what reaches its API, how it is kept up to date, what it records."""

from collections.abc import Callable

from policies.frameworks import MCSB, PCI
from policies.properties import Property, Truth, every
from policies.rule import rule
from policies.subject import Subject

_CLUSTER = "azure-native:containerservice:ManagedCluster"
_POOL = "azure-native:containerservice:AgentPool"


def _pools(cluster: Subject, holds: Callable[[Property], Truth]) -> Truth:
    return cluster["agentPoolProfiles"].present & cluster["agentPoolProfiles"].every(holds)


local_accounts_off = rule(
    "TRB-AKS-001",
    "The cluster's local accounts are off",
    on=_CLUSTER,
    severity="high",
    topic="identity",
    why="The local administrator's certificate can't be revoked and names nobody.",
    fix="Set disable_local_accounts=True.",
    passes={"disableLocalAccounts": True},
    breaks={"disableLocalAccounts": False},
    checkov="CKV_AZURE_141",
    psrule="Azure.AKS.LocalAccounts",
    azure_policy="993c2fcd",
    demand=lambda cluster: cluster["disableLocalAccounts"].is_true,
)

entra_and_azure_rbac = rule(
    "TRB-AKS-002",
    "Entra signs in to the cluster, and Azure's role assignments say who may do what",
    on=_CLUSTER,
    severity="high",
    topic="identity",
    why="Whoever leaves must lose the cluster with everything else, in one place.",
    fix="Set enable_rbac=True and aad_profile with managed=True and enable_azure_rbac=True.",
    passes={"enableRBAC": True, "aadProfile": {"managed": True, "enableAzureRBAC": True}},
    breaks={"enableRBAC": False, "aadProfile.managed": False, "aadProfile.enableAzureRBAC": False},
    checkov="CKV_AZURE_5",
    psrule="Azure.AKS.AzureRBAC",
    azure_policy="ac4a19c2",
    controls={MCSB: ["PA-7"]},
    demand=lambda cluster: (
        cluster["enableRBAC"].is_true
        & cluster["aadProfile.managed"].is_true
        & cluster["aadProfile.enableAzureRBAC"].is_true
    ),
)

api_not_for_everyone = rule(
    "TRB-AKS-003",
    "The cluster's API server is private, or open to known addresses only",
    on=_CLUSTER,
    severity="high",
    topic="private networking",
    why="An API server on the internet is one vulnerability away from being everyone's.",
    fix="Set api_server_access_profile.enable_private_cluster=True, or authorized_ip_ranges.",
    passes={"apiServerAccessProfile": {"enablePrivateCluster": True}},
    breaks={"apiServerAccessProfile.enablePrivateCluster": False},
    checkov="CKV_AZURE_6",
    checkov_terraform="CKV_AZURE_115",
    psrule="Azure.AKS.AuthorizedIPs",
    azure_policy="040732e8",
    demand=lambda cluster: (
        cluster["apiServerAccessProfile.enablePrivateCluster"].is_true
        | (
            cluster["apiServerAccessProfile.authorizedIPRanges"].present
            & cluster["apiServerAccessProfile.authorizedIPRanges"].every(lambda each: each.none_of("0.0.0.0/0"))
        )
    ),
)

network_policy = rule(
    "TRB-AKS-004",
    "The cluster enforces network policies",
    on=_CLUSTER,
    severity="high",
    topic="hardening",
    why="Without an engine, a NetworkPolicy is only text.",
    fix='Set network_profile.network_policy to "cilium", "azure" or "calico".',
    passes={"networkProfile": {"networkPolicy": "cilium"}},
    breaks={"networkProfile.networkPolicy": "none"},
    checkov="CKV_AZURE_7",
    psrule="Azure.AKS.NetworkPolicy",
    demand=lambda cluster: cluster["networkProfile.networkPolicy"].one_of("cilium", "azure", "calico"),
)

policy_addon = rule(
    "TRB-AKS-005",
    "Azure Policy guards what enters the cluster",
    on=_CLUSTER,
    severity="medium",
    topic="hardening",
    why="This pack sees what Pulumi deploys; the add-on also sees what people apply by hand.",
    fix='Set addon_profiles["azurepolicy"].enabled=True.',
    passes={"addonProfiles": {"azurepolicy": {"enabled": True}}},
    breaks={"addonProfiles.azurepolicy.enabled": False},
    checkov_terraform="CKV_AZURE_116",
    psrule="Azure.AKS.AzurePolicyAddOn",
    azure_policy="0a15ec92",
    controls={PCI: ["2.2.4"]},
    demand=lambda cluster: (
        cluster["addonProfiles.azurepolicy.enabled"].is_true | cluster["addonProfiles.azurePolicy.enabled"].is_true
    ),
)

defender = rule(
    "TRB-AKS-006",
    "Defender watches the cluster",
    on=_CLUSTER,
    severity="medium",
    topic="hardening",
    why="It sees an intruder's processes and calls while they happen.",
    fix="Set security_profile.defender.security_monitoring.enabled=True with a workspace.",
    passes={"securityProfile": {"defender": {"securityMonitoring": {"enabled": True}}}},
    breaks={"securityProfile.defender.securityMonitoring.enabled": False},
    azure_policy="a1840de2",
    controls={PCI: ["5.2.1"]},
    demand=lambda cluster: cluster["securityProfile.defender.securityMonitoring.enabled"].is_true,
)

upgrades = rule(
    "TRB-AKS-007",
    "The cluster and its nodes' operating system upgrade themselves",
    on=_CLUSTER,
    severity="medium",
    topic="hardening",
    why="Known holes are what attackers try first.",
    fix='Set auto_upgrade_profile with upgrade_channel="patch" and node_os_upgrade_channel="NodeImage".',
    passes={"autoUpgradeProfile": {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}},
    breaks={"autoUpgradeProfile.upgradeChannel": "none", "autoUpgradeProfile.nodeOSUpgradeChannel": "None"},
    checkov="CKV_AZURE_171",
    psrule="Azure.AKS.AutoUpgrade Azure.AKS.NodeAutoUpgrade",
    azure_policy="5c345cdf",
    demand=lambda cluster: (
        cluster["autoUpgradeProfile.upgradeChannel"].one_of("patch", "stable", "rapid", "node-image")
        & cluster["autoUpgradeProfile.nodeOSUpgradeChannel"].one_of("NodeImage", "SecurityPatch", "Unmanaged")
    ),
)

secret_rotation = rule(
    "TRB-AKS-008",
    "The secret store's driver, where it is used, follows rotated secrets",
    on=_CLUSTER,
    severity="low",
    topic="secrets",
    why="A secret that was rotated in the vault and not in the pod is an outage, or an old secret in use.",
    fix='Set addon_profiles["azureKeyvaultSecretsProvider"].config["enableSecretRotation"]="true", or leave it out.',
    passes={"addonProfiles": {"azureKeyvaultSecretsProvider": {"config": {"enableSecretRotation": "true"}}}},
    breaks={"addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation": "false"},
    checkov="CKV_AZURE_172",
    psrule="Azure.AKS.SecretStoreRotation",
    # Workloads that read the vault themselves need no driver.
    demand=lambda cluster: (
        cluster["addonProfiles.azureKeyvaultSecretsProvider"].absent
        | cluster["addonProfiles.azureKeyvaultSecretsProvider.enabled"].is_false
        | (cluster["addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation"] == "true")
    ),
)

host_encryption = rule(
    "TRB-AKS-009",
    "Disks and caches of the nodes are encrypted at the host",
    on=_CLUSTER,
    severity="medium",
    topic="encryption",
    why="Temporary disks and caches hold what pods handle, unencrypted otherwise.",
    fix="Set enable_encryption_at_host=True on every agent pool; the subscription must have the feature registered.",
    passes={"agentPoolProfiles": [{"name": "system", "enableEncryptionAtHost": True}]},
    breaks={"agentPoolProfiles.0.enableEncryptionAtHost": False},
    checkov="CKV_AZURE_227",
    azure_policy="41425d9f",
    demand=lambda cluster: _pools(cluster, lambda pool: pool["enableEncryptionAtHost"].is_true),
)

pool_host_encryption = rule(
    "TRB-AKS-010",
    "Disks and caches of a further agent pool are encrypted at the host",
    on=_POOL,
    severity="medium",
    topic="encryption",
    why="Temporary disks and caches hold what pods handle, unencrypted otherwise.",
    fix="Set enable_encryption_at_host=True.",
    passes={"enableEncryptionAtHost": True},
    breaks={"enableEncryptionAtHost": False},
    checkov="CKV_AZURE_227",
    azure_policy="41425d9f",
    demand=lambda pool: pool["enableEncryptionAtHost"].is_true,
)

sla_and_zones = rule(
    "TRB-AKS-011",
    "The cluster has an uptime SLA, and nodes in three zones",
    on=_CLUSTER,
    severity="medium",
    topic="availability",
    why="One data centre may fail; the service may not.",
    fix='Set sku.tier to "Standard" or "Premium", and availability_zones=["1", "2", "3"] on every agent pool.',
    passes={
        "sku": {"name": "Base", "tier": "Standard"},
        "agentPoolProfiles": [{"name": "system", "availabilityZones": ["1", "2", "3"]}],
    },
    breaks={"sku.tier": "Free", "agentPoolProfiles.0.availabilityZones": ["1"]},
    checkov_terraform="CKV_AZURE_170",
    psrule="Azure.AKS.UptimeSLA Azure.AKS.AvailabilityZone",
    demand=lambda cluster: (
        cluster["sku.tier"].one_of("Standard", "Premium")
        & _pools(
            cluster,
            lambda pool: (
                pool["availabilityZones"].includes("1")
                & pool["availabilityZones"].includes("2")
                & pool["availabilityZones"].includes("3")
            ),
        )
    ),
)

workload_identity = rule(
    "TRB-AKS-012",
    "Pods sign in by workload identity",
    on=_CLUSTER,
    severity="high",
    topic="identity",
    why="Without it pods need passwords, or share the node's identity.",
    fix="Set oidc_issuer_profile.enabled=True and security_profile.workload_identity.enabled=True.",
    passes={"oidcIssuerProfile": {"enabled": True}, "securityProfile": {"workloadIdentity": {"enabled": True}}},
    breaks={"oidcIssuerProfile.enabled": False, "securityProfile.workloadIdentity.enabled": False},
    demand=lambda cluster: (
        cluster["oidcIssuerProfile.enabled"].is_true & cluster["securityProfile.workloadIdentity.enabled"].is_true
    ),
)

node_maximum = rule(
    "TRB-AKS-013",
    "The autoscaler of a pool ends at a number of nodes",
    on=_CLUSTER,
    severity="low",
    topic="cost",
    why="A fork bomb or a mistaken replica count must not become a bill.",
    fix="Set enable_auto_scaling=True and max_count within the limit.",
    passes={"agentPoolProfiles": [{"name": "system", "enableAutoScaling": True, "maxCount": 9}]},
    breaks={"agentPoolProfiles.0.maxCount": 100},
    settings={"nodes": 20},
    demand=lambda cluster: _pools(cluster, lambda pool: pool["maxCount"].at_most(cluster.settings["nodes"])),
)

pool_zones = rule(
    "TRB-AKS-014",
    "Nodes of a further agent pool are in three zones",
    on=_POOL,
    severity="medium",
    topic="availability",
    why="One data centre may fail; the service may not.",
    fix='Set availability_zones=["1", "2", "3"].',
    passes={"availabilityZones": ["1", "2", "3"]},
    breaks={"availabilityZones": ["1"]},
    psrule="Azure.AKS.AvailabilityZone",
    demand=lambda pool: every(pool["availabilityZones"].includes(zone) for zone in ("1", "2", "3")),
)

pool_maximum = rule(
    "TRB-AKS-015",
    "The autoscaler of a further agent pool ends at a number of nodes",
    on=_POOL,
    severity="low",
    topic="cost",
    why="A fork bomb or a mistaken replica count must not become a bill.",
    fix="Set enable_auto_scaling=True and max_count within the limit.",
    passes={"enableAutoScaling": True, "maxCount": 9},
    breaks={"maxCount": 100},
    settings={"nodes": 20},
    demand=lambda pool: pool["maxCount"].at_most(pool.settings["nodes"]),
)
