"""Consent endpoints (XS2A 1.3.11, tag "Account Information Service (AIS)", ``/v1/consents``)."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, field_validator
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.services.bank_sandbox import domain, errors, headers, store
from workloads.services.bank_sandbox.models import Authorisation, Consent
from workloads.services.bank_sandbox.session import Transaction

router = APIRouter(prefix="/v1/consents", tags=["consents"], dependencies=[Depends(headers.check)])
_CURRENCY = "^[A-Z]{3}$"
CONFIRM = "Please confirm in your banking app."
_EVERYTHING = "^(allAccounts|allAccountsWithOwnerName)$"


class Reference(BaseModel):
    """Which account (accountReference)."""

    model_config = ConfigDict(extra="allow")
    iban: Annotated[StrictStr, Field(pattern="^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$")] | None = None
    bban: Annotated[StrictStr, Field(pattern="^[a-zA-Z0-9]{1,30}$")] | None = None
    pan: Annotated[StrictStr, Field(max_length=35)] | None = None
    masked_pan: Annotated[StrictStr, Field(max_length=35)] | None = Field(default=None, alias="maskedPan")
    msisdn: Annotated[StrictStr, Field(max_length=35)] | None = None
    currency: Annotated[StrictStr, Field(pattern=_CURRENCY)] | None = None


class Access(BaseModel):
    """To what access is asked for (accountAccess)."""

    model_config = ConfigDict(extra="allow")
    accounts: list[Reference] | None = None
    balances: list[Reference] | None = None
    transactions: list[Reference] | None = None
    available_accounts: Annotated[str, Field(pattern=_EVERYTHING)] | None = Field(None, alias="availableAccounts")
    available_with_balance: Annotated[str, Field(pattern=_EVERYTHING)] | None = Field(
        None, alias="availableAccountsWithBalance"
    )
    all_psd2: Annotated[str, Field(pattern=_EVERYTHING)] | None = Field(None, alias="allPsd2")


class ConsentRequest(BaseModel):
    """What a TPP asks for (consents); all five are required."""

    access: Access
    recurringIndicator: StrictBool  # the specification's name
    validUntil: StrictStr = Field(examples=["9999-12-31"])
    frequencyPerDay: Annotated[StrictInt, Field(ge=1)]
    combinedServiceIndicator: StrictBool

    @field_validator("validUntil")
    @classmethod
    def _is_date(cls, value: str) -> str:
        datetime.date.fromisoformat(value)
        if len(value) != 10:
            raise ValueError("not a date such as 2027-01-31")
        return value


def _answer(request: Request, body: dict[str, Any], status: int = 200, **more: str) -> Response:
    told = {"X-Request-ID": errors.request_id(request), **{name.replace("_", "-"): each for name, each in more.items()}}
    return JSONResponse(body, status, headers=told)


def _sca_links(request: Request, consent: Consent, authorisation: Authorisation, approach: str) -> dict[str, Any]:
    """The ways to go on: of the redirect approach two, the bank's page or its authorization server."""
    here, origin = f"/v1/consents/{consent.id}/authorisations/{authorisation.id}", headers.origin(request)
    ways = {
        "REDIRECT": {
            "scaRedirect": {"href": f"{origin}/authorise/{authorisation.id}"},
            "scaOAuth": {"href": f"{origin}/.well-known/oauth-authorization-server"},
        },
        "EMBEDDED": {"updatePsuAuthentication": {"href": here}},
        "DECOUPLED": {},
    }
    return {**ways[approach], "scaStatus": {"href": here}}


def _approach(redirect_preferred: bool | None, decoupled_preferred: bool) -> str:
    """The SCA approach: the TPP's preference decides."""
    if decoupled_preferred:
        return "DECOUPLED"
    return "EMBEDDED" if redirect_preferred is False else "REDIRECT"


def _start(session: Session, consent: Consent, psu_id: str | None) -> Authorisation:
    # Who it is to be is only a claim until the PIN was given: the status says how much is proved.
    new = Authorisation(consent_id=consent.id, status="received", created=clock.now(), customer=(psu_id or "")[:50])
    session.add(new)
    session.flush()
    return new


@router.post("", operation_id="createConsent", status_code=201)
def create(
    request: Request,
    session: Transaction,
    body: Annotated[ConsentRequest, Body()],
    psu_ip_address: Annotated[str, Header()],
    tpp_redirect_uri: Annotated[str | None, Header()] = None,
    tpp_nok_redirect_uri: Annotated[str | None, Header()] = None,
    tpp_explicit_authorisation_preferred: Annotated[bool, Header()] = False,
    tpp_redirect_preferred: Annotated[bool | None, Header()] = None,
    tpp_decoupled_preferred: Annotated[bool, Header()] = False,
    psu_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Ask for a consent."""
    asked = body.model_dump(by_alias=True, exclude_unset=True)
    domain.form(asked["access"])
    until, frequency = domain.terms(asked, clock.today())
    consent = Consent(
        status="received", access=asked["access"], granted=None, recurring=body.recurringIndicator, valid_until=until,
        frequency=frequency, last_action=clock.today(), redirect_uri=tpp_redirect_uri,
        nok_redirect_uri=tpp_nok_redirect_uri,
    )  # fmt: skip
    session.add(consent)
    session.flush()
    here = f"/v1/consents/{consent.id}"
    links = {"self": {"href": here}, "status": {"href": f"{here}/status"}}
    approach = _approach(tpp_redirect_preferred, tpp_decoupled_preferred)
    if tpp_explicit_authorisation_preferred:
        links["startAuthorisation"] = {"href": f"{here}/authorisations"}
    else:
        links |= _sca_links(request, consent, _start(session, consent, psu_id), approach)
    answer = {"consentStatus": "received", "consentId": str(consent.id), "_links": links}
    if approach == "DECOUPLED":
        answer["psuMessage"] = CONFIRM
    return _answer(request, answer, 201, Location=here, ASPSP_SCA_Approach=approach)


def _status(consent: Consent) -> str:
    """Its status today: a consent past its end is expired, whether or not anything has written that down."""
    over = consent.valid_until < clock.today() and consent.status in ("valid", "received")
    return "expired" if over else consent.status


@router.get("/{consentId}", operation_id="getConsentInformation")
def read(request: Request, session: Transaction, consentId: str) -> Response:
    """What a consent grants."""
    consent = store.consent_in_path(session, consentId)
    body = {
        "access": consent.granted if consent.granted is not None else consent.access,
        "recurringIndicator": consent.recurring,
        "validUntil": consent.valid_until.isoformat(),
        "frequencyPerDay": consent.frequency,
        "lastActionDate": consent.last_action.isoformat(),
        "consentStatus": _status(consent),
        "_links": {"account": {"href": "/v1/accounts"}},
    }
    return _answer(request, body)


@router.get("/{consentId}/status", operation_id="getConsentStatus")
def status(request: Request, session: Transaction, consentId: str) -> Response:
    """Where a consent stands."""
    return _answer(request, {"consentStatus": _status(store.consent_in_path(session, consentId))})


@router.delete("/{consentId}", operation_id="deleteConsent", status_code=204)
def delete(request: Request, session: Transaction, consentId: str) -> Response:
    """End a consent. Ending it again changes nothing."""
    consent = store.consent_in_path(session, consentId)
    if _status(consent) in ("received", "partiallyAuthorised", "valid"):
        consent.status, consent.last_action = "terminatedByTpp", clock.today()
    return Response(status_code=204, headers={"X-Request-ID": errors.request_id(request)})


@router.post("/{consentId}/authorisations", operation_id="startConsentAuthorisation", status_code=201)
def start(
    request: Request,
    session: Transaction,
    consentId: str,
    tpp_redirect_uri: Annotated[str | None, Header()] = None,
    tpp_nok_redirect_uri: Annotated[str | None, Header()] = None,
    tpp_redirect_preferred: Annotated[bool | None, Header()] = None,
    tpp_decoupled_preferred: Annotated[bool, Header()] = False,
    psu_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Start an authorisation of a consent that has none yet, or another attempt."""
    consent = store.consent_in_path(session, consentId)
    if _status(consent) != "received":
        raise errors.Refusal(409, "STATUS_INVALID", f"The consent is {_status(consent)}.")
    consent.redirect_uri = tpp_redirect_uri or consent.redirect_uri
    consent.nok_redirect_uri = tpp_nok_redirect_uri or consent.nok_redirect_uri
    new, approach = _start(session, consent, psu_id), _approach(tpp_redirect_preferred, tpp_decoupled_preferred)
    links = _sca_links(request, consent, new, approach)
    body = {"scaStatus": new.status, "authorisationId": str(new.id), "_links": links}
    if approach == "DECOUPLED":
        body["psuMessage"] = CONFIRM
    return _answer(request, body, 201, ASPSP_SCA_Approach=approach)


@router.get("/{consentId}/authorisations", operation_id="getConsentAuthorisation")
def attempts(request: Request, session: Transaction, consentId: str) -> Response:
    """The authorisations of a consent."""
    consent = store.consent_in_path(session, consentId)
    return _answer(request, {"authorisationIds": [str(each) for each in store.authorisations(session, consent)]})


@router.get("/{consentId}/authorisations/{authorisationId}", operation_id="getConsentScaStatus")
def sca_status(
    request: Request,
    session: Transaction,
    consentId: str,
    authorisationId: str,
) -> Response:
    """Where an authorisation stands."""
    consent = store.consent_in_path(session, consentId)
    return _answer(request, {"scaStatus": store.authorisation(session, consent, authorisationId).status})
