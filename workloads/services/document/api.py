"""The document service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response

from workloads.chassis import erasure, ids, userkeys
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import Problem, documented
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import UserKeys
from workloads.services.document import domain, merged, orphans, store
from workloads.services.document.files import Files
from workloads.services.document.forms import Attachment, DocumentList, DocumentView, MatchList, MatchView
from workloads.services.document.models import Base, Document
from workloads.services.document.settings import DocumentSettings

router = APIRouter(tags=["documents"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503))
_WRITES = [demands(Scope.ACCOUNTS_WRITE)]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILES = dict.fromkeys(domain.TYPES, _BINARY)
_AMOUNT = 10**12


async def _content(request: Request) -> bytes:
    """The request's body. Raises Problem 413 as soon as it is too large."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > domain.LARGEST_BYTES:
            raise Problem(413, "too-large", f"A document may have {domain.LARGEST_BYTES} bytes.")
    return bytes(content)


@router.post(
    "/documents", operation_id="uploadDocument", dependencies=_WRITES, status_code=201,
    responses=documented(409, 413, 415)
    | {200: {"description": "It is kept already: the document with this content", "model": DocumentView}},
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)  # fmt: skip
def upload(
    request: Request,
    response: Response,
    user: CurrentUser,
    content: Annotated[bytes, Depends(_content)],
    file_name: Annotated[
        str,
        Header(
            max_length=1000, pattern=r"^(%[0-9A-Fa-f]{2}|[0-9A-Za-z ._()-])+$", examples=["Caf%C3%A9.pdf"],
            description="percent-encoded UTF-8; a header, since addresses are written to logs",
        ),
    ],
) -> DocumentView:  # fmt: skip
    """Keep a document: a PDF, JPEG, PNG or WebP file. The same content is kept once."""
    state = request.app.state
    name, kind = _named(file_name), domain.media_type(content)
    if kind is None:
        raise Problem(415, "unsupported-type", f"The content is none of {', '.join(domain.TYPES)}.")
    with state.database.session(user.id) as session:
        cipher = state.keys.cipher(session, user.id)
        known = store.same(session, cipher, content)
        if known is None:
            store.check_room(session, len(content))
    if known is None:
        document_id = ids.new_id()
        state.files.keep(user.id, document_id, cipher.seal_bytes(content, "document"))
        try:
            with state.database.session(user.id) as session:
                state.keys.hold(session, user.id, cipher)
                known = store.add(session, user.id, cipher, document_id, content, name, kind)
        except Problem:
            state.files.remove(user.id, document_id)
            raise
        if known.id == document_id:
            return DocumentView.of(known, store.details(cipher, known))
        state.files.remove(user.id, document_id)  # another request was faster with the same content
    response.status_code = 200
    return DocumentView.of(known, store.details(cipher, known))


def _named(encoded: str) -> str:
    try:
        return domain.file_name(encoded)
    except ValueError as error:
        raise Problem(422, "invalid-request", f"File-Name: {error.args[-1]}.") from None


@router.get("/documents", operation_id="listDocuments")
def list_all(
    request: Request,
    session: UserTransaction,
    user: CurrentUser,
    transaction_id: Annotated[uuid.UUID | None, Query(description="only of this transaction")] = None,
) -> DocumentList:
    """The person's documents, newest first."""
    cipher = request.app.state.keys.cipher(session, user.id)
    rows = store.every(session, transaction_id)
    return DocumentList(documents=[DocumentView.of(each, store.details(cipher, each)) for each in rows])


@router.get("/documents/{document_id}", operation_id="getDocument", responses=documented(404))
def read(request: Request, session: UserTransaction, user: CurrentUser, document_id: uuid.UUID) -> DocumentView:
    """What is known of a document."""
    return _view(request, session, user.id, store.get(session, document_id))


@router.get(
    "/documents/{document_id}/content", operation_id="getDocumentContent", response_class=Response,
    responses=documented(404) | {200: {"description": "The file", "content": _FILES}},
)  # fmt: skip
def content(request: Request, user: CurrentUser, document_id: uuid.UUID) -> Response:
    """The file as it was uploaded."""
    state = request.app.state
    with state.database.session(user.id) as session:
        row = store.get(session, document_id)
        cipher = state.keys.cipher(session, user.id)
    name = quote(store.details(cipher, row)["name"])
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    opened = cipher.open_bytes(state.files.read(user.id, document_id), "document")
    return Response(opened, media_type=row.kind, headers=headers)


@router.delete(
    "/documents/{document_id}", operation_id="deleteDocument", dependencies=_WRITES, status_code=204,
    responses=documented(404),
)  # fmt: skip
def delete(request: Request, user: CurrentUser, document_id: uuid.UUID) -> None:
    """Delete a document, file and all."""
    database = request.app.state.database
    with database.session(user.id) as session:
        store.get(session, document_id)
    request.app.state.files.remove(user.id, document_id)
    with database.session(user.id) as session:
        store.delete(session, user.id, document_id)


@router.put(
    "/documents/{document_id}/transaction", operation_id="attachDocument", dependencies=_WRITES,
    responses=documented(404, 502)
)  # fmt: skip
def attach(request: Request, user: CurrentUser, document_id: uuid.UUID, asked: Attachment) -> DocumentView:
    """Say which transaction a document belongs to: one of the person's."""
    state = request.app.state
    with state.database.session(user.id) as session:
        store.get(session, document_id)
    state.transaction.call("GET", f"/transactions/{asked.transaction_id}", user)
    with state.database.session(user.id) as session:
        row = store.attach(session, user.id, document_id, asked.transaction_id)
        return _view(request, session, user.id, row)


@router.delete(
    "/documents/{document_id}/transaction", operation_id="detachDocument", dependencies=_WRITES,
    responses=documented(404)
)  # fmt: skip
def detach(request: Request, session: UserTransaction, user: CurrentUser, document_id: uuid.UUID) -> DocumentView:
    """Say that a document belongs to no transaction."""
    return _view(request, session, user.id, store.attach(session, user.id, document_id, None))


@router.get(
    "/documents/{document_id}/matches", operation_id="listDocumentMatches", responses=documented(404, 502)
)  # fmt: skip
def matches(
    request: Request,
    user: CurrentUser,
    document_id: uuid.UUID,
    minor: Annotated[int, Query(ge=1, le=_AMOUNT, description="what was paid, in minor units", examples=[480])],
    currency: Annotated[str, Query(pattern="^[A-Z]{3}$", examples=["EUR"])],
    date: Annotated[datetime.date, Query(description="that the receipt was printed on")],
) -> MatchList:
    """The transactions that a receipt may belong to, by what it says."""
    state = request.app.state
    with state.database.session(user.id) as session:
        store.get(session, document_id)
    if not datetime.date(1970, 1, 1) <= date <= datetime.date(2199, 12, 31):
        raise Problem(422, "invalid-request", "date is no day of a receipt; allowed are 1970-01-01 to 2199-12-31.")
    receipt = domain.Receipt(minor, currency, date)
    wanted = {
        "minimum": -minor, "maximum": -minor, "date_from": receipt.earliest.isoformat(),
        "date_to": receipt.latest.isoformat(), "limit": 200,
    }  # fmt: skip
    told = state.transaction.call("GET", "/transactions", user, params=wanted)["transactions"]
    found = [
        MatchView(
            transaction_id=each["id"], date=each["date"], minor=each["minor"], currency=each["currency"],
            counterparty=each["counterparty"],
        )
        for each in domain.candidates(receipt, told)
    ]  # fmt: skip
    return MatchList(matches=found)


def _view(request: Request, session: Any, user: uuid.UUID, row: Document) -> DocumentView:
    return DocumentView.of(row, store.details(request.app.state.keys.cipher(session, user), row))


def _delete_files(handling: Handling) -> int:
    return handling.app.files.remove_all(handling.user)


HANDLERS: dict[str, Handler] = {
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, userkeys.Base], before=_delete_files),
    orphans.STORED: orphans.reconcile,
    merged.AMENDED: merged.follow,
}


def build(settings: DocumentSettings) -> FastAPI:
    """The document service's application. Raises SettingsError when no key is named."""
    keys = UserKeys.of(settings)

    def prepare(app: FastAPI) -> list[Any]:
        app.state.keys, app.state.files = keys, Files(str(settings.uploads_url))
        app.state.transaction = ServiceClient("transaction", str(settings.transaction_url), app.state.tls)
        return [app.state.files, app.state.transaction]

    return create_app(store.SERVICE, "Documents", settings, [router], prepare=prepare, handlers=HANDLERS)
