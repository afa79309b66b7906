"""A list that a bank told before is recognised before it is read: nothing is written, and little is asked."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import event

from tests.workloads.platform import Platform


def test_the_same_list_again_costs_a_query_an_account_and_writes_nothing(platform: Platform) -> None:
    person = f"again-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    platform.synchronise(person)
    second = platform.synchronise(person)  # from here on the bank is asked for the last days alone
    platform.settle()
    statements: list[str] = []

    def executed(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    engine = platform.states["transaction"].database.engine
    event.listen(engine, "before_cursor_execute", executed)
    try:
        third = platform.synchronise(person)
    finally:
        event.remove(engine, "before_cursor_execute", executed)
    assert third == second
    assert {(each["added"], each["updated"], each["removed"]) for each in third["accounts"]} == {(0, 0, 0)}
    asked = [each for each in statements if "synchronised_account" in each or "ledger" in each]
    assert len(asked) == len(third["accounts"])
    assert all(each.startswith("SELECT") for each in asked)
