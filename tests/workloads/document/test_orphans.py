"""A file that no document knows is removed and told of; whatever has a document stays, however often it is told of."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.workloads.files import MemoryFiles
from tests.workloads.servers import Postgres
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.inbox import AlreadyHandled
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.problems import Problem
from workloads.services.document.models import Document
from workloads.services.document.orphans import STORED, reconcile


class Shelf:
    """A person's files and documents, and what is told of them. handler: of the events that are delivered."""

    handler = staticmethod(reconcile)

    def __init__(self, database: Database, files: MemoryFiles | None = None) -> None:
        self.database, self.files, self.user = database, files or MemoryFiles(), uuid.uuid4()

    def store(self, document: uuid.UUID) -> Event:
        """Writes a file; the event that tells of it."""
        self.files.keep(self.user, document, b"sealed")
        return Event.new("functions", STORED, self.user, {"document_id": str(document)})

    def commit(self, document: uuid.UUID) -> None:
        with self.database.session(self.user) as session:
            session.add(
                Document(
                    id=document, content_index=document.hex, details=b"", kind="application/pdf", size=6,
                    uploaded=clock.now(), transaction_id=None,
                )
            )  # fmt: skip

    def delete(self, document: uuid.UUID) -> None:
        """As a person does it: the file first."""
        self.files.remove(self.user, document)
        with self.database.session(self.user) as session:
            session.delete(session.scalars(select(Document).where(Document.id == document)).one())

    def deliver(self, event: Event) -> None:
        """To the handler, as a consumer does."""
        try:
            self.handler(Handling(event, self.database, SimpleNamespace(files=self.files)))
        except AlreadyHandled:
            return

    @property
    def kept(self) -> set[uuid.UUID]:
        return {document for user, document in self.files.held if user == self.user}

    @property
    def told(self) -> list[Event]:
        with self.database.session() as session:
            mine = select(OutboxEvent.envelope).where(OutboxEvent.key == str(self.user)).order_by(OutboxEvent.sequence)
            return [Event.decode(each) for each in session.scalars(mine)]


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("document", "orphans_document"))
    yield opened
    opened.close()


LIVES = ("orphan", "kept", "deleted before", "deleted after")


@given(
    lives=st.lists(st.sampled_from(LIVES), min_size=1, max_size=4),
    order=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=8),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_orphans_go_once_and_nothing_else_in_whatever_order_and_however_often_files_are_told_of(
    database: Database, lives: list[str], order: list[tuple[int, bool]]
) -> None:
    """order: which file is told of, and whether under an id of its own, as when Event Grid tells twice."""
    shelf, documents = Shelf(database), [uuid.uuid4() for _ in lives]
    events = [shelf.store(each) for each in documents]
    for document, life in zip(documents, lives, strict=True):
        if life != "orphan":
            shelf.commit(document)
        if life == "deleted before":
            shelf.delete(document)
    for index, again in order:
        event = events[index % len(events)]
        shelf.deliver(event.model_copy(update={"id": uuid.uuid4()}) if again else event)
    for document, life in zip(documents, lives, strict=True):
        if life == "deleted after":
            shelf.delete(document)
    for event in events:
        shelf.deliver(event)
    assert shelf.kept == {each for each, life in zip(documents, lives, strict=True) if life == "kept"}
    gone = {str(each) for each, life in zip(documents, lives, strict=True) if life == "orphan"}
    assert sorted(each.data["document_id"] for each in shelf.told) == sorted(gone)
    assert {each.type for each in shelf.told} <= {"document.discarded"}


class Unreachable(MemoryFiles):
    """A storage account that answers no more once it is to remove something."""

    def remove(self, user: uuid.UUID, document: uuid.UUID) -> None:
        raise Problem(503, "files-unreachable", "The file store failed.")


def test_a_removal_that_fails_is_tried_again_and_never_goes_untold(database: Database) -> None:
    shelf, document = Shelf(database, Unreachable()), uuid.uuid4()
    event = shelf.store(document)
    with pytest.raises(Problem):
        shelf.deliver(event)
    assert shelf.kept == {document}
    shelf.files = MemoryFiles(shelf.files.held)
    shelf.deliver(event)
    assert shelf.kept == set()
    assert {each.data["document_id"] for each in shelf.told} == {str(document)}


def test_somebody_elses_file_of_the_same_id_is_not_touched(database: Database) -> None:
    document, files = uuid.uuid4(), MemoryFiles()
    one, other = Shelf(database, files), Shelf(database, files)
    event = one.store(document)
    other.store(document)
    one.deliver(event)
    assert (one.kept, other.kept) == (set(), {document})


@pytest.mark.parametrize("data", [{}, {"document_id": "x"}, {"document_id": None}, {"document_id": 7}])
def test_an_event_that_names_no_document_is_put_aside(database: Database, data: Mapping[str, object]) -> None:
    shelf = Shelf(database)
    with pytest.raises(Unprocessable, match="document_id is malformed"):
        shelf.deliver(Event.new("functions", STORED, shelf.user, dict(data)))
    with pytest.raises(Unprocessable, match="without a subject"):
        shelf.deliver(Event.new("functions", STORED, None, {"document_id": str(uuid.uuid4())}))
