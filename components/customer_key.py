"""Customer-managed key: the key that encrypts a block's data at rest, and the identity that may use it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.common import Site, assign_role
from components.identities import make_identity


@dataclass(frozen=True, kw_only=True)
class CustomerKey:
    """A key in a vault with purge protection, without which Azure refuses it.

    key_id: resource id of the key; hand in the output of the key itself, so that it is there before rights on it are.
    vault_uri: base URL of its vault. The key's newest version is followed.
    version_uri: identifier of the version that was newest when the key was made, for services that want to be told one.
    """

    key_id: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    version_uri: pulumi.Input[str] | None = None

    @property
    def name(self) -> pulumi.Output[str]:
        """Name of the key."""
        return pulumi.Output.from_input(self.key_id).apply(lambda known: known.rsplit("/", 1)[-1])

    @property
    def uri(self) -> pulumi.Output[str]:
        """Identifier of the key, without version."""
        return pulumi.Output.concat(pulumi.Output.from_input(self.vault_uri).apply(_slash), "keys/", self.name)

    @property
    def newest(self) -> pulumi.Output[str]:
        """Identifier of the version that was newest when the key was made. Raises ValueError where none is given."""
        if self.version_uri is None:
            raise ValueError("key: has no version_uri, and it is named by its version here. Give it.")
        return pulumi.Output.from_input(self.version_uri)


@dataclass(frozen=True, kw_only=True)
class KeyUser:
    """Who uses a customer-managed key. grant: its right to, which the encrypted resource waits for."""

    identity: managedidentity.UserAssignedIdentity
    grant: authorization.RoleAssignment


def _slash(base: str) -> str:
    return base.rstrip("/") + "/"


def use_key(name: str, key: CustomerKey, site: Site, opts: pulumi.ResourceOptions) -> KeyUser:
    """Makes an identity that may wrap and unwrap with the key and do nothing else."""
    identity = make_identity(f"{name}-key", site, opts)
    grant = assign_role(
        f"{name}-uses-key",
        "Key Vault Crypto Service Encryption User",
        principal_id=identity.principal_id,
        scope=key.key_id,
        site=site,
        opts=opts,
    )
    return KeyUser(identity=identity, grant=grant)
