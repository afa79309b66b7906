"""Common: what every building block shares: its site, names, role assignments, diagnostics, private endpoints."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import authorization, monitor, network

ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "Key Vault Certificates Officer": "a4417e6f-fecd-4de8-b567-7b0420556985",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Ids of the built-in roles in use (learn.microsoft.com/azure/role-based-access-control/built-in-roles)."""

_ASSIGNMENTS = uuid.UUID("b1f7e2b0-5c1d-4f5e-9a43-0f6f5c0c7a11")


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a block is built.

    resource_group: its name. location: Azure region. stack: short name of the environment, part of every name.
    suffix: lower-case letters and digits that make global names unique and stay the same when the stack is made anew.
    tenant_id, subscription_id: of the deployment. tags: put on everything that takes tags.
    workspace_id: Log Analytics workspace of the diagnostic settings; None where there is none yet.
    """

    resource_group: pulumi.Input[str]
    location: str
    stack: str
    suffix: str
    tenant_id: str
    subscription_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    workspace_id: pulumi.Input[str] | None = None

    def name(self, kind: str, name: str) -> str:
        """A name unique in the resource group, e.g. "vnet-main-dev"; kind is Azure's usual abbreviation."""
        return f"{kind}-{name}-{self.stack}"

    def global_name(self, kind: str, name: str, *, longest: int, separator: str = "-") -> str:
        """A name unique in all of Azure, e.g. "kv-main-dev-4kd81z". Raises ValueError when it is too long."""
        made = separator.join((kind, name, self.stack, self.suffix)).replace("-", separator)
        if len(made) > longest:
            raise ValueError(
                f"The name {made!r} has {len(made)} characters; allowed are {longest}. "
                f"Shorten the stack's name ({self.stack!r}) or the component's ({name!r})."
            )
        return made


@dataclass(frozen=True, kw_only=True)
class PrivateAccess:
    """Where a block gets a private endpoint.

    subnet_id: of the endpoint. zone_id: of the service's private DNS zone. further_zone_ids: by name, of
    a service whose names are in more than one.
    """

    subnet_id: pulumi.Input[str]
    zone_id: pulumi.Input[str]
    further_zone_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def assign_role(
    name: str,
    role: str,
    *,
    principal_id: pulumi.Input[str],
    scope: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """Grants a managed identity a built-in role at a scope. Raises KeyError for a role that is not in ROLES.

    Its name is derived from scope, principal and role, so that granting it again is the same assignment. The
    principal's type is given, because Entra may not know a fresh identity yet (aks-baseline#242).
    """
    definition = ROLES[role]
    assignment = pulumi.Output.all(scope, principal_id).apply(
        lambda known: str(uuid.uuid5(_ASSIGNMENTS, "|".join((*known, definition)).lower()))
    )
    path = f"/subscriptions/{site.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{definition}"
    return authorization.RoleAssignment(
        name,
        role_assignment_name=assignment,
        principal_id=principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=path,
        scope=scope,
        opts=opts,
    )


def diagnose(
    name: str,
    resource: pulumi.CustomResource,
    site: Site,
    opts: pulumi.ResourceOptions,
    *,
    logs: Sequence[str] = (),
    groups: Sequence[str] = (),
    metrics: Sequence[str] = ("AllMetrics",),
    part: str = "",
    tables: bool = True,
) -> None:
    """Sends a resource's logs and metrics to the site's workspace; nothing where the site has none.

    logs: log categories. groups: category groups such as "audit". part: sub-resource with settings of its own, such
    as "/blobServices/default". tables: whether Azure Monitor has tables for these logs alone, e.g. AZFWNetworkRule; all
    others lie in AzureDiagnostics (learn.microsoft.com/azure/azure-monitor/reference/logs-index).
    """
    if site.workspace_id is None:
        return
    monitor.DiagnosticSetting(
        name,
        name="workspace",
        resource_uri=pulumi.Output.concat(resource.id, part),
        workspace_id=site.workspace_id,
        # Unless it is said, even what has a table of its own goes to AzureDiagnostics.
        log_analytics_destination_type="Dedicated" if tables else None,
        logs=[
            *(monitor.DiagnosticsLogSettingsArgs(category=each, enabled=True) for each in logs),
            *(monitor.DiagnosticsLogSettingsArgs(category_group=each, enabled=True) for each in groups),
        ],
        metrics=[monitor.DiagnosticsMetricSettingsArgs(category=each, enabled=True) for each in metrics],
        opts=opts,
    )


def private_endpoint(
    name: str,
    resource: pulumi.CustomResource,
    group: str,
    access: PrivateAccess,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> network.PrivateDnsZoneGroup:
    """Gives a resource an address in the virtual network and its name there; answers what users of it wait for.

    group: the sub-resource's group id, e.g. "sqlServer" (learn.microsoft.com/azure/private-link).
    """
    endpoint = network.PrivateEndpoint(
        name,
        private_endpoint_name=site.name("pep", name),
        resource_group_name=site.resource_group,
        location=site.location,
        subnet=network.SubnetArgs(id=access.subnet_id),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(name=group, private_link_service_id=resource.id, group_ids=[group])
        ],
        tags=site.tags,
        # Azure can't move an endpoint to another subnet, and azure-native would try to; both would have one name.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(replace_on_changes=["subnet.id"], delete_before_replace=True)
        ),
    )
    return network.PrivateDnsZoneGroup(
        name,
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=site.resource_group,
        private_dns_zone_configs=[
            network.PrivateDnsZoneConfigArgs(name=each, private_dns_zone_id=zone)
            for each, zone in {group: access.zone_id, **access.further_zone_ids}.items()
        ],
        opts=opts,
    )
