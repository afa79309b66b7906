"""What kube-proxy does: each Service's address and port on loopback, forwarded to its ready pods."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import struct
from dataclasses import dataclass, field

from local.kubernetes.network import loopback
from local.kubernetes.node.client import Object
from local.kubernetes.node.events import Recorder

_log = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 2.0
_WAIT_FOR_READY_SECONDS = 0.5


@dataclass
class Listener:
    """One Service port: where it listens and whom it forwards to, in turn."""

    address: str
    port: int
    name: str
    service: Object
    server: asyncio.Server | None = None
    backends: list[tuple[str, int]] = field(default_factory=list)
    turn: int = 0
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    def in_turn(self) -> list[tuple[str, int]]:
        """All backends, beginning with the next one."""
        if not self.backends:
            return []
        self.turn = (self.turn + 1) % len(self.backends)
        return self.backends[self.turn :] + self.backends[: self.turn]


class Forwarder:
    """Keeps the listeners as Services and EndpointSlices say."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.listeners: dict[str, dict[str, Listener]] = {}
        self.slices: dict[str, Object] = {}
        self.draining: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.order = asyncio.Lock()

    def service(self, service: Object, gone: bool) -> None:
        """A Service came, changed or went."""
        task = asyncio.get_running_loop().create_task(self._apply(service, gone))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def slice(self, item: Object, gone: bool) -> None:
        """An EndpointSlice came, changed or went."""
        uid = item["metadata"]["uid"]
        if gone:
            self.slices.pop(uid, None)
        else:
            self.slices[uid] = item
        self._route(_owner(item))

    def drain(self, host: str) -> None:
        """Send nothing new to a pod that is about to end; the EndpointSlices say so a little later."""
        self.draining.add(host)
        for name in self.listeners:
            self._route(name)

    def forget(self, host: str) -> None:
        """The pod is gone; its address may be another's one day."""
        self.draining.discard(host)

    async def close(self) -> None:
        """Close every listener."""
        for name in tuple(self.listeners):
            for listener in self.listeners.pop(name).values():
                await _close(listener)

    async def _apply(self, service: Object, gone: bool) -> None:
        async with self.order:  # in the order the changes came
            name = _name(service)
            address = service["spec"].get("clusterIP", "")
            wanted: dict[str, Object] = {}
            if not gone and address not in ("", "None") and name != "default/kubernetes":
                wanted = {f"{address}:{port['port']}:{port.get('name', '')}": port for port in service["spec"]["ports"]}
            present = self.listeners.setdefault(name, {})
            for key in [each for each in present if each not in wanted]:
                await _close(present.pop(key))
            for key, port in wanted.items():
                if key not in present:
                    listener = await self._listen(service, port)
                    if listener is not None:
                        present[key] = listener
            if not present:
                del self.listeners[name]
            self._route(name)

    async def _listen(self, service: Object, port: Object) -> Listener | None:
        address = loopback(service["spec"]["clusterIP"])
        if port.get("protocol", "TCP") != "TCP":
            self._refuse(service, f"port {port['port']} has protocol {port['protocol']}; forwarded here: TCP")
            return None
        listener = Listener(address, port["port"], port.get("name", ""), service)

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(_forward(listener, reader, writer))
            listener.connections.add(task)
            task.add_done_callback(listener.connections.discard)

        try:
            listener.server = await asyncio.start_server(accept, address, port["port"], backlog=512)
        except OSError as problem:
            hint = ""
            if problem.errno == errno.EACCES:
                hint = "; this user may not listen below 1024: give the Service a port from 1024"
            elif problem.errno == errno.EADDRNOTAVAIL:
                hint = f"; add the address to the loopback interface (macOS: sudo ifconfig lo0 alias {address})"
            self._refuse(service, f"can't listen on {address}:{port['port']}: {problem.strerror}{hint}")
            return None
        return listener

    def _refuse(self, service: Object, message: str) -> None:
        regarding = {"kind": "Service", "apiVersion": "v1"} | service
        self.recorder.record(regarding, "Warning", "FailedToForward", message)

    def _route(self, name: str) -> None:
        for listener in self.listeners.get(name, {}).values():
            found = {
                (loopback(address), port["port"])
                for item in self.slices.values()
                if _owner(item) == name
                for port in item.get("ports") or ()
                if (port.get("name") or "") == listener.name
                for endpoint in item.get("endpoints") or ()
                if (endpoint.get("conditions") or {}).get("ready", True)
                for address in endpoint["addresses"]
            }
            listener.backends = sorted(each for each in found if each[0] not in self.draining)


def _name(service: Object) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def _owner(item: Object) -> str:
    labels = item["metadata"].get("labels") or {}
    return f"{item['metadata']['namespace']}/{labels.get('kubernetes.io/service-name', '')}"


async def _close(listener: Listener) -> None:
    if listener.server is not None:
        listener.server.close()
    for task in tuple(listener.connections):
        task.cancel()


async def _forward(listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    backend = await _connect(listener)
    if backend is None:
        _reset(writer)  # as with a Service without endpoints
        return
    upstream, downstream = backend
    try:
        await asyncio.gather(_pipe(reader, downstream), _pipe(upstream, writer))
    except OSError:  # one side broke off: so does the other
        for each in (writer, downstream):
            _reset(each)
    finally:
        for each in (writer, downstream):
            each.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees an error, not an end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _connect(listener: Listener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to a backend: each is tried in turn, and once more after a moment, since a pod that has just
    died is known a little later than it refuses."""
    for wait in (0.0, _WAIT_FOR_READY_SECONDS):
        await asyncio.sleep(wait)
        for host, port in listener.in_turn():
            with contextlib.suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_SECONDS)
    return None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until the end, at the pace of the slower side; the end of one direction leaves the other open."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
