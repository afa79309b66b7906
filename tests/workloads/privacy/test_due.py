"""What a service must have erased: nothing is left out by paging, whatever was answered at the same moment."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator

import pytest

from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.erasure import ROUNDS
from workloads.services.privacy import due
from workloads.services.privacy.models import Erasure, Reply

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("privacy", "due"))
    yield opened
    opened.close()


def erased(database: Database, *, service: str | None, minutes: int = 0, round_: int = ROUNDS) -> uuid.UUID:
    with database.session() as session:
        row = Erasure(subject=uuid.uuid4(), requested=NOW, round=round_, completed=None)
        session.add(row)
        session.flush()
        if service:
            at = NOW + datetime.timedelta(minutes=minutes)
            session.add(Reply(erasure_id=row.id, round=round_, service=service, rows=1, elsewhere=0, at=at))
        return row.id


def test_every_erasure_is_on_one_page_the_unanswered_ones_first_and_then_the_latest(database: Database) -> None:
    answered = [erased(database, service="budget", minutes=each) for each in (0, 1, 1, 1, 2, 3, 3)]
    others = {erased(database, service="consent"), erased(database, service=None)}
    first_round = erased(database, service="budget", round_=1)
    before, pages = None, []
    with database.session() as session:
        while True:
            page = due.page(session, "budget", before, size=2)
            pages.append([each.id for each in page.erasures if each.answered])
            if before is None:
                assert {each.id for each in page.erasures if not each.answered} == {*others, first_round}
            if (before := page.before) is None:
                break
    assert [len(each) for each in pages] == [2, 4, 1]
    assert set(pages[0]) == set(answered[5:])
    assert sorted(each for page in pages for each in page) == sorted(answered)
