"""What a transaction is: whose word counts first, and what texts tell."""

from __future__ import annotations

import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.services.enrichment import domain
from workloads.services.enrichment.domain import (
    Line,
    PartyWord,
    PersonRule,
    Word,
    categories,
    fold,
    meaning,
    party,
    party_name,
)
from workloads.services.enrichment.forms import RuleRequest

USER = uuid.uuid4()
NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def side(line: Line) -> str:
    found = party(USER, line)
    assert found
    return found


def seen(line: Line, said: Word | None = None) -> tuple[str, str]:
    found = meaning(line, party(USER, line), said or Word())
    return found.category, found.source


@pytest.mark.parametrize(
    ("line", "category"),
    [
        (Line("REWE Markt GmbH", "Danke für Ihren Einkauf", -2310), "groceries"),
        (Line("Backhaus Sommer", "Kartenzahlung", -480), "eating-out"),
        (Line("Stadtbäckerei Lindner", None, -310), "eating-out"),
        (Line("Stadtwerke", "Abschlag Strom", -7400), "utilities"),
        (Line("Nordwind Software GmbH", "Gehalt", 295000), "salary"),
        (Line("Lindenhof Hausverwaltung", "Miete Wohnung 12", -89000), "housing"),
        (Line("SumUp *Café Kosmos", None, -590), "eating-out"),
        (Line("Gasthaus zur Post", None, -3290), "eating-out"),
        (Line("London Books Ltd", None, -1290), "uncategorised"),
        (Line("Finanzamt", "Erstattung Steuer 2025", 41200), "refund"),
        (Line("AMZN Mktp DE*1A2B3C", None, 2499), "refund"),
        (Line(None, None, -100), "uncategorised"),
        (Line(None, None, 100), "income"),
    ],
)
def test_texts_tell_what_it_is(line: Line, category: str) -> None:
    assert seen(line)[0] == category


def test_names_in_other_scripts_tell_parties_apart_and_rules_find_them() -> None:
    names = ["Σκλαβενίτης", "Αττική Οδός", "Лидл България", "Виваком", "מגה", "トヨタ", "Žabka", "Łosoś"]
    lines = [Line(each, None, -500) for each in names]
    assert len({party(USER, each) for each in lines}) == len(names)
    assert party(USER, Line("ΣΚΛΑΒΕΝΊΤΗΣ 4711", None, -100)) == party(USER, lines[0])
    rule = PersonRule((fold("Σκλαβενίτης"),), "groceries", NOON)
    assert [seen(each, Word([rule])) == ("groceries", "rule") for each in lines[:2]] == [True, False]
    assert RuleRequest(words=["Лидл"], category="groceries").words == ["Лидл"]
    with pytest.raises(ValueError, match="more than 200 letters"):
        RuleRequest(words=["\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 30], category="groceries")


def test_the_persons_rule_wins_over_everything_and_the_party_over_knowledge() -> None:
    line = Line("REWE Markt", "Einkauf", -500, transfer=True)
    rule = PersonRule(("rewe",), "children", NOON, most=-100)
    parties = {side(line): PartyWord("charity", NOON - HOUR)}
    assert seen(line, Word([rule], parties)) == ("children", "rule")
    assert seen(line, Word([], parties)) == ("charity", "party")
    assert seen(line) == ("transfer", "transfer")
    assert seen(Line("REWE Markt", "Einkauf", -50), Word([rule])) == ("groceries", "merchant"), "not in its range"


def test_a_word_on_the_party_that_came_after_a_rule_sticks() -> None:
    line = Line("REWE Markt", "Einkauf", -500)
    rules = [PersonRule(("einkauf",), "children", NOON), PersonRule(("rewe",), "sport", NOON - HOUR)]
    for said, found in ((NOON + HOUR, "charity"), (NOON - HOUR / 2, "children")):
        assert seen(line, Word(rules, {side(line): PartyWord("charity", said)}))[0] == found


def test_one_party_is_recognised_whatever_changes_from_one_transaction_to_the_next() -> None:
    names = ("PAYPAL *Spotify 4029357733", "Spotify", "SPOTIFY AB 0123456")
    assert {party_name(each) for each in names} == {"spotify"}
    lines = [Line(each, None, -999) for each in names]
    assert len({party(USER, each) for each in lines}) == 1
    assert party(USER, lines[0]) != party(uuid.uuid4(), lines[0]), "two users' parties tell nothing of each other"
    assert "spotify" not in side(lines[0])


@pytest.mark.parametrize("told", [(None, None), ("", " "), ("GmbH", "4711 0815"), (None, "...")])
def test_of_whom_nothing_is_told_that_stays_is_no_party(told: tuple[str | None, str | None]) -> None:
    assert party(USER, Line(*told, -100)) is None
    assert party(USER, Line(*told, -100, counterparty_index="3f09")) is not None


def test_every_word_and_merchant_names_a_category_that_there_is_and_is_folded() -> None:
    known = categories()
    for name, (_, category) in domain._merchants().items():
        assert category in known
        assert fold(name) == name
        assert len(name.split()) <= 3
    for each in known.values():
        for word in each.words:
            assert fold(word) == word.removeprefix("="), f"{each.slug}: {word}"


@given(st.text(max_size=60), st.text(max_size=60), st.integers(-(10**9), 10**9))
def test_any_text_has_one_category_that_there_is(who: str, what: str, minor: int) -> None:
    category, _ = seen(Line(who, what, minor))
    assert category in categories()
