"""Takes over a bank's list: what the domain plans, in few statements however long the list is."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from workloads.chassis import bulk, clock, dialect, ids
from workloads.chassis.money import Money
from workloads.chassis.userkeys import Cipher
from workloads.services.transaction import domain, events, own_accounts, sealed_ibans, store, transfers
from workloads.services.transaction.models import Ledger, MatchSuggestion, Synchronised, Transaction

_COLUMNS = (
    Transaction.sequence, Transaction.key, Transaction.status, Transaction.state, Transaction.date,
    Transaction.booking_date, Transaction.value_date, Transaction.minor, Transaction.currency,
    Transaction.counterparty, Transaction.remittance, Transaction.transaction_id, Transaction.entry_reference,
    Transaction.counterparty_index, Transaction.missing,
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """A bank's list of an account's transactions in a period, both dates included. digest: blind index of all of it.

    asked: when it was asked for. complete: whether every booked transaction of the period should be in it.
    """

    account_id: uuid.UUID
    bank: str
    entries: Sequence[domain.Told]
    date_from: datetime.date
    date_to: datetime.date
    covers_pending: bool
    unreadable: int
    digest: str
    asked: datetime.datetime
    complete: bool

    @cached_property
    def keyed(self) -> dict[str, domain.Told]:
        """The entries by what they are recognised by."""
        return domain.keyed(self.entries)

    @property
    def reaches_back(self) -> datetime.date:
        """The earliest date it can meet: banks tell more than they were asked for, or count days in their own zone."""
        return min([self.date_from, *(each.date for each in self.entries if each.date)])

    def plan(self, known: Sequence[domain.Known]) -> domain.Plan:
        """What it changes. One that could not be read whole withdraws nothing that was booked."""
        proof = domain.Proof(self.date_to, self.asked) if self.complete and not self.unreadable else None
        return domain.plan_keyed(
            known, self.keyed, covers_pending=self.covers_pending, complete_from=self.date_from, proof=proof
        )


@dataclass(frozen=True)
class Imported:
    """What a bank's list changed."""

    added: int
    updated: int
    removed: int
    unchanged: int


def import_list(session: Session, user: uuid.UUID, cipher: Cipher, listing: Listing) -> Imported:
    """Take over a list. A list that tells nothing new writes nothing but what it was, and how far it reached.

    cipher: the user's, by which the entries' IBANs are sealed.
    """
    account_id = listing.account_id
    if listing.plan(_known(session, account_id, listing.reaches_back)).is_empty:
        _read_until(session, user, listing, listing.digest)
        return Imported(0, 0, 0, unchanged=len(listing.keyed))
    # Something is new: look again, now that nobody else can change the ledger.
    head = store.ledger(session, user)
    if _is_overtaken(session, listing):
        return Imported(0, 0, 0, unchanged=len(listing.keyed))
    changes = listing.plan(_known(session, account_id, listing.reaches_back))
    start = head.revision
    accounts = own_accounts.known(session)
    written = partial(_values, account_id=account_id, accounts=accounts, cipher=cipher)
    _withdraw(session, user, head, changes.withdrawals)
    _update(session, user, head, written, changes.updates)
    new = _insert(session, user, head, written, listing, changes.inserts)
    _suggest(session, user, changes.suggestions, new)
    _miss(session, changes, listing.asked)
    own_accounts.pair(session, head, accounts, start)
    # While something is missing, the same list says more the next time.
    _read_until(session, user, listing, None if changes.missing else listing.digest)
    counted = len(changes.inserts), len(changes.updates), len(changes.withdrawals)
    if head.revision != start:
        events.imported(session, user, account_id, head.revision, counted)
    if gone := sum(each.status == "booked" for each in changes.withdrawals):
        events.withdrawn(session, user, account_id, listing.bank, gone)
    return Imported(*counted, unchanged=len(listing.keyed) - counted[0] - counted[1])


def _is_overtaken(session: Session, listing: Listing) -> bool:
    """Whether a list was taken over that was asked for later: what is booked there may still be pending here."""
    at = session.scalar(select(Synchronised.at).where(Synchronised.account_id == listing.account_id))
    return at is not None and listing.asked < at <= clock.now()  # a time to come was told by a clock that was ahead


def _read_until(session: Session, user: uuid.UUID, listing: Listing, digest: str | None) -> None:
    row = {
        "account_id": listing.account_id, "user_id": user, "until": listing.date_to, "at": listing.asked,
        "digest": digest, "entries": len(listing.keyed), "unreadable": listing.unreadable,
    }  # fmt: skip
    taken = ["until", "at", "digest", "entries", "unreadable"]
    dialect.upsert(session, Synchronised, [row], key=["account_id"], update=taken)


def _known(session: Session, account_id: uuid.UUID, date_from: datetime.date) -> list[domain.Known]:
    """Every row that a list from this date can meet: those listed since, and all without a date or pending."""
    since = or_(
        Transaction.date >= date_from, Transaction.value_date >= date_from, Transaction.status == "pending",
        and_(Transaction.booking_date.is_(None), Transaction.value_date.is_(None)),
    )  # fmt: skip
    query = select(*_COLUMNS).where(Transaction.account_id == account_id, since)
    return [_as_known(each) for each in session.execute(query)]


def _as_known(row: Iterable[Any]) -> domain.Known:
    """A row of ``_COLUMNS``. Taken apart at once: to ask it for each column by its name takes ten times as long."""
    (
        sequence, key, status, state, date, booking_date, value_date, minor, currency, counterparty, remittance,
        transaction_id, entry_reference, counterparty_index, missing,
    ) = row  # fmt: skip
    told = domain.Told(
        status, Money(minor, currency), transaction_id, entry_reference, booking_date, value_date, counterparty,
        remittance, counterparty_index,
    )  # fmt: skip
    return domain.Known(sequence, key, status, date, told, state, missing)


def values(told: domain.Told, cipher: Cipher) -> dict[str, Any]:
    """The columns of a transaction's texts, and of the IBANs that were told with them."""
    texts = (told.counterparty, told.remittance, told.transaction_id, told.entry_reference)
    return {
        "counterparty": told.counterparty, "remittance": told.remittance, "transaction_id": told.transaction_id,
        "entry_reference": told.entry_reference, "search": store.searched(told.counterparty, told.remittance),
        "counterparty_index": told.counterparty_index,
        "iban_indexes": sealed_ibans.indexes(told.counterparty_index, texts),
        "ibans": sealed_ibans.seal(cipher, told.numbers),
    }  # fmt: skip


def _values(
    told: domain.Told,
    key: str,
    fallback: datetime.date,
    *,
    account_id: uuid.UUID,
    accounts: transfers.Accounts,
    cipher: Cipher,
) -> dict[str, Any]:
    return values(told, cipher) | {
        "with_own": transfers.with_own(account_id, told.counterparty_index, accounts),
        "key": key, "status": told.status, "date": told.date or fallback, "booking_date": told.booking_date,
        "value_date": told.value_date, "minor": told.money.minor, "currency": told.money.currency,
    }  # fmt: skip


_Written = Callable[[domain.Told, str, datetime.date], dict[str, Any]]
"""The columns of a transaction. Of: what was told, its key, and the date it has where none is told."""


def _withdraw(session: Session, user: uuid.UUID, head: Ledger, gone: Sequence[domain.Known]) -> None:
    now = clock.now()
    rows = [
        {"sequence": each.row, "state": "withdrawn", "revision": store.next_revision(head), "changed": now}
        for each in gone
    ]
    bulk.update_many(session, Transaction, "sequence", rows)
    for each in _identified(session, [row["sequence"] for row in rows]):
        events.removed(session, user, each)


def _miss(session: Session, changes: domain.Plan, asked: datetime.datetime) -> None:
    """Remember what the list lacks, and forget that it was missing where it is told again. Nobody else is told."""
    rows = [{"sequence": each.row, "missing": asked} for each in changes.missing if each.missing is None]
    rows += [{"sequence": each.row, "missing": None} for each in changes.found]
    bulk.update_many(session, Transaction, "sequence", rows)


def _update(
    session: Session,
    user: uuid.UUID,
    head: Ledger,
    written: _Written,
    updates: Sequence[tuple[domain.Known, str, domain.Told]],
) -> None:
    now, rows = clock.now(), []
    for known, key, told in updates:
        state = "deleted" if known.state == "deleted" else "listed"
        row = {"sequence": known.row, "state": state, "revision": store.next_revision(head), "changed": now}
        rows.append(row | {"missing": None} | written(told, key, known.date))
    bulk.update_many(session, Transaction, "sequence", rows)
    booked = {known.row for known, _, told in updates if known.status == "pending" and told.status == "booked"}
    for each in _identified(session, [known.row for known, _, _ in updates]):
        (events.booked if each.sequence in booked else events.amended)(session, user, each)


def _identified(session: Session, sequences: Sequence[int]) -> list[Transaction]:
    found: list[Transaction] = []
    for start in range(0, len(sequences), 500):
        some = select(Transaction).where(Transaction.sequence.in_(sequences[start : start + 500]))
        found += session.scalars(some, execution_options={"populate_existing": True})
    return found


def _insert(
    session: Session,
    user: uuid.UUID,
    head: Ledger,
    written: _Written,
    listing: Listing,
    inserts: Sequence[tuple[str, domain.Told]],
) -> dict[str, uuid.UUID]:
    """Insert, oldest first: the sequence then orders the transactions of one date as they were told."""
    now, rows = clock.now(), []
    for key, told in sorted(inserts, key=lambda each: (each[1].date or listing.date_to, each[0])):
        row = {
            "id": ids.new_id(), "user_id": user, "account_id": listing.account_id, "bank": listing.bank,
            "state": "listed", "revision": store.next_revision(head), "category": None, "merchant": None,
            "category_version": 0, "transfer_id": None, "formerly": None, "imported": now, "changed": now,
        }  # fmt: skip
        rows.append(row | written(told, key, listing.date_to))
    bulk.insert_many(session, Transaction, rows)
    return {row["key"]: row["id"] for row in rows}


def _suggest(
    session: Session, user: uuid.UUID, found: Sequence[tuple[domain.Known, str]], new: dict[str, uuid.UUID]
) -> None:
    pending = {each.sequence: each.id for each in _identified(session, [known.row for known, _ in found])}
    for known, key in found:
        suggestion = {"pending_id": pending[known.row], "booked_id": new[key], "created": clock.now()}
        session.add(MatchSuggestion(**suggestion))


def told_of(entry: dict[str, Any], hider: sealed_ibans.Hider) -> domain.Told:
    """A transaction as the connector tells it, its texts as the ledger keeps them, so that they compare equal."""
    hidden = hider.hide(entry, entry["counterparty_iban"], entry["counterparty_uk_number"])
    money = Money(entry["amount"]["minor"], entry["amount"]["currency"])
    booked, value = entry["booking_date"], entry["value_date"]
    return domain.Told(
        status=entry["status"], money=money, **hidden.texts, counterparty_index=hidden.index, numbers=hidden.numbers,
        booking_date=datetime.date.fromisoformat(booked) if booked else None,
        value_date=datetime.date.fromisoformat(value) if value else None,
    )  # fmt: skip
