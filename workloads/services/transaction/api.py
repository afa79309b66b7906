"""The transaction service's API."""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.chassis.app import UserTransaction, create_app, written
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import CurrentUser, User, demands
from workloads.chassis.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import Cipher, UserKeys
from workloads.services.transaction import domain, earlier, imports, own_accounts, store
from workloads.services.transaction.forms import (
    ChangeList,
    Decision,
    Failure,
    SuggestionList,
    SuggestionView,
    Synchronisation,
    SynchronisationRequest,
    SynchronisedAccount,
    TransactionPage,
    TransactionView,
    change,
    shown,
)
from workloads.services.transaction.handlers import HANDLERS
from workloads.services.transaction.sealed_ibans import Hider, Opener
from workloads.services.transaction.settings import TransactionSettings

router = APIRouter(
    tags=["transactions"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503)
)
_WRITES = [demands(Scope.ACCOUNTS_WRITE)]
_LARGEST = 10**15
_MOST_CHANGES = 2000
_OVERLAP = datetime.timedelta(days=30)
"""How far back a list reaches before the last one's end: banks book late and correct what they told."""


def _opener(request: Request, session: Session) -> Opener:
    """Opens what is sealed of the session's user. No dependency of FastAPI's: that takes a thread's turn more."""
    return Opener.of(request.app.state.keys, session)


@router.get("/transactions", operation_id="listTransactions", response_model=TransactionPage, responses=documented(400))
def list_page(
    request: Request,
    user: CurrentUser,
    account_id: Annotated[uuid.UUID | None, Query(description="only of this account")] = None,
    date_from: Annotated[datetime.date | None, Query(description="on this date or later")] = None,
    date_to: Annotated[datetime.date | None, Query(description="on this date or earlier")] = None,
    text: Annotated[
        str | None, Query(max_length=100, description="words of the texts, or whole account numbers")
    ] = None,
    category: Annotated[str | None, Query(max_length=60, pattern="^[a-z-]+$", examples=["groceries"])] = None,
    minimum: Annotated[int | None, Query(ge=-_LARGEST, le=_LARGEST, description="signed minor units")] = None,
    maximum: Annotated[int | None, Query(ge=-_LARGEST, le=_LARGEST, description="signed minor units")] = None,
    state: Annotated[domain.State, Query(description="withdrawn: by the bank; deleted: by the person")] = "listed",
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
) -> Response:
    """The user's history over all banks in one list, newest first."""
    # Not a UserTransaction: FastAPI begins and ends one in two further turns of a thread.
    with request.app.state.database.session(user.id) as session:
        opener = _opener(request, session)
        words, indexes = opener.sought(text)
        wanted = store.Filter(account_id, date_from, date_to, words, category, minimum, maximum, indexes, state)
        rows, following = store.page(session, wanted, cursor, limit)
        transactions = [shown(each, opener) for each in rows]
    return written({"transactions": transactions, "next_cursor": following})


@router.get("/transactions/{transaction_id}", operation_id="getTransaction", responses=documented(404))
def read(request: Request, session: UserTransaction, transaction_id: uuid.UUID) -> TransactionView:
    """One transaction."""
    return TransactionView.of(store.get(session, transaction_id), _opener(request, session))


@router.delete(
    "/transactions/{transaction_id}",
    operation_id="deleteTransaction",
    dependencies=_WRITES,
    status_code=204,
    responses=documented(404),
)
def delete(session: UserTransaction, user: CurrentUser, transaction_id: uuid.UUID) -> None:
    """Take a transaction out of the history. A bank that tells it again does not bring it back."""
    store.delete(session, user.id, transaction_id)


@router.post(
    "/transactions/{transaction_id}/restore",
    operation_id="restoreTransaction",
    dependencies=_WRITES,
    responses=documented(404, 409),
)
def restore(
    request: Request, session: UserTransaction, user: CurrentUser, transaction_id: uuid.UUID
) -> TransactionView:
    """Bring a deleted transaction back."""
    restored = own_accounts.restore(session, user.id, transaction_id)
    return TransactionView.of(restored, _opener(request, session))


@router.get("/transaction-changes", operation_id="listTransactionChanges", response_model=ChangeList)
def changes(
    session: UserTransaction,
    after: Annotated[int, Query(ge=0, le=2**62, description="revision that is known already")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_CHANGES)] = _MOST_CHANGES,
) -> Response:
    """What changed since a revision of the ledger, oldest change first; withdrawn and deleted ones too."""
    rows = store.changes(session, after, limit)
    return written({"changes": [change(each) for each in rows], "complete": len(rows) < limit})


@router.get("/match-suggestions", operation_id="listMatchSuggestions")
def suggestions(
    session: UserTransaction,
    before: Annotated[AwareDatetime | None, Query(description="only those that were made earlier")] = None,
) -> SuggestionList:
    """Pending transactions that may have become booked ones, where that is not certain: the person decides."""
    return SuggestionList(suggestions=[SuggestionView.of(each) for each in store.suggestions(session, before)])


@router.post(
    "/match-suggestions/{suggestion_id}/decision", operation_id="decideMatchSuggestion", dependencies=_WRITES,
    status_code=204, responses=documented(404),
)  # fmt: skip
def decide(session: UserTransaction, user: CurrentUser, suggestion_id: uuid.UUID, asked: Decision) -> None:
    """Say whether the two are one. If they are, the booked one remains."""
    store.decide(session, user.id, suggestion_id, same=asked.same)


@router.post(
    "/synchronisations",
    operation_id="synchronise",
    dependencies=[demands(Scope.CONSENTS_READ)],
    responses=documented(409, 502),
)
def synchronise(request: Request, user: CurrentUser, asked: SynchronisationRequest) -> Synchronisation:
    """Read every connected account at its bank. One that fails does not stop the others, and changes nothing."""
    person = person_address(request) if asked.attended else None
    accounts: ServiceClient = request.app.state.account
    with request.app.state.database.session(user.id) as session:
        cipher = request.app.state.keys.cipher(session, user.id)
    told = accounts.call("POST", "/accounts/refresh", user, attended_from=person, json={"attended": asked.attended})
    numbers = accounts.call("GET", "/account-numbers", user)["numbers"]
    earlier.before_a_list(request.app.state, request.app.state.database, user.id)
    with request.app.state.database.session(user.id) as session:
        request.app.state.keys.hold(session, user.id, cipher)
        own_accounts.keep(session, user.id, cipher, numbers)
    result = Synchronisation(accounts=[], failures=[])
    for each in told["failures"]:
        result.failures.append(Failure(bank=each["bank"], kind=each["kind"], detail=each["detail"]))
    wanted = None if asked.account_ids is None else {str(each) for each in asked.account_ids}
    for account in told["accounts"]:
        if account["connected"] and (wanted is None or account["id"] in wanted):
            try:
                result.accounts.append(_synchronise(request, user, cipher, account, person))
            except Problem as problem:
                about = {"bank": account["bank"], "account_id": account["id"]}
                result.failures.append(Failure(**about, kind=problem.kind, detail=problem.detail))
    return result


def _synchronise(
    request: Request, user: User, cipher: Cipher, account: dict[str, Any], person: str | None
) -> SynchronisedAccount:
    state, account_id = request.app.state, uuid.UUID(account["id"])
    with state.database.session(user.id) as session:
        before = store.synchronised(session, account_id)
    path = f"/banks/{account['bank']}/consents/{account['bank_consent_id']}/accounts/{account['bank_account_id']}"
    # Never later than today: a clock that was ahead when the account was read must not hide what is booked meanwhile.
    until = min(before.until, clock.today()) if before and before.until else None
    period, asked = {"date_from": (until - _OVERLAP).isoformat()} if until else {}, clock.now()
    told = state.connector.fetch(f"{path}/transactions", user, attended_from=person, params=period)
    digest = cipher.index(hashlib.sha256(told).hexdigest(), "list")
    if before and before.digest == digest:  # the same list in any order changes nothing: it need not be read
        return SynchronisedAccount(
            account_id=account_id, bank=account["bank"], added=0, updated=0, removed=0, unchanged=before.entries,
            unreadable=before.unreadable,
        )  # fmt: skip
    listed, hider = json.loads(told), Hider(cipher)
    listing = imports.Listing(
        account_id, account["bank"], [imports.told_of(each, hider) for each in listed["entries"]],
        covers_pending=listed["covers_pending"], unreadable=listed["unreadable"], digest=digest,
        asked=asked, complete=listed["complete"], date_from=datetime.date.fromisoformat(listed["date_from"]),
        date_to=datetime.date.fromisoformat(listed["date_to"]),
    )  # fmt: skip
    with state.database.session(user.id) as session:
        state.keys.hold(session, user.id, cipher)
        imported = imports.import_list(session, user.id, cipher, listing)
    return SynchronisedAccount(
        account_id=account_id, bank=account["bank"], added=imported.added, updated=imported.updated,
        removed=imported.removed, unchanged=imported.unchanged, unreadable=listed["unreadable"],
    )  # fmt: skip


def build(settings: TransactionSettings) -> FastAPI:
    """The transaction service's application. Raises SettingsError when no key is named."""
    keys = UserKeys.of(settings)

    def prepare(app: FastAPI) -> list[Any]:
        app.state.keys = keys
        app.state.account = ServiceClient("account", str(settings.account_url), app.state.tls, timeout=180)
        app.state.connector = ServiceClient("connector", str(settings.connector_url), app.state.tls, timeout=180)
        return [app.state.account, app.state.connector]

    return create_app(
        "transaction", "Transactions", settings, [router], prepare=prepare, handlers=HANDLERS,
        tasks={earlier.SEAL: earlier.seal},
    )  # fmt: skip
