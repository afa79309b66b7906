"""The user service's API."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from workloads.chassis import erasure
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.user import store
from workloads.services.user.forms import ProfileChange, ProfileView
from workloads.services.user.models import Base
from workloads.services.user.settings import UserServiceSettings

router = APIRouter(tags=["profile"], dependencies=[demands(Scope.PROFILE_READ)], responses=documented(401, 422, 503))


@router.get("/profile", operation_id="getProfile")
def read(session: UserTransaction, user: CurrentUser) -> ProfileView:
    """The person's profile; who asks for the first time is registered by it."""
    return ProfileView.of(store.profile(session, user.id))


@router.patch("/profile", operation_id="changeProfile", dependencies=[demands(Scope.PROFILE_WRITE)])
def change(session: UserTransaction, user: CurrentUser, asked: ProfileChange) -> ProfileView:
    """Say in which language, time zone and currency the person wants to be spoken to."""
    return ProfileView.of(store.change(session, user.id, asked.model_dump(exclude_unset=True)))


HANDLERS = {erasure.REQUESTED: erasure.handler(store.SERVICE, [Base])}


def build(settings: UserServiceSettings) -> FastAPI:
    """The user service's application."""
    return create_app(store.SERVICE, "Profile", settings, [router], handlers=HANDLERS)
