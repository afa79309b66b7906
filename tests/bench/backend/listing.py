"""Listing and searching a million transactions of a thousand people, through the API of the service's own process.

One person in a hundred has ten times as many transactions as the others. Half of the pages lie deep in a ledger.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.bench.backend import ledgers, load
from tests.bench.backend.figures import Figure, percentile
from tests.bench.backend.ledgers import Person
from tests.bench.backend.services import Service, busy, postmaster, running
from tests.workloads.servers import ADMINISTRATOR, AUDIENCE, Issuer, postgres
from workloads.chassis.database import Database

PAGE_P99_MS, DEEPER = 50.0, 1.3
"""Promised: 99 of 100 pages; how much longer a ledger's last pages may take than its first."""
_PARTS = 4
_AT_A_TIME = 10  # people
_LARGE_EVERY, _LARGE = 100, 10
_ACCOUNTS = 3
_WALKED = 30
"""People whose ledgers are read to the end before, so that a page anywhere in them can be asked for."""
_TELL_EVERY = 10.0


@dataclass(frozen=True)
class Asked:
    """A page that is asked for. kind: of the request."""

    kind: str
    person: Person
    params: dict[str, Any]


@dataclass
class Readers:
    """Everybody, and pages of some of them: cursors by user."""

    people: list[Person]
    tokens: dict[uuid.UUID, str]
    cursors: dict[uuid.UUID, list[str]] = field(default_factory=dict)

    def requests(self, draw: random.Random) -> Iterator[Asked]:
        """Pages without end: lists, searches and filters, half of them deep in a ledger."""
        walked = [each for each in self.people if each.user in self.cursors]
        while True:
            kind = draw.choice(("list", "list", "search", "rare search", "filter"))
            params: dict[str, Any] = {"limit": draw.choice((50, 50, 50, 200)), **_wanted(kind, draw)}
            person = draw.choice(self.people)
            if draw.random() < 0.5:
                person, kind = draw.choice(walked), f"{kind}, deep"
                params["cursor"] = draw.choice(self.cursors[person.user])
            if params.pop("of an account", False):
                params["account_id"] = str(draw.choice(person.accounts))
            yield Asked(kind, person, params)


def _wanted(kind: str, draw: random.Random) -> dict[str, Any]:
    shop = draw.choice(list(ledgers.SHOPS))
    if kind == "search":
        return {"text": shop.split()[0].lower()}
    if kind == "rare search":
        return {"text": ledgers.RARE}
    if kind == "filter":
        return draw.choice(
            (
                {"category": ledgers.SHOPS[shop]},
                {"of an account": True},
                {"date_from": "2025-03-01", "date_to": "2025-05-31"},
                {"minimum": -5000, "maximum": -1000},
            )
        )
    return {}


def people(issuer: Issuer, users: int, rows: int) -> list[Person]:
    """So many, with so many transactions together."""
    weights = [_LARGE if number % _LARGE_EVERY == 0 else 1 for number in range(users)]
    return [
        Person(
            issuer.pseudonym(f"reader-{number}"),
            rows * weight // sum(weights),
            [uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{account}") for account in range(_ACCOUNTS)],
        )
        for number, weight in enumerate(weights)
    ]


def _fill(url: str, some: Sequence[Person], part: int) -> int:
    database = Database(url)
    for each in some:
        ledgers.fill(database, each, part, _PARTS)
    database.close()
    return sum(each.rows for each in some) // _PARTS


def fill(url: str, everybody: Sequence[Person]) -> None:
    """Fill the database, part by part, and say how far it is."""
    total, done, start = sum(each.rows for each in everybody), 0, time.monotonic()
    told = start
    with ProcessPoolExecutor(2) as pool:
        for part in range(_PARTS):
            groups = [everybody[first : first + _AT_A_TIME] for first in range(0, len(everybody), _AT_A_TIME)]
            for each in as_completed([pool.submit(_fill, url, some, part) for some in groups]):
                done += each.result()
                if (now := time.monotonic()) - told > _TELL_EVERY:
                    told = now
                    print(f"{done:,} of {total:,} transactions are there after {now - start:.0f} s", flush=True)
    print(f"{total:,} transactions of {len(everybody)} people are there after {time.monotonic() - start:.0f} s")


def measure(rows: int, users: int, rate: float, seconds: float) -> list[Figure]:
    """Fill, read, and say how long pages took."""
    issuer = Issuer()
    everybody = people(issuer, users, rows)
    with tempfile.TemporaryDirectory(prefix="trb", dir="/tmp") as name, postgres(Path(name)) as server:
        url = server.service_url("transaction", "listing")
        fill(url, everybody)
        with psycopg.connect(
            host=str(server.socket_folder), user=ADMINISTRATOR, dbname="listing", autocommit=True
        ) as owner:
            owner.execute("VACUUM ANALYZE")  # what the server does by itself a minute later
        environment = {
            "DATABASE_URL": url, "DATA_KEY": ledgers.DATA_KEY, "TOKEN_ISSUER": issuer.url, "TOKEN_AUDIENCE": AUDIENCE,
            "ACCOUNT_URL": "http://127.0.0.1:9", "CONNECTOR_URL": "http://127.0.0.1:9",
        }  # fmt: skip
        tokens = {each.user: issuer.token(f"reader-{n}", exp=2**32) for n, each in enumerate(everybody)}
        log = Path(name) / "transaction.log"
        try:
            with running("transaction", environment, log) as service, _client(service) as client:
                return _read(client, service, Readers(everybody, tokens), Path(name), rate, seconds)
        finally:
            issuer.close()


def _client(service: Service) -> httpx.Client:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    return httpx.Client(base_url=service.url, timeout=30, limits=limits)


def _page(client: httpx.Client, readers: Readers, asked: Asked) -> httpx.Response:
    headers = {"Authorization": f"Bearer {readers.tokens[asked.person.user]}"}
    return client.get("/transactions", params=asked.params, headers=headers).raise_for_status()


def _read(
    client: httpx.Client, service: Service, readers: Readers, folder: Path, rate: float, seconds: float
) -> list[Figure]:
    deeper = _walk(client, readers)
    processes = service.process, postmaster(folder)
    before = [busy(each) for each in processes]
    asked = readers.requests(random.Random(11))
    found = load.offer(asked, rate, seconds, lambda each: _page(client, readers, each))
    used = [1000 * (busy(each) - start) / len(found) for each, start in zip(processes, before, strict=True)]
    for kind in sorted({each.request.kind for each in found}):
        took = [1000 * each.took for each in found if each.request.kind == kind]
        print(
            f"  {kind:<20} {len(took):5} pages, p50 {percentile(took, 0.5):6.1f} ms, p99 {percentile(took, 0.99):6.1f}"
        )
    late = percentile([1000 * each.late for each in found], 0.99)
    print(f"  sent late, p99: {late:.1f} ms; that counts, too")
    took = [1000 * each.took for each in found]
    return [
        Figure.of(f"a page at {rate:g} requests/s, p99", percentile(took, 0.99), PAGE_P99_MS, "ms"),
        Figure.of("a page, median", statistics.median(took), unit="ms"),
        Figure.of("the last tenth of a ledger's pages to the first", deeper, DEEPER, "times"),
        Figure.of("processor time a page, service", used[0], unit="ms"),
        Figure.of("processor time a page, database", used[1], unit="ms"),
    ]  # fmt: skip


def _walk(client: httpx.Client, readers: Readers) -> float:
    """Read some ledgers from the newest transaction to the oldest; how much longer the last pages take."""
    ratios = []
    for person in readers.people[::_LARGE_EVERY] + readers.people[1 :: max(1, len(readers.people) // _WALKED)]:
        took, cursors, cursor = [], [], None
        while True:
            params = {"limit": 50} | ({"cursor": cursor} if cursor else {})
            start = time.perf_counter()
            page = _page(client, readers, Asked("walk", person, params))
            took.append(time.perf_counter() - start)
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break
            cursors.append(cursor)
        readers.cursors[person.user] = cursors
        if (tenth := len(took) // 10) > 5:
            ratios.append(statistics.median(took[-tenth - 1 : -1]) / statistics.median(took[1 : tenth + 1]))
    print(f"{len(readers.cursors)} ledgers read to the end")
    return statistics.median(ratios) if ratios else float("nan")
