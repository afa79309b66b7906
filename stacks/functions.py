"""Functions: the function app that tells the services of each file that a user has uploaded."""

from __future__ import annotations

from components.blob_events import BlobEventsArgs
from components.common import PrivateAccess, Site
from components.file_containers import ContainerArgs
from components.file_store import FileStore
from components.function_package import Build, PackageArgs
from components.functions import Functions, FunctionsArgs, HostStorageArgs
from components.messaging import Messaging
from components.monitoring import Monitoring
from components.network import Network
from components.vault import Vault
from components.workload_identity import Grant
from stacks import data
from stacks.data import make_store
from stacks.images import ROOT
from stacks.settings import Settings
from stacks.topics import EVENTS, UPLOADS

_PACKAGES = "packages"
_PYTHON = "3.12"
_OWN = "workloads/functions"
_CHASSIS = (
    "__init__.py", "clock.py", "correlation.py", "credential.py", "ids.py", "events/__init__.py", "events/bus.py",
    "events/catalogue.py", "events/envelope.py", "events/port.py",
)  # fmt: skip
"""What the functions use of workloads/chassis, and no more: with it their code changes, and is deployed anew."""
_HOST_SERVICES = ("blob", "queue", "table")
"""Where the Functions host keeps its leases, triggers' state and keys."""


def code(build: Build) -> PackageArgs:
    """The app's code. build: who installs the packages that it needs."""
    return PackageArgs(
        root=ROOT,
        top={each: f"{_OWN}/{each}" for each in ("host.json", "function_app.py")},
        sources=[
            "workloads/__init__.py",
            f"{_OWN}/__init__.py",
            f"{_OWN}/uploads.py",
            *(f"workloads/chassis/{each}" for each in _CHASSIS),
        ],
        requirements=f"{_OWN}/requirements.txt",
        constraints="constraints.txt",
        build=build,
        python=_PYTHON,
    )


def make_functions(
    settings: Settings,
    site: Site,
    network: Network,
    monitoring: Monitoring,
    messaging: Messaging,
    uploads: FileStore,
    vault: Vault,
    access: PrivateAccess,
) -> Functions:
    """The app, and a storage account of its own: who writes there, runs code. access: where its endpoint is.

    The account has private endpoints in every stack: no service endpoint leads there from Flex Consumption's subnet.
    """
    wanted = settings.functions
    host = make_store("host", {_PACKAGES: ContainerArgs()}, settings, site, network, vault, _HOST_SERVICES, closed=True)
    return Functions(
        "events",
        FunctionsArgs(
            site=site,
            runtime="python",
            version=_PYTHON,
            storage=HostStorageArgs(
                account_id=host.account_id, blob_endpoint=host.blob_endpoint, packages=_PACKAGES, ready=[host]
            ),
            subnet_id=network.subnet_ids["functions"],
            component_id=monitoring.component_id,
            connection_string=monitoring.connection_string,
            memory_mb=wanted.memory_mb,
            maximum=wanted.maximum,
            zone_redundant=wanted.zone_redundant,
            settings={"SERVICE_BUS_HOST": messaging.host},
            grants={"tells-of-uploads": Grant("Azure Service Bus Data Sender", messaging.topic_ids[EVENTS])},
            code=code(wanted.build),
            access=access if wanted.private else None,
            events=BlobEventsArgs(
                account_id=uploads.account_id,
                container=data.UPLOADS,
                queue_id=messaging.queue_ids[UPLOADS],
                queue=UPLOADS,
                host=messaging.host,
                undelivered=data.UNDELIVERED,
            ),
        ),
    )
