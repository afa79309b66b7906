"""Reading: how balances and transactions are asked for and answered, pages, errors and the quota."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workloads.services.connector.sections.base import Section

Kind = Literal[
    "consent-expired", "consent-invalid", "bank-quota-exceeded", "not-found", "bank-unauthorized", "credentials-wrong",
    "bank-failed", "bank-refused",
]  # fmt: skip


class Paging(Section):
    """How one comes from a page of transactions to the next."""

    style: Literal["link", "number", "none"] = Field(
        default="link", description="`link`: the bank's link; `number`: a counting query parameter; `none`: one page"
    )
    link: str = Field(default="next", description="name of the link")
    parameter: str = Field(default="pageIndex", description="with `number`: the parameter's name")
    first: int = Field(default=0, description="with `number`: the first page's number")


class Transactions(Section):
    """How transactions are read."""

    booking_statuses: tuple[Literal["booked", "pending", "both", "information", "all"], ...] = Field(
        default=("booked",), description="one read each"
    )
    history_days: Annotated[int, Field(ge=1, le=7300)] = Field(default=730, description="how far back the bank answers")
    amounts: Literal["signed", "by_party"] = Field(
        default="signed", description="`by_party`: unsigned, negative where only a creditor is named"
    )
    format: Literal["by_content", "json", "camt"] = Field(
        default="by_content",
        description="`camt`: camt.052 or camt.053 as XML (an Accept header of its own is sent); `by_content`: as the "
        "answer's Content-Type says",
    )
    camt_reference: str | None = Field(
        default=None, description="type of the proprietary reference that identifies an entry (`Refs/Prtry/Tp`)"
    )
    date_format: str = Field(default="%Y-%m-%d", description="of `{date_from}` and `{date_to}`, as strftime wants it")
    report: Literal["required", "optional"] = Field(
        default="required", description="`optional`: an answer without transactions means that there are none"
    )
    listing: Literal["complete", "partial"] = Field(
        default="complete",
        description="`partial`: now and then a list lacks booked entries that are there; none is taken for withdrawn",
    )
    paging: Paging = Field(default=Paging(), description="pages")
    max_pages: Annotated[int, Field(ge=1, le=1000)] = Field(default=200, description="more is an error, not a cut")


class Balances(Section):
    """Where balances are read."""

    source: Literal["endpoint", "accounts", "none"] = Field(
        default="endpoint", description="`endpoint`, `accounts` (from the list, with `withBalance`), `none`"
    )


class Answers(Section):
    """How this bank's answers differ from the standard's form."""

    root: tuple[str, ...] = Field(default=(), description="members that lead to the answer, e.g. `[data]`")
    rename: dict[str, str] = Field(
        default={}, description="the bank's member → the standard's, at any depth, links included"
    )
    date_formats: tuple[str, ...] = Field(default=(), description="further forms of dates, as strptime wants them")


class Errors(Section):
    """How this bank tells what is wrong, beside tppMessages and problem details."""

    code: tuple[str, ...] = Field(
        default=(), description="paths to the code, e.g. `error.code`, `errors.0.errorCode`; the first found counts"
    )
    meaning: dict[str, Kind] = Field(default={}, description="the bank's code → what it means")
    statuses: dict[Annotated[int, Field(ge=300, le=599)], Kind] = Field(
        default={}, description="HTTP status → what it means, where no code says so"
    )


class Quota(Section):
    """Unattended accesses in a rolling day, per account and operation."""

    per_day: Annotated[int, Field(ge=1, le=100)] = Field(default=4, description="how many")
    pages_count: bool = Field(default=False, description="whether each further page counts as one")
