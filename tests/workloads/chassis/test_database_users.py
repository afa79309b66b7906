"""A service's user on Azure SQL, as T-SQL to review; for real where somebody names a database to try it on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from workloads.chassis import database_users, migrate, sensitivity
from workloads.chassis.database import Database
from workloads.chassis.database_users import mssql
from workloads.chassis.database_users.identity import ServiceIdentity

CONSENT = ServiceIdentity(
    "consent", uuid.UUID("aaaaaaaa-0000-0000-0000-000000000000"), uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
)
REAL = os.environ.get("TRIBUTARY_TEST_AZURE_SQL")
"""SQLAlchemy URL without credentials of an empty Azure SQL database that the signed-in identity administers."""


def test_the_user_is_made_by_the_identitys_client_id_in_sql_servers_byte_order() -> None:
    assert mssql.user_statements(CONSENT) == [
        "DROP USER IF EXISTS [consent]",
        "CREATE USER [consent] WITH SID = 0x33221100554477668899AABBCCDDEEFF, TYPE = E",
    ]
    assert "33221100554477668899AABBCCDDEEFF" in mssql.find_user(CONSENT)


def test_the_user_may_read_and_write_rows_and_neither_change_tables_nor_the_list_of_migrations() -> None:
    rights = mssql.right_statements(CONSENT)
    granted = {
        word
        for each in rights
        if each.startswith("GRANT")
        for word in each.split(" ON ")[0].replace(",", "").split()[1:]
    }
    assert granted <= {"CONNECT", "TO", "[consent]", "SELECT", "INSERT", "UPDATE", "DELETE"}
    assert any(each.startswith("DENY") and "alembic_version" in each for each in rights)
    assert not [each for each in rights if "db_owner" in each or "CONTROL" in each or "ALTER" in each]


@given(st.text(min_size=1, max_size=40))
def test_no_name_ends_its_own_quotes(name: str) -> None:
    assert mssql.quoted(name)[1:-1].replace("]]", "").count("]") == 0
    assert mssql.text(name)[2:-1].replace("''", "").count("'") == 0


@pytest.fixture
def azure_sql() -> Iterator[Connection]:
    if not REAL:
        pytest.skip("TRIBUTARY_TEST_AZURE_SQL names no Azure SQL database to try it on")
    database = Database(REAL)
    with database.engine.connect() as connection:
        yield connection
        for statement in (f"DROP USER IF EXISTS {mssql.quoted(CONSENT.name)}",):
            connection.exec_driver_sql(statement)
        connection.commit()
    database.close()


def test_azure_sql_takes_user_migrations_rights_and_labels_twice(azure_sql: Connection) -> None:
    for first in (True, False):
        assert database_users.create(azure_sql, CONSENT) is first
        migrate.upgrade(azure_sql, "account")
        database_users.grant(azure_sql, CONSENT)
        assert sensitivity.classify(azure_sql, "account") == len(sensitivity.statements("account"))
        azure_sql.commit()
    labelled = "SELECT COUNT(*) FROM sys.sensitivity_classifications"
    assert azure_sql.exec_driver_sql(labelled).scalar() == len(sensitivity.statements("account"))
