"""Requests to one bank: to its base and nowhere else, written to the ledger, signed and with a token where wanted."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode

import httpx

from workloads.chassis.problems import Problem
from workloads.services.connector import answers, links
from workloads.services.connector.bank_clock import BankClock
from workloads.services.connector.failures import BankFailure, from_answer
from workloads.services.connector.port import Context
from workloads.services.connector.profile import Profile
from workloads.services.connector.qwac import Qwac
from workloads.services.connector.request import BankRequest, build
from workloads.services.connector.seal import Seal
from workloads.services.connector.sections.reading import Answers
from workloads.services.connector.signature import signed

_LARGEST_ANSWER = 20_000_000
_CONNECT_SECONDS = 5
_IDLE_SECONDS = 2
"""Well below the five seconds after which the first servers close an idle connection: a request that meets the close is
lost, and one that asks for a consent can't be sent again."""


@dataclass(frozen=True)
class Answer:
    """What a bank answered: url is where it was asked. The body is read as JSON when it is asked for."""

    url: str
    status: int
    headers: httpx.Headers
    content: bytes
    form: Answers

    @cached_property
    def body(self) -> Any:
        """The body in the standard's form. Raises BankFailure when it is no JSON."""
        return answers.standard(answers.decode(self.content), self.form)

    @property
    def members(self) -> dict[str, Any]:
        """The body's members; none where it is no object. Raises BankFailure when it is no JSON."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport:
    """The way to one bank.

    base: its configured URL, which replaces the profile's. tls: whom we trust. seal: our QSealC. qwac: what the bank is
    shown of us, with the same trust.
    """

    def __init__(
        self,
        profile: Profile,
        base: str | None,
        tls: ssl.SSLContext,
        seal: Seal | None = None,
        qwac: Qwac | None = None,
    ) -> None:
        self._seal, self.clock = seal, BankClock(profile.id)
        self.profile, self.base = profile, (base or str(profile.base_url)).rstrip("/")
        self._qwac, self._shown = qwac, qwac.tls() if qwac else tls
        self._http = self._client(self._shown)

    def _client(self, tls: ssl.SSLContext) -> httpx.Client:
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # a jar would be shared by all users
        timeout = httpx.Timeout(self.profile.timeout_seconds, connect=_CONNECT_SECONDS)
        kept = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_IDLE_SECONDS)
        return httpx.Client(verify=tls, timeout=timeout, limits=kept, follow_redirects=False, cookies=no_cookies)

    def _current(self) -> httpx.Client:
        """Connections that show the QWAC as it is now. Requests that are under way end on those that they began on."""
        if self._qwac and (tls := self._qwac.tls()) is not self._shown:
            self._shown, self._http = tls, self._client(tls)
        return self._http

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    @property
    def seal(self) -> Seal:
        """Our QSealC. Raises Problem 503 where there is none: such a bank can't be asked then."""
        if self._seal is None:
            raise Problem(503, "seal-missing", "This bank wants signed requests: set QSEAL_CERTIFICATE.")
        return self._seal

    def link(self, href: str | None, current: str) -> str | None:
        """Where a link of the bank leads on the configured base. Raises BankFailure for one that leads elsewhere."""
        try:
            roots = (self.profile.root, *self.profile.link_roots)
            return links.resolve(href, self.base, roots, current) if href else None
        except (links.ForeignLink, ValueError):
            raise BankFailure("bank-link-foreign", "The bank sent a link that leads outside its API.") from None

    def ask(
        self,
        operation: str,
        context: Context,
        body: dict[str, Any] | None = None,
        *,
        target: str | None = None,
        method: str | None = None,
        token: Callable[[str | None], str | None] | None = None,
    ) -> Answer:
        """A bank's answer of success.

        body: as JSON. target: the address, where it comes of a link. method: of that link's kind. token: another than
        the user's; told one that was refused, it gives a newer one. Raises BankFailure, and Problem 429 when the quota
        does not allow it.
        """
        wanted = self.profile.operation(operation)
        target = target if wanted.follow_links else None
        method = wanted.method or method
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        bearer = token(None) if token else context.token.value if context.token else None
        answer = self._once(context, self._built(operation, context, target, method), content, bearer, operation)
        renew = token or (context.token.renew if context.token else None)
        new = renew(bearer) if answer.status == 401 and bearer and renew else None
        if new:
            again = self._built(operation, context, target, method)  # each request has an id of its own
            answer = self._once(context, again, content, new, operation)
        if not 200 <= answer.status < 300:
            dead = answer.status == 401 and bearer is not None and new is None
            told = answers.leniently(answer.content)
            raise from_answer(answer.status, told, self.profile.errors, token_is_dead=dead)
        return answer

    def post_form(self, operation: str, context: Context, url: str, form: Mapping[str, str]) -> Answer:
        """The answer, of whatever status, to a form (RFC 6749's requests are forms)."""
        asked = build(self.profile, self.base, operation, context.values, None, url, self.clock.now())
        headers = {**asked.headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._once(context, replace(asked, headers=headers), urlencode(form).encode(), None, operation)

    def _built(self, operation: str, context: Context, target: str | None, method: str | None) -> BankRequest:
        try:
            asked = build(
                self.profile, self.base, operation, context.values, context.psu_address, target, self.clock.now()
            )
        except ValueError:
            raise BankFailure("bank-answer-unreadable", f"The bank did not tell what {operation} needs.") from None
        return replace(asked, method=method or asked.method)

    def _once(
        self, context: Context, asked: BankRequest, content: bytes | None, bearer: str | None, operation: str
    ) -> Answer:
        if bearer:
            asked = replace(asked, headers={**asked.headers, "Authorization": f"Bearer {bearer}"})
        if self.profile.signature.use == "always":
            asked = signed(asked, content, self.profile.signature, self.seal, self.clock.now())
        context.ledger.begin(operation, asked.request_id, context.page)
        status: int | None = None
        try:
            answer = self._send(asked, content)
            status = answer.status
        finally:
            context.ledger.end(asked.request_id, status)
        return answer

    def _send(self, asked: BankRequest, content: bytes | None) -> Answer:
        try:
            with self._current().stream(asked.method, asked.url, headers=asked.headers, content=content) as response:
                read = bytearray()
                for chunk in response.iter_bytes():
                    read += chunk
                    if len(read) > _LARGEST_ANSWER:
                        raise BankFailure("bank-answer-unreadable", f"An answer is over {_LARGEST_ANSWER} bytes.")
        except httpx.TimeoutException:
            raise BankFailure("bank-timeout", "The bank did not answer in time.", 504) from None
        except httpx.HTTPError:
            raise BankFailure("bank-unreachable", "The bank can't be reached.", 503) from None
        self.clock.tell(response.headers.get("date"))
        return Answer(asked.url, response.status_code, response.headers, bytes(read), self.profile.answers)
