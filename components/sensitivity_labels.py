"""Sensitivity labels: what kind of data a database's columns hold, for audits and threat detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import sql

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class LabelArgs:
    """The label of one column. information: e.g. "Financial". label: e.g. "Confidential - GDPR"."""

    table: str
    column: str
    information: str
    label: str
    rank: Literal["Low", "Medium", "High", "Critical"]
    schema: str = "dbo"


def label_columns(
    name: str,
    labels: Sequence[LabelArgs],
    server: sql.Server,
    database: sql.Database,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """Labels columns. They must exist: opts waits for what makes them."""
    for each in labels:
        sql.SensitivityLabel(
            f"{name}-{each.table}-{each.column}",
            sensitivity_label_source="current",
            column_name=each.column,
            table_name=each.table,
            schema_name=each.schema,
            database_name=database.name,
            server_name=server.name,
            resource_group_name=site.resource_group,
            information_type=each.information,
            label_name=each.label,
            rank=sql.SensitivityLabelRank(each.rank),
            opts=opts,
        )
