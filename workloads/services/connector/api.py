"""The connector's API, for other services only. What it answers is the bank's word in one form for all banks."""

from __future__ import annotations

import datetime
import uuid
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from workloads.chassis import calls, clock, erasure, userkeys
from workloads.chassis.app import UserTransaction, create_app, written
from workloads.chassis.calls import PSU_ADDRESS
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import UserKeys
from workloads.services.connector import authorisation, banks, health, profile, standing, store
from workloads.services.connector.access import Desk, seal_progress
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.forms import (
    AccountList,
    Authorisation,
    BankInfo,
    ConsentRequest,
    ConsentState,
    LinkedAccount,
    StartedConsent,
    TransactionList,
)
from workloads.services.connector.headers import psu_address
from workloads.services.connector.health import HealthBoard
from workloads.services.connector.models import BankConsent, Base
from workloads.services.connector.parse import Balance
from workloads.services.connector.qwac import Qwac
from workloads.services.connector.seal import VaultSeal
from workloads.services.connector.settings import ConnectorSettings

_ERRORS = documented(401, 404, 409, 422, 429, 502, 503, 504)


# The last round: consents are revoked at the banks in the first, and what is known of them here is needed for that.
HANDLERS = {erasure.REQUESTED: erasure.handler("connector", [Base, userkeys.Base], last_round=True)}
router = APIRouter(tags=["banks"], dependencies=[Depends(psu_address)], responses=_ERRORS)
router.include_router(authorisation.router)
_READS = [demands(Scope.ACCOUNTS_READ)]
_SEES, _CHANGES = [demands(Scope.CONSENTS_READ)], [demands(Scope.CONSENTS_READ, Scope.CONSENTS_WRITE)]


@router.get("/banks", operation_id="listBanks", dependencies=_SEES)
def list_banks(request: Request, session: UserTransaction, user: CurrentUser) -> list[BankInfo]:
    """The banks that can be connected, and how each does."""
    known = health.every(session)
    return [
        BankInfo(
            id=each.profile.id, name=each.profile.name, countries=list(each.profile.countries),
            jurisdiction=each.profile.jurisdiction, sca_approach=each.profile.sca.approach, psu_id=each.profile.psu.id,
            accounts_required=each.profile.consent.access == "accounts", bic=each.profile.bic,
            failures=known[name].failures if name in known else None,
            called=known[name].called if name in known else None,
        )
        for name, each in request.app.state.banks.items()
    ]  # fmt: skip


@router.post("/banks/{bank}/consents", operation_id="startBankConsent", dependencies=_CHANGES, status_code=201)
def start_consent(request: Request, user: CurrentUser, bank: str, asked: ConsentRequest) -> StartedConsent:
    """Ask the bank for a consent; the answer says what the person does to authorise it. PSU-IP-Address is required."""
    desk = Desk.at(request, bank, user)
    psu = desk.bank.profile.psu
    if desk.psu_address is None:
        raise Problem(422, "invalid-request", f"{PSU_ADDRESS} is required: a consent needs the person.")
    if (psu.id == "required" and not asked.psu_id) or (psu.corporate_id == "required" and not asked.psu_corporate_id):
        raise Problem(422, "psu-id-required", f"{desk.bank.profile.name} wants its customer's name beforehand.")
    values = {
        "redirect_uri": asked.redirect_uri,
        "nok_redirect_uri": asked.nok_redirect_uri,
        "psu_id": asked.psu_id if psu.id != "never" else None,
        "psu_corporate_id": asked.psu_corporate_id if psu.corporate_id != "never" else None,
    }
    references = [each.model_dump(exclude_none=True) for each in asked.accounts]
    started = desk.bank.start(desk.context(values), references)
    started = started.model_copy(update={"psu_corporate_id": values["psu_corporate_id"]})
    with desk.database.session(user.id) as session:
        cipher = desk.cipher(session)
        row = BankConsent(
            bank=bank, psu_id=cipher.seal(asked.psu_id, "psu") if values["psu_id"] and asked.psu_id else None,
            redirect_uri=asked.redirect_uri, nok_redirect_uri=asked.nok_redirect_uri, created=clock.now(),
        )  # fmt: skip
        seal_progress(cipher, row, started)
        session.add(row)
        session.flush()
        law = desk.bank.profile.jurisdiction
        return StartedConsent(
            id=row.id, status=started.status, jurisdiction=law, authorisation=Authorisation.of(started)
        )


@router.get("/banks/{bank}/consents/{consent_id}/status", operation_id="getBankConsentStatus", dependencies=_SEES)
def consent_status(
    request: Request,
    user: CurrentUser,
    bank: str,
    consent_id: uuid.UUID,
    until: Annotated[bool, Query(description="whether to ask until when a valid one is valid, too")] = False,
) -> ConsentState:
    """Where the consent stands: the bank is asked each time."""
    desk = Desk.at(request, bank, user)
    status = desk.bank.consent_status(desk.existing(consent_id))
    valid_until = desk.bank.valid_until(desk.existing(consent_id)) if until and status == "valid" else None
    return ConsentState(id=consent_id, status=status, valid_until=valid_until)


@router.delete(
    "/banks/{bank}/consents/{consent_id}", operation_id="deleteBankConsent", dependencies=_CHANGES, status_code=204
)
def delete_consent(request: Request, user: CurrentUser, bank: str, consent_id: uuid.UUID) -> None:
    """End the consent at the bank."""
    desk = Desk.at(request, bank, user)
    desk.bank.delete_consent(desk.existing(consent_id))


@router.get("/banks/{bank}/consents/{consent_id}/accounts", operation_id="listBankAccounts", dependencies=_READS)
def accounts(request: Request, user: CurrentUser, bank: str, consent_id: uuid.UUID) -> AccountList:
    """The accounts that the consent grants, with their balances."""
    desk = Desk.at(request, bank, user)
    found = standing.read(desk.bank, desk.existing(consent_id), desk.bank.accounts)
    with desk.database.session(user.id) as session:
        resources = [each.resource_id for each in found]
        known = store.keep_accounts(session, desk.cipher(session), user.id, consent_id, resources)
    linked = [LinkedAccount(id=known[each.resource_id], **each.model_dump()) for each in found]
    if desk.bank.profile.balances.source == "endpoint":
        for each in linked:
            each.balances = _balances(desk, consent_id, each)
    return AccountList(accounts=linked)


def _balances(desk: Desk, consent_id: uuid.UUID, account: LinkedAccount) -> list[Balance]:
    """An account's balances; those of the account list where the bank has no others for it."""
    try:
        told = standing.read(desk.bank, desk.existing(consent_id, account.id), desk.bank.balances)
        return told or account.balances
    except BankFailure as failure:
        if failure.kind in ("not-found", "bank-refused"):
            return account.balances
        raise


@router.get(
    "/banks/{bank}/consents/{consent_id}/accounts/{account_id}/transactions", operation_id="listBankTransactions",
    dependencies=_READS, response_model=TransactionList,
)  # fmt: skip
def transactions(
    request: Request,
    user: CurrentUser,
    bank: str,
    consent_id: uuid.UUID,
    account_id: uuid.UUID,
    date_from: Annotated[datetime.date | None, Query(description="all that the bank has, if absent")] = None,
) -> Response:
    """All transactions of an account from a date until today: every page, or an error and none."""
    desk = Desk.at(request, bank, user)
    today = desk.bank.today
    earliest = today - datetime.timedelta(days=desk.bank.profile.transactions.history_days)
    start = min(max(date_from or earliest, earliest), today)
    period = {"date_from": start.isoformat(), "date_to": today.isoformat()}
    history = standing.read(desk.bank, desk.existing(consent_id, account_id, **period), desk.bank.history)
    told = TransactionList(
        date_from=start, date_to=today, entries=history.entries, covers_pending=history.covers_pending,
        complete=history.complete, unreadable=history.unreadable, pages=history.pages,
    )  # fmt: skip
    return written(told)


def build(settings: ConnectorSettings) -> FastAPI:
    """The connector's application. Raises ProfileError or SettingsError when profiles or settings are wrong."""
    keys, profiles = UserKeys.of(settings), profile.load_all()

    def prepare(app: FastAPI) -> list[Any]:
        urls = {bank: str(url) for bank, url in settings.bank_urls.items()}
        vault = str(settings.key_vault_url) if settings.key_vault_url else None
        seal = VaultSeal(vault, settings.qseal_certificate) if vault and settings.qseal_certificate else None
        tls, file = app.state.tls, settings.qwac_certificate
        shown = Qwac(file, partial(calls.trust, settings.ssl_cert_file)) if file else None
        known = {name: banks.adapter(each, urls.get(name), tls, seal, shown) for name, each in profiles.items()}
        app.state.banks, app.state.keys, app.state.health = known, keys, HealthBoard()
        return list(known.values())

    return create_app("connector", "Bank connector", settings, [router], prepare=prepare, handlers=HANDLERS)
