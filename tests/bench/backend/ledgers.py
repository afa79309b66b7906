"""Ledgers to be read: made-up histories, taken over by the transaction service's own import and categorised."""

from __future__ import annotations

import base64
import datetime
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schwifty import IBAN
from sqlalchemy import select

from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.facts import Fact
from workloads.chassis.userkeys import GivenKeyWrapper, UserKeys
from workloads.services.transaction import imports, sealed_ibans, store
from workloads.services.transaction.models import Transaction

TODAY = datetime.date(2026, 11, 25)
HISTORY_DAYS = 3 * 365
SHOPS = {
    "REWE Markt": "groceries", "Backhaus Sommer": "eating-out", "Verkehrsbetriebe": "transport",
    "Hausverwaltung": "housing", "Stadtwerke": "utilities", "Apotheke": "health", "Hotel Lindner": "travel",
    "Nordwind Software GmbH": "income",
}  # fmt: skip
"""Counterparties and their categories."""
BY_TRANSFER = ("Verkehrsbetriebe", "Hausverwaltung", "Stadtwerke", "Nordwind Software GmbH")
"""Those whose IBAN the bank tells: the others are paid by card."""
IBANS = tuple(str(IBAN.generate("DE", bank_code="37040044", account_code=f"{number:010}")) for number in range(50))
_KEY = bytes(range(32))
DATA_KEY = base64.b64encode(_KEY).decode()
"""What wraps the keys of those who have a ledger."""
_KEYS = UserKeys(GivenKeyWrapper(_KEY))
RARE = "Sternwarte"
"""In one of a thousand counterparties: a search for it reads most of a ledger."""


@dataclass(frozen=True)
class Person:
    """Whose ledger. rows: how many transactions. accounts: that they are spread over."""

    user: uuid.UUID
    rows: int
    accounts: Sequence[uuid.UUID]


def fill(database: Database, person: Person, part: int, parts: int) -> None:
    """Take over and categorise one of several equal parts of a person's history, the oldest first.

    Whoever fills many ledgers goes over all of them part by part: then a ledger's rows lie apart, as they do after
    months of synchronisations, and not side by side.
    """
    take_over(database, person, part, parts)
    with database.session(person.user) as session:
        columns = (
            Transaction.id,
            Transaction.account_id,
            Transaction.date,
            Transaction.minor,
            Transaction.counterparty,
        )
        new = session.execute(select(*columns).where(Transaction.category.is_(None))).all()
        store.categorise(session, [_fact(*row) for row in new])


def take_over(database: Database, person: Person, part: int, parts: int) -> None:
    """Take over a part of a person's history, a list an account."""
    entries = list(_entries(person, part, parts))
    for number, account in enumerate(person.accounts):
        mine = entries[number :: len(person.accounts)]
        dates = [datetime.date.fromisoformat(each["booking_date"]) for each in mine]
        with database.session(person.user) as session:
            cipher = _KEYS.cipher(session, person.user)
            hider = sealed_ibans.Hider(cipher)
            listing = imports.Listing(
                account, "aurora", [imports.told_of(each, hider) for each in mine],
                date_from=min(dates, default=TODAY), date_to=max(dates, default=TODAY),
                covers_pending=False, unreadable=0, digest=f"{part}", asked=clock.now(), complete=False,
            )  # fmt: skip
            imports.import_list(session, person.user, cipher, listing)


def _entries(person: Person, part: int, parts: int) -> Iterator[dict[str, Any]]:
    """As the connector tells them. Of every second transaction an IBAN is told, of every eighth another in its text."""
    draw = random.Random(person.user.int + part)
    for number in range(part * person.rows // parts, (part + 1) * person.rows // parts):
        age = HISTORY_DAYS - 1 - number * HISTORY_DAYS // person.rows
        day, shop = TODAY - datetime.timedelta(days=age), draw.choice(list(SHOPS))
        nth = draw.randrange(len(IBANS))
        name = RARE if draw.random() < 0.001 else f"{shop} {nth}"
        iban = IBANS[nth] if shop in BY_TRANSFER else None
        minor = draw.randrange(1000, 400_000) if SHOPS[shop] == "income" else -draw.randrange(100, 20_000)
        text = f"Kartenzahlung {day:%d.%m.} Beleg {draw.randrange(10**8)}"
        yield {
            "status": "booked", "amount": {"minor": minor, "currency": "EUR"},
            "transaction_id": f"T{person.user}{number}", "entry_reference": None, "booking_date": day.isoformat(),
            "value_date": day.isoformat(), "counterparty": name, "counterparty_iban": iban,
            "counterparty_uk_number": None,
            "remittance": f"{text} von {IBANS[-nth]}" if iban and nth % 4 == 0 else text,
        }  # fmt: skip


def _fact(
    transaction: uuid.UUID, account: uuid.UUID, date: datetime.date, minor: int, counterparty: str | None
) -> Fact:
    category = SHOPS.get((counterparty or "").rpartition(" ")[0], "entertainment")
    return Fact.model_construct(
        id=transaction, version=1, account_id=account, date=date, minor=minor, currency="EUR", status="booked",
        category=category, merchant=None, party="", transfer=False, removed=False,
    )  # fmt: skip
