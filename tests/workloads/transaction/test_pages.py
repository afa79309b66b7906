"""A page says what its form says though no form is made of its rows, and words are searched for as they are."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator

import pytest
from pydantic_core import to_json

from tests.bench.backend.ledgers import IBANS
from tests.workloads.servers import Postgres
from tests.workloads.transaction.test_sealed_ibans import DAY, KEYS, entry, take
from workloads.chassis.database import Database
from workloads.services.transaction import store
from workloads.services.transaction.forms import ChangeList, ChangeView, TransactionPage, TransactionView, change, shown
from workloads.services.transaction.sealed_ibans import Opener
from workloads.services.transaction.store import Filter

PERSON, OTHER = uuid.uuid4(), uuid.uuid4()
ODD = (
    "100% Bio", "a_b GmbH", "Ab/holung", "[x] Laden", "C:\\Markt", "1000 Bio", "aXb GmbH", "x Laden",
    "Cafe\u0301 M\u00fcller", "CAF\u00c9 2",
)  # fmt: skip


@pytest.fixture(scope="module")
def ledger(server: Postgres) -> Iterator[Database]:
    """The database of two people's ledgers."""
    database = Database(server.service_url("transaction", "pages"))
    iban = {"counterparty_iban": IBANS[0], "remittance": f"von {IBANS[1]}"}
    entries = [entry(number, counterparty=name, **(iban if number % 2 else {})) for number, name in enumerate(ODD)]
    for person in (PERSON, OTHER):
        take(database, person, uuid.uuid4(), entries)
    yield database
    database.close()


def _names(database: Database, wanted: Filter) -> list[str]:
    with database.session(PERSON) as session:
        return [each["counterparty"] for each in store.page(session, wanted, None, 50)[0]]


def test_a_page_and_a_list_of_changes_are_what_their_forms_say(ledger: Database) -> None:
    with ledger.session(PERSON) as session:
        opener, (rows, _) = Opener.of(KEYS, session), store.page(session, Filter(), None, 50)
        page = {"transactions": [shown(each, opener) for each in rows], "next_cursor": None}
        changes = {"changes": [change(each) for each in store.changes(session, 0, 50)], "complete": True}
        one = TransactionView.of(store.get(session, rows[0]["id"]), opener)
    assert len(rows) == len(ODD), "one's own alone"
    assert list(page["transactions"][0]) == list(TransactionView.model_fields)
    assert list(changes["changes"][0]) == list(ChangeView.model_fields)
    assert TransactionPage.model_validate(page, strict=True).model_dump_json().encode() == to_json(page)
    assert ChangeList.model_validate(changes, strict=True).model_dump_json().encode() == to_json(changes)
    assert one.model_dump() == page["transactions"][0]


@pytest.mark.parametrize(
    ("text", "found"),
    [("0% b", "100% Bio"), ("A_B", "a_b GmbH"), ("b/h", "Ab/holung"), ("[X]", "[x] Laden"), ("c:\\m", "C:\\Markt")],
)
def test_a_wildcard_is_searched_for_as_it_is(ledger: Database, text: str, found: str) -> None:
    assert _names(ledger, Filter(text=text)) == [found]


@pytest.mark.parametrize("text", ["café", "CAFE", "Cafe\u0301", "café\0", "  caf"])
def test_accents_and_how_they_are_written_do_not_matter(ledger: Database, text: str) -> None:
    assert _names(ledger, Filter(text=text)) == ["CAF\u00c9 2", "Cafe\u0301 M\u00fcller"]
    assert _names(ledger, Filter(text=f"{text} müller")) == _names(ledger, Filter(text=f"{text} MULLER"))


def test_every_filter_narrows_the_page_alone_and_with_others(ledger: Database) -> None:
    day = [DAY + datetime.timedelta(days=number) for number in range(len(ODD))]
    assert _names(ledger, Filter(date_from=day[6], date_to=day[7])) == ["x Laden", "aXb GmbH"]
    assert _names(ledger, Filter(date_to=day[1])) == ["a_b GmbH", "100% Bio"]
    assert _names(ledger, Filter(minimum=-1000)) == ["100% Bio"]
    assert _names(ledger, Filter(maximum=-1006, text="laden")) == ["x Laden"]
    assert _names(ledger, Filter(account_id=uuid.uuid4())) == []
    assert _names(ledger, Filter(category="groceries")) == []
    assert _names(ledger, Filter(state="deleted")) == []
    assert _names(ledger, Filter(text="gmbh b", date_from=day[2], date_to=day[6], minimum=-1006)) == ["aXb GmbH"]
