"""The Key Vault data plane: secrets and keys behind an HTTPS listener a vault, opened by its ARM behaviour."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane


def data_planes(azure: Azure) -> list[DataPlane]:
    """None with a fixed listener: a vault's listener comes and goes with the vault."""
    return []
