"""Tasks that fall due for a user: timers that survive restarts, taken by one worker at a time."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import Select, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from workloads.chassis import clock, dialect
from workloads.chassis.database import Database
from workloads.chassis.schema import TYPES, Text, UtcDateTime, metadata

NO_ITEM = uuid.UUID(int=0)
_LEASE = datetime.timedelta(minutes=10)
"""How long a worker has for a task before another may take it."""
_LOOKS_EVERY = 5.0
_CLOCKS_APART = datetime.timedelta(minutes=5)
"""How far our clock and the database's may be apart: one of them is wrong beyond that, and nothing is done by time."""
_LONGEST_PAUSE = datetime.timedelta(hours=1)
_log = structlog.get_logger(__name__)


class Base(DeclarativeBase):
    """The table of tasks."""

    metadata = metadata()
    type_annotation_map = TYPES


class Task(Base):
    """A task. subject: pseudonym of its user. item: which of the user's things it is about. attempts: failed so far."""

    __tablename__ = "task"
    kind: Mapped[str] = mapped_column(Text(40), primary_key=True)
    subject: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    item: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    due: Mapped[datetime.datetime]
    attempts: Mapped[int]


def create() -> None:
    """Create the table, in a migration. Frozen: a change of it is a function of its own beside this one."""
    from alembic import op  # 11 MB of every service, which only migrations need

    op.create_table(
        "task",
        sa.Column("kind", Text(40), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Uuid(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "item", name="pk_task"),
    )
    op.create_index("ix_task_due", "task", ["due"])


def schedule(session: Session, kind: str, user: uuid.UUID, due: datetime.datetime, item: uuid.UUID = NO_ITEM) -> None:
    """Have a task done at a time; one of the same kind and item is moved there."""
    row = {"kind": kind, "subject": user, "item": item, "due": due, "attempts": 0}
    dialect.upsert(session, Task, [row], key=["kind", "subject", "item"], update=["due", "attempts"])


def cancel(session: Session, kind: str, user: uuid.UUID, item: uuid.UUID = NO_ITEM) -> None:
    """Have a task not done."""
    session.execute(delete(Task).where(Task.kind == kind, Task.subject == user, Task.item == item))


def forget(session: Session, user: uuid.UUID) -> int:
    """Remove all tasks of a user; how many."""
    result: Any = session.execute(delete(Task).where(Task.subject == user))
    return result.rowcount


def due_query(kinds: Sequence[str]) -> Select[Any]:
    """The task of these kinds that is longest due, unless another worker has it."""
    query = select(Task).where(Task.due <= clock.now(), Task.kind.in_(kinds))
    return dialect.locked(query.order_by(Task.due).limit(1), Task, skip_locked=True)


@dataclass(frozen=True)
class Due:
    """A task whose time has come. app: the application's state."""

    user: uuid.UUID
    item: uuid.UUID
    database: Database
    app: Any


TaskHandler = Callable[[Due], datetime.datetime | None]
"""Does a task, which may have been done in part before; returns when it is due again, or None when never."""


class Worker:
    """Does what falls due. Several may run: each task is leased to one."""

    def __init__(self, handlers: Mapping[str, TaskHandler], database: Database, app: Any) -> None:
        self._handlers, self._database, self._app = handlers, database, app
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End after the task at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self.do_one()
            except SQLAlchemyError as error:
                _log.warning("tasks wait", error=type(error).__name__)
                busy = False
            if not busy:
                self._stopping.wait(_LOOKS_EVERY)

    def do_one(self) -> bool:
        """Do the task that is longest due; whether there was one."""
        taken = self._lease()
        if taken is None:
            return False
        kind, subject, item, lease, attempts = taken
        try:
            again = self._handlers[kind](Due(subject, item, self._database, self._app))
        except Exception as error:  # whatever it is: the task stays, and is tried again later
            _log.warning("a task failed", kind=kind, attempt=attempts, error=type(error).__name__)
            self._release(kind, subject, item, lease, clock.now() + _pause(attempts), attempts)
        else:
            self._release(kind, subject, item, lease, again, 0)
        return True

    def _lease(self) -> tuple[str, uuid.UUID, uuid.UUID, datetime.datetime, int] | None:
        with self._database.session() as session:
            row = session.scalar(due_query(list(self._handlers)))
            if row is None or not self._in_time(session):
                return None
            row.due, row.attempts = clock.now() + _LEASE, row.attempts + 1
            return row.kind, row.subject, row.item, row.due, row.attempts

    def _in_time(self, session: Session) -> bool:
        """Whether our clock and the database's agree: one that is days ahead would end every consent at once."""
        apart = clock.now() - dialect.database_time(session)
        if abs(apart) <= _CLOCKS_APART:
            return True
        _log.error("the clock is wrong: tasks wait", ahead_of_the_database_seconds=round(apart.total_seconds()))
        return False

    def _release(
        self, kind: str, subject: uuid.UUID, item: uuid.UUID, lease: datetime.datetime,
        again: datetime.datetime | None, attempts: int,
    ) -> None:  # fmt: skip
        # Only while the lease is still ours: the handler, or another, may have moved the task.
        mine = (Task.kind == kind, Task.subject == subject, Task.item == item, Task.due == lease)
        with self._database.session() as session:
            if again is None:
                session.execute(delete(Task).where(*mine))
            else:
                session.execute(update(Task).where(*mine).values(due=again, attempts=attempts))


def _pause(attempts: int) -> datetime.timedelta:
    return min(_LONGEST_PAUSE, datetime.timedelta(seconds=15 * 2 ** min(attempts, 10)))
