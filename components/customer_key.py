"""Customer-managed key: the key that encrypts a block's data at rest, and the identity that may use it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components import roles as _roles  # noqa: F401  # makes the role known
from components.common import Site, assign_role
from components.identities import make_identity


@dataclass(frozen=True, kw_only=True)
class CustomerKey:
    """A key in a vault with purge protection, without which Azure refuses it.

    vault_id: resource id of the vault. vault_uri: its base URL. name: of the key; its newest version is followed.
    """

    vault_id: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    name: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class KeyUser:
    """Who uses a customer-managed key. grant: its right to, which the encrypted resource waits for."""

    identity: managedidentity.UserAssignedIdentity
    grant: authorization.RoleAssignment


def use_key(name: str, key: CustomerKey, site: Site, opts: pulumi.ResourceOptions) -> KeyUser:
    """Makes an identity that may wrap and unwrap with the key and do nothing else."""
    identity = make_identity(f"{name}-key", site, opts)
    grant = assign_role(
        f"{name}-uses-key",
        "Key Vault Crypto Service Encryption User",
        principal_id=identity.principal_id,
        scope=pulumi.Output.concat(key.vault_id, "/keys/", key.name),
        site=site,
        opts=opts,
    )
    return KeyUser(identity=identity, grant=grant)
