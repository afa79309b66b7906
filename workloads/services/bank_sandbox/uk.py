"""UK Open Banking of a sandbox bank (Read/Write Data API 3.1.11 and 4.0): account access consents and reads."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.services.bank_sandbox import domain, ledger, oauth, store
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Authorisation, Consent, Grant
from workloads.services.bank_sandbox.session import Transaction

_Version = Annotated[Literal["v3.1", "v4.0"], Path()]
_NAMES = {"received": "AwaitingAuthorisation", "valid": "Authorised", "rejected": "Rejected", "expired": "Expired"}
_CODES = {"received": "AWAU", "valid": "AUTH", "rejected": "RJCT", "expired": "EXPD"}


def _own_token(authorization: Annotated[str, Header()] = "") -> None:
    """A dependency: the TPP's own token. Raises Refusal 401."""
    if authorization != "Bearer own":
        raise Refusal(401, "TOKEN_INVALID", "Consents are asked for with a token of the client's own.")


router = APIRouter(prefix="/open-banking/{version}/aisp", include_in_schema=False)


class _Data(BaseModel):
    model_config = ConfigDict(extra="allow")
    Permissions: list[str]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="allow")
    Data: _Data
    Risk: dict[str, Any]


def _consent(consent: Consent, version: str) -> dict[str, Any]:
    status = (_NAMES if version == "v3.1" else _CODES).get(consent.status, "Revoked" if version == "v3.1" else "CANC")
    ends = f"{consent.valid_until + datetime.timedelta(days=1)}T00:00:00+00:00"
    told = {"ConsentId": str(consent.id), "Status": status, "ExpirationDateTime": ends}
    return {"Data": told, "Risk": {}, "Links": {}, "Meta": {}}


@router.post("/account-access-consents", status_code=201, dependencies=[Depends(_own_token)])
def create(session: Transaction, version: _Version, asked: _Asked) -> dict[str, Any]:
    """Ask for a consent: accounts are chosen at the bank's page."""
    consent = Consent(
        status="received", access={"allPsd2": "allAccounts"}, granted=None, recurring=True, frequency=domain.FREQUENCY,
        valid_until=clock.today() + datetime.timedelta(days=3650), last_action=clock.today(), redirect_uri=None,
        nok_redirect_uri=None,
    )  # fmt: skip
    session.add(consent)
    session.flush()
    session.add(Authorisation(consent_id=consent.id, status="received", created=clock.now(), customer=""))
    return _consent(consent, version)


@router.get("/account-access-consents/{consent_id}", dependencies=[Depends(_own_token)])
def read(session: Transaction, version: _Version, consent_id: str) -> dict[str, Any]:
    """Where a consent stands."""
    return _consent(store.consent_in_path(session, consent_id), version)


@router.delete("/account-access-consents/{consent_id}", status_code=204, dependencies=[Depends(_own_token)])
def delete(session: Transaction, consent_id: str) -> Response:
    """End a consent."""
    store.consent_in_path(session, consent_id).status = "terminatedByTpp"
    return Response(status_code=204)


def _enter(session: Session, authorization: str | None) -> Consent:
    """The consent that the token stands for. Raises Refusal 401."""
    hashed = oauth.hashed((authorization or "").removeprefix("Bearer "))
    found = session.scalar(select(Grant).where(Grant.access == hashed))
    if found is None:
        raise Refusal(401, "TOKEN_INVALID", "There is no such token.")
    consent = session.get_one(Consent, found.consent_id)
    oauth.check(session, consent, authorization)
    domain.usable(store.rules(consent), clock.today())
    return consent


def _held(request: Request, consent: Consent) -> dict[str, ledger.Account]:
    books = ledger.dataset(request.app.state.settings.sandbox_bank)
    rules = store.rules(consent)
    return {
        str(uuid.uuid5(consent.id, f"{a.iban} {a.currency}")): a
        for a in books.accounts.values()
        if domain.covers(rules, "accounts", a.iban, a.currency)
    }


def _one(request: Request, consent: Consent, account_id: str) -> ledger.Account:
    found = _held(request, consent).get(account_id)
    if found is None:
        raise Refusal(404, "RESOURCE_UNKNOWN", "There is no such account.")
    return found


def _answer(request: Request, name: str, listed: list[dict[str, Any]], following: str | None = None) -> Response:
    links = {"Self": str(request.url), **({"Next": following} if following else {})}
    body = {"Data": {name: listed}, "Links": links, "Meta": {"TotalPages": 1}}
    told = {"x-fapi-interaction-id": request.headers.get("x-fapi-interaction-id", str(uuid.uuid4()))}
    return JSONResponse(body, headers=told)


@router.get("/accounts")
def accounts(request: Request, session: Transaction, authorization: Annotated[str | None, Header()] = None) -> Response:
    """The accounts of the consent."""
    held = _held(request, _enter(session, authorization))
    listed = [
        {
            "AccountId": key, "Currency": a.currency, "AccountType": "Personal", "AccountSubType": "CurrentAccount",
            "Nickname": a.name, "Account": [{"SchemeName": "UK.OBIE.IBAN", "Identification": a.iban, "Name": a.owner}],
        }
        for key, a in held.items()
    ]  # fmt: skip
    return _answer(request, "Account", listed)


def _amount(value: str, currency: str) -> dict[str, Any]:
    indicator = "Debit" if value.startswith("-") else "Credit"
    return {"Amount": {"Amount": value.lstrip("-"), "Currency": currency}, "CreditDebitIndicator": indicator}


@router.get("/accounts/{account_id}/balances")
def balances(
    request: Request, session: Transaction, account_id: str, authorization: Annotated[str | None, Header()] = None
) -> Response:
    """An account's balances."""
    account = _one(request, _enter(session, authorization), account_id)
    listed = [
        {
            "AccountId": account_id, "Type": each["balanceType"][0].upper() + each["balanceType"][1:],
            "DateTime": f"{each['referenceDate']}T00:00:00+00:00",
            **_amount(each["balanceAmount"]["amount"], account.currency),
        }
        for each in ledger.balances(account, clock.today())
    ]  # fmt: skip
    return _answer(request, "Balance", listed)


@router.get("/accounts/{account_id}/transactions")
def transactions(
    request: Request,
    session: Transaction,
    account_id: str,
    authorization: Annotated[str | None, Header()] = None,
    fromBookingDateTime: Annotated[datetime.datetime | None, Query()] = None,
    toBookingDateTime: Annotated[datetime.datetime | None, Query()] = None,
    page: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """An account's transactions, newest first, in pages."""
    account = _one(request, _enter(session, authorization), account_id)
    booked, pending = ledger.entries(account, clock.today())
    first = fromBookingDateTime.date() if fromBookingDateTime else datetime.date.min
    last = toBookingDateTime.date() if toBookingDateTime else datetime.date.max
    shown = [(each, "Pending") for each in pending]
    shown += [(each, "Booked") for each in booked if first <= each.booked <= last]
    size = ledger.dataset(request.app.state.settings.sandbox_bank).page_size or len(shown) or 1
    following = request.url.include_query_params(page=page + 1) if (page + 1) * size < len(shown) else None
    listed = [_shown(each, status, account_id) for each, status in shown[page * size : (page + 1) * size]]
    return _answer(request, "Transaction", listed, str(following) if following else None)


def _shown(each: ledger.Entry, status: str, account_id: str) -> dict[str, Any]:
    return {
        "AccountId": account_id, "Status": status, "TransactionId": each.fields.get("transactionId"),
        "BookingDateTime": f"{each.booked}T00:00:00+00:00", "ValueDateTime": f"{each.done}T00:00:00+00:00",
        "TransactionInformation": each.series.text, "MerchantDetails": {"MerchantName": each.series.party},
        **_other_side(each), **_amount(str(each.money), each.money.currency),
    }  # fmt: skip


def _other_side(each: ledger.Entry) -> dict[str, Any]:
    """The other side's account: sort code and account number, where the data set names one."""
    if each.series.uk_number is None:
        return {}
    side = "CreditorAccount" if each.money.is_negative else "DebtorAccount"
    told = {"SchemeName": "UK.OBIE.SortCodeAccountNumber", "Identification": each.series.uk_number}
    return {side: told | {"Name": each.series.party}}
