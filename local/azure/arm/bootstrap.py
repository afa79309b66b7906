"""What is there before the first request: the deployer's identity and its ownership of the subscription."""

from __future__ import annotations

import uuid

from local.azure.arm import roles
from local.azure.arm.authorize import ASSIGNMENT_TYPE
from local.azure.arm.store import LocalStore
from local.azure.context import Resource
from local.azure.entra import deployer
from local.azure.entra.directory import LocalDirectory
from local.instance import SUBSCRIPTION_ID, Instance


def seed(instance: Instance, store: LocalStore, directory: LocalDirectory) -> None:
    """Make the deployer known and Owner of the subscription. Changes nothing the second time."""
    who = deployer.deployer(instance)
    directory.add(
        "deployer",
        "ServicePrincipal",
        object_id=who["object_id"],
        client_id=who["client_id"],
        secret=who["client_secret"],
    )
    scope = f"/subscriptions/{SUBSCRIPTION_ID}"
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{who['object_id']}"))
    identity = f"{scope}/providers/{ASSIGNMENT_TYPE}/{name}"
    if store.get(identity) is None:
        properties = {
            "principalId": who["object_id"],
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{roles.OWNER}",
            "scope": scope,
        }
        store.put(Resource(identity, name, ASSIGNMENT_TYPE, {"properties": properties}))
