"""Account endpoints (XS2A 1.3.11, ``/v1/accounts``): accounts, balances, transactions, under a consent."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from workloads.chassis import clock
from workloads.services.bank_sandbox import domain, errors, headers, ledger, oauth, store
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Consent
from workloads.services.bank_sandbox.session import Transaction

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[Depends(headers.check)])
ConsentId = Annotated[str, Header(alias="Consent-ID")]
_LARGEST_PAGE = 500


def _books(request: Request) -> ledger.Dataset:
    return ledger.dataset(request.app.state.settings.sandbox_bank)


def resource_id(consent: Consent, account: ledger.Account) -> str:
    """An account's id under a consent: another with each consent, as many banks have it."""
    return str(uuid.uuid5(consent.id, f"{account.iban} {account.currency}"))


def _enter(request: Request, session: Transaction, consent_id: str, path: str, *, same_access: bool = False) -> Consent:
    """The consent, when it lets this request through; the access is counted.

    same_access: a further page of an access that was counted with its first page.
    """
    consent = store.consent_in_header(session, consent_id)
    rules = store.rules(consent)
    domain.usable(rules, clock.today())
    oauth.check(session, consent, request.headers.get("Authorization"))
    if not same_access and domain.counts(rules, attended=headers.attended(request)):
        store.spend(session, consent, path, clock.today())
    consent.last_action = clock.today()
    return consent


def _account(request: Request, consent: Consent, account_id: str, scope: str) -> ledger.Account:
    """The account of an id, when the consent grants this scope of it.

    Raises Refusal 404 RESOURCE_UNKNOWN, or 401 CONSENT_INVALID when the consent grants something else.
    """
    for account in _books(request).accounts.values():
        if resource_id(consent, account) == account_id:
            if domain.covers(store.rules(consent), scope, account.iban, account.currency):
                return account
            raise Refusal(401, "CONSENT_INVALID", f"The consent does not grant {scope} of this account.")
    raise Refusal(404, "RESOURCE_UNKNOWN", "There is no such account.")


def _details(request: Request, consent: Consent, account: ledger.Account, *, with_balance: bool) -> dict[str, Any]:
    rules, books = store.rules(consent), _books(request)
    key = resource_id(consent, account)
    here = f"{books.link_base}/v1/accounts/{key}"
    body: dict[str, Any] = {
        "resourceId": key, "iban": account.iban, "currency": account.currency, "name": account.name,
        "ownerName": account.owner, "product": account.product, "cashAccountType": account.type,
        "status": "enabled", "usage": "PRIV", "bic": books.bic, "_links": {},
    }  # fmt: skip
    for scope in ("balances", "transactions"):
        if domain.covers(rules, scope, account.iban, account.currency):
            body["_links"][scope] = {"href": f"{here}/{scope}"}
    if with_balance and "balances" in body["_links"]:
        body["balances"] = ledger.balances(account, clock.today())
    return body


def _answer(request: Request, body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"X-Request-ID": errors.request_id(request)})


def _reference(account: ledger.Account) -> dict[str, str]:
    return {"iban": account.iban, "currency": account.currency}


@router.get("", operation_id="getAccountList")
def accounts(
    request: Request,
    session: Transaction,
    consent_id: ConsentId,
    withBalance: Annotated[bool, Query()] = False,
) -> Response:
    """The accounts that a consent grants."""
    consent = _enter(request, session, consent_id, "/v1/accounts")
    rules = store.rules(consent)
    if withBalance and not rules.access.get("balances"):
        raise Refusal(401, "CONSENT_INVALID", "The consent does not grant balances.")
    held = [a for a in _books(request).accounts.values() if domain.covers(rules, "accounts", a.iban, a.currency)]
    return _answer(request, {"accounts": [_details(request, consent, a, with_balance=withBalance) for a in held]})


@router.get("/{account_id}", operation_id="readAccountDetails")
def account(
    request: Request,
    session: Transaction,
    account_id: str,
    consent_id: ConsentId,
    withBalance: Annotated[bool, Query()] = False,
) -> Response:
    """One account."""
    consent = _enter(request, session, consent_id, f"/v1/accounts/{account_id}"[:200])
    found = _account(request, consent, account_id, "accounts")
    return _answer(request, {"account": _details(request, consent, found, with_balance=withBalance)})


@router.get("/{account_id}/balances", operation_id="getBalances")
def balances(request: Request, session: Transaction, account_id: str, consent_id: ConsentId) -> Response:
    """An account's balances."""
    consent = _enter(request, session, consent_id, f"/v1/accounts/{account_id}/balances"[:200])
    found = _account(request, consent, account_id, "balances")
    return _answer(request, {"account": _reference(found), "balances": ledger.balances(found, clock.today())})


def _shown(entry: ledger.Entry, *, booked: bool) -> dict[str, Any]:
    money, series = entry.money, entry.series
    body: dict[str, Any] = {
        "transactionAmount": {"currency": money.currency, "amount": str(money)},
        "remittanceInformationUnstructured": series.text,
        "creditorName" if money.is_negative else "debtorName": series.party,
    }
    if series.iban:
        body["creditorAccount" if money.is_negative else "debtorAccount"] = {"iban": series.iban}
    if booked:
        body |= {"bookingDate": entry.booked.isoformat(), "valueDate": entry.done.isoformat(), **entry.fields}
    else:  # a pending entry has no booking date, and no reference before it is booked
        body |= {"valueDate": entry.done.isoformat()}
        body |= {name: each for name, each in entry.fields.items() if name == "transactionId"}
    return body


@router.get("/{account_id}/transactions", operation_id="getTransactionList")
def transactions(
    request: Request,
    session: Transaction,
    account_id: str,
    consent_id: ConsentId,
    bookingStatus: Annotated[Literal["information", "booked", "pending", "both", "all"], Query()],
    dateFrom: Annotated[datetime.date | None, Query()] = None,
    dateTo: Annotated[datetime.date | None, Query()] = None,
    entryReferenceFrom: Annotated[str | None, Query()] = None,
    deltaList: Annotated[bool | None, Query()] = None,
    withBalance: Annotated[bool, Query()] = False,
    pageIndex: Annotated[int, Query(ge=0)] = 0,
    itemsPerPage: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """An account's transactions, newest first; in pages where the bank pages."""
    if entryReferenceFrom is not None or deltaList or bookingStatus in ("information", "all"):
        raise Refusal(400, "PARAMETER_NOT_SUPPORTED", "Ask by dateFrom, for booked, pending or both.")
    if dateFrom is None:
        raise Refusal(400, "FORMAT_ERROR", "dateFrom is required", "dateFrom")
    until = dateTo or clock.today()
    if dateFrom > until:
        raise Refusal(400, "PERIOD_INVALID", "dateFrom lies after dateTo", "dateFrom")
    path = f"/v1/accounts/{account_id}/transactions"
    consent = _enter(request, session, consent_id, path[:200], same_access=pageIndex > 0)
    found, books = _account(request, consent, account_id, "transactions"), _books(request)
    if withBalance and not domain.covers(store.rules(consent), "balances", found.iban, found.currency):
        raise Refusal(401, "CONSENT_INVALID", "The consent does not grant balances of this account.")

    booked, pending = ledger.entries(found, clock.today())
    booked = [each for each in booked if dateFrom <= each.booked <= until]
    size = books.page_size and min(itemsPerPage or books.page_size, _LARGEST_PAGE)
    links = {"account": {"href": f"{books.link_base}/v1/accounts/{account_id}"}}
    page = booked[pageIndex * size : (pageIndex + 1) * size] if size else booked
    report: dict[str, Any] = {"_links": links}
    if bookingStatus in ("booked", "both"):
        report["booked"] = [_shown(each, booked=True) for each in page]
        if size and (pageIndex + 1) * size < len(booked):
            query = {**request.query_params, "pageIndex": pageIndex + 1, "itemsPerPage": size}
            links["next"] = {"href": f"{books.link_base}{path}?{urlencode(query)}"}
    if bookingStatus in ("pending", "both"):
        report["pending"] = [_shown(each, booked=False) for each in pending] if pageIndex == 0 else []
    body: dict[str, Any] = {"account": _reference(found), "transactions": report}
    if withBalance:
        body["balances"] = ledger.balances(found, clock.today())
    return _answer(request, body)
