"""Vault secret: a value that a service reads by its name, e.g. what opens something that knows no identities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pulumi
from pulumi_azure_native import keyvault

from components.common import Site

_LIFE = timedelta(days=730)


def make_secret(
    name: str, secret: str, value: pulumi.Input[str], vault: keyvault.Vault, site: Site, opts: pulumi.ResourceOptions
) -> keyvault.Secret:
    """A secret that follows its value. It expires two years after it is made, which the vault's alerts tell of before.

    Whoever renews the value by then replaces the secret, and with it the date.
    """
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _LIFE
    return keyvault.Secret(
        name,
        secret_name=secret,
        vault_name=vault.name,
        resource_group_name=site.resource_group,
        properties=keyvault.SecretPropertiesArgs(
            value=pulumi.Output.secret(value),
            content_type="text/plain",
            attributes=keyvault.SecretAttributesArgs(expires=int(expires.timestamp())),
        ),
        tags=site.tags,
        # Another date each day would be another secret each day.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=["properties.attributes.expires"])
        ),
    )
