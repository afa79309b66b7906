"""The function tells of a stored file as one event, by ids alone, a day later; what it can't read is not taken."""

from __future__ import annotations

import datetime
import json
import logging
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workloads.function_host import deployed, wake
from workloads.chassis.events.catalogue import OWNER
from workloads.chassis.events.envelope import Event
from workloads.functions import function_app, uploads
from workloads.services.document import orphans
from workloads.services.document.files import _name

USER, DOCUMENT = uuid.uuid4(), uuid.uuid4()


def word(**changes: Any) -> dict[str, Any]:
    """What Event Grid says of a blob (learn.microsoft.com/azure/event-grid/event-schema-blob-storage)."""
    return {
        "specversion": "1.0",
        "id": "9aeb0fdf-c01e-0131-0922-9eb54906e209",
        "source": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st",
        "type": "Microsoft.Storage.BlobCreated",
        "subject": f"/blobServices/default/containers/uploads/blobs/{_name(USER, DOCUMENT)}",
        "time": "2026-11-26T22:04:05.1234567Z",
        "data": {"api": "PutBlob", "contentLength": 4, "url": "https://st.example/uploads/x"},
    } | changes


def told(**changes: Any) -> None:
    wake(json.dumps(word(**changes)).encode())


class Bus:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.told: list[tuple[Event, datetime.datetime]] = []

    def publish_at(self, event: Event, due: datetime.datetime) -> None:
        self.told.append((event, due))


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus()
    monkeypatch.setattr(function_app, "bus", lambda: made)
    return made


def test_the_trigger_listens_where_the_platform_says() -> None:
    trigger = deployed().get_trigger()
    assert trigger is not None
    says = json.loads(str(deployed()))["bindings"]
    assert deployed().get_function_name() == "uploads"
    assert [(each["type"], each["queueName"], each["connection"]) for each in says] == [
        ("serviceBusTrigger", "%BlobEventsQueue%", "BlobEvents")
    ]


def test_a_stored_file_is_told_of_once_its_time_of_grace_is_over(bus: Bus) -> None:
    told()
    [(event, due)] = bus.told
    assert (event.type, event.user, event.data) == (orphans.STORED, USER, {"document_id": str(DOCUMENT)})
    assert event.source == "/services/functions"
    assert event.partitionkey == str(USER)
    assert due - event.time == datetime.timedelta(days=1)
    assert Event.decode(event.encode()) == event
    assert OWNER[event.type] == "functions"


def test_the_same_word_delivered_twice_is_the_same_event(bus: Bus) -> None:
    for _ in range(2):
        told()
    assert bus.told[0] == bus.told[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Microsoft.Storage.BlobDeleted"},
        {"subject": f"/blobServices/default/containers/uploads/blobs/{USER}/{DOCUMENT}/x"},
        {"subject": "/blobServices/default/containers/uploads/blobs/anna@example.com/passport.pdf"},
        {"subject": None},
        {"id": "7"},
        {"id": None},
        {"time": "yesterday"},
        {"time": "2026-11-26T22:04:05"},
    ],
)
def test_what_tells_of_no_file_is_refused_and_nothing_of_it_is_repeated(
    bus: Bus, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(uploads.Unreadable) as refused:
        told(**changes)
    assert bus.told == []
    said = f"{refused.value} {caplog.text}"
    assert not [each for each in (str(USER), "anna", "passport", "yesterday") if each in said]


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda e: json.dumps(e).encode())
)
@settings(max_examples=30)
def test_whatever_comes_is_an_event_or_unreadable(body: bytes) -> None:
    with pytest.raises(uploads.Unreadable):
        uploads.told(body)
