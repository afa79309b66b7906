"""A process that changes a ledger, relays and handles the event, and is killed at a fault point.

python -m tests.workloads.events.victim <database URL> <bus file> <user> <fault point>
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from pathlib import Path

from sqlalchemy import select

from tests.workloads.file_bus import FileBus
from workloads.chassis import clock, faults
from workloads.chassis.database import Database
from workloads.chassis.events import outbox
from workloads.chassis.events.backbone import Backbone
from workloads.chassis.events.consumer import Handling
from workloads.chassis.faults import FaultPoint
from workloads.services.transaction.models import Ledger, MatchSuggestion

TYPE = "transactions.imported"


def change(database: Database, user: uuid.UUID) -> None:
    """A change, and the event that tells of it."""
    with database.session(user) as session:
        session.add(Ledger(revision=1))
        outbox.write(session, "transaction", TYPE, user, {})


def handle(handling: Handling) -> None:
    """What the event causes: one more row each time."""
    with handling.transaction() as session:
        session.add(MatchSuggestion(pending_id=uuid.uuid4(), booked_id=uuid.uuid4(), created=clock.now()))


def outcome(database: Database, user: uuid.UUID) -> tuple[int, int]:
    """Changes made, and events handled."""
    with database.session(user) as session:
        return len(list(session.scalars(select(Ledger)))), len(list(session.scalars(select(MatchSuggestion))))


def run(database: Database, bus: FileBus, user: uuid.UUID, *, until: tuple[int, int] | None, changes: bool) -> None:
    """Run the backbone until this is the outcome and the bus is empty, at most ten seconds."""
    backbone = Backbone("transaction", database, bus, {TYPE: handle}, None)
    backbone.start()
    if changes:
        change(database, user)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (bus.messages() or outcome(database, user) != until):
        time.sleep(0.05)
    backbone.close()


def main() -> None:
    """Die at the point."""
    url, file, user, point = sys.argv[1:]
    faults.arm(FaultPoint[point], lambda: os.kill(os.getpid(), signal.SIGKILL))
    database = Database(url)
    run(database, FileBus(Path(file), ["transaction"]), uuid.UUID(user), until=(1, 1), changes=True)


if __name__ == "__main__":
    main()
