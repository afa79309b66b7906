"""Every statement and migration also compiles for Azure SQL, and what compiling would hide is refused before it."""

from __future__ import annotations

import ast
import datetime
import io
import uuid
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Unicode, Uuid, select
from sqlalchemy.dialects import mssql, postgresql

from local.instance import REPOSITORY
from tests.workloads.mssql import Recorder, compiled, faults
from tests.workloads.platform import Platform
from workloads.chassis import dialect, migrate, paging
from workloads.services.transaction.models import Transaction

SERVICES = REPOSITORY / "workloads" / "services"
MIGRATED = sorted(each.parent.name for each in SERVICES.glob("*/migrations"))
FORBIDDEN = {
    "with_for_update": "use dialect.locked: SQLAlchemy drops the lock for mssql",
    "with_hint": "use dialect.locked",
    "on_conflict_do_update": "use dialect.upsert",
    "on_conflict_do_nothing": "use dialect.upsert",
    "returning": "let the session fetch what it needs",
    "ilike": "collations differ; compare lower-cased text",
    "offset": "page with paging.newest_first",
    "raw_connection": "statements go through the session, which binds them to the user",
    "engine": "statements go through the session, which binds them to the user",
}

NOT_IMPORTED = {"text", "literal_column", "tuple_", "literal", "TextClause"}
"""Of SQLAlchemy: textual SQL has no variant per dialect, and Azure SQL no row values."""


def calls(source: str) -> Iterator[tuple[int, str, ast.Call | ast.Attribute]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield node.lineno, name, node
        elif isinstance(node, ast.Attribute) and node.attr == "engine":
            yield node.lineno, node.attr, node


def lint(source: str) -> list[str]:
    """What service code does past the chassis."""
    found = []
    for line, name, node in calls(source):
        if name in FORBIDDEN:
            found.append(f"line {line}: {name}: {FORBIDDEN[name]}")
        if name == "order_by" and isinstance(node, ast.Call):
            for argument in node.args:
                ordered = ast.unparse(argument).removesuffix(".desc()").removesuffix(".asc()")
                if ordered.endswith((".id", "_id")) or ordered in ("id", "'id'"):
                    found.append(f"line {line}: order by {ordered}: use dialect.identifier_order, or a date")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found += [f"imports {each.name} of {node.module}" for each in node.names if each.name in NOT_IMPORTED]
            found += ["imports a dialect"] if "dialects" in (node.module or "") else []
    return found


@pytest.mark.parametrize(
    "bad",
    [
        "select(A).with_for_update(skip_locked=True)",
        "insert(A).on_conflict_do_nothing()",
        "select(A).order_by(A.id)",
        "select(A).order_by(A.date, A.account_id.desc())",
        "from sqlalchemy import select, text",
        "from sqlalchemy.dialects.postgresql import insert",
        "request.app.state.database.engine.connect()",
        "select(A).offset(10)",
    ],
)
def test_the_lint_finds_what_compiling_would_hide(bad: str) -> None:
    assert lint(bad)


@pytest.mark.parametrize("path", sorted(SERVICES.rglob("*.py")), ids=lambda p: str(p.relative_to(SERVICES)))
def test_services_lock_upsert_and_order_by_id_through_the_chassis_only(path: Path) -> None:
    assert lint(path.read_text()) == []


def test_a_lost_lock_and_a_leftover_word_are_found() -> None:
    query = select(Transaction).where(Transaction.id == uuid.uuid4())
    assert "its lock is lost" in faults(query.with_for_update())[0]
    assert any("SKIP LOCKED is lost" in each for each in faults(query.with_for_update(skip_locked=True)))
    assert any("left over" in each for each in faults(select(Transaction.counterparty.op("~* ")("x"))))
    assert faults(dialect.locked(query, Transaction, skip_locked=True)) == []


def test_skip_locked_is_readpast_on_azure_sql() -> None:
    query = dialect.locked(select(Transaction), Transaction, skip_locked=True)
    assert compiled(query, postgresql.dialect()).endswith("FOR UPDATE SKIP LOCKED")
    assert "WITH (UPDLOCK, ROWLOCK, READPAST)" in compiled(query, mssql.dialect())


def test_upsert_is_merge_on_azure_sql() -> None:
    table = Table(
        "t", MetaData(), Column("id", Uuid, primary_key=True), Column("name", Unicode(5)), Column("n", Integer)
    )
    update = dialect.Upsert(table, ["id", "name", "n"], ["id"], ["n"], count=2)
    assert compiled(update, postgresql.dialect()).endswith("ON CONFLICT (id) DO UPDATE SET n = excluded.n")
    there = compiled(update, mssql.dialect())
    assert there.startswith("MERGE INTO t WITH (HOLDLOCK) AS target USING (VALUES (")
    assert "WHEN MATCHED THEN UPDATE SET n = source.n WHEN NOT MATCHED THEN INSERT" in there
    assert there.endswith(";"), "MERGE must end with a semicolon"
    leave = dialect.Upsert(table, ["id", "name", "n"], ["id"])
    assert compiled(leave, postgresql.dialect()).endswith("ON CONFLICT (id) DO NOTHING")
    assert "WHEN MATCHED" not in compiled(leave, mssql.dialect())


def test_upserts_of_one_form_are_compiled_once_whatever_their_values() -> None:
    table = Table("t", MetaData(), Column("id", Uuid, primary_key=True), Column("n", Integer))

    def key(*form: Any, count: int = 1) -> Any:
        found = dialect.Upsert(table, ["id", "n"], *form, count=count)._generate_cache_key()
        assert found, "it can be kept in SQLAlchemy's cache"
        return found.key

    assert key(["id"]) == key(["id"])
    assert len({key(["id"]), key(["id"], ["n"]), key(["n"]), key(["id"], count=2)}) == 4
    rows = [{"id": uuid.uuid4(), "n": 1}, {"id": uuid.uuid4(), "n": 2}]
    upsert = dialect.Upsert(table, ["id", "n"], ["id"], count=2)
    assert set(upsert.parameters(rows).values()) == {value for row in rows for value in row.values()}
    assert upsert.told(upsert.parameters(rows), "n") == {1, 2}


def test_identifier_order_is_text_order_on_azure_sql() -> None:
    query = select(Transaction.id).order_by(dialect.identifier_order(Transaction.id))
    assert compiled(query, postgresql.dialect()).endswith("ORDER BY ledger_transaction.id")
    assert compiled(query, mssql.dialect()).endswith("ORDER BY CONVERT(char(36), ledger_transaction.id)")


def test_a_page_needs_no_row_values() -> None:
    columns = Transaction.date, Transaction.sequence
    query = paging.newest_first(select(Transaction.sequence), *columns, 10, first=False)
    assert faults(query) == []
    after = paging.after(paging.encode(datetime.date(2026, 1, 2), 7))
    told = str(query.params(after).compile(dialect=mssql.dialect(), compile_kwargs={"literal_binds": True}))
    assert "TOP 11" in told
    assert "date < '2026-01-02' OR ledger_transaction.sequence < 7" in told


@pytest.mark.parametrize("service", MIGRATED)
def test_every_migration_compiles_for_azure_sql(service: str) -> None:
    told = io.StringIO()
    with redirect_stdout(told):
        migrate.sql(service, "mssql")
    script = told.getvalue()
    assert "CREATE TABLE" in script
    assert not [word for word in ("SERIAL", "BYTEA", "TIMESTAMP WITH", "BOOLEAN", "::", "UUID") if word in script]


def test_every_statement_that_the_services_execute_compiles_for_azure_sql(
    platform: Platform, statements: Recorder
) -> None:
    person = f"dialect-{uuid.uuid4()}"
    consent = platform.connect(person, "aurora")
    platform.connect(person, "borealis")
    platform.synchronise(person)
    platform.synchronise(person, attended=False)
    platform.history(person, limit=100, date_from="2026-01-01", date_to="2099-01-01")
    platform.call(person, "consent", "DELETE", f"/consents/{consent['id']}")
    platform.call(person, "consent", "GET", f"/consents/{consent['id']}/evidence")

    assert statements.faults == []
    text = "\n".join(statements.seen)
    tables = {name for name in ("consent", "authorisation", "access", "bank_consent", "bank_account", "bank_call",
              "user_key", "consent_evidence", "account", "balance", "ledger_transaction", "synchronised_account")
              if f" {name}" in text}  # fmt: skip
    assert len(tables) == 12, "the flow touches every table"
    assert any("MERGE INTO" in each for each in statements.seen.values())
    assert any("UPDLOCK" in each for each in statements.seen.values())
