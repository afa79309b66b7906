"""Vault key: a key that wraps other keys, or one that signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

import pulumi
from pulumi_azure_native import keyvault

from components.common import Site

_OPERATIONS = {"wrap": ["wrapKey", "unwrapKey"], "sign": ["sign", "verify"]}


@dataclass(frozen=True, kw_only=True)
class KeyArgs:
    """What a key is for, and what it may do: nothing else.

    use: "wrap" for keys that encrypt data keys; "sign" for a qualified seal (QSealC), whose key never leaves the vault:
    services have the vault sign. hardware: in an HSM. rotate_days: a new version after so many days, older ones go on
    unwrapping; 0 for none. expires: last day of the certificate that names the key.
    """

    use: Literal["wrap", "sign"] = "wrap"
    hardware: bool = False
    rotate_days: int = 0
    expires: date | None = None

    def __post_init__(self) -> None:
        if self.use == "sign" and not self.hardware:
            raise ValueError("hardware: a seal's key has to be in an HSM (eIDAS, Annex III). Set hardware=True.")
        if self.use == "sign" and self.rotate_days:
            raise ValueError("rotate_days: a seal's certificate names its key, which so can't rotate. Leave it out.")
        if self.use == "sign" and self.expires is None:
            raise ValueError("expires: is missing. Give the last day of the seal's certificate.")
        # A version lives twice as long as it is the newest one; Azure takes 28 days to two years for that.
        if self.rotate_days and not 28 <= self.rotate_days <= 365:
            raise ValueError(f"rotate_days: {self.rotate_days} is not allowed; allowed are 28 to 365.")


def make_key(
    name: str, key: str, args: KeyArgs, vault: keyvault.Vault, site: Site, opts: pulumi.ResourceOptions
) -> keyvault.Key:
    """An RSA key of 3072 bits. It can't be exported: that takes a release policy, which it has none of."""
    return keyvault.Key(
        name,
        key_name=key,
        vault_name=vault.name,
        resource_group_name=site.resource_group,
        properties=keyvault.KeyPropertiesArgs(
            kty="RSA-HSM" if args.hardware else "RSA",
            key_size=3072,
            key_ops=_OPERATIONS[args.use],
            attributes=keyvault.KeyAttributesArgs(expires=_end_of(args.expires)) if args.expires else None,
            rotation_policy=_rotation(args.rotate_days) if args.rotate_days else None,
        ),
        tags=site.tags,
        opts=opts,
    )


def _end_of(day: date) -> int:
    return int(datetime.combine(day, time.max, UTC).timestamp())


def _rotation(days: int) -> keyvault.RotationPolicyArgs:
    def action(kind: keyvault.KeyRotationPolicyActionType, **when: str) -> keyvault.LifetimeActionArgs:
        return keyvault.LifetimeActionArgs(action=keyvault.ActionArgs(type=kind), trigger=keyvault.TriggerArgs(**when))

    kinds = keyvault.KeyRotationPolicyActionType
    return keyvault.RotationPolicyArgs(
        attributes=keyvault.KeyRotationPolicyAttributesArgs(expiry_time=f"P{2 * days}D"),
        lifetime_actions=[
            action(kinds.ROTATE, time_after_create=f"P{days}D"),
            action(kinds.NOTIFY, time_before_expiry="P30D"),
        ],
    )
