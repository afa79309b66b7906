"""Notification Hubs: they know only shared access signatures, so these are kept as small as they get. Rules of ours."""

from policies.rule import rule

_NAMESPACE = "azure-native:notificationhubs:Namespace"

narrow_signatures = rule(
    "TRB-NH-001",
    "No signature may both send and manage",
    on=(
        "azure-native:notificationhubs:NotificationHubAuthorizationRule",
        "azure-native:notificationhubs:NamespaceAuthorizationRule",
    ),
    severity="high",
    topic="identity",
    why="What an app carries may listen, what our sender has may send; Manage reads every device's registration.",
    fix='Set rights to ["Listen"] or ["Send"].',
    passes={"rights": ["Send"]},
    breaks={"rights": ["Listen", "Send", "Manage"]},
    demand=lambda signature: (
        signature["rights"].present & signature["rights"].every(lambda each: each.one_of("Listen", "Send"))
    ),
)

public_off = rule(
    "TRB-NH-002",
    "The namespace is reached from the virtual network only",
    on=_NAMESPACE,
    severity="low",
    topic="private networking",
    why="A leaked signature is of no use to one who can't reach the namespace.",
    fix='Set public_network_access="Disabled" and add a private endpoint.',
    passes={"publicNetworkAccess": "Disabled"},
    breaks={"publicNetworkAccess": "Enabled"},
    demand=lambda namespace: namespace["publicNetworkAccess"] == "Disabled",
)

registrations_stay = rule(
    "TRB-NH-003",
    "Registrations of devices are copied nowhere outside the EU",
    on=_NAMESPACE,
    severity="high",
    topic="residency",
    why="Left out, Azure copies them to the paired region, wherever that is; a device's address is personal data.",
    fix='Set replication_region to "None" or "NorthEurope".',
    passes={"replicationRegion": "None"},
    breaks={"replicationRegion": "WestUs2"},
    demand=lambda namespace: namespace["replicationRegion"].one_of("None", "NorthEurope"),
)
