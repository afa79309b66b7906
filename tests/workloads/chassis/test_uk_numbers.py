"""Sort codes and account numbers are known where they are certain, and nothing else is taken for them."""

from __future__ import annotations

import pytest

from workloads.chassis import uk_numbers


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("20201555555555", "20201555555555"), ("20-20-15 55555555", "20201555555555"),
        ("20 20 15 5555 5555", "20201555555555"), ("2020155555555", None), ("202015555555555", None),
        ("2020155555555A", None), ("٢٠٢٠١٥٥٥٥٥٥٥٥٥", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_fourteen_digits_however_they_are_grouped(told: str | None, number: str | None) -> None:
    assert uk_numbers.read(told) == number


def test_a_gb_iban_holds_one_and_others_do_not() -> None:
    assert uk_numbers.of_iban("GB33BUKB20201555555555") == "20201555555555"
    assert uk_numbers.of_iban("DE89370400440532013000") is None
    assert uk_numbers.of_iban("IE29AIBK93115212345678") is None, "Ireland's sort codes are not the UK's"


def test_in_a_text_they_are_known_as_people_write_them() -> None:
    number = "20201555555555"
    assert uk_numbers.find(f"to {uk_numbers.spelled(number)}, thanks") == [("20-20-15 55555555", number)]
    for other in ("order 20201555555555", "on 2026-11-23 20261123", "20-20-15 555555555", "20-20-15"):
        assert uk_numbers.find(other) == []
