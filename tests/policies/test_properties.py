"""Reading properties: three-valued logic, kinds that never mix, and nothing that raises or tells a value."""

from __future__ import annotations

import pytest

from policies.properties import Property, Truth, Undecided, every, some
from tests.policies.proxies import UNKNOWN, proxied, secret

YES, NO, OPEN = Truth(True), Truth(False, "no"), Truth(None, "open")


def read(**properties: object) -> Property:
    return Property(proxied(properties))


def test_one_decisive_answer_outweighs_what_is_not_known() -> None:
    assert (NO & OPEN).value is False
    assert (OPEN & NO).value is False
    assert (YES & OPEN).value is None
    assert (OPEN | YES).value is True
    assert (NO | OPEN).value is None
    assert (~OPEN).value is None
    assert (~NO).value is True
    assert every([]).value is True
    assert some([]).value is False


def test_python_s_own_words_give_up_instead_of_guessing() -> None:
    with pytest.raises(Undecided, match="open"):
        bool(OPEN and YES)


def test_kinds_never_mix() -> None:
    it = read(number=1, text="1", flag=True, none=None)
    assert (it["number"] == 1).value is True
    assert (it["number"] == True).value is False  # noqa: E712
    assert (it["flag"] == 1).value is False
    assert (it["text"] == 1).value is False
    assert it["flag"].at_least(0).value is False
    assert it["text"].is_true.value is False
    assert it["none"].absent.value is True


def test_a_path_through_something_else_fails_whatever_is_asked() -> None:
    inside = read(a="text")["a.b.c"]
    for answer in (inside == "x", inside != "x", inside.present, inside.absent, inside.is_false, inside.lacks("x")):
        assert answer.value is False
    assert "inside something of another type" in inside.present.reason


def test_what_is_inside_of_something_unknown_is_unknown() -> None:
    it = read(a=UNKNOWN, items=[UNKNOWN, 2])
    assert it["a.b.c"].present.value is None
    assert it["a"].is_set.value is True
    assert it["items"].some(lambda each: each == 2).value is True
    assert it["items"].every(lambda each: each == 2).value is None
    assert it["items"].every(lambda each: each == 3).value is False
    with pytest.raises(Undecided):
        assert it["a"].text


def test_names_with_dots_are_reached_by_key() -> None:
    assert (read(labels={"app.kubernetes.io/name": "x"})["labels"].key("app.kubernetes.io/name") == "x").value is True


def test_no_reason_tells_a_value() -> None:
    it = read(password=secret("hunter2"), items=[{"x": "hunter2"}])
    asked = (
        it["password"] == "x",
        it["password"].one_of("x"),
        it["password"].at_least(1),
        it["password"].matches("x"),
        it["password"].lacks("hunter"),
        it["password"].unlike(it["password"]),
        it["password"].excludes_ports(22),
        it["items"].every(lambda each: each["x"].absent),
        it.holds_nowhere("hunter"),
    )
    for answer in asked:
        assert answer.value is False
        assert "hunter2" not in answer.reason


@pytest.mark.parametrize(
    ("ports", "clear"),
    [("443", True), ("22", False), ("20-25", False), ("23-24", True), ("*", False), ("0-65535", False), ("ssh", False)],
)
def test_port_ranges_are_understood_or_refused(ports: str, clear: bool) -> None:
    assert read(port=ports)["port"].excludes_ports(22, 3389).value is clear
