"""What a person is told when other services publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from workloads.chassis import erasure, facts, tasks, userkeys
from workloads.chassis.events.consumer import Handler, Handling, Unprocessable
from workloads.services.notification import profiles, pushing, store, texts
from workloads.services.notification.domain import Kind
from workloads.services.notification.models import Base, Fact


def _tells(kind: Kind, period: Callable[[dict[str, Any]], str], *names: str) -> Handler:
    """Tells the person of an event. period: what of it is told once. names: of its data that the text is made of."""

    def handle(handling: Handling) -> None:
        data = handling.event.data
        try:
            about, once = {name: data[name] for name in names}, period(data)
        except KeyError as missing:
            raise Unprocessable(f"{handling.event.type} without {missing.args[0]}") from None
        _refuse_unspeakable(handling, kind, about)
        with handling.transaction() as session:
            store.notify(session, handling.user, kind, once, about)

    return handle


def _refuse_unspeakable(handling: Handling, kind: Kind, about: dict[str, Any]) -> None:
    """Raises Unprocessable where no text can be made: else the person's whole inbox could not be shown."""
    try:
        texts.text(kind, "en", about)
    except (ValueError, TypeError):
        raise Unprocessable(f"{handling.event.type} of which no text can be made") from None


def _on_profile(handling: Handling) -> None:
    try:
        told = profiles.Told.model_validate(handling.event.data)
    except ValidationError:
        raise Unprocessable("its profile is malformed") from None
    with handling.transaction() as session:
        profiles.keep(session, handling.user, told)


def _on_categorised(handling: Handling) -> None:
    told = facts.of(handling)
    with handling.transaction() as session:
        store.watch_spending(session, handling.user, facts.apply(session, Fact, handling.user, told))


def _on_failed(handling: Handling) -> None:
    kinds = ", ".join(sorted(map(str, handling.event.data["kinds"])))
    with handling.transaction() as session:
        day = f"{handling.event.time:%Y-%m-%d}"
        store.notify(session, handling.user, "sync-failing", day, {"kinds": kinds})


def _on_withdrawn(handling: Handling) -> None:
    data = handling.event.data
    with handling.transaction() as session:
        about = {name: data[name] for name in ("account_id", "bank", "count")}
        day = f"{data['account_id']}:{handling.event.time:%Y-%m-%d}"
        store.notify(session, handling.user, "bookings-withdrawn", day, about)


def _act_by(data: dict[str, Any]) -> str:
    return f"{data['consent_id']}:{data['act_by']}"


HANDLERS: Mapping[str, Handler] = {
    "profile.changed": _on_profile,
    "budget.threshold.crossed": _tells(
        "budget-threshold", lambda data: data["period"], "budget_id", "month", "percent"
    ),
    "consent.expiring": _tells("consent-expiring", _act_by, "consent_id", "bank", "act_by"),
    "consent.expired": _tells("consent-expired", lambda data: data["consent_id"], "consent_id", "bank"),
    "recurring.missed": _tells(
        "payment-missed", lambda data: f"{data['series_id']}:{data['expected']}", "series_id", "expected"
    ),
    "sync.failed": _on_failed,
    "transactions.withdrawn": _on_withdrawn,
    "export.ready": _tells("export-ready", lambda data: data["export_id"], "export_id"),
    "ticket.answered": _tells("ticket-answered", lambda data: data["message_id"], "ticket_id"),
    facts.CATEGORISED: _on_categorised,
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, userkeys.Base, tasks.Base], pushing.unregister_all),
}
