"""UK Open Banking: what its consents ask for (Read/Write Data API 3.1 and 4.0, account access consents)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workloads.services.connector.sections.base import Section

PERMISSIONS = (
    "ReadAccountsDetail", "ReadBalances", "ReadTransactionsBasic", "ReadTransactionsDetail", "ReadTransactionsCredits",
    "ReadTransactionsDebits",
)  # fmt: skip


class UkConsent(Section):
    """The account access consent of a UK bank."""

    permissions: tuple[Annotated[str, Field(pattern="^Read[A-Za-z]+$")], ...] = Field(
        default=PERMISSIONS, description="codes of OBReadConsent1"
    )
    days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        default=None, description="ExpirationDateTime, so many days from now; null: open-ended"
    )
    time_zone: bool = Field(default=False, description="whether date-times in queries carry `+00:00`")
