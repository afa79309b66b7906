"""Databases with an outbox and an inbox: the transaction service's."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.workloads.servers import Postgres
from workloads.chassis import faults
from workloads.chassis.database import Database

_COUNT = itertools.count()


@pytest.fixture
def database(server: Postgres) -> Iterator[Database]:
    """A fresh one."""
    opened = Database(server.service_url("transaction", f"events_{next(_COUNT)}"))
    yield opened
    opened.close()


@pytest.fixture
def open_again(server: Postgres) -> Iterator[Callable[[Database], Database]]:
    """The same database from another process' side."""
    opened: list[Database] = []

    def another(first: Database) -> Database:
        opened.append(Database(first.url.render_as_string(hide_password=False)))
        return opened[-1]

    yield another
    for each in opened:
        each.close()


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.disarm()
