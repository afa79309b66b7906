"""Which account at the identity provider is a person's: kept sealed, as the person is gone when it is to be deleted."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis.events.consumer import Handling
from workloads.chassis.identity import User
from workloads.services.user.directory import Directory
from workloads.services.user.models import Profile

_PURPOSE = "account"


def of(user: User) -> uuid.UUID | None:
    """The account that a person's own token names; None for a service that acts, or where accounts have other ids."""
    try:
        return uuid.UUID(user.subject or "")
    except ValueError:
        return None


def keep(state: Any, session: Session, user: User, row: Profile) -> None:
    """Keep it with the person's profile, once. state: the application's. Raises Problem 503 without the vault."""
    account = of(user)
    if state.directory is None or account is None or row.account is not None:
        return
    cipher = state.keys.cipher(session, user.id)
    state.keys.hold(session, user.id, cipher)
    row.account = cipher.seal(str(account), _PURPOSE)


def delete(handling: Handling) -> int:
    """Delete the account of a person who is being erased; how many there were. Raises Unavailable."""
    directory: Directory | None = handling.app.directory
    if directory is None:
        return 0
    with handling.database.session(handling.user) as session:
        sealed = session.scalar(select(Profile.account))
        cipher = handling.app.keys.cipher(session, handling.user) if sealed else None
    if sealed is None or cipher is None:
        return 0
    directory.delete(uuid.UUID(cipher.open(sealed, _PURPOSE)))
    return 1
