"""The envelope is CloudEvents 1.0, and what is none is refused without repeating what it holds."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.chassis import correlation
from workloads.chassis.events.envelope import Event, Malformed

USER = uuid.uuid4()
DATA = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20) | st.booleans() | st.none())


@given(DATA)
def test_an_event_comes_out_as_it_went_in(data: dict[str, object]) -> None:
    event = Event.new("transaction", "transactions.imported", USER, data)
    assert Event.decode(event.encode()) == event


def test_the_json_has_the_attributes_that_the_specification_requires_and_no_empty_ones() -> None:
    correlation.enter(None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    told = json.loads(Event.new("transaction", "transactions.imported", USER, {"revision": 1}).encode())
    assert told["specversion"] == "1.0"
    assert told["source"] == "/services/transaction"
    assert told["partitionkey"] == told["subject"] == str(USER)
    assert told["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
    assert all(name.isalnum() and name.islower() for name in told), "attribute names, spec section 3.1"
    nobody = json.loads(Event.new("transaction", "transactions.imported", None, {}).encode())
    assert "subject" not in nobody
    assert None not in nobody.values()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "[" * 100_000,
        '{"specversion": "0.3", "id": "DE89370400440532013000"}',
        json.dumps({"specversion": "1.0", "id": str(USER), "source": "/services/x", "type": "DE89370400440532013000",
                    "time": "2026-11-26T05:00:00Z", "data": {}}),
        json.dumps({"specversion": "1.0", "id": str(USER), "source": "/services/x", "type": "a.b",
                    "time": "2026-11-26T05:00:00", "data": {}}),
    ],
    ids=["nothing", "half", "a list", "null", "too deep", "another version", "an IBAN for a type", "a naive time"],
)  # fmt: skip
def test_what_is_no_event_is_refused_by_name_only(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        Event.decode(text)
    assert "DE89370400440532013000" not in str(refused.value)


def test_a_subject_that_is_no_pseudonym_is_refused() -> None:
    event = Event.new("transaction", "transactions.imported", USER, {}).model_copy(update={"subject": "anna"})
    with pytest.raises(Malformed):
        _ = event.user
