"""The notification service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from pydantic import AwareDatetime

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.chassis.tasks import Due
from workloads.services.notification import store
from workloads.services.notification.forms import NotificationList, NotificationView, Preferences
from workloads.services.notification.handlers import HANDLERS
from workloads.services.notification.settings import NotificationSettings

router = APIRouter(
    tags=["notifications"], dependencies=[demands(Scope.PROFILE_READ)], responses=documented(401, 422, 503)
)
_WRITES = [demands(Scope.PROFILE_WRITE)]


@router.get("/notifications", operation_id="listNotifications")
def inbox(
    session: UserTransaction,
    user: CurrentUser,
    unread: Annotated[bool, Query(description="only those that were not read")] = False,
    before: Annotated[AwareDatetime | None, Query(description="only those that were delivered earlier")] = None,
) -> NotificationList:
    """What the person was told, newest first. What waits for the end of quiet hours is not among it."""
    language = store.preference(session, user.id).language
    rows = store.inbox(session, unread=unread, before=before)
    return NotificationList(notifications=[NotificationView.of(each, language) for each in rows])


@router.post(
    "/notifications/{notification_id}/read",
    operation_id="markNotificationRead",
    dependencies=_WRITES,
    responses=documented(404),
)
def mark_read(session: UserTransaction, user: CurrentUser, notification_id: uuid.UUID) -> NotificationView:
    """Say that one was read."""
    language = store.preference(session, user.id).language
    return NotificationView.of(store.mark_read(session, notification_id), language)


@router.get("/preferences", operation_id="getPreferences")
def preferences(session: UserTransaction, user: CurrentUser) -> Preferences:
    """How the person wants to be told."""
    return Preferences.of(store.preference(session, user.id))


@router.put("/preferences", operation_id="replacePreferences", dependencies=_WRITES)
def replace(session: UserTransaction, user: CurrentUser, asked: Preferences) -> Preferences:
    """Say how: time zone, language, quiet hours, what not to tell."""
    values = {**asked.model_dump(exclude={"muted"}), "muted": ",".join(sorted(set(asked.muted)))}
    return Preferences.of(store.keep_preference(session, user.id, values))


def _after_quiet_hours(due: Due) -> datetime.datetime | None:
    with due.database.session(due.user) as session:
        store.deliver(session, due.user, due.item)


def build(settings: NotificationSettings) -> FastAPI:
    """The notification service's application."""
    timers = {store.DELIVER: _after_quiet_hours}
    return create_app(store.SERVICE, "Notifications", settings, [router], handlers=HANDLERS, tasks=timers)
