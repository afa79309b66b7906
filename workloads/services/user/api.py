"""The user service's API."""

from __future__ import annotations

import math
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from workloads.chassis import erasure, userkeys
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.credential import application
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import Problem, documented, not_found
from workloads.chassis.scopes import Scope
from workloads.chassis.userkeys import UserKeys
from workloads.services.user import accounts, directory, store
from workloads.services.user.directory import Directory, Unavailable
from workloads.services.user.forms import NameForm, NameView, ProfileChange, ProfileView
from workloads.services.user.models import Base
from workloads.services.user.settings import UserServiceSettings

router = APIRouter(tags=["profile"], dependencies=[demands(Scope.PROFILE_READ)], responses=documented(401, 422, 503))
_WRITES = [demands(Scope.PROFILE_WRITE)]


@router.get("/profile", operation_id="getProfile")
def read(request: Request, session: UserTransaction, user: CurrentUser) -> ProfileView:
    """The person's profile; who asks for the first time is registered by it."""
    row = store.profile(session, user.id)
    accounts.keep(request.app.state, session, user, row)
    return ProfileView.of(row)


@router.patch("/profile", operation_id="changeProfile", dependencies=_WRITES)
def change(request: Request, session: UserTransaction, user: CurrentUser, asked: ProfileChange) -> ProfileView:
    """Say in which language, time zone and currency the person wants to be spoken to."""
    row = store.change(session, user.id, asked.model_dump(exclude_unset=True))
    accounts.keep(request.app.state, session, user, row)
    return ProfileView.of(row)


@router.get("/profile/name", operation_id="getName")
def read_name(request: Request, user: CurrentUser) -> NameView:
    """The person's name, as the identity provider has it; it is kept nowhere else."""
    people: Directory | None = request.app.state.directory
    account = accounts.of(user)
    if people is None or account is None:
        return NameView(name=None)
    try:
        return NameView(name=people.name(account))
    except Unavailable as error:
        raise _unreachable(error) from None


@router.put("/profile/name", operation_id="changeName", dependencies=_WRITES, responses=documented(404, 409))
def change_name(request: Request, user: CurrentUser, asked: NameForm) -> NameView:
    """Change the person's name at the identity provider: tokens that are issued from then on say the new one."""
    people: Directory | None = request.app.state.directory
    account = accounts.of(user)
    if people is None or account is None:
        detail = "Names are kept by an identity provider that this platform does not administer; change yours there."
        raise Problem(409, "no-directory", detail)
    try:
        if not people.rename(account, asked.name):
            raise not_found("account")
    except Unavailable as error:
        raise _unreachable(error) from None
    return NameView(name=asked.name)


def _unreachable(error: Unavailable) -> Problem:
    detail = "The identity provider can't be asked now; try again soon."
    headers = {"Retry-After": str(math.ceil(error.after.total_seconds()))} if error.after else None
    return Problem(503, "directory-unreachable", detail, headers=headers)


HANDLERS = {
    # In the last round: until then the person can sign in, and see what is waited for.
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, userkeys.Base], accounts.delete, last_round=True)
}


def build(settings: UserServiceSettings) -> FastAPI:
    """The user service's application. Raises SettingsError when no key is named."""
    keys = UserKeys.of(settings)

    def prepare(app: FastAPI) -> list[Any]:
        app.state.keys, app.state.directory = keys, _directory(settings, app)
        return [app.state.directory]

    return create_app(store.SERVICE, "Profile", settings, [router], prepare=prepare, handlers=HANDLERS)


def _directory(settings: UserServiceSettings, app: FastAPI) -> Directory | None:
    tenant, client = settings.directory_tenant, settings.directory_client
    if settings.directory_url is None or tenant is None or client is None:
        return None
    return Directory(
        str(settings.directory_url),
        app.state.tls,
        lambda: application(tenant, client).get_token(directory.SCOPE).token,
    )
