"""One access to a bank for a user: its ledger entries, its quota, its sealed ids opened only here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.chassis.calls import PSU_ADDRESS
from workloads.chassis.database import Database
from workloads.chassis.identity import User
from workloads.chassis.problems import not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.connector import store
from workloads.services.connector.health import HealthBoard
from workloads.services.connector.models import BankConsent, Call
from workloads.services.connector.port import Bank, Context, Progress, Step, Tokens
from workloads.services.connector.sections.reading import Quota
from workloads.services.connector.tokens import UserToken

_COUNTED = ("accounts", "balances", "transactions")


@dataclass(frozen=True)
class CallLedger:
    """The ledger of one user's calls to one bank, in transactions of its own: a call is on record whatever follows."""

    database: Database
    user: User
    bank: str
    quota: Quota
    attended: bool
    health: HealthBoard
    consent_id: uuid.UUID | None = None
    account_id: uuid.UUID | None = None

    def begin(self, operation: str, request_id: str, page: int) -> None:
        """Count and write down a request before it is sent. Raises Problem 429 quota-exhausted."""
        with self.database.session(self.user.id) as session:
            first = page == 0 or self.quota.pages_count
            if not self.attended and self.consent_id and operation in _COUNTED and first:
                store.spend(session, self.quota, self.consent_id, self.account_id, operation)
            session.add(
                Call(
                    id=uuid.UUID(request_id), bank=self.bank, consent_id=self.consent_id, account_id=self.account_id,
                    operation=operation, attended=self.attended, page=page, status=None, at=clock.now(),
                )
            )  # fmt: skip

    def end(self, request_id: str, status: int | None) -> None:
        """Write down how it was answered."""
        with self.database.session(self.user.id) as session:
            session.get_one(Call, uuid.UUID(request_id)).status = status
            self.health.tell(session, self.bank, status)


@dataclass(frozen=True)
class Desk:
    """What an endpoint needs: the bank, the user, and whether that person asked for this call."""

    request: Request
    bank: Bank
    user: User

    @classmethod
    def at(cls, request: Request, bank: str, user: User) -> Desk:
        """The desk of a bank. Raises Problem 404 for a bank without a profile."""
        found = request.app.state.banks.get(bank)
        if found is None:
            raise not_found("bank")
        return cls(request, found, user)

    @property
    def psu_address(self) -> str | None:
        """The person's address; None when nobody asked for this call."""
        return self.request.headers.get(PSU_ADDRESS)

    @property
    def database(self) -> Database:
        """The connector's database."""
        return self.request.app.state.database

    def cipher(self, session: Session) -> Cipher:
        """The user's cipher. Raises Problem 503 when the vault can't be asked."""
        return self.request.app.state.keys.cipher(session, self.user.id)

    def context(
        self, values: dict[str, str | None], consent_id: uuid.UUID | None = None, account_id: uuid.UUID | None = None
    ) -> Context:
        """A context whose every request is written to the ledger."""
        profile, attended = self.bank.profile, self.psu_address is not None
        ledger = CallLedger(
            self.database, self.user, profile.id, profile.quota, attended, self.request.app.state.health, consent_id,
            account_id,
        )  # fmt: skip
        return Context(values=values, psu_address=self.psu_address, ledger=ledger)

    def existing(self, consent_id: uuid.UUID, account_id: uuid.UUID | None = None, **values: str | None) -> Context:
        """A context under a consent of the user's. Raises Problem 404 when it, or the account, is not the user's."""
        with self.database.session(self.user.id) as session:
            row = store.consent(session, self.bank.profile.id, consent_id)
            cipher = self.cipher(session)
            progress = opened(cipher, row)
            known: dict[str, str | None] = {
                "consent_id": cipher.open(row.consent_ref, "consent") if row.consent_ref else None,
                "psu_id": cipher.open(row.psu_id, "psu") if row.psu_id else None,
                "psu_corporate_id": progress.psu_corporate_id,
                "authorisation_id": row.authorisation_id,
                "redirect_uri": row.redirect_uri,
                "nok_redirect_uri": row.nok_redirect_uri,
            }
            if account_id:
                known["account_id"] = cipher.open(store.account(session, consent_id, account_id).resource, "account")
        context = self.context({**known, **values}, consent_id, account_id)
        return replace(context, token=self._token(consent_id, progress, context)) if self._gives_tokens else context

    @property
    def _gives_tokens(self) -> bool:
        return self.bank.profile.oauth is not None

    def _token(self, consent_id: uuid.UUID, progress: Progress, context: Context) -> UserToken:
        def renewing(refresh: str) -> Tokens:
            return self.bank.refresh(context, progress, refresh)

        return UserToken(self.database, self.user.id, consent_id, self.cipher, renewing)


def opened(cipher: Cipher, row: BankConsent) -> Progress:
    """How far a consent's authorisation has come."""
    if row.progress is None:
        return Progress(step=Step(kind="done"))
    return Progress.model_validate_json(cipher.open(row.progress, "progress"))


def seal_progress(cipher: Cipher, row: BankConsent, progress: Progress) -> None:
    """Keep how far it has come: without the challenge, which may hold a picture and is of use only now."""
    kept = progress.model_copy(update={"step": progress.step.model_copy(update={"challenge": None})})
    row.progress = cipher.seal(kept.model_dump_json(), "progress")
    row.consent_ref = cipher.seal(progress.consent_id, "consent") if progress.consent_id else None
    row.authorisation_id = progress.authorisation_id
