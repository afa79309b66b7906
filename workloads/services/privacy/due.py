"""What a service must have erased, the latest first: for one whose database may be older than that."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from workloads.chassis.erasure import ROUNDS
from workloads.services.privacy.forms import DueErasure, DueErasures
from workloads.services.privacy.models import Erasure, Reply

_PAGE = 200


def page(session: Session, service: str, before: datetime.datetime | None, size: int = _PAGE) -> DueErasures:
    """Everything the service has not answered, on the first page; and at least ``size`` that it answered before a time.

    A page ends between two times, never within one: answers of the same moment are on one page.
    """
    answered: Any = (Reply.service == service, Reply.round == ROUNDS)
    earlier = (*answered, Reply.at < before) if before else answered
    found = [] if before else _unanswered(session, answered)
    times = list(session.scalars(select(Reply.at).where(*earlier).order_by(Reply.at.desc()).limit(size)))
    last = times[-1] if len(times) == size else None
    query = select(Erasure).join(Reply, Reply.erasure_id == Erasure.id).where(*earlier).order_by(Reply.at.desc())
    told = session.scalars(query.where(Reply.at >= last) if last else query)
    return DueErasures(erasures=found + [_due(each, answered=True) for each in told], before=last)


def _unanswered(session: Session, answered: Any) -> list[DueErasure]:
    said = and_(Reply.erasure_id == Erasure.id, *answered)
    query = select(Erasure).outerjoin(Reply, said).where(Reply.erasure_id.is_(None)).order_by(Erasure.requested)
    return [_due(each, answered=False) for each in session.scalars(query)]


def _due(erasure: Erasure, *, answered: bool) -> DueErasure:
    return DueErasure(id=erasure.id, subject=erasure.subject, round=erasure.round, answered=answered)
