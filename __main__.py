"""Tributary: settings → Platform → Aggregator → outputs."""

from __future__ import annotations

import gc

# Before the SDKs are loaded: two million objects that live as long as the program were looked through for garbage again
# and again, which took a quarter of a preview's processor time. Memory at the peak grew by 1 % (make bench-preview).
gc.set_threshold(100_000, 50, 100)

import pulumi  # noqa: E402

from stacks.aggregator import Aggregator  # noqa: E402
from stacks.platform import Platform  # noqa: E402
from stacks.services import deployed  # noqa: E402
from stacks.settings import load_settings  # noqa: E402
from stacks.transforms import installed_major, use_transforms  # noqa: E402

settings = load_settings()
use_transforms(
    {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "managed-by": "pulumi"},
    keep_provider_aliases=settings.upgrades.azure_native != installed_major(),
    protect_data=settings.safeguards.protected,
)
services = deployed(sandbox_banks=settings.services.sandbox_banks)
platform = Platform(settings, services)
aggregator = Aggregator(settings, platform, services)

pulumi.export("resourceGroup", platform.resource_group.name)
pulumi.export("network", {"id": platform.network.network_id, "zoneIds": [*platform.network.zone_ids.values()]})
pulumi.export("cluster", platform.cluster.name)
pulumi.export("kubeconfig", platform.cluster.kubeconfig)
pulumi.export("registry", platform.registry.login_server)
pulumi.export("vault", platform.vault.uri)
pulumi.export("certificateRequests", platform.vault.requests)
pulumi.export("uploads", platform.uploads.blob_endpoint)
pulumi.export("evidence", platform.evidence.blob_endpoint)
pulumi.export("database", platform.database.fqdn)
pulumi.export("serviceBus", platform.messaging.host)
pulumi.export("notificationHub", platform.notifications.hub)
pulumi.export("webPushKey", platform.notifications.browser_key)
pulumi.export(
    "signIn",
    {
        "issuer": platform.tokens.issuer,
        "audience": platform.tokens.audience,
        "clientId": platform.tokens.client_id,
    },
)
pulumi.export("api", platform.gateway.url)
pulumi.export("app", platform.website.host)
pulumi.export("address", platform.edge.address if platform.edge else None)
pulumi.export("images", aggregator.images)
pulumi.export("services", aggregator.addresses)
