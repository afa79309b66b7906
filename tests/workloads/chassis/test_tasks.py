"""Tasks: done when due, by one worker, again after a failure, and never lost with a worker."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from tests.workloads.servers import Postgres
from workloads.chassis import clock, tasks
from workloads.chassis.database import Database
from workloads.chassis.tasks import Due, Task, Worker

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("enrichment", "tasks"))
    yield opened
    opened.close()


def plan(database: Database, user: uuid.UUID, kind: str, due: datetime.datetime | None = None) -> None:
    with database.session(user) as session:
        tasks.schedule(session, kind, user, due or clock.now())


def waiting(database: Database, user: uuid.UUID) -> list[Task]:
    with database.session() as session:
        return list(session.scalars(select(Task).where(Task.subject == user)))


def test_a_task_is_done_once_it_is_due_and_not_before(database: Database) -> None:
    done: list[uuid.UUID] = []
    worker = Worker({"once": lambda due: done.append(due.user)}, database, None)
    now, later = uuid.uuid4(), uuid.uuid4()
    plan(database, now, "once")
    plan(database, later, "once", clock.now() + HOUR)
    assert [worker.do_one(), worker.do_one()] == [True, False]
    assert done == [now]
    assert waiting(database, now) == []
    assert len(waiting(database, later)) == 1


def test_a_task_that_recurs_is_due_again_when_its_handler_says(database: Database) -> None:
    user, again = uuid.uuid4(), clock.now() + HOUR
    plan(database, user, "recurs")
    assert Worker({"recurs": lambda _: again}, database, None).do_one()
    assert waiting(database, user)[0].due == again


def test_a_task_that_fails_is_tried_again_later_and_later(database: Database) -> None:
    user = uuid.uuid4()

    def fail(_: Due) -> None:
        raise ConnectionError

    worker = Worker({"fails": fail}, database, None)
    plan(database, user, "fails")
    pauses = []
    for _ in range(3):
        assert worker.do_one()
        [task] = waiting(database, user)
        pauses.append((task.due - clock.now()).total_seconds())
        with database.session() as session:
            session.execute(update(Task).where(Task.subject == user).values(due=clock.now()))
    assert pauses == sorted(pauses)
    assert pauses[0] > 20


@pytest.mark.parametrize("hours", [-2, 2, 24 * 200])
def test_nothing_is_done_by_a_clock_that_the_databases_own_contradicts(
    database: Database, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    user, right = uuid.uuid4(), clock.now
    plan(database, user, "timed", clock.now() - 3 * HOUR)
    worker = Worker({"timed": lambda _: None}, database, None)
    monkeypatch.setattr(clock, "now", lambda: right() + hours * HOUR)
    assert worker.do_one() is False
    assert [each.attempts for each in waiting(database, user)] == [0]
    monkeypatch.setattr(clock, "now", right)
    assert worker.do_one() is True


def test_workers_that_race_do_each_task_once(database: Database) -> None:
    users, done, lock = [uuid.uuid4() for _ in range(20)], [], threading.Lock()

    def do(due: Due) -> None:
        with lock:
            done.append(due.user)

    for user in users:
        plan(database, user, "raced")

    def work() -> None:
        worker = Worker({"raced": do}, database, None)
        while worker.do_one():
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(done) == sorted(users)


def test_a_task_whose_worker_died_is_taken_by_another_after_its_lease(database: Database) -> None:
    user = uuid.uuid4()
    plan(database, user, "leased")
    dying = Worker({"leased": lambda _: None}, database, None)
    assert dying._lease() is not None
    survivor = Worker({"leased": lambda _: None}, database, None)
    assert survivor.do_one() is False
    with database.session() as session:
        session.execute(update(Task).where(Task.subject == user).values(due=clock.now() - HOUR))
    assert survivor.do_one() is True
    assert waiting(database, user) == []


def test_a_task_that_was_moved_while_it_was_done_stays_where_it_was_moved(database: Database) -> None:
    user, moved = uuid.uuid4(), clock.now() + HOUR
    plan(database, user, "moved")
    assert Worker({"moved": lambda due: plan(database, due.user, "moved", moved)}, database, None).do_one()
    assert waiting(database, user)[0].due == moved
