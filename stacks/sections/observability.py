"""Observability: sections of who is told when something is wrong, and what the stack may cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.sections.foundation import Section

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address")]


class Budget(Section):
    """What the stack may cost a month, in the subscription's currency."""

    monthly_budget: Annotated[float, Field(gt=0, description="more than 0, in the subscription's currency")]


class Alerts(Budget):
    """Whom alerts go to, by name; and the month that the stack was first deployed in, where its budget begins.

    The first address is also API Management's publisher and the contact that push services see.
    """

    emails: Annotated[
        dict[str, Email],
        # repr=False: an address is not repeated in an error.
        Field(min_length=1, repr=False, description="at least one e-mail address by name"),
    ]
    budget_since: Annotated[
        str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])-01$", description='first day of a month, e.g. "2026-11-01"')
    ]
