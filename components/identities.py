"""Identities: the user-assigned identity that a block acts as.

User-assigned, not system-assigned: it and its rights exist before the resource that needs them while it is made.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import managedidentity

from components.common import Site


def make_identity(name: str, site: Site, opts: pulumi.ResourceOptions) -> managedidentity.UserAssignedIdentity:
    """An identity named after what acts as it."""
    return managedidentity.UserAssignedIdentity(
        name,
        resource_name_=site.name("id", name),
        resource_group_name=site.resource_group,
        location=site.location,
        tags=site.tags,
        opts=opts,
    )


def by_id(identity: managedidentity.UserAssignedIdentity) -> pulumi.Output[Any]:
    """The map of identities that some of the SDK's types want where others take a list."""
    return identity.id.apply(_empty_under)


def _empty_under(key: str) -> Any:
    return {key: {}}
