"""Service Bus: who may send and receive, how, and from where."""

from policies.frameworks import PCI
from policies.regions import ALLOWED_REGIONS
from policies.rule import rule

_NAMESPACE = "azure-native:servicebus:Namespace"

entra_only = rule(
    "TRB-SB-001",
    "Only Entra identities send and receive",
    on=_NAMESPACE,
    severity="high",
    topic="identity",
    why="A shared access key opens every queue, for everyone who has it, without a name in the log.",
    fix="Set disable_local_auth=True.",
    passes={"disableLocalAuth": True},
    breaks={"disableLocalAuth": False},
    checkov_terraform="CKV_AZURE_203",
    psrule="Azure.ServiceBus.DisableLocalAuth",
    azure_policy="cfb11c26",
    demand=lambda namespace: namespace["disableLocalAuth"].is_true,
)

tls = rule(
    "TRB-SB-002",
    "Service Bus accepts TLS 1.2 or newer only",
    on=_NAMESPACE,
    severity="high",
    topic="encryption",
    why="Older versions have known attacks.",
    fix='Set minimum_tls_version="1.2".',
    passes={"minimumTlsVersion": "1.2"},
    breaks={"minimumTlsVersion": "1.0"},
    remedy={"minimumTlsVersion": "1.2"},
    checkov_terraform="CKV_AZURE_205",
    psrule="Azure.ServiceBus.MinTLS",
    demand=lambda namespace: namespace["minimumTlsVersion"].one_of("1.2", "1.3"),
)

public_off = rule(
    "TRB-SB-003",
    "Service Bus is not reachable from the internet",
    on=_NAMESPACE,
    severity="medium",
    topic="private networking",
    why="A stolen token is of no use to one who can't reach the namespace.",
    fix='Set public_network_access="Disabled" (Premium) and add a private endpoint.',
    passes={"publicNetworkAccess": "Disabled"},
    breaks={"publicNetworkAccess": "Enabled"},
    checkov_terraform="CKV_AZURE_204",
    azure_policy="cbd11fd3",
    demand=lambda namespace: namespace["publicNetworkAccess"] == "Disabled",
)

no_sas_rules = rule(
    "TRB-SB-004",
    "There are no shared access rules beside the one that Azure makes",
    on=(
        "azure-native:servicebus:NamespaceAuthorizationRule",
        "azure-native:servicebus:QueueAuthorizationRule",
        "azure-native:servicebus:TopicAuthorizationRule",
    ),
    severity="medium",
    topic="identity",
    why="Each is a password that waits for the day when local authentication is switched on again.",
    fix="Remove it, and assign a role to the identity.",
    passes={"authorizationRuleName": "RootManageSharedAccessKey"},
    breaks={"authorizationRuleName": "sender"},
    azure_policy="a1817ec0",
    controls={PCI: ["7.2.1"]},
    demand=lambda access: access["authorizationRuleName"] == "RootManageSharedAccessKey",
)

replicas_in_region = rule(
    "TRB-SB-005",
    "Replicas of the namespace stay in the EU or the United Kingdom",
    on=_NAMESPACE,
    severity="high",
    topic="residency",
    why="A replica holds every message; outside, other law applies to it.",
    fix="Replicate to one of the allowed regions only.",
    passes={"geoDataReplication": {"locations": [{"locationName": "northeurope"}]}},
    breaks={"geoDataReplication.locations.0.locationName": "eastus"},
    settings={"regions": [*ALLOWED_REGIONS]},
    demand=lambda namespace: namespace["geoDataReplication.locations"].every(
        lambda each: each["locationName"].one_of(*namespace.settings["regions"])
    ),
)
