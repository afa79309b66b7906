"""Which role a link gets: a producer's, a consumer's, or one end of a request-response node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from proton import Delivery, Endpoint, Message, Receiver, Sender, symbol

from local.azure.dataplanes.servicebus import access, addressing, conditions
from local.azure.dataplanes.servicebus.access import Gate
from local.azure.dataplanes.servicebus.addressing import CBS
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.catalogue import Namespace
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.consumer import Consumer
from local.azure.dataplanes.servicebus.engine import Engine
from local.azure.dataplanes.servicebus.entities import Queue, Subscription, Topic
from local.azure.dataplanes.servicebus.management import Management
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.producer import Producer
from local.azure.dataplanes.servicebus.requests import AnswerNames, Handler, Requests, Responses
from local.azure.dataplanes.servicebus.session_locks import SessionLock

_SESSION_SECONDS = 60.0
_SESSION_FILTER = symbol("com.microsoft:session-filter")
_TICKS_OF_1970 = 621_355_968_000_000_000
"""100 ns since year 1, .NET's way to tell the time."""
_CBS_NAMES = AnswerNames("status-code", "status-description")
_MANAGEMENT_NAMES = AnswerNames("statusCode", "statusDescription", "errorCondition")


class Role(Protocol):
    """What a link is for."""

    @property
    def link(self) -> Sender | Receiver:
        """The link."""
        ...

    def delivery(self, delivery: Delivery, message_format: int | None) -> None:
        """A delivery came, or its state changed."""
        ...

    def flow(self) -> None:
        """The peer asked for more, or for less."""
        ...

    def closed(self) -> None:
        """The link is gone, and must not be touched again: proton has freed what belongs to it."""
        ...

    def check(self) -> None:
        """Raises Refusal when it must not go on: rights or entity are gone."""
        ...


class Owner(Protocol):
    """The connection whose links these are."""

    @property
    def roles(self) -> list[Role]:
        """The roles of all open links."""
        ...

    def open(self, link: Sender | Receiver, role: Role) -> None:
        """Open our side of a link, for a role."""
        ...

    def refuse(self, link: Sender | Receiver, refused: Refusal) -> None:
        """Close our side of a link, saying why."""
        ...

    def put_token(self, request: Message) -> tuple[int, str, Any]:
        """Verify and keep a token. Raises Refusal."""
        ...


class Attacher:
    """Attaches one connection's links. find: its namespace as it is deployed now."""

    def __init__(
        self, broker: Broker, find: Callable[[], Namespace | None], gate: Gate, engine: Engine, owner: Owner
    ) -> None:
        self._broker, self._find, self._gate = broker, find, gate
        self._engine, self._owner = engine, owner

    def attach(self, link: Sender | Receiver) -> None:
        """Give a link its role. Raises Refusal when it can't have what it asks for."""
        named = (link.remote_source.address if isinstance(link, Sender) else link.remote_target.address) or ""
        address = addressing.parse(named)
        if address.path.lower() == CBS:
            self._node(link, named, self._owner.put_token, _CBS_NAMES)
            return
        entity = self._entity(address.path)
        if address.transfer:
            raise Refusal(conditions.NOT_IMPLEMENTED, "Transfer dead-letter queues are not there: nothing is sent via.")
        if address.management:
            self._gate.require(entity, access.SEND, access.RECEIVE)
            node = Management(self._broker, entity, address.dead, self._gate.require)
            self._node(link, named, partial(_managed, node), _MANAGEMENT_NAMES)
        elif isinstance(link, Sender):
            self._consumer(link, entity, address.dead)
        else:
            self._producer(link, entity, address.dead)

    def _entity(self, path: str) -> Topic:
        namespace = self._find()
        found = namespace.find(path) if namespace else None
        if found is None:
            raise Refusal(conditions.NOT_FOUND, f"The messaging entity '{path}' could not be found.")
        return found

    def _node(self, link: Sender | Receiver, node: str, handler: Handler, names: AnswerNames) -> None:
        if isinstance(link, Sender):
            self._owner.open(link, Responses(self._broker, link, self._engine.output))
            return
        responses = partial(self._responses, link, node.lower())
        requests = Requests(self._broker, link, handler, responses, names, self._engine.output)
        self._owner.open(link, requests)
        requests.opened()

    def _responses(self, requests: Receiver, node: str) -> Responses | None:
        """Where answers to requests go: the link of the same session from the same node."""
        fitting = (
            role
            for role in self._owner.roles
            if isinstance(role, Responses)
            and role.link.session == requests.session
            and (role.link.remote_source.address or "").lower() == node
        )
        return next(fitting, None)

    def _producer(self, link: Receiver, entity: Topic, dead: bool) -> None:
        if dead or isinstance(entity, Subscription):
            raise Refusal(conditions.NOT_ALLOWED, f"Nothing can be sent to {entity.path}: send to its topic or queue.")
        producer = Producer(self._broker, link, entity, self._gate.require, self._engine.output)
        producer.check()
        if not entity.sends:
            raise Refusal(conditions.DISABLED, f"Entity {entity.path} has status {entity.status}.")
        self._owner.open(link, producer)
        producer.opened()

    def _consumer(self, link: Sender, entity: Topic, dead: bool) -> None:
        if not isinstance(entity, Queue):
            raise Refusal(conditions.NOT_ALLOWED, f"{entity.path} is a topic: receive from its subscriptions.")
        place = Place(entity, dead)
        self._gate.require(entity, access.RECEIVE)
        if not entity.receives:
            raise Refusal(conditions.DISABLED, f"Entity {entity.path} has status {entity.status}.")
        if entity.forward and not dead:
            raise Refusal(conditions.NOT_ALLOWED, f"{entity.path} forwards to {entity.forward}: receive from there.")
        wanted = _session_wanted(link)
        if place.sessions != (wanted is not None):
            has = "requires sessions: accept one" if place.sessions else "has no sessions"
            raise Refusal(conditions.NOT_ALLOWED, f"{entity.path} {has}.")
        if wanted is None:
            self._consume(link, place, None)
        elif not self._try_session(link, place, wanted[0]):
            self._await_session(link, place)

    def _consume(self, link: Sender, place: Place, session: SessionLock | None) -> None:
        consumer = Consumer(self._broker, link, place, self._gate.require, self._engine.output, session)
        if session is not None:
            session.holder = consumer
            link.properties = {symbol("com.microsoft:locked-until-utc"): session.until * 10_000 + _TICKS_OF_1970}
        self._owner.open(link, consumer)
        consumer.opened()

    def _try_session(self, link: Sender, place: Place, name: str | None) -> bool:
        """Whether a link could have the named session, or the next. Raises Refusal when another has the named one."""
        lock = self._broker.sessions.accept(place, name)
        if lock is None:
            return False
        link.source.copy(link.remote_source)
        link.source.filter.clear()
        link.source.filter.put_dict({_SESSION_FILTER: lock.session})
        self._consume(link, place, lock)
        return True

    def _await_session(self, link: Sender, place: Place) -> None:
        """Let a link wait for the next session, as long as its client said."""
        given: dict[Any, Any] = link.remote_properties or {}
        milliseconds = given.get(symbol(conditions.TIMEOUT))
        seconds = _SESSION_SECONDS if milliseconds is None else milliseconds / 1000
        over = asyncio.Event()

        def gone() -> bool:
            return over.is_set() or not self._engine.open or not link.state & Endpoint.REMOTE_ACTIVE

        def give_up() -> None:
            if not gone():
                over.set()
                why = f"No session of {place.queue.path} has messages."
                self._owner.refuse(link, Refusal(conditions.TIMEOUT, why))

        def attempt() -> bool:
            if not gone() and self._try_session(link, place, None):
                over.set()
            return gone()

        asyncio.get_running_loop().call_later(seconds, give_up)
        self._broker.await_session(place, attempt)


def _managed(node: Management, request: Message) -> tuple[int, str, Any]:
    given: dict[str, Any] = request.properties or {}
    status, body = node.answer(str(given.get("operation") or ""), request.body)
    return status, "OK", dict(body)


def _session_wanted(link: Sender) -> tuple[str | None] | None:
    """The session that a receiver asks for, in a tuple: None in it is the next one; no tuple, no session."""
    data = link.remote_source.filter
    data.rewind()
    if data.next() is None:
        return None
    filters: Any = data.get_object() or {}
    if _SESSION_FILTER not in filters:
        return None
    value = filters[_SESSION_FILTER]
    return (getattr(value, "value", value),)
