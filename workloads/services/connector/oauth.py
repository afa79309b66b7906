"""OAuth 2.0 at a bank: authorization request with PKCE, codes and refresh tokens made into tokens.

RFC 6749 (codes, refresh), 7636 (PKCE), 8414 (metadata), 8705 (mutual TLS), 7523 (assertions), 9101 (request objects);
the hybrid flow of FAPI 1.0 part 2.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
import threading
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from workloads.chassis import clock
from workloads.services.connector import answers, assertion, id_token, parse
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.port import Context, Progress, Tokens
from workloads.services.connector.profile import Profile
from workloads.services.connector.request import fill
from workloads.services.connector.sections.oauth import OAuth
from workloads.services.connector.transport import Transport

_EARLY = datetime.timedelta(seconds=30)
"""A token that ends so soon is taken for over."""
_OURS = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
"""Refusals of who asks or how: an assertion that the bank's clock finds too old, too. The consent is as it was."""


def over(expires: datetime.datetime | None) -> bool:
    """Whether a token with this end should be renewed before it is used."""
    return expires is not None and expires - _EARLY <= clock.now()


class AuthorizationServer:
    """The authorization server of a bank whose profile has an ``oauth`` section."""

    def __init__(self, profile: Profile, transport: Transport) -> None:
        if profile.oauth is None:
            raise ValueError(f"{profile.id} has no oauth section")
        self._form: OAuth = profile.oauth
        self._profile, self._transport = profile, transport
        self._application: Tokens | None = None
        self._lock = threading.Lock()

    def begin(
        self,
        context: Context,
        progress: Progress,
        metadata: str | None = None,
        claims: dict[str, Any] | None = None,
    ) -> Progress:
        """The progress with the address to which the person's browser goes.

        metadata: address of the server's metadata, where a link named it. claims: further ones of the request object.
        Raises BankFailure.
        """
        server = self._server(context, metadata)
        verifier = secrets.token_urlsafe(48) if self._form.pkce else None
        state = secrets.token_urlsafe(24)
        nonce = secrets.token_urlsafe(24) if self._form.hybrid else None
        known = {**context.values, "consent_id": progress.consent_id, "client_id": self._form.client_id}
        wanted = [
            ("response_type", self._form.response_type), ("client_id", self._form.client_id),
            ("redirect_uri", known["redirect_uri"]), ("scope", fill(self._form.scope, known)), ("state", state),
            ("nonce", nonce),
            *([("code_challenge", _challenge(verifier)), ("code_challenge_method", "S256")] if verifier else []),
            *((fill(name, known), fill(each, known)) for name, each in self._form.authorization_query),
        ]  # fmt: skip
        pairs = [(name, each) for name, each in wanted if name and each]
        if self._form.request_object:
            audience = self._form.audience or self._form.issuer or server[1]
            told = {"iss": self._form.client_id, "aud": audience, **dict(pairs)}
            pairs.append(
                ("request", assertion.jws(self._transport.seal, told | (claims or {}), self._transport.clock.now()))
            )
        address = server[0] + ("&" if "?" in server[0] else "?") + urlencode(pairs, quote_via=quote)
        step = progress.step.model_copy(update={"kind": "oauth", "redirect": address})
        made = {"step": step, "state": state, "verifier": verifier, "nonce": nonce, "server": server}
        return progress.model_copy(update=made)

    def verify(self, context: Context, progress: Progress, code: str, token: str | None) -> None:
        """Hold the ID token that came back with a code to what was asked. Raises BankFailure id-token-wrong.

        Does nothing where the profile does not ask for the hybrid flow.
        """
        form = self._form
        if not form.hybrid or not form.issuer or not form.jwks:
            return
        keys = self._transport.ask(
            "authorization_server", context, target=self._address(form.jwks), token=lambda _: None
        ).members
        asked = (progress.nonce or "", progress.state or "", progress.consent_id or "")
        if not all(asked):
            raise BankFailure("consent-invalid", "No authorisation of this consent waits for a code.", 409)
        nonce, state, intent = asked
        expected = id_token.Expected(
            issuer=form.issuer, client_id=form.client_id, nonce=nonce, code=code, state=state, intent=intent
        )
        id_token.check(token, keys, expected, self._transport.clock.now())

    def exchange(self, context: Context, progress: Progress, code: str) -> Tokens:
        """Tokens for an authorization code. Raises BankFailure consent-invalid when the bank does not take it."""
        if progress.server is None:
            raise BankFailure("consent-invalid", "No authorisation of this consent waits for a code.", 409)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": context.values.get("redirect_uri")}
        return self._tokens(context, progress.server[1], {**form, "code_verifier": progress.verifier})

    def refresh(self, context: Context, progress: Progress, refresh_token: str) -> Tokens:
        """New tokens; the refresh token stays where the bank gives no new one. Raises BankFailure."""
        form: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        tokens = self._tokens(context, (progress.server or self._server(context, None))[1], form)
        return Tokens(tokens.access, tokens.refresh or refresh_token, tokens.expires)

    def application_token(self, context: Context, refused: str | None = None) -> str:
        """A token of our own, for no user (client credentials), kept until it is over or refused. Raises BankFailure.

        refused: one that the bank does not take any more, whatever it said of its end.
        """
        with self._lock:
            known = self._application
            if known is None or over(known.expires) or known.access == refused:
                form = {"grant_type": "client_credentials", "scope": self._form.application_scope or None}
                known = self._application = self._tokens(context, self._server(context, None)[1], form)
            return known.access

    def _server(self, context: Context, metadata: str | None) -> tuple[str, str]:
        """Authorization and token endpoint: the profile's, else those of the bank's metadata (RFC 8414)."""
        if self._form.authorization_endpoint and self._form.token_endpoint:
            return self._address(self._form.authorization_endpoint), self._address(self._form.token_endpoint)
        answer = self._transport.ask("authorization_server", context, target=metadata, token=lambda _: None)
        browser = parse.text(answer.members.get("authorization_endpoint"))
        token = self._transport.link(parse.text(answer.members.get("token_endpoint")), answer.url)
        if not browser or not token or not browser.startswith(("https://", "http://127.", "http://localhost")):
            raise BankFailure("bank-answer-unreadable", "The bank's metadata name no endpoints over https.")
        return browser, token

    def _address(self, told: str) -> str:
        """An endpoint of the profile on the configured base: BANK_URLS replaces the bank wholly."""
        base = self._transport.base
        if told.startswith("/"):
            return base + told
        if base == str(self._profile.base_url).rstrip("/"):
            return told
        return base.removesuffix(self._profile.root) + urlsplit(told).path  # beside the API, as at the bank

    def _tokens(self, context: Context, endpoint: str, form: dict[str, str | None]) -> Tokens:
        proof: dict[str, str | None] = {"client_id": self._form.client_id}
        if self._form.client_authentication == "private_key_jwt":
            claims = {"iss": self._form.client_id, "sub": self._form.client_id, "aud": self._form.audience or endpoint}
            made = assertion.jws(self._transport.seal, claims, self._transport.clock.now())
            proof |= {"client_assertion_type": assertion.ASSERTION_TYPE, "client_assertion": made}
        sent = {name: each for name, each in {**form, **proof}.items() if each}
        answer = self._transport.post_form("token", context, endpoint, sent)
        body: Any = answers.leniently(answer.content)
        access = parse.text(body.get("access_token")) if isinstance(body, dict) else None
        if answer.status in (400, 401):
            raise _refused(parse.text(body.get("error")) if isinstance(body, dict) else None)
        if answer.status != 200 or access is None:
            raise BankFailure("bank-failed", f"The bank's token endpoint answered {answer.status}, without a token.")
        lasts = parse.text(body.get("expires_in")) or ""
        expires = clock.now() + datetime.timedelta(seconds=int(lasts)) if lasts.isdigit() and len(lasts) < 10 else None
        return Tokens(access, parse.text(body.get("refresh_token")), expires)


def _refused(error: str | None) -> BankFailure:
    """What a token endpoint's refusal means: of the person's grant, or of us (RFC 6749, section 5.2)."""
    if error in _OURS:
        return BankFailure("bank-unauthorized", "The bank refused who is asking.", 502, error)
    return BankFailure(
        "consent-invalid", "The bank gives no token any more: the person must authorise again.", 409, error
    )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
