"""SQL filters against a plain model of SQL's logic: any expression, any message, the same three truth values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure.dataplanes.servicebus.filters.sql import compiled
from local.azure.dataplanes.servicebus.filters.values import FilterError, Scope, like

NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Node:
    """An expression: its text, and what it is for given properties."""

    text: str
    value: Any

    def __call__(self, properties: dict[str, int]) -> bool | None:
        return self.value(properties)


def _compared(name: str, sign: str, number: int) -> Node:
    signs = {
        "=": lambda x: x == number,
        "<>": lambda x: x != number,
        "<": lambda x: x < number,
        ">=": lambda x: x >= number,
    }
    return Node(f"{name} {sign} {number}", lambda p: signs[sign](p[name]) if name in p else None)


def _in(name: str, numbers: list[int], negated: bool) -> Node:
    word = "NOT IN" if negated else "IN"
    listed = ", ".join(map(str, numbers))
    return Node(f"{name} {word} ({listed})", lambda p: (p[name] in numbers) is not negated if name in p else None)


def _not(inner: Node) -> Node:
    return Node(f"NOT ({inner.text})", lambda p: None if inner(p) is None else not inner(p))


def _and(left: Node, right: Node) -> Node:
    def value(p: dict[str, int]) -> bool | None:
        both = {left(p), right(p)}
        return False if False in both else None if None in both else True

    return Node(f"({left.text} AND {right.text})", value)


def _or(left: Node, right: Node) -> Node:
    def value(p: dict[str, int]) -> bool | None:
        both = {left(p), right(p)}
        return True if True in both else None if None in both else False

    return Node(f"({left.text} or {right.text})", value)


numbers = st.integers(0, 4)
names = st.sampled_from(NAMES)
leaves = st.one_of(
    st.builds(_compared, names, st.sampled_from(["=", "<>", "<", ">="]), numbers),
    st.builds(_in, names, st.lists(numbers, min_size=1, max_size=3), st.booleans()),
    st.builds(lambda name: Node(f"{name} IS NULL", lambda p: name not in p), names),
    st.builds(lambda name: Node(f"EXISTS({name})", lambda p: name in p), names),
)


def _joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(st.builds(_not, inner), st.builds(_and, inner, inner), st.builds(_or, inner, inner))


expressions = st.recursive(leaves, _joined, max_leaves=8)
messages = st.dictionaries(names, numbers)


@given(expressions, messages)
def test_an_expression_has_the_truth_value_that_sql_gives_it(expression: Node, properties: dict[str, int]) -> None:
    assert compiled(expression.text)(Scope(properties, {})) is expression(properties)


@given(st.text("ab%_", max_size=8), st.text("ab%_", max_size=6))
def test_like_matches_as_a_search_letter_by_letter(text: str, pattern: str) -> None:
    def matches(rest: str, wanted: str) -> bool:
        if not wanted:
            return not rest
        if wanted[0] == "%":
            return any(matches(rest[skipped:], wanted[1:]) for skipped in range(len(rest) + 1))
        return bool(rest) and wanted[0] in ("_", rest[0]) and matches(rest[1:], wanted[1:])

    assert like(text, pattern) is matches(text, pattern)


@given(st.text("ab%_", max_size=8))
def test_an_escaped_pattern_matches_the_text_itself(text: str) -> None:
    escaped = "".join("!" + each if each in "%_!" else each for each in text)
    assert like(text, escaped, "!") is True


@given(st.text(st.sampled_from("ab1 ()'=<>%*/+-.,[]\""), max_size=30))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        compiled(text)(Scope({"a": 1}, {}))
    except FilterError:
        return


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2 = 3", True),
        ("-7 % 3 = -1", True),
        ("7.0 / 2 = 3.5", True),
        ("2 + 3 * 4 = 14", True),
        ("'it''s' = [quoted name]", True),
        ('"quoted name" LIKE \'it%\'', True),
        ("user.a = A", True),
        ("p('a') = property('A')", True),
        ("newid() <> newid()", True),
        ("missing + 1 = 1", None),
        ("missing LIKE '%'", None),
        ("TRUE = yes", True),
        ("sys.Label IS NULL", True),
        ("a = 1 AND NOT a = 2 OR missing = 1", True),
    ],
)  # fmt: skip
def test_arithmetic_names_and_functions(expression: str, value: bool | None) -> None:
    scope = Scope({"a": 1, "quoted name": "it's", "yes": True}, {"label": None})
    assert compiled(expression)(scope) is value


@pytest.mark.parametrize("expression", ["a / 0 = 1", "a = 'text'", "a LIKE 'x'", "yes > FALSE", "a + 'x' = 'y'"])
def test_what_has_no_answer_fails_for_the_message(expression: str) -> None:
    with pytest.raises(FilterError):
        compiled(expression)(Scope({"a": 1, "yes": True}, {}))
