"""Loads and keeps the session user's tickets. What a person writes is sealed with that person's key."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ids, tasks
from workloads.chassis.events import outbox
from workloads.chassis.problems import Problem, not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.help.models import Ticket, TicketMessage

SERVICE = "help"
ANSWER = "answer"
"""Kind of the task that a ticket is which waits for support: a person does it, no worker."""
SUBJECT, TEXT = "ticket subject", "ticket text"
"""Purposes that are sealed for."""
_MOST_OPEN = 20
_MOST_MESSAGES = 100


def every(session: Session) -> list[Ticket]:
    """The user's tickets, the one that changed last first."""
    return list(session.scalars(select(Ticket).order_by(Ticket.changed.desc())))


def get(session: Session, ticket_id: uuid.UUID, *, lock: bool = False) -> Ticket:
    """A ticket of the user's. Raises Problem 404."""
    query = select(Ticket).where(Ticket.id == ticket_id)
    found = session.scalar(dialect.locked(query, Ticket) if lock else query)
    if found is None:
        raise not_found("ticket")
    return found


def messages(session: Session, tickets: Sequence[Ticket]) -> dict[uuid.UUID, list[TicketMessage]]:
    """What was written in tickets, oldest first."""
    found: dict[uuid.UUID, list[TicketMessage]] = defaultdict(list)
    some = TicketMessage.ticket_id.in_([each.id for each in tickets])
    for each in session.scalars(select(TicketMessage).where(some).order_by(TicketMessage.at)):
        found[each.ticket_id].append(each)
    return found


def open_ticket(session: Session, user: uuid.UUID, cipher: Cipher, subject: str, text: str) -> Ticket:
    """A new ticket with its first message. Raises Problem 409 when too many are open."""
    now_open = session.scalar(select(func.count(Ticket.status)).where(Ticket.status == "open")) or 0
    if now_open >= _MOST_OPEN:
        raise Problem(409, "too-many-tickets", f"{_MOST_OPEN} tickets are open; close one, or write in one of them.")
    now = clock.now()
    ticket = Ticket(
        id=ids.new_id(), subject=cipher.seal(subject, SUBJECT), status="open", opened=now, changed=now
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    _write(session, cipher, ticket, text)
    tasks.schedule(session, ANSWER, user, ticket.changed, ticket.id)
    return ticket


def reply(session: Session, user: uuid.UUID, cipher: Cipher, ticket_id: uuid.UUID, text: str) -> Ticket:
    """The person writes in a ticket; one that was closed is open again. Raises Problem 404 and 409."""
    ticket = get(session, ticket_id, lock=True)
    written = session.scalar(select(func.count(TicketMessage.author)).where(TicketMessage.ticket_id == ticket_id)) or 0
    if written >= _MOST_MESSAGES:
        raise Problem(409, "ticket-full", f"A ticket has at most {_MOST_MESSAGES} messages; open another one.")
    ticket.status = "open"
    _write(session, cipher, ticket, text)
    tasks.schedule(session, ANSWER, user, ticket.changed, ticket.id)
    return ticket


def close(session: Session, user: uuid.UUID, ticket_id: uuid.UUID) -> Ticket:
    """No answer is needed any more. Raises Problem 404."""
    ticket = get(session, ticket_id, lock=True)
    ticket.status = "closed"
    tasks.cancel(session, ANSWER, user, ticket.id)
    return ticket


def answer(session: Session, user: uuid.UUID, cipher: Cipher, ticket_id: uuid.UUID, text: str) -> Ticket:
    """Support writes in a ticket, and the person is told that it did. Raises Problem 404."""
    ticket = get(session, ticket_id, lock=True)
    message = _write(session, cipher, ticket, text, author="support")
    tasks.cancel(session, ANSWER, user, ticket.id)
    about = {"ticket_id": str(ticket.id), "message_id": str(message.id)}
    outbox.write(session, SERVICE, "ticket.answered", user, about)
    return ticket


def _write(session: Session, cipher: Cipher, ticket: Ticket, text: str, author: str = "person") -> TicketMessage:
    ticket.changed = clock.now()
    message = TicketMessage(
        id=ids.new_id(), ticket_id=ticket.id, at=ticket.changed, author=author, text=cipher.seal(text, TEXT)
    )
    session.add(message)
    session.flush()
    return message
