"""What people read: in their language whole, and its amounts, dates and reasons as they are written there."""

from __future__ import annotations

from string import Formatter
from typing import Any, get_args

import pytest

from workloads.services.enrichment import domain as enrichment
from workloads.services.notification.domain import KINDS, Reason, reason
from workloads.services.notification.texts import LANGUAGES, language, text
from workloads.services.user import domain as profiles

ABOUT: dict[str, Any] = {
    "percent": 80, "month": "2026-11", "bank": "aurora", "act_by": "2026-12-01", "expected": "2026-11-03",
    "kinds": "bank-timeout", "amount": "1234.50", "currency": "EUR", "category": "eating-out", "count": 1200,
}  # fmt: skip


def names(words: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(words) if name)


def read(kind: Any, spoken: str, **about: Any) -> str:
    """The text, with the no-break spaces of some languages' forms as plain ones."""
    return text(kind, spoken, ABOUT | about)[1].replace("\xa0", " ").replace("\u202f", " ")


def test_people_are_told_in_every_language_that_a_profile_may_name() -> None:
    assert set(LANGUAGES) == set(profiles.LANGUAGES)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_language_has_each_kind_with_the_same_names_and_a_word_for_each_reason_and_category(spoken: str) -> None:
    found, english = language(spoken), language("en")
    assert set(found.kinds) == set(KINDS)
    assert set(found.reasons) == set(get_args(Reason))
    assert set(found.categories) == set(enrichment.categories())
    for kind, told in found.kinds.items():
        assert names(told.title) == names(english.kinds[kind].title), kind
        assert names(told.body) == names(english.kinds[kind].body), kind
        assert (told.locked is None) == (english.kinds[kind].locked is None), kind
        assert not names(told.locked or ""), "it is shown to whoever holds the device"
        assert "{" not in "".join(text(kind, spoken, ABOUT))


@pytest.mark.parametrize(
    ("spoken", "amount", "currency", "shown"),
    [
        ("en", "1234.50", "EUR", "€1,234.50 for eating out"),
        ("de", "1234.50", "EUR", "1.234,50 € für Essen gehen"),
        ("sv", "1234.50", "SEK", "1 234,50 kr för restaurang och kafé"),
        ("fr", "1234.50", "EUR", "1 234,50 € en « restaurants et cafés »"),
        ("en", "5000", "JPY", "JP¥5,000 for"),
        ("de", "12.345", "KWD", "12,345 KWD für"),
        ("de", "12.345", "IQD", "12,345 IQD für"),  # three digits in ISO 4217, none in CLDR
    ],
)
def test_an_amount_is_written_as_its_language_and_its_currency_do(
    spoken: str, amount: str, currency: str, shown: str
) -> None:
    assert read("unusual-spending", spoken, amount=amount, currency=currency).startswith(shown)


@pytest.mark.parametrize(
    ("spoken", "month", "day"),
    [
        ("en", "80% of a budget for November 2026 is spent.", "expected on 3 November 2026 has"),
        ("de", "80 % eines Budgets für November 2026 sind weg.", "für den 3. November 2026 erwartete"),
        ("sv", "80 % av en budget för november 2026 har gått åt.", "väntades den 3 november 2026 har"),
        ("fr", "Vous avez dépensé 80 % d\u2019un budget (novembre 2026).", "attendu le 3 novembre 2026 n\u2019a"),
    ],
)
def test_shares_months_and_days_are_written_as_the_language_does(spoken: str, month: str, day: str) -> None:
    assert read("budget-threshold", spoken) == month
    assert day in read("payment-missed", spoken)


def test_why_accounts_could_not_be_read_is_told_in_words_and_each_reason_once() -> None:
    told = read("sync-failing", "en", kinds="bank-failed, bank-timeout, consent-expired, out-of-memory")
    assert told == (
        "Not every account could be read: a bank is not available right now, a bank connection must be renewed and "
        "something went wrong on our side."
    )
    assert reason("bank-pages-endless") == "answer"


def test_a_category_that_has_no_name_here_is_shown_as_it_is_called() -> None:
    assert " for pets " in read("unusual-spending", "en", category="pets")


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("budget-threshold", {"month": "soon"}),
        ("budget-threshold", {"percent": "x"}),
        ("payment-missed", {"expected": "3"}),
    ],
)
def test_what_no_text_can_be_made_of_is_refused(kind: Any, about: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(kind, "en", **about)
