"""One client's connection to a namespace: its tokens, and a role for each of its links."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proton import Delivery, Endpoint, Message, Receiver, Sender, Session, Terminus

from local.azure.context import Authorizer, Directory
from local.azure.dataplanes.servicebus import conditions
from local.azure.dataplanes.servicebus.access import Gate
from local.azure.dataplanes.servicebus.attaching import Attacher, Role
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.catalogue import Namespace
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.engine import Engine


@dataclass(frozen=True)
class Service:
    """What all connections to a namespace share. find: the namespace as it is deployed now, None when it is gone."""

    broker: Broker
    directory: Directory
    authorizer: Authorizer
    find: Callable[[], Namespace | None]


class ClientConnection:
    """Told by the engine of what the client does."""

    def __init__(self, engine: Engine, service: Service) -> None:
        self._engine, self._broker = engine, service.broker
        self._gate = Gate(service.directory, service.authorizer)
        self._roles: dict[tuple[str, bool], Role] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._attacher = Attacher(service.broker, service.find, self._gate, engine, self)

    def received(self) -> None:
        """Act on what is deployed by now."""
        self._broker.refresh()

    def attached(self, link: Sender | Receiver) -> None:
        """Find out what a link is for, and whether that may be."""
        if not link.state & Endpoint.LOCAL_UNINIT:
            return
        link.snd_settle_mode, link.rcv_settle_mode = link.remote_snd_settle_mode, link.remote_rcv_settle_mode
        try:
            self._attacher.attach(link)
        except Refusal as refused:
            self.refuse(link, refused)

    def detached(self, link: Sender | Receiver) -> None:
        """Its role is over."""
        role = self._roles.pop(_key(link), None)
        if role is not None:
            role.closed()

    def ended(self, session: Session) -> None:
        """The roles of all its links are over."""
        for role in self.roles:
            if role.link.session == session:
                self.detached(role.link)

    def flowed(self, link: Sender | Receiver) -> None:
        """Tell its role."""
        role = self._roles.get(_key(link))
        if role is not None:
            role.flow()

    def delivered(self, delivery: Delivery, message_format: int | None) -> None:
        """Tell its link's role."""
        role = self._roles.get(_key(delivery.link))
        if role is not None:
            role.delivery(delivery, message_format)

    def lost(self) -> None:
        """All roles are over."""
        for timer in self._expiries.values():
            timer.cancel()
        roles, self._roles = list(self._roles.values()), {}
        for role in roles:
            role.closed()

    # What attaching does to the connection

    @property
    def roles(self) -> list[Role]:
        """The roles of all open links."""
        return list(self._roles.values())

    def open(self, link: Sender | Receiver, role: Role) -> None:
        """Open our side of a link, for a role."""
        if link.source.address is None:
            link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        self._roles[_key(link)] = role
        link.open()
        self._engine.output()

    def refuse(self, link: Sender | Receiver, refused: Refusal) -> None:
        """An attach without source and target, then a detach that says why (AMQP 1.0 part 2, 2.6.3)."""
        self.detached(link)
        link.condition = refused.as_amqp()
        if link.state & Endpoint.LOCAL_UNINIT:
            link.source.type = link.target.type = Terminus.UNSPECIFIED
            link.open()
        link.close()
        self._engine.output()

    def put_token(self, request: Message) -> tuple[int, str, Any]:
        """$cbs: verify and keep a token. Raises Refusal."""
        given: dict[str, Any] = request.properties or {}
        if given.get("operation") != "put-token":
            raise Refusal(conditions.NOT_IMPLEMENTED, f"$cbs knows put-token only, not {given.get('operation')!r}.")
        name = str(given.get("name") or "")
        expires = self._gate.put(name, str(given.get("type") or ""), str(request.body or ""))
        self.check()
        if (timer := self._expiries.pop(name, None)) is not None:
            timer.cancel()
        delay = max(0.0, expires - time.time()) + 0.1
        self._expiries[name] = asyncio.get_running_loop().call_later(delay, self.check)
        return 202, "Accepted", None

    def check(self) -> None:
        """End the links whose right or entity is gone."""
        for role in self.roles:
            try:
                role.check()
            except Refusal as refused:
                self.refuse(role.link, refused)


def _key(link: Sender | Receiver) -> tuple[str, bool]:
    return link.name, isinstance(link, Sender)
