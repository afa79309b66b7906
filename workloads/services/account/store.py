"""Loads and keeps accounts and balances of the session's user."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ibans, ids, uk_numbers
from workloads.chassis.problems import not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.account import domain, events
from workloads.services.account.models import Account, Balance


def get(session: Session, account_id: uuid.UUID) -> Account:
    """An account of the user's. Raises Problem 404."""
    found = session.scalar(select(Account).where(Account.id == account_id))
    if found is None:
        raise not_found("account")
    return found


def every(session: Session) -> list[Account]:
    """The user's accounts, by bank and name."""
    return list(session.scalars(select(Account).order_by(Account.bank, Account.name, Account.currency)))


@dataclass(frozen=True)
class Numbers:
    """An account's numbers by which it is known everywhere. uk: sort code and account number, 14 digits."""

    account_id: uuid.UUID
    iban: str | None
    uk: str | None


def numbers(session: Session, cipher: Cipher) -> list[Numbers]:
    """Of those of the user's accounts that have any."""
    query = select(Account.id, Account.number, Account.uk_number).where(Account.number.is_not(None))
    found = []
    for key, sealed, is_uk in session.execute(query):
        number = ibans.compact(cipher.open(sealed or b"", "number"))
        iban = number if [each.iban for each in ibans.find(number)] == [number] else None
        uk = uk_numbers.of_iban(number) if iban else uk_numbers.read(number) if is_uk else None
        if iban or uk:
            found.append(Numbers(key, iban, uk))
    return found


def balances(session: Session, accounts: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Balance]]:
    """The balances of accounts."""
    found: dict[uuid.UUID, list[Balance]] = {each: [] for each in accounts}
    query = select(Balance).where(Balance.account_id.in_(list(found))).order_by(Balance.kind, Balance.currency)
    for each in session.scalars(query):
        found[each.account_id].append(each)
    return found


def keep(
    session: Session,
    cipher: Cipher,
    user: uuid.UUID,
    consent: dict[str, Any],
    told: list[dict[str, Any]],
    listed: Collection[uuid.UUID],
) -> None:
    """Take over what a bank told of a consent's accounts: known ones are recognised, and reached by it from now on.

    One that it reached and that is not told any more was closed there, or left out by the person: it is disconnected.
    listed: all consents that there were when the bank was asked. An account that another one reaches was connected anew
    meanwhile, by which it goes on being reached.
    """
    rows: dict[str, dict[str, Any]] = {}
    for each in told:
        key = domain.identity(consent["bank"], each["iban"], each["other_id"], each["resource_id"], each["currency"])
        number = each["iban"] or each["other_id"]
        index = cipher.index(key, "account")
        rows[index] = {
            "id": ids.new_id(), "user_id": user, "identity_index": index, "bank": consent["bank"],
            "number": cipher.seal(number, "number") if number else None,
            "uk_number": bool(each["uk_number"]) and not each["iban"], "number_masked": domain.masked(number),
            "currency": each["currency"], "name": domain.shown_name(each["name"]),
            "kind": (each["kind"] or "")[:35] or None, "consent_id": uuid.UUID(consent["id"]),
            "bank_consent_id": uuid.UUID(consent["bank_consent_id"]), "bank_account_id": uuid.UUID(each["id"]),
            "connected": True, "updated": clock.now(), "told": each,
        }  # fmt: skip
    if not rows:
        return
    gone = (Account.consent_id == uuid.UUID(consent["id"]), Account.identity_index.not_in(list(rows)))
    _disconnect(session, user, gone)
    columns: Any = select(Account.identity_index, Account.id, Account.consent_id)
    query = columns.where(Account.identity_index.in_(list(rows)))
    before = {row.identity_index: row.consent_id for row in session.execute(dialect.locked(query, Account))}
    new = [
        {name: value for name, value in row.items() if name != "told"}
        for index, row in rows.items()
        if before.get(index) is None or before[index] in listed
    ]
    taken = ["name", "kind", "uk_number", "consent_id", "bank_consent_id", "bank_account_id", "connected", "updated"]
    if new:
        dialect.upsert(session, Account, new, key=["user_id", "identity_index"], update=taken)
    for row in session.execute(query):
        index = row.identity_index
        if index not in before:
            events.linked(session, user, row.id, consent["bank"], rows[index]["currency"])
        _keep_balances(session, user, row.id, rows[index]["told"]["balances"])


def _keep_balances(session: Session, user: uuid.UUID, account_id: uuid.UUID, told: list[dict[str, Any]]) -> None:
    rows, now = {}, clock.now()
    for each in told:
        kind, amount = each["kind"][:40], each["amount"]
        date = datetime.date.fromisoformat(each["date"]) if each["date"] else None
        rows[kind, amount["currency"]] = {
            "account_id": account_id, "kind": kind, "currency": amount["currency"], "user_id": user,
            "minor": amount["minor"], "date": date, "read": now,
        }  # fmt: skip
    if not rows:
        return  # a bank that told none now: the last known stay
    known = {(each.kind, each.currency): each.minor for each in balances(session, [account_id])[account_id]}
    for (kind, currency), row in rows.items():
        if known.get((kind, currency)) != row["minor"]:
            events.balance_updated(session, user, account_id, kind, row["minor"], currency)
    key = ["account_id", "kind", "currency"]
    dialect.upsert(session, Balance, list(rows.values()), key=key, update=["minor", "date", "read"])
    session.execute(delete(Balance).where(Balance.account_id == account_id, Balance.read != now))


def disconnect(session: Session, user: uuid.UUID, ended: Collection[uuid.UUID]) -> None:
    """Consents have ended: the accounts that they reached are kept, but not connected any more."""
    _disconnect(session, user, [Account.consent_id.in_(list(ended))])


def _disconnect(session: Session, user: uuid.UUID, those: Sequence[ColumnElement[bool]]) -> None:
    for account in session.scalars(select(Account).where(*those, Account.connected.is_(True))):
        account.connected = False
        events.closed(session, user, account.id)
