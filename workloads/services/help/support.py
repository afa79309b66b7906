"""The operator's command for tickets: which wait for an answer, what one says, answer it, close it.

    python -m workloads.services.help.support list
    python -m workloads.services.help.support show <ticket>
    python -m workloads.services.help.support answer <ticket> < answer.txt
    python -m workloads.services.help.support close <ticket>

Told DATABASE_URL and KEY_VAULT_URL, as the service is, and run as an identity with the service's rights on both: what
people write is sealed, and nobody else can open it. The person is notified of an answer.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from contextlib import closing
from typing import TextIO

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from workloads.chassis import command
from workloads.chassis.command import Command
from workloads.chassis.database import Database
from workloads.chassis.problems import Problem
from workloads.chassis.settings import DataSettings, KeySettings, SettingsError
from workloads.chassis.tasks import Task
from workloads.chassis.userkeys import UserKeys
from workloads.services.help import store
from workloads.services.help.forms import Text, TicketView


class SupportSettings(DataSettings, KeySettings):
    """What the command is told: where tickets are, and what opens them."""


_WRITTEN: TypeAdapter[str] = TypeAdapter(Text)


def _waiting(database: Database) -> list[Task]:
    """Tickets that wait for an answer, the longest first."""
    with database.session() as session:
        return list(session.scalars(select(Task).where(Task.kind == store.ANSWER).order_by(Task.due)))


def _told(ticket: TicketView) -> str:
    said = [f"{each.at:%Y-%m-%d %H:%M} {each.author}:\n{each.text}" for each in ticket.messages]
    return "\n\n".join([f"{ticket.subject} ({ticket.status})", *said])


def run(database: Database, keys: UserKeys, what: str, ticket_id: uuid.UUID | None, written: TextIO) -> tuple[int, str]:
    """What to end with, and what to say. Raises Problem when the vault can't be asked."""
    waiting = {each.item: each for each in _waiting(database)}
    if what == "list" or ticket_id is None:
        lines = [f"{each.item}  since {each.due:%Y-%m-%d %H:%M}" for each in waiting.values()]
        return 0, "\n".join(lines) or "No ticket waits for an answer."
    if ticket_id not in waiting:
        return 1, f"{ticket_id} does not wait for an answer; list shows those that do."
    user = waiting[ticket_id].subject
    with database.session(user) as session:
        if what == "close":
            store.close(session, user, ticket_id)
            return 0, f"{ticket_id} is closed."
        cipher = keys.cipher(session, user)
        if what == "answer":
            try:
                text = _WRITTEN.validate_python(written.read())
            except ValidationError:
                return 1, "The answer is read from standard input: 1 to 4000 characters."
            store.answer(session, user, cipher, ticket_id, text)
            return 0, f"{ticket_id} is answered."
        ticket = store.get(session, ticket_id)
        return 0, _told(TicketView.of(ticket, store.messages(session, [ticket])[ticket_id], cipher))


_COMMAND = Command(
    module="workloads.services.help.support",
    about=__doc__,
    doings=["show", "answer", "close"],
    item=("ticket", uuid.UUID, "id that list shows"),
)


def main(arguments: Sequence[str], written: TextIO = sys.stdin) -> int:
    """Read the command line; 2 when it, or the environment, is wrong."""
    asked = _COMMAND.read(arguments)
    try:
        settings = SupportSettings.load(os.environ)
        keys = UserKeys.of(settings)
    except SettingsError as error:
        return command.refuse(error)
    with closing(Database(settings.database_url, settings.ssl_cert_file)) as database:
        try:
            return command.say(run(database, keys, asked.what, asked.ticket, written))
        except Problem as problem:
            return command.say((1, problem.detail))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
