"""What the sync service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from workloads.chassis.json_integer import Integer
from workloads.services.sync import domain
from workloads.services.sync.models import Run, Schedule


class ScheduleForm(BaseModel):
    """How often accounts are read with nobody there."""

    model_config = ConfigDict(extra="forbid")
    enabled: StrictBool = True
    times_a_day: Integer = Field(default=domain.PER_DAY, ge=1, le=domain.PER_DAY, examples=[4])

    @classmethod
    def of(cls, row: Schedule) -> ScheduleForm:
        """As it stands."""
        return cls(enabled=row.enabled, times_a_day=row.times_a_day)


class Quota(BaseModel):
    """Unattended reads of an account that are left in these 24 hours. Reads that the person asks for are free."""

    account_id: uuid.UUID
    left: int = Field(examples=[3])
    per_day: int = Field(examples=[4])
    free_at: datetime.datetime = Field(description="when another one is allowed")


class RunView(BaseModel):
    """A synchronisation."""

    id: uuid.UUID
    attended: bool
    started: datetime.datetime
    ended: datetime.datetime | None = Field(description="null while it runs, or when it was cut off")
    added: int = Field(examples=[12])
    updated: int
    removed: int
    failures: list[str] = Field(description="kinds of what could not be read", examples=[["consent-expired"]])

    @classmethod
    def of(cls, row: Run) -> RunView:
        """As it stands."""
        return cls(
            id=row.id, attended=row.attended, started=row.started, ended=row.ended, added=row.added,
            updated=row.updated, removed=row.removed, failures=[each for each in row.kinds.split(",") if each],
        )  # fmt: skip


class RunList(BaseModel):
    """The latest runs, newest first."""

    runs: list[RunView]
