"""The credentials that exist before anything is deployed: who deploys, and the node's way to managed identities."""

from __future__ import annotations

import json
import secrets
import uuid

from local.azure.context import Body
from local.instance import SUBSCRIPTION_ID, TENANT_ID, Instance
from local.pki import write_private


def prepare(instance: Instance) -> None:
    """Write ``azure/deployer.json`` and ``azure/node-identity.json`` (mode 600) where they are not there yet."""
    if not (instance.azure / "deployer.json").exists():
        deployer = {
            "client_id": str(uuid.uuid4()),
            "client_secret": secrets.token_urlsafe(32),
            "object_id": str(uuid.uuid4()),
            "tenant_id": TENANT_ID,
            "subscription_id": SUBSCRIPTION_ID,
        }
        write_private(instance.azure / "deployer.json", json.dumps(deployer, indent=1).encode())
    if not (instance.azure / "node-identity.json").exists():
        node = {"endpoint": f"https://{instance.arm}/msi/token", "header": secrets.token_urlsafe(32)}
        write_private(instance.azure / "node-identity.json", json.dumps(node, indent=1).encode())


def deployer(instance: Instance) -> Body:
    """The service principal that a person or a pipeline signs in with."""
    return json.loads((instance.azure / "deployer.json").read_text())


def node_header(instance: Instance) -> str:
    """The secret that the node shows to the managed-identity endpoint."""
    return json.loads((instance.azure / "node-identity.json").read_text())["header"]
