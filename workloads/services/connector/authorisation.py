"""Authorisation of a consent, step by step: what the person is asked for goes to the bank and is not kept."""

from __future__ import annotations

import datetime
import hmac
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from workloads.chassis import clock
from workloads.chassis.authorisation_forms import AuthorisationCode, OneTimePassword, PsuPassword, ScaMethodChoice
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.services.connector import store, tokens
from workloads.services.connector.access import Desk, opened, seal_progress
from workloads.services.connector.forms import Authorisation
from workloads.services.connector.port import Context, Progress, Tokens

_LONGEST_WAIT = 30
_ASKED = ("decoupled", "redirect")
"""Steps during which the bank can say how far the person is."""

router = APIRouter(
    prefix="/banks/{bank}/consents/{consent_id}/authorisation", tags=["authorisation"],
    dependencies=[demands(Scope.CONSENTS_READ)], responses=documented(401, 404, 409, 422, 429, 502, 503, 504),
)  # fmt: skip
_WRITES = [demands(Scope.CONSENTS_WRITE)]


class Attempt:
    """An authorisation of the user's on its way. Raises Problem 404 when the consent is not the user's."""

    def __init__(self, request: Request, user: CurrentUser, bank: str, consent_id: uuid.UUID) -> None:
        self.consent_id, self.desk = consent_id, Desk.at(request, bank, user)
        self.context: Context = self.desk.existing(consent_id)
        with self.desk.database.session(user.id) as session:
            row = store.consent(session, bank, consent_id)
            self.progress: Progress = opened(self.desk.cipher(session), row)

    def require(self, *kinds: str) -> None:
        """Raises Problem 409 unless the authorisation is at one of these steps."""
        step = self.progress.step.kind
        if step not in kinds:
            raise Problem(409, "authorisation-not-there", f"The authorisation is at the step {step!r}.", step=step)

    def keep(self, progress: Progress, given: Tokens | None = None) -> Progress:
        """Keep how far it has come, and the tokens that the bank gave."""
        with self.desk.database.session(self.desk.user.id) as session:
            cipher = self.desk.cipher(session)
            row = store.consent(session, self.desk.bank.profile.id, self.consent_id)
            seal_progress(cipher, row, progress)
            session.flush()
            if given:
                tokens.keep(session, cipher, self.desk.user.id, self.consent_id, given)
        return progress


AnAttempt = Annotated[Attempt, Depends()]


@router.get("", operation_id="getBankAuthorisation")
def read(attempt: AnAttempt) -> Authorisation:
    """Where the authorisation stands. The bank is asked no more often than it bears: ``ask_again`` says when next."""
    progress, form = attempt.progress, attempt.desk.bank.profile.sca
    if progress.step.kind not in _ASKED or not (progress.authorisation_id or "scaStatus" in progress.links):
        return Authorisation.of(progress)
    now = clock.now()
    if progress.since and now - progress.since > datetime.timedelta(seconds=form.give_up_seconds):
        failed = progress.step.model_copy(update={"kind": "failed"})
        return Authorisation.of(attempt.keep(progress.model_copy(update={"step": failed})))
    wait = _wait(form.poll_seconds, progress.polls)
    # Never longer than the wait itself: our clock may have been set back since.
    if progress.polled and (left := min(progress.polled + wait - now, wait).total_seconds()) > 0:
        return Authorisation.of(progress, ask_again=int(left) + 1)
    asked = attempt.desk.bank.poll(attempt.context, progress)
    asked = attempt.keep(asked.model_copy(update={"polls": progress.polls + 1, "polled": now}))
    over = asked.step.kind in ("done", "failed")
    return Authorisation.of(asked, None if over else int(_wait(form.poll_seconds, asked.polls).total_seconds()))


def _wait(seconds: int, polls: int) -> datetime.timedelta:
    """How long to wait after so many questions: doubled with each, up to half a minute."""
    return datetime.timedelta(seconds=min(seconds * 2 ** min(max(polls - 1, 0), 6), max(_LONGEST_WAIT, seconds)))


@router.put("/password", operation_id="sendBankPassword", dependencies=_WRITES)
def password(attempt: AnAttempt, given: PsuPassword) -> Authorisation:
    """Send the person's password to the bank (embedded approach). A wrong one is 422 credentials-wrong: ask again."""
    attempt.require("password")
    progress = attempt.desk.bank.authenticate(attempt.context, attempt.progress, given.password)
    return Authorisation.of(attempt.keep(progress))


@router.put("/method", operation_id="selectBankScaMethod", dependencies=_WRITES)
def method(attempt: AnAttempt, chosen: ScaMethodChoice) -> Authorisation:
    """Choose one of the offered methods; another may be chosen until the one-time password is sent."""
    attempt.require("method", "otp")
    progress = attempt.desk.bank.select_method(attempt.context, attempt.progress, chosen.method)
    return Authorisation.of(attempt.keep(progress))


@router.put("/otp", operation_id="sendBankOtp", dependencies=_WRITES)
def otp(attempt: AnAttempt, given: OneTimePassword) -> Authorisation:
    """Send the one-time password to the bank. A wrong one is 422 credentials-wrong: ask again."""
    attempt.require("otp")
    progress = attempt.desk.bank.send_otp(attempt.context, attempt.progress, given.otp)
    return Authorisation.of(attempt.keep(progress))


@router.put("/code", operation_id="sendBankAuthorisationCode", dependencies=_WRITES)
def code(attempt: AnAttempt, given: AuthorisationCode) -> Authorisation:
    """Hand in the code that the person came back from the bank with; the tokens it becomes stay here."""
    attempt.require("oauth", "redirect")
    expected = attempt.progress.state
    if expected and not hmac.compare_digest(expected.encode(), (given.state or "").encode()):
        # RFC 6749 section 10.12: an answer to a request that this person did not make
        raise Problem(422, "state-wrong", "The state is not the one that this authorisation was started with.")
    progress, granted = attempt.desk.bank.accept_code(attempt.context, attempt.progress, given.code, given.id_token)
    return Authorisation.of(attempt.keep(progress, granted))
