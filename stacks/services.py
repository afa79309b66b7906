"""Services: which ones there are, and what each needs. Data only; the aggregator deploys what stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Service:
    """One deployed service.

    name: of the Deployment, the Service and the identity. package: its folder in workloads/services.
    database: whether it owns one, of its own name. users: whether users' tokens reach it.
    keys: whether it wraps users' keys in the vault. calls: services it calls, told as <NAME>_URL.
    public: whether the gateway leads to it. publishes: whether it publishes events. handles: types of the events that
    its subscription takes. bank: whether it is a sandbox bank, told to the connector by this id.
    environment: what only this one is told.
    """

    name: str
    package: str
    database: bool = False
    users: bool = False
    keys: bool = False
    calls: tuple[str, ...] = ()
    public: bool = False
    publishes: bool = False
    handles: tuple[str, ...] = ()
    bank: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    connects_banks: bool = False

    @property
    def database_name(self) -> str:
        """The database it owns, if it owns one."""
        return self.name


SERVICES = (
    Service(
        name="consent",
        package="consent",
        database=True,
        users=True,
        keys=True,
        calls=("connector",),
        public=True,
        publishes=True,
    ),
    Service(name="connector", package="connector", database=True, users=True, keys=True, connects_banks=True),
    Service(
        name="account",
        package="account",
        database=True,
        users=True,
        keys=True,
        calls=("consent", "connector"),
        public=True,
        publishes=True,
        handles=("consent.expired", "consent.revoked"),
    ),
    Service(
        name="transaction",
        package="transaction",
        database=True,
        users=True,
        keys=True,
        calls=("account", "consent", "connector"),
        public=True,
        publishes=True,
        handles=("account.closed",),
    ),
)

SANDBOX_BANKS = tuple(
    Service(name=f"bank-{bank}", package="bank_sandbox", database=True, bank=bank, environment={"SANDBOX_BANK": bank})
    for bank in ("aurora", "borealis")
)
"""One image, two data sets: banks to try the platform with."""


def deployed(*, sandbox_banks: bool) -> tuple[Service, ...]:
    """The services of an environment."""
    return (*SERVICES, *SANDBOX_BANKS) if sandbox_banks else SERVICES


def databases(services: Sequence[Service]) -> tuple[str, ...]:
    """The databases of an environment: one a service that owns data."""
    return tuple(each.database_name for each in services if each.database)
