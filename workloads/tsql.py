"""What Azure SQL is asked, as T-SQL to be reviewed: each service's migrations, and the queries that are asked most.

    python -m workloads.tsql [--check]

Writes docs/tsql; with --check it only says which files are not as they would be written, and ends with 1 if any.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import mssql
from sqlalchemy.sql.elements import ClauseElement

from workloads import made_files
from workloads.chassis import dialect, migrate, tasks
from workloads.chassis.events import relay
from workloads.chassis.events.tables import HandledEvent
from workloads.services.transaction import store
from workloads.services.transaction.models import Ledger

FILES = Path("docs/tsql")
_MADE = "-- Made by `python -m workloads.tsql`.\n"
_BOUND = "-- Each table of users' rows is also bound to its user: where that is not said here, a session adds it.\n"


def hot_queries() -> Mapping[str, ClauseElement]:
    """The queries that are asked most, by what they are for."""
    handled = ["source", "event_id"]
    inbox: Any = HandledEvent.__table__
    everything = store.Filter(
        text="rent", category="housing", minimum=-100_000, maximum=0, indexes=["\N{SYMBOL FOR NULL}"]
    )
    return {
        "A page of the history": store.page_query(store.Filter(), None, 50),
        "A page of a search": store.page_query(everything, None, 50),
        "What changed since a revision": store.changes_query(0, 500),
        "The user's ledger, locked": dialect.locked(store.ledger_query(), Ledger),
        "An event is claimed": dialect.Upsert(inbox, [*handled, "at"], handled),
        "The relay's turn": relay.turn_query(),
        "Events to publish": relay.oldest_query(),
        "The task that is longest due": tasks.due_query(["a kind"]),
    }


def written() -> Mapping[Path, str]:
    """Every file, by its path."""
    services = sorted(each.parent.name for each in (made_files.ROOT / "workloads/services").glob("*/migrations"))
    found = {FILES / f"{each.replace('_', '-')}.sql": _MADE + _migrations(each) for each in services}
    queries = "".join(_query(what, statement) for what, statement in hot_queries().items())
    return {**found, FILES / "hot-queries.sql": _MADE + _BOUND + queries}


def _migrations(service: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        migrate.sql(service, "mssql")
    return told.getvalue()


def _query(what: str, statement: ClauseElement) -> str:
    named = mssql.dialect(paramstyle="named")
    compiled = statement.compile(dialect=named, compile_kwargs={"render_postcompile": True})
    return f"\n-- {what}\n{str(compiled).rstrip(';')};\n"


def differences(root: Path = made_files.ROOT) -> list[str]:
    """The files that are not as they would be written, and those of nothing."""
    return made_files.differences(written(), root)


def main() -> int:
    """Write the files, or check them."""
    return made_files.write_or_check("workloads.tsql", __doc__, written)


if __name__ == "__main__":
    sys.exit(main())
