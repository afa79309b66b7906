"""Events from one service's commit to another's handler: outbox, relay, broker, consumer and inbox are in the path.

Two processes with a database each: one commits single changes at an even rate while its relay publishes them; the
other handles them one by one.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event as Reached
from pathlib import Path

import psutil
from sqlalchemy import select

from tests.bench.backend import backbone
from tests.bench.backend.figures import Figure, percentile
from tests.bench.backend.services import busy, postmaster
from tests.workloads.servers import postgres
from workloads.chassis.database import Database
from workloads.chassis.events import outbox
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.consumer import Consumer, Handling
from workloads.chassis.events.relay import Relay
from workloads.chassis.events.tables import OutboxEvent

P99_MS = 250.0
_TYPE, _FROM, _TO = "transactions.imported", "transaction", "enrichment"
_USERS = 50
_WARM_UP = 3.0
"""Seconds of events before those that count: connections and tokens are there from then on, as in a running service."""
_LAST_ONES = 30.0
_ALL_WITHIN = 60.0
_COMMITTED, _NUMBER = "committed", "number"


@dataclass(frozen=True)
class _Done:
    """What a process has to tell. spent: seconds of its processor time. times: commit and handler of each event."""

    name: str
    spent: float
    times: list[tuple[float, float]]


def _commit(url: str, bus: ServiceBus, rate: float, seconds: float, reached: Reached, results: Queue[_Done]) -> None:
    """Commit changes, each in a transaction of its own as soon as it is due, and have them published."""
    database = Database(url)
    relay = Relay(database, bus)
    relay.start()
    users = [uuid.uuid4() for _ in range(_USERS)]
    with database.session(users[0]) as session:
        outbox.write(session, _FROM, _TYPE, users[0], {_NUMBER: -1})
    reached.wait(_ALL_WITHIN)  # what waits while the consumer is started would be worked off meanwhile
    start = time.time()
    for number in range(int(rate * (_WARM_UP + seconds))):
        due = start + number / rate
        if (pause := due - time.time()) > 0:
            time.sleep(pause)
        user = users[number % _USERS]
        with database.session(user) as session:
            about = {_NUMBER: number, _COMMITTED: time.time(), "account_id": str(user), "text": "x" * 200}
            outbox.write(session, _FROM, _TYPE, user, about)
    deadline = time.monotonic() + _LAST_ONES
    while _waits(database) and time.monotonic() < deadline:
        time.sleep(0.05)
    relay.stop()
    results.put(_Done("committing", time.process_time(), []))
    bus.close()
    database.close()


def _waits(database: Database) -> bool:
    """Whether an event is still to be published."""
    with database.session() as session:
        return session.scalar(select(OutboxEvent.sequence).limit(1)) is not None


def _handle(url: str, bus: ServiceBus, first: int, expected: int, reached: Reached, results: Queue[_Done]) -> None:
    """Handle events until all have come that are expected. first: number of the first one that counts."""
    database, times, all_came = Database(url), list[tuple[float, float]](), threading.Event()

    def handle(handling: Handling) -> None:
        came, told = time.time(), handling.event.data
        reached.set()
        with handling.transaction():
            pass
        if told[_NUMBER] >= first:
            times.append((told[_COMMITTED], came))
        if len(times) == expected:
            all_came.set()

    consumer = Consumer(_TO, {_TYPE: handle}, database, bus, None)
    consumer.start()
    all_came.wait(_ALL_WITHIN)
    consumer.stop()
    results.put(_Done("handling", time.process_time(), times))
    bus.close()
    database.close()


def measure(rate: float, seconds: float) -> list[Figure]:
    """Commit so many events a second for so long, and say how long they took. Raises RuntimeError when one is lost."""
    with (
        backbone.running({_TO: [_TYPE]}) as running,
        tempfile.TemporaryDirectory(prefix="trb", dir="/tmp") as folder,
        postgres(Path(folder), durable=True) as server,
    ):
        urls = {each: server.service_url(each, f"delivery_{each}") for each in (_FROM, _TO)}
        context = multiprocessing.get_context("fork")
        reached = context.Event()
        results: Queue[_Done] = context.Queue()
        first, expected = int(rate * _WARM_UP), int(rate * (_WARM_UP + seconds)) - int(rate * _WARM_UP)
        handling = context.Process(target=_handle, args=(urls[_TO], running.bus(), first, expected, reached, results))
        committing = context.Process(target=_commit, args=(urls[_FROM], running.bus(), rate, seconds, reached, results))
        used = {"broker": psutil.Process(running.broker.process.pid), "database": postmaster(Path(folder))}
        before = {each: busy(process) for each, process in used.items()}
        handling.start()
        committing.start()
        done = [results.get(timeout=_ALL_WITHIN + 30) for _ in range(2)]
        spent = {each: busy(process) - before[each] for each, process in used.items()}
        committing.join(30)
        handling.join(30)
    spent |= {each.name: each.spent for each in done}
    times = [each for one in done for each in one.times]
    parts = ", ".join(f"{each} {1000 * spent[each] / rate / (_WARM_UP + seconds):.1f}" for each in spent)
    print(f"  processor time an event, ms: {parts}")
    if len(times) != expected:
        raise RuntimeError(f"the measurement is void: {len(times)} of {expected} events were handled")
    delays = [1000 * (came - committed) for committed, came in times]
    return [
        Figure.of(f"commit → handler at {rate:g} events/s, p99", percentile(delays, 0.99), P99_MS, "ms"),
        Figure.of("commit → handler, median", percentile(delays, 0.5), unit="ms"),
    ]
