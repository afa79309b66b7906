"""The account service's API."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from sqlalchemy.orm import Session

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import CurrentUser, User, demands
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import UserKeys
from workloads.services.account import store
from workloads.services.account.forms import (
    AccountList,
    AccountNumber,
    AccountNumbers,
    AccountView,
    Failure,
    RefreshedAccounts,
    RefreshRequest,
)
from workloads.services.account.handlers import HANDLERS
from workloads.services.account.settings import AccountSettings

router = APIRouter(
    tags=["accounts"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 404, 422, 503)
)
_CONSENT_OVER = ("consent-expired", "consent-invalid")


def _views(session: Session) -> list[AccountView]:
    accounts = store.every(session)
    balances = store.balances(session, [each.id for each in accounts])
    return [AccountView.of(each, balances[each.id]) for each in accounts]


@router.get("/accounts", operation_id="listAccounts")
def list_all(session: UserTransaction) -> AccountList:
    """The user's accounts at all banks, as last told."""
    return AccountList(accounts=_views(session))


@router.get("/accounts/{account_id}", operation_id="getAccount")
def read(session: UserTransaction, account_id: uuid.UUID) -> AccountView:
    """An account as last told."""
    account = store.get(session, account_id)
    return AccountView.of(account, store.balances(session, [account.id])[account.id])


@router.get("/account-numbers", operation_id="listAccountNumbers")
def numbers(request: Request, session: UserTransaction, user: CurrentUser) -> AccountNumbers:
    """The accounts' whole numbers, for the platform's services: transfers between them are recognised by those."""
    found = store.numbers(session, request.app.state.keys.cipher(session, user.id))
    told = [AccountNumber(account_id=each.account_id, iban=each.iban, uk_number=each.uk) for each in found]
    return AccountNumbers(numbers=told)


@router.post(
    "/accounts/refresh",
    operation_id="refreshAccounts",
    dependencies=[demands(Scope.CONSENTS_READ)],
    responses=documented(409, 502),
)
def refresh(request: Request, user: CurrentUser, asked: RefreshRequest) -> RefreshedAccounts:
    """Read accounts and balances under every valid consent. A bank that fails does not stop the others."""
    state, person = request.app.state, person_address(request) if asked.attended else None
    with state.database.session(user.id) as session:
        cipher = state.keys.cipher(session, user.id)
    listed = state.consent.call("GET", "/consents", user)["consents"]
    known = {uuid.UUID(each["id"]) for each in listed}
    consents = [each for each in listed if each["status"] == "valid"]
    failures = []
    for consent in reversed(consents):  # oldest first: the newest consent that reaches an account wins
        path = f"/banks/{consent['bank']}/consents/{consent['bank_consent_id']}/accounts"
        try:
            told = state.connector.call("GET", path, user, attended_from=person)["accounts"]
        except Problem as problem:
            failures.append(_failure(state.consent, user, consent, problem))
            continue
        with state.database.session(user.id) as session:
            state.keys.hold(session, user.id, cipher)
            store.keep(session, cipher, user.id, consent, told, known)
    over = {each.consent_id for each in failures if each.kind in _CONSENT_OVER}
    ended = known - {uuid.UUID(each["id"]) for each in consents} | over
    with state.database.session(user.id) as session:
        store.disconnect(session, user.id, ended)
        return RefreshedAccounts(accounts=_views(session), failures=failures)


def _failure(consents: ServiceClient, user: User, consent: dict[str, Any], problem: Problem) -> Failure:
    """What went wrong; a consent that the bank does not accept any more is looked at again, so that it shows."""
    if problem.kind in _CONSENT_OVER:
        with contextlib.suppress(Problem):  # it will be looked at by the next refresh
            consents.call("POST", f"/consents/{consent['id']}/refresh", user)
    return Failure(bank=consent["bank"], consent_id=consent["id"], kind=problem.kind, detail=problem.detail)


def build(settings: AccountSettings) -> FastAPI:
    """The account service's application. Raises SettingsError when no key is named."""
    keys = UserKeys.of(settings)

    def prepare(app: FastAPI) -> list[Any]:
        app.state.keys = keys
        app.state.consent = ServiceClient("consent", str(settings.consent_url), app.state.tls)
        app.state.connector = ServiceClient("connector", str(settings.connector_url), app.state.tls, timeout=120)
        return [app.state.consent, app.state.connector]

    return create_app("account", "Accounts", settings, [router], prepare=prepare, handlers=HANDLERS)
