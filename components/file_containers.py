"""File containers: what happens to a container's blobs as they age, and whether they can be changed at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from components.common import Site
from components.immutability_lock import ImmutabilityLock


@dataclass(frozen=True, kw_only=True)
class ContainerArgs:
    """What becomes of a container's blobs.

    cool_days: after which they move to the cool tier, delete_days: after which they go; 0 never.
    immutable_days: for which nobody can change or delete one; never where erasure must work. 0 for none.
    final: locks that, for good: neither container nor account can be deleted before its last blob's time is over.
    """

    cool_days: int = 0
    delete_days: int = 0
    immutable_days: int = 0
    final: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.immutable_days <= 146000:
            raise ValueError(f"immutable_days: {self.immutable_days} is not allowed; allowed are 0 to 146000.")
        if self.final and not self.immutable_days:
            raise ValueError("final: there is nothing to lock. Give immutable_days.")
        if 0 < self.delete_days <= max(self.immutable_days, self.cool_days):
            raise ValueError(
                f"delete_days: {self.delete_days} is not allowed; allowed are more than immutable_days and cool_days."
            )


def make_container(
    name: str,
    container: str,
    args: ContainerArgs,
    account: storage.StorageAccount,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """A private container; answers its id."""
    made = storage.BlobContainer(
        name,
        container_name=container,
        account_name=account.name,
        resource_group_name=site.resource_group,
        public_access=storage.PublicAccess.NONE,
        opts=opts,
    )
    if args.immutable_days:
        policy = storage.BlobContainerImmutabilityPolicy(
            name,
            immutability_policy_name="default",
            container_name=container,
            account_name=account.name,
            resource_group_name=site.resource_group,
            immutability_period_since_creation_in_days=args.immutable_days,
            # A log may grow; what is written stays.
            allow_protected_append_writes=True,
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[made])),
        )
        if args.final:
            ImmutabilityLock(name, policy.id, opts)
    return made.id


def expire(
    name: str,
    containers: Mapping[str, ContainerArgs],
    version_days: int,
    account: storage.StorageAccount,
    blobs: storage.BlobServiceProperties,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """Moves and deletes blobs by age; earlier versions go after version_days, so that what is erased is gone then."""
    rules = [_rule(container, args) for container, args in containers.items() if args.cool_days or args.delete_days]
    erasable = [f"{container}/" for container, args in containers.items() if not args.immutable_days]
    if erasable:
        rules.append(_versions(erasable, version_days))
    if not rules:
        return
    storage.ManagementPolicy(
        name,
        management_policy_name="default",
        account_name=account.name,
        resource_group_name=site.resource_group,
        policy=storage.ManagementPolicySchemaArgs(rules=rules),
        # A rule on versions is refused before there are any.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[blobs])),
    )


def _rule(container: str, args: ContainerArgs) -> storage.ManagementPolicyRuleArgs:
    def after(days: int) -> storage.DateAfterModificationArgs | None:
        return storage.DateAfterModificationArgs(days_after_modification_greater_than=days) if days else None

    return storage.ManagementPolicyRuleArgs(
        name=container,
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(
            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=[f"{container}/"]),
            actions=storage.ManagementPolicyActionArgs(
                base_blob=storage.ManagementPolicyBaseBlobArgs(
                    tier_to_cool=after(args.cool_days), delete=after(args.delete_days)
                )
            ),
        ),
    )


def _versions(prefixes: list[str], days: int) -> storage.ManagementPolicyRuleArgs:
    return storage.ManagementPolicyRuleArgs(
        name="earlier-versions",
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(
            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=prefixes),
            actions=storage.ManagementPolicyActionArgs(
                version=storage.ManagementPolicyVersionArgs(
                    delete=storage.DateAfterCreationArgs(days_after_creation_greater_than=days)
                )
            ),
        ),
    )
