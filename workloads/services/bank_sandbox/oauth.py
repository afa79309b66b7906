"""The bank's authorization server: codes with PKCE, access and refresh tokens (RFC 6749, 7636, 8414)."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.services.bank_sandbox import headers, id_tokens
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Consent, Grant
from workloads.services.bank_sandbox.session import Transaction

LASTS = datetime.timedelta(minutes=5)
"""How long an access token lasts."""
router = APIRouter(include_in_schema=False)


def hashed(secret: str) -> str:
    """What is kept of a code or token."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Asked:
    """An authorization request. nonce: of the hybrid flow, where an ID token is wanted."""

    client_id: str
    redirect_uri: str
    state: str | None
    challenge: str
    nonce: str | None


def note(session: Session, consent: Consent, asked: Asked) -> None:
    """Keep an authorization request until the customer has decided."""
    session.merge(
        Grant(consent_id=consent.id, code=None, access=None, refresh=None, expires=None, **dataclasses.asdict(asked))
    )


def told_by(request: str) -> dict[str, Any]:
    """The claims of a request object. Its signature is not checked: the sandbox knows no TPP's key."""
    try:
        part = request.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        told = None
    if not isinstance(told, dict):
        raise Refusal(400, "FORMAT_ERROR", "The request object is no JWT.", "request")
    return told


def intent(told: dict[str, Any]) -> str:
    """The consent that a request object names."""
    try:
        return str(told["claims"]["id_token"]["openbanking_intent_id"]["value"])
    except (KeyError, TypeError):
        raise Refusal(400, "FORMAT_ERROR", "The request object names no openbanking_intent_id.", "request") from None


def check_hybrid(told: dict[str, Any], asked: Asked, audience: str) -> None:
    """Hold a request of the hybrid flow to FAPI 1.0 part 2, section 5.2.2. Raises Refusal 400."""
    now = clock.now().timestamp()
    wanted = {
        "response_type": "code id_token", "client_id": asked.client_id, "redirect_uri": asked.redirect_uri,
        "state": asked.state, "nonce": asked.nonce, "aud": audience,
    }  # fmt: skip
    wrong = [name for name, value in wanted.items() if not value or told.get(name) != value]
    since, until = told.get("nbf"), told.get("exp")
    timely = isinstance(since, int) and isinstance(until, int) and since - 60 <= now <= until <= since + 3600
    if not timely:
        wrong.append("exp")
    if wrong:
        raise Refusal(400, "FORMAT_ERROR", f"The request object's {', '.join(wrong)} is missing or wrong.", "request")


def return_address(session: Session, consent: Consent, bank: str, *, granted: bool) -> str | None:
    """Where the customer goes back to with a code, or with the refusal; None where it was no OAuth request."""
    found = session.get(Grant, consent.id)
    if found is None:
        return None
    told = {"state": found.state} if found.state else {}
    if granted:
        code = secrets.token_urlsafe(24)
        found.code = hashed(code)
        told["code"] = code
        if found.nonce and found.client_id:
            told["id_token"] = id_tokens.signed(bank, found.client_id, found.nonce, str(consent.id), code, found.state)
    else:
        told["error"] = "access_denied"
    if found.nonce:  # OAuth 2.0 Multiple Response Types, section 5: nothing of it reaches the server of the address
        return f"{found.redirect_uri}#{urlencode(told)}"
    return found.redirect_uri + ("&" if "?" in found.redirect_uri else "?") + urlencode(told)


def check(session: Session, consent: Consent, authorization: str | None) -> None:
    """Raises Refusal 401 unless a consent that was authorised by OAuth is used with its token."""
    found = session.get(Grant, consent.id)
    if found is None:
        return
    given = hashed((authorization or "").removeprefix("Bearer "))
    if found.access is None or not hmac.compare_digest(found.access, given):
        raise Refusal(401, "TOKEN_INVALID", "The access token is not this consent's.")
    if found.expires is None or found.expires <= clock.now():
        raise Refusal(401, "TOKEN_EXPIRED", "The access token has expired.")


@router.get("/.well-known/oauth-authorization-server")
def metadata(request: Request) -> dict[str, Any]:
    """Where the endpoints are (RFC 8414)."""
    here = headers.origin(request)
    return {
        "issuer": here, "authorization_endpoint": f"{here}/oauth/authorize", "token_endpoint": f"{here}/oauth/token",
        "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
    }  # fmt: skip


@router.get("/oauth/jwks")
def jwks(request: Request) -> dict[str, Any]:
    """The keys that ID tokens are signed with (RFC 7517)."""
    return id_tokens.keys(request.app.state.settings.sandbox_bank)


async def _form(request: Request) -> dict[str, str]:
    return {name: each[0] for name, each in parse_qs((await request.body()).decode("utf-8", "replace")).items()}


def _refused(error: str) -> Response:
    return JSONResponse({"error": error}, 400, headers={"Cache-Control": "no-store"})


@router.post("/oauth/token")
def token(session: Transaction, form: Annotated[dict[str, str], Depends(_form)]) -> Response:
    """Tokens for a code, once, or for a refresh token, which is replaced."""
    if form.get("grant_type") == "client_credentials":  # who asks is proved by mutual TLS, in front of the sandbox
        return JSONResponse({"access_token": "own", "token_type": "Bearer", "expires_in": 300})
    column, given = {
        "authorization_code": (Grant.code, form.get("code")),
        "refresh_token": (Grant.refresh, form.get("refresh_token")),
    }.get(form.get("grant_type", ""), (None, None))
    if column is None:
        return _refused("unsupported_grant_type")
    found = session.scalar(dialect.locked(select(Grant).where(column == hashed(given or "")), Grant))
    if found is None or not given:
        return _refused("invalid_grant")
    if form["grant_type"] == "authorization_code":
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == found.challenge
        if not proved or form.get("redirect_uri") != found.redirect_uri:
            return _refused("invalid_grant")
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    found.code, found.access, found.refresh = None, hashed(access), hashed(refresh)
    found.expires = clock.now() + LASTS
    body = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
    answer = {**body, "expires_in": int(LASTS.total_seconds())}
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})
