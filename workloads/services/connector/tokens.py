"""Tokens that banks gave to users: kept sealed, renewed when they are over, opened in the connector only."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import dialect
from workloads.chassis.database import Database
from workloads.chassis.userkeys import Cipher
from workloads.services.connector.models import BankToken
from workloads.services.connector.oauth import over
from workloads.services.connector.port import Tokens

_ACCESS, _REFRESH = "access token", "refresh token"


def keep(session: Session, cipher: Cipher, user: uuid.UUID, consent_id: uuid.UUID, tokens: Tokens) -> None:
    """Keep a consent's tokens, in the place of those before."""
    row = {
        "consent_id": consent_id, "user_id": user, "access": cipher.seal(tokens.access, _ACCESS),
        "refresh": cipher.seal(tokens.refresh, _REFRESH) if tokens.refresh else None, "expires": tokens.expires,
    }  # fmt: skip
    dialect.upsert(session, BankToken, [row], key=["consent_id"], update=["access", "refresh", "expires"])


@dataclass(frozen=True)
class UserToken:
    """The token of a user's consent. renewing: asks the bank for new ones by a refresh token."""

    database: Database
    user: uuid.UUID
    consent_id: uuid.UUID
    cipher: Callable[[Session], Cipher]
    renewing: Callable[[str], Tokens]

    @property
    def value(self) -> str | None:
        """The token, renewed when it is over; None where there is none. Raises BankFailure."""
        with self.database.session(self.user) as session:
            row = session.scalar(select(BankToken).where(BankToken.consent_id == self.consent_id))
            found = self.cipher(session).open(row.access, _ACCESS) if row else None
            renewable = row is not None and row.refresh is not None and over(row.expires)
        return (self.renew(found) or found) if renewable and found else found

    def renew(self, refused: str) -> str | None:
        """Another token in the place of one that is over or was refused; None where none can be had.

        The row is locked: of several that find the token over, one renews it and the others take that. Raises
        BankFailure.
        """
        with self.database.session(self.user) as session:
            query = select(BankToken).where(BankToken.consent_id == self.consent_id)
            row = session.scalar(dialect.locked(query, BankToken))
            if row is None or row.refresh is None:
                return None
            cipher = self.cipher(session)
            if (current := cipher.open(row.access, _ACCESS)) != refused:
                return current
            tokens = self.renewing(cipher.open(row.refresh, _REFRESH))
            keep(session, cipher, self.user, self.consent_id, tokens)
            return tokens.access
