"""The audit service's API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.audit import store
from workloads.services.audit.forms import EntryList, EntryView
from workloads.services.audit.settings import AuditSettings

router = APIRouter(tags=["audit"], dependencies=[demands(Scope.PRIVACY_MANAGE)], responses=documented(401, 422, 503))
KEPT = (
    "user.registered", "consent.authorised", "consent.renewed", "consent.expired", "consent.revoked",
    "sync.requested", "sync.completed", "sync.failed", "account.linked", "account.closed", "transactions.imported",
    "document.uploaded", "document.deleted", "document.discarded", "erasure.requested", "erasure.done",
    "erasure.completed", "export.ready",
)  # fmt: skip
"""The events that are kept: who was given what, when it was used, and when it ended."""


@router.get("/entries", operation_id="listAuditEntries")
def entries(
    session: UserTransaction,
    user: CurrentUser,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="only entries with a smaller number")] = None,
) -> EntryList:
    """What was done with the person's data, newest first."""
    return EntryList(entries=[EntryView.of(each) for each in store.of_subject(session, str(user.id), before)])


def _keep(handling: Handling) -> None:
    with handling.transaction() as session:
        store.add(session, handling.event)


HANDLERS: dict[str, Handler] = dict.fromkeys(KEPT, _keep)


def build(settings: AuditSettings) -> FastAPI:
    """The audit service's application."""
    return create_app("audit", "Audit trail", settings, [router], handlers=HANDLERS)
