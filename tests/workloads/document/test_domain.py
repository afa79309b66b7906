"""What is kept as a document, and which transactions a receipt fits."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from workloads.services.document.domain import Receipt, candidates, file_name, media_type

RECEIPT = Receipt(480, "EUR", datetime.date(2026, 11, 20))


def paid(day: int, minor: int = -480, currency: str = "EUR") -> dict[str, Any]:
    return {"date": f"2026-11-{day:02}", "minor": minor, "currency": currency}


def test_a_receipt_fits_what_was_paid_from_the_day_before_to_a_week_later_the_nearest_first() -> None:
    assert candidates(RECEIPT, [paid(27), paid(28), paid(18), paid(19), paid(20)]) == [paid(20), paid(19), paid(27)]


def test_money_that_came_in_another_amount_or_currency_does_not_fit() -> None:
    assert candidates(RECEIPT, [paid(20, 480), paid(20, -481), paid(20, currency="SEK")]) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg onload='alert(1)'>", None),
        (b"MZ", None),
        (b"", None),
    ],
)
def test_the_content_decides_what_a_file_is(content: bytes, kind: str | None) -> None:
    assert media_type(content) == kind


@pytest.mark.parametrize("encoded", ["", "%20", "a%2Fb", "..%5Cb", "a%00b", "%FF", "a" * 121, "a%0Ab"])
def test_a_name_that_can_not_be_shown_or_leads_elsewhere_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match=r"name|decode"):
        file_name(encoded)


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    assert file_name("Cafe%CC%81.pdf") == file_name("Caf%C3%A9.pdf") == "Café.pdf"
