"""Loads and keeps the session user's devices, and which of what they were told is still to be pushed to each."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, ids, tasks
from workloads.chassis.problems import Problem, not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.notification.models import Device, Push
from workloads.services.notification.push import Address, Platform

TELL, PUSH = "tell-device", "push"
"""Kinds of the tasks that tell the push service of a device, and that push one notification to one device."""
_CHANNEL = "push channel"
"""Purpose that a device's address is sealed for."""
_MOST = 20


def every(session: Session) -> list[Device]:
    """The person's devices, the newest first."""
    query = select(Device).where(Device.leaving.is_(False))
    return list(session.scalars(query.order_by(Device.created.desc())))


def register(session: Session, user: uuid.UUID, cipher: Cipher, platform: Platform, channel: Any) -> Device:
    """Have a device reached; one that is known is told to the push service anew. Raises Problem 409 for too many."""
    told = json.dumps(channel, sort_keys=True)
    index = cipher.index(f"{platform}\0{told}", _CHANNEL)
    # Locked, as it may be on its way out.
    query = dialect.locked(select(Device).where(Device.channel_index == index), Device)
    device = session.scalar(query)
    if device is None:
        if (session.scalar(select(func.count(Device.platform))) or 0) >= _MOST:
            raise Problem(409, "too-many-devices", f"{_MOST} devices are registered; remove one that is not used.")
        device = _new(session, user, cipher, platform, told, index)
    tell_again(session, user, device)
    return device


def _new(session: Session, user: uuid.UUID, cipher: Cipher, platform: Platform, told: str, index: str) -> Device:
    row = {
        "id": ids.new_id(), "user_id": user, "platform": platform, "channel": cipher.seal(told, _CHANNEL),
        "channel_index": index, "installation": _installation(platform, told), "registered": False, "leaving": False,
        "created": clock.now(),
    }  # fmt: skip
    dialect.insert_new(session, Device, row, key=["user_id", "channel_index"])  # two at once: one wins
    return session.scalars(select(Device).where(Device.channel_index == index)).one()


def _installation(platform: Platform, told: str) -> uuid.UUID:
    """The same for whoever uses the device: at the push service it then belongs to the last of them alone."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{platform}:{told}")


def remove(session: Session, user: uuid.UUID, device_id: uuid.UUID) -> None:
    """Have a device not reached any more. Raises Problem 404."""
    device = session.scalar(select(Device).where(Device.id == device_id, Device.leaving.is_(False)))
    if device is None:
        raise not_found("device")
    leave(session, user, device)


def leave(session: Session, user: uuid.UUID, device: Device) -> None:
    """Have a device forgotten, here and at the push service."""
    device.leaving = True
    tasks.schedule(session, TELL, user, clock.now(), device.id)


def tell_again(session: Session, user: uuid.UUID, device: Device) -> None:
    """Have the push service told of a device that it has forgotten, or may have."""
    device.registered, device.leaving = False, False
    tasks.schedule(session, TELL, user, clock.now(), device.id)


def forget(session: Session, device: Device) -> None:
    """Forget a device that the push service does not know any more."""
    session.execute(delete(Push).where(Push.device_id == device.id))
    session.delete(device)


def load(session: Session, device_id: uuid.UUID) -> Device | None:
    """A device, locked: while it is told to the push service, it can't be removed."""
    return session.scalar(dialect.locked(select(Device).where(Device.id == device_id), Device))


def address(device: Device) -> Address:
    """Where it is reached."""
    platform: Any = device.platform
    return Address(device.installation, f"device:{device.id}", platform)


def channel(device: Device, cipher: Cipher) -> Any:
    """Its platform's own address of it."""
    return json.loads(cipher.open(device.channel, _CHANNEL))


def plan(session: Session, user: uuid.UUID, notification_id: uuid.UUID, now: datetime.datetime) -> None:
    """Have a notification pushed to each of the person's devices, once."""
    for device in every(session):
        row = {
            "id": ids.new_id(), "user_id": user, "notification_id": notification_id, "device_id": device.id,
            "sent": None, "dropped": None,
        }  # fmt: skip
        if dialect.insert_new(session, Push, row, key=["notification_id", "device_id"]):
            tasks.schedule(session, PUSH, user, now, row["id"])
