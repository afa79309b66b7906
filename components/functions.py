"""Functions: a function app on Flex Consumption with its code, woken by blobs that appear in a container.

Leaves out: slots (Flex Consumption has none), HTTP triggers' own host names. The storage accounts, the queue, the
subnet and the code's files are handed in.

Event Grid can't deliver through private endpoints: blob event → system topic → Service Bus queue (as a trusted
service, by identity) → Service Bus trigger (learn.microsoft.com/azure/event-grid/consume-private-endpoints).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
from pulumi_azure_native import authorization, managedidentity, web

from components.app_service import flex_configuration, refuse_passwords, settings
from components.blob_events import BlobEventsArgs, forward_blob_events
from components.common import PrivateAccess, Site, assign_role, diagnose, private_endpoint
from components.function_code import FunctionCode
from components.function_package import PackageArgs
from components.identities import make_identity
from components.workload_identity import Grant

_HOST_ROLES = ("Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor")
"""What the Functions host itself asks for (learn.microsoft.com/azure/azure-functions/functions-reference)."""


@dataclass(frozen=True, kw_only=True)
class HostStorageArgs:
    """Where the host keeps its leases and the packages lie. An account of its own: who writes here, runs code.

    account_id: resource id of the storage account. blob_endpoint: base URL of its blobs.
    packages: name of the container that code is deployed to. ready: what must be there before the app reaches it, such
    as its private endpoints.
    """

    account_id: pulumi.Input[str]
    blob_endpoint: pulumi.Input[str]
    packages: str
    ready: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True)
class FunctionsArgs:
    """What a function app needs to know.

    site: resource group, region, tags and workspace that every block shares.
    runtime, version: e.g. "python", "3.12". storage: of the host.
    subnet_id: subnet delegated to Microsoft.App/environments that it runs in.
    component_id, connection_string: of Application Insights.
    memory_mb: of an instance, 512, 2048 or 4096. maximum: instances, 1 to 1000.
    always_ready: instances kept warm, by function group, e.g. {"http": 1}. settings: application settings.
    access: where its private endpoint is; closes the public address. events: blobs that wake it; None for none.
    zone_redundant: spreads instances over zones; can't be changed later. code: what it runs; None leaves that to
    others. grants: rights of its identity, by what they are for, e.g. {"tells": Grant("Azure Service Bus Data Sender",
    topic_id)}.
    """

    site: Site
    runtime: Literal["python", "node", "dotnet-isolated", "java", "powershell"]
    version: str
    storage: HostStorageArgs
    subnet_id: pulumi.Input[str]
    component_id: pulumi.Input[str]
    connection_string: pulumi.Input[str]
    memory_mb: int = 2048
    maximum: int = 40
    always_ready: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    access: PrivateAccess | None = None
    events: BlobEventsArgs | None = None
    zone_redundant: bool = False
    code: PackageArgs | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.code and (self.runtime, self.version) != ("python", self.code.python):
            raise ValueError(
                f"code: it is made for Python {self.code.python}, the app for {self.runtime} {self.version}."
            )
        if self.memory_mb not in (512, 2048, 4096):
            raise ValueError(f"memory_mb: {self.memory_mb} is not allowed; allowed are 512, 2048 and 4096.")
        if not 1 <= self.maximum <= 1000:
            raise ValueError(f"maximum: {self.maximum} is not allowed; allowed are 1 to 1000 instances.")
        own = ("AzureWebJobsStorage", "FUNCTIONS_", "AZURE_CLIENT_ID")
        if taken := sorted(name for name in self.settings if name.startswith(own)):
            raise ValueError(f"settings: {taken} are the component's own. Leave them out.")


class Functions(pulumi.ComponentResource):
    """A function app that signs in everywhere as its identity: no connection string holds a key."""

    host: pulumi.Output[str]
    """Its host name."""
    app_id: pulumi.Output[str]
    """Resource id: what a deployment pipeline gets rights on."""
    identity_id: pulumi.Output[str]
    """Object id of its identity: whom other data is opened to."""
    topic_id: pulumi.Output[str] | None
    """Resource id of the system topic that its blob events come from; None without them."""

    def __init__(self, name: str, args: FunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Functions", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        identity = make_identity(f"{name}-functions", site, child)
        rights = self._rights(name, args, identity)
        plan = web.AppServicePlan(
            name,
            name=site.name("asp", f"{name}-functions"),
            resource_group_name=site.resource_group,
            location=site.location,
            kind="functionapp",
            reserved=True,
            sku=web.SkuDescriptionArgs(name="FC1", tier="FlexConsumption"),
            zone_redundant=args.zone_redundant,
            tags=site.tags,
            opts=child,
        )
        events: Mapping[str, pulumi.Input[str]] = {}
        self.topic_id = None
        if args.events:
            events = args.events.connection(identity.client_id)
            self.topic_id, receives = forward_blob_events(name, args.events, identity.principal_id, site, child)
            rights.append(receives)
        app = web.WebApp(
            name,
            name=site.global_name("func", name, longest=60),
            resource_group_name=site.resource_group,
            location=site.location,
            kind="functionapp,linux",
            server_farm_id=plan.id,
            reserved=True,
            https_only=True,
            public_network_access="Disabled" if args.access else "Enabled",
            virtual_network_subnet_id=args.subnet_id,
            key_vault_reference_identity=identity.id,
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            # Flex Consumption takes runtime, scale and package from here, and refuses the settings that say the same
            # elsewhere (learn.microsoft.com/azure/azure-functions/functions-app-settings).
            function_app_config=web.FunctionAppConfigArgs(
                runtime=web.FunctionsRuntimeArgs(name=args.runtime, version=args.version),
                scale_and_concurrency=web.FunctionsScaleAndConcurrencyArgs(
                    instance_memory_mb=args.memory_mb,
                    maximum_instance_count=args.maximum,
                    always_ready=[
                        web.FunctionsAlwaysReadyConfigArgs(name=group, instance_count=count)
                        for group, count in args.always_ready.items()
                    ],
                ),
                deployment=web.FunctionsDeploymentArgs(
                    storage=web.FunctionsDeploymentStorageArgs(
                        type=web.FunctionsDeploymentStorageType.BLOB_CONTAINER,
                        value=pulumi.Output.from_input(args.storage.blob_endpoint).apply(
                            lambda base: f"{base.rstrip('/')}/{args.storage.packages}"
                        ),
                        authentication=web.FunctionsDeploymentStorageAuthenticationArgs(
                            type=web.AuthenticationType.USER_ASSIGNED_IDENTITY,
                            user_assigned_identity_resource_id=identity.id,
                        ),
                    )
                ),
            ),
            site_config=flex_configuration(
                app_settings=settings(
                    {
                        "AzureWebJobsStorage__accountName": pulumi.Output.from_input(args.storage.account_id).apply(
                            lambda known: known.rsplit("/", 1)[-1]
                        ),
                        "AzureWebJobsStorage__credential": "managedidentity",
                        "AzureWebJobsStorage__clientId": identity.client_id,
                        # As whom the code signs in: DefaultAzureCredential reads it.
                        "AZURE_CLIENT_ID": identity.client_id,
                        "APPLICATIONINSIGHTS_CONNECTION_STRING": args.connection_string,
                        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": identity.client_id.apply(
                            lambda client: f"ClientId={client};Authorization=AAD"
                        ),
                        **events,
                        **args.settings,
                    }
                ),
            ),
            tags=site.tags,
            # The host reads its storage as soon as it is there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=rights),
        )
        refuse_passwords(name, app, site, child)
        ways: list[pulumi.Resource] = [*args.storage.ready]
        if args.access:
            ways.append(private_endpoint(f"{name}-functions", app, "sites", args.access, site, child))
        diagnose(f"{name}-functions", app, site, child, logs=["FunctionAppLogs"])
        if args.code:
            FunctionCode(
                name,
                args.code,
                app.id,
                app.host_name_ssl_states.apply(_deployment_site),
                # The site is reached by the endpoint, and takes the package to the storage by its own ones.
                pulumi.ResourceOptions(parent=self, depends_on=ways, replace_with=[app]),
            )

        self.host = app.default_host_name
        self.app_id = app.id
        self.identity_id = identity.principal_id
        self.register_outputs({"host": self.host, "app_id": self.app_id, "identity_id": self.identity_id})

    def _rights(
        self, name: str, args: FunctionsArgs, identity: managedidentity.UserAssignedIdentity
    ) -> list[authorization.RoleAssignment]:
        wanted = [(role, args.storage.account_id) for role in _HOST_ROLES]
        wanted.append(("Monitoring Metrics Publisher", args.component_id))
        rights = {role.lower().replace(" ", "-"): Grant(role, scope) for role, scope in wanted}
        return [
            assign_role(
                f"{name}-{purpose}",
                grant.role,
                principal_id=identity.principal_id,
                scope=grant.scope,
                site=args.site,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for purpose, grant in {**rights, **args.grants}.items()
        ]


def _deployment_site(states: Sequence[web.outputs.HostNameSslStateResponse] | None) -> str:
    """Host name of an app's deployment site: Azure puts a random part into some apps' names, and tells only here."""
    for each in states or ():
        if each.host_type == web.HostType.REPOSITORY and each.name:
            return each.name
    raise ValueError(
        "Azure reports no deployment site of the function app: its code can't be deployed. Look at its state."
    )
