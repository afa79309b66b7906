"""The events there are: which service may publish which, and what each tells. docs/api/events.md is made from this."""

from __future__ import annotations

from collections.abc import Mapping

TOPIC = "events"
"""The one topic; a subscription a consuming service, filtered by the message property ``type``."""

EVENTS: Mapping[str, Mapping[str, str]] = {
    "user": {
        "user.registered": "A person used the platform for the first time.",
        "profile.changed": "How a person is spoken to: version (the highest is the newest), language, timezone.",
    },
    "consent": {
        "consent.authorised": "A bank says that a consent is valid: consent_id, bank, act_by.",
        "consent.renewed": "The same, and an earlier consent reached the bank before: consent_id, bank, act_by.",
        "consent.expiring": "A consent ends within seven days: consent_id, bank, act_by.",
        "consent.expired": "A consent has ended by time: consent_id, bank.",
        "consent.revoked": "A consent was ended by the person or the bank: consent_id, bank.",
    },
    "sync": {
        "sync.requested": "An unattended synchronisation begins: run_id.",
        "sync.completed": "It is over: run_id, accounts (ids of those that were read), added, updated, removed.",
        "sync.failed": "It brought nothing, or not everything: run_id, kinds.",
        "sync.quota_exhausted": "The accesses of a rolling day are used up: account_id, free_at.",
    },
    "account": {
        "account.linked": "An account is reached for the first time: account_id, bank, currency.",
        "account.balance.updated": "A balance changed: account_id, kind, minor, currency.",
        "account.closed": "No valid consent reaches an account any more: account_id.",
    },
    "transaction": {
        "transactions.imported": "A list was taken over: account_id, revision, added, updated, removed.",
        "transactions.withdrawn": "A bank lists booked transactions no more: account_id, bank, count.",
        "transaction.booked": "A pending transaction was booked: id, account_id, revision.",
        "transaction.amended": "A transaction changed: id, account_id, revision; formerly, where the person said what "
        "pending one it was.",
        "transaction.removed": "A transaction is withdrawn or deleted: id, account_id, revision.",
    },
    "enrichment": {
        "transactions.categorised": "Facts of transactions, at most 400: each id, account_id, revision, date, minor, "
        "currency, status, category, merchant, transfer, removed."
    },
    "recurring": {
        "recurring.detected": "A series was found or changed: series_id, next, minor, currency, every.",
        "recurring.missed": "An expected occurrence did not come: series_id, expected.",
    },
    "budget": {"budget.threshold.crossed": "Spending passed a threshold: budget_id, month, percent, period."},
    "forecast": {"forecast.updated": "A projection was made anew: currency, months."},
    "notification": {
        "notification.sent": "A notification was delivered: notification_id, kind, channel.",
        "notification.failed": "It could not be delivered: notification_id, kind, channel.",
    },
    "document": {
        "document.uploaded": "A document was uploaded: document_id.",
        "document.deleted": "A document was deleted: document_id.",
        "document.matched": "A document belongs to a transaction: document_id, transaction_id.",
        "document.discarded": "A file that no document knew is removed: document_id.",
    },
    "functions": {"file.stored": "A file was stored a day ago, whatever became of it since: document_id."},
    "help": {"ticket.answered": "Support has written in a ticket: ticket_id, message_id."},
    "privacy": {
        "erasure.requested": "Everything of the person is to be erased: erasure_id, round.",
        "erasure.completed": "Every service has erased: erasure_id.",
        "export.ready": "Everything of the person is handed out: export_id.",
    },
}
"""By publishing service: its events, and what each says."""

ERASURE_DONE = "erasure.done"
"""What every service that holds data of users publishes when it has erased: erasure_id, service, rows."""

OWNER: Mapping[str, str] = {each: service for service, events in EVENTS.items() for each in events}
"""Publishing service by event type; ``erasure.done`` has no single one."""


def may_publish(service: str, type_: str) -> bool:
    """Whether an event type is this service's to publish."""
    return type_ == ERASURE_DONE or OWNER.get(type_) == service
