"""The notification service's API."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import AwareDatetime

from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.chassis.tasks import Due, TaskHandler
from workloads.chassis.userkeys import UserKeys
from workloads.services.notification import devices, pushing, store
from workloads.services.notification.forms import (
    DeviceForm,
    DeviceList,
    DeviceView,
    NotificationList,
    NotificationView,
    Preferences,
)
from workloads.services.notification.handlers import HANDLERS
from workloads.services.notification.hub import Hub
from workloads.services.notification.pushing import Patience
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
    language = store.wishes(session, user.id).language
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
    language = store.wishes(session, user.id).language
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


@router.get("/devices", operation_id="listDevices")
def list_devices(session: UserTransaction, _: CurrentUser) -> DeviceList:
    """The person's phones and browsers that notifications are pushed to, the newest first."""
    return DeviceList(devices=[DeviceView.of(each) for each in devices.every(session)])


@router.post(
    "/devices", operation_id="registerDevice", status_code=201, dependencies=_WRITES, responses=documented(409)
)
def register_device(request: Request, session: UserTransaction, user: CurrentUser, asked: DeviceForm) -> DeviceView:
    """Have notifications pushed to a phone or browser; one that is known stays the same device.

    Apps ask this at each start. A device that several people use is that of the last one who asked.
    """
    cipher = request.app.state.keys.cipher(session, user.id)
    return DeviceView.of(devices.register(session, user.id, cipher, asked.platform, asked.told()))


@router.delete(
    "/devices/{device_id}",
    operation_id="removeDevice",
    status_code=204,
    dependencies=_WRITES,
    responses=documented(404),
)
def remove_device(session: UserTransaction, user: CurrentUser, device_id: uuid.UUID) -> None:
    """Have nothing pushed to a device any more. Apps ask this when the person signs out."""
    devices.remove(session, user.id, device_id)


def _after_quiet_hours(due: Due) -> datetime.datetime | None:
    with due.database.session(due.user) as session:
        store.deliver(session, due.user, due.item)


TASKS: Mapping[str, TaskHandler] = {
    store.DELIVER: _after_quiet_hours,
    devices.TELL: pushing.patient(pushing.tell),
    devices.PUSH: pushing.patient(pushing.push),
}


def build(settings: NotificationSettings) -> FastAPI:
    """The notification service's application. Raises SettingsError when no key is named."""
    keys = UserKeys.of(settings)

    def prepare(app: FastAPI) -> list[Any]:
        state = app.state
        state.keys, state.patience, state.push = keys, Patience(), None
        if settings.push_hub and settings.push_listen and settings.push_send:
            state.push = Hub(settings.push_hub, settings.push_listen, settings.push_send, state.tls)
        return [state.push]

    return create_app(
        store.SERVICE, "Notifications", settings, [router], prepare=prepare, handlers=HANDLERS, tasks=TASKS
    )
