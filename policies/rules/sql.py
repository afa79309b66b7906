"""Azure SQL: who enters, how connections are protected, what is recorded, what survives."""

from policies.frameworks import CIS, MCSB, PCI
from policies.rule import rule

_SERVER = "azure-native:sql:Server"
_DATABASE = "azure-native:sql:Database"
_POOL = "azure-native:sql:ElasticPool"

entra_only = rule(
    "TRB-SQL-001",
    "Only Entra identities enter the SQL server",
    on=_SERVER,
    severity="critical",
    topic="identity",
    why="A SQL login is a password that never expires and that no conditional access guards.",
    fix="Set administrators.azure_ad_only_authentication=True and no administrator_login.",
    passes={"administrators": {"azureADOnlyAuthentication": True}},
    breaks={"administrators.azureADOnlyAuthentication": False},
    checkov="CKV2_AZURE_27",
    psrule="Azure.SQL.AADOnly",
    azure_policy="abda6d70",
    controls={MCSB: ["IM-1"]},
    demand=lambda server: server["administrators.azureADOnlyAuthentication"].is_true,
)

tls = rule(
    "TRB-SQL-002",
    "The SQL server accepts TLS 1.2 or newer only",
    on=_SERVER,
    severity="high",
    topic="encryption",
    why="Older versions have known attacks; PCI DSS 4.2.1 asks for strong cryptography in transit.",
    fix='Set minimal_tls_version="1.2".',
    passes={"minimalTlsVersion": "1.2"},
    breaks={"minimalTlsVersion": "1.1"},
    remedy={"minimalTlsVersion": "1.2"},
    checkov="CKV_AZURE_52",
    psrule="Azure.SQL.MinTLS",
    azure_policy="32e6bbec",
    controls={PCI: ["4.2.1"]},
    demand=lambda server: server["minimalTlsVersion"].one_of("1.2", "1.3"),
)

public_off = rule(
    "TRB-SQL-003",
    "The SQL server is not reachable from the internet",
    on=_SERVER,
    severity="high",
    topic="private networking",
    why="Payment data must not have an address that strangers can knock at.",
    fix='Set public_network_access="Disabled" and add a private endpoint.',
    passes={"publicNetworkAccess": "Disabled"},
    breaks={"publicNetworkAccess": "Enabled"},
    checkov="CKV_AZURE_113",
    azure_policy="1b8ca024",
    demand=lambda server: server["publicNetworkAccess"] == "Disabled",
)

no_azure_wide_rule = rule(
    "TRB-SQL-004",
    "No firewall rule lets all of Azure, or the whole internet, into the SQL server",
    on="azure-native:sql:FirewallRule",
    severity="high",
    topic="exposure",
    why="0.0.0.0 means every machine in Azure, other customers' among them.",
    fix="Remove the rule; connect through the private endpoint.",
    passes={"startIpAddress": "203.0.113.7", "endIpAddress": "203.0.113.7"},
    breaks={"startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255"},  # noqa: S104  # what must not be
    checkov="CKV_AZURE_11",
    psrule="Azure.SQL.AllowAzureAccess",
    demand=lambda rule: rule["startIpAddress"].none_of("0.0.0.0") & rule["endIpAddress"].none_of("255.255.255.255"),  # noqa: S104
)

auditing = rule(
    "TRB-SQL-005",
    "Auditing of SQL is on and kept for 90 days or more",
    on=(
        "azure-native:sql:ExtendedServerBlobAuditingPolicy",
        "azure-native:sql:ServerBlobAuditingPolicy",
        "azure-native:sql:ExtendedDatabaseBlobAuditingPolicy",
        "azure-native:sql:DatabaseBlobAuditingPolicy",
    ),
    severity="high",
    topic="logging",
    why="Breaches are found after months: without the record nobody can say whose data was read.",
    fix='Set state="Enabled" and is_azure_monitor_target_enabled=True, or retention_days of at least 90.',
    passes={"state": "Enabled", "retentionDays": 90},
    breaks={"state": "Disabled", "retentionDays": 30},
    settings={"days": 90},
    checkov="CKV_AZURE_23 CKV_AZURE_24",
    psrule="Azure.SQL.Auditing",
    azure_policy="a6fb4358 89099bee",
    controls={CIS: ["5.1.1", "5.1.6"]},
    # In a workspace the workspace's retention counts; 0 days means for ever.
    demand=lambda audit: (
        (audit["state"] == "Enabled")
        & (
            audit["isAzureMonitorTargetEnabled"].or_default(False).is_true
            | audit["retentionDays"].at_least(audit.settings["days"])
            | (audit["retentionDays"] == 0)
        )
    ),
)

threat_protection = rule(
    "TRB-SQL-006",
    "Threat protection of SQL raises every alert, and somebody gets it",
    on=(
        "azure-native:sql:ServerSecurityAlertPolicy",
        "azure-native:sql:DatabaseSecurityAlertPolicy",
    ),
    severity="medium",
    topic="logging",
    why="Injection and odd sign-ins show first in these alerts.",
    fix='Set state="Enabled", no disabled_alerts, and email_account_admins=True or email_addresses.',
    passes={"state": "Enabled", "emailAccountAdmins": True},
    breaks={"state": "Disabled", "emailAccountAdmins": False},
    checkov="CKV_AZURE_25 CKV_AZURE_26",
    psrule="Azure.SQL.DefenderCloud",
    azure_policy="abfb4388",
    controls={PCI: ["11.3.1"]},
    demand=lambda alerts: (
        (alerts["state"] == "Enabled")
        & ~alerts["disabledAlerts"].some(lambda alert: alert.present)
        & (alerts["emailAccountAdmins"].is_true | alerts["emailAddresses"].some(lambda address: address.present))
    ),
)

encrypted_at_rest = rule(
    "TRB-SQL-007",
    "Transparent data encryption is on",
    on="azure-native:sql:TransparentDataEncryption",
    severity="high",
    topic="encryption",
    why="A copied file or backup must be of no use without the key.",
    fix='Set state="Enabled" (Azure\'s default for a new database).',
    passes={"state": "Enabled"},
    breaks={"state": "Disabled"},
    checkov_terraform="CKV2_AZURE_25",
    psrule="Azure.SQL.TDE",
    azure_policy="17k78e20",
    controls={CIS: ["5.1.5"]},
    demand=lambda encryption: encryption["state"] == "Enabled",
)

vulnerability_assessment = rule(
    "TRB-SQL-008",
    "Vulnerability assessment of the SQL server is on",
    on="azure-native:sql:SqlVulnerabilityAssessmentsSetting",
    severity="medium",
    topic="hardening",
    why="It finds rights and settings that drifted since somebody last looked.",
    fix='Set state="Enabled".',
    passes={"state": "Enabled"},
    breaks={"state": "Disabled"},
    checkov_terraform="CKV2_AZURE_2",
    psrule="Azure.SQL.VAScan",
    azure_policy="ef2a8f2a",
    demand=lambda assessment: assessment["state"] == "Enabled",
)

zone_redundant = rule(
    "TRB-SQL-010",
    "Elastic pools are spread over availability zones",
    on=_POOL,
    severity="medium",
    topic="availability",
    why="One data centre may fail; the service may not.",
    fix="Set zone_redundant=True in a tier that has it.",
    passes={"zoneRedundant": True},
    breaks={"zoneRedundant": False},
    demand=lambda pool: pool["zoneRedundant"].is_true,
)

database_zone_redundant = rule(
    "TRB-SQL-011",
    "Databases outside a pool are spread over availability zones",
    on=_DATABASE,
    severity="medium",
    topic="availability",
    why="One data centre may fail; the service may not.",
    fix="Set zone_redundant=True, or put the database into a zone-redundant pool.",
    passes={"zoneRedundant": True},
    breaks={"zoneRedundant": False},
    checkov="CKV_AZURE_229",
    # What is in a pool follows the pool, known or not: that it is set is enough.
    demand=lambda database: database["zoneRedundant"].is_true | database["elasticPoolId"].is_set,
)

backup_apart = rule(
    "TRB-SQL-012",
    "Backups of databases outlive the data centre",
    on=_DATABASE,
    severity="medium",
    topic="availability",
    why="Azure keeps local backups in the data centre that just burnt.",
    fix='Set requested_backup_storage_redundancy to "Zone", "Geo" or "GeoZone".',
    passes={"requestedBackupStorageRedundancy": "GeoZone"},
    breaks={"requestedBackupStorageRedundancy": "Local"},
    defaults={"requestedBackupStorageRedundancy": "Geo"},
    demand=lambda database: database["requestedBackupStorageRedundancy"].one_of("Zone", "Geo", "GeoZone"),
)

long_term_backup = rule(
    "TRB-SQL-013",
    "Long-term backups are kept for a period",
    on="azure-native:sql:LongTermRetentionPolicy",
    severity="medium",
    topic="availability",
    why="Damage that is found late needs a backup from before it; the short-term ones reach back 35 days at most.",
    fix='Set weekly_retention, monthly_retention or yearly_retention, e.g. "P12M".',
    passes={"monthlyRetention": "P12M"},
    breaks={"monthlyRetention": "PT0S"},
    azure_policy="d38fc420",
    demand=lambda backup: (
        backup["weeklyRetention"].matches(_PERIOD)
        | backup["monthlyRetention"].matches(_PERIOD)
        | backup["yearlyRetention"].matches(_PERIOD)
    ),
)
_PERIOD = r"P[1-9]\d*[DWMY]"


ledger = rule(
    "TRB-SQL-014",
    "The audit database is a ledger, and no other is",
    on=_DATABASE,
    severity="medium",
    topic="immutability",
    why="Who did what must not be rewritten; personal data that can't be erased breaks article 17 of the GDPR.",
    fix="Set is_ledger_on=True at creation for the audit database, and leave it out elsewhere.",
    passes={"databaseName": "audit", "isLedgerOn": True},
    breaks={"databaseName": "account", "isLedgerOn": False},
    settings={"databases": ["audit"]},
    checkov_terraform="CKV_AZURE_224",
    demand=lambda database: (
        (
            database["databaseName"].or_default("").one_of(*database.settings["databases"])
            & database["isLedgerOn"].is_true
        )
        | (
            database["databaseName"].or_default("").none_of(*database.settings["databases"])
            & database["isLedgerOn"].or_default(False).is_false
        )
    ),
)

_DTU = r"(Basic|Standard|Premium)(Pool)?|S\d+|P\d+"

size = rule(
    "TRB-SQL-015",
    "Databases and pools end at a number of cores, or of DTUs",
    on=(_POOL, _DATABASE),
    severity="low",
    topic="cost",
    why="A slip of the finger must not become a bill.",
    fix="Set sku.capacity within the limit, or raise the limit in the policy config.",
    passes={"sku": {"name": "GP_Gen5", "capacity": 4}},
    breaks={"sku.capacity": 1000},
    absent_passes="sku.capacity",
    settings={"cores": 16, "dtus": 400},
    # A database in a pool has none of its own.
    demand=lambda resource: (
        resource["sku.capacity"].absent
        | resource["sku.capacity"].at_most(resource.settings["cores"])
        | (resource["sku.name"].matches(_DTU) & resource["sku.capacity"].at_most(resource.settings["dtus"]))
    ),
)
