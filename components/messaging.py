"""Messaging: a Service Bus namespace, with topics, subscriptions and queues from a declaration.

Leaves out: keys and connection strings (local authentication is off), the older geo-DR pairing (it copies metadata,
not messages), and client-affine subscriptions. With Standard, traffic comes over its public address. A firewall there
lets in listed addresses alone, no trusted service: where Event Grid delivers, leave it open, to be guarded by Entra
(learn.microsoft.com/azure/service-bus-messaging/service-bus-ip-filtering).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import pulumi
from pulumi_azure_native import servicebus

from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.customer_key import CustomerKey, use_key
from components.lock import lock
from components.message_entities import QueueArgs, TopicArgs
from components.topics import make_queue, make_topic


@dataclass(frozen=True, kw_only=True)
class MessagingArgs:
    """What a namespace needs to know.

    site: resource group, region, tags and workspace that every block shares.
    tier: "Standard", or "Premium", which all below "allowed_addresses" needs. topics, queues: by name.
    allowed_addresses: IPv4 addresses or CIDR blocks let in from outside; none, with no access, lets every address in.
    capacity: messaging units, 1, 2, 4, 8 or 16. access: where its private endpoint is; closes the public address.
    key: encrypts data at rest, twice; can't be changed later. replica: second region that messages are copied to.
    locked: keeps it from being deleted.
    """

    site: Site
    tier: Literal["Standard", "Premium"]
    topics: Mapping[str, TopicArgs] = field(default_factory=dict)
    queues: Mapping[str, QueueArgs] = field(default_factory=dict)
    allowed_addresses: Sequence[str] = ()
    capacity: int | None = None
    access: PrivateAccess | None = None
    key: CustomerKey | None = None
    replica: str | None = None
    locked: bool = False

    def __post_init__(self) -> None:
        if twice := sorted(set(self.topics) & set(self.queues)):
            raise ValueError(f"{twice}: a topic and a queue of one namespace can't have one name. Rename one.")
        if self.tier == "Premium":
            if self.capacity not in (1, 2, 4, 8, 16):
                raise ValueError(f"capacity: {self.capacity} is not allowed; allowed are 1, 2, 4, 8 and 16 units.")
            return
        for name in ("capacity", "access", "key", "replica"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name}: needs tier Premium, and tier is {self.tier}. Leave it out, or raise the tier."
                )


class Messaging(pulumi.ComponentResource):
    """A namespace that only Entra identities enter, each with rights on its own topic, subscription or queue."""

    namespace_id: pulumi.Output[str]
    """Resource id."""
    host: pulumi.Output[str]
    """Host name of the namespace, without port."""
    topic_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each topic, by its name."""
    subscription_ids: Mapping[str, Mapping[str, pulumi.Output[str]]]
    """Resource id of each subscription, by its topic's name and its own."""
    queue_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each queue, by its name."""

    def __init__(self, name: str, args: MessagingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("sb", name, longest=50)
        super().__init__("tributary:azure:Messaging", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        namespace = self._namespace(name, own, args)
        if args.tier == "Premium" or args.allowed_addresses:
            self._close(name, args, namespace)
        if args.access:
            private_endpoint(f"{name}-servicebus", namespace, "namespace", args.access, site, child)
        diagnose(f"{name}-servicebus", namespace, site, child, logs=["OperationalLogs"])
        topics = {
            topic: make_topic(f"{name}-{topic}", topic, each, namespace, site, child)
            for topic, each in args.topics.items()
        }
        self.topic_ids = {topic: each.topic_id for topic, each in topics.items()}
        self.subscription_ids = {topic: each.subscription_ids for topic, each in topics.items()}
        self.queue_ids = {
            queue: make_queue(f"{name}-{queue}", queue, each, namespace, site, child)
            for queue, each in args.queues.items()
        }
        if args.locked:
            lock(f"{name}-servicebus", namespace, self)

        self.namespace_id = namespace.id
        self.host = namespace.service_bus_endpoint.apply(lambda endpoint: str(urlsplit(endpoint).hostname))
        self.register_outputs({"namespace_id": self.namespace_id, "host": self.host})

    def _namespace(self, name: str, own: str, args: MessagingArgs) -> servicebus.Namespace:
        premium, site = args.tier == "Premium", args.site
        user = use_key(name, args.key, site, pulumi.ResourceOptions(parent=self)) if args.key else None
        return servicebus.Namespace(
            name,
            namespace_name=own,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=servicebus.SBSkuArgs(
                name=servicebus.SkuName(args.tier), tier=servicebus.SkuTier(args.tier), capacity=args.capacity
            ),
            disable_local_auth=True,
            minimum_tls_version=servicebus.TlsVersion.TLS_VERSION_1_2,
            public_network_access="Disabled" if args.access else "Enabled",
            zone_redundant=True if premium else None,
            premium_messaging_partitions=1 if premium else None,
            identity=servicebus.IdentityArgs(
                type=servicebus.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[user.identity.id]
            )
            if user
            else None,
            encryption=servicebus.EncryptionArgs(
                key_source=servicebus.KeySource.MICROSOFT_KEY_VAULT,
                key_vault_properties=[
                    servicebus.KeyVaultPropertiesArgs(
                        key_name=args.key.name,
                        key_vault_uri=args.key.vault_uri,
                        identity=servicebus.UserAssignedIdentityPropertiesArgs(user_assigned_identity=user.identity.id),
                    )
                ],
                require_infrastructure_encryption=True,
            )
            if args.key and user
            else None,
            # The older pairing copies metadata, not messages (learn.microsoft.com: service-bus-geo-replication).
            # No lag: what a sender was told is taken is in both regions.
            geo_data_replication=servicebus.GeoDataReplicationPropertiesArgs(
                max_replication_lag_duration_in_seconds=0,
                locations=[
                    servicebus.NamespaceReplicaLocationArgs(location_name=site.location, role_type="Primary"),
                    servicebus.NamespaceReplicaLocationArgs(location_name=args.replica, role_type="Secondary"),
                ],
            )
            if args.replica
            else None,
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[user.grant] if user else None),
        )

    def _close(self, name: str, args: MessagingArgs, namespace: servicebus.Namespace) -> None:
        rules = [servicebus.NWRuleSetIpRulesArgs(ip_mask=each, action="Allow") for each in args.allowed_addresses]
        servicebus.NamespaceNetworkRuleSet(
            name,
            namespace_name=namespace.name,
            resource_group_name=args.site.resource_group,
            public_network_access="Disabled" if args.access else "Enabled",
            # Without a rule every address is let in anyway (learn.microsoft.com: service-bus-ip-filtering).
            default_action="Deny" if rules or args.access else "Allow",
            ip_rules=rules,
            # Event Grid can't deliver through private endpoints: it comes in as a trusted service
            # (learn.microsoft.com/azure/event-grid/consume-private-endpoints). Standard has no such option.
            trusted_service_access_enabled=True if args.tier == "Premium" else None,
            opts=pulumi.ResourceOptions(parent=self),
        )
