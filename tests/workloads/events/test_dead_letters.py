"""The operator's command: what was given up can be listed, looked at and sent again."""

from __future__ import annotations

import uuid

import pytest

from tests.workloads.memory_bus import MemoryBus
from workloads.chassis.events import dead_letters
from workloads.chassis.events.envelope import Event


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> MemoryBus:
    monkeypatch.setenv("SERVICE_BUS_HOST", "sb.example")
    bus = MemoryBus({"budget": ()})
    bus.publish([Event.new("enrichment", "transactions.categorised", uuid.uuid4(), {"facts": []})])
    [delivery] = bus.receiver("budget").receive(1, 0)
    delivery.dead_letter("Unprocessable", "its facts are malformed")
    return bus


def say(bus: MemoryBus, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = dead_letters.main(arguments, open_bus=lambda _: bus)
    return code, capsys.readouterr().out


def test_list_shows_type_and_reason_and_show_the_whole(bus: MemoryBus, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = say(bus, capsys, "list", "budget")
    assert code == 0
    assert told.split()[-4:] == ["transactions.categorised", "1", "attempts", "Unprocessable"]
    assert "its facts are malformed" in say(bus, capsys, "show", "budget", "1")[1]
    assert say(bus, capsys, "list", "forecast")[1] == "forecast has given up nothing.\n"


def test_replay_sends_it_again_once(bus: MemoryBus, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(bus, capsys, "replay", "budget", "1") == (0, "1 is sent again.\n")
    assert len(bus.queues["budget"]) == 1
    code, told = say(bus, capsys, "replay", "budget", "1")
    assert (code, "no dead letter 1" in told) == (1, True)


def test_a_bus_that_is_down_and_a_wrong_command_are_said(
    bus: MemoryBus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.down = True
    code, told = say(bus, capsys, "list", "budget")
    assert (code, told) == (1, "Service Bus does not answer: the bus is down\n")
    with pytest.raises(SystemExit):
        say(bus, capsys, "replay", "budget")
    monkeypatch.delenv("SERVICE_BUS_HOST")
    assert say(bus, capsys, "list", "budget")[0] == 2
