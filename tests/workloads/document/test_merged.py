"""Receipts of a pending entry are the booked transaction's that the person says it has become."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workloads.document.test_orphans import Shelf
from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.events.consumer import Unprocessable
from workloads.chassis.events.envelope import Event
from workloads.services.document import merged, store


class Receipts(Shelf):
    """A person's receipts, each attached to a transaction."""

    handler = staticmethod(merged.follow)

    def attach(self, document: uuid.UUID, transaction: uuid.UUID | None) -> None:
        with self.database.session(self.user) as session:
            store.attach(session, self.user, document, transaction)

    def of(self, transaction: uuid.UUID | None) -> set[uuid.UUID]:
        with self.database.session(self.user) as session:
            return {each.id for each in store.every(session, None) if each.transaction_id == transaction}

    def amended(self, transaction: uuid.UUID, **more: str) -> Event:
        return Event.new("transaction", merged.AMENDED, self.user, {"id": str(transaction)} | more)


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("document", "merged_document"))
    yield opened
    opened.close()


@given(order=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_receipts_follow_in_whatever_order_and_however_often_it_is_told(
    database: Database, order: Sequence[tuple[int, bool]]
) -> None:
    """order: which of three changes is told of, and whether under an id of its own."""
    mine, (pending, booked, other) = Receipts(database), (uuid.uuid4() for _ in range(3))
    first, second, elsewhere, loose = documents = [uuid.uuid4() for _ in range(4)]
    for document, transaction in zip(documents, (pending, pending, other, None), strict=True):
        mine.commit(document)
        mine.attach(document, transaction)
    events = [mine.amended(booked, formerly=str(pending)), mine.amended(booked), mine.amended(other)]
    for index, again in [*order, (0, False)]:
        event = events[index]
        mine.deliver(event.model_copy(update={"id": uuid.uuid4()}) if again else event)
    assert (mine.of(booked), mine.of(pending)) == ({first, second}, set())
    assert (mine.of(other), mine.of(None)) == ({elsewhere}, {loose})
    told = [each.data["document_id"] for each in mine.told if each.data["transaction_id"] == str(booked)]
    assert sorted(told) == sorted(map(str, (first, second))), "each is told of once"


def test_somebody_elses_receipts_stay_where_they_are(database: Database) -> None:
    one, other, document, pending, booked = (Receipts(database), Receipts(database), *(uuid.uuid4() for _ in range(3)))
    other.commit(document)
    other.attach(document, pending)
    one.deliver(one.amended(booked, formerly=str(pending)))
    assert other.of(pending) == {document}


@pytest.mark.parametrize("formerly", ["x", "", "7"])
def test_an_event_that_names_no_transaction_is_put_aside(database: Database, formerly: str) -> None:
    mine = Receipts(database)
    with pytest.raises(Unprocessable, match="ids are malformed"):
        mine.deliver(mine.amended(uuid.uuid4(), formerly=formerly))
