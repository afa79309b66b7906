"""Health endpoints that Kubernetes asks: live (the process answers), ready and startup (its database answers too)."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from workloads.chassis.database import Database
from workloads.chassis.problems import Problem, documented
from workloads.chassis.restoration import held_back

router = APIRouter(prefix="/healthz", tags=["health"])


class Health(BaseModel):
    """What a probe wants to know."""

    status: Literal["ok"] = Field(default="ok", examples=["ok"])


@router.get("/live", operation_id="getLiveness")
def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/ready", operation_id="getReadiness", responses=documented(503))
def ready(request: Request) -> Health:
    """It can serve: its database answers, and has every erasure there was."""
    started = startup(request)
    if (restoration := request.app.state.restoration) and restoration.pending:
        raise held_back()
    return started


@router.get("/startup", operation_id="getStartup", responses=documented(503))
def startup(request: Request) -> Health:
    """It has started: its database answers. Erasures may still be applied: that is no reason to start it anew."""
    database: Database | None = request.app.state.database
    try:
        if database:
            database.ping()
    except SQLAlchemyError:
        raise Problem(503, "database-unreachable", "The database does not answer.") from None
    return Health()
