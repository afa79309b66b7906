"""Which resources tokens are issued for: Azure's own audiences, the tenant's APIs, and the local vaults."""

from __future__ import annotations

import re

from local.instance import Instance

_AZURE = {
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://graph.microsoft.com",
    "https://vault.azure.net",
    "https://storage.azure.com",
    "https://database.windows.net",
    "https://ossrdbms-aad.database.windows.net",
    "https://containerregistry.azure.net",
    "https://monitor.azure.com",
    "https://servicebus.azure.net",
    "https://appconfig.azure.com",
    "https://azconfig.io",
    "6dae42f8-4368-4678-94ff-3960e28e3630",  # AKS Microsoft Entra server
}
ARM = ("https://management.azure.com", "https://management.core.windows.net")
"""What ARM accepts."""
GRAPH = ("https://graph.microsoft.com",)


def known(audience: str, instance: Instance) -> bool:
    """Whether a token may be asked for this resource.

    A vault at 127.0.0.1:P is ``https://0.0.1:P`` to Key Vault's clients: the challenge must name the vault's host
    less its first label.
    """
    plain = audience.rstrip("/")
    if plain in _AZURE or re.fullmatch(r"api://[A-Za-z0-9._~/-]+", plain):
        return True
    vault = re.fullmatch(r"https://0\.0\.1:(\d+)", plain)
    return bool(vault) and int(vault[1]) in instance.dynamic_ports
