"""The authorization endpoint: where the customer's browser comes to, and is led on to the bank's page."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from workloads.services.bank_sandbox import id_tokens, oauth, store
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Authorisation
from workloads.services.bank_sandbox.session import Transaction

router = APIRouter(prefix="/oauth", include_in_schema=False)


@router.get("/authorize")
def authorize(
    asking: Request,
    session: Transaction,
    response_type: Annotated[Literal["code", "code id_token"], Query()],
    client_id: Annotated[str, Query(max_length=200)],
    redirect_uri: Annotated[str, Query(max_length=2000, pattern="^https?://")],
    scope: Annotated[str, Query(pattern="^(AIS: ?[0-9a-f-]{36}|openid accounts)$")],
    code_challenge: Annotated[str, Query(min_length=43, max_length=100)],
    code_challenge_method: Annotated[Literal["S256"], Query()],
    state: Annotated[str | None, Query(max_length=500)] = None,
    nonce: Annotated[str | None, Query(max_length=200)] = None,
    consent_id: Annotated[str | None, Query(max_length=36)] = None,
    request: Annotated[str | None, Query(max_length=8000)] = None,
) -> Response:
    """Note what is asked, and send the customer to the page that decides it.

    The consent is named by the scope, with UK Open Banking by the request object, or by consent_id where there is none.
    """
    told = oauth.told_by(request) if request else {}
    hybrid = response_type == "code id_token"
    asked = oauth.Asked(client_id, redirect_uri, state, code_challenge, nonce if hybrid else None)
    if hybrid:
        oauth.check_hybrid(told, asked, id_tokens.issuer(asking.app.state.settings.sandbox_bank))
    named = oauth.intent(told) if request else consent_id or scope.removeprefix("AIS:").strip()
    consent = store.consent_in_path(session, named)
    query = select(Authorisation).where(Authorisation.consent_id == consent.id, Authorisation.status == "received")
    open_one = session.scalar(query.order_by(Authorisation.created.desc()))
    if open_one is None:
        raise Refusal(409, "STATUS_INVALID", "This consent has been decided already.")
    oauth.note(session, consent, asked)
    return RedirectResponse(f"/authorise/{open_one.id}", 303)
