"""Banks are found by name, country and BIC, and a bank that does not answer is told of."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from schwifty.exceptions import SchwiftyException

from tests.workloads.platform import Platform
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.services.bank_directory.domain import Wanted, bank_of_bic, find, health
from workloads.services.connector.health import HealthBoard, every

BANKS: list[dict[str, Any]] = [
    {"id": "s", "name": "Södermalm Sparbank", "countries": ["SE"], "bic": None},
    {"id": "d", "name": "Deutsche Bank", "countries": ["DE", "ES"], "bic": "DEUTDEFF"},
]
NOW = datetime.datetime(2026, 11, 26, 8, tzinfo=datetime.UTC)


def found(**wanted: str) -> list[str]:
    return [each["id"] for each in find(BANKS, Wanted(**wanted))]


def test_a_search_fits_beginnings_of_words_without_accents() -> None:
    assert found() == ["d", "s"]
    assert found(text="SODER") == ["s"]
    assert found(text="bank deut") == ["d"]
    assert found(text="malm") == []


def test_a_search_fits_country_and_bic_of_any_branch() -> None:
    assert found(country="ES") == ["d"]
    assert found(country="FR") == []
    assert found(bic=bank_of_bic("DEUTDEDB110")) == ["d"]
    assert found(bic=bank_of_bic("deutdeff")) == ["d"]
    assert found(bic=bank_of_bic("COBADEFF")) == []


@pytest.mark.parametrize("text", ["", "DEUT", "DEUTDEF1X", "DEUT12FF", "DEUTXXFF"])
def test_what_is_no_bic_is_refused(text: str) -> None:
    with pytest.raises(SchwiftyException):
        bank_of_bic(text)


def test_a_bank_fails_after_three_failures_in_a_row_and_nothing_is_known_after_a_day() -> None:
    assert health(None, None, NOW) == "unknown"
    assert [health(n, NOW, NOW) for n in (0, 2, 3)] == ["answering", "answering", "failing"]
    assert health(3, NOW - datetime.timedelta(hours=25), NOW) == "unknown"


def test_banks_are_told_with_how_they_do(platform: Platform) -> None:
    person = "looks-for-banks"
    platform.connect(person, "aurora")
    seen = platform.call(person, "bank-directory", "GET", "/banks/aurora")
    assert (seen["health"], seen["name"], seen["psu_id"]) == ("answering", "Aurora Bank", "never")
    database: Database = platform.states["connector"].database
    board = HealthBoard()
    for status in (None, 503, 500):
        with database.session() as session:
            board.tell(session, "deutsche-bank", status)
    wanted = {"text": "deutsche", "country": "DE", "bic": "DEUTDEFF"}
    [failing] = platform.call(person, "bank-directory", "GET", "/banks", params=wanted)
    assert (failing["id"], failing["health"]) == ("deutsche-bank", "failing")
    with database.session() as session:
        board.tell(session, "deutsche-bank", 429)
    [answering] = platform.call(person, "bank-directory", "GET", "/banks", params=wanted)
    assert answering["health"] == "answering", "a bank that refuses does answer"
    platform.call(person, "bank-directory", "GET", "/banks/nowhere", 404)
    platform.call(person, "bank-directory", "GET", "/banks", 422, params={"bic": "nonsense"})


def test_that_a_bank_answers_is_not_written_down_for_every_call(platform: Platform) -> None:
    database: Database = platform.states["connector"].database
    board = HealthBoard()
    with database.session() as session:
        board.tell(session, "borealis", 200)
        first = every(session)["borealis"].called
        session.expire_all()
        board.tell(session, "borealis", 200)
        assert every(session)["borealis"].called == first <= clock.now()
