"""Loads and keeps the session user's notifications and preferences."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ids, tasks
from workloads.chassis.events import outbox
from workloads.chassis.facts import Fact as Told
from workloads.chassis.money import Money
from workloads.chassis.problems import not_found
from workloads.services.notification import devices, domain
from workloads.services.notification.domain import Kind
from workloads.services.notification.models import Fact, Notification, Preference, Profile

SERVICE = "notification"
DELIVER = "deliver"
"""Kind of the task that delivers after quiet hours."""
_CHANNEL = "inbox"
_RECENT = datetime.timedelta(days=7)
_PAST = datetime.timedelta(days=182)
_LISTED = 100
_HABIT = 500
"""Latest payments that tell what is small in a currency."""


def preference(session: Session, user: uuid.UUID) -> Preference:
    """What the person said of how to be told; until they say otherwise, quietly at night."""
    found = session.scalar(select(Preference))
    return found or Preference(
        user_id=user, timezone=None, language=None, quiet_from="22:00", quiet_to="07:00", muted=""
    )


def keep_preference(session: Session, user: uuid.UUID, values: dict[str, Any]) -> Preference:
    """Take over what the person says."""
    row = {"user_id": user, **values}
    dialect.upsert(session, Preference, [row], key=["user_id"], update=list(values))
    session.expire_all()
    return preference(session, user)


@dataclass(frozen=True)
class Wishes:
    """How a person is told. muted: kinds that are not."""

    language: str
    quiet: domain.QuietHours
    muted: frozenset[str]


def wishes(session: Session, user: uuid.UUID) -> Wishes:
    """How the person is told: as they said here, else as their profile says, else as a new profile would."""
    said = preference(session, user)
    profile = session.scalar(select(Profile)) or Profile(timezone="Europe/Berlin", language="en")
    start, end = datetime.time.fromisoformat(said.quiet_from), datetime.time.fromisoformat(said.quiet_to)
    quiet = domain.QuietHours(start, end, ZoneInfo(said.timezone or profile.timezone))
    return Wishes(said.language or profile.language, quiet, frozenset(said.muted.split(",")))


def notify(session: Session, user: uuid.UUID, kind: Kind, period: str, about: dict[str, Any]) -> None:
    """Tell the person, once of each period: now, or when their quiet hours are over."""
    wished = wishes(session, user)
    if kind in wished.muted:
        return
    now = clock.now()
    row = {
        "id": ids.new_id(), "user_id": user, "kind": kind, "period": period[:120], "about": about, "created": now,
        "delivered": None, "read": None,
    }  # fmt: skip
    if not dialect.insert_new(session, Notification, row, key=["user_id", "kind", "period"]):
        return
    until = None if kind in domain.URGENT else wished.quiet.until(now)
    if until:
        tasks.schedule(session, DELIVER, user, until, row["id"])
    else:
        deliver(session, user, row["id"])


def deliver(session: Session, user: uuid.UUID, notification_id: uuid.UUID) -> None:
    """Put it into the person's inbox, once, however often this is asked, and have it pushed to their devices."""
    query = select(Notification).where(Notification.id == notification_id)
    row = session.scalar(dialect.locked(query, Notification))
    if row is not None and row.delivered is None:
        row.delivered = clock.now()
        told = {"notification_id": str(row.id), "kind": row.kind, "channel": _CHANNEL}
        outbox.write(session, SERVICE, "notification.sent", user, told)
        devices.plan(session, user, row.id, row.delivered)


def inbox(session: Session, *, unread: bool = False, before: datetime.datetime | None = None) -> list[Notification]:
    """What was delivered, newest first. before: only those that were delivered earlier."""
    query = select(Notification).where(Notification.delivered.is_not(None))
    if before is not None:
        query = query.where(Notification.delivered < before)
    if unread:
        query = query.where(Notification.read.is_(None))
    return list(session.scalars(query.order_by(Notification.delivered.desc()).limit(_LISTED)))


def mark_read(session: Session, notification_id: uuid.UUID) -> Notification:
    """The person has read it. Raises Problem 404."""
    where = (Notification.id == notification_id, Notification.delivered.is_not(None))
    found = session.scalar(select(Notification).where(*where))
    if found is None:
        raise not_found("notification")
    found.read = found.read or clock.now()
    return found


def watch_spending(session: Session, user: uuid.UUID, changed: Iterable[Told]) -> None:
    """Tell of recent spending that is unusual for its category, and not small in its currency."""
    today = clock.today()
    for each in changed:
        if each.minor >= 0 or each.transfer or each.removed or each.date < today - _RECENT:
            continue
        query = select(Fact.minor).where(
            Fact.category == each.category, Fact.currency == each.currency, Fact.removed.is_(False),
            Fact.transaction_id != each.id, Fact.date >= each.date - _PAST, Fact.date <= each.date,
        )  # fmt: skip
        odd = domain.unusual(each.minor, list(session.scalars(query)))
        if odd and domain.notable(each.minor, _spent(session, each)):
            amount = str(abs(Money(each.minor, each.currency)))
            about = {"transaction_id": str(each.id), "category": each.category, "amount": amount}
            notify(session, user, "unusual-spending", str(each.id), about | {"currency": each.currency})


def _spent(session: Session, than: Told) -> list[int]:
    """What the person spent in a currency until then: the latest, of every category."""
    query = select(Fact.minor).where(
        Fact.currency == than.currency, Fact.minor < 0, Fact.removed.is_(False), Fact.transfer.is_(False),
        Fact.transaction_id != than.id, Fact.date >= than.date - _PAST, Fact.date <= than.date,
    )  # fmt: skip
    return list(session.scalars(query.order_by(Fact.date.desc()).limit(_HABIT)))
