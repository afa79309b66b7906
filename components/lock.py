"""Lock: keeps a resource from being deleted, by whoever has the right to."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization


def lock(name: str, resource: pulumi.CustomResource, opts: pulumi.ResourceOptions) -> None:
    """Puts a CanNotDelete lock on a resource and what is below it.

    Pulumi removes the lock first when it destroys the stack: it guards against people and other tools, `protect`
    guards against Pulumi.
    """
    authorization.ManagementLockByScope(
        name,
        lock_name="cannot-delete",
        scope=resource.id,
        level=authorization.LockLevel.CAN_NOT_DELETE,
        notes="Holds data or names that can't be had back. Remove the lock by changing the program.",
        opts=opts,
    )
