"""Functions: the function app that is told of each file that a user has uploaded."""

from __future__ import annotations

from components.blob_events import BlobEventsArgs
from components.common import PrivateAccess, Site
from components.file_containers import ContainerArgs
from components.file_store import FileStore
from components.functions import Functions, FunctionsArgs, HostStorageArgs
from components.messaging import Messaging
from components.monitoring import Monitoring
from components.network import Network
from components.vault import Vault
from stacks import data
from stacks.data import make_store
from stacks.settings import Settings
from stacks.topics import UPLOADS

_PACKAGES = "packages"
_HOST_SERVICES = ("blob", "queue", "table")
"""Where the Functions host keeps its leases, triggers' state and keys."""


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
            version="3.12",
            storage=HostStorageArgs(account_id=host.account_id, blob_endpoint=host.blob_endpoint, packages=_PACKAGES),
            subnet_id=network.subnet_ids["functions"],
            component_id=monitoring.component_id,
            connection_string=monitoring.connection_string,
            memory_mb=wanted.memory_mb,
            maximum=wanted.maximum,
            zone_redundant=wanted.zone_redundant,
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
