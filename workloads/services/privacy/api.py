"""The privacy service's API."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import AwareDatetime

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient
from workloads.chassis.events.catalogue import ERASURE_DONE
from workloads.chassis.events.consumer import Handler, Handling, Unprocessable
from workloads.chassis.identity import CallingService, CurrentUser, demands
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.services.privacy import due, export, store
from workloads.services.privacy.forms import DueErasures, Receipt
from workloads.services.privacy.settings import PrivacySettings

router = APIRouter(tags=["privacy"], responses=documented(401, 422, 503))
_ZIP = "application/zip"
_MANAGES = [demands(Scope.PRIVACY_MANAGE)]
_READS = [demands(Scope.ACCOUNTS_READ, Scope.CONSENTS_READ, Scope.PROFILE_READ)]


@router.get(
    "/export",
    operation_id="exportEverything",
    dependencies=_MANAGES + _READS,
    response_class=Response,
    responses={
        200: {"description": "ZIP file", "content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}}},
        **documented(404, 502),
    },
)
def everything(request: Request, user: CurrentUser) -> Response:
    """Everything of the person, as one ZIP file: export.json, and each part as CSV. The person is told of it."""
    services = request.app.state.services
    parts = export.collect(services, user)
    made = export.archive(parts, export.files(services, parts, user))
    with request.app.state.database.session(user.id) as session:
        store.exported(session, user.id)
    headers = {"Content-Disposition": 'attachment; filename="export.zip"', "Cache-Control": "no-store"}
    return Response(made, media_type=_ZIP, headers=headers)


@router.post(
    "/erasures",
    operation_id="requestErasure",
    dependencies=[*_MANAGES, demands(Scope.PROFILE_READ)],
    status_code=202,
    responses=documented(502),
)
def request_erasure(request: Request, session: UserTransaction, user: CurrentUser) -> Receipt:
    """Have everything of the person erased, consents ended at the banks, and the account to sign in with deleted.

    It can't be taken back.
    """
    # The user service learns from the person's own token which account is theirs, if it has not yet: an event tells no
    # one who it is about but by pseudonym.
    request.app.state.services["user"].call("GET", "/profile", user)
    return Receipt.of(store.request(session, user.id), [])


@router.get("/erasures/{erasure_id}", operation_id="getErasure", dependencies=_MANAGES, responses=documented(404))
def receipt(session: UserTransaction, user: CurrentUser, erasure_id: uuid.UUID) -> Receipt:
    """The receipt: what each service erased, and when it was complete."""
    return Receipt.of(*store.receipt(session, user.id, erasure_id))


@router.get("/due-erasures", operation_id="listDueErasures", responses=documented(403))
def due_erasures(
    request: Request, caller: CallingService, before: Annotated[AwareDatetime | None, Query()] = None
) -> DueErasures:
    """What the calling service must have erased: it compares after a start, when its database may be a backup's."""
    service = request.app.state.settings.holders.get(caller)
    if service is None:
        raise Problem(403, "forbidden", "This operation is for the platform's services that hold users' data.")
    with request.app.state.database.session() as session:
        return due.page(session, service, before)


def _on_done(handling: Handling) -> None:
    data = handling.event.data
    try:
        told = uuid.UUID(data["erasure_id"]), int(data["round"]), str(data["service"])
        counts = int(data["rows"]), int(data["elsewhere"])
    except (KeyError, TypeError, ValueError):
        raise Unprocessable("its data is malformed") from None
    if handling.event.source != f"/services/{told[2]}":
        raise Unprocessable("a service answered for another")
    with handling.transaction() as session:
        store.answered(session, *told, *counts)


HANDLERS: dict[str, Handler] = {ERASURE_DONE: _on_done}


def build(settings: PrivacySettings) -> FastAPI:
    """The privacy service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        clients = {
            name: ServiceClient(name, str(getattr(settings, f"{name}_url")), app.state.tls) for name in export.SERVICES
        }
        app.state.services = clients
        return list(clients.values())

    return create_app(store.SERVICE, "Privacy", settings, [router], prepare=prepare, handlers=HANDLERS)
