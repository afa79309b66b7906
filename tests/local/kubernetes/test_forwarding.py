"""Forwarding of Service ports: ends, pace and failures of connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.kubernetes.node.forwarding import Forwarder

_SERVICE, _PODS = "10.121.7.1", ["10.121.7.11", "10.121.7.12"]


class Recorder:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def record(self, regarding: dict[str, Any], kind: str, reason: str, message: str, container: str = "") -> None:
        self.messages.append(f"{kind} {reason} {message}")


class Stage:
    """A forwarder with a Service in front of two backends."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.recorder = Recorder()
        self.forwarder = Forwarder(self.recorder)  # type: ignore[arg-type]  # only record() is used
        self.servers: list[asyncio.Server] = []

    def service(self, **port: Any) -> dict[str, Any]:
        ports = [{"name": "http", "port": self.port, **port}]
        return {"metadata": {"name": "s", "namespace": "n"}, "spec": {"clusterIP": _SERVICE, "ports": ports}}

    def endpoints(self, *addresses: str) -> dict[str, Any]:
        labels = {"kubernetes.io/service-name": "s"}
        endpoints = [{"addresses": [each], "conditions": {"ready": True}} for each in addresses]
        ports = [{"name": "http", "port": self.port}]
        metadata = {"uid": "u", "name": "s-x", "namespace": "n", "labels": labels}
        return {"metadata": metadata, "endpoints": endpoints, "ports": ports}

    async def serve(self, address: str, handler: Any) -> None:
        host = f"127.{address.partition('.')[2]}"
        self.servers.append(await asyncio.start_server(handler, host, self.port))

    async def open(self) -> None:
        self.forwarder.service(self.service(), False)
        await asyncio.gather(*self.forwarder.tasks)
        self.forwarder.slice(self.endpoints(*_PODS), False)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(f"127.{_SERVICE.partition('.')[2]}", self.port)

    async def ask(self) -> bytes:
        reader, writer = await self.connect()
        try:
            return await reader.read()
        finally:
            writer.close()


@pytest.fixture
async def stage(unused_tcp_port: int) -> AsyncIterator[Stage]:
    built = Stage(unused_tcp_port)
    yield built
    await built.forwarder.close()
    for server in built.servers:
        server.close()


def says(text: bytes) -> Any:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        writer.close()

    return handler


async def test_backends_take_turns_and_a_dead_one_is_passed_over(stage: Stage) -> None:
    await stage.serve(_PODS[0], says(b"a"))
    await stage.serve(_PODS[1], says(b"b"))
    await stage.open()
    assert sorted([await stage.ask() for _ in range(4)]) == [b"a", b"a", b"b", b"b"]
    stage.servers[0].close()
    await stage.servers[0].wait_closed()
    assert [await stage.ask() for _ in range(4)] == [b"b"] * 4
    stage.forwarder.slice(stage.endpoints(), False)
    with pytest.raises(ConnectionError):
        await stage.ask()


async def test_half_closed_connections_still_get_their_answer(stage: Stage) -> None:
    async def echo_at_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read()
        writer.write(data[::-1])
        writer.close()

    await stage.serve(_PODS[0], echo_at_end)
    await stage.open()
    reader, writer = await stage.connect()
    writer.write(b"abc" * 100_000)
    writer.write_eof()
    assert await reader.read() == b"cba" * 100_000
    writer.close()


async def test_a_slow_reader_slows_its_sender_down(stage: Stage) -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 200_000_000:
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    await stage.serve(_PODS[0], flood)
    await stage.open()
    _, writer = await stage.connect()
    await asyncio.sleep(0.5)
    assert 0 < sent < 50_000_000
    writer.transport.abort()


async def test_many_connections_at_once(stage: Stage) -> None:
    await stage.serve(_PODS[0], says(b"a"))
    await stage.serve(_PODS[1], says(b"b"))
    await stage.open()
    answers = await asyncio.gather(*(stage.ask() for _ in range(300)))
    assert len(answers) == 300
    assert set(answers) == {b"a", b"b"}


async def test_a_port_that_is_not_tcp_is_refused(stage: Stage) -> None:
    stage.forwarder.service(stage.service(protocol="UDP"), False)
    await asyncio.gather(*stage.forwarder.tasks)
    assert stage.recorder.messages == [
        f"Warning FailedToForward port {stage.port} has protocol UDP; forwarded here: TCP"
    ]
