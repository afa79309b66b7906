"""Speaks XS2A with one bank: consents, authorisation by redirect, accounts, balances, transactions of all pages."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import unquote

import httpx

from workloads.services.connector import links, parse
from workloads.services.connector.consent_body import consent_body
from workloads.services.connector.failures import BankFailure, from_answer
from workloads.services.connector.parse import Balance, BankAccount, Entry
from workloads.services.connector.profile import Profile
from workloads.services.connector.request import BankRequest, build

_LARGEST_ANSWER = 20_000_000
_CONNECT_SECONDS = 5
_IDLE_SECONDS = 2
"""Well below the five seconds after which the first servers close an idle connection: a request that meets the close is
lost, and one that asks for a consent can't be sent again."""


class Ledger(Protocol):
    """Where every request to a bank is written down, before it is sent and after."""

    def begin(self, operation: str, request_id: str, page: int) -> None:
        """A request is about to be sent. Raises Problem 429 when the quota does not allow it."""
        ...

    def end(self, request_id: str, status: int | None) -> None:
        """It was answered with this HTTP status; None: it was not answered."""
        ...


@dataclass(frozen=True, kw_only=True)
class Context:
    """For whom a bank is asked, and under what. values: of the profile's variables.

    psu_address: the person's address, present iff that person asked for this. page: of one access, from 0.
    """

    values: Mapping[str, str | None]
    psu_address: str | None
    ledger: Ledger
    page: int = 0


@dataclass(frozen=True)
class Started:
    """A consent that waits for its authorisation. redirect: where the person's browser goes."""

    consent_id: str
    status: str
    redirect: str
    authorisation_id: str | None


@dataclass(frozen=True)
class History:
    """All pages of an account's transactions. covers_pending: whether the bank told its pending entries."""

    entries: list[Entry]
    unreadable: int
    covers_pending: bool
    pages: int


@dataclass(frozen=True)
class _Answer:
    url: str
    status: int
    headers: httpx.Headers
    body: Any


class Bank:
    """One bank. base: its configured URL, which replaces the profile's; every request goes there and nowhere else."""

    def __init__(self, profile: Profile, base: str | None, tls: ssl.SSLContext) -> None:
        self.profile, self.base = profile, (base or str(profile.base_url)).rstrip("/")
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # a jar would be shared by all users
        timeout = httpx.Timeout(profile.timeout_seconds, connect=_CONNECT_SECONDS)
        kept = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_IDLE_SECONDS)
        self._http = httpx.Client(verify=tls, timeout=timeout, limits=kept, follow_redirects=False, cookies=no_cookies)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def start_consent(self, context: Context, accounts: list[dict[str, str]]) -> Started:
        """Ask for a consent that is authorised by redirect.

        accounts: iban and currency of those to be read, where the profile wants them listed. Raises BankFailure.
        """
        created = self._ask("create_consent", context, consent_body(self.profile, accounts))
        body = created.body if isinstance(created.body, dict) else {}
        itself = links.href(body.get("_links"), "self") or ""
        consent_id = parse.text(body.get("consentId")) or parse.text(unquote(itself.rstrip("/").rpartition("/")[2]))
        if not consent_id:
            raise BankFailure("bank-answer-unreadable", "The bank answered without a consentId.")
        context = replace(context, values={**context.values, "consent_id": consent_id})
        offered, authorisation = body.get("_links"), parse.text(body.get("authorisationId"))
        redirect = links.href(offered, "scaRedirect")
        if redirect is None or self.profile.sca.start == "explicit":
            started = self._start_authorisation(context, created.url, offered)
            redirect = links.href(started.body.get("_links"), "scaRedirect") or redirect
            authorisation = parse.text(started.body.get("authorisationId")) or authorisation
            offered = {**(offered or {}), **(started.body.get("_links") or {})}
        if redirect is None:
            names = ", ".join(sorted(offered)) if isinstance(offered, dict) else "nothing"
            raise BankFailure("sca-unsupported", f"The bank offers no redirect for authorisation, but: {names}.")
        if not redirect.startswith(("https://", "http://")):
            redirect = str(httpx.URL(self.base + "/").join(redirect))
        if authorisation is None and (status := links.href(offered, "scaStatus")):
            authorisation = status.rstrip("/").rpartition("/")[2] or None
        status = consent_status(body) if body.get("consentStatus") else "received"
        return Started(consent_id, status, redirect, authorisation)

    def _start_authorisation(self, context: Context, current: str, offered: object) -> _Answer:
        names = ("startAuthorisation", "startAuthorisationWithPsuIdentification")
        target = next((found for name in names if (found := links.href(offered, name))), None)
        if target is None and self.profile.sca.start != "explicit":
            told = ", ".join(sorted(offered)) if isinstance(offered, dict) else "nothing"
            raise BankFailure("sca-unsupported", f"The bank offers no redirect for authorisation, but: {told}.")
        answer = self._ask("start_authorisation", context, self.profile.sca.start_body, self._link(target, current))
        if not isinstance(answer.body, dict):
            raise BankFailure("bank-answer-unreadable", "The bank started an authorisation and did not say which.")
        return answer

    def consent_status(self, context: Context) -> str:
        """Where the consent stands now at the bank. Raises BankFailure."""
        return consent_status(self._ask("consent_status", context).body)

    def delete_consent(self, context: Context) -> None:
        """End the consent at the bank; one that it no longer knows counts as ended. Raises BankFailure."""
        try:
            self._ask("delete_consent", context)
        except BankFailure as failure:
            if failure.kind not in ("consent-invalid", "consent-expired", "not-found"):
                raise

    def accounts(self, context: Context) -> list[BankAccount]:
        """The accounts that the consent grants. Raises BankFailure."""
        answer = self._ask("accounts", context)
        if not isinstance(answer.body, dict) or not isinstance(answer.body.get("accounts"), list):
            raise BankFailure("bank-answer-unreadable", "The bank answered without a list of accounts.")
        return parse.accounts(answer.body)

    def balances(self, context: Context) -> list[Balance]:
        """An account's balances. Raises BankFailure."""
        body = self._ask("balances", context).body
        return parse.balances(body.get("balances") if isinstance(body, dict) else None)

    def history(self, context: Context) -> History:
        """An account's transactions of the asked period, all pages. Raises BankFailure: then none of them counts."""
        result = History([], 0, covers_pending=False, pages=0)
        for status in self.profile.transactions.booking_statuses:
            values = {**context.values, "booking_status": status}
            result = self._pages(replace(context, values=values), result)
        return result

    def _pages(self, context: Context, result: History) -> History:
        by_party = self.profile.transactions.amounts == "by_party"
        pending = result.covers_pending or context.values["booking_status"] in ("pending", "both", "all")
        entries, unreadable, seen = list(result.entries), result.unreadable, set[str]()
        target: str | None = None
        for page in range(self.profile.transactions.max_pages):
            answer = self._ask("transactions", replace(context, page=page), target=target)
            body = answer.body if isinstance(answer.body, dict) else {}
            report = body.get("transactions")
            if not isinstance(report, dict):
                raise BankFailure("bank-answer-unreadable", "The bank answered without transactions as JSON.")
            found, skipped = parse.entries(report, by_party=by_party)
            entries, unreadable = entries + found, unreadable + skipped
            pending = pending or isinstance(report.get("pending"), list)
            following = links.href(report.get("_links"), "next") or links.href(body.get("_links"), "next")
            if following is None:
                return History(entries, unreadable, pending, result.pages + page + 1)
            seen.add(answer.url)
            target = self._link(following, answer.url)
            if target in seen:
                raise BankFailure("bank-pages-loop", "The bank's pages lead back to one that was read already.")
        limit = self.profile.transactions.max_pages
        raise BankFailure("bank-pages-endless", f"The bank has more than {limit} pages of transactions.")

    def _link(self, href: str | None, current: str) -> str | None:
        try:
            roots = (self.profile.root, *self.profile.link_roots)
            return links.resolve(href, self.base, roots, current) if href else None
        except (links.ForeignLink, ValueError):
            raise BankFailure("bank-link-foreign", "The bank sent a link that leads outside its API.") from None

    def _ask(
        self, operation: str, context: Context, body: dict[str, Any] | None = None, target: str | None = None
    ) -> _Answer:
        asked = build(self.profile, self.base, operation, context.values, context.psu_address)
        asked = replace(asked, url=target) if target else asked
        context.ledger.begin(operation, asked.request_id, context.page)
        status: int | None = None
        try:
            answer = self._send(asked, body)
            status = answer.status
        finally:
            context.ledger.end(asked.request_id, status)
        if not 200 <= answer.status < 300:
            raise from_answer(answer.status, answer.body)
        return answer

    def _send(self, asked: BankRequest, body: dict[str, Any] | None) -> _Answer:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            with self._http.stream(asked.method, asked.url, headers=asked.headers, content=content) as response:
                read = bytearray()
                for chunk in response.iter_bytes():
                    read += chunk
                    if len(read) > _LARGEST_ANSWER:
                        raise BankFailure("bank-answer-unreadable", f"An answer is over {_LARGEST_ANSWER} bytes.")
        except httpx.TimeoutException:
            raise BankFailure("bank-timeout", "The bank did not answer in time.", 504) from None
        except httpx.HTTPError:
            raise BankFailure("bank-unreachable", "The bank can't be reached.", 503) from None
        return _Answer(asked.url, response.status_code, response.headers, _json(bytes(read), response.status_code))


def _json(content: bytes, status: int) -> Any:
    if not content.strip():
        return None
    try:
        # An amount sent as a number keeps its digits as text; a float would round it.
        return json.loads(content, parse_float=str)
    except (ValueError, RecursionError):
        if status >= 300:
            return None
        raise BankFailure("bank-answer-unreadable", "The bank's answer is not JSON.") from None


CONSENT_STATUSES = (
    "received", "rejected", "partiallyAuthorised", "valid", "revokedByPsu", "expired", "terminatedByTpp",
)  # fmt: skip


def consent_status(body: Any) -> str:
    """The consentStatus of an answer. Raises BankFailure when it is none of XS2A's."""
    told = parse.text(body.get("consentStatus")) if isinstance(body, dict) else None
    known = {each.casefold(): each for each in CONSENT_STATUSES}
    if told is None or told.casefold() not in known:
        raise BankFailure("bank-answer-unreadable", "The bank told no consent status that XS2A knows.")
    return known[told.casefold()]
