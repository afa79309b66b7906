"""A bank's list is taken over in as many statements whether it is short or long."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import event

from tests.bench.backend import ledgers
from tests.workloads.servers import Postgres
from workloads.chassis.database import Database


def test_a_list_ten_times_as_long_takes_no_more_statements(server: Postgres) -> None:
    database, statements = Database(server.service_url("transaction", "long_lists")), list[str]()

    def executed(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    def taken_over(rows: int) -> list[str]:
        person = ledgers.Person(uuid.uuid4(), rows, [uuid.uuid4()])
        statements.clear()
        ledgers.take_over(database, person, 0, 1)
        return list(statements)

    taken_over(10)  # connections are open from here on
    event.listen(database.engine, "before_cursor_execute", executed)
    short, long = taken_over(60), taken_over(600)
    database.close()
    assert len(short) <= 15
    assert long == short
