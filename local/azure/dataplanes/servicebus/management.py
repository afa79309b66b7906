"""The management node beside an entity: requests with an answer, by operation name.

Source: learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from proton import UNDESCRIBED, Array, Data, int32, timestamp

from local.azure.dataplanes.servicebus import access, clock, conditions
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.entities import Queue, Topic
from local.azure.dataplanes.servicebus.message import MalformedMessage, parse
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.receiving import Outcome, Settlement, encoded
from local.azure.dataplanes.servicebus.session_locks import SessionLock

Body = Mapping[str, Any]
_OUTCOMES = {
    "completed": Outcome.COMPLETE,
    "abandoned": Outcome.ABANDON,
    "defered": Outcome.DEFER,  # as the protocol spells it
    "suspended": Outcome.DEAD_LETTER,
}
_DELETES = 0
"""receiver-settle-mode of receive and delete (AMQP's "first")."""
_MOST_PEEKED = 250
_LARGEST_ANSWER = 1024 * 1024
_NO_FILTER = 253402300800000
"""last-updated-time that asks for every session: the first ms after year 9999."""


class Management:
    """The node of one entity or dead-letter queue, for one connection.

    require: raises Refusal unless an action on an entity is granted.
    """

    def __init__(self, broker: Broker, entity: Topic, dead: bool, require: Callable[..., None]) -> None:
        self._broker, self._key, self._dead, self._require = broker, entity.key, dead, require
        self._operations: Mapping[str, tuple[str, Callable[[Body], Body]]] = {
            "com.microsoft:renew-lock": (access.RECEIVE, self._renew),
            "com.microsoft:update-disposition": (access.RECEIVE, self._settle),
            "com.microsoft:receive-by-sequence-number": (access.RECEIVE, self._receive),
            "com.microsoft:peek-message": (access.RECEIVE, self._peek),
            "com.microsoft:schedule-message": (access.SEND, self._schedule),
            "com.microsoft:cancel-scheduled-message": (access.SEND, self._cancel),
            "com.microsoft:renew-session-lock": (access.RECEIVE, self._renew_session),
            "com.microsoft:get-session-state": (access.RECEIVE, self._session_state),
            "com.microsoft:set-session-state": (access.RECEIVE, self._set_session_state),
            "com.microsoft:get-message-sessions": (access.RECEIVE, self._sessions),
        }

    def answer(self, operation: str, body: Any) -> tuple[int, Body]:
        """HTTP status and body of an answer. Raises Refusal."""
        if operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            raise Refusal(conditions.NOT_IMPLEMENTED, f"The operation {operation!r} is not known; allowed: {known}.")
        right, handler = self._operations[operation]
        self._require(self._entity(), right)
        if not isinstance(body, Mapping):
            raise Refusal(conditions.ARGUMENT, f"{operation} needs a map as its body.")
        try:
            found = handler(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refusal(conditions.ARGUMENT, f"{operation}: {type(error).__name__} {error} in its body.") from None
        return (204 if found == {"messages": []} else 200), found

    def _entity(self) -> Topic:
        found = self._broker.catalogue.entity(self._key)
        if found is None:
            raise Refusal(conditions.NOT_FOUND, "The entity has been deleted.")
        return found

    def _place(self) -> Place:
        found = self._entity()
        if not isinstance(found, Queue):
            raise Refusal(conditions.NOT_ALLOWED, f"{found.path} is a topic: receive from its subscriptions.")
        return Place(found, self._dead)

    def _number(self) -> int:
        entity = self._entity()
        return self._broker.store.entity(entity.key, entity.made)

    # Messages

    def _renew(self, body: Body) -> Body:
        place = self._place()
        ends = [self._broker.receiving.renew(place, _token(each)) for each in _listed(body["lock-tokens"])]
        return {"expirations": _array(Data.TIMESTAMP, map(timestamp, ends))}

    def _settle(self, body: Body) -> Body:
        outcome = _OUTCOMES.get(str(body["disposition-status"]))
        if outcome is None:
            raise ValueError(f"disposition-status {body['disposition-status']!r}; allowed: {', '.join(_OUTCOMES)}")
        settlement = Settlement(outcome, body.get("deadletter-reason"), body.get("deadletter-description"))
        place = self._place()
        for each in _listed(body["lock-tokens"]):
            self._broker.receiving.settle(place, _token(each), settlement)
        return {}

    def _receive(self, body: Body) -> Body:
        place, session = self._place(), body.get("session-id")
        lock = self._session_lock(place, session)
        found = [
            self._broker.receiving.deferred(place, int(each), session) for each in _listed(body["sequence-numbers"])
        ]
        answered: list[Body] = []
        for stored in found:
            if int(body["receiver-settle-mode"]) == _DELETES:
                self._broker.receiving.take(stored)
                answered.append({"message": encoded(stored, None)})
            else:
                token, until = self._broker.receiving.lock(place, stored, lock.until if lock else None)
                answered.append({"lock-token": uuid.UUID(bytes_le=token.encode()), "message": encoded(stored, until)})
        return {"messages": answered}

    def _session_lock(self, place: Place, session: str | None) -> SessionLock | None:
        if not place.sessions:
            return None
        if session is None:
            raise Refusal(conditions.NOT_ALLOWED, f"{place.queue.path} requires sessions: name one.")
        return self._broker.sessions.held(place, session)

    def _peek(self, body: Body) -> Body:
        count, session = min(int(body["message-count"]), _MOST_PEEKED), body.get("session-id")
        first = int(body["from-sequence-number"])
        found, size = [], 0
        self._place()
        for stored in self._broker.store.peek(self._number(), self._dead, first, count, session):
            message = encoded(stored, None)
            size += len(message)
            if found and size > _LARGEST_ANSWER:
                break
            found.append({"message": message})
        return {"messages": found}

    def _schedule(self, body: Body) -> Body:
        entity, publisher = self._entity(), self._broker.publisher
        try:
            messages = [parse(each["message"]) for each in body["messages"]]
        except MalformedMessage as error:
            raise Refusal(conditions.DECODE, str(error)) from None
        for message in messages:
            publisher.check(entity, message)
        numbers = []
        for message in messages:
            due = message.annotations.get("x-opt-scheduled-enqueue-time")
            numbers.append(publisher.schedule(entity, message, int(due or clock.now())) or 0)
        return {"sequence-numbers": _array(Data.LONG, numbers)}

    def _cancel(self, body: Body) -> Body:
        store, entity = self._broker.store, self._number()
        found = [
            (number, store.by_sequence(entity, False, int(number))) for number in _listed(body["sequence-numbers"])
        ]
        for number, stored in found:
            if stored is None or stored.due is None:
                why = f"No scheduled message has sequence number {number} here."
                raise Refusal(conditions.MESSAGE_NOT_FOUND, why)
        for _, stored in found:
            if stored is not None:
                store.remove(stored)
        return {}

    # Sessions

    def _renew_session(self, body: Body) -> Body:
        return {"expiration": timestamp(self._broker.sessions.renew(self._place(), str(body["session-id"])))}

    def _session_state(self, body: Body) -> Body:
        self._broker.sessions.held(self._place(), str(body["session-id"]))
        return {"session-state": self._broker.store.session_state(self._number(), str(body["session-id"]))}

    def _set_session_state(self, body: Body) -> Body:
        place = self._place()
        self._broker.sessions.held(place, str(body["session-id"]))
        state = body.get("session-state")
        if state is not None and len(state) > place.queue.largest:
            raise Refusal(
                conditions.TOO_LARGE, f"A session's state has {len(state)} bytes; {place.queue.largest} are allowed."
            )
        self._broker.store.set_session_state(
            self._number(), str(body["session-id"]), None if state is None else bytes(state), clock.now()
        )
        return {}

    def _sessions(self, body: Body) -> Body:
        place = self._place()
        if not place.sessions:
            raise Refusal(conditions.NOT_ALLOWED, f"{place.queue.path} has no sessions.")
        after, skip, top = int(body["last-updated-time"]), int(body["skip"]), int(body["top"])
        listed = self._broker.store.sessions(self._number(), None if after >= _NO_FILTER else after)
        return {"skip": int32(skip), "sessions-ids": listed[skip : skip + top]}


def _listed(value: Any) -> list[Any]:
    """The elements of an AMQP array or list."""
    return list(value.elements) if isinstance(value, Array) else list(value)


def _array(kind: int, values: Iterable[Any]) -> Array:
    return Array(UNDESCRIBED, kind, *values)  # type: ignore[bad-argument-type]  # proton's own mark for "plain"


def _token(value: Any) -> str:
    """A lock token as the delivery tag that it was; .NET's order of bytes."""
    return (value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))).bytes_le.decode("latin-1")
