"""Monitoring: where telemetry lies, who may send and read it, how long it is kept."""

from policies.rule import rule

_INSIGHTS = "azure-native:applicationinsights:Component"
_WORKSPACE = "azure-native:operationalinsights:Workspace"

workspace_based = rule(
    "TRB-MON-001",
    "Application Insights keeps its data in a workspace",
    on=_INSIGHTS,
    severity="medium",
    topic="logging",
    why="Only there access, retention and export are under our control.",
    fix="Set workspace_resource_id, with ingestion_mode LogAnalytics.",
    passes={"workspaceResourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/w"},
    breaks={"workspaceResourceId": ""},
    psrule="Azure.AppInsights.Workspace",
    azure_policy="d550e854",
    demand=lambda insights: insights["workspaceResourceId"].present,
)

insights_entra_only = rule(
    "TRB-MON-002",
    "Only Entra identities send telemetry",
    on=_INSIGHTS,
    severity="medium",
    topic="identity",
    why="With the instrumentation key alone anyone could forge the traces of an incident.",
    fix="Set disable_local_auth=True.",
    passes={"disableLocalAuth": True},
    breaks={"disableLocalAuth": False},
    psrule="Azure.AppInsights.LocalAuth",
    azure_policy="199d5677",
    demand=lambda insights: insights["disableLocalAuth"].is_true,
)

insights_private = rule(
    "TRB-MON-003",
    "Application Insights takes and gives data in the virtual network only",
    on=_INSIGHTS,
    severity="low",
    topic="private networking",
    why="Telemetry tells how the platform is built and used.",
    fix='Set public_network_access_for_ingestion and public_network_access_for_query to "Disabled".',
    passes={"publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Disabled"},
    breaks={"publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled"},
    azure_policy="1bc02227",
    demand=lambda insights: (
        (insights["publicNetworkAccessForIngestion"] == "Disabled")
        & (insights["publicNetworkAccessForQuery"] == "Disabled")
    ),
)

workspace_private = rule(
    "TRB-MON-004",
    "The workspace takes and gives data in the virtual network only",
    on=_WORKSPACE,
    severity="low",
    topic="private networking",
    why="Logs tell how the platform is built and used.",
    fix='Set public_network_access_for_ingestion and public_network_access_for_query to "Disabled".',
    passes={"publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Disabled"},
    breaks={"publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled"},
    azure_policy="6c53d030",
    demand=lambda workspace: (
        (workspace["publicNetworkAccessForIngestion"] == "Disabled")
        & (workspace["publicNetworkAccessForQuery"] == "Disabled")
    ),
)

retention = rule(
    "TRB-MON-005",
    "The workspace keeps logs for 90 days or more",
    on=_WORKSPACE,
    severity="medium",
    topic="logging",
    why="Breaches are found after months.",
    fix="Set retention_in_days to at least 90.",
    passes={"retentionInDays": 365},
    breaks={"retentionInDays": 30},
    settings={"days": 90},
    settings_outside_prod={"days": 30},
    demand=lambda workspace: workspace["retentionInDays"].at_least(workspace.settings["days"]),
)

diagnostics_arrive = rule(
    "TRB-MON-006",
    "A diagnostic setting sends something to a workspace",
    on="azure-native:monitor:DiagnosticSetting",
    severity="medium",
    topic="logging",
    why="A setting without a destination, or with everything off, records nothing.",
    fix="Set workspace_id, and enable at least one log or metric.",
    passes={"workspaceId": "/subscriptions/s/workspace", "logs": [{"categoryGroup": "audit", "enabled": True}]},
    breaks={"workspaceId": "", "logs.0.enabled": False, "logs": []},
    demand=lambda setting: (
        setting["workspaceId"].present
        & (
            setting["logs"].some(lambda log: log["enabled"].is_true)
            | setting["metrics"].some(lambda metric: metric["enabled"].is_true)
        )
    ),
)
