"""Sensitivity: what a service's columns hold, told to Azure SQL's data classification after the migrations.

Auditors read it in sys.sensitivity_classifications, and audit logs say which of it was read. PostgreSQL knows no such
thing. Labels are data, ``sensitivity.yaml`` beside a service's models: table → column → kind of information.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from sqlalchemy import Connection

from workloads.chassis.database_users.mssql import quoted, text

_SERVICES = Path(__file__).resolve().parent.parent / "services"
LABEL = "Confidential - GDPR"
RANKS = {"Banking": "HIGH", "Contact Info": "HIGH", "Credentials": "CRITICAL", "Financial": "MEDIUM", "Name": "MEDIUM"}
"""Kinds of information (those of Microsoft's own policy), and how bad it is when one gets out."""


def labels(service: str) -> Mapping[str, Mapping[str, str]]:
    """Kind of information by column, by table; empty for a service that holds none.

    Raises ValueError for a kind that is not known.
    """
    file = _SERVICES / service / "sensitivity.yaml"
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(file.read_text()) if file.is_file() else {}
    for table, columns in found.items():
        for column, kind in columns.items():
            if kind not in RANKS:
                raise ValueError(f"{file.name}: {table}.{column} is {kind!r}; allowed: {', '.join(sorted(RANKS))}.")
    return found


def statements(service: str) -> list[str]:
    """T-SQL that labels a service's columns. A label that is there already is replaced: each can be repeated."""
    return [
        f"ADD SENSITIVITY CLASSIFICATION TO dbo.{quoted(table)}.{quoted(column)} WITH "
        f"(LABEL = {text(LABEL)}, INFORMATION_TYPE = {text(kind)}, RANK = {RANKS[kind]})"
        for table, columns in labels(service).items()
        for column, kind in columns.items()
    ]


def classify(connection: Connection, service: str) -> int:
    """Label the columns of a migrated database; how many were."""
    if connection.dialect.name != "mssql":
        return 0
    told = statements(service)
    for statement in told:
        connection.exec_driver_sql(statement)
    return len(told)
