"""What is done when a device is to be told to the push service, and when a notification is to be pushed to one."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.chassis.events import outbox
from workloads.chassis.events.consumer import Handling
from workloads.chassis.tasks import Due, TaskHandler
from workloads.services.notification import devices, domain, store, texts
from workloads.services.notification.domain import Kind
from workloads.services.notification.models import Device, Notification, Push
from workloads.services.notification.push import Address, Gone, Message, PushService, Refused, Unavailable, Unknown

_TOO_OLD = datetime.timedelta(days=1)
"""What could not be pushed by then tells nothing new; the inbox has it."""
_FIRST_PAUSE = datetime.timedelta(seconds=5)
_LONGEST_PAUSE = datetime.timedelta(minutes=10)
_UNTIL_TOLD = datetime.timedelta(seconds=5)
"""How long a notification waits for its device to be told to the push service."""
_CHANNEL = "push"
_log = structlog.get_logger(__name__)


@dataclass
class Patience:
    """When a push service that could not be asked is asked again: all that is due for it waits together."""

    until: datetime.datetime | None = None
    failures: int = 0

    def failed(self, after: datetime.timedelta | None) -> datetime.datetime:
        """It could not be asked; when it will be. after: what it said itself."""
        self.failures += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self.failures - 1, 10))
        self.until = clock.now() + min(_LONGEST_PAUSE, max(pause, after or pause))
        return self.until

    def answered(self) -> None:
        """It could."""
        self.until, self.failures = None, 0


def patient(work: Callable[[Due, PushService], datetime.datetime | None]) -> TaskHandler:
    """A task that asks the push service, later again where that can't be asked."""

    def handle(due: Due) -> datetime.datetime | None:
        service: PushService | None = due.app.push
        patience: Patience = due.app.patience
        if service is None:
            _without(due)
            return None
        if patience.until and patience.until > clock.now():
            return patience.until
        try:
            again = work(due, service)
        except Unavailable as error:
            _log.warning("the push service can't be asked", reason=str(error), failures=patience.failures + 1)
            return patience.failed(error.after)
        patience.answered()
        return again

    return handle


def _without(due: Due) -> None:
    """There is no push service: who leaves is forgotten, and nothing is pushed."""
    with due.database.session(due.user) as session:
        device = devices.load(session, due.item)
        if device and device.leaving:
            devices.forget(session, device)
        push = _locked(session, due.item)
        if push and push.sent is None:
            push.dropped = clock.now()


def tell(due: Due, service: PushService) -> datetime.datetime | None:
    """Tell the push service of a device, or that it is gone."""
    with due.database.session(due.user) as session:
        # Its row stays locked meanwhile: an erasure waits, and finds what was told here.
        device = devices.load(session, due.item)
        if device is None:
            return None
        where = devices.address(device)
        if device.leaving:
            service.unregister(where)
            devices.forget(session, device)
            return None
        channel = devices.channel(device, due.app.keys.cipher(session, due.user))
        try:
            service.register(where, channel, [f"user:{due.user}"])
        except Refused as refused:
            _log.warning("a device was refused", platform=device.platform, reason=str(refused))
            devices.forget(session, device)
        else:
            device.registered = True
        return None


@dataclass(frozen=True)
class _Ready:
    """A notification that may be pushed now."""

    address: Address
    message: Message
    kind: str


def push(due: Due, service: PushService) -> datetime.datetime | None:
    """Push a notification to a device, unless that is of no use any more."""
    with due.database.session(due.user) as session:
        found = _ready(session, due.user, due.item)
    if not isinstance(found, _Ready):
        return found
    try:
        service.send(found.address, found.message)
    except Unknown:
        return _anew(due)
    except (Gone, Refused) as error:
        return _drop(due, found, error)
    with due.database.session(due.user) as session:
        row = _locked(session, due.item)
        if row and row.sent is None:
            row.sent = clock.now()
            _say(session, due.user, "notification.sent", found)
    return None


def _ready(session: Session, user: uuid.UUID, push_id: uuid.UUID) -> _Ready | datetime.datetime | None:
    """What to push; when it is due again; or None when it is not to be."""
    row = _locked(session, push_id)
    if row is None or row.sent or row.dropped:
        return None
    now, wishes = clock.now(), store.wishes(session, user)
    device = session.scalars(select(Device).where(Device.id == row.device_id)).one()
    told = session.scalars(select(Notification).where(Notification.id == row.notification_id)).one()
    kind: Kind = told.kind  # type: ignore[assignment]  # a column holds text; what is written is a kind
    delivered = told.delivered or told.created
    if device.leaving or told.read or now - delivered > _TOO_OLD or kind in wishes.muted:
        row.dropped = now
        return None
    until = None if kind in domain.URGENT else wishes.quiet.until(now)
    if until or not device.registered:
        return until or now + _UNTIL_TOLD
    title = texts.on_a_locked_screen(kind, wishes.language)
    return _Ready(devices.address(device), Message(told.id, title), kind)


def _anew(due: Due) -> datetime.datetime:
    """The push service has forgotten the device: it is told of it once more, then this is pushed."""
    with due.database.session(due.user) as session:
        row = _locked(session, due.item)
        device = devices.load(session, row.device_id) if row else None
        if device and not device.leaving:
            devices.tell_again(session, due.user, device)
    return clock.now() + _UNTIL_TOLD


def _drop(due: Due, what: _Ready, error: Exception) -> None:
    """It reaches nobody: a device that is gone is forgotten with all that waits for it."""
    with due.database.session(due.user) as session:
        row = _locked(session, due.item)
        device = devices.load(session, row.device_id) if row else None
        if row is None or device is None:
            return
        row.dropped = clock.now()
        _log.info("not pushed", platform=device.platform, reason=f"{type(error).__name__} {error}".strip())
        _say(session, due.user, "notification.failed", what)
        if isinstance(error, Gone):
            devices.leave(session, due.user, device)


def _say(session: Session, user: uuid.UUID, event: str, what: _Ready) -> None:
    told = {"notification_id": str(what.message.id), "kind": what.kind, "channel": _CHANNEL}
    outbox.write(session, store.SERVICE, event, user, told)


def _locked(session: Session, push_id: uuid.UUID) -> Push | None:
    return session.scalar(dialect.locked(select(Push).where(Push.id == push_id), Push))


def unregister_all(handling: Handling) -> int:
    """Have the push service forget every device of a person's, who is being erased; how many there were."""
    service: PushService | None = handling.app.push
    with handling.database.session(handling.user) as session:
        found = list(session.scalars(dialect.locked(select(Device), Device)))
        for each in found:
            each.leaving = True  # from here on nothing tells the push service of it again
        where = [devices.address(each) for each in found]
    if service:
        for each in where:
            service.unregister(each)
    return len(where)
