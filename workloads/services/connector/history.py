"""An account's transactions at a bank of the Berlin Group's standard: all pages, as JSON or as camt statements."""

from __future__ import annotations

import datetime
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from workloads.services.connector import camt, links, parse
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.parse import Entry
from workloads.services.connector.port import Context, History
from workloads.services.connector.transport import Answer, Transport

_TELLING_PENDING = ("pending", "both", "all")
_WITHOUT_BOOKED = ("pending", "information")


def read(transport: Transport, context: Context) -> History:
    """The transactions of the asked period. Raises BankFailure: then none of them counts."""
    form = transport.profile.transactions
    dates = {name: _date(context.values.get(name), form.date_format) for name in ("date_from", "date_to")}
    whole = form.listing == "complete" and any(each not in _WITHOUT_BOOKED for each in form.booking_statuses)
    result = History([], 0, covers_pending=False, complete=whole, pages=0)
    for status in form.booking_statuses:
        values = {**context.values, **dates, "booking_status": status}
        result = _pages(transport, replace(context, values=values), result)
    return result


def _date(value: str | None, form: str) -> str | None:
    return datetime.date.fromisoformat(value).strftime(form) if value else None


def _pages(transport: Transport, context: Context, result: History) -> History:
    limit = transport.profile.transactions.max_pages
    pending = result.covers_pending or context.values["booking_status"] in _TELLING_PENDING
    entries, unreadable, seen = list(result.entries), result.unreadable, set[str]()
    complete = result.complete
    target: str | None = None
    for page in range(limit):
        answer = transport.ask("transactions", replace(context, page=page), target=target)
        found, skipped, told, whole = _report(transport, answer)
        entries, unreadable, pending = entries + found, unreadable + skipped, pending or told
        complete = complete and whole
        seen.add(answer.url)
        target = _following(transport, answer, page, empty=not found and not skipped)
        if target is None:
            return History(entries, unreadable, pending, complete, result.pages + page + 1)
        if target in seen:
            raise BankFailure("bank-pages-loop", "The bank's pages lead back to one that was read already.")
    raise BankFailure("bank-pages-endless", f"The bank has more than {limit} pages of transactions.")


def _is_camt(transport: Transport, answer: Answer) -> bool:
    form = transport.profile.transactions.format
    return form == "camt" or (form == "by_content" and "xml" in answer.content_type)


def _report(transport: Transport, answer: Answer) -> tuple[list[Entry], int, bool, bool]:
    """A page's entries, how many could not be read, whether pending ones are told, and whether it is all of a page."""
    form = transport.profile.transactions
    if _is_camt(transport, answer):
        statement = camt.read(answer.content, form.camt_reference)
        return statement.entries, statement.unreadable, statement.tells_pending, statement.complete
    report = answer.members.get("transactions")
    if not isinstance(report, dict):
        if form.report == "optional" and answer.members:
            return [], 0, False, False
        raise BankFailure("bank-answer-unreadable", "The bank answered without transactions as JSON.")
    found, skipped = parse.entries(report, by_party=form.amounts == "by_party")
    return found, skipped, isinstance(report.get("pending"), list), isinstance(report.get("booked") or [], list)


def _following(transport: Transport, answer: Answer, page: int, *, empty: bool) -> str | None:
    """The address of the next page; None after the last."""
    paging = transport.profile.transactions.paging
    if paging.style == "none" or _is_camt(transport, answer):
        return None
    if paging.style == "number":
        return None if empty else _numbered(answer.url, paging.parameter, paging.first + page + 1)
    report = answer.members.get("transactions")
    inner = report.get("_links") if isinstance(report, dict) else None
    found = links.href(inner, paging.link) or links.href(answer.members.get("_links"), paging.link)
    return transport.link(found, answer.url)


def _numbered(url: str, parameter: str, number: int) -> str:
    parts = urlsplit(url)
    query = [(name, each) for name, each in parse_qsl(parts.query, keep_blank_values=True) if name != parameter]
    return urlunsplit(parts._replace(query=urlencode([*query, (parameter, str(number))])))
