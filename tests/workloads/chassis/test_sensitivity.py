"""What is labelled is there, and what is kept encrypted is labelled."""

from __future__ import annotations

import importlib

import pytest
from sqlalchemy import LargeBinary, MetaData

from local.instance import REPOSITORY
from workloads.chassis import sensitivity

SERVICES = sorted(each.parent.name for each in (REPOSITORY / "workloads" / "services").glob("*/models.py"))
KEYS = "user_key"
"""Users' keys, which are wrapped: of no use without the vault."""


def tables(service: str) -> MetaData:
    return importlib.import_module(f"workloads.services.{service}.models").Base.metadata


@pytest.mark.parametrize("service", SERVICES)
def test_a_label_is_of_a_column_that_is_there(service: str) -> None:
    for table, columns in sensitivity.labels(service).items():
        assert set(columns) <= set(tables(service).tables[table].columns.keys()), table


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_is_kept_encrypted_is_labelled(service: str) -> None:
    labelled = {(table, column) for table, columns in sensitivity.labels(service).items() for column in columns}
    encrypted = {
        (table.name, column.name)
        for table in tables(service).tables.values()
        if table.name != KEYS
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert encrypted <= labelled


def test_a_label_replaces_the_one_before_and_names_kind_and_rank() -> None:
    assert (
        "ADD SENSITIVITY CLASSIFICATION TO dbo.[account].[number] WITH "
        "(LABEL = N'Confidential - GDPR', INFORMATION_TYPE = N'Banking', RANK = HIGH)"
    ) in sensitivity.statements("account")


def test_a_service_without_personal_data_of_its_own_has_no_labels() -> None:
    assert sensitivity.statements("bank_sandbox") == []
