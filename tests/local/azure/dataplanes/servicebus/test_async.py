"""The SDK's asynchronous clients: the same promises, each line that the synchronous ones are tried with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import AzureError
from azure.identity.aio import ClientSecretCredential
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessagingEntityNotFoundError,
    OperationTimeoutError,
    ServiceBusAuthorizationError,
    SessionCannotBeLockedError,
)

from local.instance import TENANT_ID
from tests.local.azure.dataplanes.conftest import Identity
from tests.local.azure.dataplanes.servicebus.conftest import RECEIVER, Bus, body

conforms = pytest.mark.conforms
DEAD = ServiceBusSubQueue.DEAD_LETTER


def credential(bus: Bus, identity: Identity) -> ClientSecretCredential:
    return ClientSecretCredential(
        TENANT_ID,
        str(identity.principal.client_id),
        identity.secret,
        authority=f"https://{bus.embedded.instance.arm}",
        disable_instance_discovery=True,
        connection_verify=str(bus.embedded.instance.ca_bundle),
    )


@pytest.fixture
async def client(bus: Bus) -> AsyncIterator[ServiceBusClient]:
    async with credential(bus, bus.owner) as owner, bus.async_client(owner) as made:
        yield made


async def send(client: ServiceBusClient, queue: str, *messages: ServiceBusMessage) -> None:
    async with client.get_queue_sender(queue) as sender:
        for each in messages:
            await sender.send_messages(each)


@conforms("complete", "abandon", "defer", "dead-letter", "receive-and-delete")
async def test_every_outcome(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue()
    await send(client, queue, *(ServiceBusMessage(str(number)) for number in range(4)))
    async with client.get_queue_receiver(queue) as receiver:
        (first,) = await receiver.receive_messages(max_wait_time=5)
        await receiver.abandon_message(first)
        (first,) = await receiver.receive_messages(max_wait_time=5)
        assert (body(first), first.delivery_count) == ("0", 1)
        await receiver.complete_message(first)
        (second,) = await receiver.receive_messages(max_wait_time=5)
        await receiver.defer_message(second)
        (third,) = await receiver.receive_messages(max_wait_time=5)
        await receiver.dead_letter_message(third, reason="bad", error_description="very")
        assert second.sequence_number is not None
        (deferred,) = await receiver.receive_deferred_messages(second.sequence_number)
        await receiver.complete_message(deferred)
        with pytest.raises(MessageNotFoundError):
            await receiver.receive_deferred_messages(second.sequence_number)
    async with client.get_queue_receiver(queue, receive_mode="receiveanddelete") as receiver:
        assert [body(each) for each in await receiver.receive_messages(max_wait_time=5)] == ["3"]
    async with client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        (dead,) = await receiver.receive_messages(max_wait_time=5)
        assert (body(dead), dead.dead_letter_reason, dead.dead_letter_error_description) == ("2", "bad", "very")
        await receiver.complete_message(dead)
        assert await receiver.peek_messages(5, sequence_number=1) == []


@pytest.mark.full
@conforms("lock-renewal", "lock-expiry")
async def test_locks_are_renewed_in_the_background_or_run_out(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue(lockDuration="PT3S")
    await send(client, queue, ServiceBusMessage("one"))
    renewer = AutoLockRenewer()
    async with client.get_queue_receiver(queue) as receiver:
        (message,) = await receiver.receive_messages(max_wait_time=5)
        renewer.register(receiver, message, max_lock_renewal_duration=30)
        await asyncio.sleep(4)
        await receiver.abandon_message(message)
        (again,) = await receiver.receive_messages(max_wait_time=5)
        await asyncio.sleep(3.2)
        with pytest.raises(MessageLockLostError):
            await receiver.renew_message_lock(again)
    await renewer.close()


@conforms("schedule", "schedule-cancel", "peek", "batch")
async def test_scheduling_peeking_and_batches(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue()
    async with client.get_queue_sender(queue) as sender, client.get_queue_receiver(queue) as receiver:
        batch = await sender.create_message_batch()
        for number in range(3):
            batch.add_message(ServiceBusMessage(str(number)))
        await sender.send_messages(batch)
        later = datetime.now(UTC) + timedelta(hours=1)
        first, second = await sender.schedule_messages([ServiceBusMessage("x"), ServiceBusMessage("y")], later)
        await sender.cancel_scheduled_messages(first)
        assert [body(each) for each in await receiver.peek_messages(9, sequence_number=1)] == ["0", "1", "2", "y"]
        await sender.cancel_scheduled_messages([second])


@conforms("session-next", "session-lock", "session-state", "session-lock-renewal", "session-next-waits")
async def test_sessions(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue(requiresSession=True)
    await send(client, queue, *(ServiceBusMessage(each, session_id=each[0]) for each in ("a1", "b1", "a2")))
    async with client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION) as receiver:
        assert receiver.session.session_id == "a"
        with pytest.raises(SessionCannotBeLockedError):
            await client.get_queue_receiver(queue, session_id="a").receive_messages(max_wait_time=10)
        await receiver.session.set_state("half")
        assert await receiver.session.get_state() == b"half"
        assert (await receiver.session.renew_lock()) > datetime.now(UTC)
        found = await receiver.receive_messages(2, max_wait_time=5)
        for each in found:
            await receiver.complete_message(each)
        assert [body(each) for each in found] == ["a1", "a2"]
    async with client.get_queue_receiver(queue, session_id="b") as receiver:
        assert [each async for each in client.list_queue_sessions(queue)] == ["a", "b"]
        waiting = client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1)
        with pytest.raises(OperationTimeoutError):
            await waiting.receive_messages()


@conforms("topic-copies", "sql-filter", "order", "prefetch")
async def test_subscriptions_iterated(bus: Bus, client: ServiceBusClient) -> None:
    topic = bus.topic()
    bus.subscription(topic, "even", {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": "number % 2 = 0"}})
    bus.subscription(topic, "all")
    async with client.get_topic_sender(topic) as sender:
        await sender.send_messages(
            [ServiceBusMessage(str(number), application_properties={"number": number}) for number in range(10)]
        )
    for name, step in (("even", 2), ("all", 1)):
        found = []
        async with client.get_subscription_receiver(topic, name, prefetch_count=3, max_wait_time=2) as receiver:
            async for message in receiver:
                found.append(int(body(message)))
                await receiver.complete_message(message)
        assert found == list(range(0, 10, step))


@conforms("no-role", "roles", "entity-missing")
async def test_refusals(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue()
    reader = bus.embedded.identity((RECEIVER, bus.entity(queue)))
    async with credential(bus, reader) as own, bus.async_client(own) as limited:
        with pytest.raises(ServiceBusAuthorizationError):
            await limited.get_queue_sender(queue).send_messages(ServiceBusMessage("x"))
        assert await limited.get_queue_receiver(queue).peek_messages() == []
    with pytest.raises(MessagingEntityNotFoundError):
        await client.get_queue_sender("nowhere").send_messages(ServiceBusMessage("x"))
    with pytest.raises(AzureError):
        await client.get_queue_receiver("nowhere").receive_messages(max_wait_time=10)


@conforms("competing")
async def test_competing_receivers_share_the_messages(bus: Bus, client: ServiceBusClient) -> None:
    queue = bus.queue()
    async with client.get_queue_sender(queue) as sender:
        await sender.send_messages([ServiceBusMessage(str(number)) for number in range(40)])

    async def work() -> list[int]:
        found = []
        async with client.get_queue_receiver(queue, prefetch_count=2) as receiver:
            while some := await receiver.receive_messages(1, max_wait_time=2):
                found += [int(body(each)) for each in some]
                for each in some:
                    await receiver.complete_message(each)
        return found

    shares = await asyncio.gather(*(work() for _ in range(3)))
    assert sorted(number for share in shares for number in share) == list(range(40))
    assert all(shares)
