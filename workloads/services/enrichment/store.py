"""Loads and keeps what the session user's transactions are."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from workloads.chassis import bulk, clock, dialect, tasks
from workloads.chassis.problems import not_found
from workloads.services.enrichment import domain, events
from workloads.services.enrichment.models import Assignment, PartyCategory, Progress, Rule

AGAIN = "recategorise"
"""Kind of the task that looks at the whole ledger again, after the person's rules changed."""
_LARGEST_IN = 500
_NAMES = [column.name for column in Assignment.__table__.columns]


def progress(session: Session, user: uuid.UUID) -> Progress:
    """How far the ledger was read, locked: assignments change one after the other."""
    new = {"user_id": user, "revision": 0, "version": 0}
    dialect.upsert(session, Progress, [new], key=["user_id"])
    return session.scalars(dialect.locked(select(Progress), Progress)).one()


def known_revision(session: Session) -> int:
    """Up to where the ledger was read."""
    return session.scalar(select(Progress.revision)) or 0


def word(session: Session) -> domain.Word:
    """What the person has said."""
    rules = [
        domain.PersonRule(tuple(each.words.split()), each.category, each.created, each.least, each.most)
        for each in rules_of(session)
    ]
    parties = {
        each.party: domain.PartyWord(each.category, each.said) for each in session.scalars(select(PartyCategory))
    }
    return domain.Word(rules, parties)


def rules_of(session: Session) -> list[Rule]:
    """The person's rules; the newest comes first, and wins."""
    return list(session.scalars(select(Rule).order_by(Rule.created.desc())))


def keep(
    session: Session, user: uuid.UUID, head: Progress, changes: Sequence[dict[str, Any]], said: domain.Word
) -> int:
    """Say what changed transactions are; how many are said to be something else than before.

    changes: as the transaction service tells them. A correction of the person's stays, also where what it was said of
    has become another transaction.
    """
    became = {uuid.UUID(each["formerly"]): uuid.UUID(each["id"]) for each in changes if each["formerly"]}
    known = _known(session, [*(uuid.UUID(each["id"]) for each in changes), *became])
    corrected = _corrected(session, known, became)
    new, changed = [], []
    for each in changes:
        before = known.get(uuid.UUID(each["id"]))
        row = _assigned(user, each, said, corrected)
        if before is None:
            new.append(row)
        elif any(row[name] != before[name] for name in _NAMES if name != "version"):
            changed.append(row)
    for row in (told := [*new, *changed]):
        head.version += 1
        row["version"] = head.version
    bulk.insert_many(session, Assignment, new)
    bulk.update_many(session, Assignment, "transaction_id", changed)
    events.categorised(session, user, told)
    return len(told)


def _known(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    columns = [getattr(Assignment, name) for name in _NAMES]
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for start in range(0, len(ids), _LARGEST_IN):
        some = select(*columns).where(Assignment.transaction_id.in_(ids[start : start + _LARGEST_IN]))
        found |= {row.transaction_id: dict(row._mapping) for row in session.execute(some)}
    return found


def _corrected(
    session: Session, known: dict[uuid.UUID, dict[str, Any]], became: Mapping[uuid.UUID, uuid.UUID]
) -> Mapping[uuid.UUID, str]:
    """The person's word by transaction: one on a pending entry goes over to the booked one that it has become.

    It is taken from the pending entry, or it would come back once the person takes it back from the booked one, whose
    own word goes before it.
    """
    corrected = {key: row["category"] for key, row in known.items() if row["source"] == "person"}
    moved = [former for former in became if former in corrected]
    for former in moved:
        corrected.setdefault(became[former], corrected.pop(former))
        on_parties = update(PartyCategory).where(PartyCategory.transaction_id == former)
        session.execute(on_parties.values(transaction_id=became[former]))
    if moved:
        session.execute(update(Assignment).where(Assignment.transaction_id.in_(moved)).values(source="none"))
    return corrected


def _assigned(
    user: uuid.UUID, change: dict[str, Any], said: domain.Word, corrected: Mapping[uuid.UUID, str]
) -> dict[str, Any]:
    told = (change[name] for name in ("counterparty", "remittance", "minor", "transfer", "counterparty_index"))
    line = domain.Line(*told)
    party = domain.party(user, line)
    found = domain.meaning(line, party, said)
    transaction_id = uuid.UUID(change["id"])
    if transaction_id in corrected:
        found = domain.Meaning(corrected[transaction_id], found.merchant, "person")
    return {
        "transaction_id": transaction_id, "user_id": user, "version": 0,
        "account_id": uuid.UUID(change["account_id"]), "date": datetime.date.fromisoformat(change["date"]),
        "minor": change["minor"], "currency": change["currency"], "status": change["status"],
        "category": found.category, "merchant": found.merchant, "party": party or transaction_id.hex,
        "source": found.source,
        "transfer": change["transfer"] and found.category == domain.TRANSFER, "removed": change["state"] != "listed",
    }  # fmt: skip


def get(session: Session, transaction_id: uuid.UUID) -> Assignment:
    """What a transaction is. Raises Problem 404, also while it was not looked at yet."""
    found = session.scalar(select(Assignment).where(Assignment.transaction_id == transaction_id))
    if found is None:
        raise not_found("transaction")
    return found


def corrections(session: Session) -> tuple[list[Assignment], list[PartyCategory]]:
    """What the person said of single transactions, and of other sides."""
    said = select(Assignment).where(Assignment.source == "person").order_by(Assignment.date)
    on_parties = select(PartyCategory).order_by(PartyCategory.said)
    return list(session.scalars(said)), list(session.scalars(on_parties))


def correct(
    session: Session, user: uuid.UUID, transaction_id: uuid.UUID, category: str, *, same_party: bool
) -> Assignment:
    """The person says what a transaction is, and perhaps every one with the same other side. Raises Problem 404.

    same_party: of one of whose other side nothing is told, it says nothing more.
    """
    head, row = progress(session, user), get(session, transaction_id)
    affected = [row]
    row.category, row.source = category, "person"
    row.transfer = row.transfer and category == domain.TRANSFER
    if same_party and row.party != transaction_id.hex:
        on_party = {
            "user_id": user, "party": row.party, "category": category, "said": clock.now(),
            "transaction_id": transaction_id,
        }  # fmt: skip
        taken = ["category", "said", "transaction_id"]
        dialect.upsert(session, PartyCategory, [on_party], key=["user_id", "party"], update=taken)
        others = select(Assignment).where(Assignment.party == row.party, Assignment.source != "person")
        for each in session.scalars(others):
            each.category, each.source = category, "party"
            each.transfer = each.transfer and category == domain.TRANSFER
            affected.append(each)
    for each in affected:
        head.version += 1
        each.version = head.version
    session.flush()
    events.categorised(session, user, [{name: getattr(each, name) for name in _NAMES} for each in affected])
    if category == domain.TRANSFER:
        again(session, user)  # only the ledger knows whether it is one between accounts that are connected
    return row


def uncorrect(session: Session, user: uuid.UUID, transaction_id: uuid.UUID) -> None:
    """Take a correction back, and what was said on this transaction of its other side. Raises Problem 404.

    Of what was said of that one before it was kept where, this takes back all, or nothing ever could.
    """
    progress(session, user)  # nobody writes meanwhile what was read before
    row = get(session, transaction_id)
    if row.source not in ("person", "party"):
        return
    anywhere = and_(PartyCategory.transaction_id.is_(None), PartyCategory.party == row.party)
    said = session.scalars(select(PartyCategory).where(or_(PartyCategory.transaction_id == transaction_id, anywhere)))
    on_parties = list(said)
    for each in on_parties:
        session.delete(each)
    if row.source == "person" or on_parties:
        row.source = "none"
        again(session, user)


def add_rule(session: Session, user: uuid.UUID, rule: Rule) -> None:
    """A new rule; transactions that are there are looked at again."""
    session.add(rule)
    session.flush()
    again(session, user)


def remove_rule(session: Session, user: uuid.UUID, rule_id: uuid.UUID) -> None:
    """Forget a rule. Raises Problem 404."""
    found = session.scalar(select(Rule).where(Rule.id == rule_id))
    if found is None:
        raise not_found("rule")
    session.delete(found)
    again(session, user)


def again(session: Session, user: uuid.UUID) -> None:
    """Have the whole ledger looked at again, soon."""
    tasks.schedule(session, AGAIN, user, clock.now())
