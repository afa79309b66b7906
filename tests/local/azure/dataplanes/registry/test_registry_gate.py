"""A sweep of the storage runs alone, and nothing stalls behind an upload that does not end."""

from __future__ import annotations

import asyncio

import pytest

from local.azure.dataplanes.registry_gate import Gate


async def test_a_sweep_waits_for_writes_and_writes_wait_for_the_sweep() -> None:
    gate, seen = Gate(), list[str]()

    async def write(name: str, seconds: float) -> None:
        async with gate.writing():
            seen.append(f"{name} begins")
            await asyncio.sleep(seconds)
            seen.append(f"{name} ends")

    async def sweep() -> None:
        async with gate.sweeping():
            seen.append("sweep begins")
            await asyncio.sleep(0.02)
            seen.append("sweep ends")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write("early", 0.02))
        await asyncio.sleep(0)
        tasks.create_task(sweep())
        await asyncio.sleep(0.01)
        tasks.create_task(write("late", 0))
    assert seen == ["early begins", "early ends", "sweep begins", "sweep ends", "late begins", "late ends"]


async def test_a_stalled_upload_keeps_nobody_else_from_pushing() -> None:
    gate = Gate(patience=0.01)
    async with gate.writing():
        with pytest.raises(TimeoutError):
            async with gate.sweeping():
                pytest.fail("swept while a write was under way")
        async with asyncio.timeout(1), gate.writing():
            pass
    async with asyncio.timeout(1), gate.sweeping():
        pass
