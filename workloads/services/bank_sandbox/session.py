"""The transaction of a request to the bank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session


def open_session(request: Request) -> Iterator[Session]:
    """The request's transaction: a bank's customers are no users of ours, so no user binds it."""
    with request.app.state.database.session() as session:
        yield session


Transaction = Annotated[Session, Depends(open_session, scope="function")]
