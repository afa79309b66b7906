"""The transaction service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import CurrentUser, User
from workloads.chassis.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from workloads.chassis.problems import Problem, documented
from workloads.services.transaction import store
from workloads.services.transaction.forms import (
    Failure,
    Synchronisation,
    SynchronisationRequest,
    SynchronisedAccount,
    TransactionPage,
    TransactionView,
)
from workloads.services.transaction.settings import TransactionSettings

router = APIRouter(tags=["transactions"], responses=documented(401, 422, 503))
_OVERLAP = datetime.timedelta(days=30)
"""How far back a list reaches before the last one's end: banks book late and correct what they told."""


@router.get("/transactions", operation_id="listTransactions", responses=documented(400))
def list_page(
    session: UserTransaction,
    account_id: Annotated[uuid.UUID | None, Query(description="only of this account")] = None,
    date_from: Annotated[datetime.date | None, Query(description="on this date or later")] = None,
    date_to: Annotated[datetime.date | None, Query(description="on this date or earlier")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
) -> TransactionPage:
    """The user's history over all banks in one list, newest first."""
    rows, following = store.page(session, store.Filter(account_id, date_from, date_to), cursor, limit)
    return TransactionPage(transactions=[TransactionView.of(each) for each in rows], next_cursor=following)


@router.get("/transactions/{transaction_id}", operation_id="getTransaction", responses=documented(404))
def read(session: UserTransaction, transaction_id: uuid.UUID) -> TransactionView:
    """One transaction."""
    return TransactionView.of(store.get(session, transaction_id))


@router.post("/synchronisations", operation_id="synchronise", responses=documented(502))
def synchronise(request: Request, user: CurrentUser, asked: SynchronisationRequest) -> Synchronisation:
    """Read every connected account at its bank. One that fails does not stop the others, and changes nothing."""
    person = person_address(request) if asked.attended else None
    accounts: ServiceClient = request.app.state.account
    told = accounts.call("POST", "/accounts/refresh", user, attended_from=person, json={"attended": asked.attended})
    result = Synchronisation(accounts=[], failures=[])
    for each in told["failures"]:
        result.failures.append(Failure(bank=each["bank"], kind=each["kind"], detail=each["detail"]))
    for account in told["accounts"]:
        if account["connected"]:
            try:
                result.accounts.append(_synchronise(request, user, account, person))
            except Problem as problem:
                about = {"bank": account["bank"], "account_id": account["id"]}
                result.failures.append(Failure(**about, kind=problem.kind, detail=problem.detail))
    return result


def _synchronise(request: Request, user: User, account: dict[str, Any], person: str | None) -> SynchronisedAccount:
    state, account_id = request.app.state, uuid.UUID(account["id"])
    with state.database.session(user.id) as session:
        until = store.synchronised_until(session, account_id)
    path = f"/banks/{account['bank']}/consents/{account['bank_consent_id']}/accounts/{account['bank_account_id']}"
    period = {"date_from": (until - _OVERLAP).isoformat()} if until else {}
    listed = state.connector.call("GET", f"{path}/transactions", user, attended_from=person, params=period)
    batch = [store.told_of(each) for each in listed["entries"]]
    with state.database.session(user.id) as session:
        imported = store.import_list(
            session, user.id, account, batch, covers_pending=listed["covers_pending"],
            date_from=datetime.date.fromisoformat(listed["date_from"]),
            date_to=datetime.date.fromisoformat(listed["date_to"]),
        )  # fmt: skip
    return SynchronisedAccount(
        account_id=account_id, bank=account["bank"], added=imported.added, updated=imported.updated,
        removed=imported.removed, unchanged=imported.unchanged, unreadable=listed["unreadable"],
    )  # fmt: skip


def build(settings: TransactionSettings) -> FastAPI:
    """The transaction service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.account = ServiceClient("account", str(settings.account_url), app.state.tls, timeout=180)
        app.state.connector = ServiceClient("connector", str(settings.connector_url), app.state.tls, timeout=180)
        return [app.state.account, app.state.connector]

    return create_app("transaction", "Transactions", settings, [router], prepare=prepare)
