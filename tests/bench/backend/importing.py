"""10,000 transactions from a bank to categorised and readable: bank, broker, database and services as processes.

The bank is the sandbox bank over HTTP, with pages of 500; the broker is the embedded Azure's. Of the services, those
run that a transaction passes: consent, connector, account, transaction, enrichment.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from tests.bench.backend import backbone, books
from tests.bench.backend.backbone import Backbone
from tests.bench.backend.figures import Figure, percentile
from tests.bench.backend.services import busy, free_address, postmaster, running
from tests.workloads.platform import SUBSCRIPTIONS, Platform
from tests.workloads.servers import ADMINISTRATOR, Postgres, postgres

BUDGETS = {"taken over": 1.5, "categorised": 1.5}
"""Seconds of the stages: from asking until the ledger holds all, and then until the last one's category is read."""
IN_ALL, AGAIN, PAGE_P99_MS = 3.0, 1.0, 50.0
_SERVICES = ("connector", "consent", "account", "transaction", "enrichment")
_PERSON, _FIRST = "somebody", "first"
_CATEGORISED_WITHIN = 120.0


@dataclass(frozen=True)
class Running:
    """Everything in the path. processes: by name, the broker and the database among them."""

    platform: Platform
    server: Postgres
    processes: Mapping[str, psutil.Process]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the transaction service's database holds."""
        with psycopg.connect(
            host=str(self.server.socket_folder), user=ADMINISTRATOR, dbname="bench_transaction", autocommit=True
        ) as owner:
            found = owner.execute(query.encode())
            return found.fetchall() if found.description else []


class _Tokens:
    """Signs people in once: a token holds for an hour."""

    def __init__(self, bus: Backbone) -> None:
        self._tokens = {each: bus.token(each) for each in (_PERSON, _FIRST)}

    def token(self, person: str) -> str:
        return self._tokens[person]


@contextmanager
def _running() -> Iterator[Running]:
    with ExitStack() as stack:
        bus = stack.enter_context(backbone.running({each: SUBSCRIPTIONS[each] for each in _SERVICES}))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trb", dir="/tmp")))
        server = stack.enter_context(postgres(folder, durable=True))
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tributary-bench-")))
        addresses = {each: free_address() for each in (*_SERVICES, "bank_sandbox")}
        shared = {
            **bus.environment,
            **{f"{each.upper()}_URL": url for each, (_, url) in addresses.items()},
            "BANK_URLS": json.dumps({books.BANK: addresses["bank_sandbox"][1]}),
            "DATA_KEY": base64.b64encode(os.urandom(32)).decode(),
            "SANDBOX_BANK": books.BANK,
        }
        processes = {"broker": psutil.Process(bus.broker.process.pid), "database": postmaster(folder)}
        for each, (port, _) in addresses.items():
            told = shared | {"DATABASE_URL": server.service_url(each, f"bench_{each}")}
            started = running(each, told, logs / f"{each}.log", port, module="tests.bench.backend.process")
            processes[each] = stack.enter_context(started).process
        browser = stack.enter_context(httpx.Client(follow_redirects=False, timeout=30))
        urls = {each: url for each, (_, url) in addresses.items()}
        yield Running(Platform(urls, _Tokens(bus), browser), server, processes)


def _took(name: str, found: Running, what: Callable[[], Any]) -> float:
    """Seconds that something takes; who was busy for how long is printed."""
    before = {each: busy(process) for each, process in found.processes.items()}
    start = time.perf_counter()
    what()
    took = time.perf_counter() - start
    used = {each: busy(process) - before[each] for each, process in found.processes.items()}
    parts = ", ".join(f"{each} {seconds:.2f}" for each, seconds in used.items() if seconds > 0.005)
    print(f"  {name}: {took:.2f} s, of processor time {sum(used.values()):.2f} s: {parts}", flush=True)
    return took


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise RuntimeError(f"the measurement is void: {what}")


def _categorised(client: httpx.Client) -> None:
    """Wait until the newest transaction has its category: it gets it last."""
    deadline = time.monotonic() + _CATEGORISED_WITHIN
    while time.monotonic() < deadline:
        page = client.get("/transactions", params={"limit": 1}).raise_for_status().json()
        if page["transactions"][0]["category"]:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the newest transaction is not categorised after {_CATEGORISED_WITHIN:g} s")


def _written(found: Running) -> list[tuple[Any, ...]]:
    """What tells a write: every row's version (xmin) of what a synchronisation may write."""
    tables = ("ledger_transaction", "ledger", "synchronised_account", "outbox_event", "match_suggestion")
    return [row for table in tables for row in found.rows(f"SELECT count(*), max(xmin::text::bigint) FROM {table}")]


def _pages(client: httpx.Client) -> list[float]:
    """Seconds that each page of the whole ledger takes. Raises RuntimeError when one is not categorised."""
    took, seen, cursor = [], 0, None
    while True:
        start = time.perf_counter()
        page = client.get("/transactions", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
        took.append(time.perf_counter() - start)
        seen, cursor = seen + len(page["transactions"]), page["next_cursor"]
        _demand(all(each["category"] for each in page["transactions"]), "some are not categorised")
        if cursor is None:
            _demand(seen >= books.COUNT, f"{seen} are listed")
            return took


@contextmanager
def _connected(found: Running, person: str, login: str) -> Iterator[httpx.Client]:
    """A client of the transaction service, of a person with the bank's account connected."""
    found.platform.connect(person, books.BANK, login=login, pin=books.PIN)
    headers = {"Authorization": f"Bearer {found.platform.issuer.token(person)}"}
    with httpx.Client(base_url=found.platform.urls["transaction"], headers=headers, timeout=120) as client:
        client.get("/transactions").raise_for_status()
        yield client


def _synchronise(client: httpx.Client) -> None:
    told = client.post("/synchronisations", json={"attended": True}).raise_for_status().json()
    _demand(not told["failures"], f"{told['failures']}")


def _measured(found: Running) -> list[Figure]:
    with _connected(found, _FIRST, books.FIRST_LOGIN) as client:
        _synchronise(client)
        _categorised(client)
    with _connected(found, _PERSON, books.LOGIN) as client:
        stages = {
            "taken over": _took("taken over", found, lambda: _synchronise(client)),
            "categorised": _took("categorised", found, lambda: _categorised(client)),
        }
        pages = _pages(client)
        # So that the bank is asked for the same pages, and not for the last days alone.
        found.rows("UPDATE synchronised_account SET until = NULL")
        before = _written(found)
        again = _took("the same pages again", found, lambda: _synchronise(client))
        _demand(_written(found) == before, "something was written the second time")
    figures = [Figure.of(name, took, BUDGETS[name]) for name, took in stages.items()]
    return [
        *figures,
        Figure.of(f"{books.COUNT} transactions, in all", sum(stages.values()), IN_ALL),
        Figure.of("the same pages again, nothing written", again, AGAIN),
        Figure.of("a page of 100, p99", 1000 * percentile(pages, 0.99), PAGE_P99_MS, "ms"),
    ]


def measure() -> list[Figure]:
    """Bring all up, measure, and take it down."""
    with _running() as found:
        return _measured(found)
