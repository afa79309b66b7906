"""The help service's API."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from sqlalchemy.orm import Session

from workloads.chassis import erasure, tasks, userkeys
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.identity import CurrentUser, User, demands
from workloads.chassis.problems import documented, not_found
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import UserKeys
from workloads.services.help import articles, store
from workloads.services.help.forms import (
    ArticleList,
    ArticleSummary,
    ArticleView,
    Language,
    MessageForm,
    TicketForm,
    TicketList,
    TicketView,
)
from workloads.services.help.models import Base, Ticket
from workloads.services.help.settings import HelpSettings

router = APIRouter(tags=["help"], dependencies=[demands(Scope.PROFILE_READ)], responses=documented(401, 422, 503))
_WRITES = [demands(Scope.PROFILE_WRITE)]


@router.get("/articles", operation_id="listArticles")
def list_articles(
    _: CurrentUser,
    text: Annotated[str | None, Query(max_length=100, description="words to search for", examples=["bank"])] = None,
    language: Language = "en",
) -> ArticleList:
    """The articles that there are, or those in which every word occurs, the best first."""
    found = articles.every(language)
    chosen = articles.search(found, text) if text and text.strip() else found
    return ArticleList(articles=[ArticleSummary.of(each) for each in chosen])


@router.get("/articles/{article_id}", operation_id="getArticle", responses=documented(404))
def read_article(_: CurrentUser, article_id: str, language: Language = "en") -> ArticleView:
    """An article; in English where it is not translated."""
    found = next((each for each in articles.every(language) if each.id == article_id), None)
    if found is None:
        raise not_found("article")
    return ArticleView.of(found)


@router.get("/tickets", operation_id="listTickets")
def list_tickets(request: Request, session: UserTransaction, user: CurrentUser) -> TicketList:
    """The person's tickets, the one that changed last first."""
    return TicketList(tickets=_views(request, session, user, store.every(session)))


@router.post("/tickets", operation_id="openTicket", dependencies=_WRITES, status_code=201, responses=documented(409))
def open_ticket(request: Request, session: UserTransaction, user: CurrentUser, asked: TicketForm) -> TicketView:
    """Ask something."""
    cipher = request.app.state.keys.cipher(session, user.id)
    return _view(request, session, user, store.open_ticket(session, user.id, cipher, asked.subject, asked.text))


@router.get("/tickets/{ticket_id}", operation_id="getTicket", responses=documented(404))
def read_ticket(request: Request, session: UserTransaction, user: CurrentUser, ticket_id: uuid.UUID) -> TicketView:
    """A ticket."""
    return _view(request, session, user, store.get(session, ticket_id))


@router.post(
    "/tickets/{ticket_id}/messages", operation_id="replyToTicket", dependencies=_WRITES, responses=documented(404, 409)
)
def reply(
    request: Request, session: UserTransaction, user: CurrentUser, ticket_id: uuid.UUID, asked: MessageForm
) -> TicketView:
    """Write in a ticket; one that was closed is open again."""
    cipher = request.app.state.keys.cipher(session, user.id)
    return _view(request, session, user, store.reply(session, user.id, cipher, ticket_id, asked.text))


@router.post("/tickets/{ticket_id}/close", operation_id="closeTicket", dependencies=_WRITES, responses=documented(404))
def close(request: Request, session: UserTransaction, user: CurrentUser, ticket_id: uuid.UUID) -> TicketView:
    """Say that no answer is needed any more."""
    return _view(request, session, user, store.close(session, user.id, ticket_id))


def _view(request: Request, session: Session, user: User, ticket: Ticket) -> TicketView:
    return _views(request, session, user, [ticket])[0]


def _views(request: Request, session: Session, user: User, tickets: Sequence[Ticket]) -> list[TicketView]:
    cipher, written = request.app.state.keys.cipher(session, user.id), store.messages(session, tickets)
    return [TicketView.of(each, written[each.id], cipher) for each in tickets]


HANDLERS = {erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, userkeys.Base, tasks.Base])}


def build(settings: HelpSettings) -> FastAPI:
    """The help service's application. Raises SettingsError when no key is named, ArticleError for a wrong article."""
    keys = UserKeys.of(settings)
    for language in articles.LANGUAGES:
        articles.every(language)

    def prepare(app: FastAPI) -> list[Any]:
        app.state.keys = keys
        return []

    return create_app(store.SERVICE, "Help", settings, [router], prepare=prepare, handlers=HANDLERS)
