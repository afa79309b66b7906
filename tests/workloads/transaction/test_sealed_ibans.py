"""No IBAN of a transaction is kept in clear, and its owner sees, finds and matches it as the bank told it."""

from __future__ import annotations

import datetime
import os
import random
import uuid
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from tests.bench.backend.ledgers import IBANS
from tests.workloads.chassis.test_ibans import AROUND, GROUPS
from tests.workloads.servers import Postgres
from workloads.chassis import clock, database_users, migrate
from workloads.chassis.database import Database
from workloads.chassis.database_users import ServiceIdentity
from workloads.chassis.money import Money
from workloads.chassis.tasks import Due
from workloads.chassis.userkeys import Cipher, GivenKeyWrapper, UserKeys
from workloads.services.transaction import domain, earlier, imports, sealed_ibans, store
from workloads.services.transaction.forms import TransactionView
from workloads.services.transaction.models import Transaction
from workloads.services.transaction.sealed_ibans import TEXTS, Hider, Opener

DAY = datetime.date(2026, 11, 2)
ANNA = Cipher(uuid.UUID(int=1), bytes(32))
SPELLED = st.builds(lambda iban, group: group(iban), st.sampled_from(IBANS), GROUPS)
TEXT = st.lists(st.one_of(SPELLED, AROUND, st.text(max_size=5)), max_size=5).map(" ".join)
TOLD = st.fixed_dictionaries(dict.fromkeys(TEXTS, st.one_of(st.none(), TEXT)))


def entry(number: int = 0, **told: Any) -> dict[str, Any]:
    """A transaction as the connector tells it."""
    day = (DAY + datetime.timedelta(days=number)).isoformat()
    base = {
        "status": "booked", "amount": {"minor": -1000 - number, "currency": "EUR"}, "transaction_id": None,
        "entry_reference": None, "booking_date": day, "value_date": day, "counterparty": "Lindenhof",
        "counterparty_iban": None, "counterparty_uk_number": None, "remittance": None,
    }  # fmt: skip
    return base | told


def kept(texts: Mapping[str, str | None], cipher: Cipher = ANNA, iban: str | None = None) -> SimpleNamespace:
    """A row as it is kept."""
    hidden = Hider(cipher).hide(texts, iban)
    return SimpleNamespace(**hidden.texts, ibans=sealed_ibans.seal(cipher, hidden.numbers), index=hidden.index)


def test_a_uk_number_is_sealed_beside_the_text_shown_to_its_owner_and_found(database: Database) -> None:
    user, account, number = uuid.uuid4(), uuid.uuid4(), "20201555555555"
    uk = {"counterparty_uk_number": number, "counterparty": "Water Board", "remittance": f"Rates {number}"}
    take(database, user, account, [entry(0, **uk), entry(1, counterparty_iban=IBANS[0])])
    with database.session(user) as session:
        row = session.scalars(
            select(Transaction).where(Transaction.ibans.is_not(None), Transaction.minor == -1000)
        ).one()
        assert number.encode() not in (row.ibans or b"")
        assert number[6:] not in f"{row.counterparty_index} {row.iban_indexes}"
        shown = TransactionView.of(row, Opener.of(KEYS, session))
    assert (shown.counterparty_uk_number, shown.counterparty_iban) == ("20-20-15 55555555", None)
    assert [each.counterparty for each in found(database, user, "20-20-15 55555555")] == ["Water Board"]
    assert found(database, user, "20-20-15 55555556") == []
    assert [each.counterparty for each in found(database, user, number)] == ["Water Board"], "digits are words of texts"


def clear(text: str | None) -> str:
    return "".join((text or "").split()).replace("-", "").upper()


@given(TOLD, st.one_of(st.none(), SPELLED))
def test_the_owner_sees_what_the_bank_told_and_nobody_else_an_iban(
    texts: dict[str, str | None], iban: str | None
) -> None:
    row = kept(texts, iban=iban)
    for name, length in TEXTS.items():
        text = getattr(row, name)
        assert text is None or len(text) <= length
        assert not [each for each in IBANS if each in clear(text)]
        assert not [each for each in IBANS if each in clear(sealed_ibans.without(text))]
    shown = Opener(lambda: ANNA).texts(vars(row))
    assert shown.counterparty_iban == iban
    for name in ("counterparty", "remittance"):
        told = (texts[name] or "").replace("\x1f", " ").replace("\x1e", " ")
        assert (getattr(shown, name) or "").startswith(told[: TEXTS[name] - 15]), "cut, but not changed"


@given(TOLD, TOLD, st.one_of(st.none(), SPELLED))
def test_the_same_texts_are_known_again_without_being_opened(
    texts: dict[str, str | None], others: dict[str, str | None], iban: str | None
) -> None:
    once, again, other = (
        imports.told_of(entry(counterparty_iban=iban) | each, Hider(ANNA)) for each in (texts, texts, others)
    )  # fmt: skip
    assert once == again
    assert domain.fingerprint(once) == domain.fingerprint(again)
    alike = Hider(ANNA).hide(texts, iban)[:2] == Hider(ANNA).hide(others, iban)[:2]
    assert (once == other) == alike


def test_an_index_is_one_persons_and_the_same_however_the_iban_is_grouped() -> None:
    other = Cipher(uuid.UUID(int=2), os.urandom(32))
    assert sealed_ibans.index(ANNA, "DE89 3704 0044 0532 0130 00") == sealed_ibans.index(ANNA, "de89370400440532013000")
    assert sealed_ibans.index(ANNA, IBANS[0]) != sealed_ibans.index(ANNA, IBANS[1])
    assert sealed_ibans.index(ANNA, IBANS[0]) != sealed_ibans.index(other, IBANS[0])


def test_a_cut_goes_through_no_index() -> None:
    for before in range(100, 141):
        row = kept(dict.fromkeys(TEXTS) | {"counterparty": "x" * before + IBANS[0]})
        assert row.counterparty in {"x" * before + f"\x1f{sealed_ibans.index(ANNA, IBANS[0])}\x1f", "x" * before}
        assert (Opener(lambda: ANNA).texts(vars(row)).counterparty or "").removeprefix("x" * before) in {IBANS[0], ""}


def test_a_number_in_the_names_place_stands_for_the_other_side() -> None:
    assert kept(dict.fromkeys(TEXTS) | {"counterparty": IBANS[3]}).index == sealed_ibans.index(ANNA, IBANS[3])
    assert kept(dict.fromkeys(TEXTS) | {"counterparty": f"an {IBANS[3]}"}).index is None


def test_a_row_without_ibans_asks_for_no_key() -> None:
    def never() -> Cipher:
        raise AssertionError("no key is needed")

    assert Opener(never).texts(vars(kept(dict.fromkeys(TEXTS) | {"counterparty": "Markt"}))).counterparty == "Markt"
    assert Opener(never).sought("markt") == ("markt", [])


KEYS = UserKeys(GivenKeyWrapper(bytes(32)))


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    """A ledger's database."""
    opened = Database(server.service_url("transaction", "sealed_ibans"))
    yield opened
    opened.close()


def take(database: Database, user: uuid.UUID, account: uuid.UUID, entries: list[dict[str, Any]]) -> imports.Imported:
    with database.session(user) as session:
        cipher = KEYS.cipher(session, user)
        hider = Hider(cipher)
        told = [imports.told_of(each, hider) for each in entries]
        listing = imports.Listing(
            account, "aurora", told, DAY, DAY + datetime.timedelta(days=90), covers_pending=True, unreadable=0,
            digest="none", asked=clock.now(), complete=False,
        )  # fmt: skip
        return imports.import_list(session, user, cipher, listing)


def found(database: Database, user: uuid.UUID, text: str | None = None) -> list[sealed_ibans.Texts]:
    with database.session(user) as session:
        opener = Opener.of(KEYS, session)
        words, indexes = opener.sought(text)
        rows, _ = store.page(session, store.Filter(text=words, indexes=indexes), None, 200)
        return [opener.texts(each) for each in rows]


def rows_in_clear(server: Postgres, name: str, ibans: list[str]) -> int:
    patterns = [f"%{each}%" for iban in ibans for each in (iban, iban.encode().hex(), iban[4:])]
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname=name) as owner:
        query = "SELECT count(*) FROM ledger_transaction t WHERE replace(t::text, ' ', '') ILIKE ANY(%s)"
        counted = owner.execute(query, [patterns]).fetchone()
        assert counted
        return counted[0]


@given(st.randoms(use_true_random=False))
def test_lists_that_name_ibans_in_any_order_and_overlap_give_the_same_ledger(draw: random.Random) -> None:
    entries = [
        entry(number % 3, counterparty_iban=draw.choice([None, *IBANS[:3]]),
              remittance=draw.choice(["Miete", f"Miete {IBANS[number % 4]}"]))
        for number in range(12)
    ]  # fmt: skip
    hider = Hider(ANNA)
    told = [imports.told_of(each, hider) for each in entries]
    known = [
        domain.Known(number, key, each.status, each.date or DAY, each)
        for number, (key, each) in enumerate(domain.keyed(told).items())
    ]
    assert len(known) == len(told)
    draw.shuffle(entries)
    assert domain.plan(known, [imports.told_of(each, hider) for each in entries], covers_pending=True).is_empty


def test_what_is_kept_shows_is_found_and_is_recognised(server: Postgres, database: Database) -> None:
    anna, ben, account = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    spelled = " ".join(IBANS[7][i : i + 4] for i in range(0, 22, 4))
    entries = [
        entry(0, counterparty_iban=IBANS[5], remittance=f"Miete von {spelled} danke", transaction_id=f"{IBANS[5]}/1"),
        entry(1, counterparty=IBANS[6], entry_reference=f"E {IBANS[8]}"),
        entry(2, remittance="Kartenzahlung"),
    ]
    assert take(database, anna, account, entries).added == 3
    take(database, ben, uuid.uuid4(), entries)
    assert take(database, anna, account, entries[::-1]).unchanged == 3
    assert rows_in_clear(server, "sealed_ibans", list(IBANS[5:9])) == 0
    shown = {each.remittance or each.counterparty: each for each in found(database, anna)}
    assert set(shown) == {f"Miete von {spelled} danke", IBANS[6], "Kartenzahlung"}
    assert shown[f"Miete von {spelled} danke"].counterparty_iban == IBANS[5]
    for sought, expected in (
        (IBANS[5], 1), (IBANS[7].lower(), 1), (f"miete {spelled}", 1), (IBANS[6], 1), (IBANS[9], 0),
        (f"kartenzahlung {IBANS[5]}", 0), ("miete danke", 1), ("x1f", 0), (IBANS[7][:9], 0),
    ):  # fmt: skip
        assert len(found(database, anna, sought)) == expected, sought


def test_a_ledger_of_before_is_sealed_once_and_its_transactions_stay_the_same(server: Postgres) -> None:
    name, user, account = "sealed_ibans_earlier", uuid.uuid4(), uuid.uuid4()
    entries = [
        entry(0, remittance=f"Miete {IBANS[1]}"), entry(0, remittance=f"Miete {IBANS[1]}"),
        entry(1, transaction_id=f"T {IBANS[2]}"), entry(2),
    ]  # fmt: skip
    server.create(name)
    engine = create_engine(server.url(name))
    config = migrate.configuration("transaction")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.commit()
    in_clear = [
        domain.Told(
            "booked", Money(each["amount"]["minor"], "EUR"), each["transaction_id"], None,
            datetime.date.fromisoformat(each["booking_date"]), datetime.date.fromisoformat(each["value_date"]),
            each["counterparty"], each["remittance"],
        )
        for each in entries
    ]  # fmt: skip
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname=name) as owner:
        owner.execute("INSERT INTO ledger VALUES (%s, 4)", [user])
        for number, (key, each) in enumerate(domain.keyed(in_clear).items()):
            row = {
                "id": uuid.uuid4(), "user_id": user, "account_id": account, "bank": "aurora", "key": key,
                "status": "booked", "state": "listed", "revision": number, "date": each.date,
                "booking_date": each.date, "value_date": each.date, "minor": each.money.minor, "currency": "EUR",
                "counterparty": each.counterparty, "remittance": each.remittance,
                "search": store.folded(each.counterparty, each.remittance), "transaction_id": each.transaction_id,
                "imported": "2026-11-01Z", "changed": "2026-11-01Z",
            }  # fmt: skip
            columns, values = ", ".join(row), ", ".join(["%s"] * len(row))
            owner.execute(f"INSERT INTO ledger_transaction ({columns}) VALUES ({values})", list(row.values()))  # type: ignore[arg-type]  # names of our own
    assert rows_in_clear(server, name, list(IBANS[1:3])) == 3
    with engine.connect() as connection:
        migrate.upgrade(connection, "transaction")
        connection.commit()
        role = ServiceIdentity("sealed", uuid.uuid4(), uuid.uuid4())
        database_users.create(connection, role)
        database_users.grant(connection, role)
        connection.commit()
        assert connection.exec_driver_sql("SELECT kind, subject FROM task").all() == [(earlier.SEAL, user)]
    engine.dispose()
    database = Database(server.url(name, str(role.object_id)))
    app = SimpleNamespace(keys=KEYS)
    earlier.before_a_list(app, database, user)
    assert rows_in_clear(server, name, list(IBANS[1:3])) == 0
    shown = sorted(each.remittance or "" for each in found(database, user))
    assert shown == ["", "", f"Miete {IBANS[1]}", f"Miete {IBANS[1]}"]
    assert take(database, user, account, entries) == imports.Imported(0, 0, 0, unchanged=4)
    assert earlier.seal(Due(user, uuid.UUID(int=0), database, app)) is None, "the task finds nothing left"
    database.close()
