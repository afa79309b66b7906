"""The AMQP engine on a byte stream: TLS is asyncio's, the protocol proton's, and what happens goes to an observer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from proton import Collector, Connection, Delivery, Event, Receiver, Sender, Session, Transport, TransportException

from local.azure.dataplanes.servicebus.framing import LARGEST_FRAME, Frame, Frames, ProtocolError

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 120
_TICK_SECONDS = 30


class Observer(Protocol):
    """What is told of a connection's links."""

    def received(self) -> None:
        """Bytes came that are about to be read."""
        ...

    def attached(self, link: Sender | Receiver) -> None:
        """The peer attached a link; ours is not open yet."""
        ...

    def detached(self, link: Sender | Receiver) -> None:
        """The peer let go of a link, which is nobody's any more afterwards."""
        ...

    def ended(self, session: Session) -> None:
        """The peer ended a session, and all its links with it."""
        ...

    def flowed(self, link: Sender | Receiver) -> None:
        """The peer changed a link's credit."""
        ...

    def delivered(self, delivery: Delivery, message_format: int | None) -> None:
        """A delivery came, or its state changed. message_format: of the transfer that did it, if it was the first."""
        ...

    def lost(self) -> None:
        """The stream is gone, and all links with it."""
        ...


class Engine(asyncio.Protocol):
    """One connection. name: what we call ourselves. observer: makes who is told."""

    def __init__(self, name: str, observer: Callable[[Engine], Observer]) -> None:
        self._frames, self._collector = Frames(), Collector()
        self._connection, self._transport = Connection(), Transport(mode=Transport.SERVER)
        self._connection.container = name
        self._stream: asyncio.Transport | None = None
        self._format: int | None = None
        self._writes = False
        self._ticks: asyncio.TimerHandle | None = None
        self._observer = observer(self)
        self._handlers: Mapping[Any, Callable[[Any], None]] = {
            Event.CONNECTION_REMOTE_OPEN: Connection.open,
            Event.CONNECTION_REMOTE_CLOSE: Connection.close,
            Event.SESSION_REMOTE_OPEN: Session.open,
            Event.SESSION_REMOTE_CLOSE: self._ended,
            Event.LINK_REMOTE_OPEN: self._observer.attached,
            Event.LINK_REMOTE_CLOSE: self._detached,
            Event.LINK_REMOTE_DETACH: self._detached,
            Event.LINK_FLOW: self._observer.flowed,
            Event.DELIVERY: self._delivered,
        }

    @property
    def open(self) -> bool:
        """Whether there is still a peer."""
        return self._stream is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is there: begin with SASL, which lets everyone in; who it is, the token says (CBS)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what asyncio hands to a stream's protocol
        self._stream = transport
        self._connection.collect(self._collector)
        self._transport.max_frame_size = LARGEST_FRAME
        self._transport.idle_timeout = _IDLE_SECONDS
        self._transport.sasl().allowed_mechs("ANONYMOUS")
        self._transport.bind(self._connection)
        self._tick()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._observer.received()
        try:
            for frame in self._frames.feed(data):
                self._push(frame)
        except (ProtocolError, TransportException, OverflowError) as error:
            _LOG.info("a connection ends: %s", error)
            self.close()
            return
        self.output()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone."""
        self._stream = None
        if self._ticks is not None:
            self._ticks.cancel()
        self._observer.lost()
        self._transport.unbind()
        self._connection.free()
        self._collector.release()

    def close(self) -> None:
        """Close the stream."""
        if self._stream is not None:
            self._stream.close()

    def output(self) -> None:
        """Send what proton holds, at the end of this turn of the loop."""
        if not self._writes and self._stream is not None:
            self._writes = True
            asyncio.get_running_loop().call_soon(self._write)

    def _push(self, frame: Frame) -> None:
        self._format, rest = frame.message_format, frame.data
        while rest:
            capacity = self._transport.capacity()
            if capacity <= 0:
                return  # it has seen the end already
            self._transport.push(rest[:capacity])
            rest = rest[capacity:]
            self._dispatch()

    def _dispatch(self) -> None:
        while (event := self._collector.peek()) is not None:
            handler = self._handlers.get(event.type)
            if handler is not None:
                handler(event.context)
            self._collector.pop()

    def _write(self) -> None:
        self._writes = False
        if self._stream is None:
            return
        while (pending := self._transport.pending()) > 0:
            data = self._transport.peek(pending)
            if not data:
                break
            self._stream.write(bytes(data))
            self._transport.pop(len(data))
        self._dispatch()
        if pending < 0:
            self.close()

    def _tick(self) -> None:
        self._transport.tick(time.monotonic())
        self.output()
        self._ticks = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _detached(self, link: Sender | Receiver) -> None:
        self._observer.detached(link)
        link.close()
        link.free()

    def _ended(self, session: Session) -> None:
        self._observer.ended(session)
        session.close()
        session.free()

    def _delivered(self, delivery: Delivery) -> None:
        self._observer.delivered(delivery, self._format)
