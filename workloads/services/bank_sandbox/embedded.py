"""The embedded approach (XS2A 1.3.11, PUT ``/v1/consents/…/authorisations/…``): PIN, method, one-time password."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StrictStr
from sqlalchemy.orm import Session

from workloads.services.bank_sandbox import domain, errors, headers, ledger, store
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Authorisation, Consent
from workloads.services.bank_sandbox.session import Transaction

router = APIRouter(prefix="/v1/consents", tags=["consents"], dependencies=[Depends(headers.check)])
OTP = "123456"
"""The one-time password of every sandbox customer."""
_ATTEMPTS = 3
_METHODS = {
    "sms": {"authenticationType": "SMS_OTP", "authenticationMethodId": "sms", "name": "SMS to ••••28"},
    "app": {"authenticationType": "PUSH_OTP", "authenticationMethodId": "app", "name": "Banking app"},
}


class PsuData(BaseModel):
    """What proves the customer (psuData)."""

    model_config = ConfigDict(extra="allow")
    password: StrictStr | None = None
    encryptedPassword: StrictStr | None = None  # the specification's names
    additionalPassword: StrictStr | None = None
    additionalEncryptedPassword: StrictStr | None = None


class Update(BaseModel):
    """One of the steps: a PIN, a method, a one-time password, or nothing but the name in PSU-ID."""

    model_config = ConfigDict(extra="allow")
    psuData: PsuData | None = None
    authenticationMethodId: StrictStr | None = None
    scaAuthenticationData: StrictStr | None = None


@router.put("/{consentId}/authorisations/{authorisationId}", operation_id="updateConsentsPsuData")
def update(
    request: Request,
    session: Transaction,
    consentId: str,
    authorisationId: str,
    given: Update,
    psu_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Go a step further."""
    consent = store.consent_in_path(session, consentId)
    found = store.authorisation(session, consent, authorisationId)
    if consent.status != "received" or found.status in ("finalised", "failed"):
        raise Refusal(409, "STATUS_INVALID", "This authorisation has been decided already.")
    here = f"/v1/consents/{consent.id}/authorisations/{found.id}"
    body: dict[str, Any]
    if given.psuData:
        body = _authenticate(request, session, found, consent, given.psuData, psu_id)
    elif given.authenticationMethodId:
        body = _select(found, given.authenticationMethodId)
    elif given.scaAuthenticationData:
        body = _authorise(request, session, found, consent, given.scaAuthenticationData)
    else:
        found.customer = (psu_id or found.customer or "")[:50]
        body = {"_links": {"updatePsuAuthentication": {"href": here}}}
    links = {name: {"href": here} for name in body.pop("next", ())}
    body = {
        "scaStatus": found.status,
        **body,
        "_links": {**body.get("_links", {}), **links, "scaStatus": {"href": here}},
    }
    told = {"X-Request-ID": errors.request_id(request), "ASPSP-SCA-Approach": "EMBEDDED"}
    return JSONResponse(body, headers=told)


def _authenticate(
    request: Request, session: Session, found: Authorisation, consent: Consent, given: PsuData, psu_id: str | None
) -> dict[str, Any]:
    books = ledger.dataset(request.app.state.settings.sandbox_bank)
    customer = books.customer(psu_id or found.customer)
    if customer is None or given.password != customer.pin:
        _fail(session, found, consent)
        raise Refusal(401, "PSU_CREDENTIALS_INVALID", "Name or PIN is wrong.")
    found.status, found.customer = "psuAuthenticated", customer.login
    return {"scaMethods": list(_METHODS.values()), "next": ["selectAuthenticationMethod"]}


def _select(found: Authorisation, method: str) -> dict[str, Any]:
    if found.status not in ("psuAuthenticated", "scaMethodSelected"):
        raise Refusal(409, "STATUS_INVALID", f"The authorisation is {found.status}.")
    if method not in _METHODS:
        raise Refusal(400, "SCA_METHOD_UNKNOWN", "There is no such method.")
    found.status = "scaMethodSelected"
    challenge = {"otpMaxLength": len(OTP), "otpFormat": "integer", "additionalInformation": f"Sandbox: it is {OTP}."}
    return {"chosenScaMethod": _METHODS[method], "challengeData": challenge, "next": ["authoriseTransaction"]}


def _authorise(request: Request, session: Session, found: Authorisation, consent: Consent, otp: str) -> dict[str, Any]:
    books = ledger.dataset(request.app.state.settings.sandbox_bank)
    customer = books.customer(found.customer)
    if found.status != "scaMethodSelected" or customer is None:
        raise Refusal(409, "STATUS_INVALID", f"The authorisation is {found.status}.")
    if otp != OTP:
        _fail(session, found, consent)
        raise Refusal(400, "SCA_INVALID", "The one-time password is wrong.")
    held = books.held_by(customer)
    granted = domain.granted(consent.access, held, [f"{each['iban']} {each['currency']}" for each in held])
    if not granted.get("accounts"):
        found.status, consent.status = "failed", "rejected"
        return {}
    store.grant(session, found, consent, granted)
    return {}


def _fail(session: Session, found: Authorisation, consent: Consent) -> None:
    """Count a wrong try, whatever the answer: the third ends the authorisation."""
    found.failures += 1
    if found.failures >= _ATTEMPTS:
        found.status, consent.status = "failed", "rejected"
    session.commit()
