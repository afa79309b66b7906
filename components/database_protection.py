"""Database protection: who did what goes to the workspace; odd sign-ins, injection and weak settings raise alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import sql

from components.common import Site, diagnose

_AUDITED = [
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "DATABASE_PERMISSION_CHANGE_GROUP",
    "DATABASE_PRINCIPAL_CHANGE_GROUP",
    "DATABASE_ROLE_MEMBER_CHANGE_GROUP",
    "DATABASE_OBJECT_CHANGE_GROUP",
    "SCHEMA_OBJECT_CHANGE_GROUP",
    "SCHEMA_OBJECT_PERMISSION_CHANGE_GROUP",
    "AUDIT_CHANGE_GROUP",
]
"""Sign-ins, rights and structure (learn.microsoft.com/azure/azure-sql/database/auditing-overview).

BATCH_COMPLETED_GROUP is left out: it records statements with their values, which are personal data.
"""


@dataclass(frozen=True, kw_only=True)
class ProtectionArgs:
    """Who gets the alerts: the subscription's owners, and these addresses."""

    emails: Sequence[str] = ()

    def __post_init__(self) -> None:
        if any("@" not in each for each in self.emails):
            raise ValueError("emails: one has no '@'. Give e-mail addresses.")


def audit(name: str, server: sql.Server, site: Site, opts: pulumi.ResourceOptions) -> None:
    """Sends the audit of a server and its databases to the site's workspace; nothing where the site has none."""
    if site.workspace_id is None:
        return
    policy = sql.ExtendedServerBlobAuditingPolicy(
        name,
        blob_auditing_policy_name="default",
        server_name=server.name,
        resource_group_name=site.resource_group,
        state=sql.BlobAuditingPolicyState.ENABLED,
        is_azure_monitor_target_enabled=True,
        audit_actions_and_groups=_AUDITED,
        opts=opts,
    )
    # The server's audit leaves through its master database (auditing-server-level-database-level).
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy]))
    diagnose(
        f"{name}-server-audit",
        server,
        site,
        after,
        part="/databases/master",
        logs=["SQLSecurityAuditEvents"],
        metrics=(),
        tables=False,
    )


def protect_server(
    name: str, args: ProtectionArgs, server: sql.Server, site: Site, opts: pulumi.ResourceOptions
) -> None:
    """Advanced Threat Protection and express vulnerability assessment of a server.

    Azure's newer advancedThreatProtectionSettings is not in azure-native 3.29.0 for servers and databases.
    """
    place = {"server_name": server.name, "resource_group_name": site.resource_group}
    guard = sql.ServerSecurityAlertPolicy(
        name,
        security_alert_policy_name="Default",
        state=sql.SecurityAlertsPolicyState.ENABLED,
        email_account_admins=True,
        email_addresses=list(args.emails) or None,
        **place,
        opts=opts,
    )
    # Express: no storage account, whose firewall it would have to be let through. Azure may have switched it on by
    # itself; azure-native takes it over since pulumi-azure-native#3941 (it was #3934). It needs threat protection.
    sql.SqlVulnerabilityAssessmentsSetting(
        name,
        vulnerability_assessment_name="default",
        state=sql.SqlVulnerabilityAssessmentState.ENABLED,
        **place,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[guard])),
    )


def protect_database(
    name: str,
    args: ProtectionArgs,
    server: sql.Server,
    database: sql.Database,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """Advanced Threat Protection of a database, which the server's does not switch on for auditors to see."""
    sql.DatabaseSecurityAlertPolicy(
        name,
        security_alert_policy_name="default",
        state=sql.SecurityAlertsPolicyState.ENABLED,
        email_account_admins=True,
        email_addresses=list(args.emails) or None,
        database_name=database.name,
        server_name=server.name,
        resource_group_name=site.resource_group,
        opts=opts,
    )
