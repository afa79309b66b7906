"""The consent service's API."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request

from workloads.chassis import clock, ids
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.consent import authorisation as authorisations
from workloads.services.consent import domain, events, store
from workloads.services.consent.asking import ask_bank, connector
from workloads.services.consent.forms import (
    Authorisation,
    ConsentList,
    ConsentRequest,
    ConsentView,
    EvidenceList,
    EvidenceView,
    StartedConsent,
)
from workloads.services.consent.handlers import HANDLERS, TASKS
from workloads.services.consent.models import Consent
from workloads.services.consent.settings import ConsentSettings

router = APIRouter(
    tags=["consents"], dependencies=[demands(Scope.CONSENTS_READ)], responses=documented(401, 404, 422, 503)
)
router.include_router(authorisations.router)
_WRITES = [demands(Scope.CONSENTS_WRITE)]
_BANK = documented(409, 429, 502, 504)


@router.post("/consents", operation_id="startConsent", dependencies=_WRITES, status_code=201, responses=_BANK)
def start(request: Request, user: CurrentUser, asked: ConsentRequest) -> StartedConsent:
    """Ask a bank for a consent; the person then authorises it as ``authorisation`` says."""
    consent_id = ids.new_id()
    body = {
        "redirect_uri": domain.return_address(asked.return_address, str(consent_id), declined=False),
        "nok_redirect_uri": domain.return_address(asked.return_address, str(consent_id), declined=True),
        **asked.model_dump(include={"psu_id", "psu_corporate_id", "accounts"}, exclude_none=True),
    }
    person = person_address(request)
    started = connector(request).call("POST", f"/banks/{asked.bank}/consents", user, attended_from=person, json=body)
    now = clock.now()
    consent = Consent(
        id=consent_id, bank=asked.bank, bank_consent_id=uuid.UUID(started["id"]), jurisdiction=started["jurisdiction"],
        status="received", created=now, checked=now, authorised=None,
    )  # fmt: skip
    with request.app.state.database.session(user.id) as session:
        store.add(session, consent)
        store.tell(session, user.id, consent, started["status"], "bank")
        if started["authorisation"]["kind"] == "decoupled":
            events.poll(session, user.id, consent_id, started["authorisation"]["ask_again"])
    view = ConsentView.of(consent, now)
    authorisation = Authorisation.of(started["authorisation"], view.status)
    return StartedConsent(**view.model_dump(), authorise_at=authorisation.authorise_at, authorisation=authorisation)


@router.get("/consents", operation_id="listConsents")
def list_all(
    session: UserTransaction,
    status: Annotated[Literal["valid"] | None, Query(description="valid: only those that can be used")] = None,
) -> ConsentList:
    """The user's consents, newest first."""
    now = store.now(session)
    views = [ConsentView.of(each, now) for each in store.newest_first(session)]
    return ConsentList(consents=[each for each in views if status in (None, each.status)])


@router.get("/consents/{consent_id}", operation_id="getConsent")
def read(session: UserTransaction, consent_id: uuid.UUID) -> ConsentView:
    """A consent as last known."""
    return ConsentView.of(store.get(session, consent_id), store.now(session))


@router.get("/consents/{consent_id}/evidence", operation_id="listConsentEvidence")
def evidence(session: UserTransaction, consent_id: uuid.UUID) -> EvidenceList:
    """What happened to a consent, and on whose word."""
    found = store.evidence(session, store.get(session, consent_id))
    return EvidenceList(evidence=[EvidenceView.of(each) for each in found])


@router.post("/consents/{consent_id}/refresh", operation_id="refreshConsent", responses=_BANK)
def refresh(request: Request, user: CurrentUser, consent_id: uuid.UUID) -> ConsentView:
    """Ask the bank where the consent stands: after the person came back, whatever the return address says."""
    person = person_address(request)
    view = ask_bank(request.app.state, user, consent_id, person)
    if view.status == "valid":
        # Banks end a person's former consent when a new one is authorised: ask, it may be another login's.
        with request.app.state.database.session(user.id) as session:
            former = [each.id for each in store.newest_first(session) if each.bank == view.bank]
            former = [each for each in former if each != consent_id and store.get(session, each).status == "valid"]
        for each in former:
            ask_bank(request.app.state, user, each, person)
    return view


@router.delete("/consents/{consent_id}", operation_id="revokeConsent", dependencies=_WRITES, responses=_BANK)
def revoke(request: Request, user: CurrentUser, consent_id: uuid.UUID) -> ConsentView:
    """End a consent, at the bank first: only when the bank has ended it does it count as ended here."""
    database = request.app.state.database
    with database.session(user.id) as session:
        known = store.get(session, consent_id)
    if known.status not in domain.FINAL:
        path = f"/banks/{known.bank}/consents/{known.bank_consent_id}"
        connector(request).call("DELETE", path, user, attended_from=person_address(request))
        with database.session(user.id) as session:
            known = store.get(session, consent_id, lock=True)
            store.tell(session, user.id, known, "terminatedByTpp", "person")
    return ConsentView.of(known, clock.now())


def build(settings: ConsentSettings) -> FastAPI:
    """The consent service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.connector = ServiceClient("connector", str(settings.connector_url), app.state.tls, timeout=60)
        app.state.sync = None
        if settings.sync_url:
            app.state.sync = ServiceClient("sync", str(settings.sync_url), app.state.tls, timeout=5)
        app.state.account = None
        if settings.account_url:
            app.state.account = ServiceClient("account", str(settings.account_url), app.state.tls)
        return [each for each in (app.state.connector, app.state.sync, app.state.account) if each]

    return create_app("consent", "Consents", settings, [router], prepare=prepare, handlers=HANDLERS, tasks=TASKS)
