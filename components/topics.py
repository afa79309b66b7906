"""Topics: makes the topics, subscriptions and queues of a Service Bus namespace, with the rights on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import servicebus

from components.common import Site, assign_role
from components.durations import iso_duration
from components.message_entities import (
    DeliveryArgs,
    FilterArgs,
    QueueArgs,
    SubscriptionArgs,
    TopicArgs,
    rule_inputs,
)

_NOTHING = FilterArgs(sql="1=0")


@dataclass(frozen=True)
class MadeTopic:
    """Resource ids of a topic and, by name, of its subscriptions."""

    topic_id: pulumi.Output[str]
    subscription_ids: Mapping[str, pulumi.Output[str]]


def make_topic(
    label: str,
    topic: str,
    args: TopicArgs,
    namespace: servicebus.Namespace,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> MadeTopic:
    """A topic with its subscriptions. label: its name in Pulumi."""
    made = servicebus.Topic(
        label,
        topic_name=topic,
        namespace_name=namespace.name,
        resource_group_name=site.resource_group,
        default_message_time_to_live=iso_duration(args.time_to_live),
        max_size_in_megabytes=args.size_mb,
        requires_duplicate_detection=args.duplicates is not None,
        duplicate_detection_history_time_window=iso_duration(args.duplicates) if args.duplicates else None,
        opts=opts,
    )
    _grant(label, "Sender", args.senders, made, site, opts)
    subscriptions = {
        subscription: _make_subscription(f"{label}-{subscription}", subscription, each, made, namespace, site, opts)
        for subscription, each in args.subscriptions.items()
    }
    return MadeTopic(made.id, subscriptions)


def make_queue(
    label: str,
    queue: str,
    args: QueueArgs,
    namespace: servicebus.Namespace,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """A queue; answers its resource id. label: its name in Pulumi."""
    made = servicebus.Queue(
        label,
        queue_name=queue,
        namespace_name=namespace.name,
        resource_group_name=site.resource_group,
        max_size_in_megabytes=args.size_mb,
        requires_duplicate_detection=args.duplicates is not None,
        duplicate_detection_history_time_window=iso_duration(args.duplicates) if args.duplicates else None,
        **_delivery(args),
        opts=opts,
    )
    _grant(label, "Sender", args.senders, made, site, opts)
    _grant(label, "Receiver", args.receivers, made, site, opts)
    return made.id


def _make_subscription(
    label: str,
    name: str,
    args: SubscriptionArgs,
    topic: servicebus.Topic,
    namespace: servicebus.Namespace,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    made = servicebus.Subscription(
        label,
        subscription_name=name,
        topic_name=topic.name,
        namespace_name=namespace.name,
        resource_group_name=site.resource_group,
        dead_lettering_on_filter_evaluation_exceptions=True,
        **_delivery(args),
        opts=opts,
    )
    _grant(label, "Receiver", args.receivers, made, site, opts)
    if not args.filters:
        return made.id
    place: dict[str, Any] = {
        "subscription_name": made.name,
        "topic_name": topic.name,
        "namespace_name": namespace.name,
        "resource_group_name": site.resource_group,
        "opts": opts,
    }
    # Azure puts a rule "$Default" on a new subscription that takes every message, and may leave it beside ours
    # (azurerm#20718, #32430): it is made one that takes none, so that only the declared filters decide.
    servicebus.DefaultRule(label, **rule_inputs(_NOTHING), **place)
    for rule, each in args.filters.items():
        servicebus.Rule(f"{label}-{rule}", rule_name=rule, **rule_inputs(each), **place)
    return made.id


def _delivery(args: DeliveryArgs) -> dict[str, Any]:
    return {
        "lock_duration": iso_duration(args.lock),
        "max_delivery_count": args.attempts,
        "default_message_time_to_live": iso_duration(args.time_to_live),
        "dead_lettering_on_message_expiration": True,
        "requires_session": args.sessions,
    }


def _grant(
    label: str,
    right: str,
    principals: Mapping[str, pulumi.Input[str]],
    entity: pulumi.CustomResource,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    for who, principal in principals.items():
        assign_role(
            f"{label}-{who}-{right.lower()}",
            f"Azure Service Bus Data {right}",
            principal_id=principal,
            scope=entity.id,
            site=site,
            opts=opts,
        )
