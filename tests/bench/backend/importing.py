"""`make bench-backend`: 10,000 transactions from the connector's answer to categorised and readable, a budget a stage.

Services run in this one process over HTTP and a real PostgreSQL, with the outbox in the path; the bus is the tests' one
in memory, and account service and connector are stand-ins that answer at once. So the bank's and the broker's time are
not in these figures, and all services share one interpreter's lock.
"""

from __future__ import annotations

import datetime
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Response

from tests.bench import categories
from tests.workloads.memory_bus import MemoryBus
from tests.workloads.servers import AUDIENCE, Issuer, Postgres, Servers, postgres
from workloads.chassis.acting import ActingIdentity
from workloads.services.enrichment import api as enrichment
from workloads.services.enrichment.settings import EnrichmentSettings
from workloads.services.transaction import api as transaction
from workloads.services.transaction import handlers
from workloads.services.transaction.settings import TransactionSettings

COUNT = 10_000
BUDGETS = {"taken over": 1.5, "categorised": 1.5, "in all": 3.0, "the same again": 1.0, "a page, p99": 0.05}
"""Seconds. In all: from asking until the last one is listed with its category."""
_SHOPS = ("REWE Markt", "Backhaus Sommer", "Stadtwerke", "Streamhaus", "Hotel Lindner", "Nordwind Software GmbH")
_ACCOUNT = str(uuid.UUID(int=7))


def _entries() -> list[dict[str, Any]]:
    day = datetime.date(2026, 11, 25)
    return [
        {
            "status": "booked", "transaction_id": f"T{n}", "entry_reference": None, "remittance": f"Zahlung {n}",
            "booking_date": (day - datetime.timedelta(days=n // 30)).isoformat(), "value_date": None,
            "amount": {"minor": -100 - n % 9000, "currency": "EUR"}, "counterparty": f"{_SHOPS[n % 6]} {n % 50}",
            "counterparty_iban": None,
        }
        for n in range(COUNT)
    ]  # fmt: skip


def _stand_ins() -> FastAPI:
    app, entries = FastAPI(), _entries()
    account = {"id": _ACCOUNT, "bank": "aurora", "connected": True, "bank_consent_id": _ACCOUNT,
               "bank_account_id": _ACCOUNT}  # fmt: skip

    @app.post("/accounts/refresh")
    def refresh() -> Any:
        return {"accounts": [account], "failures": []}

    told = {"entries": entries, "covers_pending": True, "unreadable": 0, "pages": 10, "date_from": "2020-01-01",
            "date_to": "2026-11-26"}  # fmt: skip
    written = json.dumps(told).encode()  # once: what it costs to write is not the services'

    @app.get("/banks/{bank}/consents/{consent}/accounts/{account}/transactions")
    def listed() -> Any:
        return Response(written, media_type="application/json")

    return app


def _start(server: Postgres, servers: Servers, issuer: Issuer) -> tuple[str, MemoryBus]:
    stand_ins = servers.serve(_stand_ins())
    service = "bench-services"
    shared = {"token_issuer": issuer.url, "token_audience": AUDIENCE,
              "acting_services": f'["{issuer.object_id(service)}"]'}  # fmt: skip
    bus = MemoryBus({"transaction": handlers.HANDLERS, "enrichment": enrichment.HANDLERS})
    listener, url = servers.claim()
    apps = (
        transaction.build(
            TransactionSettings.model_validate(
                {**shared, "database_url": server.service_url("transaction", "bench_transaction"),
                 "account_url": stand_ins, "connector_url": stand_ins}
            )
        ),
        enrichment.build(
            EnrichmentSettings.model_validate(
                {**shared, "database_url": server.service_url("enrichment", "bench_enrichment"),
                 "transaction_url": url}
            )
        ),
    )  # fmt: skip
    listener.listen(64)
    for app, where in zip(apps, (listener, None), strict=True):
        app.state.bus, app.state.acting = bus, ActingIdentity(AUDIENCE, lambda: issuer.token(service))
        servers.serve(app, where)
    return url, bus


def _took(name: str, what: Callable[[], Any]) -> float:
    start, used = time.perf_counter(), time.process_time()
    what()
    took = time.perf_counter() - start
    print(f"{name:<16} {time.process_time() - used:7.3f} s of processor time beside the database's")
    return took


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise RuntimeError(f"the measurement is void: {what}")


def _measure(url: str, bus: MemoryBus, token: str) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        client.get("/transactions").raise_for_status()

        def synchronise() -> None:
            client.post("/synchronisations", json={"attended": True}).raise_for_status()

        def categorised() -> None:
            bus.settle(60)
            time.sleep(0.02)
            bus.settle(60)

        found = {
            "taken over": _took("taken over", synchronise),
            "categorised": _took("categorised", categorised),
        }
        found["in all"] = sum(found.values())
        published = len(bus.published)
        found["the same again"] = _took("the same again", synchronise)
        _demand(len(bus.published) == published, "something was new the second time")
        pages, cursor = [], None
        for _ in range(100):
            start = time.perf_counter()
            page = client.get("/transactions", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
            pages.append(time.perf_counter() - start)
            cursor = page["next_cursor"]
            _demand(all(each["category"] for each in page["transactions"]), "some are not categorised")
            if cursor is None:
                break
        _demand(len(pages) == COUNT // 100, "not all are listed")
        found["a page, p99"] = sorted(pages)[-2]
        half = len(pages) // 2
        first, last = statistics.median(pages[:half]), statistics.median(pages[half:])
        print(f"{'a page, median':<16} {first:7.3f} s of the first half, {last:.3f} s of the second")
        return found


def main() -> int:
    """Measure, print, judge."""
    servers, issuer = Servers(), Issuer()
    with tempfile.TemporaryDirectory(prefix="trb", dir="/tmp") as folder, postgres(Path(folder)) as server:
        try:
            found = _measure(*_start(server, servers, issuer), issuer.token("somebody"))
        finally:
            servers.close()
            issuer.close()
    broken = [name for name, budget in BUDGETS.items() if found[name] > budget]
    print(f"{COUNT} transactions, all services in one process, without bank and broker:")
    for name, budget in BUDGETS.items():
        print(f"{name:<16} {found[name]:7.3f} s of {budget:.2f} s{'   TOO SLOW' if name in broken else ''}")
    print()
    return 1 if categories.main() or broken else 0


if __name__ == "__main__":
    sys.exit(main())
