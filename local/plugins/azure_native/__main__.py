"""``python -m local.plugins.azure_native``: what the launcher ``pulumi-resource-azure-native`` runs."""

from __future__ import annotations

from local.plugins.azure_native.provider import AzureNative
from local.plugins.provider import serve

if __name__ == "__main__":
    serve(AzureNative())
