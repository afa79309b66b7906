"""Lock: keeps a resource from being deleted, by whoever has the right to."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization


def lock(name: str, resource: pulumi.CustomResource, owner: pulumi.ComponentResource) -> None:
    """Puts a CanNotDelete lock on a resource and what is below it. Called last in the component that owns it.

    Azure passes a lock on to everything below (learn.microsoft.com/azure/azure-resource-manager/management/
    lock-resources): it is made after all the owner's resources, so that it goes first when the stack is destroyed.
    To take something out of a locked resource, such as one topic, switch the lock off first.
    It guards against people and other tools; `protect` guards against Pulumi.
    """
    authorization.ManagementLockByScope(
        name,
        lock_name="cannot-delete",
        scope=resource.id,
        level=authorization.LockLevel.CAN_NOT_DELETE,
        notes="Holds data or names that can't be had back. Remove the lock by changing the program.",
        # Pulumi has no public list of a component's resources; it keeps this one for depends_on itself.
        opts=pulumi.ResourceOptions(parent=owner, depends_on=list(owner._childResources)),
    )
