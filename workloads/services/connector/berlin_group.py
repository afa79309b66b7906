"""A bank of the Berlin Group's standard (NextGenPSD2 XS2A 1.3): consents, their authorisation, reads."""

from __future__ import annotations

import datetime
import functools
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from workloads.chassis import clock
from workloads.services.connector import encryption, history, links, parse, sca
from workloads.services.connector.consent_body import consent_body
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.oauth import AuthorizationServer
from workloads.services.connector.parse import Balance, BankAccount
from workloads.services.connector.port import Context, History, Progress, Step, Tokens
from workloads.services.connector.profile import Profile
from workloads.services.connector.request import fill_body
from workloads.services.connector.transport import Answer, Transport

CONSENT_STATUSES = (
    "received", "rejected", "partiallyAuthorised", "valid", "revokedByPsu", "expired", "terminatedByTpp",
)  # fmt: skip
_PENDING = Step(kind="redirect")
"""Where an authorisation begins, before the bank has said what it wants."""


class BerlinGroupBank:
    """One bank. transport: the way to it; every request goes there and nowhere else."""

    def __init__(self, profile: Profile, transport: Transport) -> None:
        self.profile, self._transport = profile, transport
        self._server = AuthorizationServer(profile, transport) if profile.oauth else None

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    @property
    def today(self) -> datetime.date:
        """See the port."""
        return self._transport.clock.today()

    def start(self, context: Context, accounts: list[dict[str, str]]) -> Progress:
        """See the port. With OAuth as a first step, the consent is asked for once its token is there."""
        if self._server and self.profile.oauth and self.profile.oauth.flow == "pre_step":
            return self._server.begin(context, Progress(step=_PENDING, accounts=accounts))
        return self._ask_for_consent(context, Progress(step=_PENDING, accounts=accounts))

    def _ask_for_consent(self, context: Context, progress: Progress) -> Progress:
        body = self._body("create_consent", context, consent_body(self.profile, progress.accounts, self.today))
        created = self._ask("create_consent", context, body)
        told = created.members
        itself = links.href(told.get("_links"), "self") or ""
        consent_id = parse.text(told.get("consentId")) or parse.text(unquote(itself.rstrip("/").rpartition("/")[2]))
        if not consent_id:
            raise BankFailure("bank-answer-unreadable", "The bank answered without a consentId.")
        status = consent_status(told) if told.get("consentStatus") else "received"
        progress = progress.model_copy(update={"consent_id": consent_id, "status": status, "accounts": []})
        context = replace(context, values={**context.values, "consent_id": consent_id})
        progress, step = self._read(context, progress, created)
        if step is None or self.profile.sca.start == "explicit":
            return self._start_authorisation(context, progress, created.url)
        return self._enter(context, progress, step, created)

    def _start_authorisation(self, context: Context, progress: Progress, current: str) -> Progress:
        found = sca.chosen(progress.links, sca.START)
        name, address = found or ("startAuthorisation", None)
        method = sca.method_of(name, address) if address else None
        body = self._body("start_authorisation", context, self.profile.sca.start_body)
        target = self._transport.link(address, current)
        started = self._ask("start_authorisation", context, body, target=target, method=method)
        if not isinstance(started.body, dict):
            raise BankFailure("bank-answer-unreadable", "The bank started an authorisation and did not say which.")
        progress, step = self._read(context, progress, started)
        if step is None:
            raise sca.unsupported(started.members.get("_links"))
        return self._enter(context, progress, step, started)

    def _read(self, context: Context, progress: Progress, answer: Answer) -> tuple[Progress, Step | None]:
        """What an answer says of the authorisation: its id, its links, and what comes next."""
        told = answer.members
        offered = {name: found for name in told.get("_links") or () if (found := links.href(told["_links"], name))}
        authorisation = parse.text(told.get("authorisationId"))
        if authorisation is None and (status := offered.get("scaStatus")):
            authorisation = urlsplit(status).path.rstrip("/").rpartition("/")[2] or None
        approach = answer.headers.get("aspsp-sca-approach")
        step = sca.step(self.profile, told, approach)
        offered = {name: self._absolute(name, each, answer.url) for name, each in offered.items()}
        known = {"links": offered or progress.links, "authorisation_id": authorisation or progress.authorisation_id}
        return progress.model_copy(update=known), step

    def _absolute(self, name: str, address: str, current: str) -> str:
        """A link as an address: the browser's may lead anywhere, the others are resolved when they are followed."""
        if name in ("scaRedirect", "scaOAuth") or address.startswith(("https://", "http://")):
            return address
        return str(httpx.URL(current).join(address))

    def _enter(self, context: Context, progress: Progress, step: Step, answer: Answer) -> Progress:
        """The progress in its next step, with where the browser goes for those that it goes for."""
        if step.kind == "redirect":
            address = progress.links["scaRedirect"]
            if not address.startswith(("https://", "http://")):
                address = str(httpx.URL(self._transport.base + "/").join(address))
            step = step.model_copy(update={"redirect": address})
        update = {"step": step, "since": progress.since or clock.now()}
        progress = progress.model_copy(update=update)
        if step.kind == "oauth":
            if self._server is None:
                raise sca.unsupported(progress.links)
            metadata = self._transport.link(progress.links.get("scaOAuth"), answer.url) if self._wants_link else None
            return self._server.begin(context, progress, metadata)
        return progress

    @property
    def _wants_link(self) -> bool:
        return self.profile.oauth is not None and self.profile.oauth.token_endpoint is None

    def authenticate(self, context: Context, progress: Progress, password: str) -> Progress:
        """See the port."""
        name, _ = sca.chosen(progress.links, sca.PASSWORD) or ("", "")
        way = self.profile.sca.password
        encrypted = way == "encrypted" or (way == "by_link" and "Encrypted" in name)
        sent = self._encrypted(context, progress, password) if encrypted else password
        member = "encryptedPassword" if encrypted else "password"
        if "Additional" in name:
            member = "additional" + member[0].upper() + member[1:]
        context = replace(context, values={**context.values, "psu_password": sent})
        return self._update("authenticate_psu", context, progress, sca.PASSWORD, {"psuData": {member: sent}})

    def _encrypted(self, context: Context, progress: Progress, password: str) -> str:
        form = self.profile.sca.encryption
        if form.certificate:
            told = form.certificate.encode()
        else:
            link = progress.links.get("aspspCertificates") if form.key == "link" else None
            target = self._transport.link(link, self._transport.base) if link else None
            told = self._ask("password_certificate", context, target=target).content
        return encryption.encrypt(password, encryption.public_key(told), form)

    def select_method(self, context: Context, progress: Progress, method: str) -> Progress:
        """See the port."""
        context = replace(context, values={**context.values, "authentication_method_id": method})
        return self._update("select_method", context, progress, sca.METHOD, {"authenticationMethodId": method})

    def send_otp(self, context: Context, progress: Progress, otp: str) -> Progress:
        """See the port."""
        context = replace(context, values={**context.values, "otp": otp})
        return self._update("send_otp", context, progress, sca.OTP, {"scaAuthenticationData": otp})

    def _update(
        self, operation: str, context: Context, progress: Progress, names: tuple[str, ...], body: dict[str, Any]
    ) -> Progress:
        """Send what the person gave to the authorisation, where the bank's link wants it."""
        name, address = sca.chosen(progress.links, names) or ("", None)
        target = self._transport.link(address, self._transport.base) if address else None
        method = sca.method_of(name, address) if address else None
        answer = self._ask(operation, context, self._body(operation, context, body), target=target, method=method)
        progress, step = self._read(context, progress, answer)
        if step is None:
            return self._start_authorisation(context, progress, answer.url)
        return self._enter(context, progress, step, answer)

    def accept_code(
        self, context: Context, progress: Progress, code: str, id_token: str | None = None
    ) -> tuple[Progress, Tokens | None]:
        """See the port: a code for tokens, or the confirmation of a redirect (XS2A 1.3.x, confirmationCode)."""
        if progress.step.kind == "redirect" and "confirmation" in progress.links:
            context = replace(context, values={**context.values, "confirmation_code": code})
            names = ("confirmation",)
            return self._update("confirm", context, progress, names, {"confirmationCode": code}), None
        if self._server is None:
            raise BankFailure("consent-invalid", "No authorisation of this consent waits for a code.", 409)
        tokens = self._server.exchange(context, progress, code)
        done = {"state": None, "verifier": None, "step": Step(kind="done", sca_status=progress.step.sca_status)}
        if progress.consent_id is None and self.profile.consent.access != "none":
            begun = progress.model_copy(update={"state": None, "verifier": None})
            return self._ask_for_consent(replace(context, token=_Given(tokens.access)), begun), tokens
        return progress.model_copy(update=done), tokens

    def poll(self, context: Context, progress: Progress) -> Progress:
        """See the port."""
        link = progress.links.get("scaStatus")
        target = self._transport.link(link, self._transport.base) if link else None
        told = self._ask("sca_status", context, target=target)
        status = sca.status(told.members)
        kind = {"finalised": "done", "exempted": "done", "failed": "failed"}.get(status or "", progress.step.kind)
        message = parse.text(told.members.get("psuMessage")) or progress.step.message
        update = {"kind": kind, "sca_status": status or progress.step.sca_status, "message": message}
        return progress.model_copy(update={"step": progress.step.model_copy(update=update)})

    def refresh(self, context: Context, progress: Progress, refresh_token: str) -> Tokens:
        """See the port."""
        if self._server is None:
            raise BankFailure("consent-invalid", "The bank gives no tokens.", 409)
        return self._server.refresh(context, progress, refresh_token)

    def consent_status(self, context: Context) -> str:
        """See the port. Where the bank has no consents, its token is one."""
        if self.profile.consent.access == "none":
            return "valid" if context.token and context.token.value else "received"
        if context.values.get("consent_id") is None:
            return "received"  # the bank was not asked for it yet
        return consent_status(self._ask("consent_status", context).body)

    def valid_until(self, context: Context) -> datetime.date | None:
        """See the port. 9999-12-31 is none."""
        if self.profile.consent.access == "none":
            return None
        try:
            return parse.date(self._ask("read_consent", context).members.get("validUntil"))
        except BankFailure:  # some banks know no such request; the law's time counts then
            return None

    def delete_consent(self, context: Context) -> None:
        """See the port. One that was not asked for yet, as the person did not come back, is nothing there."""
        if self.profile.consent.access == "none" or context.values.get("consent_id") is None:
            return
        try:
            self._ask("delete_consent", context)
        except BankFailure as failure:
            if failure.kind not in ("consent-invalid", "consent-expired", "not-found"):
                raise

    def accounts(self, context: Context) -> list[BankAccount]:
        """See the port."""
        told = self._transport.ask("accounts", context).members
        if not isinstance(told.get("accounts"), list):
            raise BankFailure("bank-answer-unreadable", "The bank answered without a list of accounts.")
        return parse.accounts(told)

    def balances(self, context: Context) -> list[Balance]:
        """See the port."""
        return parse.balances(self._transport.ask("balances", context).members.get("balances"))

    def history(self, context: Context) -> History:
        """See the port."""
        return history.read(self._transport, context)

    def _body(self, operation: str, context: Context, standard: dict[str, Any] | None) -> dict[str, Any] | None:
        wanted = self.profile.operation(operation).body
        return standard if wanted is None else fill_body(wanted, context.values)

    def _ask(
        self,
        operation: str,
        context: Context,
        body: dict[str, Any] | None = None,
        *,
        target: str | None = None,
        method: str | None = None,
    ) -> Answer:
        """Ask about a consent: with a token of our own where the bank wants one."""
        server = self._server
        if server and self.profile.oauth and self.profile.oauth.application_token:
            own = functools.partial(server.application_token, context)
            return self._transport.ask(operation, context, body, target=target, method=method, token=own)
        return self._transport.ask(operation, context, body, target=target, method=method)


class _Given:
    """A token that was given just now."""

    def __init__(self, value: str) -> None:
        self.value: str | None = value

    def renew(self, refused: str) -> str | None:
        """None: it is as new as can be."""
        return None


def consent_status(body: Any) -> str:
    """The consentStatus of an answer. Raises BankFailure when it is none of XS2A's."""
    told = parse.text(body.get("consentStatus")) if isinstance(body, dict) else None
    known = {each.casefold(): each for each in CONSENT_STATUSES}
    if told is None or told.casefold() not in known:
        raise BankFailure("bank-answer-unreadable", "The bank told no consent status that XS2A knows.")
    return known[told.casefold()]
