"""What differs between a recording and its replay is told by type and property, and no value is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.verification.compare import answers, requests
from tests.verification.exchange import Exchange, keep, kept
from tests.verification.replay import Pair

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"


def exchange(answered: Any, status: int = 200, sent: Any = None) -> Exchange:
    return Exchange("PUT", VAULT, {"api-version": "2024-11-01"}, sent, status, answered)


def differences(there: Any, here: Any, *, status: int = 200) -> list[str]:
    return sorted(answers([Pair(exchange(there), status, here)]))


def test_answers_of_one_form_are_alike_whatever_their_values() -> None:
    there = {"id": VAULT, "properties": {"tags": ["a", "b"], "on": True, "days": 90}}
    assert differences(there, {"id": "/other", "properties": {"tags": ["c"], "on": False, "days": 7}}) == []
    assert answers([Pair(exchange(there, status=201), 200, there)]) == {}


@pytest.mark.parametrize(
    ("here", "told"),
    [
        ({"a": {}}, "a.b (text) is there, not here"),
        ({"a": {"b": "x", "c": 1}}, "a.c (number) is here, not there"),
        ({"a": {"b": 1}}, "a.b is text there, number here"),
    ],
)
def test_a_property_that_one_lacks_or_types_otherwise_is_told(here: Any, told: str) -> None:
    assert differences({"a": {"b": "x"}}, here) == [f"PUT Microsoft.KeyVault/vaults: {told}"]


def test_a_refusal_is_told_by_its_status_alone() -> None:
    assert differences({"a": 1}, {"error": {}}, status=400) == [
        "PUT Microsoft.KeyVault/vaults: status 200 there, 400 here"
    ]


def test_bodies_are_held_against_those_planned_and_no_value_is_shown() -> None:
    planned = [(VAULT.upper(), {"properties": {"sku": "a", "key": "<unknown>", "none": None}})]
    alike = exchange(None, sent={"properties": {"sku": "a", "key": "k"}})
    assert list(requests([alike], planned)) == []
    other = replace(alike, sent={"properties": {"sku": "secret"}})
    assert list(requests([other], planned)) == [f"{VAULT.lower()}.properties.sku: sent is another value than planned"]
    assert list(requests([], planned)) == [f"{VAULT.lower()}: planned, and not sent"]
    assert list(requests([alike], [])) == [f"{VAULT.lower()}: sent, and not planned"]


def test_what_is_known_only_after_deployment_of_an_id_stands_for_anything_once() -> None:
    at = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments"
    sent = [replace(exchange(None, sent={"a": "1"}), path=f"{at}/{each}") for each in ("n", "m")]
    named = (f"{at}/<unknown>", {"a": "1"})
    assert list(requests(sent, [named, named])) == []
    assert list(requests(sent, [named])) == [f"{at.lower()}/m: sent, and not planned"]
    assert list(requests(sent, [named, named, named])) == [f"{at.lower()}/<unknown>: planned, and not sent"]
    assert list(requests(sent, [named, (f"{at}/n", {"a": "2"})])) == [
        f"{at.lower()}/n.a: sent is another value than planned"
    ]


@pytest.mark.parametrize("order", [("reader", "writer"), ("writer", "reader")])
def test_two_that_may_stand_for_each_other_are_told_apart_by_what_they_are_in_whatever_order(
    order: tuple[str, str],
) -> None:
    at = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments"
    sent = [replace(exchange({}, sent={"role": each}), path=f"{at}/{number}") for number, each in enumerate(order)]
    planned = [(f"{at}/<unknown>", {"role": each}) for each in ("reader", "writer")]
    assert list(requests(sent, planned)) == []
    (told,) = requests(sent, [*planned[:1], (f"{at}/<unknown>", {"role": "owner"})])
    assert told.endswith("role: sent is another value than planned")


def test_a_recording_is_for_its_owner_alone_and_read_as_it_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "recording.jsonl"
    keep([exchange({"a": 1})], file)
    assert file.stat().st_mode & 0o077 == 0
    assert list(kept(file)) == [exchange({"a": 1})]
    file.write_text("no\n")
    with pytest.raises(ValueError, match="line 1: no exchange"):
        list(kept(file))
