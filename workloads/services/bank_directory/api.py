"""The bank directory's API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request

from workloads.chassis import clock
from workloads.chassis.app import create_app
from workloads.chassis.calls import ServiceClient
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import Problem, documented, not_found
from workloads.chassis.scopes import Scope
from workloads.services.bank_directory import domain
from workloads.services.bank_directory.forms import BankView
from workloads.services.bank_directory.settings import DirectorySettings

router = APIRouter(
    tags=["banks"], dependencies=[demands(Scope.CONSENTS_READ)], responses=documented(401, 422, 502, 503)
)


@router.get("/banks", operation_id="listConnectableBanks")
def banks(
    request: Request,
    user: CurrentUser,
    text: Annotated[str | None, Query(max_length=100, description="words of the name", examples=["deutsche"])] = None,
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="ISO 3166", examples=["DE"])] = None,
    bic: Annotated[
        str | None,
        Query(pattern="^[A-Za-z0-9]{8}([A-Za-z0-9]{3})?$", description="of any branch", examples=["DEUTDEFF500"]),
    ] = None,
) -> list[BankView]:
    """The banks that can be connected, by name; what each wants to know beforehand, and whether it answers now."""
    wanted = domain.Wanted(text, country, _bank_of(bic) if bic else None)
    return [BankView.of(each, clock.now()) for each in domain.find(_known(request, user), wanted)]


@router.get("/banks/{bank_id}", operation_id="getBank", responses=documented(404))
def bank(request: Request, user: CurrentUser, bank_id: str) -> BankView:
    """A bank."""
    found = next((each for each in _known(request, user) if each["id"] == bank_id), None)
    if found is None:
        raise not_found("bank")
    return BankView.of(found, clock.now())


def _bank_of(bic: str) -> str:
    try:
        return domain.bank_of_bic(bic)
    except ValueError:
        raise Problem(422, "invalid-request", "bic is none (ISO 9362): 8 or 11 letters and digits.") from None


def _known(request: Request, user: CurrentUser) -> list[dict[str, Any]]:
    return request.app.state.connector.call("GET", "/banks", user)


def build(settings: DirectorySettings) -> FastAPI:
    """The bank directory's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.connector = ServiceClient("connector", str(settings.connector_url), app.state.tls)
        return [app.state.connector]

    return create_app("bank_directory", "Bank directory", settings, [router], prepare=prepare)
