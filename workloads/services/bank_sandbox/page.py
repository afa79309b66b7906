"""The bank's own page, where its customer signs in, sees what is asked, and approves or denies."""

from __future__ import annotations

import uuid
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.services.bank_sandbox import domain, ledger, oauth, store
from workloads.services.bank_sandbox.errors import Refusal
from workloads.services.bank_sandbox.models import Authorisation, Consent
from workloads.services.bank_sandbox.session import Transaction

router = APIRouter(prefix="/authorise", include_in_schema=False)
_ATTEMPTS = 3
_LARGEST_FORM = 20_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1b2733}
h1{font-size:1.4rem}fieldset{border:1px solid #c8d2dc;border-radius:.5rem;margin:1rem 0;padding:1rem}
label{display:block;margin:.5rem 0}input[type=text],input[type=password]{display:block;width:100%;padding:.5rem}
button{padding:.6rem 1.2rem;margin-right:.5rem;font:inherit}.wrong{color:#a11}"""
_SHOWN = {"accounts": "account details", "balances": "balances", "transactions": "transactions"}


async def _form(request: Request) -> dict[str, list[str]]:
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        raise Refusal(413, "FORMAT_ERROR", "The form is too large.")
    return parse_qs(body.decode("utf-8", "replace"), max_num_fields=100)


Form = Annotated[dict[str, list[str]], Depends(_form)]


def _page(title: str, content: str, status: int = 200) -> Response:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    return HTMLResponse(html, status, headers=_HEADERS)


def _open(session: Session, authorisation_id: str) -> tuple[Authorisation, Consent]:
    """The authorisation while it can still be decided. Raises Refusal 409 afterwards."""
    found = store.authorisation(session, None, authorisation_id)
    consent = session.get_one(Consent, found.consent_id)
    if found.status not in ("received", "psuAuthenticated") or consent.status != "received":
        raise Refusal(409, "STATUS_INVALID", "This authorisation has been decided already.")
    return found, consent


def _customer(request: Request, login: str | None) -> ledger.Customer | None:
    books = ledger.dataset(request.app.state.settings.sandbox_bank)
    return books.customer(login)


def _held(request: Request, customer: ledger.Customer) -> list[dict[str, str]]:
    books = ledger.dataset(request.app.state.settings.sandbox_bank)
    return books.held_by(customer)


def _login(request: Request, authorisation_id: str, *, wrong: bool = False) -> Response:
    name = ledger.dataset(request.app.state.settings.sandbox_bank).name
    warning = '<p class="wrong" role="alert">Name or PIN is wrong.</p>' if wrong else ""
    form = (
        f'{warning}<form method="post" action="/authorise/{escape(authorisation_id)}/login">'
        '<label>Name <input type="text" name="login" autocomplete="username" required></label>'
        '<label>PIN <input type="password" name="pin" autocomplete="current-password" required></label>'
        "<button>Sign in</button></form><p>This is a sandbox: anna, PIN 1111, or ben, PIN 2222.</p>"
    )
    return _page(f"{name}: sign in", form, 401 if wrong else 200)


@router.get("/{authorisation_id}")
def show(request: Request, session: Transaction, authorisation_id: str) -> Response:
    """Ask the customer to sign in."""
    _open(session, authorisation_id)
    return _login(request, authorisation_id)


@router.post("/{authorisation_id}/login")
def login(request: Request, session: Transaction, authorisation_id: str, form: Form) -> Response:
    """Sign the customer in and show what is asked."""
    found, consent = _open(session, authorisation_id)
    customer = _customer(request, form.get("login", [""])[0])
    if customer is None or form.get("pin", [""])[0] != customer.pin:
        found.failures += 1
        if found.failures < _ATTEMPTS:
            return _login(request, authorisation_id, wrong=True)
        found.status, consent.status = "failed", "rejected"
        return _back(request, session, consent, granted=False)
    found.status, found.customer, found.ticket = "psuAuthenticated", customer.login, uuid.uuid4()
    return _page("A third party asks for access", _question(request, consent, found, customer))


def _question(request: Request, consent: Consent, found: Authorisation, customer: ledger.Customer) -> str:
    asked, held = domain.form(consent.access), _held(request, customer)
    every = [f"{each['iban']} {each['currency']}" for each in held]
    chooses = asked != "detailed"
    scopes = domain.granted(consent.access, held, every)
    rows = "".join(
        f'<label><input type="checkbox" name="account" value="{escape(each)}" checked '
        f"{'' if chooses else 'disabled'}> {escape(each)}</label>"
        for each in (every if chooses else [f"{a['iban']} {a['currency']}" for a in scopes.get("accounts", [])])
    )
    what = ", ".join(_SHOWN[scope] for scope in scopes) or "nothing of yours"
    often = f"up to {consent.frequency} times a day" if consent.recurring else "once"
    return (
        f"<p>It asks to read: <strong>{escape(what)}</strong>, {often}, until {consent.valid_until.isoformat()}.</p>"
        f'<form method="post" action="/authorise/{found.id}/decision">'
        f'<input type="hidden" name="ticket" value="{found.ticket}">'
        f"<fieldset><legend>Accounts</legend>{rows or 'None of your accounts is meant.'}</fieldset>"
        '<button name="decision" value="approve">Approve</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )


@router.post("/{authorisation_id}/decision")
def decide(request: Request, session: Transaction, authorisation_id: str, form: Form) -> Response:
    """Grant or reject the consent, and send the customer back to the TPP."""
    found, consent = _open(session, authorisation_id)
    customer = _customer(request, found.customer)
    if customer is None or found.ticket is None or form.get("ticket") != [str(found.ticket)]:
        raise Refusal(409, "STATUS_INVALID", "Sign in first.")
    granted: dict[str, Any] = {}
    if form.get("decision") == ["approve"]:
        granted = domain.granted(consent.access, _held(request, customer), form.get("account", []))
    found.ticket, consent.customer, consent.last_action = None, customer.login, clock.today()
    if not granted.get("accounts"):
        found.status, consent.status = "failed", "rejected"
        return _back(request, session, consent, granted=False)
    store.grant(session, found, consent, granted)
    return _back(request, session, consent, granted=True)


def _back(request: Request, session: Session, consent: Consent, *, granted: bool) -> Response:
    bank = request.app.state.settings.sandbox_bank
    target = oauth.return_address(session, consent, bank, granted=granted)
    target = target or (consent.redirect_uri if granted else consent.nok_redirect_uri or consent.redirect_uri)
    if target:
        return RedirectResponse(target, 303, headers=_HEADERS)
    return _page("Approved" if granted else "Denied", "<p>You can close this window and return to your app.</p>")
