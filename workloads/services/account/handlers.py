"""What the account service does when other services publish."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from workloads.chassis import erasure, userkeys
from workloads.chassis.events.consumer import Handler, Handling
from workloads.services.account import store
from workloads.services.account.events import SERVICE
from workloads.services.account.models import Base


def _on_ended(handling: Handling) -> None:
    with handling.transaction() as session:
        store.disconnect(session, handling.user, [uuid.UUID(handling.event.data["consent_id"])])


HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(("consent.expired", "consent.revoked"), _on_ended),
    erasure.REQUESTED: erasure.handler(SERVICE, [Base, userkeys.Base]),
}
