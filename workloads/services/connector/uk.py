"""A bank of UK Open Banking (Read/Write Data API 3.1 and 4.0): account access consents, OAuth, reads in pages."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import partial
from typing import Any

from workloads.chassis import clock
from workloads.services.connector import parse, uk_parse
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.oauth import AuthorizationServer
from workloads.services.connector.parse import Balance, BankAccount
from workloads.services.connector.port import Context, History, Progress, Step, Tokens
from workloads.services.connector.profile import Profile
from workloads.services.connector.transport import Answer, Transport

_PAGE_LIMIT_OF_LISTS = 20


class UkBank:
    """One bank. transport: the way to it; every request goes there and nowhere else."""

    def __init__(self, profile: Profile, transport: Transport) -> None:
        self.profile, self._transport = profile, transport
        self._server = AuthorizationServer(profile, transport)

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    @property
    def today(self) -> datetime.date:
        """See the port."""
        return self._transport.clock.today()

    def start(self, context: Context, accounts: list[dict[str, str]]) -> Progress:
        """See the port: accounts are chosen at the bank."""
        form = self.profile.uk
        data: dict[str, Any] = {"Permissions": list(form.permissions)}
        if form.days:
            until = self._transport.clock.now() + datetime.timedelta(days=form.days)
            data["ExpirationDateTime"] = until.isoformat(timespec="seconds")
        told = self._own("create_consent", context, {"Data": data, "Risk": {}}).members.get("Data")
        consent_id = parse.text(told.get("ConsentId")) if isinstance(told, dict) else None
        if not isinstance(told, dict) or consent_id is None:
            raise BankFailure("bank-answer-unreadable", "The bank answered without a ConsentId.")
        status = uk_parse.consent_status(told.get("Status")) or "received"
        begun = Progress(step=Step(kind="oauth"), consent_id=consent_id, status=status, since=clock.now())
        # The consent is named by a claim of the request object (OpenID Financial-grade API, UK profile).
        intent = {"openbanking_intent_id": {"value": consent_id, "essential": True}}
        return self._server.begin(context, begun, claims={"claims": {"id_token": intent, "userinfo": intent}})

    def authenticate(self, context: Context, progress: Progress, password: str) -> Progress:
        """See the port."""
        raise _no_embedded()

    def select_method(self, context: Context, progress: Progress, method: str) -> Progress:
        """See the port."""
        raise _no_embedded()

    def send_otp(self, context: Context, progress: Progress, otp: str) -> Progress:
        """See the port."""
        raise _no_embedded()

    def accept_code(
        self, context: Context, progress: Progress, code: str, id_token: str | None = None
    ) -> tuple[Progress, Tokens | None]:
        """See the port."""
        self._server.verify(context, progress, code, id_token)
        tokens = self._server.exchange(context, progress, code)
        done = {"state": None, "verifier": None, "nonce": None, "step": Step(kind="done")}
        return progress.model_copy(update=done), tokens

    def poll(self, context: Context, progress: Progress) -> Progress:
        """See the port: there is nothing to ask but the consent."""
        return progress

    def refresh(self, context: Context, progress: Progress, refresh_token: str) -> Tokens:
        """See the port."""
        return self._server.refresh(context, progress, refresh_token)

    def consent_status(self, context: Context) -> str:
        """See the port."""
        told = self._own("consent_status", context).members.get("Data")
        status = uk_parse.consent_status(told.get("Status")) if isinstance(told, dict) else None
        if status is None:
            raise BankFailure("bank-answer-unreadable", "The bank told no consent status that is known.")
        return status

    def valid_until(self, context: Context) -> datetime.date | None:
        """See the port: the day before ExpirationDateTime, from which on it is expired."""
        try:
            told = self._own("consent_status", context).members.get("Data")
        except BankFailure:
            return None
        ends = parse.date(told.get("ExpirationDateTime")) if isinstance(told, dict) else None
        return ends - datetime.timedelta(days=1) if ends else None

    def delete_consent(self, context: Context) -> None:
        """See the port."""
        try:
            self._own("delete_consent", context)
        except BankFailure as failure:
            if failure.kind not in ("consent-invalid", "consent-expired", "not-found"):
                raise

    def accounts(self, context: Context) -> list[BankAccount]:
        """See the port."""
        found = [
            each for page in self._pages("accounts", context, _PAGE_LIMIT_OF_LISTS) for each in _of(page, "Account")
        ]
        return [account for each in found if (account := uk_parse.account(each))]

    def balances(self, context: Context) -> list[Balance]:
        """See the port."""
        found = [
            each for page in self._pages("balances", context, _PAGE_LIMIT_OF_LISTS) for each in _of(page, "Balance")
        ]
        return [balance for each in found if (balance := uk_parse.balance(each))]

    def history(self, context: Context) -> History:
        """See the port."""
        zone = "+00:00" if self.profile.uk.time_zone else ""
        period = {"date_from": "T00:00:00", "date_to": "T23:59:59"}
        dates = {name: f"{each}{time}{zone}" for name, time in period.items() if (each := context.values.get(name))}
        pages = self._pages(
            "transactions", replace(context, values={**context.values, **dates}), self.profile.transactions.max_pages
        )
        listed = [each for page in pages for each in _of(page, "Transaction")]
        entries = [entry for each in listed if (entry := uk_parse.entry(each))]
        whole = self.profile.transactions.listing == "complete"
        return History(entries, len(listed) - len(entries), covers_pending=True, complete=whole, pages=len(pages))

    def _pages(self, operation: str, context: Context, limit: int) -> list[Answer]:
        """All pages of a list, by Links.Next. Raises BankFailure: then none of them counts."""
        pages: list[Answer] = []
        target: str | None = None
        for page in range(limit):
            answer = self._transport.ask(operation, replace(context, page=page), target=target)
            pages.append(answer)
            links = answer.members.get("Links")
            target = self._transport.link(
                parse.text(links.get("Next")) if isinstance(links, dict) else None, answer.url
            )
            if target is None:
                return pages
            if target in {each.url for each in pages}:
                raise BankFailure("bank-pages-loop", "The bank's pages lead back to one that was read already.")
        raise BankFailure("bank-pages-endless", f"The bank has more than {limit} pages of {operation}.")

    def _own(self, operation: str, context: Context, body: dict[str, Any] | None = None) -> Answer:
        """Ask about a consent, with a token of our own (client credentials)."""
        return self._transport.ask(operation, context, body, token=partial(self._server.application_token, context))


def _of(answer: Answer, name: str) -> list[dict[str, Any]]:
    data = answer.members.get("Data")
    if not isinstance(data, dict) or not isinstance(data.get(name, []), list):
        raise BankFailure("bank-answer-unreadable", f"The bank answered without a list of {name}.")
    return uk_parse.listed(answer.body, name)


def _no_embedded() -> BankFailure:
    return BankFailure("sca-unsupported", "UK Open Banking authorises at the bank's page only.")
