"""Services: which ones there are, and what each needs. Data only; the aggregator deploys what stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NAMESPACE = "tributary"
"""Of Kubernetes, where they run; each has a service account of its own name there."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One deployed service.

    name: of the Deployment, the Service and the identity. package: its folder in workloads/services.
    database: whether it owns one, of its own name; nearly all do. users: whether users' tokens reach it.
    keys: whether it wraps users' keys in the vault. files: whether it keeps what users upload.
    calls: services it calls, told as <NAME>_URL.
    paths: first segments of the paths that the gateway leads to it. publishes: whether it publishes events.
    handles: types of the events that its subscription takes. acts: whether it calls others for a user who is not there,
    with its own token. bank: whether it is a sandbox bank, told to the connector by this id. api_root: what its API's
    paths begin with, as the bank's profile says.
    erases: whether it holds data of users, and erases what the privacy service lists before it serves.
    lists_erasures: whether it is the one that lists them. pushes: whether it reaches people's phones and browsers, with
    the keys of the notification hub. directory: whether it changes and deletes people's accounts at the identity
    provider. environment: what only this one is told.
    """

    name: str
    package: str
    database: bool = True
    users: bool = True
    keys: bool = False
    files: bool = False
    calls: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    publishes: bool = True
    handles: tuple[str, ...] = ()
    acts: bool = False
    bank: str | None = None
    api_root: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    connects_banks: bool = False
    erases: bool = True
    lists_erasures: bool = False
    pushes: bool = False
    directory: bool = False

    @property
    def public(self) -> bool:
        """Whether requests of apps reach it."""
        return bool(self.paths)

    @property
    def database_name(self) -> str:
        """The database it owns, if it owns one."""
        return self.name


_CATEGORISED = "transactions.categorised"
_ERASURE = "erasure.requested"

SERVICES = (
    Service(
        name="consent",
        package="consent",
        keys=True,
        calls=("account", "connector", "sync"),
        paths=("/consents",),
        handles=(_ERASURE,),
        acts=True,
    ),
    Service(
        name="connector",
        package="connector",
        keys=True,
        connects_banks=True,
        handles=(_ERASURE,),
    ),
    Service(
        name="account",
        package="account",
        keys=True,
        calls=("consent", "connector"),
        paths=("/accounts",),
        handles=("consent.expired", "consent.revoked", _ERASURE),
    ),
    Service(
        name="transaction",
        package="transaction",
        keys=True,
        calls=("account", "consent", "connector"),
        paths=("/transactions", "/synchronisations", "/match-suggestions"),
        handles=(_CATEGORISED, _ERASURE),
    ),
    Service(
        name="enrichment",
        package="enrichment",
        calls=("transaction",),
        paths=("/categories", "/assignments", "/rules", "/spending"),
        handles=("transactions.imported", "transaction.booked", "transaction.amended", "transaction.removed", _ERASURE),
        acts=True,
    ),
    Service(
        name="recurring",
        package="recurring",
        paths=("/series", "/expected"),
        handles=(_CATEGORISED, "sync.completed", _ERASURE),
    ),
    Service(
        name="budget",
        package="budget",
        paths=("/budgets",),
        handles=(_CATEGORISED, _ERASURE),
    ),
    Service(
        name="forecast",
        package="forecast",
        calls=("account", "recurring"),
        paths=("/forecast",),
        handles=(_CATEGORISED, "recurring.detected", "account.balance.updated", "account.closed", _ERASURE),
        acts=True,
    ),
    Service(
        name="notification",
        package="notification",
        keys=True,
        pushes=True,
        paths=("/notifications", "/preferences", "/devices"),
        handles=(
            "profile.changed",
            "budget.threshold.crossed",
            "consent.expiring",
            "consent.expired",
            "recurring.missed",
            "sync.failed",
            "export.ready",
            "ticket.answered",
            "transactions.withdrawn",
            _CATEGORISED,
            _ERASURE,
        ),
    ),
    Service(
        name="sync",
        package="sync",
        calls=("account", "transaction"),
        paths=("/schedule", "/quotas", "/runs"),
        handles=("consent.authorised", "consent.renewed", _ERASURE),
        acts=True,
    ),
    Service(
        name="user",
        package="user",
        keys=True,
        directory=True,
        paths=("/profile",),
        handles=(_ERASURE,),
    ),
    Service(
        name="document",
        package="document",
        keys=True,
        files=True,
        calls=("transaction",),
        paths=("/documents",),
        handles=("file.stored", "transaction.amended", _ERASURE),
    ),
    Service(
        name="help",
        package="help",
        keys=True,
        paths=("/articles", "/tickets"),
        handles=(_ERASURE,),
    ),
    Service(
        name="bank-directory",
        package="bank_directory",
        database=False,
        publishes=False,
        erases=False,
        calls=("connector",),
        paths=("/banks",),
    ),
    Service(
        name="privacy",
        package="privacy",
        calls=(
            "user",
            "consent",
            "account",
            "transaction",
            "enrichment",
            "recurring",
            "budget",
            "forecast",
            "notification",
            "sync",
            "document",
            "help",
            "audit",
        ),
        paths=("/export", "/erasures"),
        handles=("erasure.done",),
        erases=False,
        lists_erasures=True,
    ),
    Service(
        name="audit",
        package="audit",
        publishes=False,
        erases=False,
        paths=("/entries",),
        handles=(
            "user.registered",
            "consent.authorised",
            "consent.renewed",
            "consent.expired",
            "consent.revoked",
            "sync.requested",
            "sync.completed",
            "sync.failed",
            "account.linked",
            "account.closed",
            "transactions.imported",
            "document.uploaded",
            "document.deleted",
            "document.discarded",
            _ERASURE,
            "erasure.done",
            "erasure.completed",
            "export.ready",
        ),
    ),
)

SANDBOX_BANKS = tuple(
    Service(
        name=f"bank-{bank}",
        package="bank_sandbox",
        users=False,
        publishes=False,
        erases=False,
        bank=bank,
        api_root=api_root,
        environment={"SANDBOX_BANK": bank},
    )
    for bank, api_root in {"aurora": "", "borealis": "", "albion": "/open-banking"}.items()
)
"""One image, three data sets: banks to try the platform with; albion speaks UK Open Banking."""


def deployed(*, sandbox_banks: bool) -> tuple[Service, ...]:
    """The services of an environment."""
    return (*SERVICES, *SANDBOX_BANKS) if sandbox_banks else SERVICES


def databases(services: Sequence[Service]) -> tuple[str, ...]:
    """The databases of an environment: one a service that owns data."""
    return tuple(each.database_name for each in services if each.database)
