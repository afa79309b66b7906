"""Prepared queries: those asked so often that to make one anew, and to bind it, takes longer than to answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from workloads.chassis import tenancy


class PreparedQuery:
    """A query of one table of users' rows, made and bound once; each execution says for which user.

    query: of the table's columns, as the object mapper's take several times as long; what differs between executions
    are bind parameters with names. Raises UnboundQuery for one that can't be bound.
    """

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self.statement = tenancy.bound(query)

    def rows(self, session: Session, **parameters: Any) -> Sequence[Row[*tuple[Any, ...]]]:
        """What it finds of the session's user. Raises UnboundQuery where the session has none."""
        asked = dict(parameters, **{tenancy.USER: tenancy.user(session)})
        session.flush()  # as the session itself does before a query
        return session.connection().execute(self.statement, asked).all()
