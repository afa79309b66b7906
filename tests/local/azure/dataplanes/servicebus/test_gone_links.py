"""What a client let go of is not touched any more, whatever still waits for the disk: proton has freed it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from proton import Connection, Delivery, Message, Sender, Session, Transport

from local.azure.dataplanes.servicebus.commits import Commits
from local.azure.dataplanes.servicebus.connection import ClientConnection
from local.azure.dataplanes.servicebus.consumer import Consumer
from local.azure.dataplanes.servicebus.engine import Engine
from local.azure.dataplanes.servicebus.entities import Queue
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.producer import Producer
from local.azure.dataplanes.servicebus.requests import Responses


@pytest.fixture
def accepting() -> Mock:
    """A broker that holds any entity, takes any message, and has a disk."""
    made = Mock(commits=Commits(Mock()))
    made.catalogue.entity.return_value = Mock(spec=Queue, largest=1_000_000)
    return made


def role(kind: type[Any], broker: Mock, link: MagicMock) -> Any:
    if kind is Responses:
        return Responses(broker, link, Mock())
    if kind is Consumer:
        return Consumer(broker, link, Place(Mock(key="queue"), False), Mock(), Mock())
    return Producer(broker, link, Mock(largest=1_000_000), Mock(), Mock())


def asked(made: Any, delivery: MagicMock) -> None:
    """What its client does last, which has to wait for the disk."""
    if isinstance(made, Responses):
        made.send(Message(body="answer"))
    else:
        made.delivery(delivery, 0)


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("kind", [Producer, Consumer, Responses])
async def test_what_waited_for_the_disk_goes_to_nobody_when_the_link_is_gone(
    kind: type[Any], gone: bool, accepting: Mock
) -> None:
    link = MagicMock(credit=1000)
    link.recv.return_value = Message(body="x").encode()
    delivery = MagicMock(
        aborted=False, readable=True, partial=False, updated=True, local_state=0, settled=False,
        remote_state=Delivery.ACCEPTED,
    )  # fmt: skip
    made = role(kind, accepting, link)
    asked(made, delivery)
    if gone:
        made.closed()
    link.reset_mock()
    accepting.commits.flush()
    assert (delivery.update.called or link.stream.called) is not gone
    assert delivery.settle.called is not (gone or kind is Responses)


def test_the_links_of_a_session_are_over_with_it() -> None:
    client = ClientConnection(Mock(), Mock())
    roles = {}
    for name, session in (("one", 1), ("two", 1), ("other", 2)):
        roles[name] = Mock(link=MagicMock(spec=Sender, session=session))
        roles[name].link.name = name
        client.open(roles[name].link, roles[name])
    client.ended(1)  # type: ignore[arg-type]  # all that is asked of a session is whether it is the same
    assert [each.closed.called for each in roles.values()] == [True, True, False]
    assert client.roles == [roles["other"]]


async def test_whoever_ends_a_session_without_a_word_of_its_links_is_noticed() -> None:
    observer, stream = Mock(), Mock()
    engine = Engine("broker", lambda _: observer)
    engine.connection_made(MagicMock(spec=asyncio.Transport, write=stream.write))
    client, transport = Connection(), Transport()
    transport.sasl().allowed_mechs("ANONYMOUS")
    transport.bind(client)
    client.open()
    session = client.session()
    session.open()

    async def talk() -> None:
        for _ in range(5):
            if (pending := transport.pending()) > 0:
                engine.data_received(bytes(transport.peek(pending) or b""))
                transport.pop(pending)
            await asyncio.sleep(0)
            for call in stream.write.call_args_list:
                transport.push(call.args[0])
            stream.write.reset_mock()

    await talk()
    assert not observer.ended.called
    session.close()
    await talk()
    (ended,) = observer.ended.call_args.args
    assert isinstance(ended, Session)
    engine.connection_lost(None)
