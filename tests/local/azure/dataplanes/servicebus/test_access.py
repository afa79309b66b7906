"""Who gets in: tokens are verified, and roles on namespace, topic, subscription or queue decide."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import (
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusConnectionError,
    ServiceBusError,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.azure.entra.keys import signing_key
from tests.local.azure.dataplanes.servicebus.conftest import OWNER, RECEIVER, SENDER, Bus, body

conforms = pytest.mark.conforms


class Fixed:
    """A credential that gives out one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


def token(bus: Bus, key: RSAKey | None = None, **changes: Any) -> str:
    """The owner's token as Entra issues it, but for what is changed."""
    genuine = bus.owner.credential.get_token("https://servicebus.azure.net/.default").token
    own = signing_key(bus.embedded.instance.azure / "signing-key.pem")
    claims = jwt.decode(genuine, own, algorithms=["RS256"]).claims | changes
    return jwt.encode({"alg": "RS256", "kid": own.kid}, claims, key or own, algorithms=["RS256"])


def send_as(bus: Bus, credential: Any, queue: str) -> None:
    with (
        ServiceBusClient(bus.endpoint, credential, **bus.options) as client,
        client.get_queue_sender(queue) as sender,
    ):
        sender.send_messages(ServiceBusMessage("hello"))


def refused(bus: Bus, credential: Any) -> str:
    """Why the broker took no token of a credential: the SDK's error keeps it within."""
    with pytest.raises(ServiceBusAuthenticationError) as caught:
        send_as(bus, credential, bus.queue())
    inner: Any = caught.value.inner_exception
    assert inner.status_code == 401
    return inner.status_description.decode()


@conforms("tls")
def test_only_a_client_that_trusts_the_instance_gets_as_far_as_a_token(bus: Bus) -> None:
    queue = bus.queue()
    untrusting: dict[str, Any] = {"ssl_context": ssl.create_default_context(), "retry_total": 0}
    with ServiceBusClient(bus.endpoint, bus.owner.credential, **untrusting) as client:
        sender = client.get_queue_sender(queue)
        with pytest.raises(ServiceBusConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            sender.send_messages(ServiceBusMessage("hello"))


@conforms("token-signature")
def test_a_token_of_another_key_is_refused(bus: Bus) -> None:
    forged = token(bus, RSAKey.generate_key(2048))
    assert "invalid" in refused(bus, Fixed(forged))


@conforms("token-claims")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "https://storage.azure.com"}, "wrong audience"),
        ({"iss": "https://sts.windows.net/another/"}, "wrong issuer"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"nbf": 4_000_000_000}, "not valid yet"),
        ({"oid": "00000000-0000-0000-0000-000000000000"}, "No identity"),
    ],
)
def test_a_token_for_something_else_or_another_time_is_refused(bus: Bus, changes: dict[str, Any], why: str) -> None:
    assert why in refused(bus, Fixed(token(bus, **changes)))


@conforms("token-audience-slash")
def test_the_audience_may_end_with_a_slash(bus: Bus) -> None:
    queue = bus.queue()
    send_as(bus, Fixed(token(bus, aud="https://servicebus.azure.net/")), queue)
    assert bus.received(queue) == ["hello"]


@conforms("no-shared-keys")
def test_shared_keys_are_refused(bus: Bus) -> None:
    keyed = AzureNamedKeyCredential("RootManageSharedAccessKey", "c2VjcmV0")
    assert "no namespace here has shared access keys" in refused(bus, keyed)


@conforms("no-role")
def test_an_identity_without_a_role_may_neither_send_nor_receive(bus: Bus) -> None:
    queue, nobody = bus.queue(), bus.embedded.identity()
    with bus.client_of(nobody) as client:
        with pytest.raises(ServiceBusAuthorizationError, match="amqp:unauthorized-access"):
            client.get_queue_sender(queue).send_messages(ServiceBusMessage("hello"))
        with pytest.raises(ServiceBusAuthorizationError, match="amqp:unauthorized-access"):
            client.get_queue_receiver(queue).receive_messages(max_wait_time=10)
        with pytest.raises(ServiceBusAuthorizationError):
            client.get_queue_receiver(queue).peek_messages()


@conforms("roles")
def test_a_sender_only_sends_and_a_receiver_only_receives(bus: Bus) -> None:
    queue = bus.queue()
    scope = bus.entity(queue)
    sender, receiver = bus.embedded.identity((SENDER, scope)), bus.embedded.identity((RECEIVER, scope))
    with bus.client_of(sender) as client:
        client.get_queue_sender(queue).send_messages(ServiceBusMessage("hello"))
        with pytest.raises(ServiceBusAuthorizationError):
            client.get_queue_receiver(queue).receive_messages(max_wait_time=10)
    with bus.client_of(receiver) as client:
        with pytest.raises(ServiceBusAuthorizationError):
            client.get_queue_sender(queue).send_messages(ServiceBusMessage("hello"))
        with client.get_queue_receiver(queue) as link:
            (message,) = link.receive_messages(max_wait_time=5)
            assert body(message) == "hello"
            link.complete_message(message)


@conforms("scopes")
@pytest.mark.parametrize("level", ["group", "namespace", "topic", "subscription"])
def test_a_role_reaches_what_lies_below_its_scope(bus: Bus, level: str) -> None:
    topic = bus.topic()
    bus.subscription(topic, "mine")
    bus.subscription(topic, "other")
    scopes = {
        "group": bus.embedded.group,
        "namespace": bus.namespace.id,
        "topic": bus.entity(topic, "topics"),
        "subscription": f"{bus.entity(topic, 'topics')}/subscriptions/mine",
    }
    identity = bus.embedded.identity((RECEIVER, scopes[level]))
    with bus.client_of(identity) as client:
        client.get_subscription_receiver(topic, "mine").peek_messages()
        other = client.get_subscription_receiver(topic, "other")
        if level == "subscription":
            with pytest.raises(ServiceBusAuthorizationError):
                other.peek_messages()
        else:
            other.peek_messages()


@conforms("management-rights")
def test_the_management_node_asks_for_the_same_rights(bus: Bus) -> None:
    queue = bus.queue()
    sender = bus.embedded.identity((SENDER, bus.entity(queue)))
    with bus.client_of(sender) as client, client.get_queue_sender(queue) as link:
        number = link.schedule_messages(ServiceBusMessage("later"), datetime.now(UTC) + timedelta(days=1))
        link.cancel_scheduled_messages(number)
    receiver = bus.embedded.identity((RECEIVER, bus.entity(queue)))
    with bus.client_of(receiver) as client, client.get_queue_receiver(queue) as link:
        assert link.peek_messages() == []


@conforms("role-revoked")
def test_a_revoked_role_ends_open_links(bus: Bus) -> None:
    queue = bus.queue()
    identity = bus.embedded.identity()
    grant = identity.grant(OWNER, bus.entity(queue))
    with bus.client_of(identity) as client, client.get_queue_sender(queue) as link:
        link.send_messages(ServiceBusMessage("hello"))
        identity.revoke(grant)
        time.sleep(0.5)
        with pytest.raises(ServiceBusError):
            link.send_messages(ServiceBusMessage("hello"))
