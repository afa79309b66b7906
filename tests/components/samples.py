"""Every block with everything it can do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pulumi

from components.alert_rules import SIGN_INS, MetricAlertArgs, QueryAlertArgs, requests_named
from components.alerts import Alerts, AlertsArgs
from components.blob_events import BlobEventsArgs
from components.budget import BudgetArgs
from components.common import Site
from components.customer_key import CustomerKey
from components.edge import Edge, EdgeArgs
from components.edge_routes import RouteArgs
from components.function_package import PackageArgs
from components.functions import Functions, FunctionsArgs, HostStorageArgs
from components.gateway import Gateway, GatewayArgs, HostArgs
from components.gateway_apis import ApiArgs, BackendArgs, ProductArgs, VersionArgs
from components.message_entities import FilterArgs, QueueArgs, SubscriptionArgs, TopicArgs
from components.messaging import Messaging, MessagingArgs
from components.notifications import AppleArgs, BrowserArgs, GoogleArgs, Notifications, NotificationsArgs
from components.website import WebSite, WebSiteArgs
from components.workload_identity import Grant
from local.instance import REPOSITORY
from tests.components.core_samples import CORE
from tests.components.mocks import Registered, run
from tests.components.site import ACCESS, SITE, VAULT

COMPONENT = "/id/of/Component/appi-main"
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Accounts", "version": "1"},
    "paths": {"/accounts": {"get": {"operationId": "listAccounts", "responses": {"200": {"description": "ok"}}}}},
}
POLICY = """\
<policies>
  <inbound><base /><set-backend-service backend-id="account" />
    <set-header name="x" exists-action="override"><value>@(context.Request.Headers.GetValueOrDefault("x",""))</value>
    </set-header></inbound>
  <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error>
</policies>"""


def messaging_args(site: Site = SITE, **changes: Any) -> MessagingArgs:
    everything: dict[str, Any] = {
        "site": site,
        "tier": "Premium",
        "capacity": 1,
        "access": ACCESS,
        "key": CustomerKey(key_id="/id/of/Key/messages", vault_uri="https://kv.example/"),
        "replica": "northeurope",
        "locked": True,
        "topics": {
            "consents": TopicArgs(
                senders={"consent": "object of consent"},
                subscriptions={
                    "transaction": SubscriptionArgs(
                        filters={
                            "granted": FilterArgs(properties={"event": "granted"}),
                            "big": FilterArgs(sql="a > 1"),
                        },
                        receivers={"transaction": "object of transaction"},
                        sessions=True,
                        lock=timedelta(minutes=5),
                        attempts=5,
                    ),
                    "audit": SubscriptionArgs(receivers={"audit": "object of audit"}),
                },
            )
        },
        "queues": {"uploads": QueueArgs(duplicates=None)},
    }
    return MessagingArgs(**everything | changes)


def gateway_args(site: Site = SITE, **changes: Any) -> GatewayArgs:
    everything: dict[str, Any] = {
        "site": site,
        "tier": "Premium",
        "capacity": 3,
        "zones": ["1", "2", "3"],
        "publisher": "Tributary",
        "publisher_email": "api@example.com",
        "vault_id": VAULT,
        "component_id": COMPONENT,
        "connection_string": "InstrumentationKey=0;",
        "sampling_percentage": 20.0,
        "subnet_id": "/id/of/Subnet/gateway",
        "hosts": [HostArgs(name="api.example.com", certificate="https://kv.example/secrets/api", ask_certificate=True)],
        "named_values": {"partner": "https://kv.example/secrets/partner"},
        "values": {"audience": "api://example"},
        "backends": {"account": BackendArgs(url="https://account.example", headers={"x-partner": "{{partner}}"})},
        "apis": {
            "accounts": ApiArgs(
                display_name="Accounts",
                path="accounts",
                subscription_required=True,
                versions={
                    "v1": VersionArgs(openapi=DOCUMENT, backend="account"),
                    "v2": VersionArgs(
                        openapi=DOCUMENT,
                        backend="account",
                        policy=POLICY,
                        operation_policies={"listAccounts": POLICY},
                    ),
                },
            )
        },
        "products": {
            "partners": ProductArgs(
                display_name="Partners",
                description="What partners may call",
                apis=["accounts"],
                subscriptions={"acme": "Acme"},
                policy='<policies><inbound><quota calls="9" renewal-period="60" /></inbound></policies>',
            )
        },
        "policy": POLICY,
        "locked": True,
    }
    return GatewayArgs(**everything | changes)


def edge_args(site: Site = SITE, **changes: Any) -> EdgeArgs:
    everything: dict[str, Any] = {
        "site": site,
        "subnet_id": "/id/of/Subnet/edge",
        "vault_id": VAULT,
        "minimum": 1,
        "maximum": 5,
        "zones": ["1", "2", "3"],
        "locked": True,
        "routes": {
            name: RouteArgs(
                host=f"{name}.example.com",
                certificate=f"https://kv.example/secrets/{name}",
                backend_address=address,
                backend_host=f"{name}.internal.example",
                probe_path="/status",
            )
            for name, address in {"api": "10.0.3.4", "app": "app.internal.example"}.items()
        },
    }
    return EdgeArgs(**everything | changes)


def notifications_args(site: Site = SITE, **changes: Any) -> NotificationsArgs:
    everything: dict[str, Any] = {
        "site": site,
        "locked": True,
        "tier": "Standard",
        "zone_redundant": True,
        "google": GoogleArgs(project_id="p", client_email="push@p.example", private_key="key of google"),
        "apple": AppleArgs(stage="production", bundle_id="b", team_id="t", key_id="k", token="key of apple"),
        "browser": BrowserArgs(subject="https://example.com", public_key="pub", private_key="key of browsers"),
        "access": ACCESS,
    }
    return NotificationsArgs(**everything | changes)


def website_args(site: Site = SITE, **changes: Any) -> WebSiteArgs:
    everything: dict[str, Any] = {
        "site": site,
        "sku": "P1v3",
        "instances": 2,
        "zone_redundant": True,
        "runtime": "NODE|22-lts",
        "start": "pm2 serve /home/site/wwwroot --no-daemon --spa",
        "health_path": "/index.html",
        "subnet_id": "/id/of/Subnet/web",
        "access": ACCESS,
        "settings": {"API_URL": "https://api.example.com", "STAGE": "live"},
        "slot_settings": {"STAGE": "trial"},
    }
    return WebSiteArgs(**everything | changes)


def functions_args(site: Site = SITE, **changes: Any) -> FunctionsArgs:
    everything: dict[str, Any] = {
        "site": site,
        "runtime": "python",
        "version": "3.12",
        "storage": HostStorageArgs(
            account_id="/id/of/StorageAccount/sthost", blob_endpoint="https://sthost.example/", packages="packages"
        ),
        "subnet_id": "/id/of/Subnet/functions",
        "component_id": COMPONENT,
        "connection_string": "InstrumentationKey=0;",
        "always_ready": {"http": 1},
        "settings": {"LANGUAGE": "en"},
        "events": BlobEventsArgs(
            account_id="/id/of/StorageAccount/stfiles",
            container="uploads",
            queue_id="/id/of/Queue/main-uploads",
            queue="uploads",
            host="sb.example",
            undelivered="undelivered",
        ),
        "zone_redundant": True,
        "code": PackageArgs(
            root=REPOSITORY,
            top={each: f"workloads/functions/{each}" for each in ("host.json", "function_app.py")},
            sources=[],
            requirements="workloads/functions/requirements.txt",
            constraints="constraints.txt",
            build="remote",
            python="3.12",
        ),
        "grants": {"tells": Grant("Azure Service Bus Data Sender", "/id/of/Topic/main-events")},
    }
    return FunctionsArgs(**everything | changes)


def alerts_args(site: Site = SITE, **changes: Any) -> AlertsArgs:
    everything: dict[str, Any] = {
        "site": site,
        "component_id": COMPONENT,
        "workspace_id": "/id/of/Workspace/main",
        "emails": {"on call": "oncall@example.com"},
        "budget": BudgetArgs(amount=500, since=date(2026, 11, 1)),
        "metrics": {
            "dead-letters": MetricAlertArgs(
                description="Messages were given up: look at the dead-letter queue.",
                resource_id="/id/of/Namespace/main",
                namespace="Microsoft.ServiceBus/namespaces",
                metric="DeadletteredMessages",
                aggregation="Average",
                threshold=0,
            )
        },
        "queries": {"restarts": QueryAlertArgs(description="Pods restart.", query="KubePodInventory | where 1 == 0")},
        "anomalies": [SIGN_INS, requests_named(["POST /consents"], role="consent")],
        "panels": {"Slow requests": "AppRequests | top 10 by DurationMs"},
    }
    return AlertsArgs(**everything | changes)


BLOCKS: dict[str, Callable[[Site], Any]] = {
    "messaging": lambda site: Messaging("main", messaging_args(site)),
    "gateway": lambda site: Gateway("main", gateway_args(site)),
    "edge": lambda site: Edge("main", edge_args(site)),
    "notifications": lambda site: Notifications("main", notifications_args(site)),
    "website": lambda site: WebSite("main", website_args(site)),
    "functions": lambda site: Functions("main", functions_args(site)),
    "alerts": lambda site: Alerts("main", alerts_args(site)),
    **CORE,
}
"""A function a block, that makes it at a site."""


def build(program: Callable[[], Any], *, preview: bool = False) -> Registered:
    """What a program registers. Without the SDK's aliases, which take ten times as long as all the rest."""
    return watch(program, {}, preview=preview)


def watch(
    program: Callable[[], Any], options: dict[str, pulumi.ResourceOptions], *, preview: bool = False
) -> Registered:
    """The same; keeps each resource's options by the last part of its type."""

    def apply(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        options[args.type_.rsplit(":", 1)[1]] = args.opts
        args.opts.aliases = []
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    def watched() -> None:
        pulumi.runtime.register_stack_transformation(apply)
        program()

    return run(watched, preview=preview)


@functools.cache
def made(name: str) -> Registered:
    """What a block registers."""
    return build(lambda: BLOCKS[name](SITE))


@functools.cache
def options(name: str) -> dict[str, pulumi.ResourceOptions]:
    """The options of a block's resources, by the last part of their type (the last one's)."""
    seen: dict[str, pulumi.ResourceOptions] = {}
    watch(lambda: BLOCKS[name](SITE), seen)
    return seen
