"""What the person does so that the bank grants a consent: passed on to the connector step by step, kept nowhere."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request

from workloads.chassis.authorisation_forms import AuthorisationCode, OneTimePassword, PsuPassword, ScaMethodChoice
from workloads.chassis.calls import person_address
from workloads.chassis.identity import CurrentUser, User, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.consent import events, store
from workloads.services.consent.asking import ask_bank, connector
from workloads.services.consent.forms import Authorisation

router = APIRouter(
    prefix="/consents/{consent_id}/authorisation", tags=["authorisation"],
    responses=documented(401, 404, 409, 422, 429, 502, 503, 504),
)  # fmt: skip
_WRITES = [demands(Scope.CONSENTS_WRITE)]


def _forward(
    request: Request, user: User, consent_id: uuid.UUID, method: str, step: str = "", body: Any = None
) -> Authorisation:
    """The bank's answer; once the person is done, the bank is asked whether the consent is valid."""
    with request.app.state.database.session(user.id) as session:
        known = store.get(session, consent_id)
    path = f"/banks/{known.bank}/consents/{known.bank_consent_id}/authorisation{step}"
    sent = {"json": body.model_dump(exclude_none=True)} if body else {}
    app, person = request.app.state, person_address(request)
    told = connector(request).call(method, path, user, attended_from=person, **sent)
    if told["kind"] == "decoupled" and method != "GET":
        with app.database.session(user.id) as session:
            events.poll(session, user.id, consent_id, told["ask_again"])
    status = ask_bank(app, user, consent_id, person).status if told["kind"] in ("done", "failed") else known.status
    return Authorisation.of(told, status)


@router.get("", operation_id="getAuthorisation")
def read(request: Request, user: CurrentUser, consent_id: uuid.UUID) -> Authorisation:
    """Where the authorisation stands, and what the person has to do next. ``ask_again`` says when asking is of use."""
    return _forward(request, user, consent_id, "GET")


@router.put("/password", operation_id="sendPassword", dependencies=_WRITES)
def password(request: Request, user: CurrentUser, consent_id: uuid.UUID, given: PsuPassword) -> Authorisation:
    """Send the person's password to the bank. A wrong one is 422 credentials-wrong: ask again."""
    return _forward(request, user, consent_id, "PUT", "/password", given)


@router.put("/method", operation_id="selectScaMethod", dependencies=_WRITES)
def method(request: Request, user: CurrentUser, consent_id: uuid.UUID, chosen: ScaMethodChoice) -> Authorisation:
    """Choose how to authenticate."""
    return _forward(request, user, consent_id, "PUT", "/method", chosen)


@router.put("/otp", operation_id="sendOtp", dependencies=_WRITES)
def otp(request: Request, user: CurrentUser, consent_id: uuid.UUID, given: OneTimePassword) -> Authorisation:
    """Send the one-time password to the bank. A wrong one is 422 credentials-wrong: ask again."""
    return _forward(request, user, consent_id, "PUT", "/otp", given)


@router.put("/code", operation_id="sendAuthorisationCode", dependencies=_WRITES)
def code(request: Request, user: CurrentUser, consent_id: uuid.UUID, given: AuthorisationCode) -> Authorisation:
    """Hand in the code that the person came back from the bank with."""
    return _forward(request, user, consent_id, "PUT", "/code", given)
