"""What the privacy service is told."""

from __future__ import annotations

import uuid

from pydantic import Field, HttpUrl, Json

from workloads.chassis.settings import UserSettings


class PrivacySettings(UserSettings):
    """The privacy service's settings: where everything of a person is asked for."""

    holders: Json[dict[uuid.UUID, str]] = Field(
        default={}, description="JSON object: object id of a service's identity -> the service, for those that erase"
    )
    user_url: HttpUrl = Field(description="base URL of the user service")
    consent_url: HttpUrl = Field(description="base URL of the consent service")
    account_url: HttpUrl = Field(description="base URL of the account service")
    transaction_url: HttpUrl = Field(description="base URL of the transaction service")
    enrichment_url: HttpUrl = Field(description="base URL of the enrichment service")
    recurring_url: HttpUrl = Field(description="base URL of the recurring service")
    budget_url: HttpUrl = Field(description="base URL of the budget service")
    forecast_url: HttpUrl = Field(description="base URL of the forecast service")
    notification_url: HttpUrl = Field(description="base URL of the notification service")
    sync_url: HttpUrl = Field(description="base URL of the sync service")
    document_url: HttpUrl = Field(description="base URL of the document service")
    help_url: HttpUrl = Field(description="base URL of the help service")
    audit_url: HttpUrl = Field(description="base URL of the audit service")
