"""Loads and keeps the connector's rows, and counts unattended accesses."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ids
from workloads.chassis.problems import Problem, not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.connector.models import BankAccountRow, BankConsent, Call
from workloads.services.connector.sections.reading import Quota

_DAY = datetime.timedelta(hours=24)
_WORKERS_APART = datetime.timedelta(minutes=2)
"""How far the clocks of two processes may be apart."""


def consent(session: Session, bank: str, consent_id: uuid.UUID) -> BankConsent:
    """The user's consent at a bank. Raises Problem 404."""
    found = session.scalar(select(BankConsent).where(BankConsent.id == consent_id, BankConsent.bank == bank))
    if found is None:
        raise not_found("consent at this bank")
    return found


def account(session: Session, consent_id: uuid.UUID, account_id: uuid.UUID) -> BankAccountRow:
    """An account under a consent. Raises Problem 404."""
    where = (BankAccountRow.id == account_id, BankAccountRow.consent_id == consent_id)
    found = session.scalar(select(BankAccountRow).where(*where))
    if found is None:
        raise not_found("account under this consent")
    return found


def keep_accounts(
    session: Session, cipher: Cipher, user: uuid.UUID, consent_id: uuid.UUID, resources: list[str]
) -> dict[str, uuid.UUID]:
    """Our id of each of the bank's account ids, the same each time under one consent."""
    index = {cipher.index(each, "account"): each for each in resources}
    if not index:
        return {}
    rows = [
        {"id": ids.new_id(), "user_id": user, "consent_id": consent_id, "resource_index": key,
         "resource": cipher.seal(each, "account")}
        for key, each in index.items()
    ]  # fmt: skip
    dialect.upsert(session, BankAccountRow, rows, key=["consent_id", "resource_index"])
    query = select(BankAccountRow.resource_index, BankAccountRow.id).where(BankAccountRow.consent_id == consent_id)
    return {index[key]: row for key, row in session.execute(query) if key in index}


def spend(session: Session, quota: Quota, consent_id: uuid.UUID, account_id: uuid.UUID | None, operation: str) -> None:
    """Refuse an unattended access beyond the quota of a rolling day (RTS on SCA, Art. 36(5)).

    The consent's row is locked first, so that two workers can't both take the last one: the call must be recorded in
    the same transaction. Raises Problem 429 quota-exhausted.
    """
    session.scalars(dialect.locked(select(BankConsent).where(BankConsent.id == consent_id), BankConsent)).one()
    now = clock.now()
    of_this = (Call.consent_id == consent_id, Call.account_id == account_id, Call.operation == operation)
    # One dated later than now was made under a clock that was ahead: before now, and it counts a day from now on.
    session.execute(update(Call).where(*of_this, Call.at > now + _WORKERS_APART).values(at=now))
    where = [*of_this, Call.attended.is_(False), Call.at > now - _DAY]
    if not quota.pages_count:
        where.append(Call.page == 0)
    used = session.scalar(select(func.count(Call.id)).where(*where)) or 0
    if used >= quota.per_day:
        raise Problem(429, "quota-exhausted", f"{used} unattended reads of this in 24 hours; {quota.per_day} allowed.")
