"""Topics: who gets a copy, by SQL filters, correlation filters and the default rule; forwarding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.exceptions import ServiceBusError

from local.azure.context import ArmError
from tests.local.azure.dataplanes.servicebus.conftest import Bus, body

conforms = pytest.mark.conforms


def sql(expression: str) -> dict[str, Any]:
    return {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": expression}}


def publish(bus: Bus, topic: str, *messages: ServiceBusMessage) -> None:
    with bus.client.get_topic_sender(topic) as sender:
        sender.send_messages(list(messages))


def taken(bus: Bus, topic: str, subscription: str) -> list[str]:
    """Bodies of what waits there, in order."""
    with bus.client.get_subscription_receiver(topic, subscription) as receiver:
        return [body(each) for each in receiver.peek_messages(20, sequence_number=1)]


@conforms("topic-copies")
def test_each_subscription_gets_its_own_copy(bus: Bus) -> None:
    topic = bus.topic()
    for name in ("one", "two"):
        bus.subscription(topic, name)
    publish(bus, topic, ServiceBusMessage("hello"))
    with bus.client.get_subscription_receiver(topic, "one") as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.complete_message(message)
    assert taken(bus, topic, "one") == []
    assert taken(bus, topic, "two") == ["hello"]


@conforms("sql-filter")
def test_sql_filters_choose_by_system_and_user_properties(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "big", sql("amount > 100 AND currency IN ('EUR', 'GBP')"))
    bus.subscription(topic, "named", sql("sys.Label LIKE 'consent.%' OR EXISTS(urgent)"))
    bus.subscription(topic, "none", sql("1=0"))
    bus.subscription(topic, "unknown", sql("NOT (missing = 1)"))
    publish(
        bus,
        topic,
        ServiceBusMessage("a", application_properties={"amount": 150, "currency": "EUR"}),
        ServiceBusMessage("b", application_properties={"Amount": 50, "currency": "EUR"}),
        ServiceBusMessage("c", subject="consent.granted"),
        ServiceBusMessage("d", application_properties={"urgent": False}),
    )
    assert taken(bus, topic, "big") == ["a"]
    assert taken(bus, topic, "named") == ["c", "d"]
    assert taken(bus, topic, "none") == []
    assert taken(bus, topic, "unknown") == []


@conforms("correlation-filter")
def test_correlation_filters_want_every_named_property_equal(bus: Bus) -> None:
    topic = bus.topic()
    wanted = {"label": "granted", "correlationId": "c1", "properties": {"bank": "aurora"}}
    bus.subscription(topic, "one", {"filterType": "CorrelationFilter", "correlationFilter": wanted})
    properties: dict[Any, Any] = {"bank": "aurora"}
    publish(
        bus,
        topic,
        ServiceBusMessage("all", subject="granted", correlation_id="c1", application_properties=dict(properties)),
        ServiceBusMessage("other id", subject="granted", correlation_id="c2", application_properties=dict(properties)),
        ServiceBusMessage("no property", subject="granted", correlation_id="c1"),
        ServiceBusMessage("no subject", correlation_id="c1", application_properties=dict(properties)),
    )
    assert taken(bus, topic, "one") == ["all"]


@conforms("rules-any")
def test_a_message_that_several_rules_want_comes_once(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "one", sql("a = 1"), sql("b = 1"))
    publish(bus, topic, ServiceBusMessage("both", application_properties={"a": 1, "b": 1}))
    assert taken(bus, topic, "one") == ["both"]


@conforms("default-rule")
def test_a_new_subscription_takes_everything_until_its_default_rule_is_changed(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "one")
    publish(bus, topic, ServiceBusMessage("before"))
    rule = bus.put("topics/subscriptions/rules", f"{topic}/one/$Default", sql("1=0"))
    publish(bus, topic, ServiceBusMessage("after"))
    bus.embedded.delete(rule)
    publish(bus, topic, ServiceBusMessage("without any rule"))
    assert taken(bus, topic, "one") == ["before"]


@conforms("filter-errors")
def test_a_message_that_a_filter_fails_on_becomes_a_dead_letter_where_the_subscription_says_so(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "keeps", sql("amount > 100"), deadLetteringOnFilterEvaluationExceptions=True)
    bus.subscription(topic, "drops", sql("amount > 100"), deadLetteringOnFilterEvaluationExceptions=False)
    publish(bus, topic, ServiceBusMessage("odd", application_properties={"amount": "many"}))
    dead = ServiceBusSubQueue.DEAD_LETTER
    with bus.client.get_subscription_receiver(topic, "keeps", sub_queue=dead) as receiver:
        (found,) = receiver.peek_messages(sequence_number=1)
        assert "can't be compared" in str(found.dead_letter_error_description)
    with bus.client.get_subscription_receiver(topic, "drops", sub_queue=dead) as receiver:
        assert receiver.peek_messages(sequence_number=1) == []


@conforms("rule-refusals")
@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (sql("amount >"), "can't be read"),
        (sql("sys.Nothing = 1"), "sys.Nothing is not known"),
        (sql("upper(a) = 'A'"), "function upper"),
        (sql("1=1") | {"action": {"sqlExpression": "SET a = 1"}}, "rule actions are not done here"),
        ({"filterType": "CorrelationFilter", "correlationFilter": {}}, "names no property"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_when_it_is_deployed(
    bus: Bus, rule: dict[str, Any], why: str
) -> None:
    topic = bus.topic()
    with pytest.raises(ArmError, match=why):
        bus.subscription(topic, "one", rule)


@conforms("topic-schedule")
def test_a_message_scheduled_on_a_topic_is_copied_when_it_is_due(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "one")
    with bus.client.get_topic_sender(topic) as sender, bus.client.get_subscription_receiver(topic, "one") as receiver:
        assert receiver.peek_messages() == []
        sender.schedule_messages(ServiceBusMessage("later"), datetime.now(UTC) + timedelta(seconds=1.5))
        assert receiver.peek_messages() == []
        assert [body(each) for each in receiver.receive_messages(max_wait_time=5)] == ["later"]


@conforms("topic-duplicates")
def test_a_topic_drops_duplicates_for_all_its_subscriptions(bus: Bus) -> None:
    topic = bus.topic(requiresDuplicateDetection=True)
    bus.subscription(topic, "one")
    publish(bus, topic, *(ServiceBusMessage(str(number), message_id="same") for number in range(3)))
    assert taken(bus, topic, "one") == ["0"]


@conforms("topic-receive")
def test_nothing_is_received_from_a_topic_or_sent_to_a_subscription(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "one")
    with pytest.raises(ServiceBusError, match="receive from its subscriptions"):
        bus.client.get_queue_receiver(topic).receive_messages(max_wait_time=10)
    with pytest.raises(ServiceBusError, match="send to its topic"):
        bus.client.get_queue_sender(f"{topic}/Subscriptions/one").send_messages(ServiceBusMessage("x"))


@conforms("forward")
def test_a_queue_forwards_what_it_gets_and_gives_out_nothing_itself(bus: Bus) -> None:
    target = bus.queue()
    topic = bus.topic()
    bus.subscription(topic, "one", forwardTo=target)
    source = bus.queue(forwardTo=topic)
    bus.send(source, ServiceBusMessage("hello"))
    assert bus.received(target, wait=2) == ["hello"]
    with pytest.raises(ServiceBusError, match=f"forwards to {topic}"):
        bus.client.get_queue_receiver(source).receive_messages(max_wait_time=10)


@conforms("forward-hops")
def test_a_circle_of_forwarding_ends_in_a_dead_letter(bus: Bus) -> None:
    queue = bus.queue()
    bus.put("queues", queue, {"forwardTo": queue})
    bus.send(queue, ServiceBusMessage("round"))
    with bus.client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver:
        (dead,) = receiver.receive_messages(max_wait_time=5)
        assert dead.dead_letter_reason == "MaxTransferHopCountExceeded"


@conforms("forward-dead-letters")
def test_dead_letters_are_forwarded_with_their_source(bus: Bus) -> None:
    target = bus.queue()
    queue = bus.queue(forwardDeadLetteredMessagesTo=target)
    bus.send(queue, ServiceBusMessage("bad"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.dead_letter_message(message, reason="unreadable")
    with bus.client.get_queue_receiver(target) as receiver:
        (found,) = receiver.receive_messages(max_wait_time=5)
        assert (found.dead_letter_source, found.dead_letter_reason) == (queue, "unreadable")
        receiver.complete_message(found)
