"""Loads and keeps erasures. Their rows are in nobody's session: every query names the subject or the erasure."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ids
from workloads.chassis.erasure import REQUESTED
from workloads.chassis.events import outbox
from workloads.chassis.problems import not_found
from workloads.services.privacy import domain
from workloads.services.privacy.models import Erasure, Reply

SERVICE = "privacy"


def exported(session: Session, user: uuid.UUID) -> None:
    """Everything of a person is handed out: it is audited, and they are told, for it may not have been they."""
    outbox.write(session, SERVICE, "export.ready", user, {"export_id": str(ids.new_id())})


def request(session: Session, user: uuid.UUID) -> Erasure:
    """Have everything of a person erased; one that is under way already is not begun again."""
    running = select(Erasure).where(Erasure.subject == user, Erasure.completed.is_(None))
    found = session.scalar(running)
    if found is None:
        found = Erasure(subject=user, requested=clock.now(), round=1, completed=None)
        session.add(found)
        session.flush()
        _ask(session, found)
    return found


def _ask(session: Session, erasure: Erasure) -> None:
    about = {"erasure_id": str(erasure.id), "round": erasure.round}
    outbox.write(session, SERVICE, REQUESTED, erasure.subject, about)


def again(session: Session, erasure: Erasure) -> None:
    """Have it done once more, because a backup may have brought back what it erased."""
    for reply in session.scalars(select(Reply).where(Reply.erasure_id == erasure.id)):
        session.delete(reply)
    erasure.round, erasure.completed = 1, None
    session.flush()
    _ask(session, erasure)


def every(session: Session) -> list[Erasure]:
    """All erasures, oldest first: for the operator."""
    return list(session.scalars(select(Erasure).order_by(Erasure.requested)))


def receipt(session: Session, user: uuid.UUID, erasure_id: uuid.UUID) -> tuple[Erasure, list[Reply]]:
    """An erasure of the person's, and what services said. Raises Problem 404."""
    found = session.scalar(select(Erasure).where(Erasure.id == erasure_id, Erasure.subject == user))
    if found is None:
        raise not_found("erasure")
    replies = select(Reply).where(Reply.erasure_id == erasure_id).order_by(Reply.round, Reply.service)
    return found, list(session.scalars(replies))


def answered(session: Session, erasure_id: uuid.UUID, round_: int, service: str, rows: int, elsewhere: int) -> None:
    """A service has erased. When all have, the next round begins, or it is complete."""
    found = session.scalar(dialect.locked(select(Erasure).where(Erasure.id == erasure_id), Erasure))
    if found is None or found.round != round_ or found.completed:
        return
    row = {
        "erasure_id": erasure_id, "round": round_, "service": service, "rows": rows, "elsewhere": elsewhere,
        "at": clock.now(),
    }  # fmt: skip
    dialect.insert_new(session, Reply, row, key=["erasure_id", "round", "service"])
    query = select(Reply.service).where(Reply.erasure_id == erasure_id, Reply.round == round_)
    step = domain.step(round_, set(session.scalars(query)))
    if step == "next-round":
        found.round += 1
        _ask(session, found)
    elif step == "complete":
        found.completed = clock.now()
        told = {"erasure_id": str(found.id)}
        outbox.write(session, SERVICE, "erasure.completed", found.subject, told)
