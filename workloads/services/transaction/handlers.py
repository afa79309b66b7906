"""What the transaction service does when other services publish."""

from __future__ import annotations

from collections.abc import Mapping

from workloads.chassis import erasure, facts, tasks, userkeys
from workloads.chassis.events.consumer import Handler, Handling
from workloads.services.transaction import store
from workloads.services.transaction.events import SERVICE
from workloads.services.transaction.models import Base


def _on_categorised(handling: Handling) -> None:
    told = facts.of(handling)
    with handling.transaction() as session:
        store.categorise(session, told)


HANDLERS: Mapping[str, Handler] = {
    facts.CATEGORISED: _on_categorised,
    erasure.REQUESTED: erasure.handler(SERVICE, [Base, userkeys.Base, tasks.Base]),
}
