"""Who reaches whom in prod: the table holds, and what would break a row is noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from local.commands.plan import Planned
from local.instance import REPOSITORY
from policies.reachability.plan import Plan
from policies.reachability.reach import Reach
from policies.reachability.table import Row, changed, matrix, rows
from tests.captures import Capture

pytestmark = pytest.mark.xdist_group("recording")
ROWS = rows(REPOSITORY / "stacks" / "reachability.yaml")


@pytest.fixture(scope="module")
def prod(captured: Callable[[str], Capture]) -> list[Planned]:
    return captured("prod").plan


def _mutated(resources: list[Planned], row: Row) -> list[Planned]:
    made = list(resources)
    for change in row.mutation:
        kinds = Plan(made).of(change["type"])
        target = next(each for each in kinds if each.name == change["name"])
        inputs = changed(target.inputs, change["path"], _value(made, change["value"]))
        made = [dataclasses.replace(each, inputs=inputs) if each.urn == target.urn else each for each in made]
    return made


def _value(resources: list[Planned], value: object) -> object:
    """A change's value; "<id of TYPE NAME>" stands for the id of a resource."""
    if not (isinstance(value, str) and value.startswith("<id of ")):
        return value
    kind, name = value.removeprefix("<id of ").rstrip(">").split()
    return next(each.id for each in Plan(resources).of(kind) if each.name == name)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_table_holds(prod: list[Planned], row: Row) -> None:
    holds = Reach(Plan(prod)).can(row.actor, row.target) is row.reaches
    if row.open and not holds:
        pytest.xfail(row.open)
    assert holds, row.why


@pytest.mark.parametrize("row", [each for each in ROWS if not each.open], ids=str)
def test_what_would_break_a_row_is_noticed(prod: list[Planned], row: Row) -> None:
    assert row.mutation
    assert Reach(Plan(_mutated(prod, row))).can(row.actor, row.target) is not row.reaches


def test_the_matrix_has_a_line_for_everybody_who_can_start_a_connection(prod: list[Planned]) -> None:
    reach = Reach(Plan(prod))
    assert [each.split()[0] for each in matrix(reach).splitlines()] == reach.actors()
