"""Container registry: who may push and pull, from where, and where images lie."""

from policies.frameworks import DORA, MCSB, PCI
from policies.regions import ALLOWED_REGIONS
from policies.rule import rule

_REGISTRY = "azure-native:containerregistry:Registry"
_REPLICATION = "azure-native:containerregistry:Replication"

admin_off = rule(
    "TRB-ACR-001",
    "The registry's admin user is off",
    on=_REGISTRY,
    severity="high",
    topic="identity",
    why="The admin user is one password for everyone: nobody can tell who pushed what, or take it from one of them.",
    fix="Set admin_user_enabled=False and give identities AcrPull or AcrPush.",
    passes={"adminUserEnabled": False},
    breaks={"adminUserEnabled": True},
    defaults={"adminUserEnabled": False},
    checkov="CKV_AZURE_137",
    psrule="Azure.ACR.AdminUser",
    azure_policy="dc921057",
    demand=lambda registry: registry["adminUserEnabled"].is_false,
)

anonymous_pull_off = rule(
    "TRB-ACR-002",
    "Nobody pulls images without signing in",
    on=_REGISTRY,
    severity="high",
    topic="exposure",
    why="Images hold our code; whoever can pull them learns what to attack.",
    fix="Set anonymous_pull_enabled=False.",
    passes={"anonymousPullEnabled": False},
    breaks={"anonymousPullEnabled": True},
    defaults={"anonymousPullEnabled": False},
    checkov="CKV_AZURE_138",
    psrule="Azure.ACR.AnonymousAccess",
    azure_policy="9f2dea28",
    demand=lambda registry: registry["anonymousPullEnabled"].is_false,
)

public_off = rule(
    "TRB-ACR-003",
    "The registry is not reachable from the internet",
    on=_REGISTRY,
    severity="medium",
    topic="private networking",
    why="A stolen token is of no use to one who can't reach the registry.",
    fix='Set public_network_access="Disabled" (Premium) and add a private endpoint.',
    passes={"publicNetworkAccess": "Disabled"},
    breaks={"publicNetworkAccess": "Enabled"},
    checkov="CKV_AZURE_139",
    psrule="Azure.ACR.Firewall",
    azure_policy="0fdf0491",
    controls={PCI: ["1.4.4"]},
    demand=lambda registry: registry["publicNetworkAccess"] == "Disabled",  # absent fails: Azure's default is Enabled
)

export_off = rule(
    "TRB-ACR-005",
    "Images can't be exported to other registries",
    on=_REGISTRY,
    severity="medium",
    topic="private networking",
    why="Export carries images past the network's border; Azure can switch it off only where public access is off.",
    fix='Set policies.export_policy.status="disabled" together with public_network_access="Disabled".',
    passes={"policies": {"exportPolicy": {"status": "disabled"}}},
    breaks={"policies.exportPolicy.status": "enabled"},
    psrule="Azure.ACR.ExportPolicy",
    azure_policy="524b0254",
    demand=lambda registry: registry["policies.exportPolicy.status"] == "disabled",
)

replicas_in_region = rule(
    "TRB-ACR-006",
    "Replicas of the registry stay in the EU or the United Kingdom",
    on=_REPLICATION,
    severity="high",
    topic="residency",
    why="A replica holds every image; outside, other law applies to it.",
    fix="Replicate to one of the allowed regions only.",
    passes={"location": "northeurope"},
    breaks={"location": "eastus"},
    settings={"regions": [*ALLOWED_REGIONS]},
    psrule="Azure.ACR.ReplicaLocation",
    demand=lambda replica: replica["location"].one_of(*replica.settings["regions"]),
)

own_key = rule(
    "TRB-ACR-007",
    "Images are encrypted with a key of ours",
    on=_REGISTRY,
    severity="medium",
    topic="customer-managed key",
    why="With a key of ours, access ends when we end it.",
    fix='Set encryption.status="enabled" and encryption.key_vault_properties (Premium, at creation only).',
    passes={"encryption": {"status": "enabled", "keyVaultProperties": {"keyIdentifier": "https://kv/keys/images"}}},
    breaks={"encryption.status": "disabled", "encryption.keyVaultProperties.keyIdentifier": ""},
    azure_policy="5b9159ae",
    controls={MCSB: ["DP-5"], DORA: ["9.3b", "9.3c"]},
    demand=lambda registry: (
        (registry["encryption.status"] == "enabled") & registry["encryption.keyVaultProperties.keyIdentifier"].present
    ),
)
