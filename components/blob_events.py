"""Blob events: tells a Service Bus queue of every blob that appears in a container."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, eventgrid

from components.common import Site, assign_role, diagnose


@dataclass(frozen=True, kw_only=True)
class BlobEventsArgs:
    """Which blobs, and the queue that tells of them.

    account_id: storage account; no other system topic may listen to it, Azure allows one. container: of the blobs.
    queue_id, queue: resource id and name of the queue. host: its namespace's host name, which lets trusted services
    in. undelivered: container of the account that events end up in which the queue did not take within a day.
    """

    account_id: pulumi.Input[str]
    container: str
    queue_id: pulumi.Input[str]
    queue: str
    host: pulumi.Input[str]
    undelivered: str

    def connection(self, client_id: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
        """Settings of a Service Bus trigger with connection "BlobEvents" and queue "%BlobEventsQueue%".

        No expression names a setting with two underscores in it (azure-functions-host#10246).
        """
        return {
            "BlobEvents__fullyQualifiedNamespace": self.host,
            "BlobEventsQueue": self.queue,
            "BlobEvents__credential": "managedidentity",
            "BlobEvents__clientId": client_id,
        }


def forward_blob_events(
    name: str,
    args: BlobEventsArgs,
    receiver_id: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> tuple[pulumi.Output[str], authorization.RoleAssignment]:
    """Makes the system topic and its subscription; answers its id and the receiver's right, which its app waits for."""
    topic = eventgrid.SystemTopic(
        name,
        system_topic_name=site.name("egst", name),
        resource_group_name=site.resource_group,
        location=site.location,
        source=args.account_id,
        topic_type="Microsoft.Storage.StorageAccounts",
        # Its own identity: the firewalls of Service Bus and storage let Event Grid in as a trusted service with this
        # one alone, never with a user-assigned one (learn.microsoft.com/azure/event-grid/handler-storage-queues and
        # service-bus-messaging/service-bus-ip-filtering, "Trusted Microsoft services").
        identity=eventgrid.IdentityInfoArgs(type=eventgrid.IdentityType.SYSTEM_ASSIGNED),
        tags=site.tags,
        opts=opts,
    )
    # Nothing else says that, and why, a queue refuses events: they are tried again for a day.
    diagnose(f"{name}-events", topic, site, opts, logs=["DeliveryFailures"])
    principal = topic.identity.apply(_principal)
    rights = [
        assign_role(f"{name}-{what}", role, principal_id=principal, scope=scope, site=site, opts=opts)
        for what, role, scope in (
            ("sends-events", "Azure Service Bus Data Sender", args.queue_id),
            ("keeps-undelivered", "Storage Blob Data Contributor", args.account_id),
        )
    ]
    sender = eventgrid.EventSubscriptionIdentityArgs(type=eventgrid.EventSubscriptionIdentityType.SYSTEM_ASSIGNED)
    eventgrid.SystemTopicEventSubscription(
        name,
        event_subscription_name=f"blobs-{args.container}",
        system_topic_name=topic.name,
        resource_group_name=site.resource_group,
        event_delivery_schema=eventgrid.EventDeliverySchema.CLOUD_EVENT_SCHEMA_V1_0,
        filter=eventgrid.EventSubscriptionFilterArgs(
            included_event_types=["Microsoft.Storage.BlobCreated"],
            subject_begins_with=f"/blobServices/default/containers/{args.container}/",
        ),
        delivery_with_resource_identity=eventgrid.DeliveryWithResourceIdentityArgs(
            identity=sender,
            destination=eventgrid.ServiceBusQueueEventSubscriptionDestinationArgs(
                endpoint_type="ServiceBusQueue", resource_id=args.queue_id
            ),
        ),
        dead_letter_with_resource_identity=eventgrid.DeadLetterWithResourceIdentityArgs(
            identity=sender,
            dead_letter_destination=eventgrid.StorageBlobDeadLetterDestinationArgs(
                endpoint_type="StorageBlob", resource_id=args.account_id, blob_container_name=args.undelivered
            ),
        ),
        retry_policy=eventgrid.RetryPolicyArgs(event_time_to_live_in_minutes=1440, max_delivery_attempts=30),
        # Azure tries the delivery identity when the subscription is made.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=rights)),
    )
    receives = assign_role(
        f"{name}-receives-events",
        "Azure Service Bus Data Receiver",
        principal_id=receiver_id,
        scope=args.queue_id,
        site=site,
        opts=opts,
    )
    return topic.id, receives


def _principal(identity: eventgrid.outputs.IdentityInfoResponse | None) -> str:
    if identity is None or not identity.principal_id:
        raise ValueError("Event Grid reports no identity of the system topic: it can't deliver. Look at its state.")
    return identity.principal_id
